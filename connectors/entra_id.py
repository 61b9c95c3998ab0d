"""Microsoft Entra ID, asked live or from saved pages of Microsoft Graph.

Reports users, directory roles, groups, second factors and sign-ins. Only ``users`` must
be there; a list that is not saved, or may not be read, is a fact not told: without
``userRegistrationDetails`` every second factor is ``unknown``, never ``disabled``.

Graph tells no shared mailbox from a person's, dates of a role assignment only where its
schedules are read, and nothing of what a group may do in other systems; so none of
these is claimed.

Source: Microsoft Graph v1.0, resource types as in ``connectors.graph_lists``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import polars as pl
from pydantic import field_validator, model_validator

from connectors import graph_pages
from connectors.connector import (
    Connector,
    Context,
    Draft,
    Normalised,
    RawExport,
    RawTable,
)
from connectors.entra_holdings import groups, held_by_principals, roles
from connectors.entra_live import TenantParameters, read_tenant
from connectors.graph_lists import (
    GRAPH_LISTS,
    GROUP_MEMBERS,
    GROUPS,
    REGISTRATIONS,
    SIGN_INS,
    USERS,
)
from connectors.graph_notes import completeness, remarks
from connectors.graph_rows import (
    Known,
    Told,
    identifier,
    instant,
    read_told,
    renamed,
    time_told,
)
from governance.schema import (
    ACCOUNTS,
    DEPARTMENTS,
    IDENTITIES,
    LOGIN_EVENTS,
)

_NOBODY = "00000000-0000-0000-0000-000000000000"
"""Id that Graph writes where a sign-in named no user of the tenant."""


class Parameters(TenantParameters):
    """Keys of a source with ``connector = "entra_id"``."""

    folder: Path | None = None
    """Where pages are saved, relative to gatebook.toml; or ``tenant`` to ask live."""
    people: bool = False
    """Deliver the users as identities too, for a house without an HR source."""
    service_accounts: str | None = None
    """Pattern of the userPrincipalName of accounts no person signs in with. Without it
    every member is a person: a name is not enough to guess from."""

    @model_validator(mode="after")
    def _has_one_origin(self) -> "Parameters":
        if (self.folder is None) == (self.tenant is None):
            raise ValueError("name either folder, of saved pages, or tenant, to ask it")
        return self

    @field_validator("service_accounts")
    @classmethod
    def _is_pattern(cls, told: str | None) -> str | None:
        if told is not None:
            try:
                pl.Series([""]).str.contains(told)
            except pl.exceptions.ComputeError as error:
                raise ValueError(f"'{told}' is not a regular expression") from error
        return told


def fetch(context: Context) -> RawExport:
    """Read every saved page, or ask the tenant.

    Raises:
        ExtractError: the folder or the pages of ``users`` are missing, or a page is
            empty, cut off, an error of Graph or of another shape; or the tenant refuses
            us, its users, or fails. Names the file or the endpoint.
    """
    folder = context.parameters.folder
    if folder is None:
        return read_tenant(context)
    return graph_pages.read_folder(context.settings.folder, folder, GRAPH_LISTS)


def normalise(context: Context, export: RawExport) -> Normalised:
    """Turn pages into canonical tables.

    Completeness is ``full`` if every list that is there was saved to its last page and
    meets the total it states, ``scoped`` if pages are missing, and ``unknown`` if the
    pages cannot tell.
    """
    told = {one.name: read_told(export, one.name) for one in GRAPH_LISTS}
    told[GROUP_MEMBERS] = read_told(export, GROUP_MEMBERS)
    known = Known(told)
    drafts = [
        *_accounts(context, told),
        *roles(context, told),
        *groups(context, told[GROUPS.name]),
        *held_by_principals(context, told, known),
        *_sign_ins(context, told[SIGN_INS.name]),
    ]
    if context.parameters.people:
        drafts += _people(context, told[USERS.name], export.extracted_at)
    state, notes = completeness(export, told)
    return Normalised(
        drafts=tuple(drafts),
        completeness=state,
        notes=(*notes, *remarks(told, known)),
    )


# Users --------------------------------------------------------------------------------

_ACCOUNT_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "native_id": "id",
        "login": "userPrincipalName",
        "display_name": "displayName",
        "email": "mail",
        "phone": "mobilePhone",
        "employee_number": "employeeId",
        "directory_id": "id",
        "department_name": "department",
        "job_title": "jobTitle",
        "is_enabled": "accountEnabled",
        "created_at": "createdDateTime",
        "password_changed_at": "lastPasswordChangeDateTime",
    }
)


def _accounts(context: Context, told: Mapping[str, Told]) -> Iterator[Draft]:
    """Yield the accounts of each page of users."""
    users = told[USERS.name]
    columns = {"account_id": identifier(context, "", "id")} | renamed(
        users, _ACCOUNT_COLUMNS
    )
    for name in ("created_at", "password_changed_at"):
        if name in columns:
            columns[name] = time_told(users, _ACCOUNT_COLUMNS[name])
    columns["account_type"] = _account_type(context, users)
    if "signInActivity" in users.columns:
        columns |= _last_use(users)
    factors = _second_factors(told[REGISTRATIONS.name])
    for raw, rows in users.pages:
        page = rows
        if factors is not None:
            page = rows.join(factors, on="id", how="left", maintain_order="left")
            columns |= {
                "mfa_state": pl.col("mfa_state").fill_null("unknown"),
                "mfa_methods": pl.col("mfa_methods"),
            }
        yield Draft(
            table=ACCOUNTS,
            raw=raw,
            rows=page.select("source_row", **columns),
            headers=dict(_ACCOUNT_COLUMNS) | {"account_id": "id"},
        )


def _account_type(context: Context, users: Told) -> pl.Expr:
    """Return guest, person, or service where the operator's pattern says so."""
    # A null userType is a member of the days before guests; no userType is no answer.
    kind = pl.lit("unknown")
    if "userType" in users.columns:
        is_guest = (pl.col("userType").str.to_lowercase() == "guest").fill_null(
            value=False
        )
        kind = pl.when(is_guest).then(pl.lit("guest")).otherwise(pl.lit("person"))
    pattern = context.parameters.service_accounts
    if pattern is None or "userPrincipalName" not in users.columns:
        return kind
    is_service = pl.col("userPrincipalName").str.contains(f"(?i){pattern}")
    return pl.when(is_service).then(pl.lit("service")).otherwise(kind)


