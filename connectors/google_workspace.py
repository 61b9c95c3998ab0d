"""Google Workspace: users, 2-step verification, groups, administrators and log-ins.

Over the Admin SDK, as a service account that acts for an administrator, or with an
access token. Every part is asked for with its own scope, so that a scope nobody
granted leaves one part untold and not all of them.

A user that never logged in has 1970-01-01 as its last login. Google tells no second
factor's method, no time of a password change, and nothing of what a group may do in
other systems; so none of these is claimed.

Source: Admin SDK directory_v1 and reports_v1, revision 20261104; RFC 7523.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self
from urllib.parse import quote

import jwt
import polars as pl
from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from connectors import connector
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
    AnswerError,
    Credentials,
    ForbiddenError,
    HttpsAddress,
    WebClient,
    column,
    forbidden_parts,
    forbidden_table,
    next_by_token,
    raw_table,
    unless_forbidden,
)
from governance.schema import (
    ACCOUNTS,
    ENTITLEMENT_MEMBERS,
    ENTITLEMENTS,
    GRANTS,
    IDENTITIES,
    LOGIN_EVENTS,
    ExtractError,
)

_SCOPE = "https://www.googleapis.com/auth/admin."
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_TOKEN_SECONDS = 3600
_NOT_GRANTED = ("unauthorized_client", "access_denied", "invalid_scope")
_NEVER = "1970-01-01"
_NOBODY = "105250506097979753968"
"""Profile that the reports write where they cannot name one."""
_USERS = "/admin/directory/v1/users"
_GROUPS = "/admin/directory/v1/groups"
_CUSTOMER = "/admin/directory/v1/customer/my_customer"
_LOGINS = "/admin/reports/v1/activity/users/all/applications/login"
_LOGIN_EVENTS = MappingProxyType(
    {"login_success": "success", "login_failure": "failure"}
)

USER_COLUMNS = (
    "id",
    "primaryEmail",
    "name.fullName",
    "suspended",
    "archived",
    "isGuestUser",
    "isEnrolledIn2Sv",
    "creationTime",
    "lastLoginTime",
    "orgUnitPath",
    "externalIds",
    "organizations",
    "phones",
    "relations",
)
GROUP_COLUMNS = ("id", "email", "name", "description")
MEMBER_COLUMNS = ("of", "id", "email", "type", "status")
ROLE_COLUMNS = ("roleId", "roleName", "roleDescription", "isSuperAdminRole")
ASSIGNMENT_COLUMNS = (
    "roleAssignmentId",
    "roleId",
    "assignedTo",
    "assigneeType",
    "scopeType",
    "expirationDetails.expireTime",
)
LOGIN_COLUMNS = (
    "id.time",
    "id.uniqueQualifier",
    "actor.email",
    "actor.profileId",
    "ipAddress",
    "networkInfo.regionCode",
    "name",
    "reason",
)


class Parameters(connector.Parameters):
    """Keys of a source with ``connector = "google_workspace"``."""

    service_account: SecretReference | None = None
    """Of the service account's key, the JSON that Google hands out."""
    administrator: str | None = Field(default=None, pattern=r"^[^@\s]+@[^@\s]+$")
    """E-mail of the administrator the service account acts for."""
    access_token: SecretReference | None = None
    """Instead of a service account: of a token, good for an hour."""
    address: HttpsAddress = "https://admin.googleapis.com"
    token_address: HttpsAddress = "https://oauth2.googleapis.com/token"  # noqa: S105
    ca_file: Path | None = None
    """Certificates to trust instead of the system's, relative to gatebook.toml."""
    login_days: int = Field(default=90, ge=0, le=180)
    """Days of log-ins read back; Google keeps 180. 0: none."""
    people: bool = False
    """Deliver the users as identities too, for a house without an HR source."""
    service_accounts: str | None = None
    """Pattern of the addresses no person logs in with. Without it every user is a
    person: a name is not enough to guess from."""

    @field_validator("service_accounts")
    @classmethod
    def _is_pattern(cls, told: str | None) -> str | None:
        if told is not None:
            try:
                pl.Series([""]).str.contains(told)
            except pl.exceptions.ComputeError as error:
                raise ValueError(f"'{told}' is not a regular expression") from error
        return told

    @model_validator(mode="after")
    def _is_one_of_two(self) -> Self:
        if (self.service_account is None) == (self.access_token is None):
            raise PydanticCustomError(
                "gatebook", "name service_account or access_token, one of the two"
            )
        if (self.service_account is None) != (self.administrator is None):
            raise PydanticCustomError(
                "gatebook",
                "administrator goes with service_account: the address it acts for",
            )
        return self


