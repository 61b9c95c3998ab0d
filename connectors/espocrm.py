"""EspoCRM: users, roles, teams that carry roles, second factors, logins, deletions.

Over its REST API. An administrator may do everything whatever the roles say: that is a
grant of its own here. What a user may read decides what the API gives, without a word:
only what an administrator reads is proved whole, by the totals that the lists state.

Source: EspoCRM REST API, and its entity definitions User, Role, Team, UserData,
    AuthLogRecord and ActionHistoryRecord.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Self

import polars as pl
from pydantic import Field, model_validator
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
    Answer,
    Credentials,
    ForbiddenError,
    HttpsAddress,
    WebClient,
    raw_table,
)
from governance.schema import (
    ABILITIES,
    ACCOUNTS,
    ENTITLEMENT_MEMBERS,
    ENTITLEMENTS,
    GRANTS,
    LOGIN_EVENTS,
    OPERATIONS,
    ExtractError,
)


class EspocrmParameters(connector.Parameters):
    """Keys of a source with ``connector = "espocrm"``."""

    address: HttpsAddress
    """Of the CRM as people open it, without ``/api/v1``."""
    api_key: SecretReference | None = None
    """Of an API user; roles and logins are for administrators only."""
    secret_key: SecretReference | None = None
    """Of an API user that signs its requests (HMAC), beside ``api_key``."""
    login: str | None = None
    """User name of an administrator, instead of an API user."""
    password: SecretReference | None = None
    ca_file: Path | None = None
    history_days: Annotated[int, Field(ge=1, le=3660)] = 183
    """Days of logins and deletions to read."""
    deletions: bool = False
    """Read the action history's deletions too; the history can be long."""

    @model_validator(mode="after")
    def _is_one_way(self) -> Self:
        by_password = self.login is not None and self.password is not None
        is_half = (self.login is None) != (self.password is None)
        is_unsigned = self.secret_key is not None and self.api_key is None
        if is_half or is_unsigned or by_password == (self.api_key is not None):
            raise PydanticCustomError(
                "gatebook",
                "name login and password, or api_key, or api_key and secret_key",
            )
        return self


@dataclass(frozen=True, kw_only=True)
class EspoList:
    """One kind of record and the attributes read of it."""

    name: str
    columns: tuple[str, ...]
    untold: str
    """What nobody can tell without it, for the note."""
    required: bool = False
    objects: tuple[str, ...] = ()
    """Those of ``columns`` that are objects; PHP writes an empty one as a list."""
    order_by: str = "name"
    """What every version can sort the records by; they come in that order."""
    is_log: bool = False
    """Only the days asked for are read."""


USERS = EspoList(
    name="User",
    columns=(
        "id",
        "userName",
        "name",
        "type",
        "isActive",
        "title",
        "emailAddress",
        "phoneNumber",
        "createdAt",
        "lastAccess",
        "auth2FA",
        "rolesIds",
        "teamsIds",
    ),
    untold="nothing can be told",
    order_by="userName",
    required=True,
)
ROLES = EspoList(
    name="Role",
    columns=(
        "id",
        "name",
        "exportPermission",
        "assignmentPermission",
        "dataPrivacyPermission",
        "data",
        "fieldData",
    ),
    untold="roles, who holds them and what they allow are unknown",
    objects=("data", "fieldData"),
)
TEAMS = EspoList(
    name="Team",
    columns=("id", "name", "rolesIds"),
    untold="teams and who is in them are unknown",
)
LOGINS = EspoList(
    name="AuthLogRecord",
    columns=(
        "userId",
        "username",
        "ipAddress",
        "createdAt",
        "isDenied",
        "denialReason",
    ),
    untold="logins are unknown",
    order_by="createdAt",
    is_log=True,
)
DELETIONS = EspoList(
    name="ActionHistoryRecord",
    columns=("userId", "action", "targetType", "createdAt"),
    untold="deletions are unknown",
    order_by="createdAt",
    is_log=True,
)
READER = "App/user"
SETTINGS = "Settings"
UNTOLD = "untold"
"""Name of the raw table that holds, for each list not read, its name and why."""
_PAGE = 200
"""The most records that EspoCRM gives at once."""

