"""The catalogue of checks as one page, queries/README.md, made from the queries alone.

Run ``python -m governance.catalogue_page`` after a header has changed; a test compares.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from governance.catalog import (
    FAMILIES,
    LEADING_COLUMNS,
    Check,
    Fact,
    load_checks,
    load_facts,
)
from governance.model import Language, Severity
from governance.settings import ROOT

PAGE = "README.md"
COMMAND = "python cli.py check catalogue"

_FAMILY_TITLES = {
    "shared": "Shared accounts 共用账号",
    "leavers": "Leavers 离职人员",
    "privilege": "Privilege 权限",
    "credentials": "2FA and credentials 双因素验证与凭据",
    "use": "Use 使用情况",
    "governance": "Governance 治理",
}
_INTRODUCTION = """\
# Checks

<!-- Made by `{command}` from the headers of the files beside it. Edit those. -->

{count} checks, asked of every snapshot. Each file in `checks/` is one question: a
header that says what is asked, of whom and why, and one `select` that returns a row
for everybody it was asked of, as `pass`, `fail` or `unknown`. What a source does not
tell is `unknown`: never a pass, never a finding, always counted. Thresholds are the
organisation's own and stand in `data/policy.toml`; there are no built-in defaults. The
control identifiers are our reading of what a check is evidence for; an auditor
decides.
"""
_HOW_TO_ADD = """\
## How to add a check

1. Write `checks/<id>.sql`, the id naming the problem and never a framework: a header
   like those of its neighbours, then one `select`. Nothing registers it; adding the
   file adds the check, its page and its section here.
2. Return {leading}, then the check's own columns as the header declares them, then
   `status` and `reason`. `subject_id` is unique and never null: it is what a finding,
   a waiver and a removal hold on to from snapshot to snapshot. A grant is
   `account_id || ' > ' || entitlement_id`.
3. Return the whole population. Leave out only whom the question does not concern, and
   say in `[population]` who is left. A missing fact ends in `unknown`; do not coalesce
   it into a pass.
4. `reason` is a code of `[reasons]`, whose sentences are written for a department head
   in both languages; `{{column}}` stands for the row's value.
5. Read only tables of `snapshot` and, to compare, of `prior`. Time is `$as_of` and
   days are days of `$time_zone`; no clock, no chance. `order by` to the last tie, so
   that the evidence is the same bytes when it is made again.
6. Ask the policy for every threshold (`$name`), describe it under `[parameters]`, and
   set it in `data/policy.toml`.
7. Never join the logins with themselves: derive a table once when the snapshot is
   sealed (`facts/`) and ask that.
8. Write `tests/queries/test_<id>.py`: both sides of each threshold, unknown, and who is
   outside the population. Enter the controls in `tests/queries/test_catalog.py`, which
   holds every file here to these rules.
9. Run `{command}`, and name the check in CHANGELOG.md: a changed check changes what
   an auditor is told.
"""


def render(queries: Path) -> str:
    """Return the page as Markdown: every check, then the facts, then how to add one.

    Raises:
        QueryHeaderError: a file breaks the contract of headers.
    """
    checks = list(load_checks(queries).values())
    parts = [
        _INTRODUCTION.format(command=COMMAND, count=len(checks)),
        _overview(checks),
        *_families(checks),
        _derived_tables(load_facts(queries)),
        _HOW_TO_ADD.format(
            command=COMMAND, leading=", ".join(f"`{name}`" for name in LEADING_COLUMNS)
        ),
    ]
    return "\n".join(parts)


def write(queries: Path) -> Path:
    """Write the page beside the queries and return where it stands.

    Raises:
        QueryHeaderError: a file breaks the contract of headers.
    """
    path = queries / PAGE
    path.write_text(render(queries), "utf-8")
    return path


def _overview(checks: list[Check]) -> str:
    """Return the list of checks, most severe first."""
    rows = [
        (
            f"[{check.id}](#{check.id})",
            check.title[Language.ENGLISH],
            check.title[Language.CHINESE],
            check.severity.value,
        )
        for check in checks
    ]
    severities = ", ".join(severity.value for severity in Severity)
    table = _table(("check", "finds", "发现", "severity"), rows)
    return f"{table}\nSeverities, most urgent first: {severities}.\n"


def _families(checks: list[Check]) -> Iterator[str]:
    for family in FAMILIES:
        members = [check for check in checks if check.family == family]
        if members:
            yield f"## {_FAMILY_TITLES[family]}\n"
        for check in members:
            yield _section(check)


def _section(check: Check) -> str:
    """Return what there is to know of one check."""
    english, chinese = Language.ENGLISH, Language.CHINESE
    rows = [
        (name, check_text[english], check_text[chinese])
        for name, check_text in (
            ("title", check.title),
            ("asks", check.question),
            ("tests", check.population),
            ("what to do", check.remediation),
        )
    ]
    parameters = [(f"`{name}`", meaning) for name, meaning in check.parameters.items()]
    reasons = [
        (f"`{code}`", sentence[english], sentence[chinese])
        for code, sentence in check.reasons.items()
    ]
    return "\n".join(
        [
            f"### {check.id}\n",
            _table(("", "English", "中文"), rows),
            f"Severity {check.severity}, one row per {check.subject}, in "
            f"[checks/{check.id}.sql](checks/{check.id}.sql).\n",
            f"Maps to: {', '.join(check.controls)}.\n",
            _table(("parameter", "meaning"), parameters)
            if parameters
            else "It takes no parameters.\n",
            _table(("reason", "English", "中文"), reasons),
        ]
    )


def _derived_tables(facts: list[Fact]) -> str:
    """Return what is derived when a snapshot is sealed."""
    rows = [(f"`{fact.id}`", fact.purpose) for fact in facts]
    return (
        "## Tables derived when a snapshot is sealed\n\n"
        "Files in `facts/`, for the questions that would otherwise read every login "
        "again.\n\n" + _table(("table", "holds"), rows)
    )


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a Markdown table with an empty line after it."""
    lines = [head, ("---",) * len(head), *rows]
    return "".join(
        "| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |\n"
        for line in lines
    )


if __name__ == "__main__":
    write(ROOT / "queries")
