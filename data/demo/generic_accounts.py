"""Accounts that are nobody's or everybody's: generic, lent, unowned, left over."""

from datetime import datetime, timedelta

from data.demo.casting import Casting, Fits, account_of, grant_id, the
from data.demo.months import midnight
from data.demo.names import DOMAIN, PARTNER_DOMAIN, PRIVATE_DOMAIN
from data.demo.namesakes import NAMESAKE, ODD_NAMES
from data.demo.systems import (
    CRM,
    DIRECTORY_ROLES,
    ENTRA,
    GROUPS,
    OLD_CRM,
    PROFILES,
    ROLES,
)
from data.demo.world import Account, LostGrant, Person

_OFFICES = (
    "销售公用",
    "客服1",
    "前台",
    "展厅演示",
    "仓库共用",
    "市场部",
    "值班",
    "客服2",
)
_MAILBOXES = ("reception", "sales01", "info", "test", "support", "frontdesk")
_OLD_LOGINS = ("sales", "demo2", "temp", "public")

_CHINESE_NAME = 3
"""Letters of a name that is surely Chinese."""


def lend(casting: Casting) -> None:
    """Add the accounts that a whiteboard knows the password of."""
    _generic(casting)
    _one_key_for_two(casting)
    _two_of_ones_own(casting)
    _unowned(casting)
    _sponsored(casting)
    _left_over(casting)
    _empty(casting)
    _namesakes(casting)


