"""Where things stand in a review workbook, and the words in it, in either language.

The writer and the checker of returned files both read it here. Facts are shown as text
in one normal form, so that a file saved again by another program still compares equal.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from governance.campaigns.lifecycle import Campaign
from governance.language import translator
from governance.model import Decision, Language

MARKER = "gatebook-review-1"
INSTRUCTIONS, REVIEW, SIGN_OFF = "Instructions", "Review", "Sign-off"
"""Sheets, by their English titles."""

FIRST_ROW = 9
"""First row of review items; the row above holds the column titles."""
FACT_COLUMNS = {
    "A": "No.",
    "B": "Risk",
    "C": "Since last time",
    "D": "Person",
    "E": "Department and title",
    "F": "System",
    "G": "Login",
    "H": "Access",
    "I": "Why look at it",
    "J": "Last decision",
}
ANSWER_COLUMNS = {"K": "Decision", "L": "Keep until", "M": "Comment"}
DECISION, UNTIL, COMMENT = ANSWER_COLUMNS
ITEM, VERSION, TAG = "N", "O", "P"
"""Hidden columns."""
WIDTHS = {
    "A": 5,
    "B": 10,
    "C": 13,
    "D": 18,
    "E": 24,
    "F": 12,
    "G": 20,
    "H": 28,
    "I": 62,
    "J": 13,
    "K": 14,
    "L": 13,
    "M": 36,
}
HEADER_LABELS = {
    2: "Reviewer",
    3: "Facts as of",
    4: "Due on",
    5: "Workbook version",
}
"""Rows of the header block, label in column A and value in column D."""
MACHINE_CELLS = {
    "marker": "N1",
    "campaign_id": "N2",
    "reviewer_id": "N3",
    "version": "N4",
    "rows": "N5",
    "rows_sha256": "N6",
    "language": "N7",
    "tag": "P1",
}
SIGN_CELLS = {"statement": "A3", "name": "B5", "date": "B6", "attest": "B7"}

DECISION_WORDS = {
    Decision.KEEP: "Keep",
    Decision.REVOKE: "Revoke",
    Decision.CHANGE: "Change",
    Decision.KEEP_UNTIL: "Keep until",
    Decision.NOT_MINE: "Not mine",
}
YES, NO = "Yes", "No"
RISK_WORDS = {
    "critical": "Critical",
    "high": "High",
    "medium": "Medium",
    "low": "Low",
    "none": "—",
}
CHANGE_WORDS = {
    "new": "New",
    "changed": "Changed",
    "first_review": "First review",
    "same": "Same",
}
ABILITY_WORDS = {
    "administer": "administer",
    "amend_amount": "amend amounts",
    "approve": "approve",
    "create": "create",
    "delete": "delete",
    "export": "export",
    "import": "import",
    "security": "change security",
    "transfer": "transfer",
}
_CELL_LIMIT = 8000
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


def shown(value: object) -> str:
    """Return a value as a cell shows it: one line, no control characters.

    Excel reads ``_x0041_`` inside a text as the letter A; its first underscore becomes
    a full-width one, so that what is written is what is read.
    """
    if value is None:
        return ""
    text = "".join(
        " " if unicodedata.category(letter) in ("Cc", "Zl", "Zp") else letter
        for letter in str(value)
        if unicodedata.category(letter) not in ("Cs", "Cn")
        and letter not in "\ufffe\uffff"
    )
    text = _ESCAPE.sub("＿", " ".join(text.split()))
    return text if len(text) <= _CELL_LIMIT else text[: _CELL_LIMIT - 1] + "…"


def decision_of(word: str) -> Decision | None:
    """Return the decision a word of either language means."""
    return _DECISIONS.get(_folded(word))


def is_yes(word: str) -> bool | None:
    """Return whether a word means yes, in either language; null if it is no answer."""
    folded = _folded(word)
    for language in Language:
        say = translator(language)
        if folded == _folded(say(YES)):
            return True
        if folded == _folded(say(NO)):
            return False
    return None


def _folded(word: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", word).casefold().split())


_DECISIONS = {
    _folded(form): decision
    for decision, word in DECISION_WORDS.items()
    for form in (decision.value, *(translator(one)(word) for one in Language))
}


def facts_of(row: Mapping[str, Any], number: int, language: Language) -> dict[str, str]:
    """Return the locked cells of a row by column letter."""
    say = translator(language)
    previous = row["previous_decision"]
    title = " · ".join(filter(None, (row["department_name"], row["job_title"])))
    told = {
        "A": str(number),
        "B": say(RISK_WORDS[row["risk"]]),
        "C": say(CHANGE_WORDS[row["change"]]),
        "D": row["display_name"] or row["login"] or row["account_id"],
        "E": title,
        "F": row["source"],
        "G": row["login"] or row["account_id"],
        "H": _access(row, language),
        "I": row["reason_zh" if language is Language.CHINESE else "reason_en"],
        "J": say(DECISION_WORDS[Decision(previous)]) if previous else "—",
    }
    return {column: shown(value) for column, value in told.items()}


def _access(row: Mapping[str, Any], language: Language) -> str:
    """Return what the access is, in words: its name, what it may do, what it is for."""
    say = translator(language)
    if row["entitlement_id"] is None:
        return say("The login itself, without a role")
    told = [row["entitlement_name"] or row["entitlement_id"]]
    if row["abilities"]:
        words = [
            say(ABILITY_WORDS.get(one, one)) for one in row["abilities"].split(",")
        ]
        gap = "、" if language is Language.CHINESE else ", "
        told.append(say("may {abilities}").format(abilities=gap.join(words)))
    if row["entitlement_description"]:
        told.append(row["entitlement_description"])
    return (
        ("：" if language is Language.CHINESE else ": ").join(
            [
                told[0],
                "；".join(told[1:])
                if language is Language.CHINESE
                else "; ".join(told[1:]),
            ]
        )
        if len(told) > 1
        else told[0]
    )


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a workbook says of itself, apart from its rows."""

    campaign_id: str
    reviewer_id: str
    version: int
    rows: int
    rows_sha256: str
    language: Language
    title: str
    values: Mapping[int, str]
    """Row of the header block → value shown."""

    def told(self) -> list[Any]:
        """Return what the header's tag is taken over."""
        return [
            MARKER,
            self.campaign_id,
            self.reviewer_id,
            self.version,
            self.rows,
            self.rows_sha256,
            self.language.value,
            self.title,
            [self.values.get(row, "") for row in HEADER_LABELS],
        ]


