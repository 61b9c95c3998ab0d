"""DingTalk (钉钉): members, departments, roles and leavers, over its server API.

Members are listed department by department and each is read once, with the roles it
holds. Leavers come from the staff files (智能人事) where the app may read them.

DingTalk tells no login, no second factor, no password, no creation and no disabled
state of a member: whoever is listed may sign in, and nothing of that is claimed.

Source: open.dingtalk.com, 通讯录管理 v2, 智能人事 (离职员工), 全局错误码.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl

from connectors import connector, web
from connectors.answer_codes import (
    Codes,
    GoneError,
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
    code="errcode",
    words="errmsg",
    # The gateway says 88 and puts the reason beside it.
    inner_code="sub_code",
    expired=frozenset({40014, 42001}),
    refused=frozenset({50002, 50004, 60011}),
    passing=frozenset({-1, 90002, 90005, 90006, 90007, 90008, 90018}),
    gone=frozenset({60121}),
    remedies=MappingProxyType(
        {
            40089: "mend app_key or the secret of the app",
            60020: "add this server's address to 服务器出口IP of the app",
        }
    ),
)
_ROOT = "1"
_USERS_AT_ONCE = 100
_LEAVERS_AT_ONCE = 50

_USERS = "users"
_DEPARTMENTS = "departments"
_HEADS = "heads"
_DETAILS = "details"
_LEAVERS = "leavers"

_USER_COLUMNS = (
    "userid",
    "name",
    "mobile",
    "email",
    "org_email",
    "job_number",
    "title",
    "dept_id_list",
    "manager_userid",
    "hired_date",
    "active",
    "admin",
    "boss",
    "role_list.id",
    "role_list.name",
    "role_list.group_name",
)


class Parameters(connector.Parameters):
    """Keys of a source with ``connector = "dingtalk"``."""

    app_key: str
    app_secret: SecretReference
    people: bool = False
    """Deliver members and leavers as identities, for a house without an HR source."""
    address: HttpsAddress = "https://oapi.dingtalk.com"
    ca_file: Path | None = None
    """Certificates to trust instead of the system's, relative to gatebook.toml."""


def fetch(context: Context) -> RawExport:
    """Read departments, members and leavers, each to its last page.

    Raises:
        ExtractError: the token, departments or members cannot be had; anything but a
            refusal of one other part fails. Names endpoint, code and remedy.
    """
    parameters: Parameters = context.parameters
    began = datetime.now(UTC)
    refused: dict[str, str] = {}
    with _client(context, authorise=partial(_token, context)) as client:
        departments = _read_departments(client, refused, parameters.people)
        tables = [_read_users(client, departments, refused)]
        tables.append(
            raw_table(
                _DEPARTMENTS,
                client.shown("/topapi/v2/department/listsub"),
                departments,
                ("dept_id", "name", "parent_id", "dept_manager_userid_list"),
            )
        )
        if parameters.people:
            tables += _read_leavers(client, refused)
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
    """Return a fresh token; DingTalk wants the secret in the query, once."""
    parameters: Parameters = context.parameters
    secret = read_secret(context.settings.folder, parameters.app_secret)
    proof = Credentials(parameters={"appkey": parameters.app_key, "appsecret": secret})
    with _client(context, authorise=lambda: proof) as client:
        answer = ask(client, _CODES, "/gettoken", hidden=secret)
    return Credentials(parameters={"access_token": word(answer, "access_token")})


def _read_departments(
    client: WebClient, refused: dict[str, str], has_people: bool
) -> list[dict[str, Any]]:
    """Return every department from the root down; with its heads for people."""
    found: list[dict[str, Any]] = [{"dept_id": int(_ROOT)}]
    seen = {_ROOT}
    for department in found:
        body = {"dept_id": department["dept_id"]}
        answer = ask(client, _CODES, "/topapi/v2/department/listsub", body=body)
        for one in answer.records("result", may_lack=True):
            number = str(one.get("dept_id"))
            if number not in seen:
                seen.add(number)
                found.append(one)
        if _HEADS in refused or not (has_people or str(body["dept_id"]) == _ROOT):
            continue
        try:
            details = ask(client, _CODES, "/topapi/v2/department/get", body=body)
        except ForbiddenError as error:
            refused[_HEADS] = str(error)
        else:
            department |= details.document.get("result") or {}
    return found


