"""Second factors refused, passwords never changed, accounts nobody has used."""

from datetime import datetime, timedelta

from data.demo.casting import Casting, the
from data.demo.systems import (
    CRM,
    DIRECTORY_ROLES,
    ENTRA,
    GROUPS,
    OLD_CRM,
    PROFILES,
    ROLES,
)
from data.demo.world import Account, Person


def neglect(casting: Casting) -> None:
    """Neglect some accounts, and others exactly not."""
    _second_factor(casting)
    _privileged(casting)
    _dormant(casting)
    _passwords(casting)


def _second_factor(casting: Casting) -> None:
    for family in ("sales", "supply"):
        for person in casting.pick(casting.few, casting.staff(family, ENTRA)):
            account = the(person, ENTRA)
            account.mfa, account.mfa_since = "disabled", None
            casting.expect("accounts_without_mfa", account.account_id)
    for person in casting.pick(max(1, casting.few // 2), casting.staff("", OLD_CRM)):
        account = the(person, OLD_CRM)
        account.mfa = "disabled"
        casting.expect("accounts_without_mfa", account.account_id)
    for person in casting.spare(2, casting.staff("service", ENTRA)):
        account = the(person, ENTRA)
        account.mfa, account.mfa_since = "unknown", None
        casting.acquit("accounts_without_mfa", account.account_id)
    for person in casting.spare(1, casting.staff("people", ENTRA)):
        account = the(person, ENTRA)
        account.mfa_since = casting.month.as_of - timedelta(days=12)
        casting.acquit("accounts_without_mfa", account.account_id)


def _privileged(casting: Casting) -> None:
    """Administrators without: by role, by a group in a group, in the old CRM."""
    roles = (
        DIRECTORY_ROLES["Helpdesk Administrator"],
        GROUPS["Server operators 服务器运维"],
    )
    engineers = casting.staff("it", ENTRA, title="工程师")
    for number, person in enumerate(casting.pick(casting.few, engineers)):
        account = the(person, ENTRA)
        account.give(roles[number % 2], account.created)
        account.mfa, account.mfa_since = "disabled", None
        casting.expect("privileged_accounts_without_mfa", account.account_id)
        casting.expect("accounts_without_mfa", account.account_id)
    for number, person in enumerate(casting.pick(1, casting.staff("it", ENTRA))):
        old = _old_administrator(casting, person, number)
        old.mfa = "disabled"
        casting.expect("privileged_accounts_without_mfa", old.account_id)
    for person in casting.spare(2, casting.staff("it", ENTRA, title="工程师")):
        account = the(person, ENTRA)
        account.mfa_since = account.created
        casting.acquit("privileged_accounts_without_mfa", account.account_id)
    # The CRM cannot tell: whoever administers it is unknown, not guilty.
    for person in casting.spare(1, casting.heads("it")):
        casting.acquit("privileged_accounts_without_mfa", the(person, CRM).account_id)
    builtin = next(one for one in casting.world.of(CRM) if one.kind == "builtin")
    casting.acquit("privileged_accounts_without_mfa", builtin.account_id)


def _old_administrator(casting: Casting, person: Person, number: int) -> Account:
    account = casting.opening.old(person)
    account.created -= timedelta(days=number)
    account.give(PROFILES["Administrator"], account.created)
    return account


def _dormant(casting: Casting) -> None:
    end, days = casting.month.as_of, timedelta(days=1)
    few = casting.few
    for number, person in enumerate(casting.pick(few, casting.staff("finance"))):
        account = the(person, CRM)
        _stop(account, end - (91 + 40 * number % 200) * days - timedelta(hours=13))
        casting.expect("dormant_accounts", account.account_id)
    for person in casting.pick(max(1, few // 2), casting.staff("supply", ENTRA)):
        account = the(person, ENTRA)
        account.use = "never"
        account.created = min(account.created, end - 120 * days)
        casting.expect("dormant_accounts", account.account_id)
    for person in casting.pick(max(1, few // 2), casting.staff("", OLD_CRM)):
        account = the(person, OLD_CRM)
        _stop(account, end - 300 * days + timedelta(hours=11))
        casting.expect("dormant_accounts", account.account_id)
    for person in casting.spare(1 + few // 3, casting.staff("marketing")):
        account = the(person, CRM)
        _stop(account, end - 90 * days)
        casting.acquit("dormant_accounts", account.account_id)
    for person in casting.spare(1 + few // 3, casting.staff("supply", ENTRA)):
        account = the(person, ENTRA)
        account.use, account.last_use = "attempts", end - 3 * days
        casting.acquit("dormant_accounts", account.account_id)
    for person in casting.spare(1 + few // 3, casting.staff("people", ENTRA)):
        account = casting.opening.crm(person)
        account.created = end - 12 * days
        account.give(ROLES["全员基础"], account.created)
        account.use = "never"
        casting.bearers[account.name] = casting.bearers.get(account.name, 0) + 1
        casting.acquit("dormant_accounts", account.account_id)


def _stop(account: Account, moment: datetime) -> None:
    account.use, account.last_use = "stopped", moment
    account.created = min(account.created, moment - timedelta(days=30))


def _passwords(casting: Casting) -> None:
    end, days = casting.month.as_of, timedelta(days=1)
    for person in casting.pick(casting.few, casting.staff("supply", ENTRA)):
        _age(the(person, ENTRA), end - 366 * days - timedelta(hours=7))
        casting.expect("stale_passwords", the(person, ENTRA).account_id)
    for person in casting.pick(max(1, casting.few // 2), casting.staff("", OLD_CRM)):
        _age(the(person, OLD_CRM), end - 1400 * days)
        casting.expect("stale_passwords", the(person, OLD_CRM).account_id)
    for person in casting.spare(2, casting.staff("", ENTRA)):
        _age(the(person, ENTRA), end - 365 * days)
        casting.acquit("stale_passwords", the(person, ENTRA).account_id)


def _age(account: Account, moment: datetime) -> None:
    account.password_changed = moment
    account.created = min(account.created, moment)
