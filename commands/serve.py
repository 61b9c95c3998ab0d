"""``serve``: the pages, on this machine only unless told otherwise."""

import os
import sys
from typing import Annotated

import typer

from commands.terminal import Config, one_line_errors, out, settings_of
from governance.settings import CONFIG_VARIABLE, ROOT


@one_line_errors
def serve(
    config: Config = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port.")] = 8501,
) -> None:
    """Serve the pages on http://127.0.0.1:PORT until interrupted."""
    settings = settings_of(config)
    os.environ[CONFIG_VARIABLE] = str(settings.config)
    os.chdir(ROOT)
    out.print(f"Gatebook serves {settings.organisation} on http://127.0.0.1:{port}")
    sys.stdout.flush()
    program = [sys.executable, "-m", "streamlit", "run", "app.py"]
    options = ["--server.address", "127.0.0.1", "--server.port", str(port)]
    os.execv(sys.executable, [*program, *options])  # noqa: S606 - our own interpreter
