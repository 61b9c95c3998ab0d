"""Returned workbooks: checked against what was issued, previewed, then recorded.

Nothing is recorded by bringing a file in. Its preview shows exactly what confirming
records; one problem anywhere and nothing of the file can be recorded.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, insert, select

from governance.app_roles import Actor, NotAllowedError, Permission
from governance.attestations.decisions import (
    STATEMENT,
    Decider,
    ItemDecision,
    answer_problem,
    campaign_problem,
    conflict,
    is_same,
    record_decisions,
    sign,
    subject_of,
)
from governance.attestations.files import SIZE_LIMIT, Sheet, cells_of, look
from governance.attestations.keys import campaign_key, is_tag
from governance.attestations.layout import (
    ANSWER_COLUMNS,
    COMMENT,
    DECISION,
    FACT_COLUMNS,
    FIRST_ROW,
    HEADER_LABELS,
    ITEM,
    MACHINE_CELLS,
    MARKER,
    REVIEW,
    SIGN_CELLS,
    SIGN_OFF,
    TAG,
    UNTIL,
    VERSION,
    Header,
    date_of,
    decision_of,
    facts_of,
    header_of,
    is_yes,
    row_told,
    shown,
)
from governance.attestations.problems import Problem
from governance.attestations.workbook import newest_issue
from governance.audit_trail import record
from governance.campaigns.items import items_of
from governance.campaigns.lifecycle import Campaign, CampaignError, campaign_of
from governance.campaigns.plan import DataType
from governance.language import translator
from governance.model import Decision, GovernanceError, Language
from governance.register import Register
from governance.register.tables import CONFIRMATIONS, RETURNS, REVIEWERS
from governance.schema import UTC_TIMESTAMP
from governance.settings import Settings

OUTCOMES = ("record", "same", "blank", "conflict", "not_yours")
"""What confirming does with a row: record the answer; nothing, as it is in force
already; nothing, as there is none; nothing, as another decision stands; nothing, as
the row was handed to another reviewer."""
PREVIEW: dict[str, DataType] = {
    "item_id": pl.String,
    "row": pl.Int64,
    "source": pl.String,
    "login": pl.String,
    "display_name": pl.String,
    "entitlement_name": pl.String,
    "risk": pl.String,
    "decision_before": pl.String,
    "decision": pl.String,
    "keep_until": pl.Date,
    "comment": pl.String,
    "outcome": pl.String,
    "version": pl.Int64,
}
"""Columns of a preview, in the order of the returned sheet. Key item_id."""
_CELL_OF = {
    "DATE_MISSING": UNTIL,
    "DATE_PAST": UNTIL,
    "DATE_WITHOUT_DECISION": UNTIL,
    "REASON_MISSING": COMMENT,
    "COMMENT_TOO_LONG": COMMENT,
}
_NAMED = 5
_PROBLEMS_KEPT = 200


class ReturnError(GovernanceError):
    """A returned workbook cannot be recorded."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(problem.sentence() for problem in self.problems[:3]))


@dataclass(frozen=True, kw_only=True)
class Return:
    """A workbook that came back, and what confirming it records."""

    return_id: str
    file_name: str
    sha256: str
    size: int
    campaign_id: str | None
    """Null for a file that is no workbook of ours."""
    reviewer_id: str | None
    reviewer_name: str | None
    version: int | None
    problems: tuple[Problem, ...]
    """Why it cannot be recorded; empty when it can."""
    notices: tuple[Problem, ...]
    """What is left out though the rest can be recorded."""
    preview: pl.DataFrame
    """``PREVIEW``: every row, and what confirming does with it."""
    counts: Mapping[str, int]
    """Decision → rows to record; ``undecided``, ``unchanged``, ``left_out`` → rows."""
    signs: bool
    """Whether confirming also signs for the reviewer."""
    signed_name: str
    received_at: datetime
    received_by: str
    received_by_name: str
    confirmed_at: datetime | None
    confirmed_by_name: str | None

    @property
    def can_be_confirmed(self) -> bool:
        """Return whether it can be recorded and has not been."""
        return not self.problems and self.confirmed_at is None