# Fetch --------------------------------------------------------------------------------


def fetch(context: Context) -> RawExport:
    """Read every list to its last page.

    Raises:
        ExtractError: the secret is not there, no key of a service account or not
            accepted, the server cannot be reached or keeps failing, or users may not
            be read. Names the endpoint.
    """
    told: Parameters = context.parameters
    authorised = _authority(context.settings.folder, told)
    asked_at = datetime.now(UTC)
    forbidden: dict[str, str] = {}
    users = _list(
        context, authorised("directory.user.readonly"), _USERS, "users", _USER_QUERY
    )
    if not users:
        raise ExtractError(
            f"{told.address}{_USERS}: lists not one user, not even the administrator; "
            "let it act for a super administrator or one who may read all users"
        )
    parts: dict[str, tuple[str, tuple[str, ...], list[dict[str, Any]] | None]] = {
        "users": (_USERS, USER_COLUMNS, users)
    }
    for name, scope, path, columns, ask in (
        ("groups", "directory.group.readonly", _GROUPS, GROUP_COLUMNS, _groups_asked),
        (
            "roles",
            "directory.rolemanagement.readonly",
            f"{_CUSTOMER}/roles",
            ROLE_COLUMNS,
            _roles_asked,
        ),
        (
            "assignments",
            "directory.rolemanagement.readonly",
            f"{_CUSTOMER}/roleassignments",
            ASSIGNMENT_COLUMNS,
            _assignments_asked,
        ),
        (
            "logins",
            "reports.audit.readonly",
            _LOGINS,
            LOGIN_COLUMNS,
            partial(_logins_asked, asked_at=asked_at),
        ),
    ):
        if name == "logins" and not told.login_days:
            continue
        found = unless_forbidden(
            name, forbidden, partial(ask, context, authorised(scope))
        )
        parts[name] = (path, columns, found)
    groups = parts["groups"][2]
    if groups is not None:
        members = unless_forbidden(
            "members",
            forbidden,
            partial(
                _members_asked, context, authorised("directory.group.readonly"), groups
            ),
        )
        parts["members"] = (f"{_GROUPS}/*/members", MEMBER_COLUMNS, members)
    host = told.address.removeprefix("https://")
    tables = {
        name: raw_table(name, f"{host}{path}", records, columns)
        for name, (path, columns, records) in parts.items()
        if records is not None
    }
    refused = forbidden_table(told.address, forbidden)
    return RawExport(
        tables={**tables, refused.name: refused}, extracted_at=asked_at, method="API"
    )


Authorise = Callable[[], Credentials]


def _authority(base: Path, told: Parameters) -> Callable[[str], Authorise]:
    """Return what turns a scope into a way to get credentials for it."""
    if told.access_token is not None:
        token = read_secret(base, told.access_token)
        return lambda _scope: lambda: _bearer(token)
    reference = told.service_account or ""
    key = _service_key(reference, read_secret(base, reference))
    return lambda scope: partial(_exchanged, base, told, key, f"{_SCOPE}{scope}")


def _bearer(token: str) -> Credentials:
    return Credentials(headers={"Authorization": f"Bearer {token}"})


def _service_key(reference: str, secret: str) -> Mapping[str, str]:
    """Return the key of a service account."""
    try:
        key = json.loads(secret)
    except ValueError:
        key = None
    if not isinstance(key, dict) or not all(
        isinstance(key.get(name), str) for name in ("client_email", "private_key")
    ):
        # Not "from error": the cause holds the key.
        raise ExtractError(
            f"{reference}: is no key of a service account; save there the JSON that "
            "Google hands out, with client_email and private_key"
        )
    return key