Told = Mapping[str, RawTable]


def fetch(context: Context) -> RawExport:
    """Read every list to the total it states.

    A list that the user may not read (403) is untold, with the server's reason.

    Raises:
        ExtractError: users may not be read, a list ends before its total, or the
            server keeps failing. Names the endpoint.
    """
    parameters: EspocrmParameters = context.parameters
    base = context.settings.folder
    ca_file = None if parameters.ca_file is None else base / parameters.ca_file
    asked_at = datetime.now(UTC)
    since = asked_at - timedelta(days=parameters.history_days)
    address = f"{parameters.address}/api/v1"
    tables: dict[str, RawTable] = {}
    refused: list[tuple[str, str]] = []

    def read(name: str, ask: Callable[[WebClient], RawTable]) -> None:
        authorise = _signed(base, parameters, name)
        with WebClient(address, authorise=authorise, ca_file=ca_file) as client:
            try:
                tables[name] = ask(client)
            except ForbiddenError as error:
                if name == USERS.name:
                    raise
                refused.append((name, str(error)))

    read(READER, partial(_read_one, READER, ("user.type",)))
    read(SETTINGS, partial(_read_one, SETTINGS, ("auth2FA",)))
    for one in (USERS, ROLES, TEAMS, LOGINS, DELETIONS):
        if one is not DELETIONS or parameters.deletions:
            read(one.name, partial(_read_list, one, since))
    tables[UNTOLD] = RawTable(
        name=UNTOLD,
        file=address,
        rows=pl.DataFrame(
            refused, schema={"part": pl.String, "reason": pl.String}, orient="row"
        ),
    )
    return RawExport(tables=tables, extracted_at=asked_at, method="API")


def _signed(
    base: Path, parameters: EspocrmParameters, name: str
) -> Callable[[], Credentials]:
    """Return what proves who asks; a signature is over method and path alone."""

    def authorise() -> Credentials:
        if parameters.password is not None:
            secret = read_secret(base, parameters.password)
            both = base64.b64encode(f"{parameters.login}:{secret}".encode()).decode()
            return Credentials(headers={"Espo-Authorization": both})
        key = read_secret(base, str(parameters.api_key))
        if parameters.secret_key is None:
            return Credentials(headers={"X-Api-Key": key})
        secret = read_secret(base, parameters.secret_key)
        mark = hmac.digest(secret.encode(), f"GET /{name}".encode(), hashlib.sha256)
        signed = base64.b64encode(key.encode() + b":" + mark).decode()
        return Credentials(headers={"X-Hmac-Authorization": signed})

    return authorise


def _read_one(name: str, columns: tuple[str, ...], client: WebClient) -> RawTable:
    """Read an answer that is one object."""
    answer = client.ask("GET", f"/{name}")
    if not isinstance(answer.document, dict):
        raise ExtractError(
            f"{answer.endpoint}: is not the API of an EspoCRM; mend address in "
            "gatebook.toml"
        )
    return raw_table(name, answer.endpoint, [answer.document], columns)


