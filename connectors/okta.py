"""Okta: users, second factors, groups, administrators and sign-ins, over its API.

The list of users leaves out the deprovisioned ones, so they are asked for apart. A
second factor is one that is ACTIVE and more than a second thing to know: neither a
security question nor an enrolment never finished counts.

Okta tells no machine's account from a person's, and nothing of what a group may do in
other systems; so neither is claimed.

Source: Okta Management API 2026.06.3, operations listUsers, listFactors, listGroups,
listGroupUsers, listUsersWithRoleAssignments, listAssignedRolesForUser, listLogEvents.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import polars as pl
from pydantic import Field, field_validator

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
    next_in_field,
    next_in_link,
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

_NOT_FOUND = 404
_GIVE_UP_AFTER = 3
"""Factors that are forbidden for so many users and told for none are for nobody."""
_STATUSES = MappingProxyType(
    {
        "ACTIVE": "true",
        "PASSWORD_EXPIRED": "true",
        "RECOVERY": "true",
        "LOCKED_OUT": "true",
        # Whoever has the activation link sets the password and is in.
        "PROVISIONED": "true",
        "ACTIVATING": "true",
        # Nobody gets in before an administrator activates it.
        "STAGED": "false",
        "SUSPENDED": "false",
        "DEPROVISIONED": "false",
    }
)
_NO_SECOND_FACTOR = ("question",)
_OUTCOMES = MappingProxyType(
    {
        "SUCCESS": "success",
        "ALLOW": "success",
        "FAILURE": "failure",
        "DENY": "failure",
        "RATE_LIMIT": "failure",
    }
)
_ABILITIES = MappingProxyType(
    {"SUPER_ADMIN": "administer,security", "ORG_ADMIN": "administer,security"}
)

USER_COLUMNS = (
    "id",
    "status",
    "created",
    "lastLogin",
    "passwordChanged",
    "profile.login",
    "profile.email",
    "profile.displayName",
    "profile.firstName",
    "profile.lastName",
    "profile.mobilePhone",
    "profile.employeeNumber",
    "profile.department",
    "profile.title",
    "profile.manager",
    "profile.managerId",
)
FACTOR_COLUMNS = ("of", "is_told", "factorType", "status")
GROUP_COLUMNS = ("id", "type", "profile.name", "profile.description")
MEMBER_COLUMNS = ("of", "id")
ROLE_COLUMNS = (
    "of",
    "of_kind",
    "id",
    "type",
    "label",
    "role",
    "status",
    "assignmentType",
    "created",
)
LOGIN_COLUMNS = (
    "published",
    "actor.id",
    "actor.type",
    "actor.alternateId",
    "client.ipAddress",
    "client.geographicalContext.country",
    "client.geographicalContext.city",
    "client.device",
    "device.name",
    "client.userAgent.rawUserAgent",
    "outcome.result",
    "outcome.reason",
)


class Parameters(connector.Parameters):
    """Keys of a source with ``connector = "okta"``."""

    address: HttpsAddress
    """Of the organisation: ``https://example.okta.com``."""
    token: SecretReference
    """Of an API token of a user who is Read-only Administrator without conditions."""
    ca_file: Path | None = None
    """Certificates to trust instead of the system's, relative to gatebook.toml."""
    login_days: int = Field(default=90, ge=0, le=90)
    """Days of sign-ins read back; Okta keeps 90. 0: none."""
    people: bool = False
    """Deliver the users as identities too, for a house without an HR source."""
    service_accounts: str | None = None
    """Pattern of the logins no person signs in with. Without it every user is a person:
    a name is not enough to guess from."""

    @field_validator("service_accounts")
    @classmethod
    def _is_pattern(cls, told: str | None) -> str | None:
        if told is not None:
            try:
                pl.Series([""]).str.contains(told)
            except pl.exceptions.ComputeError as error:
                raise ValueError(f"'{told}' is not a regular expression") from error
        return told


# Fetch --------------------------------------------------------------------------------


