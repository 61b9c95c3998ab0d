"""People whose names mislead: namesakes, odd surnames, somebody hired twice."""

import random
from datetime import timedelta

from data.demo.months import Month
from data.demo.names import DOMAIN
from data.demo.people import Workforce
from data.demo.world import Person

NAMESAKE = "王伟"
ODD_NAMES = (
    ("Testa Rossi", "testa.rossi"),
    ("Sales Zhang", "sales.zhang"),
    ("Guestav Admine", "guestav.admine"),
)
"""Names that begin like a generic login and are names."""


def rename(seed: int, workforce: Workforce, months: tuple[Month, ...]) -> None:
    """Give some people names that mislead, before any system knows them."""
    rng = random.Random(f"{seed}:namesakes")
    first = months[0].start.date()
    free = [
        person
        for person in workforce.people
        if person.start < first
        and person.end is None
        and person.moved is None
        and person.kind == "employee"
        and not person.is_head
    ]
    at_home = [one for one in free if one.place.country == "CN"]
    sellers = [one for one in at_home if one.unit.family == "sales"]
    others = [one for one in at_home if one.unit.family == "service"]
    for person in (rng.choice(sellers), rng.choice(others)):
        person.name = NAMESAKE
        person.email = workforce.registry.email("wei.wang", DOMAIN)
    abroad = [one for one in free if one.place.country != "CN"]
    for person, (name, local) in zip(
        rng.sample(abroad, min(len(abroad), len(ODD_NAMES))), ODD_NAMES, strict=False
    ):
        person.name, person.email = name, f"{local}@{DOMAIN}"
    _hire_again(
        rng, workforce, months, [one for one in sellers if one.name != NAMESAKE]
    )


def _hire_again(
    rng: random.Random,
    workforce: Workforce,
    months: tuple[Month, ...],
    current: list[Person],
) -> None:
    """Let somebody stand in HR twice: as gone, and under a new number as here."""
    last = months[-1].today
    gone = [one for one in workforce.people if one.end is not None]
    gone = [one for one in gone if one.end is not None and (last - one.end).days > 250]
    if not gone or not current:
        return
    former, person = gone[0], rng.choice(current)
    if former.end is None:
        return
    former.name, former.email, former.phone = person.name, person.email, person.phone
    former.title, former.unit, former.kind = person.title, person.unit, person.kind
    former.rehired_as = person
    person.start = former.end + timedelta(days=45)