@dataclass
class _Check:
    """What is found out about one file, step by step."""

    problems: list[Problem] = field(default_factory=list)
    notices: list[Problem] = field(default_factory=list)
    campaign_id: str | None = None
    reviewer_id: str | None = None
    version: int | None = None
    preview: list[dict[str, Any]] = field(default_factory=list)
    signs: bool = False
    signed_name: str = ""
    language: Language = Language.ENGLISH

    def add(
        self,
        code: str,
        cell: str | None = None,
        item_id: str | None = None,
        **values: Any,  # noqa: ANN401
    ) -> None:
        """Note a problem that forbids recording."""
        self.problems.append(
            Problem(code=code, cell=cell, values=values, item_id=item_id)
        )


def receive(
    register: Register,
    settings: Settings,
    actor: Actor,
    file_name: str,
    content: bytes,
    now: datetime,
) -> Return:
    """Check a returned file and keep it byte for byte; record no decision.

    The sender is the actor, whatever the file says of itself. ``file_name`` is kept as
    a text and used as nothing else.

    Raises:
        NotAllowedError: the actor neither decides review items nor returns workbooks
            for others.
    """
    if not actor.may(Permission.RETURN_FOR_OTHERS):
        actor.must(Permission.DECIDE_REVIEW_ITEMS)
    sha256 = hashlib.sha256(content).hexdigest()
    check = _Check()
    sheets: list[Sheet] = []
    if problem := look(content):
        check.problems.append(problem)
    else:
        read = cells_of(content)
        if isinstance(read, Problem):
            check.problems.append(read)
        else:
            sheets = read
    with register.write() as connection:
        if sheets:
            _check_file(connection, settings, actor, check, sheets, sha256, now)
        row = _kept(connection, actor, check, file_name, content, sha256, now)
        connection.execute(insert(RETURNS), [row])
        return _return_of(connection, row)


def _kept(
    connection: Connection,
    actor: Actor,
    check: _Check,
    file_name: str,
    content: bytes,
    sha256: str,
    now: datetime,
) -> dict[str, Any]:
    """Record that a file came back; return its row of the register."""
    problems = check.problems[:_PROBLEMS_KEPT]
    is_ours = check.campaign_id is not None
    name = shown(file_name)[:200]
    seq = record(
        connection,
        actor=actor,
        action="return.receive",
        subject=check.campaign_id or f"file:{sha256[:16]}",
        details={
            "file_name": name,
            "sha256": sha256,
            "size": len(content),
            "reviewer_id": check.reviewer_id,
            "version": check.version,
            "problems": sorted({problem.code for problem in problems}),
            "notices": sorted({notice.code for notice in check.notices}),
        },
        now=now,
    )
    return {
        "return_id": f"return-{seq}",
        "file_name": name,
        "sha256": sha256,
        "size": len(content),
        "content": content if is_ours and len(content) <= SIZE_LIMIT else None,
        "campaign_id": check.campaign_id,
        "reviewer_id": check.reviewer_id,
        "version": check.version,
        "problems": {
            "problems": [problem.to_json() for problem in problems],
            "notices": [notice.to_json() for notice in check.notices],
        },
        "answers": [] if problems else [_plain(one) for one in check.preview],
        "sign_off": {
            "signs": check.signs and not problems,
            "name": check.signed_name,
            "language": check.language.value,
        },
        "received_at": now,
        "received_by": actor.actor_id,
        "received_by_name": actor.name,
        "event_seq": seq,
    }


def _plain(one: dict[str, Any]) -> dict[str, Any]:
    until = one["keep_until"]
    return one | {"keep_until": None if until is None else until.isoformat()}


# Checking -----------------------------------------------------------------------------


def _check_file(
    connection: Connection,
    settings: Settings,
    actor: Actor,
    check: _Check,
    sheets: list[Sheet],
    sha256: str,
    now: datetime,
) -> None:
    """Compare a file with what was issued, from the header inwards."""
    review = _sheet(sheets, REVIEW)
    if review is None:
        is_renamed = any(
            one.at(MACHINE_CELLS["marker"]).raw == MARKER for one in sheets
        )
        if is_renamed:
            check.add("WB_TAMPERED", detail="a sheet was renamed")
        else:
            check.add("NOT_A_WORKBOOK", detail="it has no sheet Review")
        return
    campaign = _check_header(connection, settings, check, review)
    if campaign is None:
        return
    if not _check_standing(connection, actor, check, campaign, sha256, now):
        return
    header_tag = review.at(MACHINE_CELLS["tag"]).raw
    key = campaign_key(settings, campaign.campaign_id)
    own = {
        row["item_id"]: row
        for row in items_of(
            connection, campaign.campaign_id, reviewer_id=check.reviewer_id, ever=True
        )
    }
    found = _check_rows(check, review, key, header_tag, own)
    _check_row_set(connection, check, found, own)
    if check.problems:
        return
    today = campaign.today(now)
    for item_id, line in found.items():
        _check_answer(check, review, line, own[item_id], actor, today)
    _check_sign_off(check, sheets, own)


