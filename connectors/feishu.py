"""Feishu (飞书, Lark): members, departments, user groups and roles, over its API.

Feishu has no list of its roles: the ids of those to read are named in gatebook.toml.
It tells no login, no second factor, no password, no creation and no kind of account of
a member: so none of these is claimed.

Source: open.feishu.cn, 通讯录 v3 (用户, 部门, 用户组, 角色), 通用错误码.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import quote

import polars as pl
from pydantic import Field

from connectors import connector, web
from connectors.answer_codes import (
    Codes,
    ask,
    every_page,
    identified,
    tells,
    text,
    word,
    words,
)
from connectors.connector import (
    Connector,
    Context,
    Draft,
    Normalised,
    RawExport,
    RawTable,
)
from connectors.secret_references import SecretReference, read_secret
from connectors.web import (
    Credentials,
    ForbiddenError,
    HttpsAddress,
    WebClient,
    forbidden_parts,
    forbidden_table,
    raw_table,
)
from governance.schema import (
    ACCOUNTS,
    DEPARTMENTS,
    ENTITLEMENTS,
    GRANTS,
    IDENTITIES,
    ExtractError,
)

_CODES = Codes(
    code="code",
    words="msg",
    expired=frozenset({99991661, 99991663, 99991664, 99991668}),
    refused=frozenset({40004, 41050, 99991672, 99991679}),
    passing=frozenset({99991400, 2200}),
    remedies=MappingProxyType(
        {
            10003: "mend app_id",
            10014: "mend the secret of the app",
            99991401: "add this server's address to the IP list of the app (IP白名单)",
        }
    ),
)
_ROOT = "0"
_AT_ONCE = 50

_USERS = "users"
_DEPARTMENTS = "departments"
_GROUPS = "groups"
_GROUP_MEMBERS = "group_members"
_ROLES = "roles"
_ROLE_MEMBERS = "role_members"

_USER_COLUMNS = (
    "open_id",
    "union_id",
    "user_id",
    "name",
    "email",
    "enterprise_email",
    "mobile",
    "employee_no",
    "employee_type",
    "job_title",
    "department_ids",
    "orders.department_id",
    "orders.is_primary_dept",
    "leader_user_id",
    "join_time",
    "is_tenant_manager",
    "status.is_frozen",
    "status.is_resigned",
    "status.is_activated",
    "status.is_exited",
    "status.is_unjoin",
)


class Parameters(connector.Parameters):
    """Keys of a source with ``connector = "feishu"``."""

    app_id: str
    app_secret: SecretReference
    id_type: Literal["open_id", "union_id", "user_id"] = "open_id"
    """Which id names a member. open_id is the app's own; user_id needs a right."""
    roles: dict[str, str] = Field(default_factory=dict)
    """Id of each role to read, and what people call it."""
    people: bool = False
    """Deliver the members as identities too, for a house without an HR source."""
    address: HttpsAddress = "https://open.feishu.cn"
    """https://open.larksuite.com for Lark."""
    ca_file: Path | None = None
    """Certificates to trust instead of the system's, relative to gatebook.toml."""


def fetch(context: Context) -> RawExport:
    """Read departments, members, groups and the roles named, each to its last page.

    Raises:
        ExtractError: the token or the members cannot be had; anything but a refusal of
            one other part fails. Names endpoint, code and remedy.
    """
    parameters: Parameters = context.parameters
    began = datetime.now(UTC)
    refused: dict[str, str] = {}
    with _client(context, authorise=partial(_token, context)) as client:
        tables = [*_read_departments(client, parameters, refused)]
        places = tables[0].rows["open_department_id"].to_list() if tables else []
        tables.append(_read_users(client, parameters, [_ROOT, *places]))
        tables += _read_groups(client, parameters, refused)
        tables += _read_roles(client, parameters, refused)
    tables.append(forbidden_table(parameters.address, refused))
    return RawExport(
        tables={table.name: table for table in tables}, extracted_at=began, method="API"
    )


