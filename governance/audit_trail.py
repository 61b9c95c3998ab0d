"""The audit trail: who did what, when, in a chain that shows any later change.

Each event is canonical JSON (RFC 8785), kept as the exact bytes that were hashed. Its
leaf is SHA-256(0x00 ‖ bytes), as a Merkle tree of RFC 9162 takes it; its chain value is
SHA-256(domain ‖ chain value before ‖ leaf). An event is written in the transaction of
what it tells: if one cannot be recorded, neither is.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any

import polars as pl
import rfc8785
from sqlalchemy import Connection, func, insert, select

from governance.app_roles import Actor
from governance.model import GovernanceError
from governance.register import Register
from governance.register.tables import AUDIT_EVENTS
from governance.schema import UTC_TIMESTAMP

_DOMAIN = b"gatebook audit trail 1\x00"
_START = bytes(32)
"""What stands before the first event."""

EVENTS: dict[str, pl.DataType | type[pl.DataType]] = {
    "seq": pl.Int64,
    "at": UTC_TIMESTAMP,
    "actor_id": pl.String,
    "actor_name": pl.String,
    "action": pl.String,
    "subject": pl.String,
    "details": pl.String,
    "chain": pl.String,
}


class AuditTrailError(GovernanceError):
    """The audit trail does not hold together. Names the first event that is wrong."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """The newest event; kept elsewhere it proves that nothing before it changed."""

    seq: int
    """0 before the first event."""
    chain: str


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something done, about to be recorded."""

    action: str
    subject: str
    details: Mapping[str, Any]


def record(
    connection: Connection,
    *,
    actor: Actor,
    action: str,
    subject: str,
    details: Mapping[str, Any],
    now: datetime,
) -> int:
    """Record one event in the caller's transaction; return its number."""
    event = Event(action=action, subject=subject, details=details)
    return record_all(connection, actor=actor, events=[event], now=now)[0]


def record_all(
    connection: Connection, *, actor: Actor, events: Iterable[Event], now: datetime
) -> list[int]:
    """Record events in order in the caller's transaction; return their numbers.

    ``connection`` must come from ``Register.write``, which lets one writer in at a
    time: two writers would both go on from the same event.

    Raises:
        AuditTrailError: a detail has no canonical form (NaN, an integer beyond 2^53).
    """
    head = head_of(connection)
    seq, chain = head.seq, bytes.fromhex(head.chain)
    at = now.astimezone(UTC)
    rows: list[dict[str, Any]] = []
    for event in events:
        seq += 1
        told = {
            "seq": seq,
            "at": at.isoformat(),
            "actor": {"id": actor.actor_id, "name": actor.name, "role": actor.role},
            "action": event.action,
            "subject": event.subject,
            "details": event.details,
        }
        try:
            body = rfc8785.dumps(_plain(told))
        except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
            raise AuditTrailError(
                f"{event.action} of {event.subject}: cannot be recorded ({error})"
            ) from error
        leaf = leaf_hash(body)
        chain = chain_hash(chain, leaf)
        rows.append(
            {
                "seq": seq,
                "at": at,
                "actor_id": actor.actor_id,
                "actor_name": actor.name,
                "action": event.action,
                "subject": event.subject,
                "body": body,
                "leaf": leaf.hex(),
                "chain": chain.hex(),
            }
        )
    if rows:
        connection.execute(insert(AUDIT_EVENTS), rows)
    return [row["seq"] for row in rows]


def leaf_hash(body: bytes) -> bytes:
    """Return the leaf of an event. Source: RFC 9162, section 2.1.1."""
    return hashlib.sha256(b"\x00" + body).digest()


def chain_hash(before: bytes, leaf: bytes) -> bytes:
    """Return the chain value of an event that follows another."""
    return hashlib.sha256(_DOMAIN + before + leaf).digest()