def _sheet(sheets: list[Sheet], title: str) -> Sheet | None:
    titles = {translator(language)(title) for language in Language}
    return next((one for one in sheets if one.title in titles), None)


def _check_header(
    connection: Connection, settings: Settings, check: _Check, review: Sheet
) -> Campaign | None:
    """Return the campaign a workbook belongs to, once its header proves to be ours."""
    told = {name: review.at(place) for name, place in MACHINE_CELLS.items()}
    if told["marker"].raw != MARKER:
        check.add("NOT_A_WORKBOOK", detail="it has no sheet Review")
        return None
    for name, cell in told.items():
        if cell.kind == "f":
            check.add("FORMULA", _place(review, MACHINE_CELLS[name]))
    if check.problems:
        return None
    try:
        campaign = campaign_of(connection, told["campaign_id"].raw)
    except CampaignError:
        check.add("UNKNOWN_CAMPAIGN", _place(review, MACHINE_CELLS["campaign_id"]))
        return None
    try:
        header = Header(
            campaign_id=campaign.campaign_id,
            reviewer_id=told["reviewer_id"].raw,
            version=int(told["version"].raw),
            rows=int(told["rows"].raw),
            rows_sha256=told["rows_sha256"].raw,
            language=Language(told["language"].raw),
            title=review.cell("A", 1).text,
            values={row: review.cell("D", row).text for row in HEADER_LABELS},
        )
    except ValueError:
        check.add("WB_TAMPERED", detail="its header")
        return None
    key = campaign_key(settings, campaign.campaign_id)
    if not is_tag(key, header.told(), told["tag"].raw):
        check.add(
            "WB_TAMPERED",
            _changed_header(connection, review, campaign, header),
            detail="its header",
        )
        return None
    check.campaign_id = campaign.campaign_id
    check.reviewer_id, check.version = header.reviewer_id, header.version
    check.language = header.language
    say = translator(header.language)
    for column, title in (FACT_COLUMNS | ANSWER_COLUMNS).items():
        if review.cell(column, FIRST_ROW - 1).text != shown(say(title)):
            place = _place(review, f"{column}{FIRST_ROW - 1}")
            check.add("WB_TAMPERED", place, detail="a column title")
    return campaign


def _changed_header(
    connection: Connection, review: Sheet, campaign: Campaign, header: Header
) -> str | None:
    """Return the first visible header cell that is not as it was written."""
    query = select(REVIEWERS.c.reviewer_name).where(
        REVIEWERS.c.campaign_id == campaign.campaign_id,
        REVIEWERS.c.reviewer_id == header.reviewer_id,
    )
    name = connection.execute(query).scalar_one_or_none()
    written = header_of(
        campaign,
        header.reviewer_id,
        name or "",
        header.version,
        header.rows,
        header.rows_sha256,
        header.language,
    )
    if written.title != header.title:
        return _place(review, "A1")
    for row, value in written.values.items():
        if header.values[row] != value:
            return _place(review, f"D{row}")
    return _place(review, MACHINE_CELLS["tag"])


def _place(sheet: Sheet, cell: str) -> str:
    return f"{sheet.title}!{cell}"


