"""The Salesforce objects that ``salesforce`` reads, and what is read of each.

Not a connector. Which fields are asked for is all here, so that whoever makes the Data
Loader exports knows what to put into them.

Source: Salesforce Object Reference; a live organisation's own ``describe`` decides
    which of these fields it has.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import polars as pl

from connectors.connector import RawExport, RawTable
from connectors.files import read_table
from governance.schema import ExtractError

UNTOLD = "untold"
"""Name of the raw table that holds, for each object not read, its name and why."""


@dataclass(frozen=True, kw_only=True)
class SalesforceObject:
    """One object and the fields read of it."""

    name: str
    """As Salesforce calls it, and its export: ``User``, ``User.csv``."""
    columns: tuple[str, ...]
    needed: tuple[str, ...]
    """Fields without which nothing could be said about any row."""
    untold: str
    """What nobody can tell without it, for the note."""
    required: bool = False
    timed_by: str | None = None
    """Field by which only the days asked for are read; null: the whole object."""


ABILITY_FLAGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "PermissionsModifyAllData": ("administer", "delete", "transfer"),
        "PermissionsManageUsers": ("administer", "security"),
        "PermissionsManageInternalUsers": ("administer", "security"),
        "PermissionsManageProfilesPermissionsets": ("administer", "security"),
        "PermissionsAssignPermissionSets": ("administer", "security"),
        "PermissionsManageRoles": ("administer",),
        "PermissionsManageSharing": ("administer", "security"),
        "PermissionsCustomizeApplication": ("administer",),
        "PermissionsAuthorApex": ("administer",),
        "PermissionsResetPasswords": ("security",),
        "PermissionsManagePasswordPolicies": ("security",),
        "PermissionsManageLoginAccessPolicies": ("security",),
        "PermissionsManageAuthProviders": ("security",),
        "PermissionsManageIpAddresses": ("security",),
        "PermissionsManageEncryptionKeys": ("security",),
        "PermissionsManageRemoteAccess": ("security",),
        "PermissionsTwoFactorApi": ("security",),
        "PermissionsExportReport": ("export",),
        "PermissionsDataExport": ("export",),
        "PermissionsBulkApiHardDelete": ("delete",),
        "PermissionsDeleteActivatedContract": ("delete",),
        "PermissionsTransferAnyEntity": ("transfer",),
        "PermissionsTransferAnyLead": ("transfer",),
        "PermissionsTransferAnyCase": ("transfer",),
        "PermissionsUseTeamReassignWizards": ("transfer",),
        "PermissionsImportLeads": ("import",),
        "PermissionsEditOppLineItemUnitPrice": ("amend_amount",),
        "PermissionsEditActivatedOrders": ("amend_amount",),
        "PermissionsActivateContract": ("approve",),
        "PermissionsActivateOrder": ("approve",),
    }
)
"""What a permission of a profile or permission set lets its holder do.