def header_of(
    campaign: Campaign,
    reviewer_id: str,
    reviewer_name: str,
    version: int,
    rows: int,
    rows_sha256: str,
    language: Language,
) -> Header:
    """Return the header of a workbook as it is written."""
    say = translator(language)
    as_of = campaign.snapshot_as_of.astimezone(ZoneInfo(campaign.time_zone))
    values = {
        2: reviewer_name,
        3: f"{as_of:%Y-%m-%d %H:%M} {campaign.time_zone} ({campaign.snapshot_id})",
        4: campaign.due_on.isoformat(),
        5: say("{version}, with {rows} rows").format(version=version, rows=rows),
    }
    return Header(
        campaign_id=campaign.campaign_id,
        reviewer_id=reviewer_id,
        version=version,
        rows=rows,
        rows_sha256=rows_sha256,
        language=language,
        title=shown(say("Access review: {title}").format(title=campaign.title)),
        values={row: shown(value) for row, value in values.items()},
    )


def row_told(
    header_tag: str, item_id: str, version: int, facts: Mapping[str, str]
) -> list[Any]:
    """Return what a row's tag is taken over."""
    return [header_tag, item_id, version, [facts[column] for column in FACT_COLUMNS]]


_DATE = re.compile(
    r"\A(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?"
    r"(?:[ T]00:00(?::00(?:\.0+)?)?)?\Z"
)


def date_of(text: str) -> date | None:
    """Return the date a text means, year first; null if it means none."""
    if found := _DATE.match(unicodedata.normalize("NFKC", text).strip()):
        try:
            return date(*(int(part) for part in found.groups()))
        except ValueError:
            return None
    return None
