"""``demo``: an invented company to try everything on."""

from pathlib import Path
from typing import Annotated

import typer

from commands.snapshots import take_snapshot
from commands.terminal import (
    AsJson,
    CommandError,
    one_line_errors,
    out,
    print_json,
    progress_bar,
)
from data.demo.company import write_company
from governance.settings import Settings


@one_line_errors
def demo(
    folder: Annotated[Path, typer.Argument(help="Folder to write, new or empty.")],
    people: Annotated[int, typer.Option(min=60, max=100_000)] = 300,
    seed: Annotated[int, typer.Option(help="Equal seeds make equal companies.")] = 7,
    months: Annotated[int, typer.Option(min=1, max=24)] = 3,
    seal: Annotated[
        bool, typer.Option("--seal", help="Seal a snapshot of every month.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write an invented company: its systems' exports, one folder a month."""
    if folder.exists() and any(folder.iterdir()):
        raise CommandError(f"{folder}: the folder is not empty; name a new one")
    with progress_bar("Inventing") as step:
        company = write_company(
            folder, people=people, seed=seed, months=months, progress=step
        )
    sealed = []
    if seal:
        for month, as_of in company.months:
            settings = Settings.read(month / "gatebook.toml")
            sealed.append(take_snapshot(settings, as_of.isoformat()).snapshot_id)
    if as_json:
        print_json({"config": company.config, "snapshots": sealed})
        return
    out.print(f"Wrote {people} people over {months} months to {folder}")
    for name in sealed:
        out.print(f"Sealed {name}")
    out.print(f"Look at it: python cli.py serve --config {company.config}")