def _check_standing(
    connection: Connection,
    actor: Actor,
    check: _Check,
    campaign: Campaign,
    sha256: str,
    now: datetime,
) -> bool:
    """Check who brings it, and whether it may still count; return whether to go on."""
    reviewer_id = check.reviewer_id or ""
    if actor.identity_id != reviewer_id and not actor.may(Permission.RETURN_FOR_OTHERS):
        query = select(REVIEWERS.c.reviewer_name).where(
            REVIEWERS.c.campaign_id == campaign.campaign_id,
            REVIEWERS.c.reviewer_id == reviewer_id,
        )
        name = connection.execute(query).scalar_one_or_none()
        check.add("WRONG_PERSON", reviewer=name or reviewer_id)
        return False
    same = (
        select(CONFIRMATIONS.c.confirmed_at)
        .join(RETURNS, RETURNS.c.return_id == CONFIRMATIONS.c.return_id)
        .where(RETURNS.c.sha256 == sha256)
        .order_by(CONFIRMATIONS.c.confirmed_at)
    )
    if recorded := connection.execute(same).scalars().first():
        check.add("ALREADY_RECORDED", at=_moment(recorded))
        return False
    if problem := campaign_problem(campaign, now):
        check.problems.append(problem)
        return False
    newest = newest_issue(connection, campaign.campaign_id, reviewer_id)
    if newest is None or newest.version != check.version:
        check.add(
            "STALE_WORKBOOK",
            version=check.version,
            newest=0 if newest is None else newest.version,
            at="—" if newest is None else _moment(newest.issued_at),
        )
        return False
    return True


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _check_rows(
    check: _Check,
    review: Sheet,
    key: bytes,
    header_tag: str,
    own: Mapping[str, Mapping[str, Any]],
) -> dict[str, int]:
    """Check every row's facts; return item id → row number. Order does not matter."""
    found: dict[str, int] = {}
    for line in sorted(line for line in review.rows if line >= FIRST_ROW):
        cells = review.rows[line]
        formulas = [column for column, cell in cells.items() if cell.kind == "f"]
        for column in formulas:
            check.add("FORMULA", _place(review, f"{column}{line}"))
        item_id = review.cell(ITEM, line).raw
        if formulas:
            if item_id:
                found.setdefault(item_id, line)
            continue
        if not item_id:
            # A note below the rows is nobody's answer; an answer without a row is.
            if any(cells.get(column) for column in (DECISION, TAG, VERSION)):
                check.add("UNKNOWN_ROW", _place(review, f"A{line}"))
            continue
        if item_id in found:
            place = _place(review, f"{ITEM}{line}")
            check.add("DUPLICATE_ROW", place, item_id, first=found[item_id])
            continue
        found[item_id] = line
        facts = {column: review.cell(column, line).text for column in FACT_COLUMNS}
        version = review.cell(VERSION, line).raw
        is_whole = version.isdecimal() and is_tag(
            key,
            row_told(header_tag, item_id, int(version), facts),
            review.cell(TAG, line).raw,
        )
        if not is_whole:
            column = _changed_fact(own.get(item_id), facts, check.language)
            title = FACT_COLUMNS.get(column, "the hidden columns")
            place = _place(review, f"{column}{line}")
            check.add("ROW_TAMPERED", place, item_id, detail=title)
    return found


def _changed_fact(
    row: Mapping[str, Any] | None, facts: Mapping[str, str], language: Language
) -> str:
    """Return the first column whose fact is not the row's; the tag's if all are."""
    if row is None:
        return ITEM
    number = int(facts["A"]) if facts["A"].isdecimal() else 0
    written = facts_of(row, number, language)
    changed = [column for column in FACT_COLUMNS if written[column] != facts[column]]
    return changed[0] if changed else TAG


def _check_row_set(
    connection: Connection,
    check: _Check,
    found: Mapping[str, int],
    own: Mapping[str, Mapping[str, Any]],
) -> None:
    """Check that the rows are those that were issued, no more and no fewer."""
    newest = newest_issue(connection, check.campaign_id or "", check.reviewer_id or "")
    issued = set(newest.rows)
    for item_id in sorted(set(found) - issued):
        if not any(problem.item_id == item_id for problem in check.problems):
            check.add("UNKNOWN_ROW", f"{REVIEW}!{ITEM}{found[item_id]}", item_id)
    if missing := sorted(
        issued - set(found), key=lambda item_id: own[item_id]["position"]
    ):
        names = ", ".join(subject_of(own[item_id]) for item_id in missing[:_NAMED])
        check.add("ROWS_MISSING", n=len(missing), names=names)


