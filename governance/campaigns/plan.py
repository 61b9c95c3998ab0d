"""The plan of a campaign and its preview: what would be asked of whom, and what not."""

import hashlib
import math
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import rfc8785
from sqlalchemy import select

from governance.assessments import assess_all
from governance.campaigns.reasons import FLAGGED, RISKS, flags_of, reason, risk_of
from governance.campaigns.routing import People, ReviewerRule, route
from governance.language import Translate, translator
from governance.model import Decision, Language
from governance.register import open_register
from governance.register.tables import CAMPAIGNS, DECISIONS, REVIEW_ITEMS
from governance.reports import report
from governance.schema import UTC_TIMESTAMP
from governance.settings import Settings
from governance.snapshots import Snapshot, kept_open

CHANGES = ("changed", "new", "first_review", "same")
"""How a row stands to the prior snapshot, in the order reviewers see them."""
SECONDS_FLAGGED = 40
SECONDS_CHANGED = 20
SECONDS_PLAIN = 6
"""Time a reviewer is expected to need for a row, for the forecast alone."""
MANY_ROWS = 400
"""Rows of one reviewer beyond which the preview says that the plan is at fault."""
_NAMED = 5

DataType = pl.DataType | type[pl.DataType]

FACTS: dict[str, DataType] = {
    "item_id": pl.String,
    "campaign_id": pl.String,
    "position": pl.Int64,
    "reviewer_id": pl.String,
    "why_reviewer": pl.String,
    "account_id": pl.String,
    "entitlement_id": pl.String,
    "source": pl.String,
    "login": pl.String,
    "display_name": pl.String,
    "identity_id": pl.String,
    "match_rule": pl.String,
    "department_id": pl.String,
    "department_name": pl.String,
    "job_title": pl.String,
    "employment_type": pl.String,
    "employment_status": pl.String,
    "end_date": pl.Date,
    "account_type": pl.String,
    "is_enabled": pl.Boolean,
    "mfa_state": pl.String,
    "account_created_at": UTC_TIMESTAMP,
    "last_login_at": UTC_TIMESTAMP,
    "last_login_basis": pl.String,
    "never_logged_in": pl.Boolean,
    "password_changed_at": UTC_TIMESTAMP,
    "entitlement_name": pl.String,
    "entitlement_kind": pl.String,
    "entitlement_description": pl.String,
    "abilities": pl.String,
    "data_scope": pl.String,
    "is_privileged": pl.Boolean,
    "via": pl.String,
    "granted_at": UTC_TIMESTAMP,
    "granted_by": pl.String,
    "grant_valid_until": UTC_TIMESTAMP,
    "peers": pl.Int64,
    "peer_holders": pl.Int64,
    "change": pl.String,
    "changed_fields": pl.String,
    "risk": pl.String,
    "finding_ids": pl.List(pl.String),
    "reason_en": pl.String,
    "reason_zh": pl.String,
    "previous_decision": pl.String,
    "previous_campaign_id": pl.String,
}
"""A review item with the facts as they were shown."""
EXCLUDED: dict[str, DataType] = {
    "source": pl.String,
    "account_id": pl.String,
    "entitlement_id": pl.String,
    "login": pl.String,
    "display_name": pl.String,
    "reason": pl.String,
}
TIE_OUT: dict[str, DataType] = {
    "source": pl.String,
    "accepted": pl.Int64,
    "in_review": pl.Int64,
    "excluded": pl.Int64,
}
EXCLUSIONS = {
    "source_not_in_scope": "The plan leaves this source out.",
    "account_missing": "The access names an account that the source does not list.",
    "disabled_without_access": "The account is disabled and holds nothing.",
    "builtin_disabled": "The account is built into the system and is disabled.",
}
"""Why a row is not in review, by code."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a security manager decides before a campaign is opened."""

    title: str
    due_on: date
    """Last day to decide, in the installation's time zone."""
    snapshot_id: str | None = None
    """The newest snapshot if not named."""
    sources: tuple[str, ...] | None = None
    """Every source of the snapshot if not named."""
    reviewers: ReviewerRule = "department_head"
    fallback_reviewer: str | None = None
    """Identity who reviews what nobody else can."""


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a plan would do. Nothing is recorded."""

    campaign_id: str
    """Made of the plan and its snapshot, so the same plan is the same campaign."""
    snapshot: Snapshot
    items: pl.DataFrame
    """Rows in review (``FACTS``); without a reviewer where nobody can review."""
    excluded: pl.DataFrame
    """Rows left out, each with its reason's code (``EXCLUDED``)."""
    reviewers: pl.DataFrame
    """reviewer_id, reviewer_name, department_name, items, flagged, changed, minutes."""
    candidates: list[dict[str, Any]]
    """Everybody to whom rows may be handed later."""
    tie_out: pl.DataFrame
    """Per source: accepted = in_review + excluded (``TIE_OUT``)."""
    policy_sha256: str
    problems: tuple[str, ...]
    """What forbids opening, a sentence each."""
    notes: tuple[str, ...]
    """What a manager should know before opening, a sentence each."""