def _read_users(
    client: WebClient, departments: list[dict[str, Any]], refused: dict[str, str]
) -> RawTable:
    """Return each member once, with its roles and manager if these may be read."""
    path = "/topapi/v2/user/list"
    listed: dict[str, dict[str, Any]] = {}
    for department in departments:
        for page in every_page(
            client,
            _CODES,
            path,
            body={
                "dept_id": department["dept_id"],
                "cursor": 0,
                "size": _USERS_AT_ONCE,
            },
            next_of=_after,
        ):
            for one in page.records("result.list", may_lack=True):
                listed.setdefault(str(one.get("userid")), one)
    if not listed:
        raise ExtractError(
            f"{client.shown(path)}: shows not one member; widen the scope of the "
            "address book (通讯录权限范围) of the app"
        )
    for userid, record in listed.items():
        if _DETAILS in refused:
            break
        try:
            details = ask(
                client, _CODES, "/topapi/v2/user/get", body={"userid": userid}
            )
        except ForbiddenError as error:
            refused[_DETAILS] = str(error)
        except GoneError:
            continue  # What the list said of a member removed since is kept.
        else:
            record |= details.document.get("result") or {}
    return raw_table(_USERS, client.shown(path), list(listed.values()), _USER_COLUMNS)


def _after(page: dict[str, Any]) -> Mapping[str, str | int] | None:
    result = page.get("result")
    if not isinstance(result, dict) or not result.get("has_more"):
        return None
    return {"cursor": result["next_cursor"]}


def _read_leavers(client: WebClient, refused: dict[str, str]) -> Iterator[RawTable]:
    """Yield who has left, with the last day; nothing if it may not be read."""
    base = "/topapi/smartwork/hrm/employee"
    ids: list[str] = []
    found: list[dict[str, Any]] = []
    try:
        for page in every_page(
            client,
            _CODES,
            f"{base}/querydimission",
            body={"offset": 0, "size": _LEAVERS_AT_ONCE},
            next_of=_after_leavers,
        ):
            ids += (page.document.get("result") or {}).get("data_list") or []
        for start in range(0, len(ids), _LEAVERS_AT_ONCE):
            some = ids[start : start + _LEAVERS_AT_ONCE]
            told = ask(
                client,
                _CODES,
                f"{base}/listdimission",
                body={"userid_list": ",".join(some)},
            )
            days = {
                str(one.get("userid")): one
                for one in told.records("result", may_lack=True)
            }
            found += [days.get(one, {"userid": one}) for one in some]
    except ForbiddenError as error:
        refused[_LEAVERS] = str(error)
        return
    yield raw_table(
        _LEAVERS,
        client.shown(f"{base}/listdimission"),
        found,
        ("userid", "last_work_day"),
    )


def _after_leavers(page: dict[str, Any]) -> Mapping[str, str | int] | None:
    result = page.get("result")
    cursor = result.get("next_cursor") if isinstance(result, dict) else None
    return None if cursor is None else {"offset": cursor}


# Meaning ------------------------------------------------------------------------------

_HEADERS = MappingProxyType(
    {
        "account_id": "userid",
        "identity_id": "userid",
        "native_id": "userid",
        "display_name": "name",
        "phone": "mobile",
        "employee_number": "job_number",
        "job_title": "title",
        "start_date": "hired_date",
        "end_date": "last_work_day",
    }
)


def normalise(context: Context, export: RawExport) -> Normalised:
    """Put members, roles and leavers into canonical columns.

    Completeness is ``scoped`` where a part may not be read, else ``unknown``: DingTalk
    states no totals, and shows an app no more than its scope.
    """
    refused = forbidden_parts(export)
    raw, departments = export.tables[_USERS], export.tables[_DEPARTMENTS]
    users = raw.numbered()
    drafts = [_accounts(context, raw, users, departments), *_holdings(context, raw)]
    if context.parameters.people:
        drafts += [
            _people(context, raw, users),
            _departments(context, departments),
            *_leavers(context, export, users),
        ]
    return Normalised(
        drafts=tuple(drafts),
        completeness="scoped" if refused else "unknown",
        notes=tuple(_notes(refused, export, users)),
    )