def _client(context: Context, authorise: Callable[[], Credentials]) -> WebClient:
    parameters: Parameters = context.parameters
    ca_file = parameters.ca_file
    return WebClient(
        parameters.address,
        authorise=authorise,
        is_expired=_CODES.is_expired,
        ca_file=None if ca_file is None else context.settings.folder / ca_file,
        limits=web.LIMITS,
    )


def _token(context: Context) -> Credentials:
    """Return a fresh tenant_access_token."""
    parameters: Parameters = context.parameters
    secret = read_secret(context.settings.folder, parameters.app_secret)
    with _client(context, authorise=Credentials) as client:
        answer = ask(
            client,
            _CODES,
            "/open-apis/auth/v3/tenant_access_token/internal",
            body={"app_id": parameters.app_id, "app_secret": secret},
            hidden=secret,
        )
    token = word(answer, "tenant_access_token")
    return Credentials(headers={"Authorization": f"Bearer {token}"})


def _read(
    client: WebClient, path: str, key: str, **parameters: str
) -> Iterator[dict[str, Any]]:
    """Yield the objects of a list, all pages of it."""
    for page in every_page(
        client,
        _CODES,
        f"/open-apis/contact/v3/{path}",
        {"page_size": _AT_ONCE, **parameters},
        next_of=_after,
    ):
        yield from page.records(f"data.{key}", may_lack=True)


def _after(page: dict[str, Any]) -> Mapping[str, str | int] | None:
    data = page.get("data")
    if not isinstance(data, dict) or not data.get("has_more"):
        return None
    return {"page_token": str(data.get("page_token"))}


def _read_departments(
    client: WebClient, parameters: Parameters, refused: dict[str, str]
) -> Iterator[RawTable]:
    """Yield all departments but the root, nothing if they may not be read."""
    path = f"departments/{_ROOT}/children"
    try:
        found = list(
            _read(
                client,
                path,
                "items",
                fetch_child="true",
                user_id_type=parameters.id_type,
                department_id_type="open_department_id",
            )
        )
    except ForbiddenError as error:
        refused[_DEPARTMENTS] = str(error)
        return
    yield raw_table(
        _DEPARTMENTS,
        client.shown(f"/open-apis/contact/v3/{path}"),
        found,
        ("open_department_id", "name", "parent_department_id", "leader_user_id"),
    )


def _read_users(
    client: WebClient, parameters: Parameters, places: list[str]
) -> RawTable:
    """Return the members of each department; one in two stands there twice."""
    path = "users/find_by_department"
    found = [
        one
        for place in places
        for one in _read(
            client,
            path,
            "items",
            department_id=place,
            user_id_type=parameters.id_type,
            department_id_type="open_department_id",
        )
    ]
    shown = client.shown(f"/open-apis/contact/v3/{path}")
    if not found:
        raise ExtractError(
            f"{shown}: shows not one member; widen the scope of contacts "
            "(通讯录权限范围) of the app"
        )
    table = raw_table(_USERS, shown, found, _USER_COLUMNS)
    if parameters.id_type not in table.rows.columns:
        raise ExtractError(
            f"{shown}: tells no {parameters.id_type}; grant the app the right to "
            "it, or set id_type to open_id"
        )
    return table


def _read_groups(
    client: WebClient, parameters: Parameters, refused: dict[str, str]
) -> Iterator[RawTable]:
    """Yield user groups and who is in them, nothing if they may not be read."""
    try:
        groups = list(_read(client, "group/simplelist", "grouplist"))
        members = [
            {"of": group.get("id"), "member_id": one.get("member_id")}
            for group in groups
            for one in _read(
                client,
                f"group/{quote(str(group.get('id')), safe='')}/member/simplelist",
                "memberlist",
                member_type="user",
                member_id_type=parameters.id_type,
            )
        ]
    except ForbiddenError as error:
        refused[_GROUPS] = str(error)
        return
    shown = client.shown("/open-apis/contact/v3/group/simplelist")
    yield raw_table(
        _GROUPS,
        shown,
        groups,
        ("id", "name", "description", "member_department_count"),
    )
    yield raw_table(
        _GROUP_MEMBERS,
        client.shown("/open-apis/contact/v3/group/member/simplelist"),
        members,
        ("of", "member_id"),
    )


