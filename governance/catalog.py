"""The query catalogue: every check under queries/checks/, parsed on load.

A file is one ``select`` after a TOML header in a block comment. Nothing registers it:
adding the file adds the check, its page and its line in queries/README.md.
"""

import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from governance.language import translator
from governance.model import GovernanceError, Language, Severity
from governance.schema import TABLES

_FILE = re.compile(r"\A/\*\n(?P<header>.+?)\n\*/\n(?P<sql>.+)\Z", re.DOTALL)
LEADING_COLUMNS = (
    "subject_id",
    "source",
    "account_id",
    "identity_id",
    "department_id",
    "display_name",
)
"""Columns every check returns first; ``status`` and ``reason`` come last."""
FAMILIES = ("shared", "leavers", "privilege", "credentials", "use", "governance")


class QueryHeaderError(GovernanceError):
    """A query file's header is missing or breaks the contract. Names the file."""


Text = Mapping[Language, str]
"""One sentence in every language the product speaks."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One question asked of every snapshot, and what to do about a bad answer."""

    id: str
    family: str
    severity: Severity
    subject: str
    """What is tested: account, grant, identity, source."""
    controls: tuple[str, ...]
    title: Text
    question: Text
    population: Text
    """Whom the question is asked of: what the rows are all of."""
    remediation: Text
    parameters: Mapping[str, str]
    columns: Mapping[str, Text]
    """The check's own columns, between the leading ones and ``status``."""
    reasons: Mapping[str, Text]
    """Reason code → sentence; ``{column}`` stands for the row's value."""
    sql: str
    sha256: str
    """Digest of the whole file: evidence quotes it to prove what was asked."""

    @property
    def result_columns(self) -> tuple[str, ...]:
        """Return every column the query must return, in order."""
        return (*LEADING_COLUMNS, *self.columns, "status", "reason")

    def explain(self, row: Mapping[str, Any], language: Language) -> str:
        """Return the row's reason as a sentence; what is not known reads as a dash."""
        say = translator(language)
        shown = {
            name: _word(str(value), say)
            if name in _WORDED and value is not None
            else _shown(value)
            for name, value in row.items()
        }
        return self.reasons[str(row["reason"])][language].format_map(shown)


_WORDED = frozenset(
    name
    for table in TABLES.values()
    for name, column in table.columns.items()
    if column.words
)
"""Columns whose values are words of ours, told in the reader's language."""


def _word(value: str, say: Callable[[str], str]) -> str:
    """Return a word of the canonical vocabulary as a sentence says it."""
    words = {
        "employee": say("employee"),
        "contractor": say("contractor"),
        "intern": say("intern"),
        "vendor": say("supplier's person"),
    }
    return words.get(value) or say(value.replace("_", " "))


def _shown(value: object) -> str:
    """Return a value as a sentence shows it: times to the minute, null as a dash."""
    if value is None:
        return "—"
    text = f"{value:%Y-%m-%d %H:%M} UTC" if hasattr(value, "hour") else str(value)
    return text.removesuffix(".0")


def load_checks(queries: Path) -> dict[str, Check]:
    """Return the checks by id, most severe first.

    Raises:
        QueryHeaderError: a file breaks the contract.
    """
    checks = map(read_check, sorted((queries / "checks").glob("*.sql")))
    rank = list(Severity).index
    return {c.id: c for c in sorted(checks, key=lambda c: (rank(c.severity), c.id))}


def read_check(path: Path) -> Check:
    """Parse one file.

    Raises:
        QueryHeaderError: a key is missing, unknown or wrong, or a text is not told in
            every language.
    """
    text = path.read_text("utf-8")
    try:
        _, header_text, sql, _ = _FILE.split(text)
        header = tomllib.loads(header_text)
        header["severity"] = Severity(header["severity"])
        header["controls"] = tuple(header["controls"])
        for key in ("title", "question", "population", "remediation"):
            header[key] = _text(header[key])
        for key in ("columns", "reasons"):
            header[key] = {name: _text(told) for name, told in header[key].items()}
        digest = hashlib.sha256(text.encode()).hexdigest()
        check = Check(sql=sql, sha256=digest, **header)
    except (KeyError, TypeError, ValueError) as error:
        raise QueryHeaderError(f"{path}: {error}") from error
    if check.id != path.stem:
        raise QueryHeaderError(f"{path}: id {check.id!r} is not the file's name")
    if check.family not in FAMILIES:
        raise QueryHeaderError(f"{path}: family is none of {', '.join(FAMILIES)}")
    return check


def _text(told: Mapping[str, str]) -> Text:
    """Return a text in every language; a missing or unknown one is an error."""
    return {
        Language.ENGLISH: told["en"],
        Language.CHINESE: told["zh"],
    }


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A table derived once when a snapshot is sealed."""

    id: str
    purpose: str
    sql: str
    sha256: str


def load_facts(queries: Path) -> list[Fact]:
    """Return the derived tables in the order they build on one another.

    Raises:
        QueryHeaderError: a header is missing, or two facts need each other.
    """
    facts: dict[str, Fact] = {}
    needs: dict[str, set[str]] = {}
    for path in sorted((queries / "facts").glob("*.sql")):
        text = path.read_text("utf-8")
        try:
            _, header_text, sql, _ = _FILE.split(text)
            header = tomllib.loads(header_text)
            purpose, needed = header["purpose"], set(header["needs"])
        except (KeyError, TypeError, ValueError) as error:
            raise QueryHeaderError(f"{path}: {error}") from error
        digest = hashlib.sha256(text.encode()).hexdigest()
        facts[path.stem] = Fact(id=path.stem, purpose=purpose, sql=sql, sha256=digest)
        needs[path.stem] = needed
    ordered: list[Fact] = []
    while facts:
        ready = [name for name in facts if not needs[name] & set(facts)]
        if not ready:
            raise QueryHeaderError(f"facts need each other: {', '.join(sorted(facts))}")
        ordered += [facts.pop(name) for name in ready]
    return ordered


@dataclass(frozen=True, kw_only=True)
class Report:
    """One table or chart's rows, asked of a snapshot when somebody looks."""

    id: str
    purpose: str
    parameters: Mapping[str, str]
    sql: str
    sha256: str


def read_report(queries: Path, report_id: str) -> Report:
    """Read one report.

    Raises:
        QueryHeaderError: there is none of that name, or its header breaks the contract.
    """
    path = queries / "reports" / f"{report_id}.sql"
    try:
        text = path.read_text("utf-8")
        _, header_text, sql, _ = _FILE.split(text)
        header = tomllib.loads(header_text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        return Report(id=report_id, sql=sql, sha256=digest, **header)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise QueryHeaderError(f"{path}: {error}") from error
