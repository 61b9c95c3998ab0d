"""How people sign in: office hours, night shifts, home and office; nobody yet travels.

Everybody stays in one city, so two cities within half an hour only ever come from
``plants``.
"""

import random
from bisect import insort
from datetime import datetime, timedelta

from data.demo.months import Month, midnight
from data.demo.names import KIOSK_IP, SHANGHAI, Place
from data.demo.systems import CRM, ENTRA
from data.demo.world import Account, Login, World

PC, PHONE, KIOSK = "pc", "phone", "kiosk"


def sign_in(seed: int, world: World) -> None:
    """Let everybody use their accounts, month after month."""
    rng = random.Random(f"{seed}:logins")
    for account in world.accounts:
        known = account.last_use
        for month in world.months:
            if account.exists(month):
                known = _use(rng, account, month, known)


def add_login(account: Account, month: Month, login: Login) -> None:
    """Put one more attempt into a month's log, in order of time."""
    insort(account.logins.setdefault(month.name, []), login, key=lambda one: one.at)
    last = account.last_use_in.get(month.name)
    if login.is_success and (last is None or login.at > last):
        account.last_use_in[month.name] = login.at


def _use(
    rng: random.Random, account: Account, month: Month, known: datetime | None
) -> datetime | None:
    """Write a month's log of an account and return its last use known by then."""
    if account.use == "regular":
        for login in _month(rng, account, month):
            add_login(account, month, login)
    elif account.last_use is not None and account.last_use < month.as_of:
        known = account.last_use
    earlier = known if known is not None and known < month.as_of else None
    if earlier is None and account.use == "stopped":
        earlier = max(account.created, month.start - timedelta(days=9))
    if earlier is None and account.use == "regular" and account.created < month.start:
        earlier = max(account.created, month.start - timedelta(days=rng.randint(1, 30)))
        earlier = min(earlier, _last_moment(account, month))
    last = max(
        filter(None, (earlier, account.last_use_in.get(month.name))), default=None
    )
    if last is not None:
        account.last_use_in[month.name] = last
    return last


def _last_moment(account: Account, month: Month) -> datetime:
    """Return until when an account was used in good faith."""
    end = month.as_of
    if account.disabled is not None:
        end = min(end, account.disabled)
    person = account.person
    if person is not None and person.end is not None and person.end >= person.start:
        end = min(end, midnight(person.end) + timedelta(hours=18))
    return end


def _month(rng: random.Random, account: Account, month: Month) -> list[Login]:
    """Return the sign-ins of a month on some of its working days."""
    start = max(month.start, account.created)
    end = _last_moment(account, month)
    days = (end - start).days
    if days < 1:
        return []
    events = {CRM: rng.randint(3, 8), ENTRA: rng.randint(2, 5)}.get(account.source, 1)
    place = account.person.place if account.person is not None else SHANGHAI
    nights = account.person is not None and account.person.works_nights
    found = []
    for _ in range(events):
        day = start + timedelta(days=rng.randrange(days))
        if day.weekday() >= 5 and not nights and days > 7:
            day -= timedelta(days=2)
        opens = 22 if nights else place.opens
        moment = midnight(day.date()) + timedelta(
            hours=opens, seconds=rng.randrange(8 * 3600 if nights else 9 * 3600)
        )
        if start < moment < end:
            found.append(_login(rng, account, moment, place))
    found.sort(key=lambda login: login.at)
    return found


def _login(
    rng: random.Random, account: Account, moment: datetime, place: Place
) -> Login:
    """Return one sign-in: mostly from the office, else from home or a telephone."""
    person = account.person
    if person is not None and person.works_nights:
        return Login(moment, place, KIOSK_IP, KIOSK)
    if rng.random() < 0.75:
        return Login(moment, place, place.office_ip, PC)
    host = 1 + int(account.native_id[-2:], 16) % 250
    device = PHONE if rng.random() < 0.6 else PC
    return Login(moment, place, f"{place.home_net}.{host}", device)