def _read_list(one: EspoList, since: datetime, client: WebClient) -> RawTable:
    parameters: dict[str, str | int] = {
        "select": ",".join(one.columns),
        "maxSize": _PAGE,
        "offset": 0,
        "orderBy": one.order_by,
        "order": "asc",
    }
    if one.is_log:
        parameters |= {
            "where[0][type]": "after",
            "where[0][attribute]": "createdAt",
            "where[0][value]": f"{since:%Y-%m-%d %H:%M:%S}",
        }
    if one is DELETIONS:
        parameters |= {
            "where[1][type]": "equals",
            "where[1][attribute]": "action",
            "where[1][value]": "delete",
        }
    found: list[dict[str, Any]] = []
    totals: list[int] = []

    def following(answer: Answer) -> Mapping[str, int] | None:
        page = answer.records("list")
        found.extend(page)
        totals.append(_total(answer))
        # A negative total is of a list that does not count: -1 is more, -2 is the end.
        is_over = len(found) >= totals[0] if totals[0] >= 0 else totals[-1] != -1
        return None if is_over or not page else {"offset": len(found)}

    for _page in client.pages(f"/{one.name}", parameters, next_of=following):
        pass
    shown = client.shown(f"/{one.name}")
    stated = totals[0] if totals[0] >= 0 else None
    if stated is not None and len(found) < stated:
        raise ExtractError(
            f"{shown}: states {stated} records and gave {len(found)}; nothing was "
            "taken in, pull again"
        )
    if one.required and not found:
        raise ExtractError(
            f"{shown}: gave no record, and a CRM without users cannot be; let the "
            "reading user see all users"
        )
    # What was added while the list was read is in it, and was not in its total yet.
    stated = None if stated is None else max(stated, len(found))
    records = [_with_objects_as_text(record, one.objects) for record in found]
    return raw_table(one.name, shown, records, one.columns, stated=stated)


def _with_objects_as_text(
    record: Mapping[str, Any], names: tuple[str, ...]
) -> dict[str, Any]:
    """Return a record whose objects are JSON, an empty one always ``{}``."""
    told = {name: record[name] or {} for name in names if record.get(name) is not None}
    return {**record, **{name: json.dumps(value) for name, value in told.items()}}


def _total(answer: Answer) -> int:
    total = answer.document.get("total")
    if not isinstance(total, int):
        raise ExtractError(
            f"{answer.endpoint}: states no total; mend address in gatebook.toml"
        )
    return total


def normalise(context: Context, export: RawExport) -> Normalised:
    """Put the lists into canonical columns.

    Completeness is ``full`` if an administrator read every list to the total it states,
    ``scoped`` if a list may not be read, and ``unknown`` otherwise.
    """
    told = {name: raw for name, raw in export.tables.items() if name != UNTOLD}
    untold = export.tables[UNTOLD].rows
    drafts = (
        _accounts(context, told),
        *_entitlements(context, told),
        *_members(context, told),
        *_grants(context, told),
        *_logins(context, told),
        *_deletions(context, told),
    )
    lists = [told[one.name] for one in (USERS, ROLES, TEAMS) if one.name in told]
    is_whole = _by_administrator(told) and all(raw.stated is not None for raw in lists)
    known = "full" if is_whole else "unknown"
    return Normalised(
        drafts=drafts,
        completeness="scoped" if untold.height else known,
        notes=tuple(_notes(told, untold)),
    )


_ADMINISTRATORS = ("admin", "super-admin")


def _by_administrator(told: Told) -> bool:
    return _only(told, READER, "user.type") in _ADMINISTRATORS


def _only(told: Told, name: str, column: str) -> str | None:
    """Return the one value of an answer that is one object; null if not told."""
    if name not in told or column not in told[name].rows.columns:
        return None
    value = told[name].rows[column][0]
    return None if value is None else str(value)


def _id(context: Context, kind: str, column: str) -> pl.Expr:
    return pl.format(f"{context.source}:{kind}{{}}", pl.col(column))


def _renamed(raw: RawTable, names: Mapping[str, str]) -> dict[str, pl.Expr]:
    """Return those canonical columns whose attribute the list has."""
    return {c: pl.col(own) for c, own in names.items() if own in raw.rows.columns}


def _utc(column: str) -> pl.Expr:
    """Return a time of the API, which is UTC and does not say so."""
    return pl.format("{}Z", pl.col(column))


# Users --------------------------------------------------------------------------------

_ACCOUNT_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "native_id": "id",
        "login": "userName",
        "display_name": "name",
        "email": "emailAddress",
        "phone": "phoneNumber",
        "job_title": "title",
        "is_enabled": "isActive",
    }
)
_ACCOUNT_TYPES = {
    "regular": "person",
    "admin": "person",
    "super-admin": "person",
    "portal": "guest",
    "system": "builtin",
    "api": "service",
}


