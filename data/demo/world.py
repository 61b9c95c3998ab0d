"""What the invented company is made of: people, units, accounts, grants, logins.

Everything bears the moments between which it was so; a month's files are the state at
the month's last instant. These objects change while the company is being made up, and
not afterwards.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from data.demo.months import Month, midnight
from data.demo.names import Place


@dataclass(slots=True, eq=False)
class Unit:
    """A division, a department or a team."""

    code: str
    name: str
    parent: "Unit | None"
    family: str
    place: Place
    head: "Person | None" = None
    staff: "list[Person]" = field(default_factory=list)

    @property
    def in_charge(self) -> "Person | None":
        """Return its head, or the head of the nearest unit above that has one."""
        if self.head is not None or self.parent is None:
            return self.head
        return self.parent.in_charge


@dataclass(slots=True, eq=False)
class Person:
    """Somebody HR knows."""

    number: str
    name: str
    email: str
    phone: str
    unit: Unit
    title: str
    level: str
    kind: str
    """employee, contractor, intern or vendor."""
    place: Place
    start: date
    end: date | None = None
    status: str | None = None
    """Chinese word of HR, where it is not the one that follows from the dates."""
    states_end: bool = True
    """Whether HR wrote the last day down."""
    moved: "Move | None" = None
    is_head: bool = False
    works_nights: bool = False
    rehired_as: "Person | None" = None
    """The newer HR record of the same human being."""
    accounts: "list[Account]" = field(default_factory=list)

    @property
    def identity_id(self) -> str:
        """Return the identity the product knows the person by."""
        return f"hr:{self.number}"

    def in_roster(self, month: Month) -> bool:
        """Return whether HR lists the person: a new one from a month before."""
        return (self.start - month.today).days <= 31

    def status_in(self, month: Month) -> str:
        """Return HR's word for the person at the end of a month."""
        if self.status is not None:
            return self.status
        if self.start >= month.today:
            return "待入职"
        if self.end is None or self.end < self.start:
            return "在职"
        if self.end < month.today:
            return "离职"
        return "待离职" if (self.end - month.today).days <= 30 else "在职"

    def has_left(self, month: Month, grace: int = 0) -> bool:
        """Return whether the person is gone: by date, or by HR's word without one."""
        end = self.end_in(month)
        if end is None:
            return self.status_in(month) == "离职"
        return (month.today - end).days > grace and self.start <= end

    def end_in(self, month: Month) -> date | None:
        """Return the last day as far as HR had written it down by then."""
        if not self.states_end or self.end is None:
            return None
        if self.status_in(month) == "在职" and self.end >= self.start:
            return None
        return self.end

    def unit_in(self, month: Month) -> tuple[Unit, str]:
        """Return unit and title at the end of a month."""
        if self.moved is not None and self.moved.on >= month.today:
            return self.moved.unit, self.moved.title
        return self.unit, self.title

    def manager_in(self, month: Month) -> "Person | None":
        """Return who leads the person; nobody leads the top."""
        unit, _ = self.unit_in(month)
        if unit.head is not self:
            return unit.in_charge
        return None if unit.parent is None else unit.parent.in_charge


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """Where somebody worked before the day of a move."""

    on: date
    unit: Unit
    title: str


@dataclass(frozen=True, slots=True)
class Entitlement:
    """A role, group or profile of one source."""

    source: str
    native_id: str
    key: str
    """What is written after ``<source>:`` to name it."""
    name: str
    abilities: tuple[str, ...] = ()
    is_privileged: bool = False
    is_enabled: bool = True
    kind: str = "role"

    @property
    def entitlement_id(self) -> str:
        """Return the entitlement as the product names it."""
        return f"{self.source}:{self.key}"


@dataclass(slots=True, eq=False)
class Grant:
    """One account holding one entitlement, between two moments."""

    entitlement: Entitlement
    since: datetime
    until: datetime | None = None
    """When it was taken away."""
    is_delegated: bool = False
    delegated_from: "Account | None" = None
    valid_until: datetime | None = None

    def held_at(self, moment: datetime) -> bool:
        """Return whether it was there at a moment."""
        return self.since < moment and (self.until is None or self.until >= moment)


