"""Review items as they stand: the facts shown at opening and the answer in force."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import polars as pl
import rfc8785
from sqlalchemy import Connection, func, or_, select

from governance.campaigns.plan import EXCLUDED, FACTS, TIE_OUT, DataType
from governance.campaigns.reasons import FLAGGED
from governance.model import Decision
from governance.register import Register
from governance.register.tables import (
    ASSIGNMENTS,
    ATTESTATIONS,
    DECISIONS,
    EXCLUSIONS,
    REVIEW_ITEMS,
    REVIEWERS,
    TIE_OUTS,
)
from governance.schema import UTC_TIMESTAMP

_ANSWER: dict[str, DataType] = {
    "version": pl.Int64,
    "decision": pl.String,
    "comment": pl.String,
    "keep_until": pl.Date,
    "decided_at": UTC_TIMESTAMP,
    "decided_by": pl.String,
    "decided_by_name": pl.String,
    "recorded_by": pl.String,
    "recorded_by_name": pl.String,
    "channel": pl.String,
    "return_id": pl.String,
    "batch_size": pl.Int64,
    "attested_at": UTC_TIMESTAMP,
}
ITEMS: dict[str, DataType] = (
    FACTS
    | {"reviewer_name": pl.String, "original_reviewer_id": pl.String}
    | _ANSWER
    | {"event_seq": pl.Int64}
)
"""Columns of ``items``. Key item_id. ``decision`` null: undecided. ``version`` counts
every decision ever recorded on the row, also those a reassignment has voided."""
STATUS: dict[str, DataType] = {
    "reviewer_id": pl.String,
    "reviewer_name": pl.String,
    "department_name": pl.String,
    "email": pl.String,
    "items": pl.Int64,
    "flagged": pl.Int64,
    "decided": pl.Int64,
    "undecided": pl.Int64,
    "not_mine": pl.Int64,
    "keep": pl.Int64,
    "revoke": pl.Int64,
    "change": pl.Int64,
    "keep_until": pl.Int64,
    "attested_at": UTC_TIMESTAMP,
}
"""Columns of ``status``: items = decided + undecided, and ``not_mine`` is among the
undecided. ``attested_at`` is null until all of a reviewer's answers are signed."""


def items(
    register: Register, campaign_id: str, *, reviewer_id: str | None = None
) -> pl.DataFrame:
    """Return review items with the answer in force (``ITEMS``), most urgent first.

    With ``reviewer_id``, those that are this reviewer's now. A row handed to another
    reviewer is undecided until that one answers.
    """
    with register.read() as connection:
        rows = items_of(connection, campaign_id, reviewer_id=reviewer_id)
    return pl.DataFrame(rows, schema=ITEMS)


def items_of(
    connection: Connection,
    campaign_id: str,
    *,
    reviewer_id: str | None = None,
    ever: bool = False,
    facts: Collection[str] = FACTS,
) -> list[dict[str, Any]]:
    """Return review items as ``items`` does, within a transaction.

    With ``ever``, also the rows that were the reviewer's once. ``facts`` are the
    columns wanted beside the answer; item_id and reviewer_id must be among them.
    """
    columns = [REVIEW_ITEMS.c[name] for name in facts]
    query = select(*columns).where(REVIEW_ITEMS.c.campaign_id == campaign_id)
    if reviewer_id is not None:
        handed = select(ASSIGNMENTS.c.item_id).where(
            ASSIGNMENTS.c.campaign_id == campaign_id,
            ASSIGNMENTS.c.reviewer_id == reviewer_id,
        )
        query = query.where(
            or_(
                REVIEW_ITEMS.c.reviewer_id == reviewer_id,
                REVIEW_ITEMS.c.item_id.in_(handed),
            )
        )
    found = connection.execute(query.order_by(REVIEW_ITEMS.c.position)).mappings().all()
    handed_to = _assignments(connection, campaign_id)
    names = _names(connection, campaign_id)
    answers = _answers(connection, campaign_id, reviewer_id, handed_to)
    signatures = _signatures(connection, campaign_id)
    rows = []
    for told in found:
        row = dict(told)
        item_id = row["item_id"]
        row["original_reviewer_id"] = row["reviewer_id"]
        since = 0
        if item_id in handed_to:
            since, row["reviewer_id"] = handed_to[item_id]
            row["why_reviewer"] = "reassigned"
        if not ever and reviewer_id not in (None, row["reviewer_id"]):
            continue
        row["reviewer_name"] = names.get(row["reviewer_id"])
        answer = answers.get(item_id)
        row |= dict.fromkeys(_ANSWER) | {"version": 0, "event_seq": None}
        if answer is not None:
            row["version"] = answer["version"]
            if answer["event_seq"] > since:
                row |= answer
                row["attested_at"] = _signed_at(
                    signatures.get(row["reviewer_id"], ()), answer["event_seq"]
                )
        rows.append({name: row[name] for name in ITEMS if name in row})
    return rows


