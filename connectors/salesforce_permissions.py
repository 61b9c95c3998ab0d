"""What Salesforce profiles, permission sets and their groups let their holders do.

Not a connector: the entitlements and grants of ``salesforce``. Every profile has a
permission set of its own, and every permission set group one that holds the sum of its
parts. Each such pair is one entitlement here: its second row, and the assignment that
repeats a user's profile, are counted as duplicates and change nothing.

Source: Salesforce Object Reference, Profile, PermissionSet (IsOwnedByProfile,
    PermissionSetGroupId), PermissionSetAssignment, ObjectPermissions.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import polars as pl

from connectors.connector import Context, Draft, RawTable
from connectors.salesforce_objects import (
    ABILITY_FLAGS,
    ALL_RECORDS_FLAGS,
    ASSIGNMENTS,
    CORE_FLAGS,
    GROUP_COMPONENTS,
    GROUPS,
    OBJECT_PERMISSIONS,
    PERMISSION_SETS,
    PROFILES,
    ROLES,
    SERVICE_FLAG,
    USERS,
)
from governance.schema import ENTITLEMENT_MEMBERS, ENTITLEMENTS, GRANTS

Told = Mapping[str, RawTable]
_MUTING_PREFIX = "0QM"
"""How the id of a muting permission set begins: it takes away and gives nothing."""
_PRIVILEGED = frozenset({"administer", "security"})
_RECORD_RIGHTS: Mapping[str, tuple[str, ...]] = {
    "PermissionsCreate": ("create",),
    "PermissionsDelete": ("delete",),
    "PermissionsModifyAllRecords": ("delete", "transfer"),
}


@dataclass(frozen=True, kw_only=True)
class Holder:
    """One thing a user can be given, put together from all rows that tell of it."""

    kind: str
    native_id: str
    name: str | None = None
    description: str | None = None
    flags: frozenset[str] = frozenset()
    """Permissions that are on."""
    told: frozenset[str] = frozenset()
    """Permissions that some row tells, on or off."""
    record_rights: frozenset[str] = frozenset()

    def joined(self, other: "Holder") -> "Holder":
        """Return what both rows tell together; the first one's words come first."""
        return replace(
            self,
            name=self.name or other.name,
            description=self.description or other.description,
            flags=self.flags | other.flags,
            told=self.told | other.told,
            record_rights=self.record_rights | other.record_rights,
        )

    @property
    def is_told(self) -> bool:
        """Return whether what it lets do is told: all of the flags that matter most."""
        return self.told >= set(CORE_FLAGS)

    @property
    def abilities(self) -> str | None:
        """Return what it lets do; null where a flag that matters is not told."""
        return ",".join(sorted(self._abilities)) if self.is_told else None

    @property
    def is_privileged(self) -> bool | None:
        """Return whether it administers or sees everything; null where not told."""
        all_records = not self.flags.isdisjoint(ALL_RECORDS_FLAGS)
        if all_records or not self._abilities.isdisjoint(_PRIVILEGED):
            return True
        return False if self.is_told else None

    @property
    def data_scope(self) -> str:
        """Return ``all`` where it sees all records; sharing rules decide the rest."""
        return "unknown" if self.flags.isdisjoint(ALL_RECORDS_FLAGS) else "all"

    @property
    def _abilities(self) -> set[str]:
        own = {
            ability for flag in self.flags for ability in ABILITY_FLAGS.get(flag, ())
        }
        return own | self.record_rights


Holders = dict[tuple[str, str], Holder]
"""By kind and id."""


def read_holders(told: Told) -> tuple[Holders, dict[str, tuple[str, str]]]:
    """Return all holders, and by permission set the key of the one it belongs to."""
    rights = _record_rights(told.get(OBJECT_PERMISSIONS.name))
    holders: Holders = {}
    by_set: dict[str, tuple[str, str]] = {}

    def add(holder: Holder) -> None:
        key = (holder.kind, holder.native_id)
        known = holders.get(key)
        holders[key] = holder if known is None else known.joined(holder)

    for row in _rows(told, PROFILES.name):
        add(_holder("profile", row["Id"], row, name=row.get("Name")))
    for row in _rows(told, GROUPS.name):
        name = row.get("MasterLabel") or row.get("DeveloperName")
        add(_holder("permission_set_group", row["Id"], row, name=name))
    for row in _rows(told, PERMISSION_SETS.name):
        kind, owner = _owner(row)
        by_set[row["Id"]] = kind, owner
        # Salesforce labels a profile's own set with a number.
        name = None if kind == "profile" else row.get("Label") or row.get("Name")
        holder = _holder(kind, owner, row, name=name)
        add(replace(holder, record_rights=rights.get(row["Id"], frozenset())))
    return holders, by_set


def _owner(row: Mapping[str, str | None]) -> tuple[str, str]:
    """Return what a permission set truly is: a profile, a group, or itself."""
    profile, group = row.get("ProfileId"), row.get("PermissionSetGroupId")
    if row["IsOwnedByProfile"] == "true" and profile:
        return "profile", profile
    if group:
        return "permission_set_group", group
    return "permission_set", str(row["Id"])


