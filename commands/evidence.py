"""``evidence``: what the auditor takes away."""

from pathlib import Path
from typing import Annotated

import typer

from commands.terminal import (
    AsJson,
    Config,
    application,
    now,
    one_line_errors,
    operator,
    out,
    print_json,
    progress_bar,
    settings_of,
)
from governance.evidence import evidence_workbook
from governance.model import Language
from governance.register import open_register
from governance.snapshots import file_sha256

app = application("Evidence for the auditor.")


@app.command("workbook")
@one_line_errors
def workbook(
    campaign_id: Annotated[str, typer.Argument(help="Id of the campaign.")],
    to: Annotated[Path | None, typer.Option("--to", help="File to write.")] = None,
    language: Annotated[Language, typer.Option("--language")] = Language.ENGLISH,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Write the evidence workbook of a campaign, open or closed."""
    settings = settings_of(config)
    with progress_bar("Evidence") as step:
        step("workbook", 0, 1)
        name, content = evidence_workbook(
            open_register(settings), settings, campaign_id, operator(), language, now()
        )
        path = to or Path(name)
        path.write_bytes(content)
        step("workbook", 1, 1)
    told = {"file": str(path), "bytes": len(content), "sha256": file_sha256(path)}
    if as_json:
        print_json(told)
    else:
        out.print(f"Wrote {path} ({len(content):,} bytes, SHA-256 {told['sha256']})")
