"""HubSpot: users, permission sets, teams, logins and security activity, over its API.

HubSpot's users have no status. Its owners do, and every user that owns records or could
is one: a user with an active owner is enabled, one with only an archived owner is not,
and of a user without any owner it is unknown. Neither second factors nor what a
permission set allows can be read at all, but who is a super admin can.

Source: HubSpot API v3: settings/users, crm/owners, account-info/activity.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import polars as pl

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
    Credentials,
    ForbiddenError,
    HttpsAddress,
    WebClient,
    next_by_token,
    raw_table,
)
from governance.schema import (
    ACCOUNTS,
    ENTITLEMENTS,
    GRANTS,
    LOGIN_EVENTS,
    OPERATIONS,
    ExtractError,
)


class HubspotParameters(connector.Parameters):
    """Keys of a source with ``connector = "hubspot"``."""

    access_token: SecretReference
    """Of a private app."""
    address: HttpsAddress = "https://api.hubapi.com"
    ca_file: Path | None = None


@dataclass(frozen=True, kw_only=True)
class HubspotList:
    """One list of the API and what is read of its objects."""

    name: str
    path: str
    columns: tuple[str, ...]
    untold: str
    """What nobody can tell without it, for the note."""
    parameters: Mapping[str, str | int]
    required: bool = False


USERS = HubspotList(
    name="users",
    path="/settings/v3/users",
    columns=(
        "id",
        "email",
        "firstName",
        "lastName",
        "roleId",
        "roleIds",
        "primaryTeamId",
        "secondaryTeamIds",
        "superAdmin",
    ),
    untold="nothing can be told",
    parameters={"limit": 100},
    required=True,
)
ROLES = HubspotList(
    name="roles",
    path="/settings/v3/users/roles",
    columns=("id", "name"),
    untold="permission sets and who holds them are unknown",
    parameters={},
)
TEAMS = HubspotList(
    name="teams",
    path="/settings/v3/users/teams",
    columns=("id", "name"),
    untold="teams and who is in them are unknown",
    parameters={},
)
_OWNER_COLUMNS = (
    "id",
    "type",
    "email",
    "firstName",
    "lastName",
    "userId",
    "userIdIncludingInactive",
)
OWNERS = HubspotList(
    name="owners",
    path="/crm/v3/owners",
    columns=_OWNER_COLUMNS,
    untold="which users are enabled is unknown",
    parameters={"archived": "false", "limit": 100},
)
ARCHIVED_OWNERS = HubspotList(
    name="archived owners",
    path="/crm/v3/owners",
    columns=_OWNER_COLUMNS,
    untold="which users are deactivated is unknown",
    parameters={"archived": "true", "limit": 100},
)
LOGINS = HubspotList(
    name="logins",
    path="/account-info/v3/activity/login",
    columns=(
        "userId",
        "email",
        "loginAt",
        "loginSucceeded",
        "ipAddress",
        "userAgent",
        "countryCode",
    ),
    untold="logins are unknown",
    parameters={"limit": 200},
)
SECURITY = HubspotList(
    name="security activity",
    path="/account-info/v3/activity/security",
    columns=("userId", "actingUser", "createdAt", "type"),
    untold="exports and changes of rights are unknown",
    parameters={"limit": 200},
)
LISTS = (USERS, ROLES, TEAMS, OWNERS, ARCHIVED_OWNERS, LOGINS, SECURITY)
UNTOLD = "untold"
"""Name of the raw table that holds, for each list not read, its name and why."""

Told = Mapping[str, RawTable]


def fetch(context: Context) -> RawExport:
    """Read every list to its last page.

    A list that the token may not read (403) is untold, with HubSpot's reason.

    Raises:
        ExtractError: users may not be read or there is none, or HubSpot keeps failing.
            Names the endpoint.
    """
    parameters: HubspotParameters = context.parameters
    base = context.settings.folder

    def authorise() -> Credentials:
        token = read_secret(base, parameters.access_token)
        return Credentials(headers={"Authorization": f"Bearer {token}"})

    asked_at = datetime.now(UTC)
    tables: dict[str, RawTable] = {}
    refused: list[tuple[str, str]] = []
    ca_file = None if parameters.ca_file is None else base / parameters.ca_file
    with WebClient(parameters.address, authorise=authorise, ca_file=ca_file) as client:
        for one in LISTS:
            try:
                tables[one.name] = _read_list(client, one)
            except ForbiddenError as error:
                if one.required:
                    raise
                refused.append((one.name, str(error)))
        host = client.shown("")
    tables[UNTOLD] = RawTable(
        name=UNTOLD,
        file=host,
        rows=pl.DataFrame(
            refused, schema={"part": pl.String, "reason": pl.String}, orient="row"
        ),
    )
    return RawExport(tables=tables, extracted_at=asked_at, method="API")


def _read_list(client: WebClient, one: HubspotList) -> RawTable:
    pages = client.pages(
        one.path, one.parameters, next_of=next_by_token("paging.next.after", "after")
    )
    records = [record for page in pages for record in page.records("results")]
    shown = client.shown(one.path)
    if "archived" in one.parameters:
        shown = f"{shown}?archived={one.parameters['archived']}"
    if one.required and not records:
        raise ExtractError(
            f"{shown}: gave no user, and an account without users cannot be; check "
            "whose token it is"
        )
    return raw_table(one.name, shown, records, one.columns)


def normalise(context: Context, export: RawExport) -> Normalised:
    """Put the lists into canonical columns.

    Completeness is ``full`` if every list could be read to its last page, ``scoped`` if
    one may not be read.
    """
    told = {name: raw for name, raw in export.tables.items() if name != UNTOLD}
    untold = export.tables[UNTOLD].rows
    drafts = (
        _accounts(context, told),
        *_removed_accounts(context, told),
        *_entitlements(context, told),
        *_grants(context, told),
        *_logins(context, told),
        *_security_activity(context, told),
    )
    return Normalised(
        drafts=drafts,
        completeness="scoped" if untold.height else "full",
        notes=tuple(_notes(told, untold)),
    )


def _id(context: Context, kind: str, column: str) -> pl.Expr:
    return pl.format(f"{context.source}:{kind}{{}}", pl.col(column))


def _renamed(raw: RawTable, names: Mapping[str, str]) -> dict[str, pl.Expr]:
    """Return those canonical columns whose property the list has."""
    return {c: pl.col(own) for c, own in names.items() if own in raw.rows.columns}


# Users --------------------------------------------------------------------------------


def _accounts(context: Context, told: Told) -> Draft:
    users = told[USERS.name]
    columns = _account_columns(context, users, "id")
    if is_enabled := _is_enabled(told):
        columns["is_enabled"] = pl.col("id").replace_strict(
            is_enabled, default=None, return_dtype=pl.Boolean
        )
    return Draft(
        table=ACCOUNTS,
        raw=users,
        rows=users.numbered().select("source_row", **columns),
        headers={"account_id": "id", "native_id": "id", "login": "email"},
    )


def _account_columns(
    context: Context, raw: RawTable, identifier: str
) -> dict[str, pl.Expr]:
    """Return what users and owners both tell. A HubSpot user is a person by design."""
    columns = {
        "account_id": _id(context, "", identifier),
        "native_id": pl.col(identifier),
        "account_type": pl.lit("person"),
    } | _renamed(raw, {"login": "email", "email": "email"})
    if parts := [n for n in ("firstName", "lastName") if n in raw.rows.columns]:
        columns["display_name"] = pl.concat_str(
            parts, separator=" ", ignore_nulls=True
        ).str.strip_chars()
    return columns


def _is_enabled(told: Told) -> dict[str, bool]:
    """Return by user id whether its owner is active; an active one outweighs others.

    Nothing is said where one of the two lists of owners is not told: a user whom only
    one of them shows may stand in the other too.
    """
    if OWNERS.name not in told or ARCHIVED_OWNERS.name not in told:
        return {}
    states: dict[str, bool] = {}
    for one, is_enabled in ((ARCHIVED_OWNERS, False), (OWNERS, True)):
        owners = _owners(told[one.name], told[USERS.name])
        states |= dict.fromkeys(owners["user"].drop_nulls(), is_enabled)
    return states


def _owners(raw: RawTable, users: RawTable) -> pl.DataFrame:
    """Return owners that are people, with ``user``, the id of the user behind each.

    An owner that names no user is that of the user of its e-mail address. One that
    names another than the user of its address is not taken for either.
    """
    rows = raw.numbered()
    for name in ("userId", "userIdIncludingInactive", "email", "type"):
        if name not in rows.columns:
            rows = rows.with_columns(pl.lit(None, pl.String).alias(name))
    by_address = _user_of_address(users)
    return rows.filter(pl.col("type").fill_null("PERSON") == "PERSON").with_columns(
        user=pl.coalesce(
            "userId",
            "userIdIncludingInactive",
            pl.col("email")
            .str.to_lowercase()
            .replace_strict(by_address, default=None, return_dtype=pl.String),
        )
    )


def _user_of_address(users: RawTable) -> dict[str, str]:
    """Return user ids by e-mail address, in small letters."""
    if "email" not in users.rows.columns:
        return {}
    known = users.rows.select(pl.col("email").str.to_lowercase(), "id").drop_nulls()
    return dict(known.iter_rows())


def _removed_accounts(context: Context, told: Told) -> Iterator[Draft]:
    """Yield users that only an archived owner still tells of: they cannot log in."""
    if not _is_enabled(told):
        return
    raw, users = told[ARCHIVED_OWNERS.name], told[USERS.name]
    listed = users.rows["id"].drop_nulls().to_list()
    active = _owners(told[OWNERS.name], users)["user"].drop_nulls().to_list()
    addresses = list(_user_of_address(users))
    is_listed = pl.col("user").is_in([*listed, *active])
    has_listed_address = pl.col("email").str.to_lowercase().is_in(addresses)
    rows = (
        _owners(raw, users)
        .drop_nulls("user")
        .filter(~is_listed & ~has_listed_address.fill_null(value=False))
        .unique("user", keep="first", maintain_order=True)
    )
    yield Draft(
        table=ACCOUNTS,
        raw=raw,
        rows=rows.select(
            "source_row",
            **_account_columns(context, raw, "user"),
            is_enabled=pl.lit(value=False),
        ),
        headers={"account_id": "userIdIncludingInactive", "login": "email"},
    )


# Permission sets and teams ------------------------------------------------------------

_SUPER_ADMIN = "super_admin"


def _entitlements(context: Context, told: Told) -> Iterator[Draft]:
    """Yield permission sets, teams, and super admin, which is neither.

    Abilities are left out: HubSpot shows nobody what a permission set allows.
    """
    for one, kind in ((ROLES, "role"), (TEAMS, "team")):
        if one.name in told:
            raw = told[one.name]
            yield Draft(
                table=ENTITLEMENTS,
                raw=raw,
                rows=raw.numbered().select(
                    "source_row",
                    entitlement_id=_id(context, f"{kind}:", "id"),
                    native_id="id",
                    kind=pl.lit(kind),
                    is_privileged=pl.lit(None if one is ROLES else False, pl.Boolean),
                    **_renamed(raw, {"name": "name"}),
                ),
                headers={"entitlement_id": "id", "native_id": "id"},
            )
    users = told[USERS.name]
    if "superAdmin" in users.rows.columns:
        yield Draft(
            table=ENTITLEMENTS,
            raw=replace(users, stated=None),
            rows=_super_admins(users)
            .head(1)
            .select(
                "source_row",
                entitlement_id=pl.lit(f"{context.source}:{_SUPER_ADMIN}"),
                native_id=pl.lit(_SUPER_ADMIN),
                name=pl.lit("Super Admin"),
                kind=pl.lit("role"),
                is_privileged=pl.lit(value=True),
                data_scope=pl.lit("all"),
            ),
        )


def _super_admins(users: RawTable) -> pl.DataFrame:
    return users.numbered().filter(pl.col("superAdmin") == "true")


def _grants(context: Context, told: Told) -> Iterator[Draft]:
    """Yield who holds what. What is not told is granted to nobody."""
    users = told[USERS.name]
    for one, kind, names in (
        (ROLES, "role", ("roleIds", "roleId")),
        (TEAMS, "team", ("primaryTeamId", "secondaryTeamIds")),
    ):
        known = [name for name in names if name in users.rows.columns]
        if one.name in told and known:
            held = users.numbered().select(
                "source_row",
                "id",
                held=pl.concat_list(_as_list(users, n) for n in known),
            )
            rows = (
                held.with_columns(pl.col("held").list.drop_nulls().list.unique())
                .explode("held")
                .drop_nulls("held")
                .sort("source_row", "held")
            )
            yield _grant_draft(
                context, users, rows, _id(context, f"{kind}:", "held"), via="direct"
            )
    if "superAdmin" in users.rows.columns:
        held_by = pl.lit(f"{context.source}:{_SUPER_ADMIN}")
        yield _grant_draft(context, users, _super_admins(users), held_by, via="direct")


def _as_list(raw: RawTable, name: str) -> pl.Expr:
    """Return a column of ids as lists, whether it holds one each or several."""
    value = pl.col(name)
    if not isinstance(raw.rows.schema[name], pl.List):
        value = pl.concat_list(value)
    return value.fill_null([])


def _grant_draft(
    context: Context, users: RawTable, rows: pl.DataFrame, held: pl.Expr, *, via: str
) -> Draft:
    return Draft(
        table=GRANTS,
        raw=replace(users, stated=None),
        rows=rows.select(
            "source_row",
            account_id=_id(context, "", "id"),
            entitlement_id=held,
            via=pl.lit(via),
        ),
        headers={"account_id": "id"},
    )


# Activity -----------------------------------------------------------------------------


def _logins(context: Context, told: Told) -> Iterator[Draft]:
    if LOGINS.name not in told:
        return
    raw = told[LOGINS.name]
    columns = _renamed(
        raw,
        {
            "login": "email",
            "at": "loginAt",
            "ip": "ipAddress",
            "country": "countryCode",
            "user_agent": "userAgent",
        },
    )
    if "userId" in raw.rows.columns:
        columns["account_id"] = _id(context, "", "userId")
    if "loginSucceeded" in raw.rows.columns:
        columns["outcome"] = pl.col("loginSucceeded").replace(
            {"true": "success", "false": "failure"}
        )
    yield Draft(
        table=LOGIN_EVENTS,
        raw=raw,
        rows=raw.numbered().select("source_row", **columns),
        headers={"account_id": "userId", "at": "loginAt", "outcome": "loginSucceeded"},
    )


_ACTIONS = MappingProxyType(
    {
        "EXPORT": "export",
        "CONTACT_DATA_EXPORT": "export",
        "EXPORT_DOWNLOAD": "export",
        "EXPORT_USERS": "export",
    }
)
"""Types that take data out; all others keep HubSpot's own name."""


