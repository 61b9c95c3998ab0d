"""OpenLDAP and Active Directory: live over LDAPS or StartTLS, or from LDIF and csvde.

Reports accounts, groups, what groups nest in others, and who is in them. An attribute
that no entry bears is a fact not told. LDAP has no proof that all entries were shown:
an access rule hides one without a word, so completeness is ``unknown`` unless a file of
``ldapsearch`` states how many there are.

A directory tells neither second factors nor when somebody joined a group; so none of
these is claimed.

Source: RFC 4511 to 4519; [MS-ADTS]; draft-behera-ldap-password-policy.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self

import polars as pl
from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from connectors import connector
from connectors.connector import (
    Connector,
    Context,
    Normalised,
    RawExport,
)
from connectors.ldap_accounts import accounts
from connectors.ldap_attributes import GROUPS, USERS, WANTED
from connectors.ldap_directory import Directory, problem_of_url, read_directory
from connectors.ldap_entries import REPORT
from connectors.ldap_files import read_files
from connectors.ldap_groups import groups_and_members
from connectors.ldap_people import people
from connectors.ldap_values import columns_of, with_columns_of
from connectors.secret_references import SecretReference, read_secret
from governance.schema import ExtractError


class Parameters(connector.Parameters):
    """Keys of a source with ``connector = "ldap"``."""

    kind: Literal["active_directory", "openldap"]
    """Which attributes are asked for, and what counts as a user."""
    url: str | None = None
    """``ldaps://host[:port]``, or ``ldap://`` with ``start_tls``; or name ``files``."""
    start_tls: bool = False
    ca_file: Path | None = None
    """Certificate of the CA to trust, PEM; those of the system if not set."""
    bind_dn: str | None = None
    """Account that reads; a plain one that may read suffices. Anonymous if not set."""
    password: SecretReference | None = None
    base: str | None = None
    """DN below which everything is read; of files, what they cover."""
    user_filter: str | None = None
    group_filter: str | None = None
    page_size: int = Field(default=500, ge=1, le=10_000)
    files: tuple[Path, ...] = ()
    """LDIF (.ldif, .ldf) or csvde (.csv) files, relative to gatebook.toml."""
    people: bool = False
    """Deliver the persons as identities too, for a house without an HR source."""
    departments: Literal["attribute", "unit"] = "attribute"
    """Where a person's department stands: in an attribute, or in the OU of the DN."""
    placeholder_members: tuple[str, ...] = ()
    """DNs that stand in groups only because a group must have a member."""
    service_accounts: str | None = None
    """Pattern of the logins that no person signs in with. Without it every entry of a
    class of persons is a person: a name is not enough to guess from."""

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
    def _is_one_way(self) -> Self:
        if (self.url is None) == (not self.files):
            raise PydanticCustomError(
                "gatebook", "name either url or files, exactly one of the two"
            )
        if self.url is not None:
            self._check_live(self.url)
        elif live := [
            name
            for name in (
                "bind_dn",
                "password",
                "ca_file",
                "user_filter",
                "group_filter",
            )
            if getattr(self, name) is not None
        ]:
            raise PydanticCustomError(
                "gatebook", f"{live[0]} is for url; files hold what was exported"
            )
        return self

    def _check_live(self, url: str) -> None:
        if problem := problem_of_url(url, start_tls=self.start_tls):
            raise PydanticCustomError("gatebook", f"url {problem}")
        if not self.base:
            raise PydanticCustomError(
                "gatebook", "url needs base, such as dc=example,dc=com"
            )
        if (self.bind_dn is None) != (self.password is None):
            raise PydanticCustomError(
                "gatebook", "bind_dn and password go together; name both or neither"
            )