def preview(
    settings: Settings, plan: Plan, *, language: Language = Language.ENGLISH
) -> Preview:
    """Work out what a plan would ask of whom, and account for every row.

    ``language`` is that of ``problems`` and ``notes``.

    Raises:
        SnapshotError: there is no such snapshot.
    """
    say = translator(language)
    snapshot = kept_open(settings, plan.snapshot_id)
    campaign_id = _campaign_id(plan, snapshot)
    people = People.of(snapshot, settings.time_zone)
    rows = report(
        snapshot, "review_items", has_prior=snapshot.manifest.prior is not None
    )
    rows = rows.with_columns(reason=_exclusion(plan))
    excluded = rows.filter(pl.col("reason").is_not_null()).select(*EXCLUDED)
    asked = route(
        rows.filter(pl.col("reason").is_null()).drop("reason"),
        people,
        plan.reviewers,
        plan.fallback_reviewer,
    )
    assessments = assess_all(settings, snapshot.snapshot_id)
    flags = flags_of(assessments)
    previous = _previous_decisions(settings, campaign_id)
    zone = ZoneInfo(settings.time_zone)
    items = []
    for row in asked.to_dicts():
        if row["change"] == "same" and row["changed_fields"]:
            row["change"] = "changed"
        about = flags.about(row)
        grant = (row["account_id"], row["entitlement_id"])
        decision, decided_in = previous.get(grant, (None, None))
        told = {
            "item_id": _item_id(campaign_id, *grant),
            "campaign_id": campaign_id,
            "position": 0,
            "risk": risk_of(about),
            "finding_ids": [flag.finding_id for flag in about],
            "reason_en": reason(row, about, Language.ENGLISH, zone),
            "reason_zh": reason(row, about, Language.CHINESE, zone),
            "previous_decision": decision,
            "previous_campaign_id": decided_in,
            "changed_fields": (
                row["changed_fields"] if row["change"] == "changed" else None
            ),
        }
        merged = row | told
        items.append({name: merged[name] for name in FACTS})
    items.sort(key=_urgency)
    for position, item in enumerate(items, 1):
        item["position"] = position
    frame = pl.DataFrame(items, schema=FACTS)
    tie_out = _tie_out(snapshot, frame, excluded)
    reviewers = _reviewers(frame, people)
    policies = {one.policy_sha256 for one in assessments.values()}
    return Preview(
        campaign_id=campaign_id,
        snapshot=snapshot,
        items=frame,
        excluded=excluded,
        reviewers=reviewers,
        candidates=_candidates(people, frame, plan),
        tie_out=tie_out,
        policy_sha256=next(iter(policies), ""),
        problems=tuple(_problems(plan, snapshot, people, frame, tie_out, say)),
        notes=tuple(_notes(reviewers, say)),
    )


