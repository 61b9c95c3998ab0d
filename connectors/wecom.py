"""WeCom (企业微信): members, departments and tags, over its server API.

A member who is in several departments is listed in each; the repeats are counted as
duplicates. Where ``user/list`` is refused, as to every address that began to call it
after August 2022, the ids come from ``user/list_id`` and each member from ``user/get``.

WeCom tells no login, no second factor, no password and no creation of a member, and no
kind of account: so none of these is claimed. An app made after June 2022 is not told
mobile or e-mail either; owners must then come from a mapping file.

Source: developer.work.weixin.qq.com, 通讯录管理 (成员, 部门, 标签), 全局错误码.
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
    expired=frozenset({40014, 42001}),
    refused=frozenset({48002, 48009, 60011, 301002}),
    passing=frozenset({-1, 45009, 45033}),
    gone=frozenset({60111}),
    remedies=MappingProxyType(
        {
            40001: "mend the secret of the app",
            40013: "mend corpid",
            60020: "add this server's address to 企业可信IP of the app",
        }
    ),
)
_LISTED_AT_ONCE = 10_000

_USERS = "users"
_DEPARTMENTS = "departments"
_TAGS = "tags"
_TAG_USERS = "tag_users"
_TAG_DEPARTMENTS = "tag_departments"
_DETAILS = "details"

_USER_COLUMNS = (
    "userid",
    "name",
    "department",
    "main_department",
    "position",
    "mobile",
    "email",
    "biz_mail",
    "is_leader_in_dept",
    "direct_leader",
    "status",
)
_DEPARTMENT_COLUMNS = ("id", "name", "parentid", "department_leader")
_TOP = "0"


class Parameters(connector.Parameters):
    """Keys of a source with ``connector = "wecom"``."""

    corpid: str
    secret: SecretReference
    """Of a self-built app (自建应用) or of the contact sync (通讯录同步)."""
    people: bool = False
    """Deliver the members as identities too, for a house without an HR source."""
    address: HttpsAddress = "https://qyapi.weixin.qq.com"
    ca_file: Path | None = None
    """Certificates to trust instead of the system's, relative to gatebook.toml."""


def fetch(context: Context) -> RawExport:
    """Read departments, members and tags, each to its last page.

    Raises:
        ExtractError: the token, or the members by either way, cannot be had; anything
            but a refusal of one other part fails. Names endpoint, code and remedy.
    """
    parameters: Parameters = context.parameters
    began = datetime.now(UTC)
    refused: dict[str, str] = {}
    with _client(context, authorise=partial(_token, context)) as client:
        tables = [*_read_departments(client, refused)]
        departments = [] if not tables else tables[0].rows["id"].to_list()
        tables.append(_read_users(client, departments, refused))
        tables += _read_tags(client, refused)
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
    """Return a fresh token; WeCom wants the secret in the query, once."""
    parameters: Parameters = context.parameters
    secret = read_secret(context.settings.folder, parameters.secret)
    proof = Credentials(parameters={"corpid": parameters.corpid, "corpsecret": secret})
    with _client(context, authorise=lambda: proof) as client:
        answer = ask(client, _CODES, "/cgi-bin/gettoken", hidden=secret)
    return Credentials(parameters={"access_token": word(answer, "access_token")})


def _read_departments(client: WebClient, refused: dict[str, str]) -> Iterator[RawTable]:
    """Yield the departments, nothing if they may not be read."""
    try:
        answer = ask(client, _CODES, "/cgi-bin/department/list")
    except ForbiddenError as error:
        refused[_DEPARTMENTS] = str(error)
        return
    yield raw_table(
        _DEPARTMENTS, answer.endpoint, answer.records("department"), _DEPARTMENT_COLUMNS
    )