``PermissionsTwoFactorApi`` is to manage second factors over the API.
"""
ALL_RECORDS_FLAGS = ("PermissionsModifyAllData", "PermissionsViewAllData")
SERVICE_FLAG = "PermissionsApiUserOnly"
CORE_FLAGS = (
    "PermissionsModifyAllData",
    "PermissionsManageUsers",
    "PermissionsCustomizeApplication",
    "PermissionsAuthorApex",
    "PermissionsExportReport",
    "PermissionsDataExport",
)
"""Flags without all of which no list of abilities is told: it could lack export."""
_FLAGS = tuple(dict.fromkeys((*ABILITY_FLAGS, *ALL_RECORDS_FLAGS, SERVICE_FLAG)))

USERS = SalesforceObject(
    name="User",
    columns=(
        "Id",
        "Username",
        "Name",
        "FirstName",
        "LastName",
        "Email",
        "MobilePhone",
        "EmployeeNumber",
        "FederationIdentifier",
        "Department",
        "Title",
        "UserType",
        "IsActive",
        "ProfileId",
        "UserRoleId",
        "CreatedDate",
        "LastLoginDate",
        "LastPasswordChangeDate",
    ),
    needed=("Id", "Username", "IsActive"),
    untold="nothing can be told",
    required=True,
)
USER_LOGINS = SalesforceObject(
    name="UserLogin",
    columns=("UserId", "IsFrozen", "IsPasswordLocked"),
    needed=("UserId", "IsFrozen"),
    untold="which users are frozen is unknown, so a frozen user counts as enabled",
)
PROFILES = SalesforceObject(
    name="Profile",
    columns=("Id", "Name", "Description", *_FLAGS),
    needed=("Id",),
    untold="profiles have no names",
)
PERMISSION_SETS = SalesforceObject(
    name="PermissionSet",
    columns=(
        "Id",
        "Name",
        "Label",
        "Description",
        "IsOwnedByProfile",
        "ProfileId",
        "PermissionSetGroupId",
        *_FLAGS,
    ),
    needed=("Id", "IsOwnedByProfile"),
    untold="permission sets and who holds them are unknown",
)
ASSIGNMENTS = SalesforceObject(
    name="PermissionSetAssignment",
    columns=("PermissionSetId", "PermissionSetGroupId", "AssigneeId", "ExpirationDate"),
    needed=("PermissionSetId", "AssigneeId"),
    untold="who holds permission sets is unknown",
)
GROUPS = SalesforceObject(
    name="PermissionSetGroup",
    columns=("Id", "DeveloperName", "MasterLabel", "Description"),
    needed=("Id",),
    untold="permission set groups have no names",
)
GROUP_COMPONENTS = SalesforceObject(
    name="PermissionSetGroupComponent",
    columns=("PermissionSetGroupId", "PermissionSetId"),
    needed=("PermissionSetGroupId", "PermissionSetId"),
    untold="which permission sets a group is made of is unknown",
)
OBJECT_PERMISSIONS = SalesforceObject(
    name="ObjectPermissions",
    columns=(
        "ParentId",
        "SobjectType",
        "PermissionsCreate",
        "PermissionsDelete",
        "PermissionsModifyAllRecords",
    ),
    needed=("ParentId", "PermissionsDelete"),
    untold="rights to create and delete records of one object are unknown",
)
ROLES = SalesforceObject(
    name="UserRole",
    columns=("Id", "Name", "RollupDescription"),
    needed=("Id",),
    untold="roles of the hierarchy are unknown",
)
FACTORS = SalesforceObject(
    name="TwoFactorMethodsInfo",
    columns=(
        "UserId",
        "HasTotp",
        "HasU2F",
        "HasSecurityKey",
        "HasBuiltInAuthenticator",
        "HasSalesforceAuthenticator",
    ),
    needed=("UserId",),
    untold="second factors are unknown",
)
LOGINS = SalesforceObject(
    name="LoginHistory",
    columns=(
        "UserId",
        "LoginTime",
        "LoginType",
        "LoginGeoId",
        "SourceIp",
        "Browser",
        "Platform",
        "Application",
        "Status",
        "CountryIso",
    ),
    needed=("UserId", "LoginTime", "Status"),
    untold="single logins are unknown",
    timed_by="LoginTime",
)
LOGIN_PLACES = SalesforceObject(
    name="LoginGeo",
    columns=("Id", "City"),
    needed=("Id",),
    untold="cities of logins are unknown",
    timed_by="LoginTime",
)
AUDIT_TRAIL = SalesforceObject(
    name="SetupAuditTrail",
    columns=("Action", "Section", "CreatedById", "CreatedDate"),
    needed=("Action", "CreatedDate"),
    untold="changes of the setup are unknown",
    timed_by="CreatedDate",
)
OBJECTS = (
    USERS,
    USER_LOGINS,
    PROFILES,
    PERMISSION_SETS,
    ASSIGNMENTS,
    GROUPS,
    GROUP_COMPONENTS,
    OBJECT_PERMISSIONS,
    ROLES,
    FACTORS,
    LOGINS,
    LOGIN_PLACES,
    AUDIT_TRAIL,
)


def read_folder(base: Path, folder: Path) -> RawExport:
    """Read the Data Loader export of each object that there is one of.

    An object without a file is untold. The moment is when the last file was written.

    Args:
        base: what ``folder`` is relative to.
        folder: as messages and evidence name it.

    Raises:
        ExtractError: there is no ``User.csv``, or a file is unreadable, lacks a field
            that nothing can be said without, or holds credentials. Names the file.
    """
    tables: dict[str, RawTable] = {}
    missing: list[tuple[str, str]] = []
    written: list[float] = []
    for one in OBJECTS:
        shown = f"{(folder / one.name).as_posix()}.csv"
        path = base / shown
        if not one.required and not path.exists():
            missing.append((one.name, f"there is no {one.name}.csv"))
            continue
        raw = read_table(path, name=one.name, file=shown)
        tables[one.name] = declared(one, raw)
        written.append(path.stat().st_mtime)
    return RawExport(
        tables=tables | {UNTOLD: untold_table(folder.as_posix(), missing)},
        extracted_at=datetime.fromtimestamp(max(written), UTC),
        method="file",
    )


def declared(one: SalesforceObject, raw: RawTable) -> RawTable:
    """Keep the fields declared of an object, whatever the case of their headers.

    Flags become ``true`` and ``false``; the weekly export writes 1 and 0. A time
    without a zone is UTC, as Salesforce keeps them.

    Raises:
        ExtractError: a needed field is not there, or the object of users has no rows.
    """
    known = {name.lower(): name for name in raw.rows.columns}
    if missing := [name for name in one.needed if name.lower() not in known]:
        raise ExtractError(
            f"{raw.file}: has no field {missing[0]}; export {one.name} again with "
            f"{', '.join(one.needed)}, or let the reading user see that field"
        )
    rows = raw.rows.select(
        _read_value(name, pl.col(known[name.lower()]).cast(pl.String)).alias(name)
        for name in one.columns
        if name.lower() in known
    )
    if one.required and rows.is_empty():
        raise ExtractError(
            f"{raw.file}: holds no rows, and an organisation without users cannot be; "
            "export it again, or let the reading user see all users"
        )
    return replace(raw, rows=rows)


def _read_value(name: str, value: pl.Expr) -> pl.Expr:
    value = value.replace("", None)
    if name.startswith(("Is", "Has", "Permissions")) and not name.endswith("Id"):
        return value.str.to_lowercase().replace({"1": "true", "0": "false"})
    if name.endswith(("Date", "Time")):
        return value.str.replace(r"^([^ T]+[ T][0-9:.]+)$", "${1}Z")
    return value


def untold_table(file: str, reasons: list[tuple[str, str]]) -> RawTable:
    """Return what was not read: one row for each part, with the reason."""
    schema = {"part": pl.String, "reason": pl.String}
    return RawTable(
        name=UNTOLD, file=file, rows=pl.DataFrame(reasons, schema=schema, orient="row")
    )
