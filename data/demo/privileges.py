"""Rights that go too far: beyond the post, against the rules, beside the peers."""

from collections import defaultdict
from datetime import datetime, timedelta

from data.demo.casting import Casting, Fits, account_of, grant_id, the
from data.demo.systems import (
    CRM,
    DIRECTORY_ROLES,
    ENTRA,
    GROUPS,
    OLD_CRM,
    PROFILES,
    ROLES,
)
from data.demo.world import Account, Entitlement, Grant, Person

_AMEND_RULE = "amend-and-approve-contracts"
_PAYMENTS_RULE = "manage-users-and-receive-payments"


def overreach(casting: Casting) -> None:
    """Grant too much to some, and to others what only looks like too much."""
    _beyond_the_post(casting)
    _exports(casting)
    _against_the_rules(casting)
    _lent_for_a_time(casting)
    _peers(casting)


def _beyond_the_post(casting: Casting) -> None:
    few = casting.few
    parts: tuple[tuple[Fits, str, Entitlement], ...] = (
        (casting.staff("sales"), CRM, ROLES["用户管理"]),
        (casting.staff("service"), CRM, ROLES["合同金额修改"]),
        (
            casting.staff("supply", ENTRA),
            ENTRA,
            DIRECTORY_ROLES["Exchange Administrator"],
        ),
    )
    for fits, source, entitlement in parts:
        for person in casting.pick(max(1, few // 2), fits):
            account = the(person, source)
            account.give(entitlement, _in_window(casting, account))
            casting.expect("excess_privileges", grant_id(account, entitlement))
    for person in [one for one in casting.order if _kept_on(casting, one)][:few]:
        casting.taken.add(person)
        account = the(person, CRM)
        account.give(ROLES["销售员"], account.created).until = None
        casting.expect("excess_privileges", grant_id(account, ROLES["销售员"]))
    for person in casting.spare(max(1, few // 2), casting.heads("sales")):
        account = the(person, CRM)
        account.give(ROLES["合同审批"], account.created)
        casting.acquit("excess_privileges", grant_id(account, ROLES["合同审批"]))
        casting.acquit(
            "conflicting_entitlements", f"{person.identity_id} > {_AMEND_RULE}"
        )
    for person in casting.spare(max(1, few // 2), casting.staff("it", ENTRA)):
        account = the(person, ENTRA)
        account.give(DIRECTORY_ROLES["User Administrator"], account.created)
        casting.acquit(
            "excess_privileges",
            grant_id(account, DIRECTORY_ROLES["User Administrator"]),
        )


def _kept_on(casting: Casting, person: Person) -> bool:
    """Return whether somebody left sales for another post with a CRM account."""
    return (
        person not in casting.taken
        and person.moved is not None
        and person.moved.unit.family == "sales"
        and person.unit.family in ("service", "finance", "marketing", "data")
        and account_of(person, CRM) is not None
    )


def _exports(casting: Casting) -> None:
    """Interns, outsourced people and sellers take customers out; managers may."""
    export = ROLES["客户导出"]
    for kind in ("intern", "contractor", "employee"):
        family = "service" if kind == "contractor" else "sales"
        count = casting.few if kind == "intern" else max(1, casting.few // 2)
        for person in casting.pick(count, casting.staff(family, kind=kind)):
            account = the(person, CRM)
            account.give(export, _in_window(casting, account))
            casting.expect("export_rights", account.account_id)
    for person in casting.pick(max(1, casting.few // 3), casting.staff("sales")):
        account = casting.old_account(person)
        account.grants = []
        account.give(PROFILES["Sales Manager"], account.created)
        casting.expect("export_rights", account.account_id)
    for person in casting.spare(2, casting.heads("sales")):
        casting.acquit("export_rights", the(person, CRM).account_id)
    for person in casting.spare(2, casting.staff("data")):
        casting.acquit("export_rights", the(person, CRM).account_id)
    for person in casting.spare(2, casting.staff("sales", kind="intern")):
        account = the(person, CRM)
        casting.acquit("export_rights", account.account_id)
        casting.acquit("excess_privileges", grant_id(account, ROLES["实习生只读"]))


def _against_the_rules(casting: Casting) -> None:
    for person in casting.pick(casting.few, casting.heads("")):
        account = the(person, CRM)
        account.give(ROLES["合同金额修改"], account.created)
        account.give(ROLES["合同审批"], _in_window(casting, account))
        casting.expect(
            "conflicting_entitlements", f"{person.identity_id} > {_AMEND_RULE}"
        )
    both = casting.staff("finance")
    for person in casting.pick(casting.few, both):
        the(person, CRM).give(ROLES["回款登记"], the(person, CRM).created)
        directory = the(person, ENTRA)
        directory.give(
            DIRECTORY_ROLES["User Administrator"], _in_window(casting, directory)
        )
        casting.expect(
            "conflicting_entitlements", f"{person.identity_id} > {_PAYMENTS_RULE}"
        )
    for person in casting.spare(2, casting.staff("finance", title="出纳")):
        casting.acquit(
            "conflicting_entitlements", f"{person.identity_id} > {_PAYMENTS_RULE}"
        )


def _lent_for_a_time(casting: Casting) -> None:
    """Profiles of the old CRM stood in for: ended, not ended, without an end."""
    end = casting.month.as_of
    ends = (end - timedelta(days=40), end, end + timedelta(days=20), None)
    lent = PROFILES["Service User"]
    lender = next(iter(casting.world.of(OLD_CRM)), None)
    for number, until in enumerate(ends):
        count = casting.few if number == 0 else 1
        fits = casting.staff("sales")
        found = casting.pick(count, fits) if number == 0 else casting.spare(count, fits)
        for person in found:
            account = casting.old_account(person)
            grant = Grant(
                lent,
                end - timedelta(days=75),
                is_delegated=True,
                delegated_from=lender,
                valid_until=until,
            )
            account.grants.append(grant)
            note = casting.expect if number == 0 else casting.acquit
            note("expired_delegations", grant_id(account, grant))


def _peers(casting: Casting) -> None:
    """One of many with a right of their own; two of ten, or one of three, is none."""
    rooms = {CRM: ROLES["标准招投标"], ENTRA: GROUPS["Tender room standard 标书室"]}
    wanted = {source: max(1, casting.few // 2) + 1 for source in rooms}
    groups = _groups(casting)
    for (_, source), peers in groups.items():
        able = [one for one in peers if one.person not in casting.spared]
        able.sort(key=lambda account: account.person in casting.taken)
        if len(peers) >= 6 and able and wanted[source] > 0:
            wanted[source] -= 1
            _hold(casting, able[0], rooms[source])
            casting.expect("peer_outliers", grant_id(able[0], rooms[source]))
            peers.clear()
    left = {"just enough": 4, "too few to tell": 2}
    for (_, source), peers in groups.items():
        free = [one for one in peers if one.person not in casting.taken]
        part = "just enough" if len(peers) in (5, 10) else "too few to tell"
        count = max(1, len(peers) // 5)
        if len(peers) in (2, 3, 4, 5, 10) and len(free) >= count and left[part]:
            left[part] -= 1
            for account in free[:count]:
                _hold(casting, account, rooms[source])
                casting.acquit("peer_outliers", grant_id(account, rooms[source]))


def _hold(casting: Casting, account: Account, entitlement: Entitlement) -> None:
    account.give(entitlement, _in_window(casting, account))
    if account.person is not None:
        casting.taken.add(account.person)


def _groups(casting: Casting) -> dict[tuple[str, str], list[Account]]:
    """Return accounts by the post of their owners, staff of sales and service only."""
    found: dict[tuple[str, str], list[Account]] = defaultdict(list)
    month = casting.month
    for account in casting.world.accounts:
        person = account.person
        if (
            person is not None
            and account.source in (CRM, ENTRA)
            and person.unit.family in ("sales", "service")
            and person.kind == "employee"
            and not person.is_head
            and account.exists(month)
            and account.is_enabled(month)
            and person.status_in(month) == "在职"
            and account is the(person, account.source)
        ):
            key = f"{person.unit.code} {person.title}"
            found[key, account.source].append(account)
    return found


def _in_window(casting: Casting, account: Account) -> datetime:
    """Return a moment within one of the months, mostly the newest: it shows as new."""
    earlier = casting.rng.choice(casting.world.months)
    start = (casting.month if casting.rng.random() < 0.4 else earlier).start
    moment = start + timedelta(days=casting.rng.randint(2, 25), hours=11)
    return max(moment, account.created)
