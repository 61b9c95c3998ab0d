"""``campaign``: a review from opening to closing."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import polars as pl
import typer

from commands.terminal import (
    AsJson,
    CommandError,
    Config,
    application,
    now,
    one_line_errors,
    operator,
    out,
    print_json,
    print_rows,
    progress_bar,
    settings_of,
)
from governance import attestations, campaigns
from governance.campaigns import Plan
from governance.model import Language
from governance.register import open_register

app = application("Reviews: who signs for which access.")

CampaignId = Annotated[str, typer.Argument(help="Id that `campaign open` printed.")]
Due = Annotated[str, typer.Option("--due", help="Last day to decide, as 2026-12-15.")]
Only = Annotated[
    list[str] | None,
    typer.Option("--source", help="Only this source; may be given several times."),
]
By = Annotated[
    Literal["department_head", "manager"],
    typer.Option("--reviewers", help="Who signs for a person's access."),
]
Fallback = Annotated[
    str | None,
    typer.Option(help="Identity that reviews what nobody else can."),
]
SnapshotId = Annotated[
    str | None, typer.Option("--snapshot", help="Newest if left out.")
]
Tongue = Annotated[Language, typer.Option("--language", help="Language of workbooks.")]


def _plan(
    title: str,
    due: str,
    snapshot: str | None,
    source: list[str] | None,
    reviewers: Literal["department_head", "manager"],
    fallback: str | None,
) -> Plan:
    try:
        due_on = date.fromisoformat(due)
    except ValueError as error:
        raise CommandError(f"--due {due}: write a date as 2026-12-15") from error
    return Plan(
        title=title,
        due_on=due_on,
        snapshot_id=snapshot,
        sources=tuple(source) if source else None,
        reviewers=reviewers,
        fallback_reviewer=fallback,
    )


@app.command("preview")
@one_line_errors
def preview(
    due: Due,
    title: Annotated[str, typer.Option(help="Title of the review.")] = "Preview",
    snapshot: SnapshotId = None,
    source: Only = None,
    reviewers: By = "department_head",
    fallback: Fallback = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show what a campaign would ask of whom, and what it would leave out, and why."""
    settings = settings_of(config)
    plan = _plan(title, due, snapshot, source, reviewers, fallback)
    shown = campaigns.preview(settings, plan)
    if as_json:
        print_json(
            {
                "items": shown.items.height,
                "reviewers": shown.reviewers.to_dicts(),
                "excluded": shown.excluded.to_dicts(),
                "tie_out": shown.tie_out.to_dicts(),
                "problems": list(shown.problems),
            }
        )
        return
    print_rows(shown.tie_out, title="Accepted = in review + excluded")
    print_rows(shown.reviewers, title=f"{shown.items.height} rows, by reviewer")
    for problem in shown.problems:
        out.print(f"problem: {problem}", markup=False)


