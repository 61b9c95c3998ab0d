"""Checks run over a snapshot: what was tested, what failed, what stayed unknown.

Each check is assessed once per (snapshot, policy, check digest) and its rows stored, so
that pages read results and never the raw millions.
"""

import json
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from governance.catalog import LEADING_COLUMNS, Check, load_checks
from governance.model import GovernanceError, Severity, Status
from governance.policy import Policy, PolicyError
from governance.schema import UTC_TIMESTAMP
from governance.scope import Scope
from governance.settings import Settings
from governance.snapshots import Snapshot, kept_open

COUNTS: dict[str, pl.DataType | type[pl.DataType]] = {
    "source": pl.String,
    "department_id": pl.String,
    "status": pl.String,
    "rows": pl.Int64,
}
SEARCHED = ("subject_id", "account_id", "identity_id", "display_name", "login")
"""Columns a search looks in, where the check has them."""

Progress = Callable[[str], None]


class CheckContractError(GovernanceError):
    """A check's query did not return what its header declares."""


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """One check over one snapshot: a row for every subject tested, good or bad."""

    check: Check
    snapshot_id: str
    policy_sha256: str
    path: Path
    """The stored rows: the check's columns and ``finding_id``."""
    counts: pl.DataFrame
    """Rows per source, department and status."""

    def count(self, status: Status | None = None, scope: Scope | None = None) -> int:
        """Return how many subjects were tested, or ended with one status."""
        kept = self.counts if scope is None else self.counts.filter(scope.of())
        if status is not None:
            kept = kept.filter(pl.col("status") == status)
        return int(kept["rows"].sum())

    def rows(self, scope: Scope, status: Status | None = None) -> pl.LazyFrame:
        """Return the rows a person may see, in the query's own order."""
        rows = pl.scan_parquet(self.path).filter(scope.of())
        return rows if status is None else rows.filter(pl.col("status") == status)


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of a filtered list, and how long the whole list is."""

    rows: pl.DataFrame
    total: int


def page_of(
    assessment: Assessment,
    scope: Scope,
    *,
    status: Status | None = None,
    search: str = "",
    source: str | None = None,
    department_id: str | None = None,
    sort: str | None = None,
    descending: bool = False,
    offset: int = 0,
    limit: int = 50,
) -> Page:
    """Return one page of an assessment's rows: filtered, searched and sorted.

    ``search`` is plain text, looked for anywhere and without regard to case. ``sort``
    that is no column of the check leaves the query's own order. ``department_id`` is
    one department without those below it; the empty text means no department. An
    ``offset`` or ``limit`` below nought counts as nought.
    """
    rows = assessment.rows(scope, status)
    names = rows.collect_schema().names()
    if source is not None:
        rows = rows.filter(pl.col("source") == source)
    if department_id is not None:
        rows = rows.filter(pl.col("department_id").fill_null("") == department_id)
    if wanted := search.strip().lower():
        rows = rows.filter(
            pl.any_horizontal(
                pl.col(name)
                .str.to_lowercase()
                .str.contains(wanted, literal=True)
                .fill_null(value=False)
                for name in SEARCHED
                if name in names
            )
        )
    if sort in names:
        rows = rows.sort(
            sort, "subject_id", descending=[descending, False], nulls_last=True
        )
    total = rows.select(pl.len()).collect().item()
    page = rows.slice(max(offset, 0), max(limit, 0))
    return Page(rows=page.collect(), total=total)


def assess(check: Check, snapshot: Snapshot, policy: Policy) -> pl.DataFrame:
    """Run one check over one snapshot and hold the answer to its contract.

    Time is the snapshot's (``$as_of``), never the clock's, so an auditor who repeats
    the run gets the same answer. ``finding_id`` is made of the check and its subject
    alone and so lasts from snapshot to snapshot: waivers and remediation hold on to it.

    Raises:
        CheckContractError: the query fails, as on a pattern that is none, or returns
            other columns than the header declares, a status or reason it does not
            know, or a subject that is null or appears twice.
        PolicyError: the policy does not set a declared threshold.
    """
    parameters = policy.parameters(check.parameters, as_of=snapshot.as_of)
    try:
        rows = snapshot.run(check.sql, parameters)
    except duckdb.Error as error:
        first_line = (str(error).splitlines() or [type(error).__name__])[0]
        raise CheckContractError(
            f"{check.id}: could not be asked ({first_line}); mend the query or the "
            f"policy's {', '.join(check.parameters)}"
        ) from error
    if rows.columns != list(check.result_columns):
        raise CheckContractError(f"{check.id}: returned columns {rows.columns}")
    if strange := set(rows["status"].unique()) - set(Status):
        raise CheckContractError(f"{check.id}: returned status {strange}")
    if strange := set(rows["reason"].unique()) - set(check.reasons):
        raise CheckContractError(f"{check.id}: returned reason {strange}")
    if rows["subject_id"].has_nulls() or rows["subject_id"].is_duplicated().any():
        raise CheckContractError(f"{check.id}: subject_id is null or not unique")
    # A column that is null in every row comes back without a type of its own.
    return rows.with_columns(
        pl.col(LEADING_COLUMNS).cast(pl.String),
        finding_id=pl.format("{}/{}", pl.lit(check.id), "subject_id"),
        check_id=pl.lit(check.id),
    )


def assess_all(
    settings: Settings,
    snapshot_id: str | None = None,
    *,
    policy: Policy | None = None,
    progress: Progress = lambda _: None,
) -> dict[str, Assessment]:
    """Return every check's assessment of a snapshot, running those not yet stored.

    Without ``policy``, the one in force. Each policy asked by is kept beside the
    snapshots, so that an old question can be asked again (``kept_policy``).

    Raises:
        SnapshotError: there is no such snapshot.
        CheckContractError: a query broke its contract.
        PolicyError: a threshold is missing.
    """
    snapshot = kept_open(settings, snapshot_id)
    policy = policy or Policy.read(settings.policy)
    _keep(settings, policy)
    assessments = {}
    for check in load_checks(settings.queries).values():
        progress(check.id)
        assessments[check.id] = assess_once(settings, check, snapshot, policy)
    return assessments


def assess_once(
    settings: Settings, check: Check, snapshot: Snapshot, policy: Policy
) -> Assessment:
    """Return a check's stored assessment; run it and store it if there is none."""
    # A snapshot taken anew under an old name holds something else.
    held = f"{snapshot.manifest.digest[:16]}-{policy.sha256[:16]}"
    folder = settings.assessments / snapshot.snapshot_id / held
    path = folder / f"{check.id}-{check.sha256[:16]}.parquet"
    counts_path = path.with_suffix(".json")
    if not (path.exists() and counts_path.exists()):
        folder.mkdir(parents=True, exist_ok=True)
        results = assess(check, snapshot, policy)
        counts = (
            results.group_by("source", "department_id", "status")
            .agg(rows=pl.len().cast(pl.Int64))
            .sort("source", "department_id", "status", nulls_last=True)
        )
        _replace(path, lambda new: results.write_parquet(new, compression="zstd"))
        text = json.dumps(counts.to_dicts(), ensure_ascii=False)
        _replace(counts_path, lambda new: new.write_text(text, "utf-8"))
    told = json.loads(counts_path.read_text("utf-8"))
    return Assessment(
        check=check,
        snapshot_id=snapshot.snapshot_id,
        policy_sha256=policy.sha256,
        path=path,
        counts=pl.DataFrame(told, schema=COUNTS),
    )


