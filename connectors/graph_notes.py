"""What saved Graph pages leave out, and how that is said.

Not a connector: the completeness and the notes of ``entra_id``.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import polars as pl

from connectors import graph_pages, web
from connectors.connector import RawExport
from connectors.graph_lists import (
    ASSIGNMENTS,
    GRAPH_LISTS,
    GROUP_MEMBERS,
    GROUPS,
    REGISTRATIONS,
    ROLES,
    SIGN_INS,
)
from connectors.graph_rows import Known, Told, stated_total

_UNTOLD: Mapping[str, str] = MappingProxyType(
    {
        REGISTRATIONS.name: "second factors are unknown",
        ROLES.name: "which roles are privileged is not told",
        ASSIGNMENTS.name: "who holds a directory role is not told",
        GROUPS.name: "who is in a group is not told",
        SIGN_INS.name: "single sign-ins are not told",
    }
)

_EXPANDED_AT_MOST = 20
"""Members that $expand gives at most, without saying that there are more."""


def completeness(export: RawExport, told: Mapping[str, Told]) -> tuple[str, list[str]]:
    """Return how complete the pages are, and why not."""
    envelopes = export.tables[graph_pages.PAGES].rows
    notes: list[str] = []
    found = {"full"}
    for name in (one.name for one in GRAPH_LISTS if told[one.name].pages):
        pages = envelopes.filter(pl.col("list") == name)
        ends = pages["next_link"].is_null().sum()
        if ends == 0:
            found.add("scoped")
            notes.append(
                f"{name}: the last page saved, {pages['file'][-1]}, names a next one "
                "that is not here; save the pages to the end."
            )
        elif ends > 1:
            found.add("unknown")
            notes.append(
                f"{name}: {ends} pages each end a list, so that pages may be missing "
                "between them; save one list per folder."
            )
        stated, read = stated_total(export, name), told[name].rows.height
        if stated is not None and stated != read:
            found.add("scoped")
            notes.append(
                f"{name}: Graph stated {stated} rows and the pages hold {read}; save "
                "them all again."
            )
    for note, state in _cut_off_members(export, told):
        found.add(state)
        notes.append(note)
    for file in envelopes.filter(pl.col("list").is_null())["file"]:
        notes.append(f"{file} was not read: its name is that of no list known here.")
    if web.FORBIDDEN in export.tables:
        for part, reason in web.forbidden_parts(export).items():
            found.add("scoped")
            notes.append(f"{part}: not told. {reason}.")
    order = ("scoped", "unknown", "full")
    return next(state for state in order if state in found), notes


def _cut_off_members(
    export: RawExport, told: Mapping[str, Told]
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the members expanded in groups, and its consequence."""
    groups, members = told[GROUPS.name], told[GROUP_MEMBERS]
    if groups.pages and not members.pages:
        note = "groups: their members are not here; who is in them is not told."
        yield note, "full"
    if graph_pages.MEMBERS_NEXT_LINK in groups.columns:
        cut = groups.rows.drop_nulls(graph_pages.MEMBERS_NEXT_LINK).height
        if cut:
            note = f"groups: {cut} have more members than are here; save them all."
            yield note, "scoped"
    if members.pages and export.method == "file":
        sizes = members.rows.group_by("of").len()
        limit = sizes.filter(pl.col("len") == _EXPANDED_AT_MOST).height
        if limit:
            note = (
                f"groups: {limit} have exactly {_EXPANDED_AT_MOST} members, where "
                "Graph cuts $expand off without a word; compare them with the tenant."
            )
            yield note, "unknown"


def remarks(told: Mapping[str, Told], known: Known) -> Iterator[str]:
    """Yield what these pages cannot tell, or tell about nobody."""
    for name, consequence in _UNTOLD.items():
        if not told[name].pages:
            yield f"{name}: no page is here; {consequence}."
    yield (
        "users: Graph tells no shared mailbox from a person's, and no eligible role "
        "assignment (PIM) is in these pages."
    )
    roles = told[ROLES.name]
    if roles.pages and "isPrivileged" not in roles.columns:
        yield (
            "roleDefinitions: isPrivileged is not told, which only the beta version "
            "does; Microsoft's list of privileged roles of May 2025 was used."
        )
    registrations = told[REGISTRATIONS.name]
    if registrations.pages:
        strangers = ~pl.col("id").is_in(known.users)
        if count := registrations.rows.filter(strangers).height:
            yield f"userRegistrationDetails: {count} rows name no user of these pages."
    yield from _remarks_on_principals(told, known)


def _remarks_on_principals(told: Mapping[str, Told], known: Known) -> Iterator[str]:
    """Yield which holders are no grants, and which grants are wider than in truth."""
    assignments, members = told[ASSIGNMENTS.name], told[GROUP_MEMBERS]
    for list_told, column, identifier, word in (
        (assignments, "principal/@odata.type", "principalId", ASSIGNMENTS.name),
        (members, "@odata.type", "id", GROUP_MEMBERS),
    ):
        if not list_told.pages or identifier not in list_told.columns:
            continue
        kinds = list_told.rows.select(
            kind=known.kind(list_told.column(column), pl.col(identifier))
        )["kind"]
        if others := kinds.is_in(["other"]).sum():
            yield f"{word}: {others} name devices or contacts, which do not sign in."
        if unclear := kinds.is_in(["unknown"]).sum():
            yield (
                f"{word}: {unclear} name something that is no user and may be a group; "
                "they are no grants until the pages of groups are saved too."
            )
    if assignments.pages and "principal/@odata.type" not in assignments.columns:
        yield (
            "roleAssignments: saved without $expand=principal, so that an application "
            "that holds a role looks like an account that is missing."
        )
    if "directoryScopeId" in assignments.columns:
        scoped = pl.col("directoryScopeId").is_not_null() & (
            pl.col("directoryScopeId") != "/"
        )
        if count := assignments.rows.filter(scoped).height:
            yield (
                f"roleAssignments: {count} hold only in a part of the directory; they "
                "are shown as the whole role."
            )