def _check_answer(
    check: _Check,
    review: Sheet,
    line: int,
    row: Mapping[str, Any],
    actor: Actor,
    today: date,
) -> None:
    """Check one row's answer and add what confirming would do with it."""
    item_id = row["item_id"]
    cells = {column: review.cell(column, line) for column in ANSWER_COLUMNS}
    word, comment = cells[DECISION].text, cells[COMMENT].text
    until = date_of(cells[UNTIL].text) if cells[UNTIL].kind in "sd" else None
    told = {name: row[name] for name in PREVIEW if name in row} | {
        "row": line,
        "decision_before": row["decision"],
        "decision": None,
        "keep_until": until,
        "comment": comment,
        "outcome": "blank",
        "version": int(review.cell(VERSION, line).raw),
    }

    def refuse(code: str, column: str, **values: Any) -> None:  # noqa: ANN401
        check.add(code, _place(review, f"{column}{line}"), item_id, **values)

    if cells[UNTIL].text and until is None:
        refuse("BAD_DATE", UNTIL, value=cells[UNTIL].text[:40])
        return
    if not word:
        if comment or until:
            refuse("ANSWER_WITHOUT_DECISION", DECISION)
        check.preview.append(told)
        return
    decision = decision_of(word)
    if decision is None:
        refuse("BAD_DECISION", DECISION, value=word[:40])
        return
    told["decision"] = decision.value
    check.preview.append(told)
    place = _place(review, f"{DECISION}{line}")
    if row["reviewer_id"] != check.reviewer_id:
        told["outcome"] = "not_yours"
        values = {"subject": subject_of(row)}
        check.notices.append(
            Problem(code="NOT_YOURS", cell=place, values=values, item_id=item_id)
        )
        return
    if row["identity_id"] is not None and row["identity_id"] in (
        check.reviewer_id,
        actor.identity_id,
    ):
        refuse("SELF_REVIEW", DECISION, subject=subject_of(row))
        return
    answer = ItemDecision(
        item_id=item_id,
        decision=decision,
        comment=comment,
        keep_until=until,
        version=told["version"],
    )
    if is_same(row, answer):
        told["outcome"] = "same"
    elif problem := answer_problem(row, answer, today):
        refuse(problem.code, _CELL_OF[problem.code], **problem.values)
    elif row["version"] != answer.version:
        told["outcome"] = "conflict"
        problem = conflict(row)
        check.notices.append(
            Problem(
                code=problem.code, cell=place, values=problem.values, item_id=item_id
            )
        )
    else:
        told["outcome"] = "record"


def _check_sign_off(
    check: _Check, sheets: list[Sheet], own: Mapping[str, Mapping[str, Any]]
) -> None:
    """Check the signature block; it counts only when no row stays undecided."""
    sheet = _sheet(sheets, SIGN_OFF)
    if sheet is None:
        check.add("WB_TAMPERED", detail="the sheet Sign-off is missing or was renamed")
        return
    for place in SIGN_CELLS.values():
        if sheet.at(place).kind == "f":
            check.add("FORMULA", _place(sheet, place))
            return
    statement = shown(translator(check.language)(STATEMENT))
    if sheet.at(SIGN_CELLS["statement"]).text != statement:
        place = _place(sheet, SIGN_CELLS["statement"])
        check.add("WB_TAMPERED", place, detail="the statement to sign")
        return
    word = sheet.at(SIGN_CELLS["attest"]).text
    answer = is_yes(word) if word else False
    if answer is None:
        place = _place(sheet, SIGN_CELLS["attest"])
        check.add("BAD_SIGN_OFF", place, value=word[:40])
        return
    if not answer:
        return
    check.signed_name = sheet.at(SIGN_CELLS["name"]).text[:200]
    if not check.signed_name:
        check.add("NAME_MISSING", _place(sheet, SIGN_CELLS["name"]))
        return
    decided = {
        one["item_id"]
        for one in check.preview
        if one["outcome"] == "record" or one["decision_before"] is not None
    }
    undecided = [
        row
        for row in own.values()
        if row["reviewer_id"] == check.reviewer_id
        and row["decision"] is None
        and row["item_id"] not in decided
    ]
    if undecided:
        place = _place(sheet, SIGN_CELLS["attest"])
        values = {"n": len(undecided)}
        check.notices.append(
            Problem(code="SIGN_OFF_INCOMPLETE", cell=place, values=values)
        )
        return
    check.signs = True


# Recording ----------------------------------------------------------------------------


