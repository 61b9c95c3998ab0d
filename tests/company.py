"""A company small enough to read: tests name only the facts that matter to them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from connectors.conform import conform
from connectors.connector import (
    Connector,
    Context,
    Draft,
    Normalised,
    Parameters,
    RawExport,
    RawTable,
)
from governance import assessments, snapshots
from governance.catalog import load_checks
from governance.policy import Policy
from governance.schema import TABLES, Extract
from governance.settings import ROOT, Settings, SourceSettings
from governance.snapshots import Manifest, Snapshot

AS_OF = datetime(2026, 8, 1, 0, 30, tzinfo=UTC)
"""1 August 2026, 08:30 in Shanghai: the moment of a test's newest snapshot."""
BEFORE = datetime(2026, 7, 1, 0, 30, tzinfo=UTC)


def settings(folder: Path, **changes: Any) -> Settings:
    """Return the settings of an installation in one folder."""
    plain = Settings(
        config=folder / "gatebook.toml",
        organisation="Example Trading",
        demo=False,
        data=folder / "data",
        policy=ROOT / "data" / "policy.toml",
        time_zone="Asia/Shanghai",
        owners=None,
        sources={},
    )
    return replace(plain, **changes)


def policy(**thresholds: Any) -> Policy:
    """Return the product's policy with a test's own thresholds."""
    told = Policy.read(ROOT / "data" / "policy.toml")
    return replace(told, thresholds={**told.thresholds, **thresholds})


@dataclass
class Company:
    """A company under construction; ``assess`` seals and tests it.

    Every method takes a table's own columns as keywords; a column nobody gives is a
    fact that nobody told. Ids are short: account ``crm:ada`` is in source ``crm``.
    """

    folder: Path
    rows: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    untold: set[str] = field(default_factory=set)
    """``source:table.column`` that a source cannot tell although rows hold it."""

    def add(self, table: str, source: str, **values: Any) -> None:
        """Add one row to a source's table."""
        self.rows.setdefault((source, table), []).append(values)

    def employs(self, name: str, /, *, until: date | None = None, **facts: Any) -> None:
        """Add an identity ``hr:<name>``, a leaver if ``until`` is in the past."""
        left = until is not None and until < AS_OF.date()
        plain = {
            "identity_id": f"hr:{name}",
            "display_name": name.title(),
            "email": f"{name}@example.com",
            "employment_type": "employee",
            "employment_status": "left" if left else "active",
            "department_id": "hr:sales",
            "job_title": "Sales Representative",
            "end_date": until,
        }
        self.add("identities", "hr", **plain | facts)

    def has_department(self, name: str, /, **facts: Any) -> None:
        """Add a department ``hr:<name>``."""
        plain = {"department_id": f"hr:{name}", "name": name.title()}
        self.add("departments", "hr", **plain | facts)

    def has_account(self, login: str, /, *, source: str = "crm", **facts: Any) -> None:
        """Add an enabled account, its owner matched by the login as e-mail."""
        plain = {
            "account_id": f"{source}:{login}",
            "native_id": login,
            "login": login,
            "email": f"{login}@example.com",
            "account_type": "person",
            "is_enabled": True,
        }
        self.add("accounts", source, **plain | facts)

    def has_role(self, name: str, /, *, source: str = "crm", **facts: Any) -> None:
        """Add an entitlement ``<source>:<name>``."""
        plain = {"entitlement_id": f"{source}:{name}", "native_id": name, "name": name}
        self.add("entitlements", source, **plain | facts)

    def grants(
        self, login: str, role: str, /, *, source: str = "crm", **facts: Any
    ) -> None:
        """Grant a role to an account."""
        plain = {
            "account_id": f"{source}:{login}",
            "entitlement_id": f"{source}:{role}",
            "via": "direct",
        }
        self.add("grants", source, **plain | facts)

    def logs_in(
        self, login: str, at: datetime, /, *, source: str = "crm", **facts: Any
    ) -> None:
        """Add a successful login."""
        plain = {
            "account_id": f"{source}:{login}",
            "login": login,
            "at": at,
            "outcome": "success",
        }
        self.add("login_events", source, **plain | facts)

    @property
    def settings(self) -> Settings:
        """Return the settings of this company's installation."""
        names = sorted({source for source, _ in self.rows})
        sources = {name: SourceSettings(connector="invented") for name in names}
        return settings(self.folder, sources=sources)

    def extracts(self) -> list[Extract]:
        """Conform what was built, a source each."""
        return [_extract(self, name) for name in self.settings.sources]

    def seal(self, as_of: datetime = AS_OF) -> Manifest:
        """Seal what was built as the snapshot of a moment."""
        return snapshots.seal(self.settings, self.extracts(), as_of, sealed_at=as_of)

    def open(self) -> Snapshot:
        """Open the newest snapshot, sealing one first if there is none."""
        if snapshots.current_id(self.settings) is None:
            self.seal()
        return snapshots.kept_open(self.settings)

    def assess(self, check_id: str, **thresholds: Any) -> pl.DataFrame:
        """Seal and run one check; thresholds not given are the product's policy."""
        check = load_checks(ROOT / "queries")[check_id]
        return assessments.assess(check, self.open(), policy(**thresholds))

    def statuses(self, check_id: str, **thresholds: Any) -> Mapping[str, str]:
        """Run one check; return ``status reason`` of each subject."""
        rows = self.assess(check_id, **thresholds)
        return {
            subject: f"{status} {reason}"
            for subject, status, reason in rows.select(
                "subject_id", "status", "reason"
            ).iter_rows()
        }


def _extract(company: Company, source: str) -> Extract:
    drafts = []
    for (owner, table_name), rows in company.rows.items():
        if owner != source:
            continue
        table = TABLES[table_name]
        told = [
            name
            for name in table.columns
            if any(name in row for row in rows)
            and f"{source}:{table_name}.{name}" not in company.untold
        ]
        types = {name: table.columns[name].type for name in told}
        frame = pl.DataFrame(
            [{name: row.get(name) for name in told} for row in rows], schema=types
        ).with_row_index("source_row", 2)
        raw = RawTable(name=table_name, file=f"{source}/{table_name}.csv", rows=frame)
        drafts.append(Draft(table=table, raw=raw, rows=frame))
    connector = Connector(
        name="invented",
        title="Invented",
        parameters=Parameters,
        fetch=lambda _: RawExport(tables={}, extracted_at=AS_OF, method="file"),
        normalise=lambda *_: Normalised(drafts=tuple(drafts)),
    )
    context = Context(source=source, settings=company.settings, parameters=None)
    export = connector.fetch(context)
    return conform(connector, context, export, connector.normalise(context, export))