def _rows(told: Told, name: str) -> Iterator[dict[str, str]]:
    """Yield the rows that have an id; conform rejects the others by name."""
    if name in told:
        yield from told[name].rows.drop_nulls("Id").iter_rows(named=True)


def _holder(
    kind: str, native_id: str, row: Mapping[str, str | None], *, name: str | None
) -> Holder:
    flags = [flag for flag in row if flag.startswith("Permissions")]
    return Holder(
        kind=kind,
        native_id=native_id,
        name=name,
        description=row.get("Description"),
        flags=frozenset(flag for flag in flags if row[flag] == "true"),
        told=frozenset(flag for flag in flags if row[flag] in ("true", "false")),
    )


def _record_rights(raw: RawTable | None) -> dict[str, frozenset[str]]:
    """Return by permission set what it lets do with the records of any object."""
    if raw is None or raw.rows.is_empty():
        return {}
    known = [name for name in _RECORD_RIGHTS if name in raw.rows.columns]
    found = raw.rows.group_by("ParentId").agg((pl.col(known) == "true").any())
    return {
        parent: frozenset(
            ability
            for name, is_on in zip(known, flags, strict=True)
            if is_on
            for ability in _RECORD_RIGHTS[name]
        )
        for parent, *flags in found.iter_rows()
    }


# Entitlements -------------------------------------------------------------------------


def entitlements(context: Context, told: Told, holders: Holders) -> Iterator[Draft]:
    """Yield profiles, permission sets, their groups, and roles of the hierarchy.

    Abilities are left out where permission sets or their holders are not told: a user
    could export by one that nobody saw, and must not pass for one who cannot.
    """
    for draft in _all_entitlements(context, told, holders):
        if tells_abilities(told):
            yield draft
        else:
            yield replace(draft, rows=draft.rows.drop("abilities"))


def tells_abilities(told: Told) -> bool:
    """Return whether all that a user can do is told."""
    return PERMISSION_SETS.name in told and ASSIGNMENTS.name in told


def _all_entitlements(
    context: Context, told: Told, holders: Holders
) -> Iterator[Draft]:
    for name, kind in ((PROFILES.name, "profile"), (GROUPS.name, _GROUP_KIND)):
        if name in told:
            keys = pl.struct(kind=pl.lit(kind), native_id="Id")
            yield _entitlements(context, told[name], keys, holders)
    if PERMISSION_SETS.name in told:
        raw = told[PERMISSION_SETS.name]
        yield _entitlements(context, raw, _owner_column(raw), holders)
    if ROLES.name in told:
        raw = told[ROLES.name]
        named = {"Name": "name", "RollupDescription": "description"}
        yield Draft(
            table=ENTITLEMENTS,
            raw=raw,
            rows=raw.numbered().select(
                "source_row",
                *(
                    pl.col(o).alias(c)
                    for o, c in named.items()
                    if o in raw.rows.columns
                ),
                entitlement_id=_id(context, "role", "Id"),
                native_id="Id",
                kind=pl.lit("role"),
                # A role gives no permission: it opens the records of those below it.
                is_privileged=pl.lit(value=False),
                data_scope=pl.lit("subordinates"),
                abilities=pl.lit(""),
            ),
            headers={"entitlement_id": "Id", "native_id": "Id", "name": "Name"},
        )


_GROUP_KIND = "permission_set_group"


def _owner_column(raw: RawTable) -> pl.Expr:
    """Return kind and id of what each permission set truly is, as ``_owner`` does."""
    columns = raw.rows.columns
    absent = pl.lit(None, pl.String)
    profile = pl.col("ProfileId") if "ProfileId" in columns else absent
    group = (
        pl.col("PermissionSetGroupId") if "PermissionSetGroupId" in columns else absent
    )
    is_profile = (pl.col("IsOwnedByProfile") == "true") & profile.is_not_null()
    return pl.struct(
        kind=pl.when(is_profile.fill_null(value=False))
        .then(pl.lit("profile"))
        .when(group.is_not_null())
        .then(pl.lit(_GROUP_KIND))
        .otherwise(pl.lit("permission_set")),
        native_id=pl.when(is_profile.fill_null(value=False))
        .then(profile)
        .otherwise(pl.coalesce(group, "Id")),
    )


_HOLDER_SCHEMA = {
    "name": pl.String,
    "description": pl.String,
    "is_privileged": pl.Boolean,
    "data_scope": pl.String,
    "abilities": pl.String,
}


def _entitlements(
    context: Context, raw: RawTable, keys: pl.Expr, holders: Holders
) -> Draft:
    """Give each row what all rows tell of its holder, so that pairs are equal."""
    rows = raw.numbered().select("source_row", key=keys).unnest("key")
    # A row without an id has no holder, and is rejected for want of it.
    known = [
        holders.get((kind, native_id)) for kind, native_id in rows[:, 1:].iter_rows()
    ]
    facts = pl.DataFrame(
        [
            (None,) * len(_HOLDER_SCHEMA)
            if one is None
            else (
                one.name,
                one.description,
                one.is_privileged,
                one.data_scope,
                one.abilities,
            )
            for one in known
        ],
        schema=_HOLDER_SCHEMA,
        orient="row",
    )
    return Draft(
        table=ENTITLEMENTS,
        raw=raw,
        rows=pl.concat([rows, facts], how="horizontal").with_columns(
            entitlement_id=pl.format(f"{context.source}:{{}}:{{}}", "kind", "native_id")
        ),
        headers={"entitlement_id": "Id", "native_id": "Id", "name": "Name"},
    )


