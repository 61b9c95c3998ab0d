"""What every check has to report of the newest month, worked out from the world.

Plain Python over people, accounts and grants; it reads the thresholds of the product's
policy and nothing else of the product. What the systems cannot tell (a second factor of
the CRM, say) is left out here as there: unknown is not a finding.
"""

import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

from data.demo.casting import grant_id
from data.demo.months import Month, midnight
from data.demo.systems import (
    CRM,
    DIRECTORY_ROLES,
    ENTRA,
    GROUPS,
    MENUS,
    OLD_CRM,
    PROFILES,
    ROLES,
)
from data.demo.world import Account, Entitlement, Grant, Person, World

"""Menus that let nobody do anything but look."""

POLICY = Path(__file__).parents[1] / "policy.toml"


@dataclass(frozen=True)
class Facts:
    """The world at the end of the newest month, with the keys the systems hold."""

    world: World
    policy: Mapping[str, Any] = field(
        default_factory=lambda: tomllib.loads(POLICY.read_text("utf-8"))
    )

    @property
    def month(self) -> Month:
        """Return the newest month."""
        return self.world.newest

    @cached_property
    def accounts(self) -> list[Account]:
        """Return the accounts that exist; a deleted one is only a grant's ghost."""
        return [
            account
            for account in self.world.accounts
            if account.exists(self.month) and not account.is_deleted
        ]

    @cached_property
    def enabled(self) -> list[Account]:
        """Return the accounts that can be used."""
        return [account for account in self.accounts if account.is_enabled(self.month)]

    @cached_property
    def people(self) -> list[Person]:
        """Return everybody in the roster."""
        return [one for one in self.world.people if one.in_roster(self.month)]

    @cached_property
    def held(self) -> dict[Account, list[Grant]]:
        """Return each account's grants."""
        return {account: account.held(self.month) for account in self.accounts}

    @cached_property
    def keys(self) -> tuple[dict[str, Person], dict[str, Person], dict[str, Person]]:
        """Return who bears each number, address and telephone that one person bears."""
        return (
            _only(self.people, lambda person: person.number),
            _only(self.people, lambda person: person.email),
            _only(self.people, lambda person: person.phone),
        )

    def named(self, account: Account) -> list[Person]:
        """Return whom the account's own keys name, strongest first."""
        numbers, addresses, phones = self.keys
        found = [numbers.get(account.employee_number or "")]
        if account.kind not in ("service", "builtin"):
            found.append(addresses.get(account.email or ""))
            phone = account.phone if account.source == CRM else None
            found.append(phones.get(phone or ""))
        return [person for person in found if person is not None]

    @cached_property
    def owners(self) -> dict[Account, Person]:
        """Return the owner of each account that has one."""
        found: dict[Account, Person] = {}
        for account in self.accounts:
            named = self.named(account)
            numbers = self.keys[0]
            by_number = numbers.get(account.employee_number or "")
            owner = by_number or account.confirmed_owner
            owner = owner or (named[0] if named else None)
            if owner is not None:
                found[account] = owner
        return found

    def is_active(self, person: Person) -> bool:
        """Return whether somebody works there now, by HR's word and date."""
        return person.status_in(self.month) == "在职" and not self.has_left(person)

    def has_left(self, person: Person) -> bool:
        """Return whether somebody is gone, the days of grace over."""
        return person.has_left(self.month, self.policy["leaver_grace_days"])

    def matches(self, pattern: str, text: str) -> bool:
        """Return whether a pattern of the policy is found in a text."""
        return re.search(pattern, text, re.IGNORECASE | re.ASCII) is not None

    def effective(self, account: Account) -> set[Entitlement]:
        """Return everything an account holds, through groups in groups too."""
        held = {grant.entitlement for grant in self.held[account]}
        grown = True
        while grown:
            more = {
                second for first, second in self.world.nested if first in held
            } - held
            held |= more
            grown = bool(more)
        return held


def _only(people: list[Person], key: Callable[[Person], str]) -> dict[str, Person]:
    """Return people by a key nobody else bears; two records of one person are one."""
    bearers: dict[str, list[Person]] = defaultdict(list)
    for person in people:
        bearers[key(person)].append(person)
    found = {}
    for value, several in bearers.items():
        records = {person.rehired_as or person for person in several}
        if value and len(records) == 1:
            found[value] = records.pop()
    return found


