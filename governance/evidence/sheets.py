"""The rows of each sheet of the evidence, before any file format.

Nothing is computed here that the rows themselves do not show: a figure on the cover is
the number of rows of the sheet it names.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from governance import campaigns
from governance.assessments import Assessment, findings
from governance.audit_trail import events
from governance.campaigns import Campaign
from governance.model import Decision, Language, Status
from governance.policy import Policy
from governance.register import Register
from governance.rejections import in_words
from governance.reports import report
from governance.scope import Scope
from governance.snapshots import Snapshot

Say = Callable[[str], str]
"""Translate a text of this package."""

EVERYTHING = Scope(None)
_TRAIL_AT_MOST = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One table of the evidence."""

    id: str
    title: str
    intro: str
    rows: pl.DataFrame
    headers: Mapping[str, str] = field(default_factory=dict)
    """Column → what its head says; columns not named are left out."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What the evidence is about."""

    register: Register
    campaign: Campaign
    snapshot: Snapshot
    assessments: Mapping[str, Assessment]
    policy: Policy
    language: Language


def all_sheets(subject: Subject, say: Say) -> list[Sheet]:
    """Return every sheet but the cover, in reading order."""
    items = campaigns.items(subject.register, subject.campaign.campaign_id)
    sheets = [
        _sources(subject, say),
        _tie_outs(subject, say),
        _rejected(subject, say),
        _scope(subject, say, items),
        _excluded(subject, say),
        _items(subject, say, items),
        _undecided(say, items),
        _reviewers(subject, say),
        _controls(subject, say),
        _findings(subject, say),
        _rules(subject, say),
        _thresholds(subject, say),
        _trail(subject, say),
    ]
    return [replace(sheet, rows=_in_words(sheet.rows, say)) for sheet in sheets]


_WORDED = (
    "severity",
    "risk",
    "change",
    "decision",
    "previous_decision",
    "channel",
    "account_type",
    "employment_status",
    "mfa_state",
    "completeness",
)
"""Columns whose values are words of ours, and so are told in the reader's language."""


def _in_words(rows: pl.DataFrame, say: Say) -> pl.DataFrame:
    words = {
        "critical": say("critical"),
        "high": say("high"),
        "medium": say("medium"),
        "low": say("low"),
        "none": say("none"),
        "new": say("new"),
        "changed": say("changed"),
        "same": say("same"),
        "first_review": say("first review"),
        "keep": say("keep"),
        "revoke": say("revoke"),
        "change": say("change"),
        "keep_until": say("keep until"),
        "not_mine": say("not mine"),
        "page": say("page"),
        "workbook": say("workbook"),
        "person": say("person"),
        "shared": say("shared"),
        "service": say("service"),
        "guest": say("guest"),
        "builtin": say("built in"),
        "unknown": say("unknown"),
        "active": say("active"),
        "on_leave": say("on leave"),
        "notice": say("notice given"),
        "left": say("left"),
        "pending": say("pending"),
        "enabled": say("enabled"),
        "disabled": say("disabled"),
        "full": say("full"),
        "scoped": say("scoped"),
    }
    worded = [name for name in _WORDED if name in rows.columns]
    rows = rows.with_columns(pl.col(pl.List(pl.String)).list.join(", "))
    return rows.with_columns(
        pl.col(name).cast(pl.String).replace(words) for name in worded
    )


def _sources(subject: Subject, say: Say) -> Sheet:
    return Sheet(
        id="sources",
        title=say("Sources"),
        intro=say("Where the population comes from: one row for each source system."),
        rows=report(subject.snapshot, "sources"),
        headers={
            "source": say("Source"),
            "title": say("System"),
            "connector": say("Connector"),
            "method": say("Method"),
            "parameters": say("Parameters"),
            "operator": say("Operator of the extract"),
            "extracted_at": say("Extracted at (UTC)"),
            "completeness": say("Completeness"),
            "rows_read": say("Rows read"),
            "rows_accepted": say("Accepted"),
            "rows_rejected": say("Rejected"),
            "rows_duplicate": say("Duplicate"),
            "is_balanced": say("Ties out"),
            "notes": say("What the source cannot tell"),
        },
    )


def _tie_outs(subject: Subject, say: Say) -> Sheet:
    return Sheet(
        id="tie_out",
        title=say("Population tie-out"),
        intro=say("Read = accepted + rejected + duplicate, for every file and table."),
        rows=report(subject.snapshot, "tie_outs"),
        headers={
            "source": say("Source"),
            "table_name": say("Table"),
            "file": say("File"),
            "sha256": say("SHA-256 of the file"),
            "encoding": say("Encoding"),
            "stated": say("Stated by the source"),
            "read": say("Rows read"),
            "accepted": say("Accepted"),
            "rejected": say("Rejected"),
            "duplicate": say("Duplicate"),
            "is_balanced": say("Ties out"),
        },
    )