def _accounts(
    context: Context, raw: RawTable, users: pl.DataFrame, departments: RawTable
) -> Draft:
    columns = _known(users)
    if tells(users, "dept_id_list") and tells(departments.rows, "name"):
        names = dict(departments.rows.select("dept_id", "name").iter_rows())
        columns["department_name"] = _only_department(users).replace_strict(
            names, default=None, return_dtype=pl.String
        )
    return Draft(
        table=ACCOUNTS,
        raw=raw,
        rows=users.select(
            "source_row",
            account_id=identified(context.source, "", pl.col("userid")),
            native_id="userid",
            login="userid",
            **columns,
        ),
        headers=_HEADERS,
    )


def _known(users: pl.DataFrame) -> dict[str, pl.Expr]:
    """Return the columns that accounts and people have alike, those that are told."""
    columns = {"directory_id": pl.col("userid")}
    for canonical, own in (
        ("display_name", ("name",)),
        ("email", ("email", "org_email")),
        ("phone", ("mobile",)),
        ("employee_number", ("job_number",)),
        ("job_title", ("title",)),
    ):
        if tells(users, *own):
            columns[canonical] = pl.coalesce([text(users, name) for name in own])
    return columns


def _only_department(users: pl.DataFrame) -> pl.Expr:
    """Return the department of whoever has one; DingTalk tells no main one."""
    several = words(users, "dept_id_list")
    return pl.when(several.list.len() == 1).then(several.list.get(0, null_on_oob=True))


def _holdings(context: Context, raw: RawTable) -> Iterator[Draft]:
    """Yield roles and the two flags, and who holds them; nothing that is not told."""
    users = raw.numbered()
    held = [
        users.filter(pl.col(flag) == "true").select(
            "source_row",
            "userid",
            native_id=pl.lit(flag),
            name=pl.lit(name),
            kind=pl.lit("label"),
            description=pl.lit(None, pl.String),
            is_privileged=pl.lit(is_privileged, pl.String),
            abilities=pl.lit(abilities, pl.String),
        )
        for flag, name, is_privileged, abilities in (
            ("admin", "管理员", "true", "administer"),
            ("boss", "老板", None, None),
        )
        if flag in users.columns
    ]
    if tells(users, "role_list.id"):
        held.append(
            users.select(
                "source_row",
                "userid",
                native_id=words(users, "role_list.id"),
                name=words(users, "role_list.name"),
                description=words(users, "role_list.group_name"),
            )
            .filter(pl.col("native_id").list.len() > 0)
            .explode("native_id", "name", "description")
            .with_columns(
                kind=pl.lit("role"),
                is_privileged=pl.lit(None, pl.String),
                abilities=pl.lit(None, pl.String),
            )
            .select(
                *("source_row", "userid", "native_id", "name", "kind"),
                *("description", "is_privileged", "abilities"),
            )
        )
    if not held:
        return
    rows = pl.concat(held).with_columns(
        entitlement_id=identified(
            context.source, "", pl.concat_str("kind", "native_id", separator=":")
        )
    )
    yield Draft(
        table=ENTITLEMENTS,
        raw=raw,
        rows=rows.unique("entitlement_id", keep="first", maintain_order=True).drop(
            "userid"
        ),
        headers={"native_id": "role_list.id"},
    )
    yield Draft(
        table=GRANTS,
        raw=raw,
        rows=rows.select(
            "source_row",
            "entitlement_id",
            account_id=identified(context.source, "", pl.col("userid")),
            via=pl.lit("direct"),
        ),
        headers={"account_id": "userid"},
    )