def _exchanged(
    base: Path, told: Parameters, key: Mapping[str, str], scope: str
) -> Credentials:
    """Exchange a signed assertion for an access token (RFC 7523).

    Raises:
        ForbiddenError: nobody granted the scope to the service account.
        ExtractError: the key cannot sign, or the exchange fails.
    """
    now = int(datetime.now(UTC).timestamp())
    claims = {
        "iss": key["client_email"],
        "sub": told.administrator,
        "scope": scope,
        "aud": told.token_address,
        "iat": now,
        "exp": now + _TOKEN_SECONDS,
    }
    try:
        assertion = jwt.encode(
            claims,
            key["private_key"],
            algorithm="RS256",
            headers={"kid": key.get("private_key_id", "")},
        )
    except (ValueError, TypeError, jwt.PyJWTError):
        raise ExtractError(
            f"{told.service_account}: its private_key cannot sign; save there the JSON "
            "as Google handed it out"
        ) from None
    ca_file = None if told.ca_file is None else base / told.ca_file
    with WebClient(told.token_address, ca_file=ca_file) as web:
        try:
            answer = web.post_json(
                "", form={"grant_type": _GRANT, "assertion": assertion}
            )
        except AnswerError as error:
            if _error_code(error.document) not in _NOT_GRANTED:
                raise
            raise ForbiddenError(
                f"{web.shown('')}: the service account has not been granted the scope "
                f"{scope}; grant it under domain-wide delegation in the Admin console",
                error.status,
                error.document,
            ) from error
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(token, str):
            raise ExtractError(
                f"{web.shown('')}: answered without an access_token; mend "
                "token_address in gatebook.toml"
            )
    return _bearer(token)


def _error_code(document: object) -> object:
    return document.get("error") if isinstance(document, dict) else None


_USER_QUERY: Mapping[str, str | int] = MappingProxyType(
    {
        "customer": "my_customer",
        "maxResults": 500,
        "projection": "full",
        "orderBy": "email",
        # Addresses, recovery phones and photos are not asked for.
        "fields": "nextPageToken,users(id,primaryEmail,name/fullName,suspended,"
        "archived,isGuestUser,isEnrolledIn2Sv,creationTime,lastLoginTime,orgUnitPath,"
        "externalIds,organizations,phones,relations)",
    }
)


def _client(context: Context, authorise: Authorise) -> WebClient:
    told: Parameters = context.parameters
    ca_file = None if told.ca_file is None else context.settings.folder / told.ca_file
    return WebClient(told.address, authorise=authorise, ca_file=ca_file)


def _pages(
    web: WebClient, path: str, key: str, query: Mapping[str, str | int]
) -> Iterator[dict[str, Any]]:
    """Yield the records of all pages. Google leaves out the key of an empty list."""
    for page in web.pages(
        path, query, next_of=next_by_token("nextPageToken", "pageToken")
    ):
        yield from page.records(key, may_lack=True)


def _list(
    context: Context,
    authorise: Authorise,
    path: str,
    key: str,
    query: Mapping[str, str | int],
) -> list[dict[str, Any]]:
    with _client(context, authorise) as web:
        return list(_pages(web, path, key, query))


def _groups_asked(context: Context, authorise: Authorise) -> list[dict[str, Any]]:
    query: dict[str, str | int] = {"customer": "my_customer", "maxResults": 200}
    return _list(context, authorise, _GROUPS, "groups", query)