def members(context: Context, told: Told) -> Iterator[Draft]:
    """Yield which permission sets a group is made of; a muting one gives nothing."""
    if GROUP_COMPONENTS.name not in told or PERMISSION_SETS.name not in told:
        return
    raw = told[GROUP_COMPONENTS.name]
    rows = raw.numbered()
    is_muting = (
        pl.col("PermissionSetId").str.starts_with(_MUTING_PREFIX).fill_null(value=False)
    )
    yield Draft(
        table=ENTITLEMENT_MEMBERS,
        raw=raw,
        rows=rows.filter(~is_muting).select(
            "source_row",
            parent_id=_id(context, _GROUP_KIND, "PermissionSetGroupId"),
            child_id=_id(context, "permission_set", "PermissionSetId"),
        ),
        headers={"parent_id": "PermissionSetGroupId", "child_id": "PermissionSetId"},
        rejected=rows.filter(is_muting).select(
            "source_row",
            column=pl.lit("PermissionSetId"),
            code=pl.lit("mutes"),
            value="PermissionSetId",
            reason=pl.lit(
                "is a muting permission set, which takes permissions away from its "
                "group and gives none; nothing to mend"
            ),
        ),
    )


# Grants -------------------------------------------------------------------------------


def grants(
    context: Context, told: Told, by_set: Mapping[str, tuple[str, str]]
) -> Iterator[Draft]:
    """Yield who holds which profile, role, permission set and group.

    What is not told is granted to nobody: a grant of something whose very list may not
    be read would look like one of something that is missing.
    """
    users = told[USERS.name]
    account = _id(context, "Id")
    for names, kind, column in (
        ((PROFILES.name, PERMISSION_SETS.name), "profile", "ProfileId"),
        ((ROLES.name,), "role", "UserRoleId"),
    ):
        if column in users.rows.columns and any(name in told for name in names):
            yield Draft(
                table=GRANTS,
                raw=replace(users, stated=None),
                rows=users.numbered()
                .drop_nulls(column)
                .select(
                    "source_row",
                    account_id=account,
                    entitlement_id=_id(context, kind, column),
                    via=pl.lit("direct"),
                ),
                headers={"account_id": "Id", "entitlement_id": column},
            )
    if ASSIGNMENTS.name in told and PERMISSION_SETS.name in told:
        yield _assignments(context, told[ASSIGNMENTS.name], by_set)


def _assignments(
    context: Context, raw: RawTable, by_set: Mapping[str, tuple[str, str]]
) -> Draft:
    ids = {key: f"{context.source}:{kind}:{one}" for key, (kind, one) in by_set.items()}
    of_set = pl.col("PermissionSetId").replace_strict(
        ids, default=None, return_dtype=pl.String
    )
    held = pl.coalesce(of_set, _id(context, "permission_set", "PermissionSetId"))
    if "PermissionSetGroupId" in raw.rows.columns:
        held = pl.coalesce(_id(context, _GROUP_KIND, "PermissionSetGroupId"), held)
    columns = {
        "account_id": _id(context, "AssigneeId"),
        "entitlement_id": held,
        "via": pl.lit("direct"),
    }
    if "ExpirationDate" in raw.rows.columns:
        columns["valid_until"] = pl.col("ExpirationDate")
    return Draft(
        table=GRANTS,
        raw=raw,
        rows=raw.numbered().select("source_row", **columns),
        headers={
            "account_id": "AssigneeId",
            "entitlement_id": "PermissionSetId",
            "valid_until": "ExpirationDate",
        },
    )


def service_users(
    told: Told,
    holders: Holders,
    by_set: Mapping[str, tuple[str, str]],
    names: tuple[str, ...],
) -> list[str]:
    """Return ids of users that no person signs in with.

    Told by a profile or permission set that lets in the API alone, or by a profile the
    operator named.
    """
    only_api = {
        key
        for key, one in holders.items()
        if SERVICE_FLAG in one.flags or (one.kind == "profile" and one.name in names)
    }
    found: set[str] = set()
    users = told[USERS.name].rows
    if "ProfileId" in users.columns:
        found |= {
            user
            for user, profile in users.select("Id", "ProfileId").iter_rows()
            if ("profile", profile) in only_api
        }
    if ASSIGNMENTS.name in told:
        held = told[ASSIGNMENTS.name].rows.select("AssigneeId", "PermissionSetId")
        found |= {user for user, one in held.iter_rows() if by_set.get(one) in only_api}
    return sorted(found - {None})


def _id(context: Context, *parts: str) -> pl.Expr:
    """Return ``<source>:<kind>:<id>``; the last part is the column of the id."""
    *kinds, column = parts
    return pl.format(":".join([context.source, *kinds, "{}"]), column)