def findings(world: World) -> dict[str, list[str]]:
    """Return check id → the subjects it must report as fail, sorted."""
    facts = Facts(world)
    return {check: sorted(set(rule(facts))) for check, rule in RULES.items()}


def _ids(accounts: Iterator[Account]) -> Iterator[str]:
    return (account.account_id for account in accounts)


def _generic_names(facts: Facts) -> Iterator[str]:
    pattern = facts.policy["generic_names"]
    for account in facts.enabled:
        if account.kind not in ("service", "builtin") and (
            facts.matches(pattern, account.login)
            or facts.matches(pattern, account.name)
        ):
            yield account.account_id


def _several_owners(facts: Facts) -> Iterator[str]:
    for key in ("phone", "email"):
        bearers: dict[tuple[str, str], list[Account]] = defaultdict(list)
        for account in facts.enabled:
            value = getattr(account, key)
            if value and (key != "phone" or account.source == CRM):
                bearers[account.source, value].append(account)
        for several in bearers.values():
            for account in several:
                if any(_differ(facts, account, other) for other in several):
                    yield account.account_id
    for account in facts.enabled:
        if len(set(facts.named(account))) > 1:
            yield account.account_id


def _differ(facts: Facts, one: Account, other: Account) -> bool:
    first, second = facts.owners.get(one), facts.owners.get(other)
    if first is not None and second is not None:
        return first is not second
    return one.name != other.name


def _concurrent_use(facts: Facts) -> Iterator[str]:
    gap = timedelta(minutes=facts.policy["concurrent_minutes"])
    names = Counter(
        account.name for account in facts.world.of(CRM) if account.exists(facts.month)
    )
    for account in facts.enabled:
        if account.source == CRM and names[account.name] > 1:
            continue
        logins = [
            login
            for login in account.logins.get(facts.month.name, ())
            if login.is_success
        ]
        days = {
            second.at.date()
            for first, second in pairwise(logins)
            if first.place != second.place and second.at - first.at <= gap
        }
        if len(days) >= facts.policy["concurrent_days"]:
            yield account.account_id


def _leaver_accounts(facts: Facts) -> Iterator[str]:
    for account in facts.enabled:
        owner = facts.owners.get(account)
        if owner is not None and facts.has_left(owner):
            yield account.account_id


def _logins_after_leaving(facts: Facts) -> Iterator[str]:
    for account in facts.accounts:
        owner = facts.owners.get(account)
        if owner is None or not owner.has_left(facts.month):
            continue
        end = owner.end_in(facts.month)
        last = account.last_use_in.get(facts.month.name)
        if end is None or last is None or account.use == "attempts":
            continue
        if last >= midnight(end + timedelta(days=1)):
            yield account.account_id


def _unowned_accounts(facts: Facts) -> Iterator[str]:
    for account in facts.enabled:
        if account.kind != "builtin" and account not in facts.owners:
            yield account.account_id


def _excess_privileges(facts: Facts) -> Iterator[str]:
    for account in facts.enabled:
        owner = facts.owners.get(account)
        if owner is None:
            continue
        allowed = _allowed(facts, owner)
        for grant in facts.held[account]:
            if allowed is not None and not facts.matches(
                allowed, grant.entitlement.name
            ):
                yield grant_id(account, grant)


def _allowed(facts: Facts, owner: Person) -> str | None:
    _, title = owner.unit_in(facts.month)
    for baseline in facts.policy["baselines"]:
        types = baseline["employment_types"]
        if (not types or owner.kind in types) and facts.matches(
            baseline["titles"], title
        ):
            return str(baseline["allowed"])
    return None


def _export_rights(facts: Facts) -> Iterator[str]:
    for account in facts.enabled:
        owner = facts.owners.get(account)
        if owner is None:
            continue
        _, title = owner.unit_in(facts.month)
        exports = any("export" in one.abilities for one in facts.effective(account))
        may = owner.kind not in facts.policy["export_never"] and facts.matches(
            facts.policy["export_titles"], title
        )
        if exports and not may:
            yield account.account_id