def _campaign_id(plan: Plan, snapshot: Snapshot) -> str:
    told = {
        "title": plan.title,
        "due_on": plan.due_on.isoformat(),
        "snapshot_id": snapshot.snapshot_id,
        "sources": None if plan.sources is None else sorted(set(plan.sources)),
        "reviewers": plan.reviewers,
        "fallback_reviewer": plan.fallback_reviewer,
    }
    digest = hashlib.sha256(rfc8785.dumps(told)).hexdigest()
    return f"review-{snapshot.as_of:%Y-%m-%d}-{digest[:8]}"


def _item_id(campaign_id: str, account_id: str, entitlement_id: str | None) -> str:
    told = rfc8785.dumps([campaign_id, account_id, entitlement_id])
    return hashlib.sha256(told).hexdigest()[:24]


def _exclusion(plan: Plan) -> pl.Expr:
    """Return the code of why a row is left out; null for a row in review."""
    in_scope = (
        pl.lit(value=True)
        if plan.sources is None
        else pl.col("source").is_in(list(plan.sources))
    )
    is_disabled = pl.col("is_enabled").eq(other=False).fill_null(value=False)
    return (
        pl.when(~in_scope)
        .then(pl.lit("source_not_in_scope"))
        .when(pl.col("is_account_missing"))
        .then(pl.lit("account_missing"))
        .when(is_disabled & pl.col("entitlement_id").is_null())
        .then(pl.lit("disabled_without_access"))
        .when(is_disabled & pl.col("account_type").eq("builtin"))
        .then(pl.lit("builtin_disabled"))
    )


def _urgency(item: dict[str, Any]) -> tuple[Any, ...]:
    """Sort risky rows first, then changed ones, then as people read a list."""
    return (
        RISKS.index(item["risk"]),
        CHANGES.index(item["change"]),
        item["display_name"] or "",
        item["account_id"],
        item["entitlement_name"] or "",
        item["entitlement_id"] or "",
    )


def _previous_decisions(
    settings: Settings, campaign_id: str
) -> dict[tuple[str, str | None], tuple[str, str]]:
    """Return the newest decision on each grant in any other campaign."""
    query = (
        select(
            REVIEW_ITEMS.c.account_id,
            REVIEW_ITEMS.c.entitlement_id,
            DECISIONS.c.decision,
            DECISIONS.c.campaign_id,
        )
        .join(DECISIONS, DECISIONS.c.item_id == REVIEW_ITEMS.c.item_id)
        .join(CAMPAIGNS, CAMPAIGNS.c.campaign_id == DECISIONS.c.campaign_id)
        .where(
            DECISIONS.c.campaign_id != campaign_id,
            DECISIONS.c.decision != Decision.NOT_MINE.value,
        )
        .order_by(DECISIONS.c.event_seq)
    )
    with open_register(settings).read() as connection:
        return {
            (row.account_id, row.entitlement_id): (row.decision, row.campaign_id)
            for row in connection.execute(query)
        }


def _tie_out(
    snapshot: Snapshot, items: pl.DataFrame, excluded: pl.DataFrame
) -> pl.DataFrame:
    """Set the rows asked and left out against the population counted by itself."""
    counted = report(snapshot, "review_population")
    in_review = items.group_by("source").agg(in_review=pl.len())
    left_out = excluded.group_by("source").agg(excluded=pl.len())
    return (
        counted.join(in_review, "source", "full", coalesce=True)
        .join(left_out, "source", "full", coalesce=True)
        .with_columns(pl.col("accepted", "in_review", "excluded").fill_null(0))
        .select(pl.col(name).cast(kind) for name, kind in TIE_OUT.items())
        .sort("source")
    )


