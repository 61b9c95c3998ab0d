"""The workbook a reviewer fills in: only their rows, risky and changed first."""

import hashlib
import io
import re
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
import rfc8785
from openpyxl import Workbook as Book
from openpyxl.cell.cell import Cell
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet
from sqlalchemy import Connection, insert, select

from governance.app_roles import Actor, NotAllowedError, Permission
from governance.attestations.decisions import STATEMENT, DecisionError, campaign_problem
from governance.attestations.keys import campaign_key, tag
from governance.attestations.layout import (
    ANSWER_COLUMNS,
    COMMENT,
    DECISION,
    DECISION_WORDS,
    FACT_COLUMNS,
    FIRST_ROW,
    HEADER_LABELS,
    INSTRUCTIONS,
    ITEM,
    MACHINE_CELLS,
    MARKER,
    NO,
    REVIEW,
    RISK_WORDS,
    SIGN_CELLS,
    SIGN_OFF,
    TAG,
    UNTIL,
    VERSION,
    WIDTHS,
    YES,
    Header,
    facts_of,
    header_of,
    row_told,
    shown,
)
from governance.audit_trail import Head, head_of, record
from governance.campaigns.items import items_of
from governance.campaigns.lifecycle import Campaign, CampaignError, campaign_of
from governance.language import Translate, translator
from governance.model import Decision, Language
from governance.register import Register
from governance.register.tables import WORKBOOKS
from governance.schema import UTC_TIMESTAMP
from governance.settings import Settings

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_FONT = "Calibri"
_WRAPPED = Alignment(wrap_text=True, vertical="top")
_LINE = Side(style="thin", color="FFD0D7DE")
_BOX = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
_TITLE_FILL = PatternFill("solid", fgColor="FF1F3A5F")
_ANSWER_FILL = PatternFill("solid", fgColor="FFFFF8E1")
_RISK_FILLS = {
    "critical": PatternFill("solid", bgColor="FFF4B6B6"),
    "high": PatternFill("solid", bgColor="FFFAD7B0"),
    "medium": PatternFill("solid", bgColor="FFFFF2B3"),
    "low": PatternFill("solid", bgColor="FFDCEBFA"),
}
_LOCKED = Protection(locked=True)
_UNLOCKED = Protection(locked=False)
_LAST_COLUMN = "M"


@dataclass(frozen=True, kw_only=True)
class Workbook:
    """One reviewer's workbook, ready to be handed out."""

    name: str
    content: bytes
    version: int
    rows: int


def issue_workbook(
    register: Register,
    settings: Settings,
    campaign_id: str,
    reviewer_id: str,
    language: Language,
    actor: Actor,
    now: datetime,
) -> Workbook:
    """Write a reviewer's workbook and put the issue on record.

    As long as neither the rows nor their decisions have changed, a workbook issued
    again has the same version, and copies handed out before stay good. Otherwise it
    supersedes them.

    Raises:
        NotAllowedError: the actor neither runs campaigns nor is the reviewer.
        CampaignError: there is no such campaign, or the person reviews nothing in it.
        DecisionError: the campaign is closed.
    """
    _must_issue(actor, reviewer_id)
    key = campaign_key(settings, campaign_id)
    with register.write() as connection:
        campaign = campaign_of(connection, campaign_id)
        problem = campaign_problem(campaign, now)
        if problem is not None and not campaign.is_open:
            raise DecisionError([problem])
        rows = items_of(connection, campaign_id, reviewer_id=reviewer_id)
        if not rows:
            raise CampaignError(f"{reviewer_id} has no rows in {campaign_id}")
        versions = {row["item_id"]: row["version"] for row in rows}
        newest = newest_issue(connection, campaign_id, reviewer_id)
        is_again = (
            newest is not None
            and newest.rows == versions
            and newest.language == language.value
        )
        version = 1 if newest is None else newest.version + (not is_again)
        header = header_of(
            campaign,
            reviewer_id,
            rows[0]["reviewer_name"],
            version,
            len(rows),
            rows_digest(versions),
            language,
        )
        content = _content(header, rows, campaign, key, head_of(connection), now)
        book = Workbook(
            name=_file_name(
                campaign_id, rows[0]["reviewer_name"], reviewer_id, version
            ),
            content=content,
            version=version,
            rows=len(rows),
        )
        _record(connection, actor, book, header, versions, now, is_again=is_again)
    return book