def _accounts(context: Context, told: Told) -> Draft:
    """``lastAccess`` goes with the session's token, so null is not never."""
    users = told[USERS.name]
    known = users.rows.columns
    columns = {"account_id": _id(context, "", "id")} | _renamed(users, _ACCOUNT_COLUMNS)
    if "createdAt" in known:
        columns["created_at"] = _utc("createdAt")
    if "lastAccess" in known:
        columns["last_login_at"] = _utc("lastAccess")
        columns["last_login_basis"] = pl.lit("success")
    if "type" in known:
        columns["account_type"] = pl.col("type").replace_strict(
            _ACCOUNT_TYPES, default=None, return_dtype=pl.String
        )
    if "auth2FA" in known:
        columns["mfa_state"] = _mfa_state(told)
    return Draft(
        table=ACCOUNTS,
        raw=users,
        rows=users.numbered().select("source_row", **columns),
        headers={**_ACCOUNT_COLUMNS, "account_id": "id", "created_at": "createdAt"},
    )


def _mfa_state(told: Told) -> pl.Expr:
    """Return whether a second factor is asked for: set by the user, and switched on.

    A user who never opened these settings has no record of them and thus no factor,
    which only an administrator can tell from an attribute that may not be seen.
    """
    own = pl.col("auth2FA")
    if _by_administrator(told):
        own = own.fill_null("false")
    switched_on = _only(told, SETTINGS, "auth2FA")
    is_on = {"true": "enabled", "false": "disabled"}.get(switched_on or "", "unknown")
    return (
        pl.when(own == "true")
        .then(pl.lit(is_on))
        .when(own == "false")
        .then(pl.lit("disabled"))
    )


# Roles and teams ----------------------------------------------------------------------

_ADMINISTRATOR = "administrator"
_SCOPES: Mapping[str, str] = MappingProxyType(
    {"own": "self", "team": "department", "all": "all"}
)
"""Levels of reading, the widest last."""
_GRANTED = ("own", "team", "all", "yes")
_AMOUNTS = MappingProxyType({"Opportunity": "amount"})
"""Records whose amount is a matter of review, and the field that holds it."""


def _entitlements(context: Context, told: Told) -> Iterator[Draft]:
    """Yield roles, teams, and the administrator, whom no role limits."""
    if ROLES.name in told:
        yield _roles(context, told[ROLES.name])
    if TEAMS.name in told:
        raw = told[TEAMS.name]
        yield Draft(
            table=ENTITLEMENTS,
            raw=raw,
            rows=raw.numbered().select(
                "source_row",
                entitlement_id=_id(context, "team:", "id"),
                native_id="id",
                kind=pl.lit("team"),
                is_privileged=pl.lit(value=False),
                **_renamed(raw, {"name": "name"}),
                **({"abilities": pl.lit("")} if ROLES.name in told else {}),
            ),
            headers={"entitlement_id": "id", "native_id": "id"},
        )
    users = told[USERS.name]
    if "type" in users.rows.columns:
        yield Draft(
            table=ENTITLEMENTS,
            raw=replace(users, stated=None),
            rows=_administrators(users)
            .head(1)
            .select(
                "source_row",
                entitlement_id=pl.lit(f"{context.source}:{_ADMINISTRATOR}"),
                native_id=pl.lit(_ADMINISTRATOR),
                name=pl.lit("Administrator"),
                kind=pl.lit("role"),
                is_privileged=pl.lit(value=True),
                data_scope=pl.lit("all"),
                # Not told without roles: a user could export by one that nobody saw.
                **(
                    {"abilities": pl.lit(",".join(sorted(ABILITIES)))}
                    if ROLES.name in told
                    else {}
                ),
            ),
        )


def _administrators(users: RawTable) -> pl.DataFrame:
    return users.numbered().filter(pl.col("type").is_in(_ADMINISTRATORS))