def _read_users(
    client: WebClient, departments: list[str], refused: dict[str, str]
) -> RawTable:
    """Return the members: department by department, else id by id."""
    path = "/cgi-bin/user/list"
    found: list[dict[str, Any]] = []
    try:
        for department in departments:
            answer = ask(client, _CODES, path, {"department_id": department})
            found += answer.records("userlist")
    except ForbiddenError as error:
        refused[_USERS] = str(error)
        found = []
    if not departments or _USERS in refused:
        path = "/cgi-bin/user/list_id"
        found = _read_by_id(client, path, refused)
    if not found:
        raise ExtractError(
            f"{client.shown(path)}: shows not one member; widen the visible range "
            "(可见范围) of the app"
        )
    return raw_table(_USERS, client.shown(path), found, _USER_COLUMNS)


def _read_by_id(
    client: WebClient, path: str, refused: dict[str, str]
) -> list[dict[str, Any]]:
    """Return one record per id; all that is told of a member whom nothing shows.

    Raises:
        ExtractError: the ids may not be read either.
    """
    places: dict[str, list[object]] = {}
    try:
        for page in every_page(
            client,
            _CODES,
            path,
            body={"cursor": "", "limit": _LISTED_AT_ONCE},
            next_of=_after,
        ):
            for one in page.records("dept_user", may_lack=True):
                places.setdefault(str(one.get("userid")), []).append(
                    one.get("department")
                )
    except ForbiddenError as error:
        raise ExtractError(
            f"{error}; neither user/list nor user/list_id may be read, and without one "
            "of them there is nobody"
        ) from error
    found: list[dict[str, Any]] = []
    for userid, departments in places.items():
        record: dict[str, Any] = {"userid": userid, "department": departments}
        if _DETAILS not in refused:
            try:
                record = ask(
                    client, _CODES, "/cgi-bin/user/get", {"userid": userid}
                ).document
            except ForbiddenError as error:
                refused[_DETAILS] = str(error)
            except GoneError:
                pass  # The id that was listed stays, so that it is accounted for.
        found.append(record)
    return found


def _after(page: dict[str, Any]) -> Mapping[str, str | int] | None:
    cursor = page.get("next_cursor")
    return {"cursor": str(cursor)} if cursor else None


def _read_tags(client: WebClient, refused: dict[str, str]) -> Iterator[RawTable]:
    """Yield the tags and who has them, nothing if they may not be read."""
    try:
        answer = ask(client, _CODES, "/cgi-bin/tag/list")
        tags = answer.records("taglist", may_lack=True)
        users: list[dict[str, Any]] = []
        departments: list[dict[str, Any]] = []
        for tag in tags:
            number = tag.get("tagid")
            told = ask(client, _CODES, "/cgi-bin/tag/get", {"tagid": str(number)})
            users += [
                {"tagid": number, "userid": one.get("userid")}
                for one in told.records("userlist", may_lack=True)
            ]
            departments += [
                {"tagid": number, "department": one}
                for one in told.document.get("partylist") or []
            ]
    except ForbiddenError as error:
        refused[_TAGS] = str(error)
        return
    yield raw_table(_TAGS, answer.endpoint, tags, ("tagid", "tagname"))
    endpoint = client.shown("/cgi-bin/tag/get")
    yield raw_table(_TAG_USERS, endpoint, users, ("tagid", "userid"))
    yield raw_table(_TAG_DEPARTMENTS, endpoint, departments, ("tagid", "department"))


# Meaning ------------------------------------------------------------------------------

_HEADERS = MappingProxyType(
    {
        "account_id": "userid",
        "identity_id": "userid",
        "native_id": "userid",
        "display_name": "name",
        "phone": "mobile",
        "job_title": "position",
        "is_enabled": "status",
        "employment_status": "status",
    }
)
_ENABLED = {"1": "true", "2": "false", "4": "true", "5": "false"}
"""1 已激活, 2 已禁用, 4 未激活: may activate at any time, 5 退出企业."""