def _must_issue(actor: Actor, reviewer_id: str) -> None:
    if actor.may(Permission.OPEN_CAMPAIGNS):
        return
    actor.must(Permission.DECIDE_REVIEW_ITEMS)
    if actor.identity_id != reviewer_id:
        raise NotAllowedError(f"{actor.name} may not take somebody else's workbook")


def rows_digest(versions: dict[str, int]) -> str:
    """Return the digest of the row set of a workbook and of its decision versions."""
    return hashlib.sha256(rfc8785.dumps(versions)).hexdigest()


def newest_issue(connection: Connection, campaign_id: str, reviewer_id: str) -> Any:  # noqa: ANN401
    """Return the newest workbook issued to a reviewer; null before the first."""
    query = (
        select(WORKBOOKS)
        .where(
            WORKBOOKS.c.campaign_id == campaign_id,
            WORKBOOKS.c.reviewer_id == reviewer_id,
        )
        .order_by(WORKBOOKS.c.version.desc())
        .limit(1)
    )
    return connection.execute(query).one_or_none()


def _record(
    connection: Connection,
    actor: Actor,
    book: Workbook,
    header: Header,
    versions: dict[str, int],
    now: datetime,
    *,
    is_again: bool,
) -> None:
    told = {
        "reviewer_id": header.reviewer_id,
        "version": book.version,
        "language": header.language.value,
        "name": book.name,
        "content_sha256": hashlib.sha256(book.content).hexdigest(),
    }
    seq = record(
        connection,
        actor=actor,
        action="workbook.issue",
        subject=header.campaign_id,
        details=told | {"rows": book.rows, "is_again": is_again},
        now=now,
    )
    if is_again:
        return
    row = told | {
        "campaign_id": header.campaign_id,
        "rows": versions,
        "issued_at": now,
        "issued_by": actor.actor_id,
        "event_seq": seq,
    }
    connection.execute(insert(WORKBOOKS), [row])


def _file_name(campaign_id: str, name: str, reviewer_id: str, version: int) -> str:
    """Return a name without anything a file system or a person could stumble over."""
    plain = [re.sub(r"[^\w-]+", "-", part).strip("-") for part in (name, reviewer_id)]
    return f"{campaign_id}_{plain[0][:40]}_{plain[1][:60]}_v{version}.xlsx"


def issued(register: Register, campaign_id: str) -> pl.DataFrame:
    """Return the workbooks issued in a campaign, newest first."""
    schema: dict[str, Any] = {
        "reviewer_id": pl.String,
        "version": pl.Int64,
        "language": pl.String,
        "name": pl.String,
        "content_sha256": pl.String,
        "issued_at": UTC_TIMESTAMP,
        "issued_by": pl.String,
        "event_seq": pl.Int64,
    }
    query = (
        select(*(WORKBOOKS.c[name] for name in schema))
        .where(WORKBOOKS.c.campaign_id == campaign_id)
        .order_by(WORKBOOKS.c.event_seq.desc())
    )
    with register.read() as connection:
        rows = [dict(row) for row in connection.execute(query).mappings()]
    return pl.DataFrame(rows, schema=schema)


# Writing ------------------------------------------------------------------------------


