"""Salesforce: users, profiles, permission sets, second factors, logins, setup changes.

Live over the REST API, or from a folder of Data Loader exports. A frozen user cannot
log in although ``IsActive`` stays true, so it counts as locked and not enabled.
Verified e-mail addresses and phone numbers and temporary codes are no second factor.

Source: Salesforce Object Reference and REST API Developer Guide.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Self

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
from connectors.salesforce_objects import (
    AUDIT_TRAIL,
    FACTORS,
    LOGIN_PLACES,
    LOGINS,
    OBJECTS,
    UNTOLD,
    USER_LOGINS,
    USERS,
    read_folder,
)
from connectors.salesforce_permissions import (
    Told,
    entitlements,
    grants,
    members,
    read_holders,
    service_users,
    tells_abilities,
)
from connectors.salesforce_rest import by_client, by_token, read_organisation
from connectors.secret_references import SecretReference
from connectors.web import HttpsAddress, WebClient
from governance.schema import ACCOUNTS, LOGIN_EVENTS, OPERATIONS


class SalesforceParameters(connector.Parameters):
    """Keys of a source with ``connector = "salesforce"``: a folder or an address."""

    folder: Path | None = None
    """Folder of Data Loader exports, ``User.csv`` and so on."""
    address: HttpsAddress | None = None
    """The organisation's My Domain: ``https://example.my.salesforce.com``."""
    client_id: str | None = None
    """Consumer key of the connected app."""
    client_secret: SecretReference | None = None
    access_token: SecretReference | None = None
    """Instead of the two above: a session id or access token got elsewhere."""
    ca_file: Path | None = None
    api_version: Annotated[str, Field(pattern=r"^\d{2,3}\.0$")] = "62.0"
    history_days: Annotated[int, Field(ge=1, le=183)] = 183
    """Days of logins and setup changes to read; Salesforce keeps six months."""
    service_profiles: tuple[str, ...] = ()
    """Names of profiles that no person has. API-only users are told without it."""

    @model_validator(mode="after")
    def _is_one_way(self) -> Self:
        if (self.folder is None) == (self.address is None):
            raise PydanticCustomError(
                "gatebook", "name a folder of exports or an address, one of the two"
            )
        by_app = self.client_id is not None and self.client_secret is not None
        if self.address is not None and by_app == (self.access_token is not None):
            raise PydanticCustomError(
                "gatebook",
                "an address needs client_id and client_secret, or access_token",
            )
        return self


def fetch(context: Context) -> RawExport:
    """Read every object of the organisation, or every export in the folder.

    Raises:
        ExtractError: users cannot be read, or an object fails in any way but that the
            user has no right to it. Names the object or file.
    """
    parameters: SalesforceParameters = context.parameters
    base = context.settings.folder
    if parameters.folder is not None:
        return read_folder(base, parameters.folder)
    address = str(parameters.address)
    ca_file = None if parameters.ca_file is None else base / parameters.ca_file
    if parameters.access_token is not None:
        authorise = by_token(base, parameters.access_token)
    else:
        authorise = by_client(
            base,
            address,
            str(parameters.client_id),
            str(parameters.client_secret),
            ca_file,
        )
    with WebClient(address, authorise=authorise, ca_file=ca_file) as client:
        return read_organisation(
            client,
            api_version=parameters.api_version,
            history_days=parameters.history_days,
        )


def normalise(context: Context, export: RawExport) -> Normalised:
    """Put the objects into canonical columns.

    Completeness is ``full`` over the API if every object could be read, as the server
    states how many rows each has; ``scoped`` if one could not; ``unknown`` of files.
    """
    told = {name: raw for name, raw in export.tables.items() if name != UNTOLD}
    holders, by_set = read_holders(told)
    services = service_users(told, holders, by_set, context.parameters.service_profiles)
    drafts = (
        _accounts(context, told, services),
        *entitlements(context, told, holders),
        *members(context, told),
        *grants(context, told, by_set),
        *_logins(context, told),
        *_setup_changes(context, told),
    )
    untold = export.tables[UNTOLD].rows
    is_live = export.method == "API"
    known = "scoped" if untold.height else "full"
    return Normalised(
        drafts=drafts,
        completeness=known if is_live else "unknown",
        notes=tuple(_notes(told, untold)),
    )


# Users --------------------------------------------------------------------------------

_ACCOUNT_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "native_id": "Id",
        "login": "Username",
        "email": "Email",
        "phone": "MobilePhone",
        "employee_number": "EmployeeNumber",
        "directory_id": "FederationIdentifier",
        "department_name": "Department",
        "job_title": "Title",
        "created_at": "CreatedDate",
        "last_login_at": "LastLoginDate",
        "password_changed_at": "LastPasswordChangeDate",
    }
)
_ACCOUNT_TYPES = {
    "Standard": "person",
    "CsnOnly": "person",
    "Guest": "guest",
    "SelfService": "guest",
    "PowerPartner": "guest",
    "CustomerSuccess": "guest",
    "PowerCustomerSuccess": "guest",
    "CspLitePortal": "guest",
    "AutomatedProcess": "builtin",
    "CloudIntegrationUser": "builtin",
}
"""CsnOnly is Chatter Free: a colleague without a licence. Others are unknown."""


