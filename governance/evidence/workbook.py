"""The evidence of one campaign as an Excel workbook.

Rows are streamed to the file one by one, so that half a million of them fit in little
memory, and every text a source wrote stays text: never a formula, never a link.
"""

import io
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime

import polars as pl
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from governance import campaigns
from governance.app_roles import Actor, Permission
from governance.assessments import assess_all, kept_policy
from governance.audit_trail import record
from governance.evidence.sheets import (
    Say,
    Sheet,
    Subject,
    all_sheets,
)
from governance.language import translator
from governance.model import Language
from governance.register import Register
from governance.settings import Settings
from governance.snapshots import kept_open

_ROWS_PER_SHEET = 1_048_576 - 10
_TEXT_AT_MOST = 32_767
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_HEAD = 4
"""Lines above the first row: title, introduction, a gap, the column heads."""


def evidence_workbook(
    register: Register,
    settings: Settings,
    campaign_id: str,
    actor: Actor,
    language: Language,
    now: datetime,
) -> tuple[str, bytes]:
    """Return the name and content of a campaign's evidence workbook.

    It speaks of the campaign's own snapshot, whichever is in force now. Taking it is
    recorded in the audit trail before the content is handed out.

    Raises:
        NotAllowedError: the actor may not export evidence.
        CampaignError: there is no such campaign.
        SnapshotError: its snapshot is gone or was altered.
        PolicyError: the policy it was opened under is gone or was altered.
    """
    actor.must(Permission.EXPORT_EVIDENCE)
    campaign = campaigns.campaign(register, campaign_id)
    with register.write() as connection:
        record(
            connection,
            actor=actor,
            action="evidence.export",
            subject=campaign_id,
            details={"language": language.value, "format": "xlsx"},
            now=now,
        )
    # The review was opened under one policy; a threshold changed since must not
    # change what its evidence says.
    policy = kept_policy(settings, campaign.policy_sha256)
    subject = Subject(
        register=register,
        campaign=campaign,
        snapshot=kept_open(settings, campaign.snapshot_id),
        assessments=assess_all(settings, campaign.snapshot_id, policy=policy),
        policy=policy,
        language=language,
    )
    say = translator(language)
    sheets = all_sheets(subject, say)
    content = io.BytesIO()
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "remove_timezone": True,
    }
    with xlsxwriter.Workbook(content, options) as book:
        book.set_properties(
            {"title": campaign.title, "author": "Gatebook", "created": now}
        )
        formats = _formats(book)
        _cover(book, formats, subject, settings, sheets, say, actor, now)
        for sheet in sheets:
            _write(book, formats, sheet)
    stamp = f"{now.astimezone(UTC):%Y%m%d-%H%M%S}"
    return f"evidence-{campaign_id}-{stamp}.xlsx", content.getvalue()


def _formats(book: Workbook) -> dict[str, Format]:
    plain = {"font_name": "Arial", "font_size": 10, "valign": "top"}
    return {
        "title": book.add_format(plain | {"bold": True, "font_size": 16}),
        "intro": book.add_format(plain | {"font_color": "#52606D"}),
        "head": book.add_format(
            plain
            | {"bold": True, "bg_color": "#1F3A5F", "font_color": "white"}
            | {"text_wrap": True, "border": 1}
        ),
        # Quoted, so that even F2 and Enter leave a text a text.
        "text": book.add_format(plain | {"quote_prefix": True}),
        "number": book.add_format(plain | {"num_format": "#,##0"}),
        "date": book.add_format(plain | {"num_format": "yyyy-mm-dd"}),
        "time": book.add_format(plain | {"num_format": "yyyy-mm-dd hh:mm:ss"}),
        "link": book.add_format(plain | {"font_color": "#1F5FA8", "underline": True}),
        "bad": book.add_format(plain | {"bold": True, "font_color": "#B42318"}),
    }