def _content(
    header: Header,
    rows: list[dict[str, Any]],
    campaign: Campaign,
    key: bytes,
    trail: Head,
    now: datetime,
) -> bytes:
    book = Book()
    book.properties.title = header.title
    book.properties.creator = "Gatebook"
    book.properties.created = book.properties.modified = now.replace(tzinfo=None)
    say = translator(header.language)
    book.remove(book.worksheets[0])
    _write_instructions(book.create_sheet(say(INSTRUCTIONS)), campaign, trail, say)
    review = book.create_sheet(say(REVIEW))
    _write_review(review, header, rows, key, say)
    _write_sign_off(book.create_sheet(say(SIGN_OFF)), header, say)
    book.active = 1
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _write_text(cell: Cell, text: str) -> None:
    """Write a text that stays one, whatever it begins with."""
    cell.value = text
    if text:
        cell.data_type = "s"


def _write_instructions(
    sheet: Worksheet, campaign: Campaign, trail: Head, say: Translate
) -> None:
    sheet.column_dimensions["A"].width = 22
    sheet.column_dimensions["B"].width = 96
    _write_text(sheet["A1"], shown(say("How to fill in this workbook")))
    sheet["A1"].font = Font(name=_FONT, bold=True, size=14)
    lines = [
        (
            say("What it is for"),
            say(
                "You are asked who may keep which access. Only rows that are yours to "
                "decide are listed, risky and changed ones first."
            ),
        ),
        (
            say("What to fill in"),
            say(
                "On the sheet Review, the coloured columns: the decision, a date where "
                "you keep access for a time only, and a comment. Everything else is "
                "compared with what was issued and must stay as it is."
            ),
        ),
        (
            say(DECISION_WORDS[Decision.KEEP]),
            say("The person needs it for their work."),
        ),
        (say(DECISION_WORDS[Decision.REVOKE]), say("It is to be taken away.")),
        (
            say(DECISION_WORDS[Decision.CHANGE]),
            say("Something else is right; say what in the comment."),
        ),
        (
            say(DECISION_WORDS[Decision.KEEP_UNTIL]),
            say("It may stay until the date you give, and ends then."),
        ),
        (
            say(DECISION_WORDS[Decision.NOT_MINE]),
            say("You cannot judge it; it goes to somebody who can."),
        ),
        (
            say("Comment"),
            say("Needed to keep a row of risk Critical or High, and for every change."),
        ),
        (
            say("Blank"),
            say("A row without a decision stays undecided. It is never taken as keep."),
        ),
        (
            say("Sign-off"),
            say(
                "When every row is decided, sign on the last sheet: your name and Yes."
            ),
        ),
        (
            say("Returning it"),
            say(
                "Bring the file back on the page My items or send it to the security "
                "manager, by {due_on}. You see what will be recorded before it is."
            ).format(due_on=campaign.due_on.isoformat()),
        ),
        (
            say("Sorting"),
            say(
                "You may filter, sort whole rows and widen columns. The sheet is "
                "protected without a password, against slips of the hand only."
            ),
        ),
        (
            say("Audit trail"),
            say("Event {seq}, {chain} when this workbook was written.").format(
                seq=trail.seq, chain=trail.chain
            ),
        ),
    ]
    for number, (label, text) in enumerate(lines, 3):
        _write_text(sheet[f"A{number}"], shown(label))
        _write_text(sheet[f"B{number}"], shown(text))
        sheet[f"A{number}"].font = Font(name=_FONT, bold=True)
        sheet[f"A{number}"].alignment = _WRAPPED
        sheet[f"B{number}"].alignment = _WRAPPED
    sheet.protection.sheet = True
    _print_on_one_page_width(sheet)


