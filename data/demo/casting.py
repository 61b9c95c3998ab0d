"""Who plays which part: every oddity is played by somebody who plays no other.

What a part must lead to is noted beside it: ``findings`` for what a check has to
report, ``negatives`` for what only looks like it. Side effects are not noted here;
``truth`` works the whole of it out from the finished world.
"""

import random
from collections.abc import Callable, Iterable

from data.demo.accounts import Opening
from data.demo.months import Month
from data.demo.namesakes import NAMESAKE, ODD_NAMES
from data.demo.systems import CRM, OLD_CRM, PROFILES, old_profile
from data.demo.world import Account, Entitlement, Grant, Person, World

Fits = Callable[[Person], bool]


class Casting:
    """Chooses people for parts and keeps the book of what was planted."""

    def __init__(
        self, seed: int, world: World, opening: Opening, phone: Callable[[], str]
    ) -> None:
        self.world = world
        self.opening = opening
        self.phone = phone
        """Returns a telephone number that nobody has."""
        self.rng = random.Random(f"{seed}:casting")
        self.taken: set[Person] = set()
        self.spared: set[Person] = set()
        self.findings: dict[str, list[str]] = {}
        self.negatives: dict[str, list[str]] = {}
        self.order = self.rng.sample(world.people, len(world.people))
        misleading = {NAMESAKE, *(name for name, _ in ODD_NAMES)}
        for person in world.people:
            if person.name in misleading or person.rehired_as is not None:
                current = person.rehired_as or person
                self.taken.update({person, current})
                self.spared.update({person, current})
        people = len(world.people)
        self.few = 1 if people < 150 else 2 if people < 300 else 3 + people // 500
        """How often a part that must be there is played."""
        self.bearers = self._bearers()
        self.knockers: list[Account] = []
        """Closed accounts that somebody tries to use."""

    @property
    def month(self) -> Month:
        """Return the month that counts."""
        return self.world.newest

    def pick(self, count: int, fits: Fits) -> list[Person]:
        """Return people for a part that leads to findings.

        In a very small company somebody may have to play a second part; who only looks
        guilty never does.
        """
        free = [one for one in self.order if one not in self.taken and fits(one)]
        found = free[:count]
        if len(found) < count:
            busy = self.taken - self.spared - set(found)
            found += [one for one in self.order if one in busy and fits(one)]
        self.taken.update(found[:count])
        return found[:count]

    def spare(self, count: int, fits: Fits) -> list[Person]:
        """Return people, if there are any, who look guilty and are not."""
        free = [one for one in self.order if one not in self.taken and fits(one)]
        self.taken.update(free[:count])
        self.spared.update(free[:count])
        return free[:count]

    def expect(self, check: str, *subjects: str) -> None:
        """Note what a check has to report."""
        self.findings.setdefault(check, []).extend(subjects)

    def acquit(self, check: str, *subjects: str) -> None:
        """Note what a check must not report."""
        self.negatives.setdefault(check, []).extend(subjects)

    def old_account(self, person: Person) -> Account:
        """Return somebody's account in the old CRM, opened before it was forgotten."""
        account = account_of(person, OLD_CRM)
        if account is None:
            account = self.opening.old(person)
            profile = old_profile(person.unit.family, person.title) or "Sales User"
            account.give(PROFILES[profile], account.created)
        return account

    def settled(self, person: Person) -> bool:
        """Return whether somebody was there all the time and did not move or leave."""
        return (
            person.start < self.world.months[0].start.date()
            and person.end is None
            and person.status is None
            and person.moved is None
        )

    def staff(
        self, family: str, source: str = CRM, kind: str = "employee", title: str = ""
    ) -> Fits:
        """Return whether somebody settled is of the staff of such departments."""

        def fits(person: Person) -> bool:
            return (
                self.settled(person)
                and not person.is_head
                and person.kind == kind
                and family in ("", person.unit.family)
                and title in person.title
                and account_of(person, source) is not None
            )

        return fits

    def heads(self, family: str, source: str = CRM) -> Fits:
        """Return whether somebody settled heads a unit of such departments."""

        def fits(person: Person) -> bool:
            return (
                self.settled(person)
                and person.is_head
                and family in ("", person.unit.family)
                and account_of(person, source) is not None
            )

        return fits

    def is_alone(self, person: Person) -> bool:
        """Return whether no other account of the CRM bears the person's name."""
        return self.bearers.get(person.name, 0) == 1

    def _bearers(self) -> dict[str, int]:
        count: dict[str, int] = {}
        for account in self.world.of(CRM):
            count[account.name] = count.get(account.name, 0) + 1
        return count


def account_of(person: Person, source: str) -> Account | None:
    """Return somebody's first account in a source."""
    return next((one for one in person.accounts if one.source == source), None)


def the(person: Person, source: str) -> Account:
    """Return somebody's account in a source where there must be one."""
    account = account_of(person, source)
    if account is None:
        raise LookupError(f"{person.number} has no account in {source}")
    return account


def grant_id(account: Account, entitlement: Entitlement | Grant) -> str:
    """Return how checks name a grant."""
    held = entitlement.entitlement if isinstance(entitlement, Grant) else entitlement
    return f"{account.account_id} > {held.entitlement_id}"


def grants_of(accounts: Iterable[Account], month: Month) -> list[str]:
    """Return how checks name everything accounts hold at the end of a month."""
    return [
        grant_id(account, grant)
        for account in accounts
        for grant in account.held(month)
    ]