def _security_activity(context: Context, told: Told) -> Iterator[Draft]:
    if SECURITY.name not in told:
        return
    raw = told[SECURITY.name]
    columns = _renamed(raw, {"login": "actingUser", "at": "createdAt"})
    if "userId" in raw.rows.columns:
        columns["account_id"] = _id(context, "", "userId")
    if "type" in raw.rows.columns:
        is_export = pl.col("type").is_in(list(_ACTIONS))
        columns["action"] = pl.col("type").replace(dict(_ACTIONS))
        columns["object_type"] = pl.when(is_export).then("type")
    yield Draft(
        table=OPERATIONS,
        raw=raw,
        rows=raw.numbered().select("source_row", **columns),
        headers={"account_id": "userId", "at": "createdAt", "action": "type"},
    )


# Notes --------------------------------------------------------------------------------


def _notes(told: Told, untold: pl.DataFrame) -> Iterator[str]:
    consequences = {one.name: one.untold for one in LISTS}
    for part, reason in untold.iter_rows():
        yield f"{part}: {consequences[part]}; {reason.rstrip('.')}."
    yield (
        "HubSpot tells neither second factors nor what a permission set allows, nor "
        "when a password was changed: all three are unknown for every user."
    )
    if is_enabled := _is_enabled(told):
        users = told[USERS.name].rows["id"].drop_nulls()
        if silent := (~users.is_in(list(is_enabled))).sum():
            yield (
                f"{silent} users have no owner, active or archived: HubSpot does not "
                "say whether they are enabled."
            )


CONNECTOR = Connector(
    name="hubspot",
    title="HubSpot",
    parameters=HubspotParameters,
    fetch=fetch,
    normalise=normalise,
)