def _write_review(
    sheet: Worksheet,
    header: Header,
    rows: list[dict[str, Any]],
    key: bytes,
    say: Translate,
) -> None:
    header_tag = tag(key, header.told())
    _write_header(sheet, header, header_tag, say)
    styles = _row_styles(sheet, FIRST_ROW)
    for number, row in enumerate(rows, 1):
        line = FIRST_ROW + number - 1
        facts = facts_of(row, number, header.language)
        for column, text in facts.items():
            cell = sheet[f"{column}{line}"]
            _write_text(cell, text)
            cell._style = copy(styles[column])
        sheet[f"A{line}"].value = number
        sheet[f"A{line}"].data_type = "n"
        answers = {
            DECISION: say(DECISION_WORDS[Decision(row["decision"])])
            if row["decision"]
            else "",
            UNTIL: row["keep_until"],
            COMMENT: shown(row["comment"]),
        }
        for column, answer in answers.items():
            cell = sheet[f"{column}{line}"]
            if isinstance(answer, str):
                if answer:
                    _write_text(cell, answer)
            else:
                cell.value = answer
            cell._style = copy(styles[column])
        machine = {
            ITEM: row["item_id"],
            VERSION: str(row["version"]),
            TAG: tag(key, row_told(header_tag, row["item_id"], row["version"], facts)),
        }
        for column, text in machine.items():
            _write_text(sheet[f"{column}{line}"], text)
            sheet[f"{column}{line}"]._style = copy(styles[column])
        sheet.row_dimensions[line].height = _height(facts, answers[COMMENT])
    last = FIRST_ROW + len(rows) - 1
    _guide_answers(sheet, last, say)
    _colour_risks(sheet, last, say)
    for column, width in WIDTHS.items():
        sheet.column_dimensions[column].width = width
    for column in (ITEM, VERSION, TAG):
        sheet.column_dimensions[column].hidden = True
    sheet.freeze_panes = f"E{FIRST_ROW}"
    sheet.auto_filter.ref = f"A{FIRST_ROW - 1}:{TAG}{last}"
    sheet.print_title_rows = f"{FIRST_ROW - 1}:{FIRST_ROW - 1}"
    sheet.print_area = f"A1:{_LAST_COLUMN}{last}"
    sheet.protection.sheet = True
    sheet.protection.autoFilter = False
    sheet.protection.sort = False
    sheet.protection.formatColumns = False
    sheet.protection.formatRows = False
    _print_on_one_page_width(sheet)


def _write_header(
    sheet: Worksheet, header: Header, header_tag: str, say: Translate
) -> None:
    _write_text(sheet["A1"], header.title)
    sheet["A1"].font = Font(name=_FONT, bold=True, size=14)
    for row, label in HEADER_LABELS.items():
        _write_text(sheet[f"A{row}"], shown(say(label)))
        _write_text(sheet[f"D{row}"], header.values[row])
        sheet[f"A{row}"].font = Font(name=_FONT, bold=True)
        sheet[f"D{row}"].quotePrefix = True
    hint = say("Fill in the coloured columns; a row left blank stays undecided.")
    _write_text(sheet["A6"], shown(hint))
    machine = {
        "marker": MARKER,
        "campaign_id": header.campaign_id,
        "reviewer_id": header.reviewer_id,
        "version": str(header.version),
        "rows": str(header.rows),
        "rows_sha256": header.rows_sha256,
        "language": header.language.value,
        "tag": header_tag,
    }
    for name, text in machine.items():
        _write_text(sheet[MACHINE_CELLS[name]], text)
    sheet.row_dimensions[FIRST_ROW - 1].height = 32
    for column, title in (FACT_COLUMNS | ANSWER_COLUMNS).items():
        cell = sheet[f"{column}{FIRST_ROW - 1}"]
        _write_text(cell, shown(say(title)))
        cell.font = Font(name=_FONT, bold=True, color="FFFFFFFF")
        cell.fill = _TITLE_FILL
        cell.alignment = Alignment(wrap_text=True, vertical="center")
        cell.border = _BOX


def _row_styles(sheet: Worksheet, line: int) -> dict[str, Any]:
    """Return the style of each column, made once: making it per cell is slow."""
    styles: dict[str, Any] = {}
    for column in (*FACT_COLUMNS, *ANSWER_COLUMNS, ITEM, VERSION, TAG):
        cell = sheet[f"{column}{line}"]
        is_answer = column in ANSWER_COLUMNS
        cell.alignment = _WRAPPED
        cell.border = _BOX
        cell.protection = _UNLOCKED if is_answer else _LOCKED
        if is_answer:
            cell.fill = _ANSWER_FILL
        if column == UNTIL:
            cell.number_format = "yyyy-mm-dd"
        else:
            cell.number_format = "General" if column == "A" else "@"
            # Even after F2 and Enter, a text that begins with = stays a text.
            cell.quotePrefix = column in FACT_COLUMNS and column != "A"
        styles[column] = cell._style
    return styles