def confirm_return(
    register: Register,
    settings: Settings,
    actor: Actor,
    return_id: str,
    now: datetime,
) -> Return:
    """Record what a return's preview shows, all of it or nothing, and sign if it does.

    A return already confirmed is returned as it is; nothing is recorded twice.

    Raises:
        NotAllowedError: the actor is neither the reviewer nor may return for others.
        ReturnError: it has problems, there is no such return, or a newer workbook was
            issued meanwhile.
        DecisionError: a row was decided or the campaign closed since the preview.
    """
    del settings  # the register alone knows all that is to be recorded
    with register.write() as connection:
        row = _row(connection, return_id)
        shown_return = _return_of(connection, row)
        if shown_return.problems:
            raise ReturnError(shown_return.problems)
        campaign_id, reviewer_id = row["campaign_id"], row["reviewer_id"]
        if actor.identity_id != reviewer_id:
            if not actor.may(Permission.RETURN_FOR_OTHERS):
                raise NotAllowedError(
                    f"{actor.name} may not return somebody else's workbook"
                )
        else:
            actor.must(Permission.DECIDE_REVIEW_ITEMS)
        if shown_return.confirmed_at is not None:
            return shown_return
        _refuse_recorded(connection, row)
        newest = newest_issue(connection, campaign_id, reviewer_id)
        if newest.version != row["version"]:
            values = {
                "version": row["version"],
                "newest": newest.version,
                "at": _moment(newest.issued_at),
            }
            raise ReturnError([Problem(code="STALE_WORKBOOK", values=values)])
        decider = Decider(
            identity_id=reviewer_id,
            name=shown_return.reviewer_name or reviewer_id,
            recorded_by=actor,
        )
        _confirm(connection, actor, decider, row, now)
        answers = [
            ItemDecision(
                item_id=one["item_id"],
                decision=Decision(one["decision"]),
                comment=one["comment"],
                keep_until=one["keep_until"] and date.fromisoformat(one["keep_until"]),
                version=one["version"],
            )
            for one in row["answers"]
            if one["outcome"] == "record"
        ]
        record_decisions(
            connection, decider, campaign_id, answers, "workbook", now, return_id
        )
        if row["sign_off"]["signs"]:
            sign(
                connection,
                decider,
                campaign_id,
                now,
                Language(row["sign_off"]["language"]),
                row["sign_off"]["name"],
                return_id,
            )
        return _return_of(connection, row)


def _refuse_recorded(connection: Connection, row: Mapping[str, Any]) -> None:
    """Refuse a file whose bytes were confirmed under another return meanwhile."""
    same = (
        select(CONFIRMATIONS.c.confirmed_at)
        .join(RETURNS, RETURNS.c.return_id == CONFIRMATIONS.c.return_id)
        .where(RETURNS.c.sha256 == row["sha256"])
    )
    if recorded := connection.execute(same).scalars().first():
        values = {"at": _moment(recorded)}
        raise ReturnError([Problem(code="ALREADY_RECORDED", values=values)])


def _confirm(
    connection: Connection,
    actor: Actor,
    decider: Decider,
    row: Mapping[str, Any],
    now: datetime,
) -> None:
    """Record that a return is confirmed; the event names decider and uploader."""
    seq = record(
        connection,
        actor=actor,
        action="return.confirm",
        subject=row["campaign_id"],
        details={
            "return_id": row["return_id"],
            "sha256": row["sha256"],
            "reviewer_id": decider.identity_id,
            "reviewer_name": decider.name,
            "received_by": row["received_by"],
            "on_behalf": actor.identity_id != decider.identity_id,
        },
        now=now,
    )
    confirmation = {
        "return_id": row["return_id"],
        "confirmed_at": now,
        "confirmed_by": actor.actor_id,
        "confirmed_by_name": actor.name,
        "event_seq": seq,
    }
    connection.execute(insert(CONFIRMATIONS), [confirmation])


# Reading ------------------------------------------------------------------------------


def _row(connection: Connection, return_id: str) -> dict[str, Any]:
    query = select(*(column for column in RETURNS.c if column.name != "content")).where(
        RETURNS.c.return_id == return_id
    )
    found = connection.execute(query).mappings().one_or_none()
    if found is None:
        raise ReturnError(
            [Problem(code="NO_SUCH_RETURN", values={"subject": return_id})]
        )
    return dict(found)


