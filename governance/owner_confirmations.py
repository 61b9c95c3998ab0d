"""Owners that a person confirmed: recorded once, used by every later snapshot.

Names only suggest an owner (``owner_suggestions``); who says so here answers for it, by
name, in the audit trail. Sealed snapshots do not change: the next one has the owner.
"""

from datetime import datetime

import polars as pl
from sqlalchemy import insert, select

from governance.app_roles import Actor, Permission
from governance.audit_trail import record
from governance.correlation import CONFIRMED_SCHEMA
from governance.model import GovernanceError
from governance.register import Register
from governance.register.tables import OWNER_CONFIRMATIONS
from governance.reports import report
from governance.snapshots import Snapshot


class OwnerError(GovernanceError):
    """An owner cannot be confirmed like this."""


def confirm_owner(
    register: Register,
    snapshot: Snapshot,
    actor: Actor,
    account_id: str,
    identity_id: str | None,
    now: datetime,
) -> None:
    """Record who owns an account; without an identity, take an earlier word back.

    Raises:
        NotAllowedError: the actor may not confirm owners.
        OwnerError: the snapshot knows no such account or person, or the account's own
            keys name its owner already.
    """
    actor.must(Permission.CONFIRM_OWNERS)
    found = report(snapshot, "account_owner", account_id=account_id)
    if found.is_empty():
        raise OwnerError(f"no account is called {account_id}; take its id from a check")
    rule = found["match_rule"].item()
    if rule not in (None, "confirmed"):
        raise OwnerError(
            f"{account_id} already belongs to {found['identity_id'].item()} by its "
            f"{rule.replace('_', ' ')}; mend that at the source if it is wrong"
        )
    if identity_id is not None:
        known = report(snapshot, "identity_known", identity_id=identity_id)
        if known.is_empty():
            raise OwnerError(
                f"no person is called {identity_id}; take the id from the people page"
            )
    with register.write() as connection:
        seq = record(
            connection,
            actor=actor,
            action="owner.confirm",
            subject=account_id,
            details={"identity_id": identity_id},
            now=now,
        )
        connection.execute(
            insert(OWNER_CONFIRMATIONS).values(
                event_seq=seq,
                account_id=account_id,
                identity_id=identity_id,
                confirmed_at=now,
                confirmed_by=actor.actor_id,
                confirmed_by_name=actor.name,
            )
        )


def confirmed_owners(register: Register) -> pl.DataFrame:
    """Return the owners that hold, one row per account.

    Returns:
        Columns of ``CONFIRMED_SCHEMA``; ``row`` is the number of the audit event.
    """
    table = OWNER_CONFIRMATIONS
    latest: dict[str, tuple[str | None, str, str, int]] = {}
    with register.read() as connection:
        for told in connection.execute(select(table).order_by(table.c.event_seq)):
            latest[told.account_id] = (
                told.identity_id,
                told.confirmed_by_name,
                told.confirmed_at.isoformat(),
                told.event_seq,
            )
    rows = [
        (account_id, *told)
        for account_id, told in latest.items()
        if told[0] is not None
    ]
    return pl.DataFrame(rows, schema=CONFIRMED_SCHEMA, orient="row")