def _read_roles(
    client: WebClient, parameters: Parameters, refused: dict[str, str]
) -> Iterator[RawTable]:
    """Yield the roles named and who holds them, nothing if they may not be read."""
    if not parameters.roles:
        return
    try:
        members = [
            {"of": role, "member_id": one.get("user_id")}
            for role in parameters.roles
            for one in _read(
                client,
                f"functional_roles/{quote(role, safe='')}/members",
                "members",
                user_id_type=parameters.id_type,
            )
        ]
    except ForbiddenError as error:
        refused[_ROLES] = str(error)
        return
    named = [{"id": role, "name": name} for role, name in parameters.roles.items()]
    shown = client.shown("/open-apis/contact/v3/functional_roles/members")
    yield raw_table(_ROLES, shown, named, ("id", "name"))
    yield raw_table(_ROLE_MEMBERS, shown, members, ("of", "member_id"))


# Meaning ------------------------------------------------------------------------------

_HEADERS = MappingProxyType(
    {
        "display_name": "name",
        "phone": "mobile",
        "employee_number": "employee_no",
        "is_enabled": "status",
        "employment_status": "status",
        "start_date": "join_time",
    }
)
_EMPLOYMENT_TYPES = {
    "1": "employee",  # 正式
    "2": "intern",  # 实习
    "3": "vendor",  # 外包
    "4": "contractor",  # 劳务
    "5": "contractor",  # 顾问
}
_STATES = ("is_frozen", "is_resigned", "is_activated", "is_exited")


def normalise(context: Context, export: RawExport) -> Normalised:
    """Put members, groups and roles into canonical columns.

    Completeness is ``scoped`` where a part may not be read or a group holds whole
    departments, else ``unknown``: Feishu states no totals, and shows an app no more
    than its scope.
    """
    refused = forbidden_parts(export)
    raw = export.tables[_USERS]
    users = raw.numbered().with_columns(member=pl.col(context.parameters.id_type))
    departments = export.tables.get(_DEPARTMENTS)
    primary = _primary_department(users)
    users = users.join(primary, on="member", how="left", maintain_order="left")
    drafts = [
        _accounts(context, raw, users, departments),
        *_managers(context, raw, users),
        *_holdings(context, export, _GROUPS, _GROUP_MEMBERS, "group"),
        *_holdings(context, export, _ROLES, _ROLE_MEMBERS, "role"),
    ]
    if context.parameters.people:
        drafts.append(_people(context, raw, users))
        if departments is not None:
            drafts.append(_departments(context, departments))
    return Normalised(
        drafts=tuple(drafts),
        completeness=(
            "scoped" if refused or _groups_of_departments(export) else "unknown"
        ),
        notes=tuple(_notes(context, export, users)),
    )


def _groups_of_departments(export: RawExport) -> int:
    """Return how many groups hold whole departments, whose members are not listed."""
    if _GROUPS not in export.tables:
        return 0
    rows = export.tables[_GROUPS].rows
    count = text(rows, "member_department_count").cast(pl.Int64, strict=False)
    return rows.filter(count > 0).height


def _primary_department(users: pl.DataFrame) -> pl.DataFrame:
    """Return ``member`` and ``place``: the primary department, else the only one."""
    only = words(users, "department_ids")
    single = users.select(
        "member",
        place=pl.when(only.list.len() == 1).then(only.list.get(0, null_on_oob=True)),
    )
    found = [single]
    if tells(users, "orders.department_id") and tells(users, "orders.is_primary_dept"):
        found.insert(
            0,
            users.select(
                "member",
                place="orders.department_id",
                is_primary="orders.is_primary_dept",
            )
            .explode("place", "is_primary")
            .filter(pl.col("is_primary") == "true")
            .select("member", "place"),
        )
    return pl.concat(found).drop_nulls().unique("member", keep="first")