def _rejected(subject: Subject, say: Say) -> Sheet:
    return Sheet(
        id="rejected",
        title=say("Rejected rows"),
        intro=say("Every row that was read and not taken in, with the reason."),
        rows=in_words(report(subject.snapshot, "rejected_rows"), subject.language),
        headers={
            "source": say("Source"),
            "file": say("File"),
            "table_name": say("Table"),
            "row": say("Row"),
            "column": say("Column"),
            "value": say("Value"),
            "reason": say("Reason"),
        },
    )


def _scope(subject: Subject, say: Say, items: pl.DataFrame) -> Sheet:
    excluded = campaigns.excluded(subject.register, subject.campaign.campaign_id)
    reviewed = items.group_by("source").agg(in_review=pl.len())
    left_out = excluded.group_by("source").agg(excluded=pl.len())
    rows = (
        reviewed.join(left_out, "source", "full", coalesce=True)
        .with_columns(pl.col("in_review", "excluded").fill_null(0).cast(pl.Int64))
        .with_columns(accepted=pl.col("in_review") + pl.col("excluded"))
        .sort("source")
    )
    return Sheet(
        id="scope",
        title=say("Scope"),
        intro=say("Accepted = in review + excluded. Excluded rows are listed next."),
        rows=rows,
        headers={
            "source": say("Source"),
            "accepted": say("Accepted"),
            "in_review": say("In review"),
            "excluded": say("Excluded"),
        },
    )


def _excluded(subject: Subject, say: Say) -> Sheet:
    return Sheet(
        id="excluded",
        title=say("Excluded"),
        intro=say("Access that was left out of the review, each with its reason."),
        rows=campaigns.excluded(subject.register, subject.campaign.campaign_id),
        headers={
            "source": say("Source"),
            "account_id": say("Account"),
            "entitlement_id": say("Role"),
            "reason": say("Reason"),
        },
    )


def _items(subject: Subject, say: Say, items: pl.DataFrame) -> Sheet:
    chinese = subject.language is Language.CHINESE
    return Sheet(
        id="review",
        title=say("Review"),
        intro=say("Every row as the reviewer saw it, and what they decided."),
        rows=items,
        headers={
            "item_id": say("Row id"),
            "reviewer_name": say("Reviewer"),
            "reviewer_id": say("Reviewer id"),
            "why_reviewer": say("Why this reviewer"),
            "source": say("Source"),
            "account_id": say("Account"),
            "login": say("Login"),
            "display_name": say("Name"),
            "identity_id": say("Person"),
            "match_rule": say("Matched by"),
            "department_name": say("Department"),
            "job_title": say("Title"),
            "employment_status": say("Employment"),
            "end_date": say("Last day"),
            "account_type": say("Account type"),
            "is_enabled": say("Enabled"),
            "mfa_state": say("2FA"),
            "last_login_at": say("Last login (UTC)"),
            "entitlement_name": say("Role"),
            "entitlement_description": say("Meaning"),
            "is_privileged": say("Privileged"),
            "abilities": say("Abilities"),
            "change": say("What changed"),
            "changed_fields": say("Changed fields"),
            "risk": say("Risk"),
            "reason_zh" if chinese else "reason_en": say("Reason"),
            "finding_ids": say("Findings"),
            "previous_decision": say("Decision before"),
            "decision": say("Decision"),
            "keep_until": say("Keep until"),
            "comment": say("Comment"),
            "decided_by": say("Decided by"),
            "decided_at": say("Decided at (UTC)"),
            "channel": say("Channel"),
        },
    )


def undecided_rows(items: pl.DataFrame) -> pl.DataFrame:
    """Return the rows nobody decided; "not mine" is an answer but no decision."""
    return items.filter(
        pl.col("decision").is_null() | (pl.col("decision") == Decision.NOT_MINE)
    )


def _undecided(say: Say, items: pl.DataFrame) -> Sheet:
    return Sheet(
        id="undecided",
        title=say("Undecided"),
        intro=say("Rows without a decision, by name. Nothing was decided by default."),
        rows=undecided_rows(items),
        headers={
            "item_id": say("Row id"),
            "reviewer_name": say("Reviewer"),
            "source": say("Source"),
            "account_id": say("Account"),
            "display_name": say("Name"),
            "entitlement_name": say("Role"),
            "risk": say("Risk"),
            "decision": say("Decision"),
        },
    )


