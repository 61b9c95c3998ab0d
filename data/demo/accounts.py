"""Who has which account, as the company's own rules would have it: nothing odd yet."""

import random
from datetime import datetime, timedelta

from data.demo.months import midnight
from data.demo.names import DOMAIN
from data.demo.systems import (
    CRM,
    CRM_FAMILIES,
    ENTRA,
    GROUPS,
    OLD_CRM,
    PROFILES,
    ROLES,
    SUPER_USER,
    crm_roles,
    directory_groups,
    old_profile,
)
from data.demo.world import Account, Entitlement, Person, World, since_day

_KEPT_DAYS = 90
"""Disabled accounts of people who left longer before the first month are deleted."""


class Opening:
    """Opens accounts; gives out their ids."""

    def __init__(self, seed: int, world: World) -> None:
        self.world = world
        self.rng = random.Random(f"{seed}:accounts")
        self.guids = random.Random(f"{seed}:guids")
        self.crm_ids = iter(range(1_552_000_000_000_001_001, 2_000_000_000_000_000_000))
        self.old_ids = iter(range(1001, 1_000_000))

    def guid(self) -> str:
        """Return a new random identifier (version 4)."""
        digits = f"{self.guids.getrandbits(128):032x}"
        return (
            f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-"
            f"a{digits[17:20]}-{digits[20:]}"
        )

    def add(self, account: Account) -> Account:
        """Enter an account in the books."""
        self.world.accounts.append(account)
        if account.person is not None:
            account.person.accounts.append(account)
        return account

    def crm(self, person: Person, *, login: str | None = None) -> Account:
        """Open an account of the CRM: the login is the mobile number."""
        return self.add(
            Account(
                source=CRM,
                native_id=str(next(self.crm_ids)),
                login=login or person.phone,
                name=person.name,
                created=_opened(person),
                person=person,
                email=person.email,
                phone=person.phone,
            )
        )

    def entra(self, person: Person) -> Account:
        """Open an account of the directory; a vendor is a guest in it."""
        is_guest = person.kind == "vendor"
        local, domain = person.email.split("@")
        login = f"{local}_{domain}#EXT#@{DOMAIN}" if is_guest else person.email
        opened = _opened(person)
        rng = self.rng
        return self.add(
            Account(
                source=ENTRA,
                native_id=self.guid(),
                login=login,
                name=person.name,
                created=opened,
                person=person,
                email=person.email,
                employee_number=None if is_guest else person.number,
                kind="guest" if is_guest else "person",
                password_changed=_changed(rng, self.world, opened),
                mfa="enabled",
                mfa_since=self._registered(opened),
            )
        )

    def old(self, person: Person) -> Account:
        """Open an account of the old CRM: the login is the part before the @."""
        opened = _opened(person)
        return self.add(
            Account(
                source=OLD_CRM,
                native_id=str(next(self.old_ids)),
                login=person.email.split("@")[0],
                name=person.name,
                created=opened,
                person=person,
                email=person.email,
                password_changed=_changed(self.rng, self.world, opened),
                mfa="enabled" if self.rng.random() < 0.97 else "unknown",
            )
        )

    def _registered(self, opened: datetime) -> datetime:
        """Return when the second factor was set up: for a few in these months."""
        first = self.world.months[0].as_of
        if self.rng.random() < 0.05:
            days = (self.world.newest.as_of - first).days
            return max(opened, first + timedelta(days=self.rng.randrange(days + 1) - 1))
        return opened


def open_accounts(opening: Opening) -> None:
    """Open, grant and close accounts for everybody by the book."""
    world = opening.world
    first = world.months[0].start.date()
    for person in world.people:
        if person.start >= world.newest.today:
            continue
        if person.end is not None and (first - person.end).days > _KEPT_DAYS:
            continue
        _open_directory(opening, person)
        if has_crm(person):
            account = opening.crm(person)
            _grant_by_post(account, person, crm=True)
        if person.start.year < 2020 and opening.rng.random() < 0.5:
            _open_old(opening, person)
        if person.end is not None and person.end < world.newest.today:
            for account in person.accounts:
                account.close(since_day(person.end, 19))


def has_crm(person: Person) -> bool:
    """Return whether somebody works with the CRM."""
    title = person.title
    if title in ("信息总监", "IT经理"):
        return True
    return person.unit.family in CRM_FAMILIES and person.kind != "vendor"


def built_in(opening: Opening) -> None:
    """Add what came with the systems: the CRM's first user, nested groups."""
    world = opening.world
    account = opening.add(
        Account(
            source=CRM,
            native_id=SUPER_USER,
            login="19900099999",
            name="admin",
            created=midnight(world.months[0].start.date().replace(year=2020)),
            phone="19900099999",
            kind="builtin",
        )
    )
    account.give(ROLES["超级管理员"], account.created)
    world.nested += [
        (GROUPS["Overseas sales team 海外销售"], GROUPS["Sales team 销售"]),
        (GROUPS["Server operators 服务器运维"], GROUPS["Domain Admins"]),
    ]


def _open_directory(opening: Opening, person: Person) -> None:
    account = opening.entra(person)
    _grant_by_post(account, person, crm=False)
    position = person.unit.staff.index(person) if person in person.unit.staff else 0
    if person.kind in ("employee", "contractor") and position % 2 == 0:
        account.give(GROUPS["VPN users 远程接入"], account.created)


def _open_old(opening: Opening, person: Person) -> None:
    profile = old_profile(person.unit.family, person.title)
    if profile is not None:
        account = opening.old(person)
        account.give(PROFILES[profile], account.created)


def _grant_by_post(account: Account, person: Person, *, crm: bool) -> None:
    """Grant what the post needs; who moved lost what the old post needed."""
    now = _by_post(person, person.unit.family, person.title, crm=crm)
    move = person.moved
    if move is None:
        for entitlement in now:
            account.give(entitlement, account.created)
        return
    before = _by_post(person, move.unit.family, move.title, crm=crm)
    day = since_day(move.on, 10)
    for entitlement in before:
        grant = account.give(entitlement, account.created)
        if entitlement not in now:
            grant.until = day
    for entitlement in now:
        account.give(entitlement, account.created if entitlement in before else day)


def _by_post(
    person: Person, family: str, title: str, *, crm: bool
) -> tuple[Entitlement, ...]:
    if crm:
        return tuple(ROLES[name] for name in crm_roles(family, title, person.kind))
    is_abroad = person.place.country != "CN"
    return directory_groups(family, title, person.kind, is_abroad=is_abroad)


def _opened(person: Person) -> datetime:
    """Return the morning of the first day."""
    return since_day(person.start, 9)


def _changed(rng: random.Random, world: World, opened: datetime) -> datetime:
    """Return when a password was changed last: within some ten months."""
    recent = world.newest.as_of - timedelta(
        days=rng.randint(3, 300), minutes=rng.randrange(600)
    )
    return max(opened, recent)
