"""What can be wrong with an answer or a returned workbook: a code, a cell, a sentence.

The English sentence is the key of the catalogue, so both languages say the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from governance.language import translator
from governance.model import Language

SENTENCES: Mapping[str, str] = {
    # The file
    "NOT_A_WORKBOOK": "This is not an Excel workbook that Gatebook wrote ({detail}).",
    "TOO_LARGE": "The file is larger than {limit} MB; send the workbook alone.",
    "UNSAFE_FILE": "The file holds something a review workbook never holds ({detail}).",
    "UNREADABLE": (
        "The workbook could not be read within the limits of time and memory; take a "
        "fresh copy and fill it in again."
    ),
    "WB_TAMPERED": (
        "The workbook's header or layout was changed ({detail}); take a fresh copy and "
        "fill it in again."
    ),
    "UNKNOWN_CAMPAIGN": "The workbook belongs to no campaign of this installation.",
    "STALE_WORKBOOK": (
        "This is version {version} of the workbook; version {newest} was issued on "
        "{at}, use that one."
    ),
    "WRONG_PERSON": (
        "This workbook was made for {reviewer}; only they, or a security manager on "
        "their behalf, may return it."
    ),
    "ALREADY_RECORDED": "The same file was already recorded at {at}.",
    "CAMPAIGN_CLOSED": "The campaign is closed; nothing can be decided in it any more.",
    "CAMPAIGN_OVERDUE": (
        "The last day to decide was {due_on}; ask the security manager what to do."
    ),
    # The rows
    "ROW_TAMPERED": (
        "The facts of this row are not those that were issued ({detail}); only the "
        "decision, the date and the comment may be changed."
    ),
    "DUPLICATE_ROW": "This row is in the workbook twice, first in row {first}.",
    "ROWS_MISSING": "{n} rows that were issued are missing, among them {names}.",
    "UNKNOWN_ROW": "This row was not issued in this workbook; remove it.",
    "FORMULA": "This cell holds a formula; type the value itself.",
    "NOT_YOURS": "{subject} is not yours to decide, and no answer to it is recorded.",
    "SELF_REVIEW": "{subject} is your own access; nobody reviews their own.",
    "NO_SUCH_ROW": "{subject} is not a row of this campaign.",
    "NO_SUCH_RETURN": "No returned workbook is called {subject}.",
    # The answers
    "BAD_DECISION": "“{value}” is not one of the decisions in the list.",
    "BAD_DATE": "“{value}” is not a date; write it as 2026-12-31.",
    "DATE_MISSING": "“Keep until” needs a date.",
    "DATE_PAST": "“Keep until” needs a date after today, not {value}.",
    "DATE_WITHOUT_DECISION": "A date goes with “Keep until” only.",
    "ANSWER_WITHOUT_DECISION": "There is a comment or a date here, but no decision.",
    "REASON_MISSING": (
        "{subject}: a row at risk that stays, and a change, need a comment that says "
        "why."
    ),
    "COMMENT_TOO_LONG": "The comment is longer than {limit} characters.",
    "ALREADY_DECIDED": (
        "{subject} was decided after this answer was prepared ({decision} at {at}); "
        "that decision stands and this answer is not recorded."
    ),
    # The signature
    "NOTHING_TO_SIGN": "There is nothing of yours to sign in this campaign.",
    "SIGN_OFF_INCOMPLETE": (
        "The sign-off is not taken: {n} rows would stay undecided; the answers given "
        "can be recorded without it."
    ),
    "NAME_MISSING": "The sign-off needs the reviewer's name beside it.",
    "BAD_SIGN_OFF": "“{value}” is neither yes nor no.",
}


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong, where it is, and how to mend it."""

    code: str
    cell: str | None = None
    """Sheet and cell, as ``Review!L12``; null where the whole file is meant."""
    values: Mapping[str, Any] = field(default_factory=dict)
    item_id: str | None = None

    def sentence(self, language: Language = Language.ENGLISH) -> str:
        """Return the problem as one plain sentence."""
        say = translator(language)
        values = {
            name: say(value) if isinstance(value, str) else value
            for name, value in self.values.items()
        }
        return say(SENTENCES[self.code]).format_map(values)

    @property
    def sentence_en(self) -> str:
        """Return the sentence in English."""
        return self.sentence(Language.ENGLISH)

    @property
    def sentence_zh(self) -> str:
        """Return the sentence in Chinese."""
        return self.sentence(Language.CHINESE)

    def to_json(self) -> dict[str, Any]:
        """Return what the register keeps of it."""
        return {
            "code": self.code,
            "cell": self.cell,
            "values": dict(self.values),
            "item_id": self.item_id,
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Problem":
        """Return a problem that the register kept."""
        return cls(**told)
