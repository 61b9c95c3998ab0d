"""Make up the company and write what its systems would export, month by month."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from data.demo.accounts import Opening, built_in, open_accounts
from data.demo.casting import Casting
from data.demo.credentials import neglect
from data.demo.files import (
    write_crm,
    write_crm_logs,
    write_directory,
    write_old_crm,
    write_owners,
    write_roster,
)
from data.demo.generic_accounts import lend
from data.demo.journeys import travel
from data.demo.leavers import leave
from data.demo.logins import sign_in
from data.demo.months import Month, last_months
from data.demo.namesakes import rename
from data.demo.people import hire
from data.demo.privileges import overreach
from data.demo.settings_file import settings_text
from data.demo.truth import findings
from data.demo.world import World

FEWEST_PEOPLE = 60

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class Company:
    """What was written, and where."""

    config: Path
    """``gatebook.toml`` of the newest month."""
    months: tuple[tuple[Path, datetime], ...]
    """Folder of each month, with a gatebook.toml of its own, and the moment its exports
    show, UTC; oldest first."""


@dataclass(frozen=True, kw_only=True)
class Invented:
    """The company in memory, with what was planted in it."""

    world: World
    planted: dict[str, list[str]]
    """Check id → subjects it was written to report; a part of the truth."""
    negatives: dict[str, list[str]]
    """Check id → subjects that only look as if it should."""


def invent(*, people: int, seed: int, months: int) -> Invented:
    """Make up the company.

    Raises:
        ValueError: fewer than 60 people or not one month: too few for all parts.
    """
    if people < FEWEST_PEOPLE:
        raise ValueError(f"a company has at least {FEWEST_PEOPLE} people, not {people}")
    if months < 1:
        raise ValueError(f"a company is told in at least one month, not {months}")
    span = last_months(months)
    workforce = hire(seed, people, span)
    rename(seed, workforce, span)
    world = World(workforce.people, workforce.units, span)
    opening = Opening(seed, world)
    built_in(opening)
    open_accounts(opening)
    casting = Casting(seed, world, opening, workforce.registry.phone)
    leave(casting)
    lend(casting)
    neglect(casting)
    overreach(casting)
    sign_in(seed, world)
    travel(casting)
    return Invented(
        world=world,
        planted={check: sorted(set(ids)) for check, ids in casting.findings.items()},
        negatives={check: sorted(set(ids)) for check, ids in casting.negatives.items()},
    )


def write_company(
    folder: Path,
    *,
    people: int,
    seed: int,
    months: int,
    progress: Progress | None = None,
) -> Company:
    """Write the company's exports, its gatebook.toml files, owners.csv and truth.json.

    The same people, seed and months give the same text, byte for byte.

    Args:
        folder: Made if it is not there; files of the same names are replaced.
        people: Rows of the newest HR roster, from 60.
        seed: Any number; another number is another company.
        months: How many months to tell, the last being October 2026.
        progress: Called with the step, how many steps are done and how many there are.

    Raises:
        ValueError: fewer than 60 people or not one month.
    """
    tell = progress or (lambda _step, _done, _all: None)
    steps = months + 2
    tell("company", 0, steps)
    invented = invent(people=people, seed=seed, months=months)
    world = invented.world
    folder.mkdir(parents=True, exist_ok=True)
    write_owners(folder / "owners.csv", world)
    for number, month in enumerate(world.months, start=1):
        tell(month.name, number, steps)
        roster, old_users = _write_month(folder / month.name, world, month)
        own = settings_text("", "../", roster=roster, old_users=old_users)
        _write(folder / month.name / "gatebook.toml", own)
        if month == world.newest:
            own = settings_text(
                f"{month.name}/", "", roster=roster, old_users=old_users
            )
            _write(folder / "gatebook.toml", own)
    tell("truth", steps - 1, steps)
    truth = {"findings": findings(world), "negatives": invented.negatives}
    _write(
        folder / "truth.json",
        json.dumps(truth, ensure_ascii=False, indent=1, sort_keys=True) + "\n",
    )
    tell("company", steps, steps)
    return Company(
        config=folder / "gatebook.toml",
        months=tuple(
            (folder / month.name, month.as_of.astimezone(UTC)) for month in world.months
        ),
    )


def _write_month(folder: Path, world: World, month: Month) -> tuple[int, int]:
    """Write a month's exports; return how many people and old users they hold."""
    for name in ("hr", "crm", "crm_logs", "entra", "old_crm"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    roster = write_roster(folder / "hr", world, month)
    write_crm(folder / "crm", world, month)
    write_crm_logs(folder / "crm_logs", world, month)
    write_directory(folder / "entra", world, month)
    old_users = write_old_crm(folder / "old_crm", world, month)
    return roster, old_users


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
