"""Decisions and signatures: the rules hold here, whatever page or file they come from.

A decision and its audit event are one transaction. Several decisions given together
are recorded together or not at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import polars as pl
from sqlalchemy import Connection, Select, insert, select

from governance.app_roles import Actor, Permission
from governance.attestations.layout import DECISION_WORDS
from governance.attestations.problems import Problem
from governance.audit_trail import Event, record, record_all
from governance.campaigns.items import effective_decisions, items_of
from governance.campaigns.lifecycle import Campaign, campaign_of
from governance.campaigns.plan import DataType
from governance.campaigns.reasons import FLAGGED
from governance.language import translator
from governance.model import Decision, GovernanceError, Language
from governance.register import Register
from governance.register.tables import ATTESTATIONS, DECISIONS, REVIEW_ITEMS, REVIEWERS
from governance.schema import UTC_TIMESTAMP

Channel = Literal["page", "workbook"]
COMMENT_LIMIT = 2000

STATEMENT = (
    "I have reviewed the access listed for me in this campaign, row by row, against "
    "what each person needs for their work today. Access marked keep is needed; access "
    "marked revoke or change is to be withdrawn or changed."
)
"""What a reviewer signs. Its translation is in the workbook catalogue."""


class DecisionError(GovernanceError):
    """An answer was refused, and with it all that came together with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        told = " ".join(problem.sentence() for problem in self.problems[:3])
        more = len(self.problems) - 3
        super().__init__(told + (f" And {more} more." if more > 0 else ""))

    def sentence(self, language: Language) -> str:
        """Return what is wrong in one language."""
        return " ".join(problem.sentence(language) for problem in self.problems)


@dataclass(frozen=True, kw_only=True)
class ItemDecision:
    """What a reviewer says of one row."""

    item_id: str
    decision: Decision
    comment: str = ""
    keep_until: date | None = None
    version: int = 0
    """The row's ``version`` when the reviewer looked: 0 if it had no decision yet."""


@dataclass(frozen=True, kw_only=True)
class Decider:
    """The reviewer who answers, and whoever brings the answer in."""

    identity_id: str
    name: str
    recorded_by: Actor


def subject_of(row: Mapping[str, Any]) -> str:
    """Return how a sentence names a row."""
    holder = row["display_name"] or row["login"] or row["account_id"]
    what = f" > {row['entitlement_name']}" if row["entitlement_name"] else ""
    return f"{holder} ({row['source']}{what})"


def campaign_problem(campaign: Campaign, now: datetime) -> Problem | None:
    """Return why nothing can be decided in a campaign now, if so."""
    if not campaign.is_open:
        return Problem(code="CAMPAIGN_CLOSED")
    if campaign.is_overdue(now):
        due_on = campaign.due_on.isoformat()
        return Problem(code="CAMPAIGN_OVERDUE", values={"due_on": due_on})
    return None


def answer_problem(
    row: Mapping[str, Any], answer: ItemDecision, today: date
) -> Problem | None:
    """Return what is wrong with an answer to a row, if anything."""
    subject = {"subject": subject_of(row)}

    def problem(code: str, **values: Any) -> Problem:  # noqa: ANN401
        return Problem(code=code, values=subject | values, item_id=row["item_id"])

    until = answer.keep_until
    if answer.decision is Decision.KEEP_UNTIL and until is None:
        return problem("DATE_MISSING")
    if until is not None:
        if answer.decision is not Decision.KEEP_UNTIL:
            return problem("DATE_WITHOUT_DECISION")
        if until <= today:
            return problem("DATE_PAST", value=until.isoformat())
    if len(answer.comment) > COMMENT_LIMIT:
        return problem("COMMENT_TOO_LONG", limit=COMMENT_LIMIT)
    stays = answer.decision in (Decision.KEEP, Decision.KEEP_UNTIL)
    needs_reason = (
        stays and row["risk"] in FLAGGED
    ) or answer.decision is Decision.CHANGE
    if needs_reason and not answer.comment.strip():
        return problem("REASON_MISSING")
    return None


def is_same(row: Mapping[str, Any], answer: ItemDecision) -> bool:
    """Return whether an answer says what is already in force."""
    return (row["decision"], row["comment"] or "", row["keep_until"]) == (
        answer.decision.value,
        answer.comment.strip(),
        answer.keep_until,
    )


def conflict(row: Mapping[str, Any]) -> Problem:
    """Return the problem of a row decided meanwhile."""
    at = row["decided_at"]
    return Problem(
        code="ALREADY_DECIDED",
        item_id=row["item_id"],
        values={
            "subject": subject_of(row),
            "decision": DECISION_WORDS[row["decision"]] if row["decision"] else "—",
            "at": "—" if at is None else f"{at:%Y-%m-%d %H:%M} UTC",
        },
    )