def _accounts(
    context: Context, raw: RawTable, users: pl.DataFrame, departments: RawTable | None
) -> Draft:
    columns = _known(users)
    if tells(users, *(f"status.{state}" for state in _STATES)):
        is_told = pl.any_horizontal(
            text(users, f"status.{state}").is_not_null() for state in _STATES
        )
        is_out = pl.any_horizontal(
            (text(users, f"status.{state}") == "true").fill_null(value=False)
            for state in ("is_frozen", "is_resigned", "is_exited")
        )
        columns["is_enabled"] = pl.when(is_told).then((~is_out).cast(pl.String))
    if departments is not None and tells(departments.rows, "name"):
        names = dict(departments.rows.select("open_department_id", "name").iter_rows())
        columns["department_name"] = pl.col("place").replace_strict(
            names, default=None, return_dtype=pl.String
        )
    return Draft(
        table=ACCOUNTS,
        raw=raw,
        rows=users.select(
            "source_row",
            account_id=identified(context.source, "", pl.col("member")),
            native_id="member",
            login="member",
            **columns,
        ),
        headers=_headers(context),
    )


def _headers(context: Context) -> Mapping[str, str]:
    own = context.parameters.id_type
    return {**_HEADERS, "account_id": own, "identity_id": own, "native_id": own}


def _known(users: pl.DataFrame) -> dict[str, pl.Expr]:
    """Return the columns that accounts and people have alike, those that are told."""
    columns = {"directory_id": pl.col("member")}
    for canonical, own in (
        ("display_name", ("name",)),
        ("email", ("email", "enterprise_email")),
        ("phone", ("mobile",)),
        ("employee_number", ("employee_no",)),
        ("job_title", ("job_title",)),
    ):
        if tells(users, *own):
            columns[canonical] = pl.coalesce([text(users, name) for name in own])
    return columns


def _managers(context: Context, raw: RawTable, users: pl.DataFrame) -> Iterator[Draft]:
    """Yield who administers the tenant, nothing if that is not told."""
    if not tells(users, "is_tenant_manager"):
        return
    managers = users.filter(pl.col("is_tenant_manager") == "true")
    entitlement = identified(context.source, "", pl.lit("tenant_manager"))
    yield Draft(
        table=ENTITLEMENTS,
        raw=raw,
        rows=managers.head(1).select(
            "source_row",
            entitlement_id=entitlement,
            native_id=pl.lit("tenant_manager"),
            name=pl.lit("企业管理员"),
            kind=pl.lit("administrator"),
            is_privileged=pl.lit("true"),
            abilities=pl.lit("administer"),
        ),
    )
    yield Draft(
        table=GRANTS,
        raw=raw,
        rows=managers.select(
            "source_row",
            account_id=identified(context.source, "", pl.col("member")),
            entitlement_id=entitlement,
            via=pl.lit("direct"),
        ),
        headers=_headers(context),
    )


def _holdings(
    context: Context, export: RawExport, things: str, members: str, kind: str
) -> Iterator[Draft]:
    """Yield groups or roles, and who is in them; nothing if they are not told."""
    if things not in export.tables:
        return
    raw, held = export.tables[things], export.tables[members]
    rows = raw.numbered()
    described = (
        {"description": text(rows, "description")} if tells(rows, "description") else {}
    )
    yield Draft(
        table=ENTITLEMENTS,
        raw=raw,
        rows=rows.select(
            "source_row",
            entitlement_id=identified(context.source, f"{kind}:", pl.col("id")),
            native_id="id",
            name=text(rows, "name"),
            kind=pl.lit(kind),
            **described,
        ),
        headers={"entitlement_id": "id", "native_id": "id"},
    )
    yield Draft(
        table=GRANTS,
        raw=held,
        rows=held.numbered().select(
            "source_row",
            account_id=identified(context.source, "", pl.col("member_id")),
            entitlement_id=identified(context.source, f"{kind}:", pl.col("of")),
            via=pl.lit("direct"),
        ),
        headers={"account_id": "member_id"},
    )