def _last_use(users: Told) -> dict[str, pl.Expr]:
    """Return last login, what it is based on, and whether there never was one.

    Only ``lastSuccessfulSignInDateTime`` is a success. The other two are attempts,
    failed ones included, and stand in where no success is told. Never is only said of
    a user whose ``signInActivity`` is there and holds no time.
    """
    activity = "signInActivity/last{}SignInDateTime"
    success = time_told(users, activity.format("Successful"))
    interactive = time_told(users, activity.format(""))
    silent = time_told(users, activity.format("NonInteractive"))
    newest = (
        pl.when(instant(silent) > instant(interactive))
        .then(silent)
        .otherwise(pl.coalesce(interactive, silent))
    )
    last = pl.coalesce(success, newest)
    has_times = pl.col("signInActivity").is_not_null() & (
        pl.col("signInActivity") != "{}"
    )
    return {
        "last_login_at": last,
        "last_login_basis": pl.when(success.is_not_null())
        .then(pl.lit("success"))
        .when(newest.is_not_null())
        .then(pl.lit("attempt"))
        .otherwise(pl.lit("unknown")),
        "never_logged_in": pl.when(has_times).then(last.is_null()),
    }


def _second_factors(registrations: Told) -> pl.DataFrame | None:
    """Return ``mfa_state`` and ``mfa_methods`` by user id; none if not told at all.

    A registered method that policy does not allow protects nobody: registered but not
    capable is disabled. Two rows that differ about one user leave it unknown.
    """
    if not registrations.pages:
        return None
    is_registered = registrations.column("isMfaRegistered") == "true"
    is_capable = registrations.column("isMfaCapable")
    state = (
        pl.when(~is_registered | (is_capable == "false"))
        .then(pl.lit("disabled"))
        .when(is_registered & (is_capable == "true"))
        .then(pl.lit("enabled"))
        .otherwise(pl.lit("unknown"))
    )
    methods = (
        pl.col("methodsRegistered").list.drop_nulls().list.sort().list.join(",")
        if "methodsRegistered" in registrations.columns
        else pl.lit(None, pl.String)
    )
    rows = registrations.rows.select("id", state=state, methods=methods)
    return (
        rows.drop_nulls("id")
        .group_by("id", maintain_order=True)
        .agg(
            mfa_state=pl.when(pl.col("state").n_unique() == 1)
            .then(pl.col("state").first())
            .otherwise(pl.lit("unknown")),
            mfa_methods=pl.col("methods").first(),
        )
    )


# Sign-ins -----------------------------------------------------------------------------


_EVENT_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "login": "userPrincipalName",
        "at": "createdDateTime",
        "ip": "ipAddress",
        "country": "location/countryOrRegion",
        "city": "location/city",
        "is_interactive": "isInteractive",
    }
)