def decide(
    register: Register,
    actor: Actor,
    campaign_id: str,
    decisions: Sequence[ItemDecision],
    channel: Channel,
    now: datetime,
    *,
    return_id: str | None = None,
) -> int:
    """Record a reviewer's own decisions; return how many changed something.

    An answer equal to the one in force records nothing again.

    Raises:
        NotAllowedError: the actor may not decide review items.
        CampaignError: there is no such campaign.
        DecisionError: the campaign is closed or over, or an answer breaks a rule: not
            the actor's row, their own access, decided meanwhile, a reason or a date
            missing. Nothing is recorded.
    """
    actor.must(Permission.DECIDE_REVIEW_ITEMS)
    decider = decider_of(actor)
    with register.write() as connection:
        return record_decisions(
            connection, decider, campaign_id, decisions, channel, now, return_id
        )


def decider_of(actor: Actor) -> Decider:
    """Return an actor who answers for themself.

    Raises:
        DecisionError: the app does not know which person the actor is.
    """
    if actor.identity_id is None:
        raise DecisionError(
            [Problem(code="NOT_YOURS", values={"subject": "This review"})]
        )
    return Decider(identity_id=actor.identity_id, name=actor.name, recorded_by=actor)


def record_decisions(
    connection: Connection,
    decider: Decider,
    campaign_id: str,
    decisions: Sequence[ItemDecision],
    channel: Channel,
    now: datetime,
    return_id: str | None,
) -> int:
    """Check every answer against the rules and record them all, with their events."""
    campaign = campaign_of(connection, campaign_id)
    if closed := campaign_problem(campaign, now):
        raise DecisionError([closed])
    own = {
        row["item_id"]: row
        for row in items_of(connection, campaign_id, reviewer_id=decider.identity_id)
    }
    today = campaign.today(now)
    problems, accepted = [], []
    for answer in {one.item_id: one for one in decisions}.values():
        row = own.get(answer.item_id)
        if row is None:
            problems.append(_foreign(connection, campaign_id, answer.item_id))
        elif row["identity_id"] in (decider.identity_id, _uploader(decider)):
            problems.append(
                Problem(
                    code="SELF_REVIEW",
                    values={"subject": subject_of(row)},
                    item_id=row["item_id"],
                )
            )
        elif problem := answer_problem(row, answer, today):
            problems.append(problem)
        elif is_same(row, answer):
            continue
        elif row["version"] != answer.version:
            problems.append(conflict(row))
        else:
            accepted.append((row, answer))
    if problems:
        raise DecisionError(problems)
    _write(connection, decider, accepted, channel, now, return_id)
    return len(accepted)


def _uploader(decider: Decider) -> str:
    """Return who brings the answers in; never null, as an unowned row's owner is."""
    return decider.recorded_by.identity_id or decider.identity_id


def _foreign(connection: Connection, campaign_id: str, item_id: str) -> Problem:
    query = select(REVIEW_ITEMS).where(
        REVIEW_ITEMS.c.campaign_id == campaign_id, REVIEW_ITEMS.c.item_id == item_id
    )
    is_known = connection.execute(query).one_or_none() is not None
    # A foreign row is not named: whose access it is is not the asker's to know.
    return Problem(
        code="NOT_YOURS" if is_known else "NO_SUCH_ROW",
        values={"subject": item_id},
        item_id=item_id,
    )


def _write(
    connection: Connection,
    decider: Decider,
    accepted: list[tuple[dict[str, Any], ItemDecision]],
    channel: Channel,
    now: datetime,
    return_id: str | None,
) -> None:
    if not accepted:
        return
    by = decider.recorded_by
    told = [
        {
            "item_id": row["item_id"],
            "version": row["version"] + 1,
            "campaign_id": row["campaign_id"],
            "decision": answer.decision.value,
            "comment": answer.comment.strip(),
            "keep_until": answer.keep_until,
            "decided_at": now,
            "decided_by": decider.identity_id,
            "decided_by_name": decider.name,
            "recorded_by": by.actor_id,
            "recorded_by_name": by.name,
            "channel": channel,
            "return_id": return_id,
            "batch_size": len(accepted),
        }
        for row, answer in accepted
    ]
    seqs = record_all(
        connection,
        actor=by,
        events=[
            Event(
                action="decision.record",
                subject=one["campaign_id"],
                details={
                    name: value
                    for name, value in one.items()
                    if name not in ("campaign_id", "decided_at")
                },
            )
            for one in told
        ],
        now=now,
    )
    rows = [one | {"event_seq": seq} for one, seq in zip(told, seqs, strict=True)]
    connection.execute(insert(DECISIONS), rows)