def _people(context: Context, raw: RawTable, users: pl.DataFrame) -> Draft:
    """Return members as identities.

    Resigned or exited has left, activated works here. Frozen does not say why, and not
    yet activated not whether anybody came: both are unknown.
    """
    columns = _known(users)
    columns["department_id"] = identified(
        context.source, "department:", pl.col("place")
    )
    if tells(users, "leader_user_id"):
        columns["manager_id"] = identified(
            context.source, "", text(users, "leader_user_id")
        )
    if tells(users, "employee_type"):
        columns["employment_type"] = text(users, "employee_type").replace_strict(
            _EMPLOYMENT_TYPES, default=None, return_dtype=pl.String
        )
    if tells(users, "join_time"):
        columns["start_date"] = _day(context, users, "join_time")
    if tells(users, *(f"status.{state}" for state in _STATES)):
        state = {
            name: (text(users, f"status.{name}") == "true").fill_null(value=False)
            for name in _STATES
        }
        columns["employment_status"] = (
            pl.when(state["is_resigned"] | state["is_exited"])
            .then(pl.lit("left"))
            .when(state["is_activated"] & ~state["is_frozen"])
            .then(pl.lit("active"))
        )
    return Draft(
        table=IDENTITIES,
        raw=raw,
        rows=users.select(
            "source_row",
            identity_id=identified(context.source, "", pl.col("member")),
            **columns,
        ),
        headers=_headers(context),
    )


def _departments(context: Context, raw: RawTable) -> Draft:
    rows = raw.numbered()
    parent = text(rows, "parent_department_id")
    columns: dict[str, pl.Expr] = {}
    if tells(rows, "leader_user_id"):
        columns["head_identity_id"] = identified(
            context.source, "", text(rows, "leader_user_id")
        )
    return Draft(
        table=DEPARTMENTS,
        raw=raw,
        rows=rows.select(
            "source_row",
            department_id=identified(
                context.source, "department:", pl.col("open_department_id")
            ),
            name=text(rows, "name"),
            # The root is not in its own list of children.
            parent_id=identified(
                context.source, "department:", pl.when(parent != _ROOT).then(parent)
            ),
            **columns,
        ),
        headers={"department_id": "open_department_id"},
    )


def _day(context: Context, rows: pl.DataFrame, column: str) -> pl.Expr:
    """Return the local day of Unix seconds, null for 0; what is no number stays."""
    told = text(rows, column)
    moment = pl.from_epoch(told.cast(pl.Int64, strict=False), time_unit="s")
    local = moment.dt.replace_time_zone("UTC").dt.convert_time_zone(
        context.settings.time_zone
    )
    day = pl.coalesce(local.dt.strftime("%Y-%m-%d"), told)
    return pl.when(told != "0").then(day)


def _notes(context: Context, export: RawExport, users: pl.DataFrame) -> Iterator[str]:
    """Yield what Feishu cannot tell, or may not tell this app."""
    yield (
        "Feishu tells no logins, second factors, passwords or kinds of account; an app "
        "sees no more than its scope of contacts."
    )
    if not context.parameters.roles:
        yield (
            "roles: Feishu lists none; name the ids of those to read as roles in "
            "gatebook.toml."
        )
    consequences = {
        _DEPARTMENTS: "no departments are told, and of members only those of the top",
        _GROUPS: "user groups and who is in them are not told",
        _ROLES: "who holds the roles is not told",
    }
    for part, reason in forbidden_parts(export).items():
        yield f"{part}: {consequences[part]}. {reason}."
    if count := _groups_of_departments(export):
        yield (
            f"groups: {count} hold whole departments; who is in them that way is not "
            "told."
        )
    for said, own in (("mobile", ("mobile",)), ("status", ("status.is_activated",))):
        if not tells(users, *own):
            yield f"users: {said} is not told; grant the app the right to it."


CONNECTOR = Connector(
    name="feishu",
    title="Feishu 飞书",
    parameters=Parameters,
    fetch=fetch,
    normalise=normalise,
)