def _reviewers(items: pl.DataFrame, people: People) -> pl.DataFrame:
    flagged = pl.col("risk").is_in(sorted(FLAGGED))
    changed = pl.col("change").is_in(["new", "changed"])
    seconds = (
        pl.when(flagged)
        .then(SECONDS_FLAGGED)
        .when(changed)
        .then(SECONDS_CHANGED)
        .otherwise(SECONDS_PLAIN)
    )
    counted = (
        items.filter(pl.col("reviewer_id").is_not_null())
        .group_by("reviewer_id")
        .agg(
            items=pl.len().cast(pl.Int64),
            flagged=flagged.sum().cast(pl.Int64),
            changed=changed.sum().cast(pl.Int64),
            seconds=seconds.sum(),
        )
        .sort("items", "reviewer_id", descending=[True, False])
    )
    rows = []
    for row in counted.to_dicts():
        minutes = math.ceil(row.pop("seconds") / 60)
        reviewer = people.reviewer(row["reviewer_id"])
        del reviewer["email"]
        rows.append(reviewer | row | {"minutes": minutes})
    return pl.DataFrame(
        rows,
        schema={
            "reviewer_id": pl.String,
            "reviewer_name": pl.String,
            "department_name": pl.String,
            "items": pl.Int64,
            "flagged": pl.Int64,
            "changed": pl.Int64,
            "minutes": pl.Int64,
        },
    )


def _candidates(
    people: People, items: pl.DataFrame, plan: Plan
) -> list[dict[str, Any]]:
    known = {one["reviewer_id"]: one for one in people.candidates()}
    named = {*items["reviewer_id"].drop_nulls(), plan.fallback_reviewer} - {None}
    for identity_id in sorted(named):
        if people.can_review(identity_id):
            known.setdefault(identity_id, people.reviewer(identity_id))
    return list(known.values())


def _problems(
    plan: Plan,
    snapshot: Snapshot,
    people: People,
    items: pl.DataFrame,
    tie_out: pl.DataFrame,
    say: Translate,
) -> list[str]:
    problems = []
    told = report(snapshot, "sources")
    known = set(told["source"])
    wanted = known if plan.sources is None else set(plan.sources)
    if not plan.title.strip():
        problems.append(say("The review has no title."))
    for name in sorted(wanted - known):
        problems.append(
            say("The snapshot {snapshot} has no source called {source}.").format(
                snapshot=snapshot.snapshot_id, source=name
            )
        )
    for row in told.filter(pl.col("source").is_in(sorted(wanted))).to_dicts():
        if not row["is_balanced"]:
            problems.append(
                say(
                    "{source}: the rows read are not all accounted for, or are not the "
                    "total the source states; take the snapshot again."
                ).format(source=row["source"])
            )
    for row in tie_out.to_dicts():
        if row["accepted"] != row["in_review"] + row["excluded"]:
            problems.append(
                say(
                    "{source}: {accepted} rows accepted, but {in_review} in review and "
                    "{excluded} excluded."
                ).format(**row)
            )
    if items.is_empty():
        problems.append(say("There is nothing to review."))
    if plan.fallback_reviewer and not people.can_review(plan.fallback_reviewer):
        problems.append(
            say("The fallback reviewer {reviewer} does not work here.").format(
                reviewer=plan.fallback_reviewer
            )
        )
    alone = items.filter(pl.col("reviewer_id").is_null())
    if not alone.is_empty():
        accounts = alone["account_id"].unique(maintain_order=True).to_list()
        names = ", ".join(accounts[:_NAMED]) + (" …" if len(accounts) > _NAMED else "")
        problems.append(
            say(
                "{rows} rows of {accounts} accounts have nobody independent to review "
                "them ({names}); name a fallback reviewer, such as {example}."
            ).format(
                rows=alone.height,
                accounts=len(accounts),
                names=names,
                example=_example(people, alone),
            )
        )
    return problems


def _example(people: People, alone: pl.DataFrame) -> str:
    """Return somebody who could review all of these rows, as id and name."""
    owners = {*alone["identity_id"].drop_nulls()}
    for one in people.candidates():
        if one["reviewer_id"] not in owners:
            return f"{one['reviewer_id']} ({one['reviewer_name']})"
    return "—"


def _notes(reviewers: pl.DataFrame, say: Translate) -> list[str]:
    return [
        say(
            "{reviewer_name} would have {items} rows, about {minutes} minutes; split "
            "the review by source or name more reviewers."
        ).format(**row)
        for row in reviewers.filter(pl.col("items") > MANY_ROWS).to_dicts()
    ]