def normalise(context: Context, export: RawExport) -> Normalised:
    """Put the members, departments and tags into canonical columns.

    Completeness is ``scoped`` where a part may not be read, else ``unknown``: WeCom
    states no totals, and shows an app no more than its visible range.
    """
    refused = forbidden_parts(export)
    raw = export.tables[_USERS]
    users = raw.numbered()
    departments = export.tables.get(_DEPARTMENTS)
    drafts = [_accounts(context, raw, users, departments)]
    drafts += _tags(context, export, users)
    if context.parameters.people:
        drafts.append(_people(context, raw, users))
        if departments is not None:
            drafts.append(_departments(context, departments, users))
    lost = set(refused) - {_USERS}
    return Normalised(
        drafts=tuple(drafts),
        completeness="scoped" if lost else "unknown",
        notes=tuple(_notes(refused, export, users)),
    )


def _accounts(
    context: Context, raw: RawTable, users: pl.DataFrame, departments: RawTable | None
) -> Draft:
    columns = _known(users)
    if tells(users, "status"):
        columns["is_enabled"] = text(users, "status").replace(_ENABLED)
    if departments is not None and tells(users, "main_department", "department"):
        names = dict(
            departments.rows.select(
                "id", name=text(departments.rows, "name")
            ).iter_rows()
        )
        columns["department_name"] = _main_department(users).replace_strict(
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
        ("email", ("email", "biz_mail")),
        ("phone", ("mobile",)),
        ("job_title", ("position",)),
    ):
        if tells(users, *own):
            columns[canonical] = pl.coalesce([text(users, name) for name in own])
    return columns


def _main_department(users: pl.DataFrame) -> pl.Expr:
    """Return the main department, else the only one."""
    several = words(users, "department")
    only = pl.when(several.list.len() == 1).then(several.list.get(0, null_on_oob=True))
    return pl.coalesce(text(users, "main_department"), only)