def fetch(context: Context) -> RawExport:
    """Read every entry that the parameters name.

    Raises:
        ExtractError: a file is missing, cut off or holds passwords; or the server
            cannot be reached or trusted, refuses the account, or goes away half-way.
    """
    parameters: Parameters = context.parameters
    wanted = WANTED[parameters.kind]
    base = context.settings.folder
    if parameters.url is None:
        return read_files(base, parameters.files, wanted)
    password = parameters.password
    return read_directory(
        Directory(
            url=parameters.url,
            start_tls=parameters.start_tls,
            ca_file=None if parameters.ca_file is None else base / parameters.ca_file,
            bind_dn=parameters.bind_dn,
            password=None if password is None else read_secret(base, password),
            base=parameters.base or "",
            page_size=parameters.page_size,
            filters={
                USERS: parameters.user_filter or wanted[USERS].filter,
                GROUPS: parameters.group_filter or wanted[GROUPS].filter,
            },
        ),
        wanted,
    )


def normalise(context: Context, export: RawExport) -> Normalised:
    """Turn entries into canonical tables.

    Completeness is ``scoped`` if a search was cut off or a file holds fewer entries
    than it states, ``full`` if every file holds as many as it states, else ``unknown``.

    Raises:
        ExtractError: there is not one user.
    """
    raws = [raw for raw in export.tables.values() if raw.name == USERS]
    told = columns_of(raws)
    users = [(raw, with_columns_of(raw, told)) for raw in raws if raw.rows.height]
    if not users:
        raise ExtractError(
            f"{', '.join(raw.file for raw in raws)}: shows not one user; export with "
            "objectClass, mend base and user_filter, or let the account read users"
        )
    held = groups_and_members(context, export, users, told)
    drafts = [*(accounts(context, raw, rows, told) for raw, rows in users)]
    drafts += held.drafts
    if context.parameters.people:
        for raw, rows in users:
            drafts += people(context, raw, rows, told, held.users)
    state, notes = _completeness(export)
    return Normalised(
        drafts=tuple(drafts),
        completeness=state,
        notes=(
            *notes,
            *_remarks(told, context.parameters.service_accounts),
            *held.notes,
        ),
    )


def _completeness(export: RawExport) -> tuple[str, list[str]]:
    """Return how complete the reading is, and what it met."""
    rows = next(raw.rows for raw in export.tables.values() if raw.name == REPORT)
    states = set(rows["state"].drop_nulls())
    order = ("scoped", "unknown", "full")
    state = next((one for one in order if one in states), "unknown")
    return state, rows["note"].drop_nulls().to_list()


_UNTOLD: tuple[tuple[frozenset[str], str], ...] = (
    (
        frozenset({"userAccountControl", "nsAccountLock", "pwdAccountLockedTime"}),
        "users: no entry says whether it is disabled; is_enabled is not told.",
    ),
    (
        frozenset(
            {"lastLogonTimestamp", "lastLogon", "pwdLastSuccess", "lastLoginTime"}
        ),
        "users: no entry bears the time of a login; last logins are not told.",
    ),
)


def _remarks(told: frozenset[str], service_accounts: str | None) -> Iterator[str]:
    """Yield what this directory cannot tell, or tells with a catch."""
    yield (
        "LDAP proves no completeness: what an access rule hides is missing without a "
        "word; compare the number of accounts with the administrators'."
    )
    yield "A directory keeps no second factors and no date of a membership."
    if service_accounts is None:
        yield (
            "A directory tells no service's account from a person's, but for those it "
            "manages itself; name the others with service_accounts."
        )
    for attributes, sentence in _UNTOLD:
        if told.isdisjoint(attributes):
            yield sentence
    if "lastLogonTimestamp" in told:
        yield (
            "lastLogonTimestamp reaches every domain controller up to 14 days late; a "
            "last login may be that much later than told."
        )
    elif "lastLogon" in told:
        yield (
            "lastLogon is kept by each domain controller for itself; a later login at "
            "another one is not told."
        )
    if "userAccountControl" not in told and "pwdAccountLockedTime" in told:
        yield (
            "pwdAccountLockedTime stands only on locked accounts; those without it are "
            "taken as in force, and a lock that ends by itself may have run out."
        )
    if "lockoutTime" in told and "msDS-User-Account-Control-Computed" not in told:
        yield (
            "lockoutTime stays after a lock has run out; is_locked may be true longer "
            "than it is."
        )


CONNECTOR = Connector(
    name="ldap",
    title="LDAP",
    parameters=Parameters,
    fetch=fetch,
    normalise=normalise,
)
