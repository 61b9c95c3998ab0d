"""One person's whole access, as far as the reader may see it."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from governance.reports import report
from governance.scope import Scope
from governance.settings import Settings
from governance.snapshots import Snapshot, kept_open, list_snapshots

FOUND_AT_MOST = 100
LOGINS_SHOWN = 50


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A person, or an account that belongs to nobody known."""

    identity_id: str | None
    display_name: str
    facts: dict[str, Any]
    """The identity's own columns; empty for an account without an owner."""
    accounts: pl.DataFrame

    @property
    def account_ids(self) -> list[str]:
        """Return the accounts' ids."""
        return self.accounts["account_id"].to_list()


def search_people(
    snapshot: Snapshot, scope: Scope, wanted: str, limit: int = FOUND_AT_MOST
) -> pl.DataFrame:
    """Return people and unowned accounts whose name, login or number holds a text.

    Columns ``identity_id``, ``account_id`` (null for a person), ``display_name``,
    ``department_name``, ``job_title``, ``employment_status``, ``account_count``,
    ``logins`` and ``found``, how many there are in all. Case does not matter; an empty
    text finds everybody in scope.
    """
    return report(
        snapshot,
        "people_found",
        wanted=wanted.strip(),
        departments=_departments(scope),
        is_everything=scope.departments is None,
        limit=limit,
    )


def holder_of(
    snapshot: Snapshot,
    scope: Scope,
    *,
    identity_id: str | None = None,
    account_id: str | None = None,
) -> Holder | None:
    """Return a person with all their accounts, or an account and its owner's others.

    None if there is no such person or account, or the reader may not see it: the two
    read alike, so that an answer tells nothing.
    """
    accounts = report(
        snapshot,
        "accounts_of_holder",
        identity_id=identity_id,
        account_id=account_id,
        departments=_departments(scope),
        is_everything=scope.departments is None,
    )
    if identity_id is None and not accounts.is_empty():
        identity_id = accounts["identity_id"][0]
    people = report(
        snapshot,
        "identity_facts",
        identity_id=identity_id,
        departments=_departments(scope),
        is_everything=scope.departments is None,
    )
    if people.is_empty() and accounts.is_empty():
        return None
    facts = {} if people.is_empty() else people.row(0, named=True)
    name = (
        facts.get("display_name")
        or (None if accounts.is_empty() else accounts["display_name"][0])
        or identity_id
        or account_id
    )
    return Holder(
        identity_id=facts.get("identity_id"),
        display_name=str(name),
        facts=facts,
        accounts=accounts,
    )


def grants_of(snapshot: Snapshot, holder: Holder) -> pl.DataFrame:
    """Return what the holder's accounts may do: a row per grant, privileged first.

    ``abilities`` is what the entitlement effectively gives, with everything it holds;
    null means no source told.
    """
    return report(snapshot, "grants_of_accounts", account_ids=holder.account_ids)


def logins_of(
    snapshot: Snapshot, holder: Holder, limit: int = LOGINS_SHOWN
) -> pl.DataFrame:
    """Return the holder's most recent login events, newest first."""
    return report(
        snapshot, "logins_of_accounts", account_ids=holder.account_ids, limit=limit
    )


def grant_history(settings: Settings, holder: Holder) -> pl.DataFrame:
    """Return grants gained and lost between one snapshot and the next, newest first.

    Columns ``as_of`` (moment of the later snapshot), ``change`` (gained, lost),
    ``account_id``, ``entitlement_name``. The first snapshot has nothing before it and
    so no changes.
    """
    frames = []
    for manifest in list_snapshots(settings):
        if manifest.prior is None:
            continue
        snapshot = kept_open(settings, manifest.snapshot_id)
        changes = report(
            snapshot, "grant_changes_of_accounts", account_ids=holder.account_ids
        )
        frames.append(changes.with_columns(as_of=pl.lit(manifest.as_of)))
    if not frames:
        return pl.DataFrame(
            schema={
                "change": pl.String,
                "account_id": pl.String,
                "entitlement_id": pl.String,
                "entitlement_name": pl.String,
                "as_of": pl.Datetime("us", "UTC"),
            }
        )
    return pl.concat(frames)


def department_names(snapshot: Snapshot, scope: Scope) -> dict[str, str]:
    """Return the departments a reader may see, by id; a nameless one shows its id."""
    rows = report(snapshot, "department_names").filter(scope.of())
    return {
        department_id: name or department_id for department_id, name in rows.iter_rows()
    }


def _departments(scope: Scope) -> list[str]:
    return sorted(scope.departments or ())