def _plain(value: object) -> Any:  # noqa: ANN401 - JSON has no narrower type
    """Return a value in the few forms JSON knows; moments in UTC."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value


def head_of(connection: Connection) -> Head:
    """Return the newest event's number and chain value, within a transaction."""
    newest = (
        select(AUDIT_EVENTS.c.seq, AUDIT_EVENTS.c.chain)
        .order_by(AUDIT_EVENTS.c.seq.desc())
        .limit(1)
    )
    row = connection.execute(newest).one_or_none()
    if row is None:
        return Head(seq=0, chain=_START.hex())
    return Head(seq=row.seq, chain=row.chain)


def head(register: Register) -> Head:
    """Return the newest event's number and chain value."""
    with register.read() as connection:
        return head_of(connection)


def events(
    register: Register,
    *,
    limit: int | None = None,
    offset: int = 0,
    subject: str | None = None,
) -> pl.DataFrame:
    """Return events, newest first: the columns of ``EVENTS``, details as JSON."""
    query = select(AUDIT_EVENTS).order_by(AUDIT_EVENTS.c.seq.desc())
    if subject is not None:
        query = query.where(AUDIT_EVENTS.c.subject == subject)
    with register.read() as connection:
        found = connection.execute(query.limit(limit).offset(offset)).all()
    rows = [
        {
            "seq": row.seq,
            "at": row.at,
            "actor_id": row.actor_id,
            "actor_name": row.actor_name,
            "action": row.action,
            "subject": row.subject,
            "details": _details(row.body),
            "chain": row.chain,
        }
        for row in found
    ]
    return pl.DataFrame(rows, schema=EVENTS)


def _details(body: bytes) -> str:
    """Return an event's details; raw bytes where it was altered past reading."""
    try:
        return json.dumps(json.loads(body)["details"], ensure_ascii=False)
    except (ValueError, KeyError, TypeError):
        return json.dumps({"unreadable": body.hex()})


def count(register: Register, *, subject: str | None = None) -> int:
    """Return how many events there are, of one subject or in all."""
    query = select(func.count()).select_from(AUDIT_EVENTS)
    if subject is not None:
        query = query.where(AUDIT_EVENTS.c.subject == subject)
    with register.read() as connection:
        return int(connection.execute(query).scalar_one())


def verify_chain(register: Register) -> int:
    """Recompute the whole chain; return the number of events.

    A trail cut short at its end still holds together: compare ``head`` with one that
    was kept elsewhere (every workbook prints it).

    Raises:
        AuditTrailError: an event is missing, out of order or altered. Names the first.
    """
    chain, expected = _START, 0
    with register.read() as connection:
        query = select(AUDIT_EVENTS).order_by(AUDIT_EVENTS.c.seq)
        for row in connection.execute(query.execution_options(yield_per=1000)):
            expected += 1
            if row.seq != expected:
                raise AuditTrailError(
                    f"audit trail: event {expected} is missing; restore the register "
                    "from a backup and compare"
                )
            # SQLite keeps whatever is put into a column, also a text.
            body = row.body if isinstance(row.body, bytes) else str(row.body).encode()
            leaf = leaf_hash(body)
            chain = chain_hash(chain, leaf)
            shown = (row.seq, row.at, row.actor_id, row.actor_name)
            is_same = (
                body is row.body
                and leaf.hex() == row.leaf
                and chain.hex() == row.chain
                and (*shown, row.action, row.subject) == _told(body)
            )
            if not is_same:
                raise AuditTrailError(
                    f"audit trail: event {row.seq} was altered after it was recorded; "
                    "restore the register from a backup and compare"
                )
    return expected


def _told(body: bytes) -> tuple[Any, ...] | None:
    """Return what the hashed bytes say of the columns beside them."""
    try:
        told = json.loads(body)
        actor = told["actor"]
        return (
            told["seq"],
            datetime.fromisoformat(told["at"]),
            actor["id"],
            actor["name"],
            told["action"],
            told["subject"],
        )
    except (ValueError, KeyError, TypeError):
        return None