def _peer_outliers(facts: Facts) -> Iterator[str]:
    posts: dict[tuple[str, str, str], set[Person]] = defaultdict(set)
    holders: dict[tuple[str, str, str, Entitlement], set[Person]] = defaultdict(set)
    rows = []
    for account in facts.enabled:
        owner = facts.owners.get(account)
        if owner is None or not facts.is_active(owner):
            continue
        unit, title = owner.unit_in(facts.month)
        post = (unit.code, title, account.source)
        posts[post].add(owner)
        for grant in facts.held[account]:
            holders[*post, grant.entitlement].add(owner)
            rows.append((account, grant, post))
    for account, grant, post in rows:
        count = len(posts[post])
        held = len(holders[*post, grant.entitlement])
        if (
            count >= facts.policy["peer_minimum"]
            and held / count < facts.policy["peer_share"]
        ):
            yield grant_id(account, grant)


def _conflicting_entitlements(facts: Facts) -> Iterator[str]:
    names: dict[str, set[str]] = defaultdict(set)
    for account in facts.enabled:
        owner = facts.owners.get(account)
        holder = account.account_id if owner is None else owner.identity_id
        names[holder] |= {one.name for one in facts.effective(account)}
    for holder, held in names.items():
        for rule in facts.policy["sod_rules"]:
            if all(
                any(facts.matches(rule[side], name) for name in held)
                for side in ("first", "second")
            ):
                yield f"{holder} > {rule['id']}"


def _is_without_mfa(facts: Facts, account: Account) -> bool:
    if account.source == CRM or account.mfa == "unknown":
        return False
    since = account.mfa_since
    return account.mfa == "disabled" or (
        since is not None and since >= facts.month.as_of
    )


def _accounts_without_mfa(facts: Facts) -> Iterator[str]:
    for account in facts.enabled:
        if account.kind not in ("service", "builtin") and _is_without_mfa(
            facts, account
        ):
            yield account.account_id


def _privileged_accounts_without_mfa(facts: Facts) -> Iterator[str]:
    names = facts.policy["privileged_names"]
    abilities = set(facts.policy["privileged_abilities"])
    for account in facts.enabled:
        is_privileged = any(
            one.is_privileged
            or facts.matches(names, one.name)
            or abilities & set(one.abilities)
            for one in facts.effective(account)
        )
        if is_privileged and _is_without_mfa(facts, account):
            yield account.account_id


def _dormant_accounts(facts: Facts) -> Iterator[str]:
    oldest = facts.month.as_of - timedelta(days=facts.policy["dormant_days"])
    for account in facts.enabled:
        last = account.last_use_in.get(facts.month.name)
        if last is None:
            # The old CRM leaves the cell empty: it cannot say that nobody ever came.
            never_told = account.source == OLD_CRM
            if not never_told and account.created < oldest:
                yield account.account_id
        elif last < oldest:
            yield account.account_id


def _stale_passwords(facts: Facts) -> Iterator[str]:
    oldest = facts.month.as_of - timedelta(days=facts.policy["password_days"])
    for account in facts.enabled:
        changed = account.password_changed
        if account.source != CRM and changed is not None and changed < oldest:
            yield account.account_id


def _ghost_grants(facts: Facts) -> Iterator[str]:
    for lost in facts.world.lost_grants:
        yield f"{lost.account_id} > {lost.entitlement_id}"
    for account in facts.world.accounts:
        if account.is_deleted and account.exists(facts.month):
            yield from (grant_id(account, one) for one in account.held(facts.month))
    for account, held in facts.held.items():
        for grant in held:
            if not grant.entitlement.is_enabled:
                yield grant_id(account, grant)


def _expired_delegations(facts: Facts) -> Iterator[str]:
    for account in facts.enabled:
        for grant in facts.held[account]:
            until = grant.valid_until
            if until is not None and until < facts.month.as_of:
                yield grant_id(account, grant)


def _leaver_grants_remaining(facts: Facts) -> Iterator[str]:
    for account, held in facts.held.items():
        owner = facts.owners.get(account)
        is_gone = owner is not None and facts.has_left(owner)
        if is_gone or not account.is_enabled(facts.month):
            yield from (grant_id(account, grant) for grant in held)
    existing = {account.account_id: account for account in facts.accounts}
    for lost in facts.world.lost_grants:
        found = existing.get(lost.account_id)
        if found is not None and not found.is_enabled(facts.month):
            yield f"{lost.account_id} > {lost.entitlement_id}"


def _accounts_without_roles(facts: Facts) -> Iterator[str]:
    holding = {lost.account_id for lost in facts.world.lost_grants}
    for account in facts.enabled:
        if not facts.held[account] and account.account_id not in holding:
            yield account.account_id