def _sign_ins(context: Context, sign_ins: Told) -> Iterator[Draft]:
    """Yield sign-ins. Error code 0 is a success; none at all is unknown."""
    code = sign_ins.column("status/errorCode")
    columns = renamed(sign_ins, _EVENT_COLUMNS) | {
        "account_id": identifier(context, "", "principal_id"),
        "device": _first_word(
            sign_ins,
            "deviceDetail/displayName",
            ("deviceDetail/operatingSystem", "deviceDetail/browser"),
        ),
        "user_agent": _first_word(sign_ins, "userAgent", "clientAppUsed"),
        "outcome": pl.when(code == "0")
        .then(pl.lit("success"))
        .when(code.is_not_null())
        .then(pl.lit("failure"))
        .otherwise(pl.lit("unknown")),
        "failure_reason": pl.when(code != "0").then(
            pl.coalesce(_first_word(sign_ins, "status/failureReason"), code)
        ),
    }
    principal = _first_word(sign_ins, "userId", "servicePrincipalId")
    for raw, rows in sign_ins.pages:
        yield Draft(
            table=LOGIN_EVENTS,
            raw=raw,
            rows=rows.with_columns(principal_id=principal).select(
                "source_row", **columns
            ),
            headers=_EVENT_COLUMNS,
        )


def _first_word(told: Told, *names: str | tuple[str, ...]) -> pl.Expr:
    """Return the first property that says anything, or several of them joined."""
    said: list[pl.Expr] = []
    for name in names:
        parts = (name,) if isinstance(name, str) else name
        words = [told.column(part).replace({"": None, _NOBODY: None}) for part in parts]
        joined = pl.concat_str(words, separator=" / ", ignore_nulls=True)
        said.append(pl.when(joined != "").then(joined))
    return pl.coalesce(said)


# People -------------------------------------------------------------------------------

_EMPLOYMENT_TYPES = ("employee", "contractor", "intern", "vendor")


def _people(context: Context, users: Told, extracted_at: datetime) -> Iterator[Draft]:
    """Yield members as identities and their departments, by name.

    Guests and service accounts are nobody who works here. A directory knows that
    somebody leaves, from ``employeeLeaveDateTime``, and cannot tell that all others
    stay: their status is unknown.
    """
    columns = renamed(
        users,
        {
            "employee_number": "employeeId",
            "directory_id": "id",
            "display_name": "displayName",
            "email": "mail",
            "phone": "mobilePhone",
            "job_title": "jobTitle",
        },
    )
    if "department" in users.columns:
        columns["department_id"] = identifier(context, "department:", "department")
    if "manager/id" in users.columns:
        columns["manager_id"] = identifier(context, "", "manager/id")
    if "employeeType" in users.columns:
        kind = pl.col("employeeType").str.to_lowercase()
        columns["employment_type"] = pl.when(kind.is_in(_EMPLOYMENT_TYPES)).then(kind)
    if "employeeHireDate" in users.columns:
        columns["start_date"] = _day(context, users, "employeeHireDate")
    if "employeeLeaveDateTime" in users.columns:
        leaves = instant(time_told(users, "employeeLeaveDateTime"))
        columns["end_date"] = _day(context, users, "employeeLeaveDateTime")
        columns["employment_status"] = (
            pl.when(leaves <= extracted_at)
            .then(pl.lit("left"))
            .when(leaves > extracted_at)
            .then(pl.lit("notice"))
        )
    is_person = _account_type(context, users).is_in(["person", "unknown"])
    for raw, rows in users.pages:
        page = rows.filter(is_person)
        derived = replace(raw, stated=None)
        yield Draft(
            table=IDENTITIES,
            raw=derived,
            rows=page.select(
                "source_row", identity_id=identifier(context, "", "id"), **columns
            ),
            headers={"identity_id": "id"},
        )
        if "department" in users.columns:
            yield _departments(context, derived, page)


def _departments(context: Context, raw: RawTable, page: pl.DataFrame) -> Draft:
    named = page.filter(pl.col("department").str.strip_chars() != "")
    return Draft(
        table=DEPARTMENTS,
        raw=raw,
        rows=named.unique("department", keep="first", maintain_order=True).select(
            "source_row",
            department_id=identifier(context, "department:", "department"),
            name="department",
        ),
    )


def _day(context: Context, users: Told, column: str) -> pl.Expr:
    """Return the day of a time where the installation is; unreadable text stays."""
    text = time_told(users, column)
    local = instant(text).dt.convert_time_zone(context.settings.time_zone)
    return pl.coalesce(local.dt.strftime("%Y-%m-%d"), text)


CONNECTOR = Connector(
    name="entra_id",
    title="Microsoft Entra ID",
    parameters=Parameters,
    fetch=fetch,
    normalise=normalise,
)