def _reviewers(subject: Subject, say: Say) -> Sheet:
    return Sheet(
        id="sign_offs",
        title=say("Sign-offs"),
        intro=say("Each reviewer, what they decided, and when they signed for it."),
        rows=campaigns.status(subject.register, subject.campaign.campaign_id),
        headers={
            "reviewer_id": say("Reviewer id"),
            "reviewer_name": say("Reviewer"),
            "department_name": say("Department"),
            "items": say("Rows"),
            "decided": say("Decided"),
            "undecided": say("Undecided"),
            "not_mine": say("Not mine"),
            "keep": say("Keep"),
            "revoke": say("Revoke"),
            "change": say("Change"),
            "keep_until": say("Keep until"),
            "attested_at": say("Signed at (UTC)"),
            "statement": say("Statement"),
            "decisions_sha256": say("SHA-256 of the decisions"),
        },
    )


def _controls(subject: Subject, say: Say) -> Sheet:
    rows = [
        {
            "control": control,
            "check": check_id,
            "title": assessment.check.title[subject.language],
            "tested": assessment.count(),
            "failed": assessment.count(Status.FAIL),
            "unknown": assessment.count(Status.UNKNOWN),
            "passed": assessment.count(Status.PASS),
        }
        for check_id, assessment in subject.assessments.items()
        for control in assessment.check.controls
    ]
    return Sheet(
        id="controls",
        title=say("Findings by control"),
        intro=say(
            "Which control each check maps to, in our reading; an auditor decides."
        ),
        rows=pl.DataFrame(rows).sort("control", "check"),
        headers={
            "control": say("Maps to"),
            "check": say("Check"),
            "title": say("Title"),
            "tested": say("Tested"),
            "failed": say("Failed"),
            "unknown": say("Unknown"),
            "passed": say("Passed"),
        },
    )


def _findings(subject: Subject, say: Say) -> Sheet:
    found = findings(subject.assessments, EVERYTHING)
    sentences = [
        subject.assessments[check_id].check.explain(json.loads(row), subject.language)
        for check_id, row in found.select("check_id", "row").iter_rows()
    ]
    return Sheet(
        id="findings",
        title=say("Findings"),
        intro=say("Every subject that failed a check, with the reason in words."),
        rows=found.with_columns(sentence=pl.Series(sentences, dtype=pl.String)),
        headers={
            "finding_id": say("Finding"),
            "severity": say("Severity"),
            "check_id": say("Check"),
            "source": say("Source"),
            "account_id": say("Account"),
            "identity_id": say("Person"),
            "display_name": say("Name"),
            "sentence": say("Reason"),
        },
    )


def _rules(subject: Subject, say: Say) -> Sheet:
    rows = [
        {
            "check": check_id,
            "title": assessment.check.title[subject.language],
            "question": assessment.check.question[subject.language],
            "severity": assessment.check.severity.value,
            "controls": ", ".join(assessment.check.controls),
            "sha256": assessment.check.sha256,
            "query": assessment.check.sql.strip(),
        }
        for check_id, assessment in subject.assessments.items()
    ]
    return Sheet(
        id="rules",
        title=say("Rules"),
        intro=say("The question of each check, its query, and the digest of its file."),
        rows=pl.DataFrame(rows),
        headers={
            "check": say("Check"),
            "title": say("Title"),
            "question": say("Question"),
            "severity": say("Severity"),
            "controls": say("Maps to"),
            "sha256": say("SHA-256 of the file"),
            "query": say("Query"),
        },
    )


def _thresholds(subject: Subject, say: Say) -> Sheet:
    rows = [
        {"name": name, "value": _threshold(value)}
        for name, value in sorted(subject.policy.thresholds.items())
    ]
    return Sheet(
        id="thresholds",
        title=say("Thresholds"),
        intro=f"{say('SHA-256 of the policy')}: {subject.policy.sha256}",
        rows=pl.DataFrame(rows, schema={"name": pl.String, "value": pl.String}),
        headers={"name": say("Threshold"), "value": say("Value")},
    )


def _threshold(value: object) -> str:
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return str(value)


def _trail(subject: Subject, say: Say) -> Sheet:
    rows = events(
        subject.register,
        limit=_TRAIL_AT_MOST,
        offset=0,
        subject=subject.campaign.campaign_id,
    )
    return Sheet(
        id="audit_trail",
        title=say("Audit trail"),
        intro=say(
            "Who did what in this campaign, each event chained to the one before."
        ),
        rows=rows.sort("seq"),
        headers={
            "seq": say("Number"),
            "at": say("At (UTC)"),
            "actor_id": say("Actor id"),
            "actor_name": say("Actor"),
            "action": say("Action"),
            "subject": say("Subject"),
            "details": say("Details"),
            "chain": say("Chain"),
        },
    )
