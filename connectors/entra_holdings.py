"""Directory roles and groups of Entra ID, and who holds them.

Not a connector: the part of ``entra_id`` that reads roleDefinitions, roleAssignments
and groups.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import polars as pl

from connectors.connector import Context, Draft, RawTable
from connectors.graph_lists import (
    ASSIGNMENTS,
    GROUP_MEMBERS,
    GROUPS,
    PRIVILEGED_ROLES,
    ROLES,
    SCHEDULES,
)
from connectors.graph_rows import Known, Told, identifier, instant, renamed, time_told
from governance.schema import ACCOUNTS, ENTITLEMENT_MEMBERS, ENTITLEMENTS, GRANTS


def roles(context: Context, told: Mapping[str, Told]) -> Iterator[Draft]:
    """Yield directory roles; without definitions, those that are assigned."""
    roles, assignments = told[ROLES.name], told[ASSIGNMENTS.name]
    for raw, rows in roles.pages:
        columns = renamed(
            roles,
            {
                "native_id": "id",
                "name": "displayName",
                "description": "description",
                "is_enabled": "isEnabled",
            },
        )
        yield Draft(
            table=ENTITLEMENTS,
            raw=raw,
            rows=rows.select(
                "source_row",
                entitlement_id=identifier(context, "role:", "id"),
                kind=pl.lit("directory_role"),
                is_privileged=_is_privileged(roles),
                **columns,
            ),
            headers={"entitlement_id": "id", "native_id": "id"},
        )
    if roles.pages or not assignments.pages:
        return
    seen: list[str] = []
    for raw, rows in assignments.pages:
        own = rows.drop_nulls("roleDefinitionId").unique(
            "roleDefinitionId", keep="first", maintain_order=True
        )
        new = own.filter(~pl.col("roleDefinitionId").is_in(seen))
        seen += new["roleDefinitionId"].to_list()
        yield Draft(
            table=ENTITLEMENTS,
            raw=replace(raw, stated=None),
            rows=new.select(
                "source_row",
                entitlement_id=identifier(context, "role:", "roleDefinitionId"),
                native_id="roleDefinitionId",
                name=assignments.column("roleDefinition/displayName"),
                kind=pl.lit("directory_role"),
            ),
        )


def _is_privileged(roles: Told) -> pl.Expr:
    """Return what the tenant says, else what Microsoft says of its built-in roles."""
    template = pl.coalesce(roles.column("templateId"), pl.col("id")).str.to_lowercase()
    by_label = (
        pl.when(template.is_in(sorted(PRIVILEGED_ROLES)))
        .then(pl.lit("true"))
        .when(roles.column("isBuiltIn") == "true")
        .then(pl.lit("false"))
    )
    return pl.coalesce(roles.column("isPrivileged"), by_label)


def groups(context: Context, groups: Told) -> Iterator[Draft]:
    """Yield groups; one that may hold directory roles is privileged."""
    columns = renamed(
        groups,
        {"native_id": "id", "name": "displayName", "description": "description"},
    )
    if "isAssignableToRole" in groups.columns:
        # Graph writes null for groups made before the property: they never may.
        columns["is_privileged"] = pl.col("isAssignableToRole").fill_null("false")
    for raw, rows in groups.pages:
        yield Draft(
            table=ENTITLEMENTS,
            raw=raw,
            rows=rows.select(
                "source_row",
                entitlement_id=identifier(context, "group:", "id"),
                kind=pl.lit("group"),
                **columns,
            ),
            headers={"entitlement_id": "id", "native_id": "id"},
        )


def held_by_principals(
    context: Context, told: Mapping[str, Told], known: Known
) -> Iterator[Draft]:
    """Yield who holds a role or a group: grants, nesting, and the service principals.

    A grant to a user that no page of users has stays a grant, so that it is seen.
    """
    seen: list[str] = []
    for raw, held in _held(context, told, known):
        table = replace(raw, stated=None)
        grants = held.filter(pl.col("kind").is_in(["user", "servicePrincipal"]))
        yield Draft(
            table=GRANTS,
            raw=table,
            rows=grants.select(
                "source_row",
                "entitlement_id",
                "via",
                *(name for name in _SPAN if name in grants.columns),
                account_id=identifier(context, "", "principal_id"),
            ),
            headers={"account_id": "principalId"},
        )
        yield Draft(
            table=ENTITLEMENT_MEMBERS,
            raw=table,
            rows=held.filter(pl.col("kind") == "group").select(
                "source_row",
                parent_id=identifier(context, "group:", "principal_id"),
                child_id="entitlement_id",
            ),
        )
        services = held.filter(
            pl.col("kind") == "servicePrincipal", ~pl.col("principal_id").is_in(seen)
        ).unique("principal_id", keep="first", maintain_order=True)
        seen += services["principal_id"].to_list()
        if services.height:
            yield _services(context, table, services)


def _services(context: Context, raw: RawTable, services: pl.DataFrame) -> Draft:
    """Return the service principals that hold something as service accounts."""
    is_told = services["is_enabled"].is_not_null().any()
    state = {"is_enabled": pl.col("is_enabled")} if is_told else {}
    return Draft(
        table=ACCOUNTS,
        raw=raw,
        rows=services.select(
            "source_row",
            account_id=identifier(context, "", "principal_id"),
            native_id="principal_id",
            login="app_id",
            display_name="name",
            directory_id="principal_id",
            account_type=pl.lit("service"),
            **state,
        ),
    )


def _held(
    context: Context, told: Mapping[str, Told], known: Known
) -> Iterator[tuple[RawTable, pl.DataFrame]]:
    """Yield, for each page, which principal holds which entitlement.

    Columns ``source_row``, ``principal_id``, ``kind``, ``entitlement_id``, ``via``,
    ``name``, ``is_enabled``, ``app_id``; ``granted_at`` and ``valid_until`` if told.
    """
    assignments, members = told[ASSIGNMENTS.name], told[GROUP_MEMBERS]
    spans = _spans(told[SCHEDULES.name])
    for raw, page in assignments.pages:
        rows = page
        if spans is not None:
            rows = page.join(
                spans,
                on=["principalId", "roleDefinitionId"],
                how="left",
                maintain_order="left",
            )
        kind = known.kind(
            assignments.column("principal/@odata.type"), pl.col("principalId")
        )
        yield (
            raw,
            rows.select(
                "source_row",
                *(name for name in _SPAN if spans is not None),
                principal_id="principalId",
                kind=kind,
                entitlement_id=identifier(context, "role:", "roleDefinitionId"),
                via=pl.lit("direct"),
                name=assignments.column("principal/displayName"),
                is_enabled=assignments.column("principal/accountEnabled"),
                app_id=assignments.column("principal/appId"),
            ),
        )
    ruled = _groups_by_rule(told[GROUPS.name])
    for raw, rows in members.pages:
        yield (
            raw,
            rows.select(
                source_row="row",
                principal_id=members.column("id"),
                kind=known.kind(members.column("@odata.type"), members.column("id")),
                entitlement_id=identifier(context, "group:", "of"),
                via=pl.when(pl.col("of").is_in(ruled))
                .then(pl.lit("rule"))
                .otherwise(pl.lit("direct")),
                name=members.column("displayName"),
                is_enabled=members.column("accountEnabled"),
                app_id=members.column("appId"),
            ),
        )


_SPAN = ("granted_at", "valid_until")


def _spans(schedules: Told) -> pl.DataFrame | None:
    """Return from when and until when a principal holds a role; none if not told.

    The same role may be held in several parts of the directory: it began with the
    first and ends with the last, and never if one of them has no end.
    """
    if not schedules.pages:
        return None
    began = instant(time_told(schedules, "startDateTime"))
    ends = instant(time_told(schedules, "endDateTime"))
    return (
        schedules.rows.select("principalId", "roleDefinitionId", began=began, ends=ends)
        .group_by("principalId", "roleDefinitionId", maintain_order=True)
        .agg(
            granted_at=pl.col("began").min(),
            valid_until=pl.when(pl.col("ends").null_count() == 0).then(
                pl.col("ends").max()
            ),
        )
    )


def _groups_by_rule(groups: Told) -> list[str]:
    """Return the ids of groups whose members a rule chooses."""
    if "groupTypes" not in groups.columns:
        return []
    is_ruled = pl.col("groupTypes").list.contains("DynamicMembership")
    return groups.rows.filter(is_ruled)["id"].drop_nulls().to_list()