# Signing ------------------------------------------------------------------------------


def attest(
    register: Register,
    actor: Actor,
    campaign_id: str,
    now: datetime,
    statement_language: Language = Language.ENGLISH,
) -> int:
    """Sign for all one has decided; return the number of rows signed.

    A decision changed later is not covered and has to be signed for again.

    Raises:
        NotAllowedError: the actor may not decide review items.
        DecisionError: the campaign is closed or over, a row is undecided, or there is
            nothing of the actor's to sign. "Not mine" does not stand in the way: the
            row goes back to the security manager.
    """
    actor.must(Permission.DECIDE_REVIEW_ITEMS)
    decider = decider_of(actor)
    with register.write() as connection:
        return sign(
            connection, decider, campaign_id, now, statement_language, decider.name
        )


def sign(
    connection: Connection,
    decider: Decider,
    campaign_id: str,
    now: datetime,
    language: Language,
    signed_name: str,
    return_id: str | None = None,
) -> int:
    """Record a signature over the reviewer's answers in force."""
    campaign = campaign_of(connection, campaign_id)
    if closed := campaign_problem(campaign, now):
        raise DecisionError([closed])
    own = items_of(connection, campaign_id, reviewer_id=decider.identity_id)
    undecided = sum(row["decision"] is None for row in own)
    if undecided:
        values = {"n": undecided}
        raise DecisionError([Problem(code="SIGN_OFF_INCOMPLETE", values=values)])
    signed = [row for row in own if row["decision"] != Decision.NOT_MINE]
    if not signed:
        raise DecisionError([Problem(code="NOTHING_TO_SIGN")])
    counts = {
        decision.value: sum(row["decision"] == decision for row in own)
        for decision in Decision
    }
    told = {
        "reviewer_id": decider.identity_id,
        "signed_name": signed_name,
        "statement": translator(language)(STATEMENT),
        "language": language.value,
        "counts": counts,
        "decisions_sha256": effective_decisions(own),
        "return_id": return_id,
    }
    by = decider.recorded_by
    seq = record(
        connection,
        actor=by,
        action="attestation.sign",
        subject=campaign_id,
        details=told | {"reviewer_name": decider.name},
        now=now,
    )
    row = told | {
        "campaign_id": campaign_id,
        "event_seq": seq,
        "attested_at": now,
        "recorded_by": by.actor_id,
        "recorded_by_name": by.name,
    }
    connection.execute(insert(ATTESTATIONS), [row])
    return len(signed)


# Reading ------------------------------------------------------------------------------

_HISTORY: dict[str, DataType] = {
    "item_id": pl.String,
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
    "event_seq": pl.Int64,
}
_ATTESTATIONS: dict[str, DataType] = {
    "reviewer_id": pl.String,
    "reviewer_name": pl.String,
    "signed_name": pl.String,
    "statement": pl.String,
    "language": pl.String,
    "attested_at": UTC_TIMESTAMP,
    "recorded_by": pl.String,
    "recorded_by_name": pl.String,
    "return_id": pl.String,
    "counts": pl.Struct(dict.fromkeys([one.value for one in Decision], pl.Int64)),
    "decisions_sha256": pl.String,
    "event_seq": pl.Int64,
}


def history(
    register: Register, campaign_id: str, *, item_id: str | None = None
) -> pl.DataFrame:
    """Return every decision ever recorded in a campaign, in order, of a row or all."""
    query = select(DECISIONS).where(DECISIONS.c.campaign_id == campaign_id)
    if item_id is not None:
        query = query.where(DECISIONS.c.item_id == item_id)
    return _frame(register, query.order_by(DECISIONS.c.event_seq), _HISTORY)


def attestations(register: Register, campaign_id: str) -> pl.DataFrame:
    """Return every signature in a campaign, in order."""
    query = (
        select(ATTESTATIONS, REVIEWERS.c.reviewer_name)
        .join(
            REVIEWERS,
            (REVIEWERS.c.campaign_id == ATTESTATIONS.c.campaign_id)
            & (REVIEWERS.c.reviewer_id == ATTESTATIONS.c.reviewer_id),
        )
        .where(ATTESTATIONS.c.campaign_id == campaign_id)
        .order_by(ATTESTATIONS.c.event_seq)
    )
    return _frame(register, query, _ATTESTATIONS)


def _frame(
    register: Register,
    query: Select[Any],
    schema: dict[str, DataType],
) -> pl.DataFrame:
    with register.read() as connection:
        found = connection.execute(query).mappings()
        rows = [{name: row[name] for name in schema} for row in found]
    return pl.DataFrame(rows, schema=schema)
