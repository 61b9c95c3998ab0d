"""``source``: the systems gatebook.toml names, and what each can tell."""

from typing import Annotated, Any

import polars as pl
import typer

from commands.terminal import (
    AsJson,
    CommandError,
    Config,
    application,
    err,
    one_line_errors,
    out,
    print_json,
    print_rows,
    progress_bar,
    settings_of,
)
from connectors import connector_named
from connectors.conform import extract
from governance import snapshots
from governance.schema import REVIEW_FACTS

app = application("The systems that accounts come from.")


@app.command("list")
@one_line_errors
def list_(config: Config = None, as_json: AsJson = False) -> None:
    """List the sources, and when the newest snapshot read each."""
    settings = settings_of(config)
    current = snapshots.current_id(settings)
    sealed: dict[str, Any] = {}
    if current is not None:
        manifest = snapshots.Manifest.read(snapshots.folder_of(settings, current))
        sealed = {source["source"]: source for source in manifest.sources}
    rows = [
        {
            "source": name,
            "connector": told.connector,
            "title": told.title or name,
            "extracted_at": sealed.get(name, {}).get("extracted_at"),
            "completeness": sealed.get(name, {}).get("completeness"),
        }
        for name, told in settings.sources.items()
    ]
    if as_json:
        print_json({"sources": rows})
    elif rows:
        print_rows(pl.DataFrame(rows, infer_schema_length=None), title="Sources")
    else:
        out.print("No source is declared in gatebook.toml.")


@app.command("pull")
@one_line_errors
def pull(
    name: Annotated[str, typer.Argument(help="Name of the source.")],
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Read one source and show what it tells. Nothing is sealed."""
    settings = settings_of(config)
    if name not in settings.sources:
        known = ", ".join(settings.sources) or "none"
        raise CommandError(
            f"{settings.config}: no source is called {name}; there are {known}"
        )
    told = settings.sources[name]
    connector = connector_named(told.connector)
    with progress_bar("Pulling") as step:
        step(name, 0, 1)
        found = extract(connector, connector.context(name, settings, told))
        step(name, 1, 1)
    tie_outs = [
        {
            "table": tie_out.table_name,
            "file": tie_out.file,
            "stated": tie_out.stated,
            "read": tie_out.read,
            "accepted": tie_out.accepted,
            "rejected": tie_out.rejected,
            "duplicate": tie_out.duplicate,
        }
        for tie_out in found.tie_outs
    ]
    facts = [
        {"fact": fact, "told": fact in found.facts}
        for fact in REVIEW_FACTS
        if fact.split(".")[0] in {t.table_name for t in found.tie_outs}
    ]
    if as_json:
        print_json(
            {
                "source": name,
                "completeness": found.completeness,
                "tie_outs": tie_outs,
                "facts": facts,
                "rejected_rows": found.rejected.to_dicts(),
                "notes": list(found.notes),
            }
        )
        return
    out.print(f"{name}: completeness {found.completeness}")
    print_rows(pl.DataFrame(tie_outs, infer_schema_length=None), title="Rows")
    print_rows(pl.DataFrame(facts), title="What it can tell")
    for note in found.notes:
        err.print(f"note: {note}", markup=False, highlight=False)