def _people(context: Context, raw: RawTable, users: pl.DataFrame) -> Draft:
    """Return members as identities.

    退出企业 has left and 已激活 works here. Disabled does not say why, and not yet
    activated does not say whether anybody came: both are unknown.
    """
    columns = _known(users)
    if tells(users, "main_department", "department"):
        columns["department_id"] = identified(
            context.source, "department:", _main_department(users)
        )
    if tells(users, "direct_leader"):
        columns["manager_id"] = identified(
            context.source,
            "",
            words(users, "direct_leader").list.get(0, null_on_oob=True),
        )
    if tells(users, "status"):
        columns["employment_status"] = text(users, "status").replace(
            {"1": "active", "5": "left", "2": "unknown", "4": "unknown"}
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


def _departments(context: Context, raw: RawTable, users: pl.DataFrame) -> Draft:
    """Return departments; the head of one is its only leader, of several nobody."""
    rows = raw.numbered()
    heads = _heads(rows, users)
    parent = text(rows, "parentid")
    columns: dict[str, pl.Expr] = {}
    if heads is not None:
        rows = rows.join(heads, on="id", how="left", maintain_order="left")
        columns["head_identity_id"] = identified(context.source, "", pl.col("head"))
    return Draft(
        table=DEPARTMENTS,
        raw=raw,
        rows=rows.select(
            "source_row",
            department_id=identified(context.source, "department:", pl.col("id")),
            name=text(rows, "name"),
            parent_id=identified(
                context.source, "department:", pl.when(parent != _TOP).then(parent)
            ),
            **columns,
        ),
        headers={"department_id": "id"},
    )


def _heads(rows: pl.DataFrame, users: pl.DataFrame) -> pl.DataFrame | None:
    """Return ``id`` and ``head``: of the department's own list, else of its members."""
    if tells(rows, "department_leader"):
        leaders = rows.select("id", head="department_leader").explode("head")
    elif tells(users, "is_leader_in_dept") and tells(users, "department"):
        even = users.filter(
            pl.col("department").list.len() == pl.col("is_leader_in_dept").list.len()
        )
        leaders = (
            even.explode("department", "is_leader_in_dept")
            .filter(pl.col("is_leader_in_dept") == "1")
            .select(id="department", head="userid")
        )
    else:
        return None
    return (
        leaders.drop_nulls()
        .unique()
        .group_by("id")
        .agg(pl.col("head").first(), several=pl.len() > 1)
        .filter(~pl.col("several"))
        .select("id", "head")
    )


def _tags(context: Context, export: RawExport, users: pl.DataFrame) -> list[Draft]:
    """Return tags, who has them, and who has them through a department."""
    if _TAGS not in export.tables:
        return []
    tags = export.tables[_TAGS]
    drafts = [
        Draft(
            table=ENTITLEMENTS,
            raw=tags,
            rows=tags.numbered().select(
                "source_row",
                entitlement_id=identified(context.source, "tag:", pl.col("tagid")),
                native_id="tagid",
                name=text(tags.rows, "tagname"),
                kind=pl.lit("tag"),
            ),
            headers={"entitlement_id": "tagid", "native_id": "tagid"},
        )
    ]
    holders = export.tables[_TAG_USERS]
    tagged = export.tables[_TAG_DEPARTMENTS]
    for raw, rows, via in (
        (holders, holders.numbered(), "direct"),
        (tagged, _through_departments(export, tagged, users), "group"),
    ):
        drafts.append(
            Draft(
                table=GRANTS,
                raw=raw,
                rows=rows.select(
                    "source_row",
                    account_id=identified(context.source, "", pl.col("userid")),
                    entitlement_id=identified(context.source, "tag:", pl.col("tagid")),
                    via=pl.lit(via),
                ),
                headers={"account_id": "userid"},
            )
        )
    return drafts


def _through_departments(
    export: RawExport, tagged: RawTable, users: pl.DataFrame
) -> pl.DataFrame:
    """Return ``source_row``, ``tagid`` and ``userid`` of members of tagged departments.

    A tag on a department reaches the departments beneath it.
    """
    members = (
        users.select("userid", place=words(users, "department"))
        .explode("place")
        .drop_nulls()
        .unique(maintain_order=True)
    )
    parents: dict[str, str | None] = {}
    if _DEPARTMENTS in export.tables:
        rows = export.tables[_DEPARTMENTS].rows
        parents = dict(rows.select("id", text(rows, "parentid")).iter_rows())
    above = [
        (place, upper)
        for place in members["place"].unique(maintain_order=True)
        for upper in _upwards(place, parents)
    ]
    places = pl.DataFrame(
        above, schema={"place": pl.String, "department": pl.String}, orient="row"
    )
    return (
        tagged.numbered()
        .join(places, on="department", maintain_order="left")
        .join(members, on="place", maintain_order="left")
        .unique(["tagid", "userid"], keep="first", maintain_order=True)
    )


def _upwards(place: str, parents: Mapping[str, str | None]) -> Iterator[str]:
    """Yield a department and those above it; a circle is walked once."""
    seen: set[str] = set()
    here: str | None = place
    while here is not None and here not in seen:
        seen.add(here)
        yield here
        here = parents.get(here)


def _notes(
    refused: Mapping[str, str], export: RawExport, users: pl.DataFrame
) -> Iterator[str]:
    """Yield what WeCom cannot tell, or may not tell this app."""
    yield (
        "WeCom tells no logins, second factors, passwords or kinds of account; an app "
        "sees no more than its visible range."
    )
    consequences = {
        _DEPARTMENTS: "departments and their heads are not told",
        _USERS: "members were read one by one through user/list_id",
        _DETAILS: "of members without details nothing but the id is told",
        _TAGS: "tags and who has them are not told",
    }
    for part, reason in refused.items():
        yield f"{part}: {consequences[part]}. {reason}."
    for word_, own in (("mobile", ("mobile",)), ("e-mail", ("email", "biz_mail"))):
        if not tells(users, *own):
            yield (
                f"users: {word_} is not told, as to every app made since June 2022; "
                "name owners in a mapping file."
            )
    tagged = export.tables.get(_TAG_DEPARTMENTS)
    if tagged is not None and tagged.rows.height:
        yield (
            f"tags: {tagged.rows.height} times a whole department has a tag; its "
            "members and those of departments beneath it are shown as holders."
        )


CONNECTOR = Connector(
    name="wecom",
    title="WeCom 企业微信",
    parameters=Parameters,
    fetch=fetch,
    normalise=normalise,
)