def _members_asked(
    context: Context, authorise: Authorise, groups: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return who is in each group: users, groups, or the whole organisation."""
    with _client(context, authorise) as web:
        return [
            {"of": group.get("id"), **member}
            for group in groups
            for member in _pages(
                web,
                f"{_GROUPS}/{quote(str(group.get('id')), safe='')}/members",
                "members",
                {"maxResults": 200},
            )
        ]


def _roles_asked(context: Context, authorise: Authorise) -> list[dict[str, Any]]:
    path = f"{_CUSTOMER}/roles"
    return _list(context, authorise, path, "items", {"maxResults": 100})


def _assignments_asked(context: Context, authorise: Authorise) -> list[dict[str, Any]]:
    path = f"{_CUSTOMER}/roleassignments"
    return _list(context, authorise, path, "items", {"maxResults": 200})


def _logins_asked(
    context: Context, authorise: Authorise, *, asked_at: datetime
) -> list[dict[str, Any]]:
    """Return log-ins, one record for each event: with its name, and why it failed."""
    since = asked_at - timedelta(days=context.parameters.login_days)
    found: list[dict[str, Any]] = []
    with _client(context, authorise) as web:
        for name in _LOGIN_EVENTS:
            query: dict[str, str | int] = {
                "eventName": name,
                "startTime": since.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                "endTime": asked_at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                "maxResults": 1000,
            }
            for activity in _pages(web, _LOGINS, "items", query):
                # An activity comes whole, with events of other names beside the one.
                found += [
                    {
                        **{key: activity[key] for key in activity if key != "events"},
                        "name": name,
                        "reason": _parameter(event, "login_failure_type"),
                    }
                    for event in activity.get("events") or ()
                    if isinstance(event, dict) and event.get("name") == name
                ]
    return found


def _parameter(event: Mapping[str, Any], name: str) -> str | None:
    for parameter in event.get("parameters") or ():
        if isinstance(parameter, dict) and parameter.get("name") == name:
            value = parameter.get("value")
            return value if isinstance(value, str) else None
    return None


# Normalise ----------------------------------------------------------------------------


def normalise(context: Context, export: RawExport) -> Normalised:
    """Turn lists into canonical tables.

    Completeness is ``full`` if every list was read to its last page, and ``scoped`` if
    one of them was forbidden.
    """
    users = _users(export.tables["users"])
    drafts = [
        _accounts(context, export.tables["users"], users),
        *_groups(context, export.tables, users),
        *_administrators(context, export.tables),
        *_log_ins(context, export.tables),
    ]
    if context.parameters.people:
        drafts.append(_people(context, export.tables["users"], users))
    forbidden = forbidden_parts(export)
    notes = [f"{part} are not told: {message}" for part, message in forbidden.items()]
    if "isEnrolledIn2Sv" in users.columns:
        notes.append(
            "2-step verification is Google's own; users who log in through another "
            "provider may have theirs there"
        )
    return Normalised(
        drafts=tuple(drafts),
        completeness="scoped" if forbidden else "full",
        notes=tuple(notes),
    )


def _id(context: Context, kind: str, name: str) -> pl.Expr:
    """Return ``<source>:<kind><id>``, null without an id."""
    return pl.format(f"{context.source}:{kind}{{}}", pl.col(name))


def _named(rows: pl.DataFrame, names: Mapping[str, str]) -> dict[str, pl.Expr]:
    """Return those canonical columns whose property any record has."""
    return {
        canonical: pl.col(own)
        for canonical, own in names.items()
        if own in rows.columns
    }


_PICKED = (
    ("employee_number", "externalIds", {"type": "organization"}, "value"),
    ("manager_email", "relations", {"type": "manager"}, "value"),
    ("department", "organizations", {"primary": True}, "department"),
    ("title", "organizations", {"primary": True}, "title"),
    ("mobile", "phones", {"type": "mobile"}, "value"),
    ("work_phone", "phones", {"type": "work"}, "value"),
)
"""Column, the list it is found in, what its entry says of itself, and where it is."""


def _users(raw: RawTable) -> pl.DataFrame:
    """Return the users with what is picked from their lists of entries."""
    rows = raw.numbered()
    return rows.with_columns(
        pl.Series(name, _entries(rows[own], says, key), dtype=pl.String)
        for name, own, says, key in _PICKED
        if own in rows.columns
    )


def _entries(
    lists: pl.Series, says: Mapping[str, object], key: str
) -> Iterator[str | None]:
    """Yield of each list the value of the one entry that says so of itself.

    A list of one entry needs not say it. Null where two say it.
    """
    for told in lists.to_list():
        entries = [json.loads(one) for one in told or () if one]
        marked = [one for one in entries if says.items() <= one.items()]
        chosen = marked or (entries if "primary" in says else [])
        value = chosen[0].get(key) if len(chosen) == 1 else None
        yield value if isinstance(value, str) and value.strip() else None


_ACCOUNT_COLUMNS = MappingProxyType(
    {
        "native_id": "id",
        "login": "primaryEmail",
        "display_name": "name.fullName",
        "email": "primaryEmail",
        "employee_number": "employee_number",
        "directory_id": "id",
        "job_title": "title",
        "created_at": "creationTime",
    }
)


def _accounts(context: Context, raw: RawTable, users: pl.DataFrame) -> Draft:
    columns = {
        "account_id": _id(context, "", "id"),
        "account_type": _account_type(context, users),
        **_named(users, _ACCOUNT_COLUMNS),
        **_phone(users),
        **_department(users, "department_name"),
    }
    if "suspended" in users.columns:
        is_out = (pl.col("suspended") == "true") | (
            column(users, "archived").fill_null("false") == "true"
        )
        columns["is_enabled"] = ~is_out
    if "isEnrolledIn2Sv" in users.columns:
        columns["mfa_state"] = pl.col("isEnrolledIn2Sv").replace(
            {"true": "enabled", "false": "disabled"}
        )
    if "lastLoginTime" in users.columns:
        told = pl.col("lastLoginTime")
        never = told.str.starts_with(_NEVER)
        columns["last_login_at"] = pl.when(~never).then(told)
        columns["last_login_basis"] = pl.when(~never).then(pl.lit("success"))
        columns["never_logged_in"] = never
    return Draft(
        table=ACCOUNTS,
        raw=raw,
        rows=users.select("source_row", **columns),
        headers={
            **_ACCOUNT_COLUMNS,
            "account_id": "id",
            "last_login_at": "lastLoginTime",
            "mfa_state": "isEnrolledIn2Sv",
        },
    )


def _phone(users: pl.DataFrame) -> dict[str, pl.Expr]:
    if "phones" not in users.columns:
        return {}
    return {"phone": pl.coalesce("mobile", "work_phone")}


def _department(users: pl.DataFrame, name: str) -> dict[str, pl.Expr]:
    """Return the department, else the organisational unit below the top."""
    unit = column(users, "orgUnitPath").str.strip_prefix("/").replace("", None)
    if "organizations" in users.columns:
        return {name: pl.coalesce("department", unit)}
    return {name: unit} if "orgUnitPath" in users.columns else {}


def _account_type(context: Context, users: pl.DataFrame) -> pl.Expr:
    is_guest = (column(users, "isGuestUser") == "true").fill_null(value=False)
    kind = pl.when(is_guest).then(pl.lit("guest")).otherwise(pl.lit("person"))
    pattern = context.parameters.service_accounts
    if pattern is None:
        return kind
    is_service = column(users, "primaryEmail").str.contains(f"(?i){pattern}")
    return pl.when(is_service).then(pl.lit("service")).otherwise(kind)


def _groups(
    context: Context, tables: Mapping[str, RawTable], users: pl.DataFrame
) -> Iterator[Draft]:
    """Yield groups, who is in them, and the members that are no user of ours.

    A group whose member is the whole organisation is held by every user. A member from
    outside becomes a guest: it can read what the group can, and nobody disables it.
    """
    if "groups" in tables:
        raw = tables["groups"]
        rows = raw.numbered()
        yield Draft(
            table=ENTITLEMENTS,
            raw=raw,
            rows=rows.select(
                "source_row",
                entitlement_id=_id(context, "group:", "id"),
                kind=pl.lit("group"),
                name=pl.coalesce(column(rows, "name"), column(rows, "email")),
                **_named(rows, {"native_id": "id", "description": "description"}),
            ),
            headers={"entitlement_id": "id", "native_id": "id"},
        )
    if "members" not in tables:
        return
    raw = tables["members"]
    rows = raw.numbered()
    # A member that is a bare address, with no Google account, has no id.
    rows = rows.with_columns(id=pl.coalesce(column(rows, "id"), column(rows, "email")))
    kind = column(rows, "type")
    everybody = rows.filter((kind == "CUSTOMER").fill_null(value=False))
    nested = rows.filter((kind == "GROUP").fill_null(value=False))
    single = rows.filter(~kind.is_in(["CUSTOMER", "GROUP"]).fill_null(value=False))
    outside = single.filter(~pl.col("id").is_in(users["id"].to_list()))
    yield Draft(
        table=ACCOUNTS,
        raw=raw,
        rows=outside.unique("id", maintain_order=True).select(
            "source_row",
            account_id=_id(context, "", "id"),
            native_id="id",
            login=column(rows, "email"),
            email=column(rows, "email"),
            account_type=pl.lit("guest"),
        ),
    )
    yield Draft(
        table=GRANTS,
        raw=raw,
        rows=single.select(
            "source_row",
            account_id=_id(context, "", "id"),
            entitlement_id=_id(context, "group:", "of"),
            via=pl.lit("direct"),
        ),
        headers={"account_id": "id", "entitlement_id": "group"},
    )
    yield Draft(
        table=GRANTS,
        raw=raw,
        rows=everybody.select("source_row", "of")
        .join(users.select("id"), how="cross")
        .select(
            "source_row",
            account_id=_id(context, "", "id"),
            entitlement_id=_id(context, "group:", "of"),
            via=pl.lit("rule"),
        ),
    )
    yield Draft(
        table=ENTITLEMENT_MEMBERS,
        raw=raw,
        rows=nested.select(
            "source_row",
            parent_id=_id(context, "group:", "id"),
            child_id=_id(context, "group:", "of"),
        ),
    )


def _administrators(
    context: Context, tables: Mapping[str, RawTable]
) -> Iterator[Draft]:
    """Yield administrator roles, and who holds them. A super administrator may all."""
    if "roles" in tables:
        raw = tables["roles"]
        rows = raw.numbered()
        is_super = column(rows, "isSuperAdminRole") == "true"
        yield Draft(
            table=ENTITLEMENTS,
            raw=raw,
            rows=rows.select(
                "source_row",
                entitlement_id=_id(context, "role:", "roleId"),
                kind=pl.lit("admin_role"),
                is_privileged=pl.lit("true"),
                abilities=pl.when(is_super).then(pl.lit("administer,security")),
                **_named(
                    rows,
                    {
                        "native_id": "roleId",
                        "name": "roleName",
                        "description": "roleDescription",
                    },
                ),
            ),
            headers={"entitlement_id": "roleId", "native_id": "roleId"},
        )
    if "assignments" not in tables:
        return
    raw = tables["assignments"]
    rows = raw.numbered()
    by_group = (column(rows, "assigneeType").str.to_lowercase() == "group").fill_null(
        value=False
    )
    yield Draft(
        table=GRANTS,
        raw=raw,
        rows=rows.filter(~by_group).select(
            "source_row",
            account_id=_id(context, "", "assignedTo"),
            entitlement_id=_id(context, "role:", "roleId"),
            via=pl.lit("direct"),
            **_named(rows, {"valid_until": "expirationDetails.expireTime"}),
        ),
        headers={"account_id": "assignedTo", "entitlement_id": "roleId"},
    )
    yield Draft(
        table=ENTITLEMENT_MEMBERS,
        raw=raw,
        rows=rows.filter(by_group).select(
            "source_row",
            parent_id=_id(context, "group:", "assignedTo"),
            child_id=_id(context, "role:", "roleId"),
        ),
    )


def _log_ins(context: Context, tables: Mapping[str, RawTable]) -> Iterator[Draft]:
    if "logins" not in tables:
        return
    raw = tables["logins"]
    rows = raw.numbered().with_columns(
        principal=column(raw.rows, "actor.profileId").replace(_NOBODY, None)
    )
    yield Draft(
        table=LOGIN_EVENTS,
        raw=raw,
        rows=rows.select(
            "source_row",
            account_id=_id(context, "", "principal"),
            outcome=column(rows, "name").replace(dict(_LOGIN_EVENTS)),
            failure_reason=column(rows, "reason"),
            is_interactive=pl.lit("true"),
            **_named(
                rows,
                {
                    "login": "actor.email",
                    "at": "id.time",
                    "ip": "ipAddress",
                    "country": "networkInfo.regionCode",
                },
            ),
        ),
        headers={"at": "id.time"},
    )


def _people(context: Context, raw: RawTable, users: pl.DataFrame) -> Draft:
    """Return the users who are persons as identities.

    A manager is told where the relation is the address of a user. Google does not know
    who works here: that a user is suspended does not say that a person left, so
    employment is not told.
    """
    columns = {
        **_named(
            users,
            {
                "employee_number": "employee_number",
                "directory_id": "id",
                "display_name": "name.fullName",
                "email": "primaryEmail",
                "job_title": "title",
            },
        ),
        **_phone(users),
    }
    rows = users
    if "relations" in users.columns:
        managers = users.select(
            address=column(users, "primaryEmail").str.to_lowercase(), manager="id"
        ).unique("address", keep="none")
        rows = users.join(
            managers,
            left_on=pl.col("manager_email").str.to_lowercase(),
            right_on="address",
            how="left",
            maintain_order="left",
        )
        columns["manager_id"] = _id(context, "", "manager")
    return Draft(
        table=IDENTITIES,
        raw=raw,
        rows=rows.filter(_account_type(context, users) == "person").select(
            "source_row", identity_id=_id(context, "", "id"), **columns
        ),
        headers={"identity_id": "id"},
    )


CONNECTOR = Connector(
    name="google_workspace",
    title="Google Workspace",
    parameters=Parameters,
    fetch=fetch,
    normalise=normalise,
)