def _people(context: Context, raw: RawTable, users: pl.DataFrame) -> Draft:
    """Return members as identities; whoever has activated DingTalk works here."""
    columns = _known(users)
    if tells(users, "dept_id_list"):
        columns["department_id"] = identified(
            context.source, "department:", _only_department(users)
        )
    if tells(users, "manager_userid"):
        columns["manager_id"] = identified(
            context.source, "", text(users, "manager_userid")
        )
    if tells(users, "hired_date"):
        columns["start_date"] = _day(context, users, "hired_date")
    if tells(users, "active"):
        columns["employment_status"] = pl.when(pl.col("active") == "true").then(
            pl.lit("active")
        )
    return Draft(
        table=IDENTITIES,
        raw=raw,
        rows=users.select(
            "source_row",
            identity_id=identified(context.source, "", pl.col("userid")),
            **columns,
        ),
        headers=_HEADERS,
    )


def _departments(context: Context, raw: RawTable) -> Draft:
    """Return departments; the head of one is its only manager, of several nobody."""
    rows = raw.numbered()
    columns: dict[str, pl.Expr] = {}
    if tells(rows, "dept_manager_userid_list"):
        heads = words(rows, "dept_manager_userid_list")
        columns["head_identity_id"] = identified(
            context.source,
            "",
            pl.when(heads.list.len() == 1).then(heads.list.get(0, null_on_oob=True)),
        )
    return Draft(
        table=DEPARTMENTS,
        raw=raw,
        rows=rows.select(
            "source_row",
            department_id=identified(context.source, "department:", pl.col("dept_id")),
            name=text(rows, "name"),
            parent_id=identified(
                context.source, "department:", text(rows, "parent_id")
            ),
            **columns,
        ),
        headers={"department_id": "dept_id"},
    )


def _leavers(
    context: Context, export: RawExport, users: pl.DataFrame
) -> Iterator[Draft]:
    """Yield leavers who are no members again."""
    if _LEAVERS not in export.tables:
        return
    raw = export.tables[_LEAVERS]
    rows = raw.numbered()
    columns: dict[str, pl.Expr] = {}
    if tells(rows, "last_work_day"):
        columns["end_date"] = _day(context, rows, "last_work_day")
    yield Draft(
        table=IDENTITIES,
        raw=raw,
        rows=rows.filter(~pl.col("userid").is_in(users["userid"].to_list())).select(
            "source_row",
            identity_id=identified(context.source, "", pl.col("userid")),
            directory_id="userid",
            employment_status=pl.lit("left"),
            **columns,
        ),
        headers=_HEADERS,
    )


def _day(context: Context, rows: pl.DataFrame, column: str) -> pl.Expr:
    """Return the local day of Unix milliseconds; what is no number stays."""
    told = text(rows, column)
    moment = pl.from_epoch(told.cast(pl.Int64, strict=False), time_unit="ms")
    local = moment.dt.replace_time_zone("UTC").dt.convert_time_zone(
        context.settings.time_zone
    )
    return pl.coalesce(local.dt.strftime("%Y-%m-%d"), told)


def _notes(
    refused: Mapping[str, str], export: RawExport, users: pl.DataFrame
) -> Iterator[str]:
    """Yield what DingTalk cannot tell, or may not tell this app."""
    yield (
        "DingTalk tells no logins, second factors, passwords, disabled accounts or "
        "kinds of account; an app sees no more than its scope of the address book."
    )
    consequences = {
        _HEADS: "the heads of departments are not told",
        _DETAILS: "roles and managers of members are not told",
        _LEAVERS: "who has left is not told",
    }
    for part, reason in refused.items():
        yield f"{part}: {consequences[part]}. {reason}."
    if not tells(users, "mobile"):
        yield "users: mobile is not told; grant the app the right to it."
    if _LEAVERS in export.tables:
        again = export.tables[_LEAVERS].rows["userid"].is_in(users["userid"].to_list())
        if count := again.sum():
            yield f"leavers: {count} are members again and no leavers."


CONNECTOR = Connector(
    name="dingtalk",
    title="DingTalk 钉钉",
    parameters=Parameters,
    fetch=fetch,
    normalise=normalise,
)
