"""A campaign's life: opened once, its rows handed on, closed for good."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from sqlalchemy import Connection, Row, insert, select

from governance.app_roles import Actor, Permission
from governance.audit_trail import record
from governance.campaigns.items import attested_at, effective_decisions, items_of
from governance.campaigns.plan import Plan, Preview, preview
from governance.model import Decision, GovernanceError
from governance.register import Register
from governance.register.tables import (
    ASSIGNMENTS,
    CAMPAIGNS,
    CLOSINGS,
    EXCLUSIONS,
    REVIEW_ITEMS,
    REVIEWERS,
    TIE_OUTS,
)
from governance.settings import Settings
from governance.snapshots import MANIFEST, file_sha256

_NAMED = 10


class CampaignError(GovernanceError):
    """A campaign cannot be opened, changed or closed like this."""


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """One review from its opening to its closing."""

    campaign_id: str
    title: str
    organisation: str
    due_on: date
    """Last day to decide, in ``time_zone``."""
    time_zone: str
    snapshot_id: str
    snapshot_as_of: datetime
    prior_snapshot_id: str | None
    manifest_sha256: str
    policy_sha256: str
    sources: tuple[str, ...]
    reviewers: str
    fallback_reviewer: str | None
    item_count: int
    items_sha256: str
    opened_at: datetime
    opened_by: str
    opened_by_name: str
    closed_at: datetime | None
    closed_by: str | None
    closed_by_name: str | None

    @property
    def is_open(self) -> bool:
        """Return whether it has not been closed; it may be overdue."""
        return self.closed_at is None

    def today(self, now: datetime) -> date:
        """Return the calendar day of a moment where the campaign is held."""
        return now.astimezone(ZoneInfo(self.time_zone)).date()

    def is_overdue(self, now: datetime) -> bool:
        """Return whether the last day to decide is over."""
        return self.today(now) > self.due_on


def open_campaign(
    register: Register, settings: Settings, actor: Actor, plan: Plan, now: datetime
) -> Campaign:
    """Open a campaign; an equal plan over the same snapshot is the same campaign.

    Raises:
        NotAllowedError: the actor may not open campaigns.
        CampaignError: the plan has a problem, or its due date is over.
    """
    actor.must(Permission.OPEN_CAMPAIGNS)
    shown = preview(settings, plan)
    with register.read() as connection:
        if found := _find(connection, shown.campaign_id):
            return found
    today = now.astimezone(ZoneInfo(settings.time_zone)).date()
    if plan.due_on < today:
        raise CampaignError(
            f"{plan.title}: the due date {plan.due_on} is over; choose a later one"
        )
    if shown.problems:
        raise CampaignError(
            f"{plan.title} cannot be opened: {' '.join(shown.problems)}"
        )
    rows = shown.items.to_dicts()
    facts = _opening_facts(settings, plan, shown, rows)
    with register.write() as connection:
        if found := _find(connection, shown.campaign_id):
            return found  # somebody else was faster
        seq = record(
            connection,
            actor=actor,
            action="campaign.open",
            subject=shown.campaign_id,
            details=facts | {"tie_out": shown.tie_out.to_dicts()},
            now=now,
        )
        opened = {
            "campaign_id": shown.campaign_id,
            "opened_at": now,
            "opened_by": actor.actor_id,
            "opened_by_name": actor.name,
            "event_seq": seq,
        }
        connection.execute(insert(CAMPAIGNS), [facts | opened])
        key = {"campaign_id": shown.campaign_id}
        for table, told in (
            (REVIEWERS, shown.candidates),
            (REVIEW_ITEMS, rows),
            (TIE_OUTS, shown.tie_out.to_dicts()),
        ):
            if told:
                connection.execute(insert(table), [one | key for one in told])
        left_out = [
            one | key | {"number": number}
            for number, one in enumerate(shown.excluded.to_dicts(), 1)
        ]
        if left_out:
            connection.execute(insert(EXCLUSIONS), left_out)
    return campaign(register, shown.campaign_id)


def _opening_facts(
    settings: Settings, plan: Plan, shown: Preview, rows: list[dict[str, Any]]
) -> dict[str, Any]:
    manifest = shown.snapshot.manifest
    folder = settings.snapshots / manifest.snapshot_id
    text = json.dumps(rows, ensure_ascii=False, sort_keys=True, default=str)
    return {
        "title": plan.title,
        "organisation": settings.organisation,
        "due_on": plan.due_on,
        "time_zone": settings.time_zone,
        "snapshot_id": manifest.snapshot_id,
        "snapshot_as_of": manifest.as_of,
        "prior_snapshot_id": manifest.prior,
        "manifest_sha256": file_sha256(folder / MANIFEST),
        "policy_sha256": shown.policy_sha256,
        "sources": sorted(
            plan.sources or (one["source"] for one in shown.tie_out.to_dicts())
        ),
        "reviewers": plan.reviewers,
        "fallback_reviewer": plan.fallback_reviewer,
        "item_count": len(rows),
        "items_sha256": hashlib.sha256(text.encode()).hexdigest(),
    }


_COLUMNS = (
    CAMPAIGNS,
    CLOSINGS.c.closed_at,
    CLOSINGS.c.closed_by,
    CLOSINGS.c.closed_by_name,
)


def _find(connection: Connection, campaign_id: str) -> Campaign | None:
    query = (
        select(*_COLUMNS)
        .outerjoin(CLOSINGS, CLOSINGS.c.campaign_id == CAMPAIGNS.c.campaign_id)
        .where(CAMPAIGNS.c.campaign_id == campaign_id)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _campaign(row)


def _campaign(row: Row[Any]) -> Campaign:
    told = dict(row._mapping)
    del told["event_seq"]
    return Campaign(**told | {"sources": tuple(told["sources"])})


def campaign_of(connection: Connection, campaign_id: str) -> Campaign:
    """Return a campaign within a transaction.

    Raises:
        CampaignError: there is no such campaign.
    """
    found = _find(connection, campaign_id)
    if found is None:
        raise CampaignError(
            f"no campaign is called {campaign_id}; `campaign list` names them"
        )
    return found


def campaign(register: Register, campaign_id: str) -> Campaign:
    """Return a campaign.

    Raises:
        CampaignError: there is no such campaign.
    """
    with register.read() as connection:
        return campaign_of(connection, campaign_id)


def list_campaigns(register: Register) -> list[Campaign]:
    """Return all campaigns, newest first."""
    query = (
        select(*_COLUMNS)
        .outerjoin(CLOSINGS, CLOSINGS.c.campaign_id == CAMPAIGNS.c.campaign_id)
        .order_by(CAMPAIGNS.c.event_seq.desc())
    )
    with register.read() as connection:
        return [_campaign(row) for row in connection.execute(query)]


def possible_reviewers(register: Register, campaign_id: str) -> pl.DataFrame:
    """Return whom rows may go to: reviewer_id, reviewer_name, department_name."""
    query = (
        select(
            REVIEWERS.c.reviewer_id,
            REVIEWERS.c.reviewer_name,
            REVIEWERS.c.department_name,
        )
        .where(REVIEWERS.c.campaign_id == campaign_id)
        .order_by(REVIEWERS.c.reviewer_name, REVIEWERS.c.reviewer_id)
    )
    with register.read() as connection:
        rows = [dict(row) for row in connection.execute(query).mappings()]
    names = ("reviewer_id", "reviewer_name", "department_name")
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String))


def assign(
    register: Register,
    actor: Actor,
    campaign_id: str,
    item_ids: Sequence[str],
    reviewer_id: str,
    now: datetime,
) -> int:
    """Hand rows to another reviewer; return how many changed hands.

    An answer given before is kept on record but no longer counts: the new reviewer
    decides.

    Raises:
        NotAllowedError: the actor may not run campaigns.
        CampaignError: the campaign is closed, a row is not of it or is the new
            reviewer's own access, or the person cannot review.
    """
    actor.must(Permission.OPEN_CAMPAIGNS)
    with register.write() as connection:
        if not campaign_of(connection, campaign_id).is_open:
            raise CampaignError(f"{campaign_id}: it is closed, nothing can be changed")
        known = select(REVIEWERS.c.reviewer_name).where(
            REVIEWERS.c.campaign_id == campaign_id,
            REVIEWERS.c.reviewer_id == reviewer_id,
        )
        name = connection.execute(known).scalar_one_or_none()
        if name is None:
            raise CampaignError(
                f"{reviewer_id}: not a head or manager who worked here when "
                f"{campaign_id} was opened; choose one of its possible reviewers"
            )
        rows = {row["item_id"]: row for row in items_of(connection, campaign_id)}
        handed = []
        for item_id in dict.fromkeys(item_ids):
            row = rows.get(item_id)
            if row is None:
                raise CampaignError(f"{item_id}: no row of {campaign_id} is called so")
            if row["identity_id"] == reviewer_id:
                raise CampaignError(
                    f"{row['login']} in {row['source']} is {name}'s own access; nobody "
                    "reviews their own"
                )
            if row["reviewer_id"] != reviewer_id:
                handed.append(row)
        if not handed:
            return 0
        seq = record(
            connection,
            actor=actor,
            action="item.assign",
            subject=campaign_id,
            details={
                "reviewer_id": reviewer_id,
                "reviewer_name": name,
                "items": {row["item_id"]: row["reviewer_id"] for row in handed},
            },
            now=now,
        )
        connection.execute(
            insert(ASSIGNMENTS),
            [
                {
                    "event_seq": seq,
                    "item_id": row["item_id"],
                    "campaign_id": campaign_id,
                    "reviewer_id": reviewer_id,
                    "assigned_at": now,
                    "assigned_by": actor.actor_id,
                }
                for row in handed
            ],
        )
    return len(handed)


def close_campaign(
    register: Register,
    actor: Actor,
    campaign_id: str,
    now: datetime,
    *,
    accept_undecided: bool = False,
) -> Campaign:
    """Close a campaign for good; one already closed is returned as it is.

    Rows undecided, "not mine" or not signed for stop it. With ``accept_undecided`` it
    closes over them, and the audit event names every one.

    Raises:
        NotAllowedError: the actor may not run campaigns.
        CampaignError: there is no such campaign, or rows are undecided or unsigned.
    """
    actor.must(Permission.OPEN_CAMPAIGNS)
    with register.write() as connection:
        found = campaign_of(connection, campaign_id)
        if not found.is_open:
            return found
        rows = items_of(connection, campaign_id)
        open_rows = [
            row for row in rows if row["decision"] in (None, Decision.NOT_MINE)
        ]
        unsigned = _unsigned(rows)
        if not accept_undecided:
            _refuse_unfinished(found, open_rows, unsigned)
        digest = effective_decisions(rows)
        seq = record(
            connection,
            actor=actor,
            action="campaign.close",
            subject=campaign_id,
            details={
                "decided": len(rows) - len(open_rows),
                "undecided": [_named(row) for row in open_rows],
                "unsigned": unsigned,
                "decisions_sha256": digest,
            },
            now=now,
        )
        closing = {
            "campaign_id": campaign_id,
            "closed_at": now,
            "closed_by": actor.actor_id,
            "closed_by_name": actor.name,
            "undecided": len(open_rows),
            "decisions_sha256": digest,
            "event_seq": seq,
        }
        connection.execute(insert(CLOSINGS), [closing])
    return campaign(register, campaign_id)


def _unsigned(rows: list[dict[str, Any]]) -> list[str]:
    """Return the reviewers who have not signed for all they decided."""
    own: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["decision"] not in (None, Decision.NOT_MINE):
            own.setdefault(row["reviewer_name"], []).append(row)
    return sorted(name for name, told in own.items() if attested_at(told) is None)


def _named(row: dict[str, Any]) -> dict[str, Any]:
    names = ("item_id", "reviewer_id", "account_id", "entitlement_id", "decision")
    return {name: row[name] for name in names}


def _refuse_unfinished(
    found: Campaign, open_rows: list[dict[str, Any]], unsigned: list[str]
) -> None:
    if open_rows:
        names = [
            f"{row['login'] or row['account_id']} in {row['source']}"
            f" ({row['reviewer_name']})"
            for row in open_rows[:_NAMED]
        ]
        more = " and more" if len(open_rows) > _NAMED else ""
        raise CampaignError(
            f"{found.title}: {len(open_rows)} rows are undecided: {', '.join(names)}"
            f"{more}; have them decided or close with the undecided accepted"
        )
    if unsigned:
        raise CampaignError(
            f"{found.title}: not signed yet by {', '.join(unsigned)}; have them sign "
            "or close with that accepted"
        )