def _accounts(context: Context, told: Told, services: list[str]) -> Draft:
    """``LastLoginDate`` is written on success only, so null is never logged in."""
    users = told[USERS.name]
    rows = users.numbered()
    names = rows.columns
    columns = {"account_id": pl.format(f"{context.source}:{{}}", "Id")} | {
        canonical: pl.col(own)
        for canonical, own in _ACCOUNT_COLUMNS.items()
        if own in names
    }
    if display_name := _display_name(names):
        columns["display_name"] = pl.coalesce(display_name)
    if "LastLoginDate" in names:
        columns["last_login_basis"] = pl.lit("success")
        columns["never_logged_in"] = pl.col("LastLoginDate").is_null()
    if "UserType" in names:
        kind = pl.col("UserType").replace_strict(
            _ACCOUNT_TYPES, default=None, return_dtype=pl.String
        )
        is_service = (kind == "person") & pl.col("Id").is_in(services)
        columns["account_type"] = (
            pl.when(is_service).then(pl.lit("service")).otherwise(kind)
        )
    columns["is_enabled"] = pl.col("IsActive")
    if (states := _login_states(told)) is not None:
        rows = rows.join(states, on="Id", how="left", maintain_order="left")
        columns["is_enabled"] = (
            pl.when(pl.col("IsFrozen")).then(pl.lit("false")).otherwise("IsActive")
        )
        columns["is_locked"] = pl.col("is_locked")
    if (factors := _second_factors(told)) is not None:
        rows = rows.join(factors, on="Id", how="left", maintain_order="left")
        absent = "disabled" if _is_whole(told[FACTORS.name]) else "unknown"
        columns["mfa_state"] = pl.col("mfa_state").fill_null(absent)
        columns["mfa_methods"] = pl.col("mfa_methods")
    return Draft(
        table=ACCOUNTS,
        raw=users,
        rows=rows.select("source_row", **columns),
        headers={
            **_ACCOUNT_COLUMNS,
            "account_id": "Id",
            "is_enabled": "IsActive",
            "account_type": "UserType",
        },
    )


def _display_name(names: list[str]) -> list[pl.Expr]:
    """Return the name, or its two parts joined where an export has only these."""
    found = [pl.col("Name")] if "Name" in names else []
    if parts := [name for name in ("FirstName", "LastName") if name in names]:
        joined = pl.concat_str(parts, separator=" ", ignore_nulls=True)
        found.append(pl.when(joined != "").then(joined))
    return found


def _login_states(told: Told) -> pl.DataFrame | None:
    """Return by user whether it is frozen, and whether that or a lock-out holds."""
    if USER_LOGINS.name not in told:
        return None
    rows = told[USER_LOGINS.name].rows
    flags = [name for name in ("IsFrozen", "IsPasswordLocked") if name in rows.columns]
    states = (
        rows.drop_nulls("UserId")
        .group_by("UserId")
        .agg((pl.col(flags) == "true").any())
    )
    return states.select(
        pl.col("UserId").alias("Id"), "IsFrozen", is_locked=pl.any_horizontal(flags)
    )


_FACTORS: Mapping[str, str] = MappingProxyType(
    {
        "HasTotp": "totp",
        "HasU2F": "u2f",
        "HasSecurityKey": "security_key",
        "HasBuiltInAuthenticator": "built_in_authenticator",
        "HasSalesforceAuthenticator": "salesforce_authenticator",
    }
)


def _second_factors(told: Told) -> pl.DataFrame | None:
    """Return by user ``mfa_state`` and ``mfa_methods``; none if not told at all.

    A user is only said to have no factor where every kind of factor is told.
    """
    if FACTORS.name not in told:
        return None
    rows = told[FACTORS.name].rows.drop_nulls("UserId")
    known = [name for name in _FACTORS if name in rows.columns]
    if not known:
        return None
    has_all = len(known) == len(_FACTORS)
    found = rows.group_by("UserId").agg(
        (pl.col(known) == "true").any(),
        all_told=pl.all_horizontal(pl.col(known).is_not_null()).all(),
    )
    methods = pl.concat_list(
        pl.when(name).then(pl.lit(_FACTORS[name])) for name in known
    ).list.drop_nulls()
    return found.select(
        pl.col("UserId").alias("Id"),
        mfa_state=pl.when(pl.any_horizontal(known))
        .then(pl.lit("enabled"))
        .when(pl.lit(has_all) & pl.col("all_told"))
        .then(pl.lit("disabled"))
        .otherwise(pl.lit("unknown")),
        mfa_methods=methods.list.join(","),
    )


