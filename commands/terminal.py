"""What every command does alike: settings, errors, tables, JSON and progress."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import wraps
from getpass import getuser
from pathlib import Path
from typing import Annotated, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

import polars as pl
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from governance.app_roles import Actor, AppRole
from governance.model import GovernanceError
from governance.settings import Settings

Config = Annotated[
    Path | None,
    typer.Option("--config", help="gatebook.toml of the installation."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]

_Given = ParamSpec("_Given")
_Returned = TypeVar("_Returned")

# A pipe has no width of its own, and 80 columns would fold every id.
out = Console(width=None if sys.stdout.isatty() else 160)
err = Console(stderr=True)


class CommandError(GovernanceError):
    """What the command line was asked cannot be meant."""


def application(purpose: str) -> typer.Typer:
    """Return a group of commands."""
    return typer.Typer(
        help=purpose,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )


def one_line_errors(
    command: Callable[_Given, _Returned],
) -> Callable[_Given, _Returned]:
    """Print what the product refuses as one line, and exit with 1."""

    @wraps(command)
    def guarded(*args: _Given.args, **kwargs: _Given.kwargs) -> _Returned:
        try:
            return command(*args, **kwargs)
        except GovernanceError as error:
            sentence = " ".join(str(error).split())
            sys.stderr.write(f"error: {sentence}\n")
            raise typer.Exit(1) from error

    return guarded


def settings_of(config: Path | None) -> Settings:
    """Read the installation's settings."""
    return Settings.read(config)


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


def moment(text: str | None, settings: Settings) -> datetime:
    """Read ``--as-of``; without one, it is now.

    A date alone means the end of that day in the installation's time zone: the first
    instant of the next day would already be tomorrow to every check.

    Raises:
        CommandError: the text is neither a date nor a date and time.
    """
    if text is None:
        return now().replace(microsecond=0)
    zone = ZoneInfo(settings.time_zone)
    try:
        if len(text) == len("2026-01-31"):
            day = date.fromisoformat(text)
            last = datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=zone)
            return last.astimezone(UTC)
        told = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(
            f"--as-of {text}: write 2026-01-31 or 2026-01-31T18:00:00+08:00"
        ) from error
    return (told if told.tzinfo else told.replace(tzinfo=zone)).astimezone(UTC)


def operator() -> Actor:
    """Return whoever runs the command: they hold the files, so they may do all of it.

    The audit trail names them as ``cli:<login>``.
    """
    login = getuser()
    return Actor(actor_id=f"cli:{login}", name=login, role=AppRole.SECURITY_MANAGER)


def print_json(value: object) -> None:
    """Print a value for programs."""
    sys.stdout.write(
        json.dumps(value, ensure_ascii=False, indent=2, default=_plain) + "\n"
    )


def _plain(value: object) -> object:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def print_rows(
    rows: pl.DataFrame, *, title: str = "", columns: Sequence[str] | None = None
) -> None:
    """Print rows as a table for people; whatever a source wrote is shown as text."""
    shown = rows if columns is None else rows.select(columns)
    table = Table(title=title or None, title_justify="left")
    for name, kind in shown.schema.items():
        table.add_column(
            name.replace("_", " "),
            justify="right" if kind.is_numeric() else "left",
            no_wrap=name.endswith("id"),
        )
    for row in shown.iter_rows():
        table.add_row(*(escape(_cell(value)) for value in row))
    out.print(table)


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


@contextmanager
def progress_bar(purpose: str) -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar while long work runs; yields ``(what, done, of)``."""
    with Progress(
        SpinnerColumn(),
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    ) as progress:
        task = progress.add_task(purpose, total=None)

        def step(what: str, done: int, of: int) -> None:
            shown = f"{purpose}: {escape(what)}" if what else purpose
            progress.update(task, description=shown, completed=done, total=of or None)

        yield step