def kept_policy(settings: Settings, sha256: str) -> Policy:
    """Return the policy of one digest, as it stood when it was asked by.

    Raises:
        PolicyError: it was never asked by here, or its file was altered.
    """
    path = settings.data / _POLICIES / f"{sha256}.toml"
    policy = Policy.read(path)
    if policy.sha256 != sha256:
        raise PolicyError(f"{path}: altered since it was kept; restore it")
    return policy


_POLICIES = "policies"


def _keep(settings: Settings, policy: Policy) -> None:
    folder = settings.data / _POLICIES
    path = folder / f"{policy.sha256}.toml"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _replace(path, lambda new: new.write_bytes(policy.text.encode()))


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file whole or not at all; two sessions may do so at once."""
    new = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.new")
    write(new)
    new.replace(path)


FINDINGS: dict[str, pl.DataType | type[pl.DataType]] = {
    "finding_id": pl.String,
    "check_id": pl.String,
    "severity": pl.String,
    "subject_id": pl.String,
    "source": pl.String,
    "account_id": pl.String,
    "identity_id": pl.String,
    "department_id": pl.String,
    "display_name": pl.String,
    "status": pl.String,
    "reason": pl.String,
    "row": pl.String,
}


def findings(
    assessments: Mapping[str, Assessment],
    scope: Scope,
    *,
    account_ids: list[str] | None = None,
    identity_ids: list[str] | None = None,
) -> pl.DataFrame:
    """Return every failed subject of every check, most severe first.

    With ids, only those of these accounts or people. ``row`` is the whole result row as
    JSON, from which ``Check.explain`` makes the sentence (``explained``).
    """
    frames = [pl.DataFrame(schema=FINDINGS)]
    for check_id, assessment in assessments.items():
        rows = assessment.rows(scope, Status.FAIL)
        wanted = []
        if account_ids is not None:
            wanted.append(pl.col("account_id").is_in(account_ids))
        if identity_ids is not None:
            wanted.append(pl.col("identity_id").is_in(identity_ids))
        if wanted:
            rows = rows.filter(pl.any_horizontal(wanted).fill_null(value=False))
        found = rows.collect()
        if found.is_empty():
            continue
        # Struct encoding writes times as text; explain() reads both forms alike.
        frames.append(
            found.with_columns(pl.col(UTC_TIMESTAMP).dt.strftime("%Y-%m-%d %H:%M UTC"))
            .with_columns(
                row=pl.struct(pl.all()).struct.json_encode(),
                check_id=pl.lit(check_id),
                severity=pl.lit(assessment.check.severity.value),
            )
            .select(pl.col(name).cast(pl.String) for name in FINDINGS)
        )
    order = {severity.value: rank for rank, severity in enumerate(Severity)}
    return (
        pl.concat(frames)
        .with_columns(rank=pl.col("severity").replace_strict(order, default=9))
        .sort("rank", "check_id", maintain_order=True)
        .drop("rank")
    )
