"""WuKong CRM (悟空 CRM) 11 and 9: accounts, roles, menus as permissions, departments.

From CSV dumps of its tables or over MySQL, read-only. The CRM keeps neither a second
factor nor the time of a password change anywhere: those columns are left out, so that
they count as facts it cannot tell and never as a pass or a finding.

A disabled role or menu still lets its holders in, as the CRM computes rights without
asking for the status; both stay, with ``is_enabled`` false.

Source: WukongCRM-11.0-JAVA and WukongCRM-9.0-JAVA, schema and permission code.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

from connectors.connector import (
    Connector,
    Context,
    Draft,
    Normalised,
    RawExport,
    RawTable,
)
from connectors.wukong_menus import ALL_ABILITIES, Menu, read_menus
from connectors.wukong_tables import TableParameters, WukongTable, read_tables
from governance.schema import (
    ACCOUNTS,
    DEPARTMENTS,
    ENTITLEMENT_MEMBERS,
    ENTITLEMENTS,
    GRANTS,
)


@dataclass(frozen=True, kw_only=True)
class Version:
    """What differs between the versions."""

    prefix: str
    super_user: str
    """The account that may do everything whatever its roles; written into the code."""
    super_role: str


VERSIONS: Mapping[str, Version] = {
    "11": Version(prefix="wk_", super_user="14773", super_role="180162"),
    "9": Version(prefix="72crm_", super_user="3", super_role="1"),
}
_SUPER_REMARK = "admin"
_ENABLED = {"0": "false", "1": "true", "2": "true"}
"""Status 2 未激活 can log in; the first login sets it to 1."""
_SWITCHED_ON = {"0": "false", "1": "true"}
_SCOPES = {
    "1": "self",
    "2": "subordinates",
    "3": "department",
    "4": "department_tree",
    "5": "all",
}


class WukongCrmParameters(TableParameters):
    """Keys of a ``wukong_crm`` source."""

    version: Literal["11", "9"] = "11"
    num_is_employee_number: bool = False
    """Only where people fill 员工编号 in: an Excel import puts 15 random digits."""


def user_table(version: Version) -> WukongTable:
    """Return the table of accounts, without ``password`` and ``salt``."""
    return WukongTable(
        name=f"{version.prefix}admin_user",
        key="user_id",
        columns=(
            "user_id",
            "username",
            "realname",
            "num",
            "mobile",
            "email",
            "dept_id",
            "post",
            "status",
            "create_time",
            "last_login_time",
        ),
        optional=("is_del",),
        may_be_empty=False,
    )


def _tables(version: Version) -> tuple[WukongTable, ...]:
    admin = f"{version.prefix}admin"
    return (
        user_table(version),
        WukongTable(
            name=f"{admin}_role",
            key="role_id",
            columns=("role_id", "role_name", "remark", "status", "data_type"),
            may_be_empty=False,
        ),
        WukongTable(
            name=f"{admin}_user_role", key="id", columns=("id", "user_id", "role_id")
        ),
        WukongTable(
            name=f"{admin}_menu",
            key="menu_id",
            columns=("menu_id", "parent_id", "menu_name", "realm", "status"),
            may_be_empty=False,
        ),
        WukongTable(
            name=f"{admin}_role_menu", key="id", columns=("id", "role_id", "menu_id")
        ),
        WukongTable(
            name=f"{admin}_dept", key="dept_id", columns=("dept_id", "pid", "name")
        ),
    )


def fetch(context: Context) -> RawExport:
    """Read the six tables whole.

    Raises:
        ExtractError: a dump, table or column is missing or may not be read, a dump
            holds credentials, or the database goes away half-way.
    """
    return read_tables(context, _tables(VERSIONS[context.parameters.version]))


def normalise(context: Context, export: RawExport) -> Normalised:
    """Put the tables into canonical columns."""
    version = VERSIONS[context.parameters.version]
    users, roles, user_roles, menus, role_menus, departments = (
        export.tables[table.name] for table in _tables(version)
    )
    is_super = (pl.col("role_id") == version.super_role) | (
        pl.col("remark") == _SUPER_REMARK
    ).fill_null(value=False)
    super_roles = roles.rows.filter(is_super)["role_id"].to_list()
    menu_by_id = read_menus(menus.rows)
    everyone = users.numbered()
    is_deleted = (pl.col("is_del") == "1").fill_null(value=False)
    present = everyone.filter(~is_deleted)
    has_super_role = pl.col("user_id").is_in(
        user_roles.rows.filter(pl.col("role_id").is_in(super_roles))[
            "user_id"
        ].to_list()
    )
    ruler = present.filter((pl.col("user_id") == version.super_user) & ~has_super_role)
    drafts = (
        Draft(
            table=ACCOUNTS,
            raw=users,
            rows=_accounts(context, version, present, departments.rows),
            headers=_ACCOUNT_HEADERS,
            rejected=_deleted(everyone.filter(is_deleted)),
        ),
        Draft(
            table=ENTITLEMENTS,
            raw=roles,
            rows=_roles(context, roles, role_menus.rows, menu_by_id, is_super),
            headers=_ROLE_HEADERS,
        ),
        Draft(
            table=ENTITLEMENTS,
            raw=menus,
            rows=_menus(context, menus, menu_by_id),
            headers={"native_id": "menu_id", "is_enabled": "status"},
        ),
        Draft(
            table=ENTITLEMENT_MEMBERS,
            raw=role_menus,
            rows=role_menus.numbered().select(
                "source_row",
                parent_id=_id(context, "role", "role_id"),
                child_id=_id(context, "menu", "menu_id"),
            ),
            headers={"parent_id": "role_id", "child_id": "menu_id"},
        ),
        Draft(
            table=GRANTS,
            raw=user_roles,
            rows=user_roles.numbered().select(
                "source_row",
                account_id=_id(context, "user_id"),
                entitlement_id=_id(context, "role", "role_id"),
                via=pl.lit("direct"),
            ),
            headers={"account_id": "user_id", "entitlement_id": "role_id"},
        ),
        Draft(
            table=DEPARTMENTS,
            raw=departments,
            rows=departments.numbered().select(
                "source_row",
                "name",
                department_id=_id(context, "dept", "dept_id"),
                parent_id=pl.when(pl.col("pid") != "0").then(
                    _id(context, "dept", "pid")
                ),
            ),
            headers={"department_id": "dept_id", "parent_id": "pid"},
        ),
        *_ruled(context, version, replace(users, stated=None), ruler, super_roles),
    )
    return Normalised(
        drafts=drafts,
        completeness="full" if export.method == "database" else "unknown",
        notes=tuple(_notes(version, present, roles.rows, user_roles.rows, ruler)),
    )


def _id(context: Context, *parts: str) -> pl.Expr:
    """Return ``<source>:<kind>:<id>``; the last part is the column of the id."""
    *kinds, column = parts
    return pl.format(":".join([context.source, *kinds, "{}"]), column)


def _ruled(
    context: Context,
    version: Version,
    users: RawTable,
    ruler: pl.DataFrame,
    super_roles: list[str],
) -> tuple[Draft, ...]:
    """Grant the built-in account what the code lets it do without asking for a role.

    Where the table has lost the role, the code still acts as if it were there.
    """
    if ruler.is_empty():
        return ()
    role = super_roles[0] if super_roles else version.super_role
    role_id = pl.lit(f"{context.source}:role:{role}")
    grant = Draft(
        table=GRANTS,
        raw=users,
        rows=ruler.select(
            "source_row",
            account_id=_id(context, "user_id"),
            entitlement_id=role_id,
            via=pl.lit("rule"),
        ),
    )
    if super_roles:
        return (grant,)
    entitlement = Draft(
        table=ENTITLEMENTS,
        raw=users,
        rows=ruler.select(
            "source_row",
            entitlement_id=role_id,
            native_id=pl.lit(role),
            name=pl.lit("超级管理员"),
            kind=pl.lit("role"),
            is_privileged=pl.lit(value=True),
            data_scope=pl.lit("all"),
            abilities=pl.lit(ALL_ABILITIES),
            is_enabled=pl.lit(value=True),
        ),
    )
    return (grant, entitlement)


def _deleted(users: pl.DataFrame) -> pl.DataFrame:
    return users.select(
        "source_row",
        column=pl.lit("is_del"),
        code=pl.lit("deleted_at_source"),
        value=pl.col("user_id"),
        reason=pl.format(
            "is_del is 1: the CRM treats user {} as deleted and lets nobody log in "
            "with it; nothing to mend",
            "user_id",
        ),
    )


_ROLE_HEADERS = {
    "native_id": "role_id",
    "name": "role_name",
    "description": "remark",
    "data_scope": "data_type",
    "is_enabled": "status",
}
_ACCOUNT_HEADERS = {
    "account_id": "user_id",
    "native_id": "user_id",
    "login": "username",
    "display_name": "realname",
    "phone": "mobile",
    "department_name": "dept_id",
    "job_title": "post",
    "is_enabled": "status",
    "created_at": "create_time",
    "last_login_at": "last_login_time",
    "employee_number": "num",
}


def _accounts(
    context: Context,
    version: Version,
    users: pl.DataFrame,
    departments: pl.DataFrame,
) -> pl.DataFrame:
    """``last_login_time`` is written on success only, so null is never logged in."""
    names = departments.unique("dept_id", keep="first")
    accounts = users.join(
        names, on="dept_id", how="left", maintain_order="left"
    ).select(
        "source_row",
        "email",
        account_id=_id(context, "user_id"),
        native_id="user_id",
        login="username",
        display_name="realname",
        phone="mobile",
        employee_number="num",
        department_name="name",
        job_title="post",
        account_type=pl.when(pl.col("user_id") == version.super_user)
        .then(pl.lit("builtin"))
        .otherwise(pl.lit("person")),
        is_enabled=pl.col("status").replace(_ENABLED),
        created_at="create_time",
        last_login_at="last_login_time",
        last_login_basis=pl.lit("success"),
        never_logged_in=pl.col("last_login_time").is_null(),
    )
    if context.parameters.num_is_employee_number:
        return accounts
    return accounts.drop("employee_number")


def _roles(
    context: Context,
    roles: RawTable,
    role_menus: pl.DataFrame,
    menus: Mapping[str, Menu],
    is_super: pl.Expr,
) -> pl.DataFrame:
    """A role can do what its menus can; the super role owns none and can do all."""
    abilities: dict[str, set[str]] = {}
    privileged: set[str] = set()
    for role, menu_id in role_menus.select("role_id", "menu_id").iter_rows():
        if menu := menus.get(menu_id):
            abilities.setdefault(role, set()).update(menu.abilities)
            if menu.is_privileged:
                privileged.add(role)
    listed = {role: ",".join(sorted(found)) for role, found in abilities.items()}
    own = pl.col("role_id").replace_strict(listed, default="", return_dtype=pl.String)
    return roles.numbered().select(
        "source_row",
        entitlement_id=_id(context, "role", "role_id"),
        native_id="role_id",
        name="role_name",
        kind=pl.lit("role"),
        description="remark",
        is_privileged=is_super | pl.col("role_id").is_in(sorted(privileged)),
        data_scope=pl.col("data_type").replace(_SCOPES),
        abilities=pl.when(is_super).then(pl.lit(ALL_ABILITIES)).otherwise(own),
        is_enabled=pl.col("status").replace(_SWITCHED_ON),
    )


def _menus(context: Context, raw: RawTable, by_id: Mapping[str, Menu]) -> pl.DataFrame:
    menus = [by_id[menu_id] for menu_id in raw.rows["menu_id"]]
    read = pl.DataFrame(
        {
            "name": [f"{menu.path} {menu.title}" for menu in menus],
            "kind": [
                "directory" if menu.is_directory else "permission" for menu in menus
            ],
            "is_privileged": [menu.is_privileged for menu in menus],
            "abilities": [",".join(sorted(menu.abilities)) for menu in menus],
        }
    )
    return raw.numbered().select(
        "source_row",
        *read,
        entitlement_id=_id(context, "menu", "menu_id"),
        native_id="menu_id",
        is_enabled=pl.col("status").replace(_SWITCHED_ON),
    )


def _notes(
    version: Version,
    users: pl.DataFrame,
    roles: pl.DataFrame,
    user_roles: pl.DataFrame,
    ruler: pl.DataFrame,
) -> Iterator[str]:
    """Say what the CRM cannot tell, and what could be taken for something else."""
    yield (
        "The CRM keeps no second factor and no time of password change: both are "
        "unknown for every account."
    )
    if ruler.height:
        yield (
            f"User {version.super_user} may do everything although no row gives it the "
            "super administrator's role: granted by rule."
        )
    if waiting := users.filter(pl.col("status") == "2").height:
        yield (
            f"{waiting} accounts are not yet activated (status 2); they count as "
            "enabled, because they can log in."
        )
    off = roles.filter(pl.col("status") == "0")["role_id"].to_list()
    if held := user_roles.filter(pl.col("role_id").is_in(off)).height:
        yield (
            f"{held} grants are of disabled roles; the CRM lets them count, so they "
            "stay."
        )


CONNECTOR = Connector(
    name="wukong_crm",
    title="WuKong CRM",
    parameters=WukongCrmParameters,
    fetch=fetch,
    normalise=normalise,
)