def _roles(context: Context, raw: RawTable) -> Draft:
    rows = raw.numbered()
    read = [_allowed(row) for row in rows.iter_rows(named=True)]
    facts = pl.DataFrame(
        {
            "abilities": [abilities for abilities, _ in read],
            "data_scope": [scope for _, scope in read],
        },
        schema={"abilities": pl.String, "data_scope": pl.String},
    )
    return Draft(
        table=ENTITLEMENTS,
        raw=raw,
        rows=pl.concat([rows, facts], how="horizontal").select(
            "source_row",
            "abilities",
            "data_scope",
            entitlement_id=_id(context, "role:", "id"),
            native_id="id",
            kind=pl.lit("role"),
            # To manage users, roles and settings is for administrators only.
            is_privileged=pl.lit(value=False),
            **_renamed(raw, {"name": "name"}),
        ),
        headers={"entitlement_id": "id", "native_id": "id"},
    )


def _allowed(role: Mapping[str, Any]) -> tuple[str | None, str]:
    """Return abilities and data scope of a role; null where its rights are not told."""
    rights, fields = _json(role.get("data")), _json(role.get("fieldData")) or {}
    if rights is None or role.get("exportPermission") is None:
        return None, "unknown"
    abilities: set[str] = set()
    if role["exportPermission"] == "yes":
        abilities.add("export")
    if role.get("assignmentPermission") in ("all", "team"):
        abilities.add("transfer")
    if role.get("dataPrivacyPermission") == "yes":
        abilities.add("delete")
    if rights.get("Import") is True:
        abilities.add("import")
    widest = -1
    levels = list(_SCOPES)
    for scope, actions in rights.items():
        if not isinstance(actions, dict):
            continue
        if actions.get("create") in _GRANTED:
            abilities.add("create")
        if actions.get("delete") in _GRANTED:
            abilities.add("delete")
        if actions.get("edit") in _GRANTED and _may_amend(scope, fields):
            abilities.add("amend_amount")
        if actions.get("read") in levels:
            widest = max(widest, levels.index(actions["read"]))
    scope_word = _SCOPES[levels[widest]] if widest >= 0 else "unknown"
    return ",".join(sorted(abilities)), scope_word


def _may_amend(scope: str, fields: Mapping[str, Any]) -> bool:
    """Return whether a role that may edit such records may edit their amount."""
    if scope not in _AMOUNTS:
        return False
    of_scope = fields.get(scope)
    of_field = of_scope.get(_AMOUNTS[scope]) if isinstance(of_scope, dict) else None
    return not (isinstance(of_field, dict) and of_field.get("edit") == "no")


def _json(text: str | None) -> dict[str, Any] | None:
    """Return an object kept as JSON; null where it is not told."""
    if text is None:
        return None
    found = json.loads(text)
    return found if isinstance(found, dict) else {}


def _members(context: Context, told: Told) -> Iterator[Draft]:
    """Yield the roles that teams carry: whoever is in the team holds them."""
    if TEAMS.name not in told or ROLES.name not in told:
        return
    raw = told[TEAMS.name]
    if "rolesIds" in raw.rows.columns:
        yield Draft(
            table=ENTITLEMENT_MEMBERS,
            raw=replace(raw, stated=None),
            rows=_exploded(raw, "rolesIds").select(
                "source_row",
                parent_id=_id(context, "team:", "id"),
                child_id=_id(context, "role:", "rolesIds"),
            ),
            headers={"parent_id": "id", "child_id": "rolesIds"},
        )


def _exploded(raw: RawTable, column: str) -> pl.DataFrame:
    """Return one row for each id in a column of lists."""
    rows = raw.numbered()
    if isinstance(rows.schema[column], pl.List):
        rows = rows.explode(column, empty_as_null=True)
    return rows.drop_nulls(column)