def fetch(context: Context) -> RawExport:
    """Read every list to its last page.

    Raises:
        ExtractError: the token is not there or not accepted, the server cannot be
            reached or keeps failing, or users may not be read. Names the endpoint.
    """
    told: Parameters = context.parameters
    base = context.settings.folder
    token = read_secret(base, told.token)
    asked_at = datetime.now(UTC)
    with WebClient(
        told.address,
        authorise=lambda: Credentials(headers={"Authorization": f"SSWS {token}"}),
        ca_file=None if told.ca_file is None else base / told.ca_file,
    ) as web:
        forbidden: dict[str, str] = {}
        users = [
            *_all(web, "/api/v1/users", limit=200),
            *_all(web, "/api/v1/users", limit=200, filter='status eq "DEPROVISIONED"'),
        ]
        if not users:
            raise ExtractError(
                f"{web.shown('/api/v1/users')}: lists not one user, not even the "
                "token's own; give the token's user Read-only Administrator without "
                "conditions"
            )
        parts: dict[str, tuple[str, tuple[str, ...], list[dict[str, Any]] | None]] = {
            "users": ("/api/v1/users", USER_COLUMNS, users),
            "factors": (
                "/api/v1/users/*/factors",
                FACTOR_COLUMNS,
                _factors(web, users, forbidden),
            ),
        }
        groups = unless_forbidden(
            "groups", forbidden, lambda: _all(web, "/api/v1/groups", limit=200)
        )
        parts["groups"] = ("/api/v1/groups", GROUP_COLUMNS, groups)
        parts["members"] = (
            "/api/v1/groups/*/users",
            MEMBER_COLUMNS,
            None
            if groups is None
            else unless_forbidden("members", forbidden, lambda: _members(web, groups)),
        )
        parts["roles"] = (
            "/api/v1/*/roles",
            ROLE_COLUMNS,
            unless_forbidden("roles", forbidden, lambda: _roles(web, groups or [])),
        )
        if told.login_days:
            parts["logins"] = (
                "/api/v1/logs",
                LOGIN_COLUMNS,
                unless_forbidden(
                    "logins",
                    forbidden,
                    lambda: _logins(web, asked_at, told.login_days),
                ),
            )
        tables = {
            name: raw_table(name, web.shown(path), records, columns)
            for name, (path, columns, records) in parts.items()
            if records is not None
        }
        refused = forbidden_table(web.address, forbidden)
    return RawExport(
        tables={**tables, refused.name: refused}, extracted_at=asked_at, method="API"
    )


def _all(web: WebClient, path: str, **query: str | int) -> list[dict[str, Any]]:
    """Return the records of all pages of a list."""
    return [
        record
        for page in web.pages(path, query, next_of=next_in_link)
        for record in page.records()
    ]


def _factors(
    web: WebClient, users: Iterable[Mapping[str, Any]], forbidden: dict[str, str]
) -> list[dict[str, Any]] | None:
    """Return the factors of every user, and a row for those who have none.

    A user whose factors are forbidden, or who is gone meanwhile, is not told about.
    Null if that is so for all.
    """
    found: list[dict[str, Any]] = []
    refused = 0
    is_told = False
    for user in users:
        if user.get("status") == "DEPROVISIONED":
            continue  # Okta has taken the factors away and refuses the question.
        identifier = str(user.get("id"))
        try:
            factors = _all(web, f"/api/v1/users/{quote(identifier, safe='')}/factors")
        except ForbiddenError as error:
            forbidden["factors"] = str(error)
            refused += 1
            if refused >= _GIVE_UP_AFTER and not is_told:
                return None
            continue
        except AnswerError as error:
            if error.status != _NOT_FOUND:
                raise
            continue
        is_told = True
        found.append({"of": identifier, "is_told": True})
        found += [{"of": identifier, **factor} for factor in factors]
    return None if refused and not is_told else found