def effective_decisions(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the digest of the answers in force among rows of ``ITEMS``.

    Taken over decisions alone, apart from the facts, so that it still holds after the
    reviewer has signed.
    """
    told = [
        [
            row["item_id"],
            row["version"],
            row["decision"],
            row["comment"],
            row["keep_until"] and row["keep_until"].isoformat(),
            row["decided_by"],
        ]
        for row in sorted(rows, key=lambda row: str(row["item_id"]))
        if row["decision"] is not None
    ]
    return hashlib.sha256(rfc8785.dumps(told)).hexdigest()


def _assignments(
    connection: Connection, campaign_id: str
) -> dict[str, tuple[int, str]]:
    """Return item id → (number of the event, reviewer) of its last reassignment."""
    query = (
        select(ASSIGNMENTS)
        .where(ASSIGNMENTS.c.campaign_id == campaign_id)
        .order_by(ASSIGNMENTS.c.event_seq)
    )
    return {
        row.item_id: (row.event_seq, row.reviewer_id)
        for row in connection.execute(query)
    }


def _names(connection: Connection, campaign_id: str) -> dict[str, str]:
    query = select(REVIEWERS.c.reviewer_id, REVIEWERS.c.reviewer_name).where(
        REVIEWERS.c.campaign_id == campaign_id
    )
    return {row.reviewer_id: row.reviewer_name for row in connection.execute(query)}


def _answers(
    connection: Connection,
    campaign_id: str,
    reviewer_id: str | None,
    handed_to: Mapping[str, tuple[int, str]],
) -> dict[str, dict[str, Any]]:
    """Return the newest decision on each row, of one reviewer's rows or of all."""
    newest = (
        select(DECISIONS.c.item_id, func.max(DECISIONS.c.version).label("version"))
        .where(DECISIONS.c.campaign_id == campaign_id)
        .group_by(DECISIONS.c.item_id)
        .subquery()
    )
    query = select(DECISIONS).join(
        newest,
        (DECISIONS.c.item_id == newest.c.item_id)
        & (DECISIONS.c.version == newest.c.version),
    )
    if reviewer_id is not None and not handed_to:
        query = query.join(
            REVIEW_ITEMS, REVIEW_ITEMS.c.item_id == DECISIONS.c.item_id
        ).where(REVIEW_ITEMS.c.reviewer_id == reviewer_id)
    columns = (*_ANSWER, "event_seq")
    return {
        row["item_id"]: {name: row[name] for name in columns if name != "attested_at"}
        for row in connection.execute(query).mappings()
    }


def _signatures(connection: Connection, campaign_id: str) -> dict[str, list[Any]]:
    query = (
        select(ATTESTATIONS)
        .where(ATTESTATIONS.c.campaign_id == campaign_id)
        .order_by(ATTESTATIONS.c.event_seq)
    )
    signatures: dict[str, list[Any]] = {}
    for row in connection.execute(query):
        signatures.setdefault(row.reviewer_id, []).append(row)
    return signatures


def _signed_at(signatures: Iterable[Any], decided: int) -> Any:  # noqa: ANN401
    """Return when an answer was first signed; null if it came after every signature."""
    return next(
        (one.attested_at for one in signatures if one.event_seq > decided), None
    )


def status(register: Register, campaign_id: str) -> pl.DataFrame:
    """Return how far each reviewer is (``STATUS``), those with most left first."""
    with register.read() as connection:
        rows = items_of(
            connection, campaign_id, facts=("item_id", "reviewer_id", "risk")
        )
        query = select(REVIEWERS).where(REVIEWERS.c.campaign_id == campaign_id)
        people = {row.reviewer_id: row for row in connection.execute(query)}
    counted: dict[str, dict[str, Any]] = {}
    own: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        reviewer = people[row["reviewer_id"]]
        one = counted.setdefault(
            row["reviewer_id"],
            dict.fromkeys(STATUS, 0)
            | {
                "reviewer_id": reviewer.reviewer_id,
                "reviewer_name": reviewer.reviewer_name,
                "department_name": reviewer.department_name,
                "email": reviewer.email,
                "attested_at": None,
            },
        )
        one["items"] += 1
        one["flagged"] += row["risk"] in FLAGGED
        is_decided = row["decision"] not in (None, Decision.NOT_MINE)
        one["decided" if is_decided else "undecided"] += 1
        if row["decision"] is not None:
            one[row["decision"]] += 1
        own.setdefault(row["reviewer_id"], []).append(row)
    for reviewer_id, one in counted.items():
        one["attested_at"] = attested_at(own[reviewer_id])
    return pl.DataFrame(list(counted.values()), schema=STATUS).sort(
        "undecided", "reviewer_id", descending=[True, False]
    )


def attested_at(own: Iterable[Mapping[str, Any]]) -> Any:  # noqa: ANN401
    """Return when a reviewer had signed all their rows; null while one is unsigned."""
    signed = [row["attested_at"] for row in own if row["decision"] != Decision.NOT_MINE]
    return None if not signed or None in signed else max(signed)


def excluded(register: Register, campaign_id: str) -> pl.DataFrame:
    """Return the rows left out of a campaign, each with its reason (``EXCLUDED``)."""
    query = (
        select(EXCLUSIONS)
        .where(EXCLUSIONS.c.campaign_id == campaign_id)
        .order_by(EXCLUSIONS.c.number)
    )
    with register.read() as connection:
        rows = [
            {name: row[name] for name in EXCLUDED}
            for row in connection.execute(query).mappings()
        ]
    return pl.DataFrame(rows, schema=EXCLUDED)


def tie_out(register: Register, campaign_id: str) -> pl.DataFrame:
    """Return accepted = in review + excluded per source, as at the opening."""
    query = (
        select(TIE_OUTS)
        .where(TIE_OUTS.c.campaign_id == campaign_id)
        .order_by(TIE_OUTS.c.source)
    )
    with register.read() as connection:
        rows = [
            {name: row[name] for name in TIE_OUT}
            for row in connection.execute(query).mappings()
        ]
    return pl.DataFrame(rows, schema=TIE_OUT)