def _grants(context: Context, told: Told) -> Iterator[Draft]:
    """Yield who holds what. What is not told is granted to nobody."""
    users = told[USERS.name]
    derived = replace(users, stated=None)
    for one, kind, column in (
        (ROLES, "role:", "rolesIds"),
        (TEAMS, "team:", "teamsIds"),
    ):
        if one.name in told and column in users.rows.columns:
            yield Draft(
                table=GRANTS,
                raw=derived,
                rows=_exploded(users, column).select(
                    "source_row",
                    account_id=_id(context, "", "id"),
                    entitlement_id=_id(context, kind, column),
                    via=pl.lit("direct"),
                ),
                headers={"account_id": "id", "entitlement_id": column},
            )
    if "type" in users.rows.columns:
        yield Draft(
            table=GRANTS,
            raw=derived,
            rows=_administrators(users).select(
                "source_row",
                account_id=_id(context, "", "id"),
                entitlement_id=pl.lit(f"{context.source}:{_ADMINISTRATOR}"),
                via=pl.lit("rule"),
            ),
        )


# Logs ---------------------------------------------------------------------------------


def _logins(context: Context, told: Told) -> Iterator[Draft]:
    if LOGINS.name not in told:
        return
    raw = told[LOGINS.name]
    columns = _renamed(raw, {"login": "username", "ip": "ipAddress"})
    if "userId" in raw.rows.columns:
        columns["account_id"] = _id(context, "", "userId")
    if "isDenied" in raw.rows.columns:
        columns["outcome"] = pl.col("isDenied").replace(
            {"true": "failure", "false": "success"}
        )
    if "denialReason" in raw.rows.columns:
        columns["failure_reason"] = pl.col("denialReason")
    if "createdAt" in raw.rows.columns:
        columns["at"] = _utc("createdAt")
    yield Draft(
        table=LOGIN_EVENTS,
        raw=raw,
        rows=raw.numbered().select("source_row", **columns),
        headers={"at": "createdAt", "outcome": "isDenied", "account_id": "userId"},
    )


def _deletions(context: Context, told: Told) -> Iterator[Draft]:
    if DELETIONS.name not in told:
        return
    raw = told[DELETIONS.name]
    columns = _renamed(raw, {"action": "action", "object_type": "targetType"})
    if "userId" in raw.rows.columns:
        columns["account_id"] = _id(context, "", "userId")
    if "createdAt" in raw.rows.columns:
        columns["at"] = _utc("createdAt")
    yield Draft(
        table=OPERATIONS,
        raw=raw,
        rows=raw.numbered().select("source_row", **columns),
        headers={"at": "createdAt", "account_id": "userId"},
    )


# Notes --------------------------------------------------------------------------------


def _notes(told: Told, untold: pl.DataFrame) -> Iterator[str]:
    consequences = {one.name: one.untold for one in (ROLES, TEAMS, LOGINS, DELETIONS)}
    consequences |= {
        READER: "whether an administrator reads is unknown",
        SETTINGS: "whether second factors are switched on is unknown",
    }
    for part, reason in untold.iter_rows():
        yield f"{part}: {consequences[part]}; {reason.rstrip('.')}."
    if not _by_administrator(told):
        yield (
            "The reading user is no administrator: EspoCRM leaves out what it may not "
            "see without saying so, and the totals are those of what it sees."
        )
    if _only(told, SETTINGS, "auth2FA") == "false":
        yield (
            "Second factors are switched off for the whole CRM: those that users have "
            "set up are not asked for."
        )
    if ROLES.name in told and "exportPermission" in told[ROLES.name].rows.columns:
        silent = told[ROLES.name].rows.filter(pl.col("exportPermission") == "not-set")
        if silent.height:
            yield (
                f"{silent.height} roles leave exportPermission not set and count as "
                "giving no export; where no other role of the user decides, the "
                "CRM's own default does."
            )


CONNECTOR = Connector(
    name="espocrm",
    title="EspoCRM",
    parameters=EspocrmParameters,
    fetch=fetch,
    normalise=normalise,
)