@app.command("open")
@one_line_errors
def open_(
    title: Annotated[str, typer.Argument(help="Title of the review.")],
    due: Due,
    snapshot: SnapshotId = None,
    source: Only = None,
    reviewers: By = "department_head",
    fallback: Fallback = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Open a campaign over a snapshot."""
    settings = settings_of(config)
    plan = _plan(title, due, snapshot, source, reviewers, fallback)
    with progress_bar("Opening") as step:
        step("review items", 0, 1)
        campaign = campaigns.open_campaign(
            open_register(settings), settings, operator(), plan, now()
        )
        step("review items", 1, 1)
    if as_json:
        print_json({"campaign_id": campaign.campaign_id, "title": campaign.title})
    else:
        out.print(f"Opened {campaign.campaign_id}: {campaign.title}")


@app.command("list")
@one_line_errors
def list_(config: Config = None, as_json: AsJson = False) -> None:
    """List the campaigns, newest first."""
    settings = settings_of(config)
    rows = [
        {
            "campaign_id": campaign.campaign_id,
            "title": campaign.title,
            "snapshot_id": campaign.snapshot_id,
            "due_on": campaign.due_on,
            "opened_at": campaign.opened_at,
            "closed_at": campaign.closed_at,
        }
        for campaign in campaigns.list_campaigns(open_register(settings))
    ]
    if as_json:
        print_json({"campaigns": rows})
    elif rows:
        print_rows(pl.DataFrame(rows), title="Campaigns")
    else:
        out.print("No campaign has been opened; `campaign open` opens one.")


@app.command("workbooks")
@one_line_errors
def workbooks(
    campaign_id: CampaignId,
    to: Annotated[Path, typer.Option("--to", help="Folder to write them to.")],
    language: Tongue = Language.ENGLISH,
    reviewer: Annotated[
        list[str] | None,
        typer.Option(help="Only this reviewer; may be given several times."),
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Write one workbook for each reviewer, holding only their rows."""
    settings = settings_of(config)
    register = open_register(settings)
    status = campaigns.status(register, campaign_id)
    wanted = reviewer or status["reviewer_id"].to_list()
    to.mkdir(parents=True, exist_ok=True)
    written = []
    with progress_bar("Workbooks") as step:
        for done, reviewer_id in enumerate(wanted):
            step(reviewer_id, done, len(wanted))
            book = attestations.issue_workbook(
                register,
                settings,
                campaign_id,
                reviewer_id,
                language,
                operator(),
                now(),
            )
            path = to / book.name
            path.write_bytes(book.content)
            written.append({"reviewer_id": reviewer_id, "file": str(path)})
    if as_json:
        print_json({"workbooks": written})
    else:
        out.print(f"Wrote {len(written)} workbooks to {to}")


@app.command("return")
@one_line_errors
def return_(
    files: Annotated[list[Path], typer.Argument(help="Workbooks that came back.")],
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Record what the preview shows.")
    ] = False,
    language: Tongue = Language.ENGLISH,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Check returned workbooks and show what they would record; record on --confirm.

    A workbook with one problem records nothing. The exit code is 1 if any was refused.
    """
    settings = settings_of(config)
    register = open_register(settings)
    results = []
    for file in files:
        try:
            content = file.read_bytes()
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from error
        received = attestations.receive(
            register, settings, operator(), file.name, content, now()
        )
        problems = _sentences(received.problems, language)
        notices = _sentences(received.notices, language)
        recorded = False
        if confirm and not problems:
            attestations.confirm_return(
                register, settings, operator(), received.return_id, now()
            )
            recorded = True
        results.append(
            {
                "file": str(file),
                "return_id": received.return_id,
                "counts": dict(received.counts),
                "problems": problems,
                "notices": notices,
                "preview": received.preview.to_dicts(),
                "recorded": recorded,
            }
        )
        if not as_json:
            out.print(f"[bold]{file.name}[/]: {_told(dict(received.counts))}")
            for problem in [*problems, *notices]:
                where = f" at {problem['cell']}" if problem["cell"] else ""
                out.print(
                    f"  {problem['code']}{where}: {problem['sentence']}", markup=False
                )
            if recorded:
                out.print("  recorded")
            elif not problems:
                out.print("  nothing recorded yet; --confirm records exactly this")
    if as_json:
        print_json({"returns": results})
    if any(result["problems"] for result in results):
        raise typer.Exit(1)


def _sentences(
    problems: Sequence[attestations.Problem], language: Language
) -> list[dict[str, str | None]]:
    return [
        {
            "code": problem.code,
            "cell": problem.cell,
            "sentence": problem.sentence(language),
        }
        for problem in problems
    ]


def _told(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {word}" for word, count in counts.items()) or "no rows"


@app.command("status")
@one_line_errors
def status(
    campaign_id: CampaignId, config: Config = None, as_json: AsJson = False
) -> None:
    """Show how far each reviewer is."""
    register = open_register(settings_of(config))
    rows = campaigns.status(register, campaign_id)
    if as_json:
        print_json({"campaign_id": campaign_id, "reviewers": rows.to_dicts()})
    else:
        print_rows(rows, title=campaigns.campaign(register, campaign_id).title)


@app.command("close")
@one_line_errors
def close(
    campaign_id: CampaignId,
    accept_undecided: Annotated[
        bool,
        typer.Option(
            "--accept-undecided",
            help="Close although rows are undecided; each is listed by name.",
        ),
    ] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Close a campaign: nothing can be decided in it any more."""
    register = open_register(settings_of(config))
    closed = campaigns.close_campaign(
        register, operator(), campaign_id, now(), accept_undecided=accept_undecided
    )
    if as_json:
        print_json({"campaign_id": closed.campaign_id, "closed_at": closed.closed_at})
    else:
        out.print(f"Closed {closed.campaign_id}: {closed.title}")