def _is_whole(raw: RawTable) -> bool:
    """Return whether the source stated a total and gave that many rows."""
    return raw.stated == raw.rows.height


# Logs ---------------------------------------------------------------------------------

_SUCCESS = "Success"


def _logins(context: Context, told: Told) -> Iterator[Draft]:
    """Yield the logins; every status but success is the reason of a failure."""
    if LOGINS.name not in told:
        return
    raw = told[LOGINS.name]
    rows = _with_logins(raw.numbered(), told, "UserId")
    status = pl.col("Status")
    columns = {
        "account_id": pl.format(f"{context.source}:{{}}", "UserId"),
        "login": pl.col("login"),
        "at": pl.col("LoginTime"),
        "outcome": pl.when(status == _SUCCESS)
        .then(pl.lit("success"))
        .when(status.is_not_null())
        .then(pl.lit("failure")),
        "failure_reason": pl.when(status != _SUCCESS).then(
            status.str.replace(r"^Failed:\s*", "")
        ),
    } | {
        canonical: pl.col(own)
        for canonical, own in _LOGIN_COLUMNS.items()
        if own in rows.columns
    }
    if LOGIN_PLACES.name in told and {"LoginGeoId"} <= set(rows.columns):
        places = told[LOGIN_PLACES.name].rows
        if "City" in places.columns:
            rows = rows.join(
                places.select(LoginGeoId="Id", city="City").unique("LoginGeoId"),
                on="LoginGeoId",
                how="left",
                maintain_order="left",
            )
            columns["city"] = pl.col("city")
    yield Draft(
        table=LOGIN_EVENTS,
        raw=raw,
        rows=rows.select("source_row", **columns),
        headers={**_LOGIN_COLUMNS, "account_id": "UserId", "at": "LoginTime"},
    )


_LOGIN_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "ip": "SourceIp",
        "country": "CountryIso",
        "device": "Platform",
        "user_agent": "Browser",
    }
)


def _with_logins(rows: pl.DataFrame, told: Told, column: str) -> pl.DataFrame:
    """Add ``login``, the name that the user of a log's row logs in with."""
    users = told[USERS.name].rows.select("Id", "Username").drop_nulls("Id")
    names = users.unique("Id").rename({"Id": column, "Username": "login"})
    return rows.join(names, on=column, how="left", maintain_order="left")


def _setup_changes(context: Context, told: Told) -> Iterator[Draft]:
    """Yield changes of the setup, named as Salesforce names them."""
    if AUDIT_TRAIL.name not in told:
        return
    raw = told[AUDIT_TRAIL.name]
    rows = raw.numbered()
    columns = {"at": pl.col("CreatedDate"), "action": pl.col("Action")}
    if "CreatedById" in rows.columns:
        rows = _with_logins(rows, told, "CreatedById")
        columns["account_id"] = pl.format(f"{context.source}:{{}}", "CreatedById")
        columns["login"] = pl.col("login")
    if "Section" in rows.columns:
        columns["object_type"] = pl.col("Section")
    yield Draft(
        table=OPERATIONS,
        raw=raw,
        rows=rows.select("source_row", **columns),
        headers={"at": "CreatedDate", "action": "Action", "account_id": "CreatedById"},
    )


# Notes --------------------------------------------------------------------------------


def _notes(told: Told, untold: pl.DataFrame) -> Iterator[str]:
    """Say what is not told, and what could be taken for something else."""
    consequences = {one.name: one.untold for one in OBJECTS}
    for part, reason in untold.iter_rows():
        yield f"{part}: {consequences[part]}; {reason.rstrip('.')}."
    if (states := _login_states(told)) is not None:
        frozen = told[USERS.name].rows.join(states.filter("IsFrozen"), on="Id")
        if count := frozen.filter(pl.col("IsActive") == "true").height:
            yield (
                f"{count} users are frozen: they cannot log in and count as disabled, "
                "though Salesforce still calls them active and bills their licences."
            )
    if FACTORS.name in told:
        yield (
            "A factor asked for by a single sign-on provider is not seen here; compare "
            "with that directory before acting on users who only sign in through it."
        )
        if not _is_whole(told[FACTORS.name]):
            yield (
                "TwoFactorMethodsInfo states no total, so that a user who is missing "
                "from it is unknown and not without a factor."
            )
    if not tells_abilities(told):
        yield (
            "What users can do is unknown: permission sets and who holds them must be "
            "read as well as profiles."
        )


CONNECTOR = Connector(
    name="salesforce",
    title="Salesforce",
    parameters=SalesforceParameters,
    fetch=fetch,
    normalise=normalise,
)