@dataclass(frozen=True, slots=True)
class Login:
    """One attempt to sign in."""

    at: datetime
    place: Place
    ip: str
    device: str
    is_success: bool = True


@dataclass(slots=True, eq=False)
class Account:
    """A login in one source."""

    source: str
    native_id: str
    login: str
    name: str
    created: datetime
    person: Person | None = None
    """Who is meant to use it, if one person is."""
    email: str | None = None
    phone: str | None = None
    employee_number: str | None = None
    kind: str = "person"
    """person, service, guest or builtin."""
    disabled: datetime | None = None
    use: str = "regular"
    """regular, stopped (at ``last_use``), never, or attempts (none known good)."""
    last_use: datetime | None = None
    password_changed: datetime | None = None
    mfa: str = "unknown"
    mfa_since: datetime | None = None
    """Without a second factor before this moment."""
    confirmed_owner: Person | None = None
    is_deleted: bool = False
    grants: list[Grant] = field(default_factory=list)
    logins: dict[str, list[Login]] = field(default_factory=dict)
    """By the name of the month, oldest first."""
    last_use_in: dict[str, datetime] = field(default_factory=dict)
    """Last successful use known at the end of a month."""

    @property
    def account_id(self) -> str:
        """Return the account as the product names it."""
        return f"{self.source}:{self.native_id}"

    def exists(self, month: Month) -> bool:
        """Return whether the source had it at the end of a month."""
        return self.created < month.as_of

    def is_enabled(self, month: Month) -> bool:
        """Return whether it could be used at the end of a month."""
        return self.disabled is None or self.disabled >= month.as_of

    def changed_by(self, month: Month) -> datetime | None:
        """Return when its password was changed last, by the end of a month."""
        changed = self.password_changed
        if changed is None or changed < month.as_of:
            return changed
        return max(self.created, changed - timedelta(days=180))

    def held(self, month: Month) -> list[Grant]:
        """Return its grants at the end of a month."""
        return [grant for grant in self.grants if grant.held_at(month.as_of)]

    def give(self, entitlement: Entitlement, since: datetime) -> Grant:
        """Grant something the account does not hold yet; else return what it holds."""
        for grant in self.grants:
            if grant.entitlement == entitlement and grant.until is None:
                return grant
        grant = Grant(entitlement, max(since, self.created))
        self.grants.append(grant)
        return grant

    def take(self, entitlement: Entitlement) -> None:
        """Make it as if something had never been granted."""
        self.grants = [one for one in self.grants if one.entitlement != entitlement]

    def close(self, moment: datetime, *, keeps_grants: bool = False) -> None:
        """Disable it and, as the rule is, take every grant away."""
        self.disabled = moment
        if not keeps_grants:
            for grant in self.grants:
                grant.until = min(moment, grant.until or moment)

    def reopen(self) -> None:
        """Make it as if nobody had thought of closing it."""
        for grant in self.grants:
            if grant.until == self.disabled:
                grant.until = None
        self.disabled = None


@dataclass(frozen=True, slots=True)
class LostGrant:
    """A grant in the file whose account or entitlement is not there any more."""

    source: str
    account_native_id: str
    account_id: str
    entitlement_native_id: str
    entitlement_id: str


@dataclass(slots=True, eq=False)
class World:
    """The whole company."""

    people: list[Person]
    units: list[Unit]
    months: tuple[Month, ...]
    accounts: list[Account] = field(default_factory=list)
    nested: list[tuple[Entitlement, Entitlement]] = field(default_factory=list)
    """Groups: whoever is in the first is in the second."""
    lost_grants: list[LostGrant] = field(default_factory=list)

    @property
    def newest(self) -> Month:
        """Return the month that truth is told about."""
        return self.months[-1]

    def of(self, source: str) -> Iterable[Account]:
        """Return the accounts of one source, oldest number first."""
        return (account for account in self.accounts if account.source == source)


def since_day(day: date, hour: int = 9) -> datetime:
    """Return an hour of a local day."""
    return midnight(day).replace(hour=hour)