def _generic(casting: Casting) -> None:
    """Generic logins in each system; nobody owns them either."""
    count = casting.few
    for number in range(count):
        name = _OFFICES[number % len(_OFFICES)]
        if number >= len(_OFFICES):
            name = f"销售{number}"
        account = _stray_crm(casting, name)
        account.give(ROLES["全员基础"], account.created)
        account.give(ROLES["销售员"], account.created)
        casting.expect("generic_names", account.account_id)
        casting.expect("unowned_accounts", account.account_id)
    for number in range(count):
        local = _MAILBOXES[number % len(_MAILBOXES)]
        if number >= len(_MAILBOXES):
            local = f"office{number + 1}"
        account = _stray_entra(casting, local, local.replace("-", " ").title())
        account.give(GROUPS["All staff 全员"], account.created)
        casting.expect("generic_names", account.account_id)
        casting.expect("unowned_accounts", account.account_id)
    for login in _OLD_LOGINS[: 1 + count // 3]:
        account = _stray_old(casting, login, f"{login.title()} Desk", None)
        casting.expect("generic_names", account.account_id)
        casting.expect("unowned_accounts", account.account_id)


def _one_key_for_two(casting: Casting) -> None:
    """One telephone, address or number on the accounts of two people."""
    sales, service = casting.staff("sales"), casting.staff("service")
    for first, second in _pairs(casting, sales):
        lent, borrowed = the(first, CRM), the(second, CRM)
        borrowed.phone = lent.phone
        casting.expect("several_owners", lent.account_id, borrowed.account_id)
    for number, (first, second) in enumerate(_pairs(casting, service)):
        for account in (the(first, CRM), the(second, CRM)):
            account.email = f"tender{number + 1}@{DOMAIN}"
            casting.expect("several_owners", account.account_id)
    anyone = casting.staff("", source=ENTRA)
    for first, second in _pairs(casting, anyone, most=2):
        mixed = the(first, ENTRA)
        mixed.email = second.email
        casting.expect("several_owners", mixed.account_id)
        casting.expect("several_owners", the(second, ENTRA).account_id)
    for number in range(1 + casting.few // 3):
        for desk in ("East", "West"):
            account = _stray_old(
                casting,
                f"exports{number + 1}.{desk.lower()}",
                f"Exports {desk} {number + 1}",
                f"exports{number + 1}@{DOMAIN}",
            )
            casting.expect("several_owners", account.account_id)
            casting.expect("unowned_accounts", account.account_id)


def _pairs(
    casting: Casting, fits: Fits, most: int = 100
) -> list[tuple[Person, Person]]:
    """Return two people each for several lendings."""
    count = min(max(1, casting.few // 2), most)
    pairs = []
    for _ in range(count):
        both = casting.pick(2, fits)
        if len(both) == 2:
            pairs.append((both[0], both[1]))
    return pairs


def _two_of_ones_own(casting: Casting) -> None:
    """Two accounts of one person with one telephone are not shared."""
    for person in casting.spare(1 + casting.few // 3, casting.staff("sales")):
        own = the(person, CRM)
        second = casting.opening.crm(person, login=casting.phone())
        second.created = own.created + timedelta(days=2)
        second.give(ROLES["全员基础"], second.created)
        second.give(ROLES["销售员"], second.created)
        casting.bearers[person.name] = casting.bearers.get(person.name, 0) + 1
        casting.acquit("several_owners", own.account_id, second.account_id)


def _unowned(casting: Casting) -> None:
    """Services without a sponsor, guests nobody invited, strangers in the CRM."""
    for number, name in enumerate(("svc-backup", "svc-scan", "svc-erp-sync")):
        account = _stray_entra(casting, name, name, kind="service")
        account.give(GROUPS["All staff 全员"], account.created)
        if number == 2:
            account.password_changed = midnight(account.created.date())
        casting.expect("unowned_accounts", account.account_id)
    for number in range(casting.few):
        local = f"visitor.{number + 1}"
        address = f"{local}@{PARTNER_DOMAIN}"
        account = _stray_entra(
            casting, f"{local}_{PARTNER_DOMAIN}#EXT#", f"Visitor {number + 1}", "guest"
        )
        account.email = address
        account.give(GROUPS["Partners standard 合作伙伴"], account.created)
        casting.expect("unowned_accounts", account.account_id)
    # An old login of somebody's, under a number nobody has any more: no key names the
    # owner, and the name, which is not quite theirs, only suggests them.
    whose = [one.name for one in casting.order if len(one.name) == _CHINESE_NAME]
    for number in range(max(1, casting.few // 2)):
        account = _stray_crm(casting, f"{whose[number % len(whose)]}（旧号）")
        account.give(ROLES["全员基础"], account.created)
        casting.expect("unowned_accounts", account.account_id)


def _sponsored(casting: Casting) -> None:
    """Somebody confirmed who answers for these, in owners.csv."""
    for number, person in enumerate(casting.spare(2, casting.heads("it", ENTRA))):
        account = _stray_entra(
            casting, f"svc-print{number + 1}", "Print service", "service"
        )
        account.give(GROUPS["All staff 全员"], account.created)
        account.confirmed_owner = person
        casting.acquit("unowned_accounts", account.account_id)
    for number, person in enumerate(casting.spare(3, casting.staff("sales"))):
        account = _stray_old(
            casting,
            f"former.login{number + 1}",
            person.name,
            f"someone{number + 1}@{PRIVATE_DOMAIN}",
        )
        account.confirmed_owner = person
        casting.acquit("unowned_accounts", account.account_id)


def _left_over(casting: Casting) -> None:
    """Grants of accounts that were deleted, of roles that are gone or switched off."""
    world = casting.world
    for number in range(casting.few):
        gone = _stray_crm(casting, f"已删除用户{number + 1}")
        gone.is_deleted = True
        grant = gone.give(ROLES["销售员"], gone.created)
        casting.expect("ghost_grants", grant_id(gone, grant))
    role = ROLES["市场专员"]
    for _ in range(max(1, casting.few // 2)):
        native = str(next(casting.opening.crm_ids))
        lost = LostGrant(
            CRM, native, f"crm:{native}", role.native_id, role.entitlement_id
        )
        world.lost_grants.append(lost)
        casting.expect("ghost_grants", f"{lost.account_id} > {lost.entitlement_id}")
    reader = DIRECTORY_ROLES["Reports Reader"]
    native = casting.opening.guid()
    lost = LostGrant(
        ENTRA, native, f"entra:{native}", reader.native_id, reader.entitlement_id
    )
    world.lost_grants.append(lost)
    casting.expect("ghost_grants", f"{lost.account_id} > {lost.entitlement_id}")
    stray = _stray_crm(casting, "钱三百")
    stray.give(ROLES["全员基础"], stray.created)
    lost = LostGrant(
        CRM, stray.native_id, stray.account_id, "180999", "crm:role:180999"
    )
    world.lost_grants.append(lost)
    casting.expect("ghost_grants", f"{lost.account_id} > {lost.entitlement_id}")
    for person in casting.pick(casting.few, casting.staff("marketing")):
        account = the(person, CRM)
        grant = account.give(ROLES["展会临时"], account.created)
        casting.expect("ghost_grants", grant_id(account, grant))
    builtin = next(one for one in world.of(CRM) if one.kind == "builtin")
    for grant in builtin.held(casting.month):
        casting.acquit("ghost_grants", grant_id(builtin, grant))


def _empty(casting: Casting) -> None:
    """Accounts that hold nothing at all."""
    for person in casting.pick(casting.few, casting.staff("")):
        account = the(person, CRM)
        account.grants = []
        # Whoever plays another part might be given a role in it.
        casting.spared.add(person)
        casting.expect("accounts_without_roles", account.account_id)
    for person in casting.pick(
        max(1, casting.few // 2), casting.staff("supply", ENTRA)
    ):
        account = the(person, ENTRA)
        account.grants = []
        # Whoever plays another part might be given a role in it.
        casting.spared.add(person)
        casting.expect("accounts_without_roles", account.account_id)
    for person in casting.spare(2, casting.staff("people", ENTRA)):
        account = the(person, ENTRA)
        account.grants = []
        account.give(GROUPS["All staff 全员"], account.created)
        casting.acquit("accounts_without_roles", account.account_id)


def _namesakes(casting: Casting) -> None:
    """Two people of one name, and names that begin like a generic login."""
    odd = {name for name, _ in ODD_NAMES}
    for person in casting.world.people:
        if person.name in odd:
            ids = [account.account_id for account in person.accounts]
            casting.acquit("generic_names", *ids)
    sides = ("合同金额修改", "合同审批")
    namesakes = [one for one in casting.order if one.name == NAMESAKE]
    for person, side in zip(
        [one for one in namesakes if account_of(one, CRM)], sides, strict=False
    ):
        account = the(person, CRM)
        account.give(ROLES[side], account.created)
        ids = [one.account_id for one in person.accounts]
        casting.acquit("several_owners", *ids)
        casting.acquit(
            "conflicting_entitlements",
            f"{person.identity_id} > amend-and-approve-contracts",
        )


def _opened(casting: Casting) -> datetime:
    days = casting.rng.randint(200, 1500)
    return midnight(
        casting.world.months[0].start.date() - timedelta(days=days)
    ).replace(hour=10)


def _stray_crm(casting: Casting, name: str) -> Account:
    phone = casting.phone()
    casting.bearers[name] = casting.bearers.get(name, 0) + 1
    return casting.opening.add(
        Account(
            source=CRM,
            native_id=str(next(casting.opening.crm_ids)),
            login=phone,
            name=name,
            created=_opened(casting),
            phone=phone,
        )
    )


def _stray_entra(
    casting: Casting, local: str, name: str, kind: str = "person"
) -> Account:
    return casting.opening.add(
        Account(
            source=ENTRA,
            native_id=casting.opening.guid(),
            login=f"{local}@{DOMAIN}",
            name=name,
            created=_opened(casting),
            kind=kind,
            password_changed=casting.month.as_of - timedelta(days=40, hours=3),
            mfa="unknown",
        )
    )


def _stray_old(casting: Casting, login: str, name: str, email: str | None) -> Account:
    account = casting.opening.add(
        Account(
            source=OLD_CRM,
            native_id=str(next(casting.opening.old_ids)),
            login=login,
            name=name,
            created=_opened(casting),
            email=email,
            password_changed=casting.month.as_of - timedelta(days=90, hours=5),
            mfa="unknown",
        )
    )
    account.give(PROFILES["Sales User"], account.created)
    return account
