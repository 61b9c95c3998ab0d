"""Sign-ins from two places: lent passwords, and people who truly travel.

Written after everybody's own sign-ins; whoever has a part here has only what the part
needs in the newest month's log.
"""

from datetime import datetime, timedelta

from data.demo.casting import Casting, Fits, account_of, the
from data.demo.leavers import tried_again
from data.demo.logins import PC, PHONE, add_login
from data.demo.months import Month
from data.demo.names import (
    BEIJING,
    GUANGZHOU,
    KIOSK_IP,
    ROTTERDAM,
    SHANGHAI,
    SINGAPORE,
    Place,
)
from data.demo.namesakes import NAMESAKE
from data.demo.systems import CRM, ENTRA
from data.demo.world import Account, Login, Person

_GAPS = (17, 30, 4, 26)
"""Minutes between the two users of one password; 30 is just close enough."""


def travel(casting: Casting) -> None:
    """Write overlapping use, and everything that only resembles it."""
    for number in range(casting.few + 1):
        source = (CRM, ENTRA)[number % 2]
        for person in casting.pick(1, _fits(casting, source)):
            account = _fresh(casting, the(person, source))
            months = casting.world.months if number % 2 else (casting.month,)
            for month in months:
                for day in (6, 13, 21):
                    _two_places(account, month, day, _GAPS[number % len(_GAPS)])
            casting.expect("concurrent_use", account.account_id)
    _travellers(casting)
    _once(casting)
    _just_apart(casting)
    _hand_over(casting)
    _kiosk(casting)
    _two_of_one_name(casting)
    for account in casting.knockers:
        moment = tried_again(account, casting)
        if moment < casting.month.as_of:
            login = Login(moment, SHANGHAI, "203.0.113.201", PHONE, is_success=False)
            add_login(account, casting.month, login)


def _fits(casting: Casting, source: str) -> Fits:
    """Return whether somebody's sign-ins can be told from everybody else's."""

    def fits(person: Person) -> bool:
        account = account_of(person, source)
        return (
            casting.settled(person)
            and not person.works_nights
            and account is not None
            and account.use == "regular"
            and account.person is person
            and (source != CRM or casting.is_alone(person))
        )

    return fits


def _fresh(casting: Casting, account: Account) -> Account:
    """Empty an account's log of the newest month."""
    month = casting.month
    account.logins[month.name] = []
    before = [last for last in account.last_use_in.values() if last < month.start]
    account.last_use_in.pop(month.name, None)
    if before:
        account.last_use_in[month.name] = max(before)
    return account


def _day(month: Month, day: int, hour: int, minute: int = 0) -> datetime:
    return month.start + timedelta(days=day - 1, hours=hour, minutes=minute)


def _log(
    account: Account, month: Month, at: datetime, place: Place, device: str = PC
) -> None:
    ip = place.office_ip if device == PC else f"{place.home_net}.77"
    add_login(account, month, Login(at, place, ip, device))


def _elsewhere(place: Place) -> Place:
    return BEIJING if place is not BEIJING else GUANGZHOU


def _home(account: Account) -> Place:
    return account.person.place if account.person is not None else SHANGHAI


def _two_places(account: Account, month: Month, day: int, gap: int) -> None:
    home = _home(account)
    start = _day(month, day, 10, 5)
    if start > account.created:
        _log(account, month, start, home)
        _log(account, month, start + timedelta(minutes=gap), _elsewhere(home))


def _travellers(casting: Casting) -> None:
    """Shanghai in the morning, Singapore in the evening, twice a month."""
    month = casting.month
    for person in casting.spare(2, _fits(casting, CRM)):
        account = _fresh(casting, the(person, CRM))
        abroad = ROTTERDAM if person.place is SINGAPORE else SINGAPORE
        for day in (5, 19):
            _log(account, month, _day(month, day, 8, 40), person.place)
            _log(account, month, _day(month, day, 19, 25), abroad, PHONE)
            _log(account, month, _day(month, day + 2, 9, 10), abroad)
            _log(
                account,
                month,
                _day(month, day + 3, 9, 30),
                person.place,
            )
        casting.acquit("concurrent_use", account.account_id)


def _once(casting: Casting) -> None:
    """One day only: a virtual private network that came out elsewhere."""
    for person in casting.spare(1 + casting.few // 4, _fits(casting, ENTRA)):
        account = _fresh(casting, the(person, ENTRA))
        _two_places(account, casting.month, 14, 9)
        casting.acquit("concurrent_use", account.account_id)


def _just_apart(casting: Casting) -> None:
    """One minute more than counts as overlapping, on three days."""
    for person in casting.spare(1 + casting.few // 4, _fits(casting, CRM)):
        account = _fresh(casting, the(person, CRM))
        for day in (7, 15, 22):
            _two_places(account, casting.month, day, 31)
        casting.acquit("concurrent_use", account.account_id)


def _hand_over(casting: Casting) -> None:
    """Computer, then telephone on the way out: one city, two addresses."""
    month = casting.month
    for person in casting.spare(1 + casting.few // 4, _fits(casting, ENTRA)):
        account = _fresh(casting, the(person, ENTRA))
        for day in (8, 9, 16, 20, 27):
            start = _day(month, day, max(10, person.place.opens), 30)
            _log(account, month, start, person.place)
            _log(
                account,
                month,
                start + timedelta(minutes=2),
                person.place,
                PHONE,
            )
        casting.acquit("concurrent_use", account.account_id)


def _kiosk(casting: Casting) -> None:
    """Night workers of a warehouse share one terminal, each with an own login."""
    month = casting.month.name
    found = []
    for account in casting.world.of(ENTRA):
        logins = account.logins.get(month, [])
        if account.is_enabled(casting.month) and any(
            login.ip == KIOSK_IP for login in logins
        ):
            found.append(account.account_id)
    casting.acquit("concurrent_use", *found[:4])


def _two_of_one_name(casting: Casting) -> None:
    """Two 王伟 in two cities, minutes apart: the log knows only the name."""
    namesakes = [
        account
        for account in casting.world.of(CRM)
        if account.name == NAMESAKE and account.use == "regular"
    ]
    for number, account in enumerate(namesakes):
        if account.person is None or account.person.end is not None:
            continue
        _fresh(casting, account)
        for day in (6, 12, 20, 26):
            at = _day(casting.month, day, 10, 10 + 7 * number)
            _log(account, casting.month, at, _home(account))
        casting.acquit("concurrent_use", account.account_id)