def _members(
    web: WebClient, groups: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    return [
        {"of": group.get("id"), "id": user.get("id")}
        for group in groups
        for user in _all(
            web,
            f"/api/v1/groups/{quote(str(group.get('id')), safe='')}/users",
            limit=200,
        )
    ]


def _roles(web: WebClient, groups: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the administrator roles of users and of groups."""
    holders = [
        ("user", str(user.get("id")))
        for page in web.pages(
            "/api/v1/iam/assignees/users",
            {"limit": 100},
            next_of=next_in_field("_links.next.href"),
        )
        for user in page.records("value")
    ]
    holders += [("group", str(group.get("id"))) for group in groups]
    return [
        {"of": holder, "of_kind": kind, **role}
        for kind, holder in holders
        for role in _all(web, f"/api/v1/{kind}s/{quote(holder, safe='')}/roles")
    ]


def _logins(web: WebClient, asked_at: datetime, days: int) -> list[dict[str, Any]]:
    """Return the sign-ins of a window. Without its end Okta would page for ever."""
    since = asked_at - timedelta(days=days)
    return _all(
        web,
        "/api/v1/logs",
        since=since.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        until=asked_at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        filter='eventType eq "user.session.start"',
        limit=1000,
    )


# Normalise ----------------------------------------------------------------------------


def normalise(context: Context, export: RawExport) -> Normalised:
    """Turn lists into canonical tables.

    Completeness is ``full`` if every list was read to its last page, and ``scoped`` if
    one of them, or part of one, was forbidden.
    """
    drafts = [
        _accounts(context, export.tables),
        *_groups(context, export.tables),
        *_administrators(context, export.tables),
        *_sign_ins(context, export.tables),
    ]
    if context.parameters.people:
        drafts.append(_people(context, export.tables["users"]))
    forbidden = forbidden_parts(export)
    notes = [f"{part} are not told: {message}" for part, message in forbidden.items()]
    if "factors" in export.tables:
        notes.append(
            "second factors are those that the enrolment policy shows to the token's "
            "own client; a policy with conditions may hide some"
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


def _display_name(rows: pl.DataFrame) -> pl.Expr:
    both = pl.concat_str(
        column(rows, "profile.firstName"),
        column(rows, "profile.lastName"),
        separator=" ",
        ignore_nulls=True,
    )
    own = column(rows, "profile.displayName")
    return pl.when(own.str.strip_chars() != "").then(own).otherwise(both)


_ACCOUNT_COLUMNS = MappingProxyType(
    {
        "native_id": "id",
        "login": "profile.login",
        "email": "profile.email",
        "phone": "profile.mobilePhone",
        "employee_number": "profile.employeeNumber",
        "directory_id": "id",
        "department_name": "profile.department",
        "job_title": "profile.title",
        "created_at": "created",
        "last_login_at": "lastLogin",
        "password_changed_at": "passwordChanged",
    }
)


def _accounts(context: Context, tables: Mapping[str, RawTable]) -> Draft:
    """Return the users. A status Okta does not document is left, to be rejected."""
    raw = tables["users"]
    rows = raw.numbered()
    columns = {
        "account_id": _id(context, "", "id"),
        "display_name": _display_name(rows),
        "account_type": _account_type(context, rows),
        **_named(rows, _ACCOUNT_COLUMNS),
    }
    if "status" in rows.columns:
        columns["is_enabled"] = pl.col("status").replace(dict(_STATUSES))
        columns["is_locked"] = pl.col("status") == "LOCKED_OUT"
    if "lastLogin" in rows.columns:
        last = pl.col("lastLogin")
        columns["last_login_basis"] = pl.when(last.is_not_null()).then(
            pl.lit("success")
        )
        columns["never_logged_in"] = last.is_null()
    if "factors" in tables:
        factors = _second_factors(tables["factors"].rows)
        rows = rows.join(
            factors, left_on="id", right_on="of", how="left", maintain_order="left"
        )
        columns |= {"mfa_state": pl.col("state"), "mfa_methods": pl.col("methods")}
    return Draft(
        table=ACCOUNTS,
        raw=raw,
        rows=rows.select("source_row", **columns),
        headers={**_ACCOUNT_COLUMNS, "account_id": "id", "is_enabled": "status"},
    )


def _account_type(context: Context, rows: pl.DataFrame) -> pl.Expr:
    pattern = context.parameters.service_accounts
    if pattern is None or "profile.login" not in rows.columns:
        return pl.lit("person")
    is_service = pl.col("profile.login").str.contains(f"(?i){pattern}")
    return pl.when(is_service).then(pl.lit("service")).otherwise(pl.lit("person"))


def _second_factors(factors: pl.DataFrame) -> pl.DataFrame:
    """Return state and methods by user; who is not there is not told about."""
    counts = (column(factors, "status") == "ACTIVE") & ~column(
        factors, "factorType"
    ).is_in(_NO_SECOND_FACTOR)
    methods = column(factors, "factorType").filter(counts.fill_null(value=False))
    return factors.group_by("of", maintain_order=True).agg(
        state=pl.when(methods.len() > 0)
        .then(pl.lit("enabled"))
        .otherwise(pl.lit("disabled")),
        methods=methods.unique().sort().str.join(","),
    )


def _groups(context: Context, tables: Mapping[str, RawTable]) -> Iterator[Draft]:
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
                **_named(
                    rows,
                    {
                        "native_id": "id",
                        "name": "profile.name",
                        "description": "profile.description",
                    },
                ),
            ),
            headers={"entitlement_id": "id", "native_id": "id"},
        )
    if "members" in tables:
        raw = tables["members"]
        yield Draft(
            table=GRANTS,
            raw=raw,
            rows=raw.numbered().select(
                "source_row",
                account_id=_id(context, "", "id"),
                entitlement_id=_id(context, "group:", "of"),
                via=pl.lit("direct"),
            ),
            headers={"account_id": "id", "entitlement_id": "group"},
        )


def _administrators(
    context: Context, tables: Mapping[str, RawTable]
) -> Iterator[Draft]:
    """Yield the administrator roles that anybody holds, and who holds them.

    A role that a user has through a group counts as held through it, and the group as
    holding it. An assignment that is not ACTIVE grants nothing and is left out.
    """
    if "roles" not in tables:
        return
    raw = tables["roles"]
    rows = raw.numbered()
    custom = pl.coalesce(column(rows, "role"), column(rows, "label"))
    rows = rows.with_columns(
        native_id=pl.when(column(rows, "type") == "CUSTOM")
        .then(custom)
        .otherwise(column(rows, "type")),
        active=(column(rows, "status") == "ACTIVE").fill_null(value=True),
    )
    roles = rows.drop_nulls("native_id").unique("native_id", maintain_order=True)
    yield Draft(
        table=ENTITLEMENTS,
        raw=raw,
        rows=roles.select(
            "source_row",
            "native_id",
            entitlement_id=_id(context, "role:", "native_id"),
            name=pl.coalesce(column(rows, "label"), "native_id"),
            kind=pl.lit("admin_role"),
            is_privileged=pl.lit("true"),
            abilities=pl.col("native_id").replace_strict(
                dict(_ABILITIES), default=None, return_dtype=pl.String
            ),
        ),
    )
    held = rows.filter(pl.col("active"))
    by_group = pl.col("of_kind") == "group"
    through = column(rows, "assignmentType") == "GROUP"
    yield Draft(
        table=GRANTS,
        raw=raw,
        rows=held.filter(~by_group).select(
            "source_row",
            account_id=_id(context, "", "of"),
            entitlement_id=_id(context, "role:", "native_id"),
            via=pl.when(through).then(pl.lit("group")).otherwise(pl.lit("direct")),
            granted_at=column(rows, "created"),
        ),
    )
    yield Draft(
        table=ENTITLEMENT_MEMBERS,
        raw=raw,
        rows=held.filter(by_group).select(
            "source_row",
            parent_id=_id(context, "group:", "of"),
            child_id=_id(context, "role:", "native_id"),
        ),
    )


def _sign_ins(context: Context, tables: Mapping[str, RawTable]) -> Iterator[Draft]:
    if "logins" not in tables:
        return
    raw = tables["logins"]
    rows = raw.numbered()
    # An attempt on a login that does not exist has an actor, but no user.
    is_user = (column(rows, "actor.type") == "User") & (
        column(rows, "actor.id") != "unknown"
    )
    result = column(rows, "outcome.result")
    outcome = result.replace_strict(
        dict(_OUTCOMES), default="unknown", return_dtype=pl.String
    )
    yield Draft(
        table=LOGIN_EVENTS,
        raw=raw,
        rows=rows.with_columns(
            principal=pl.when(is_user).then(column(rows, "actor.id"))
        ).select(
            "source_row",
            account_id=_id(context, "", "principal"),
            outcome=outcome,
            failure_reason=pl.when(outcome == "failure").then(
                pl.coalesce(column(rows, "outcome.reason"), result)
            ),
            device=pl.coalesce(
                column(rows, "device.name"), column(rows, "client.device")
            ),
            is_interactive=pl.lit("true"),
            **_named(
                rows,
                {
                    "login": "actor.alternateId",
                    "at": "published",
                    "ip": "client.ipAddress",
                    "country": "client.geographicalContext.country",
                    "city": "client.geographicalContext.city",
                    "user_agent": "client.userAgent.rawUserAgent",
                },
            ),
        ),
        headers={"at": "published"},
    )


def _people(context: Context, raw: RawTable) -> Draft:
    """Return the users who are persons as identities.

    A manager is told where ``managerId`` is the id, login, e-mail or employee number of
    exactly one user. Okta does not know who works here: that an account was taken away
    does not say that a person left, so employment is not told.
    """
    rows = raw.numbered()
    columns = _named(
        rows,
        {
            "employee_number": "profile.employeeNumber",
            "directory_id": "id",
            "email": "profile.email",
            "phone": "profile.mobilePhone",
            "job_title": "profile.title",
        },
    )
    if "profile.managerId" in rows.columns:
        managers = _by_any_name(rows)
        rows = rows.join(
            managers,
            left_on=pl.col("profile.managerId").str.to_lowercase(),
            right_on="name",
            how="left",
            maintain_order="left",
        )
        columns["manager_id"] = _id(context, "", "manager")
    return Draft(
        table=IDENTITIES,
        raw=raw,
        rows=rows.filter(_account_type(context, rows) == "person").select(
            "source_row",
            identity_id=_id(context, "", "id"),
            display_name=_display_name(rows),
            **columns,
        ),
        headers={"identity_id": "id"},
    )


def _by_any_name(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the one user that a name, in small letters, stands for: name, manager."""
    names = [
        rows.select(name=column(rows, own).str.to_lowercase(), manager="id")
        for own in ("id", "profile.login", "profile.email", "profile.employeeNumber")
    ]
    return (
        pl.concat(names)
        .filter(pl.col("name") != "")
        .group_by("name")
        .agg(pl.col("manager").unique())
        .filter(pl.col("manager").list.len() == 1)
        .with_columns(pl.col("manager").list.first())
    )


CONNECTOR = Connector(
    name="okta",
    title="Okta",
    parameters=Parameters,
    fetch=fetch,
    normalise=normalise,
)