def _facts_missing(facts: Facts) -> Iterator[str]:
    told = _told(facts)
    share = facts.policy["fact_share"]
    for (source, fact), (known, rows) in told.items():
        if rows and known / rows < share:
            yield f"{source} > {fact}"


Shares = dict[tuple[str, str], tuple[int, int]]
"""Source and fact → rows it is known for, and rows there are."""


def _told(facts: Facts) -> Shares:
    """Return how far each source can tell what a review leans on."""
    return {
        **_told_of_people(facts),
        **_told_of_accounts(facts),
        **_told_of_entitlements(facts),
    }


def _told_of_people(facts: Facts) -> Shares:
    month, people = facts.month, facts.people
    gone = [one for one in people if one.status_in(month) == "离职"]
    dated = [one for one in gone if one.end_in(month) is not None]
    led = [one for one in people if one.manager_in(month) is not None]
    clear = [one for one in people if one.status_in(month)]
    return {
        ("hr", "identities.end_date"): (len(dated), len(gone)),
        ("hr", "identities.manager_id"): (len(led), len(people)),
        ("hr", "identities.employment_status"): (len(clear), len(people)),
    }


def _told_of_accounts(facts: Facts) -> Shares:
    """The old CRM has no account types and no log; the CRM knows no credentials."""
    name = facts.month.name
    found: Shares = {}
    for source in (CRM, ENTRA, OLD_CRM):
        own = [account for account in facts.accounts if account.source == source]
        used = [one for one in own if source != OLD_CRM or name in one.last_use_in]
        factor = [one for one in own if source != CRM and one.mfa != "unknown"]
        changed = [one for one in own if source != CRM and one.password_changed]
        known = {
            "account_type": 0 if source == OLD_CRM else len(own),
            "created_at": len(own),
            "is_enabled": len(own),
            "last_login_at": len(used),
            "mfa_state": len(factor),
            "password_changed_at": len(changed),
        }
        for fact, count in known.items():
            found[source, f"accounts.{fact}"] = (count, len(own))
        events = 0 if source == OLD_CRM else len(own)
        found[source, "login_events"] = (events, len(own))
    return found


def _told_of_entitlements(facts: Facts) -> Shares:
    """Only the CRM knows data scopes, of roles; nobody dates grants but stand-ins."""
    rows = {
        CRM: len(ROLES) + len(MENUS),
        ENTRA: len(GROUPS) + len(DIRECTORY_ROLES),
        OLD_CRM: len(PROFILES),
    }
    abilities = {CRM: rows[CRM], OLD_CRM: len(PROFILES)}
    scoped = {**rows, CRM: len(ROLES)}
    scopes = {CRM: len(ROLES)}
    found: Shares = {}
    for source, count in rows.items():
        found[source, "entitlements.is_privileged"] = (count, count)
        found[source, "entitlements.abilities"] = (abilities.get(source, 0), count)
        found[source, "entitlements.data_scope"] = (
            scopes.get(source, 0),
            scoped[source],
        )
    grants = {
        source: [
            grant
            for account, held in facts.held.items()
            if account.source == source
            for grant in held
        ]
        for source in rows
    }
    for source, held in grants.items():
        dated = sum(grant.is_delegated for grant in held)
        found[source, "grants.granted_at"] = (dated, len(held))
    return found


RULES: Mapping[str, Callable[[Facts], Iterator[str]]] = {
    "generic_names": _generic_names,
    "several_owners": _several_owners,
    "concurrent_use": _concurrent_use,
    "leaver_accounts": _leaver_accounts,
    "logins_after_leaving": _logins_after_leaving,
    "unowned_accounts": _unowned_accounts,
    "excess_privileges": _excess_privileges,
    "export_rights": _export_rights,
    "peer_outliers": _peer_outliers,
    "conflicting_entitlements": _conflicting_entitlements,
    "accounts_without_mfa": _accounts_without_mfa,
    "privileged_accounts_without_mfa": _privileged_accounts_without_mfa,
    "dormant_accounts": _dormant_accounts,
    "stale_passwords": _stale_passwords,
    "ghost_grants": _ghost_grants,
    "facts_missing": _facts_missing,
    "expired_delegations": _expired_delegations,
    "leaver_grants_remaining": _leaver_grants_remaining,
    "accounts_without_roles": _accounts_without_roles,
}