def _return_of(connection: Connection, row: Mapping[str, Any]) -> Return:
    name = select(REVIEWERS.c.reviewer_name).where(
        REVIEWERS.c.campaign_id == row["campaign_id"],
        REVIEWERS.c.reviewer_id == row["reviewer_id"],
    )
    confirmed = connection.execute(
        select(CONFIRMATIONS).where(CONFIRMATIONS.c.return_id == row["return_id"])
    ).one_or_none()
    answers = [
        one
        | {"keep_until": one["keep_until"] and date.fromisoformat(one["keep_until"])}
        for one in row["answers"]
    ]
    preview = pl.DataFrame(answers, schema=PREVIEW)
    return Return(
        return_id=row["return_id"],
        file_name=row["file_name"],
        sha256=row["sha256"],
        size=row["size"],
        campaign_id=row["campaign_id"],
        reviewer_id=row["reviewer_id"],
        reviewer_name=connection.execute(name).scalar_one_or_none(),
        version=row["version"],
        problems=tuple(map(Problem.from_json, row["problems"]["problems"])),
        notices=tuple(map(Problem.from_json, row["problems"]["notices"])),
        preview=preview,
        counts=_counts(preview),
        signs=row["sign_off"]["signs"],
        signed_name=row["sign_off"]["name"],
        received_at=row["received_at"],
        received_by=row["received_by"],
        received_by_name=row["received_by_name"],
        confirmed_at=None if confirmed is None else confirmed.confirmed_at,
        confirmed_by_name=None if confirmed is None else confirmed.confirmed_by_name,
    )


def _counts(preview: pl.DataFrame) -> dict[str, int]:
    """Count what confirming records by decision, and what it leaves as it is."""
    if preview.is_empty():
        return {}
    outcome, decision = pl.col("outcome"), pl.col("decision")
    blank = outcome == "blank"
    answered = pl.col("decision_before").is_not_null()
    recorded = {
        one.value: int(
            preview.filter((outcome == "record") & (decision == one.value)).height
        )
        for one in Decision
    }
    return recorded | {
        "undecided": preview.filter(blank & ~answered).height,
        "unchanged": preview.filter((outcome == "same") | (blank & answered)).height,
        "left_out": preview.filter(outcome.is_in(["conflict", "not_yours"])).height,
    }


def returned(register: Register, return_id: str) -> Return:
    """Return a workbook that came back, as it was checked then.

    Raises:
        ReturnError: there is no such return.
    """
    with register.read() as connection:
        return _return_of(connection, _row(connection, return_id))


def returned_file(register: Register, return_id: str) -> tuple[str, bytes]:
    """Return the name and the bytes of a returned workbook, as they came.

    Raises:
        ReturnError: there is no such return, or it was no workbook and was not kept.
    """
    query = select(RETURNS.c.file_name, RETURNS.c.content).where(
        RETURNS.c.return_id == return_id
    )
    with register.read() as connection:
        row = connection.execute(query).one_or_none()
    if row is None or row.content is None:
        raise ReturnError(
            [Problem(code="NO_SUCH_RETURN", values={"subject": return_id})]
        )
    return row.file_name, bytes(row.content)


def returns(register: Register, campaign_id: str) -> pl.DataFrame:
    """Return the workbooks that came back in a campaign, newest first."""
    schema: dict[str, DataType] = {
        "return_id": pl.String,
        "file_name": pl.String,
        "sha256": pl.String,
        "size": pl.Int64,
        "reviewer_id": pl.String,
        "version": pl.Int64,
        "received_at": UTC_TIMESTAMP,
        "received_by_name": pl.String,
        "confirmed_at": UTC_TIMESTAMP,
        "confirmed_by_name": pl.String,
        "event_seq": pl.Int64,
    }
    query = (
        select(
            *(RETURNS.c[name] for name in schema if not name.startswith("confirmed")),
            CONFIRMATIONS.c.confirmed_at,
            CONFIRMATIONS.c.confirmed_by_name,
        )
        .outerjoin(CONFIRMATIONS, CONFIRMATIONS.c.return_id == RETURNS.c.return_id)
        .where(RETURNS.c.campaign_id == campaign_id)
        .order_by(RETURNS.c.event_seq.desc())
    )
    with register.read() as connection:
        rows = [
            {name: row[name] for name in schema}
            for row in connection.execute(query).mappings()
        ]
    return pl.DataFrame(rows, schema=schema)