def _height(facts: dict[str, str], comment: object) -> float:
    """Return a row's height in points, tall enough for its longest wrapped text."""
    lines = 1
    for column, text in {**facts, COMMENT: str(comment or "")}.items():
        units = sum(2 if ord(letter) > 0x2E7F else 1 for letter in text)
        lines = max(lines, -(-units // max(4, int(WIDTHS[column] * 0.95))))
    return min(15.0 * lines + 3, 400)


def _guide_answers(sheet: Worksheet, last: int, say: Translate) -> None:
    words = [say(word) for word in DECISION_WORDS.values()]
    decisions = DataValidation(
        type="list", formula1=f'"{",".join(words)}"', allow_blank=True
    )
    decisions.error = say("Choose a decision from the list.")
    decisions.errorTitle = say("Decision")
    dates = DataValidation(
        type="date", operator="greaterThan", formula1="36526", allow_blank=True
    )
    dates.error = say("Write a date as 2026-12-31.")
    dates.errorTitle = say("Keep until")
    for guide, column in ((decisions, DECISION), (dates, UNTIL)):
        guide.showErrorMessage = True
        guide.add(f"{column}{FIRST_ROW}:{column}{last}")
        sheet.add_data_validation(guide)


def _colour_risks(sheet: Worksheet, last: int, say: Translate) -> None:
    for risk, fill in _RISK_FILLS.items():
        rule = FormulaRule(  # type: ignore[no-untyped-call]
            formula=[f'$B{FIRST_ROW}="{say(RISK_WORDS[risk])}"'], fill=fill
        )
        sheet.conditional_formatting.add(f"A{FIRST_ROW}:C{last}", rule)


def _write_sign_off(sheet: Worksheet, header: Header, say: Translate) -> None:
    sheet.column_dimensions["A"].width = 40
    sheet.column_dimensions["B"].width = 60
    _write_text(sheet["A1"], shown(say("Sign-off")))
    sheet["A1"].font = Font(name=_FONT, bold=True, size=14)
    _write_text(sheet[SIGN_CELLS["statement"]], shown(say(STATEMENT)))
    sheet.merge_cells("A3:B3")
    sheet["A3"].alignment = _WRAPPED
    sheet.row_dimensions[3].height = 66
    labels = {
        "name": say("Name"),
        "date": say("Date"),
        "attest": say("I sign for the decisions in this workbook"),
    }
    for name, label in labels.items():
        answer = sheet[SIGN_CELLS[name]]
        _write_text(sheet[f"A{answer.row}"], shown(label))
        sheet[f"A{answer.row}"].font = Font(name=_FONT, bold=True)
        answer.fill = _ANSWER_FILL
        answer.border = _BOX
        answer.protection = _UNLOCKED
        answer.number_format = "yyyy-mm-dd" if name == "date" else "@"
    note = say(
        "The signature counts when every row is decided, and is taken over the "
        "decisions of {reviewer} in version {version}."
    ).format(reviewer=header.values[2], version=header.version)
    _write_text(sheet["A9"], shown(note))
    sheet.merge_cells("A9:B9")
    sheet["A9"].alignment = _WRAPPED
    sheet.row_dimensions[9].height = 34
    choice = DataValidation(
        type="list", formula1=f'"{say(YES)},{say(NO)}"', allow_blank=True
    )
    choice.add(SIGN_CELLS["attest"])
    sheet.add_data_validation(choice)
    sheet.protection.sheet = True
    _print_on_one_page_width(sheet)


def _print_on_one_page_width(sheet: Worksheet) -> None:
    sheet.page_setup.orientation = "landscape"
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.page_margins.top = sheet.page_margins.bottom = 0.5
    sheet.page_setup.paperSize = "9"
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