def _write(book: Workbook, formats: dict[str, Format], sheet: Sheet) -> None:
    """Write one sheet; a longer one goes on in further sheets, none is cut."""
    columns = [name for name in sheet.headers if name in sheet.rows.columns]
    rows = sheet.rows.select(columns)
    parts = max(1, -(-rows.height // _ROWS_PER_SHEET))
    for part in range(parts):
        name = sheet.title if part == 0 else f"{sheet.title} {part + 1}"
        page = book.add_worksheet(name)
        piece = rows.slice(part * _ROWS_PER_SHEET, _ROWS_PER_SHEET)
        _write_head(page, formats, sheet, columns, piece)
        for at, row in enumerate(piece.iter_rows(), start=_HEAD):
            for across, value in enumerate(row):
                _write_cell(page, formats, at, across, value)


def _write_head(
    page: Worksheet,
    formats: dict[str, Format],
    sheet: Sheet,
    columns: Sequence[str],
    rows: pl.DataFrame,
) -> None:
    page.hide_gridlines(2)
    page.set_row(0, 24)
    for across, name in enumerate(columns):
        page.set_column(across, across, _width(sheet.headers[name], rows[name]))
    page.freeze_panes(_HEAD, 0)
    if columns and rows.height:
        page.autofilter(_HEAD - 1, 0, _HEAD - 1 + rows.height, len(columns) - 1)
    page.set_landscape()
    page.fit_to_pages(1, 0)
    page.repeat_rows(_HEAD - 1)
    page.write_string(0, 0, sheet.title, formats["title"])
    page.write_string(1, 0, sheet.intro, formats["intro"])
    for across, name in enumerate(columns):
        page.write_string(_HEAD - 1, across, sheet.headers[name], formats["head"])


def _width(head: str, values: pl.Series) -> float:
    """Return a column width in characters; Chinese ones are twice as wide."""
    sample = values.head(200).cast(pl.String).drop_nulls().to_list()
    widest = max((_cells(text) for text in [head, *sample]), default=8)
    return float(min(max(widest + 2, 8), 60))


def _cells(text: str) -> int:
    return sum(2 if ord(letter) > 0x2E80 else 1 for letter in text.split("\n")[0])


def _write_cell(
    page: Worksheet, formats: dict[str, Format], at: int, across: int, value: object
) -> None:
    """Write one value by its type; what a source wrote is always text."""
    match value:
        case None:
            page.write_blank(at, across, None, formats["text"])
        case bool():
            page.write_boolean(at, across, value, formats["number"])
        case int() | float():
            page.write_number(at, across, value, formats["number"])
        case datetime():
            page.write_datetime(at, across, value, formats["time"])
        case date():
            page.write_datetime(at, across, value, formats["date"])
        case _:
            text = _CONTROL.sub("�", str(value))[:_TEXT_AT_MOST]
            page.write_string(at, across, text, formats["text"])


def _cover(
    book: Workbook,
    formats: dict[str, Format],
    subject: Subject,
    settings: Settings,
    sheets: Sequence[Sheet],
    say: Say,
    actor: Actor,
    now: datetime,
) -> None:
    """Write the first sheet: what this is, and each figure with the sheet it counts."""
    campaign, manifest = subject.campaign, subject.snapshot.manifest
    page = book.add_worksheet(say("Cover"))
    page.hide_gridlines(2)
    page.set_column(0, 0, 40)
    page.set_column(1, 1, 90)
    page.set_row(0, 24)
    page.set_landscape()
    page.fit_to_pages(1, 0)
    page.write_string(0, 0, say("Access review evidence"), formats["title"])
    page.write_string(1, 0, settings.organisation, formats["intro"])
    facts: list[tuple[str, object]] = [
        (say("Campaign"), f"{campaign.title} ({campaign.campaign_id})"),
        (say("Opened at (UTC)"), campaign.opened_at),
        (say("Due on"), campaign.due_on),
        (say("Closed at (UTC)"), campaign.closed_at or say("still open")),
        (say("Snapshot"), manifest.snapshot_id),
        (say("Facts as of (UTC)"), manifest.as_of),
        (say("Sealed at (UTC)"), manifest.sealed_at),
        (say("SHA-256 of the snapshot"), manifest.files["snapshot.duckdb"]),
        (say("SHA-256 of the policy"), subject.policy.sha256),
        (say("Taken by"), actor.name),
        (say("Taken at (UTC)"), now),
    ]
    at = 3
    for label, value in facts:
        page.write_string(at, 0, label, formats["text"])
        shown = value.astimezone(UTC) if isinstance(value, datetime) else value
        _write_cell(page, formats, at, 1, shown)
        at += 1
    at += 1
    page.write_string(at, 0, say("Sheet"), formats["head"])
    page.write_string(at, 1, say("Rows, and what they are"), formats["head"])
    for sheet in sheets:
        at += 1
        page.write_url(
            at, 0, f"internal:'{sheet.title}'!A1", formats["link"], sheet.title
        )
        counted = f"{sheet.rows.height:,}  ·  {sheet.intro}"
        page.write_string(at, 1, counted, formats["text"])
    at += 2
    for sentence in _open_questions(sheets, say):
        page.write_string(at, 0, sentence, formats["bad"])
        at += 1


def _open_questions(sheets: Sequence[Sheet], say: Say) -> list[str]:
    """Name what an auditor would otherwise have to look for."""
    rows = {sheet.id: sheet.rows for sheet in sheets}
    told = []
    if unbalanced := rows["tie_out"].filter(~pl.col("is_balanced")).height:
        told.append(say("Files that do not tie out: {}").format(unbalanced))
    if rejected := rows["rejected"].height:
        told.append(say("Rejected rows: {}").format(rejected))
    if undecided := rows["undecided"].height:
        told.append(say("Undecided rows: {}").format(undecided))
    unproved = rows["sources"].filter(pl.col("completeness") != "full")
    if names := unproved["source"].to_list():
        told.append(
            say("Sources that did not prove their completeness: {}").format(
                ", ".join(names)
            )
        )
    return told
