"""People who left, and what was forgotten when they did."""

from datetime import datetime, timedelta

from data.demo.casting import Casting, account_of, grants_of, the
from data.demo.months import midnight
from data.demo.systems import CRM, ENTRA
from data.demo.world import Account, Person, since_day


def leave(casting: Casting) -> None:
    """Let leavers keep what they should have lost, and others only look like it."""
    _still_open(casting)
    _undated(casting)
    _used_after(casting)
    _closed_but_granted(casting)
    _just_gone(casting)
    _going(casting)
    _back(casting)
    _unclear(casting)
    _closed(casting)


def _gone(casting: Casting, least: int = 10, most: int = 10_000) -> list[Person]:
    """Return people with a CRM account who left so many days ago, in casting order."""
    today = casting.month.today
    return [
        person
        for person in casting.order
        if person.end is not None
        and person not in casting.taken
        and person.rehired_as is None
        and person.start <= person.end
        and account_of(person, CRM) is not None
        and least <= (today - person.end).days <= most
    ]


def _take(
    casting: Casting, count: int, least: int = 10, most: int = 10_000
) -> list[Person]:
    found = _gone(casting, least, most)[:count]
    if len(found) < count:
        found += _resign(casting, count - len(found))
    casting.taken.update(found)
    return found


def _resign(casting: Casting, count: int) -> list[Person]:
    """Let people resign where too few had: a fortnight before the newest month ends."""
    found = casting.pick(count, casting.staff(""))
    for person in found:
        person.end = casting.month.today - timedelta(days=15)
        for account in person.accounts:
            account.close(since_day(person.end, 19))
    return found


def _still_open(casting: Casting) -> None:
    """Nobody told IT: every account is as it was."""
    for person in _take(casting, casting.few):
        for account in person.accounts:
            account.reopen()
            casting.expect("leaver_accounts", account.account_id)
        casting.expect(
            "leaver_grants_remaining", *grants_of(person.accounts, casting.month)
        )


def _undated(casting: Casting) -> None:
    """HR says gone and does not say since when."""
    for person in _take(casting, max(1, casting.few // 3)):
        person.states_end = False
        account = the(person, CRM)
        account.reopen()
        casting.expect("leaver_accounts", account.account_id)
        casting.acquit("logins_after_leaving", account.account_id)


def _used_after(casting: Casting) -> None:
    """The account worked on for days after the last one, then was closed or was not."""
    for index, person in enumerate(_take(casting, casting.few + 1, most=80)):
        source = (CRM, ENTRA)[index % 2]
        account = the(person, source)
        if person.end is None:
            continue
        used = min(
            since_day(person.end, 22) + timedelta(days=3 + index % 4), _eve(casting)
        )
        used += timedelta(minutes=7 + index)
        account.use, account.last_use = "stopped", used
        account.reopen()
        if index % 3 == 2:
            casting.expect("leaver_accounts", account.account_id)
        else:
            account.close(used + timedelta(hours=20))
        casting.expect("logins_after_leaving", account.account_id)


def _eve(casting: Casting) -> datetime:
    return casting.month.as_of - timedelta(days=2)


def _closed_but_granted(casting: Casting) -> None:
    """The account was closed; its roles were left for whoever opens it again."""
    for person in _take(casting, casting.few):
        account = the(person, CRM)
        closed = account.disabled
        account.reopen()
        if closed is not None:
            account.close(closed, keeps_grants=True)
        casting.expect("leaver_grants_remaining", *grants_of([account], casting.month))


def _just_gone(casting: Casting) -> None:
    """One day of grace: who left the day before yesterday fails, yesterday not yet."""
    today = casting.month.today
    for person in casting.pick(1, casting.staff("sales")):
        person.end = today - timedelta(days=2)
        for account in person.accounts:
            casting.expect("leaver_accounts", account.account_id)
    for person in casting.spare(max(1, casting.few // 2), casting.staff("service")):
        person.end = today - timedelta(days=1)
        for account in person.accounts:
            casting.acquit("leaver_accounts", account.account_id)
            casting.acquit("logins_after_leaving", account.account_id)
        casting.acquit(
            "leaver_grants_remaining", *grants_of(person.accounts, casting.month)
        )


def _going(casting: Casting) -> None:
    """The last day is written down and still to come."""
    for person in casting.spare(max(1, casting.few // 2), casting.staff("")):
        person.end = casting.month.today + timedelta(days=14)
        for account in person.accounts:
            casting.acquit("leaver_accounts", account.account_id)
        casting.acquit(
            "leaver_grants_remaining", *grants_of(person.accounts, casting.month)
        )


def _back(casting: Casting) -> None:
    """Left last year and came back: on one line of HR, or on two."""
    today = casting.month.today
    for person in casting.spare(max(1, casting.few // 2), casting.staff("sales")):
        person.end = today - timedelta(days=580)
        person.start = today - timedelta(days=174)
        for account in person.accounts:
            account.created = midnight(today - timedelta(days=1500))
            for grant in account.grants:
                grant.since = max(account.created, midnight(person.start))
            casting.acquit("leaver_accounts", account.account_id)
        casting.acquit(
            "leaver_grants_remaining", *grants_of(person.accounts, casting.month)
        )
    for former in casting.world.people:
        person_now = former.rehired_as
        if person_now is not None:
            ids = [account.account_id for account in person_now.accounts]
            casting.acquit("leaver_accounts", *ids)
            casting.acquit("unowned_accounts", *ids)
            casting.acquit("several_owners", *ids)


def _unclear(casting: Casting) -> None:
    """HR's status is empty: nothing can be said, so nothing is."""
    for person in casting.spare(1, casting.staff("marketing")):
        person.status = ""
        for account in person.accounts:
            casting.acquit("leaver_accounts", account.account_id)


def _closed(casting: Casting) -> None:
    """Left by the book, and the closed account was tried with its password."""
    for person in _gone(casting, least=20, most=60)[:2]:
        casting.taken.add(person)
        casting.spared.add(person)
        for account in person.accounts:
            casting.acquit("logins_after_leaving", account.account_id)
        casting.knockers.append(the(person, CRM))


def tried_again(account: Account, casting: Casting) -> datetime:
    """Return when a closed account was tried: in the newest month, after closing."""
    closed = account.disabled or casting.month.start
    return max(closed, casting.month.start) + timedelta(days=5, hours=2, minutes=11)
