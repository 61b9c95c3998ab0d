"""``check``: what is asked of every snapshot, and what the answers are."""

from typing import Annotated, Any

import polars as pl
import typer

from commands.terminal import (
    AsJson,
    CommandError,
    Config,
    application,
    one_line_errors,
    out,
    print_json,
    print_rows,
    settings_of,
)
from governance import catalogue_page
from governance.assessments import Assessment, assess_all, assess_once, page_of
from governance.catalog import Check, load_checks
from governance.model import Language, Status
from governance.policy import Policy
from governance.scope import Scope
from governance.settings import ROOT, Settings
from governance.snapshots import kept_open

app = application("The checks and their answers.")
EVERYTHING = Scope(None)

SnapshotId = Annotated[
    str | None, typer.Option("--snapshot", help="Newest if left out.")
]
Tongue = Annotated[Language, typer.Option("--language", help="Language of sentences.")]


@app.command("list")
@one_line_errors
def list_(
    config: Config = None,
    snapshot: SnapshotId = None,
    language: Tongue = Language.ENGLISH,
    as_json: AsJson = False,
) -> None:
    """List every check with how many were tested, failed and stayed unknown."""
    settings = settings_of(config)
    rows = [
        _counted(assessment, language)
        for assessment in assess_all(settings, snapshot).values()
    ]
    if as_json:
        print_json({"checks": rows})
    else:
        print_rows(pl.DataFrame(rows), title="Checks, most severe first")


@app.command("show")
@one_line_errors
def show(
    check_id: str,
    config: Config = None,
    snapshot: SnapshotId = None,
    status: Annotated[Status | None, typer.Option(help="Only this status.")] = None,
    search: Annotated[str, typer.Option(help="Text to look for.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Rows shown; --json has all.")] = 50,
    language: Tongue = Language.ENGLISH,
    as_json: AsJson = False,
) -> None:
    """Show the rows of one check, each with its reason in words."""
    settings = settings_of(config)
    check = _check(settings, check_id)
    assessment = _assessment(settings, check, snapshot)
    found = page_of(
        assessment,
        EVERYTHING,
        status=status,
        search=search,
        limit=assessment.count() if as_json else limit,
    )
    rows = [
        row | {"reason": row["reason"], "sentence": check.explain(row, language)}
        for row in found.rows.iter_rows(named=True)
    ]
    if as_json:
        counted = _counted(assessment, language)
        print_json(counted | {"snapshot_id": assessment.snapshot_id, "rows": rows})
        return
    out.print(f"[bold]{check.title[language]}[/] ({assessment.snapshot_id})")
    if rows:
        shown = pl.DataFrame(rows).select("subject_id", "status", "sentence")
        print_rows(shown)
    out.print(f"{len(rows)} of {found.total} rows; tested {assessment.count()}.")


@app.command("explain")
@one_line_errors
def explain(
    check_id: str,
    config: Config = None,
    language: Tongue = Language.ENGLISH,
    as_json: AsJson = False,
) -> None:
    """Say what a check asks, with which thresholds, and print its query."""
    settings = settings_of(config)
    check = _check(settings, check_id)
    policy = Policy.read(settings.policy)
    given = {name: policy.thresholds.get(name) for name in check.parameters}
    told: dict[str, Any] = {
        "id": check.id,
        "title": check.title[language],
        "question": check.question[language],
        "severity": check.severity,
        "subject": check.subject,
        "controls": list(check.controls),
        "remediation": check.remediation[language],
        "parameters": {
            name: {"meaning": meaning, "value": given[name]}
            for name, meaning in check.parameters.items()
        },
        "reasons": {code: text[language] for code, text in check.reasons.items()},
        "sha256": check.sha256,
        "sql": check.sql,
    }
    if as_json:
        print_json(told)
        return
    out.print(f"[bold]{told['title']}[/]\n{told['question']}\n")
    out.print(f"Maps to: {', '.join(check.controls)}")
    out.print(f"What to do: {told['remediation']}")
    for name, meaning in check.parameters.items():
        value = "the snapshot's moment" if name == "as_of" else given[name]
        out.print(f"  {name} = {value}  ({meaning})", markup=False)
    out.print(f"\nqueries/checks/{check.id}.sql, SHA-256 {check.sha256}\n")
    out.print(check.sql, markup=False, highlight=False)


@app.command("catalogue")
@one_line_errors
def catalogue() -> None:
    """Write queries/README.md anew from the checks' own headers."""
    out.print(f"Wrote {catalogue_page.write(ROOT / 'queries')}")


def _check(settings: Settings, check_id: str) -> Check:
    checks = load_checks(settings.queries)
    if check_id not in checks:
        raise CommandError(
            f"no check is called {check_id}; `check list` names them: "
            f"{', '.join(sorted(checks))}"
        )
    return checks[check_id]


def _assessment(
    settings: Settings, check: Check, snapshot_id: str | None
) -> Assessment:
    policy = Policy.read(settings.policy)
    return assess_once(settings, check, kept_open(settings, snapshot_id), policy)


def _counted(assessment: Assessment, language: Language) -> dict[str, Any]:
    return {
        "id": assessment.check.id,
        "severity": assessment.check.severity.value,
        "title": assessment.check.title[language],
        "tested": assessment.count(),
        "failed": assessment.count(Status.FAIL),
        "unknown": assessment.count(Status.UNKNOWN),
        "passed": assessment.count(Status.PASS),
    }
