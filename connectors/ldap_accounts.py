"""Entries as accounts: who they are, whether they are in force, when they were used.

Not a connector: the part of ``ldap`` that fills ``accounts``.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import polars as pl

from connectors.connector import Context, Draft, RawTable
from connectors.ldap_attributes import MANAGED_SERVICE_CLASSES, PERSON_CLASSES
from connectors.ldap_entries import first_value, organizational_units
from connectors.ldap_values import (
    filetime,
    first_of,
    flag,
    generalized_time,
    has_class,
    relative_id,
    unix_days,
)
from governance.schema import ACCOUNTS

_QUOTED = 80
_COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "login": ("sAMAccountName", "uid", "userPrincipalName", "cn"),
        "display_name": ("displayName", "cn"),
        "email": ("mail",),
        "phone": ("mobile", "telephoneNumber"),
        "employee_number": ("employeeNumber", "employeeID"),
        "job_title": ("title",),
    }
)
"""Canonical column → attributes; the first one that says anything counts."""

_DISABLED = 0x2
_LOCKED = 0x10
_DOMAIN_TRUST = 0x800
_FOR_EVER = "000001010000Z"
"""pwdAccountLockedTime of an account that only an administrator can open again."""
_BUILTIN = ("500", "501", "502", "503")
"""RIDs of Administrator, Guest, krbtgt and DefaultAccount of every domain."""


def accounts(
    context: Context, raw: RawTable, rows: pl.DataFrame, told: frozenset[str]
) -> Draft:
    """Return the accounts; computers and trusts are set aside with the reason.

    ``rows`` are those of ``raw`` with every column in ``told``.
    """
    columns: dict[str, pl.Expr] = {
        "account_id": pl.format(f"{context.source}:{{}}", "native_id"),
        "native_id": pl.col("native_id"),
        "directory_id": pl.col("native_id"),
        "account_type": account_type(told, context.parameters.service_accounts),
    }
    headers: dict[str, str] = {}
    for canonical, attributes in _COLUMNS.items():
        if borne := [name for name in attributes if name in told]:
            columns[canonical] = first_of(told, *borne)
            headers[canonical] = borne[0]
    for canonical, (value, attribute) in _derived(told):
        columns[canonical] = value
        headers[canonical] = attribute
    machines = rows.filter(is_machine(told))
    return Draft(
        table=ACCOUNTS,
        raw=raw,
        rows=with_departments(rows.filter(~is_machine(told)), told).select(
            "source_row", *_department(told), **columns
        ),
        headers=headers,
        rejected=_set_aside(machines) if machines.height else None,
    )


def is_machine(told: frozenset[str]) -> pl.Expr:
    """Return whether an entry is a computer or a trust, which nobody signs in as."""
    is_computer = has_class("computer") & ~has_class(*MANAGED_SERVICE_CLASSES)
    if "userAccountControl" not in told:
        return is_computer
    is_trust = flag("userAccountControl", _DOMAIN_TRUST).fill_null(value=False)
    return is_computer | is_trust


def _set_aside(machines: pl.DataFrame) -> pl.DataFrame:
    return machines.select(
        "source_row",
        column=pl.lit("objectClass"),
        code=pl.lit("not_an_account"),
        value=pl.col("dn").str.slice(0, _QUOTED),
        reason=pl.format(
            "{} is a computer or a trust between domains, which no person signs in "
            "as; nothing to mend",
            "dn",
        ),
    )


def account_type(told: frozenset[str], service_accounts: str | None) -> pl.Expr:
    """Return what kind of account it is, by classes and identifiers, never by a guess.

    An entry that may sign in and is of no class of persons stays unknown.
    """
    login = first_of(told, *_COLUMNS["login"])
    by_name = pl.lit(value=False)
    if service_accounts is not None:
        by_name = login.str.contains(f"(?i){service_accounts}").fill_null(value=False)
    return (
        pl.when(has_class(*MANAGED_SERVICE_CLASSES) | by_name)
        .then(pl.lit("service"))
        .when(relative_id(told).is_in(_BUILTIN))
        .then(pl.lit("builtin"))
        .when(has_class(*PERSON_CLASSES))
        .then(pl.lit("person"))
        .otherwise(pl.lit("unknown"))
    )


# What is derived ----------------------------------------------------------------------


def _derived(
    told: frozenset[str],
) -> Iterator[tuple[str, tuple[pl.Expr, str]]]:
    """Yield canonical columns, how they are found, and the attribute they rest on."""
    if value := _is_enabled(told):
        yield "is_enabled", value
    if value := _is_locked(told):
        yield "is_locked", value
    if borne := _borne(told, "whenCreated", "createTimestamp"):
        yield "created_at", (generalized_time(*borne), borne[0])
    yield from _last_use(told)
    changed = [
        *(filetime(name) for name in _borne(told, "pwdLastSet")),
        *(generalized_time(name) for name in _borne(told, "pwdChangedTime")),
    ]
    if changed:
        origin = _borne(told, "pwdLastSet", "pwdChangedTime")[0]
        yield "password_changed_at", (pl.coalesce(changed), origin)
    if "pwdLastSet" in told:
        # Only 0 says anything: a password set once may well be the first one still.
        must = pl.when(pl.col("pwdLastSet") == "0").then(pl.lit(value=True))
        yield "is_initial_password", (must, "pwdLastSet")
    elif "pwdReset" in told:
        is_reset = pl.col("pwdReset").str.to_uppercase() == "TRUE"
        must = pl.when(is_reset).then(pl.lit(value=True))
        yield "is_initial_password", (must, "pwdReset")
    ends = [
        *(filetime(name) for name in _borne(told, "accountExpires")),
        *(generalized_time(name) for name in _borne(told, "pwdEndTime")),
        *(unix_days(name) for name in _borne(told, "shadowExpire")),
    ]
    if ends:
        origin = _borne(told, "accountExpires", "pwdEndTime", "shadowExpire")[0]
        yield "valid_until", (pl.coalesce(ends), origin)


def _borne(told: frozenset[str], *names: str) -> list[str]:
    return [name for name in names if name in told]


def _is_enabled(told: frozenset[str]) -> tuple[pl.Expr, str] | None:
    """Return whether an account may be used at all.

    Where a directory keeps locks only for accounts that are locked, having none means
    that the account is in force, if any entry shows that locks are kept and shown.
    """
    if "userAccountControl" in told:
        return ~flag("userAccountControl", _DISABLED), "userAccountControl"
    borne = _borne(told, "nsAccountLock", "pwdAccountLockedTime")
    if not borne:
        return None
    is_closed = (
        (first_of(told, "nsAccountLock").str.to_lowercase() == "true")
        .fill_null(value=False)
        .or_(
            (first_of(told, "pwdAccountLockedTime") == _FOR_EVER).fill_null(value=False)
        )
    )
    return ~is_closed, borne[0]


def _is_locked(told: frozenset[str]) -> tuple[pl.Expr, str] | None:
    """Return whether a lock is set. One that ends by itself may have run out."""
    locks = [
        *(
            flag(name, _LOCKED)
            for name in _borne(told, "msDS-User-Account-Control-Computed")
        ),
        *(
            (pl.col(name).replace("", None).fill_null("0") != "0")
            for name in _borne(told, "lockoutTime")
        ),
    ]
    if locks:
        return pl.coalesce(locks), "lockoutTime"
    if "pwdAccountLockedTime" in told:
        name = "pwdAccountLockedTime"
        return first_of(told, name).is_not_null(), name
    return None


def _last_use(told: frozenset[str]) -> Iterator[tuple[str, tuple[pl.Expr, str]]]:
    """Yield last login, its basis, and whether there never was one.

    Only ``lastLogonTimestamp`` reaches every domain controller; so only where it is
    told does an entry without it say never.
    """
    logons = _borne(told, "lastLogonTimestamp", "lastLogon")
    successes = _borne(told, "pwdLastSuccess", "lastLoginTime")
    told_by = [
        *([filetime(*logons)] if logons else []),
        *([generalized_time(*successes)] if successes else []),
    ]
    if not told_by:
        return
    last, origin = pl.coalesce(told_by), (*logons, *successes)[0]
    basis = pl.when(last.is_not_null()).then(pl.lit("success"))
    yield "last_login_at", (last, origin)
    yield "last_login_basis", (basis.otherwise(pl.lit("unknown")), origin)
    if "lastLogonTimestamp" in told:
        yield "never_logged_in", (last.is_null(), origin)


# Departments --------------------------------------------------------------------------


def with_departments(rows: pl.DataFrame, told: frozenset[str]) -> pl.DataFrame:
    """Add ``own_department``: the attribute, else the one ``ou`` that is not the DN's.

    Of several values of ``ou`` that remain, none is taken: LDAP keeps no order.
    """
    by_attribute = first_of(told, "department", "departmentNumber")
    if "ou" not in told:
        return rows.with_columns(own_department=by_attribute)
    units = pl.Series(
        [_own_unit(dn, names) for dn, names in rows.select("dn", "ou").iter_rows()],
        dtype=pl.String,
    )
    return rows.with_columns(own_department=pl.coalesce(by_attribute, units))


def _own_unit(dn: str, names: list[str] | None) -> str | None:
    if not names:
        return None
    of_dn = {first_value(unit).casefold() for unit in organizational_units(dn)}
    own = [name for name in names if name.casefold() not in of_dn]
    return own[0] if len(own) == 1 else None


def _department(told: frozenset[str]) -> dict[str, pl.Expr] | list[pl.Expr]:
    if told.isdisjoint({"department", "departmentNumber", "ou"}):
        return []
    return [pl.col("own_department").alias("department_name")]
