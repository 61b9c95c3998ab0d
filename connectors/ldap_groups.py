"""Groups of a directory, what they nest in, and who is in them.

Not a connector: the part of ``ldap`` that reads members, ``memberOf`` and the primary
group. A member that is not there stays a grant, so that it is seen, but only inside the
base: of what lies outside, this source knows nothing.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl

from connectors.connector import Context, Draft, RawExport, RawTable
from connectors.ldap_accounts import is_machine
from connectors.ldap_attributes import (
    ACTIVE_DIRECTORY,
    GROUPS,
    OTHERS,
    PRIVILEGED_GROUPS,
)
from connectors.ldap_entries import dn_key, first_value, is_inside
from connectors.ldap_values import (
    columns_of,
    first_of,
    flag,
    has_class,
    relative_id,
    with_columns_of,
)
from governance.schema import ENTITLEMENT_MEMBERS, ENTITLEMENTS, GRANTS

Rows = Sequence[tuple[RawTable, pl.DataFrame]]

_UNIQUE_IDENTIFIER = re.compile(r"#'[01]*'B$")
_PLACEHOLDERS = frozenset({"placeholder", "dummy", "nobody", "none", "empty", "null"})
"""First values of DNs that stand in a group only because it must have a member."""
_SECURITY = 0x80000000
_FIRST_OWN_RID = 1000
_SCHEMA = {"source_row": pl.Int64, "account_id": pl.String, "entitlement_id": pl.String}
_NESTING = {"source_row": pl.Int64, "parent_id": pl.String, "child_id": pl.String}


@dataclass(kw_only=True)
class _Known:
    """Every entry read, by the key of its DN."""

    base: str | None
    placeholders: frozenset[str]
    users: dict[str, str] = field(default_factory=dict)
    """Account ids."""
    groups: dict[str, str] = field(default_factory=dict)
    """Entitlement ids."""
    others: set[str] = field(default_factory=set)
    logins: dict[str, str | None] = field(default_factory=dict)
    """Account ids by ``uid``; null where several accounts bear it."""
    by_sid: dict[str, str] = field(default_factory=dict)
    by_number: dict[str, str | None] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    met: Counter[str] = field(default_factory=Counter)
    """What was met among members, for the notes."""

    def key(self, dn: str) -> str:
        """Return the key of a DN, reckoned once for each spelling."""
        found = self.keys.get(dn)
        if found is None:
            found = self.keys[dn] = dn_key(_UNIQUE_IDENTIFIER.sub("", dn))
        return found


@dataclass(frozen=True, kw_only=True)
class Held:
    """Groups, and who is in them."""

    drafts: tuple[Draft, ...]
    notes: tuple[str, ...]
    users: dict[str, str]
    """Account ids by ``dn_key``."""


def groups_and_members(
    context: Context, export: RawExport, users: Rows, told: frozenset[str]
) -> Held:
    """Return groups, nesting and grants. ``told`` are the attributes of users."""
    every = [raw for raw in export.tables.values() if raw.name == GROUPS]
    # Not one group is no proof that there is none: their facts stay untold.
    raws = [raw for raw in every if raw.rows.height]
    of_groups = columns_of(raws)
    groups = [(raw, with_columns_of(raw, of_groups)) for raw in raws]
    known = _known(context, export, users, told, groups, of_groups)
    drafts: list[Draft] = [
        _entitlements(context, raw, rows, of_groups) for raw, rows in groups
    ]
    seen: set[tuple[str, str]] = set()
    for raw, rows in groups:
        drafts += _members(context, raw, rows, of_groups, known, seen)
    drafts += _member_of(context, users, told, groups, of_groups, known, seen)
    return Held(
        drafts=tuple(drafts),
        notes=tuple(_notes(known, groups, were_read=bool(every))),
        users=known.users,
    )


def _known(
    context: Context,
    export: RawExport,
    users: Rows,
    told: frozenset[str],
    groups: Rows,
    of_groups: frozenset[str],
) -> _Known:
    base = context.parameters.base
    known = _Known(
        base=None if base is None else dn_key(base),
        placeholders=frozenset(map(dn_key, context.parameters.placeholder_members)),
    )
    for raw in export.tables.values():
        if raw.name == OTHERS:
            known.others.update(map(dn_key, raw.rows["dn"]))
    for _, rows in users:
        own = rows.select(
            "dn",
            is_machine(told),
            first_of(told, "uid").alias("uid"),
            pl.format(f"{context.source}:{{}}", "native_id").alias("account_id"),
        )
        for dn, machine, uid, account in own.iter_rows():
            if machine:
                known.others.add(dn_key(dn))
                continue
            known.users[dn_key(dn)] = account
            if uid is not None:
                known.logins[uid] = account if uid not in known.logins else None
    for _, rows in groups:
        own = rows.select(
            "dn",
            _group_id(context),
            first_of(of_groups, "objectSid").alias("sid"),
            first_of(of_groups, "gidNumber").alias("number"),
        )
        for dn, group, security, number in own.iter_rows():
            known.groups[dn_key(dn)] = group
            if security is not None:
                known.by_sid[security] = group
            if number is not None:
                known.by_number[number] = (
                    group if number not in known.by_number else None
                )
    return known


def _group_id(context: Context) -> pl.Expr:
    return pl.format(f"{context.source}:group:{{}}", "native_id").alias("group_id")


def _entitlements(
    context: Context, raw: RawTable, rows: pl.DataFrame, told: frozenset[str]
) -> Draft:
    columns: dict[str, pl.Expr] = {}
    kind = pl.lit("group")
    if "groupType" in told:
        # A group for mail alone: the bit that makes it count for rights is not set.
        is_for_mail = (~flag("groupType", _SECURITY)).fill_null(value=False)
        kind = pl.when(is_for_mail).then(pl.lit("distribution_group")).otherwise(kind)
    if "description" in told:
        columns["description"] = pl.col("description")
    if context.parameters.kind == ACTIVE_DIRECTORY:
        columns["is_privileged"] = _is_privileged(told)
    return Draft(
        table=ENTITLEMENTS,
        raw=raw,
        rows=rows.select(
            "source_row",
            entitlement_id=_group_id(context),
            native_id="native_id",
            name=pl.coalesce(first_of(told, "cn", "sAMAccountName"), "dn"),
            kind=kind,
            **columns,
        ),
        headers={"entitlement_id": "dn", "name": "cn"},
    )


def _is_privileged(told: frozenset[str]) -> pl.Expr:
    """Return what every domain knows of its own groups; of a house's own, nothing.

    ``adminCount`` is 1 for a group that is, or once was, inside a protected one.
    """
    sid = first_of(told, "objectSid")
    privileged = [
        sid.str.starts_with("S-1-5-21-") & sid.str.ends_with(group.sid_end)
        if group.sid_end.startswith("-")
        else sid == group.sid_end
        for group in PRIVILEGED_GROUPS
    ]
    names = [group.name.lower() for group in PRIVILEGED_GROUPS]
    called = first_of(told, "sAMAccountName", "cn").str.to_lowercase().is_in(names)
    is_known = sid.str.starts_with("S-1-5-32-") | (
        relative_id(told).cast(pl.Int64, strict=False) < _FIRST_OWN_RID
    )
    by_count = first_of(told, "adminCount") == "1"
    return (
        pl.when(by_count | pl.any_horizontal(privileged))
        .then(pl.lit(value=True))
        .when(sid.is_null() & called)
        .then(pl.lit(value=True))
        .when(is_known)
        .then(pl.lit(value=False))
    )


# Members ------------------------------------------------------------------------------


def _members(
    context: Context,
    raw: RawTable,
    rows: pl.DataFrame,
    told: frozenset[str],
    known: _Known,
    seen: set[tuple[str, str]],
) -> Iterator[Draft]:
    """Yield what groups say of their members."""
    grants: list[tuple[int, str, str]] = []
    nesting: list[tuple[int, str, str]] = []
    names: list[str] = [name for name in ("member", "uniqueMember") if name in told]
    for row, dn, group, *lists in rows.select(
        "source_row", "dn", _group_id(context), *names
    ).iter_rows():
        for member in (one for values in lists for one in values or ()):
            target = _resolved(context, known, member, dn)
            if target is None:
                continue
            table, holder = target
            if (holder, group) not in seen:
                seen.add((holder, group))
                (grants if table is GRANTS else nesting).append((row, holder, group))
    if "memberUid" in told:
        grants += _by_login(context, rows, known, seen)
    yield from _drafts(
        raw, grants, nesting, header=(names or ["memberUid"])[0], is_told=True
    )


def _drafts(
    raw: RawTable,
    grants: list[tuple[int, str, str]],
    nesting: list[tuple[int, str, str]],
    *,
    header: str,
    is_told: bool = False,
) -> Iterator[Draft]:
    """Yield nesting and grants; that there is none is told only if asked to."""
    if nesting:
        yield Draft(
            table=ENTITLEMENT_MEMBERS,
            raw=raw,
            rows=pl.DataFrame(nesting, schema=_NESTING, orient="row"),
            headers={"parent_id": header},
        )
    if grants or is_told:
        yield Draft(
            table=GRANTS,
            raw=raw,
            rows=pl.DataFrame(grants, schema=_SCHEMA, orient="row").with_columns(
                via=pl.lit("direct")
            ),
            headers={"account_id": header},
        )


def _resolved(
    context: Context, known: _Known, member: str, group: str
) -> tuple[object, str] | None:
    """Return what a member is and its id; null, and counted, if it is no holder."""
    key = known.key(member)
    if key in known.users:
        return GRANTS, known.users[key]
    if key in known.groups:
        if key == known.key(group):
            known.met["placeholders"] += 1
            return None
        return ENTITLEMENT_MEMBERS, known.groups[key]
    if key in known.others:
        known.met["others"] += 1
    elif _is_placeholder(known, key):
        known.met["placeholders"] += 1
    elif known.base is None or not is_inside(key, known.base):
        known.met["outside"] += 1
    else:
        known.met["missing"] += 1
        return GRANTS, f"{context.source}:{member}"
    return None


def _is_placeholder(known: _Known, key: str) -> bool:
    return (
        not key
        or key == known.base
        or key in known.placeholders
        or first_value(key) in _PLACEHOLDERS
    )


def _by_login(
    context: Context,
    rows: pl.DataFrame,
    known: _Known,
    seen: set[tuple[str, str]],
) -> Iterator[tuple[int, str, str]]:
    """Yield grants of posix groups, which name logins and not entries."""
    for row, group, logins in rows.select(
        "source_row", _group_id(context), "memberUid"
    ).iter_rows():
        for login in logins or ():
            account = known.logins.get(login)
            if account is None:
                known.met["logins"] += 1
            elif (account, group) not in seen:
                seen.add((account, group))
                yield row, account, group


def _member_of(
    context: Context,
    users: Rows,
    told: frozenset[str],
    groups: Rows,
    of_groups: frozenset[str],
    known: _Known,
    seen: set[tuple[str, str]],
) -> Iterator[Draft]:
    """Yield what entries say of the groups they are in, where no group said it."""
    for raw, rows in users:
        grants: list[tuple[int, str, str]] = []
        new: list[tuple[int, str, str]] = []
        for row, dn, listed, *numbers in (
            rows.filter(~is_machine(told))
            .select(
                "source_row",
                "dn",
                pl.col("memberOf")
                if "memberOf" in told
                else pl.lit(None).alias("memberOf"),
                first_of(told, "objectSid").alias("sid"),
                first_of(told, "primaryGroupID").alias("primary"),
                first_of(told, "gidNumber").alias("number"),
            )
            .iter_rows()
        ):
            account = known.users[known.key(dn)]
            held = [_group_named(context, known, row, one, new) for one in listed or ()]
            held += _primary(known, *numbers)
            for group in held:
                if (account, group) not in seen:
                    seen.add((account, group))
                    grants.append((row, account, group))
        yield from _named_only(context, raw, new)
        yield from _drafts(raw, grants, [], header="memberOf")
    if "memberOf" not in of_groups:
        return
    for raw, rows in groups:
        nesting: list[tuple[int, str, str]] = []
        new = []
        for row, inner, listed in rows.select(
            "source_row", _group_id(context), "memberOf"
        ).iter_rows():
            for one in listed or ():
                outer = _group_named(context, known, row, one, new)
                if (inner, outer) not in seen and inner != outer:
                    seen.add((inner, outer))
                    nesting.append((row, inner, outer))
        yield from _named_only(context, raw, new)
        yield from _drafts(raw, [], nesting, header="memberOf")


def _group_named(
    context: Context,
    known: _Known,
    row: int,
    dn: str,
    new: list[tuple[int, str, str]],
) -> str:
    """Return the id of a group; one that was not read is known by its DN alone."""
    key = known.key(dn)
    found = known.groups.get(key)
    if found is None:
        found = known.groups[key] = f"{context.source}:group:{dn}"
        known.met["named"] += 1
        new.append((row, found, dn))
    return found


def _named_only(
    context: Context, raw: RawTable, new: list[tuple[int, str, str]]
) -> Iterator[Draft]:
    """Yield groups that only ``memberOf`` names."""
    if not new:
        return
    names = [first_value(dn) for _, _, dn in new]
    privileged = {group.name.lower() for group in PRIVILEGED_GROUPS}
    columns: dict[str, pl.Series] = {}
    if context.parameters.kind == ACTIVE_DIRECTORY:
        columns["is_privileged"] = pl.Series(
            [True if name.lower() in privileged else None for name in names],
            dtype=pl.Boolean,
        )
    rows = pl.DataFrame(
        new,
        schema={
            "source_row": pl.Int64,
            "entitlement_id": pl.String,
            "native_id": pl.String,
        },
        orient="row",
    )
    yield Draft(
        table=ENTITLEMENTS,
        raw=raw,
        rows=rows.with_columns(
            name=pl.Series(names, dtype=pl.String), kind=pl.lit("group"), **columns
        ),
        headers={"entitlement_id": "memberOf"},
    )


def _primary(
    known: _Known, sid: str | None, primary: str | None, number: str | None
) -> list[str]:
    """Return the group a user is in without standing among its members."""
    found: list[str] = []
    if primary is not None and sid is not None:
        group = known.by_sid.get(f"{sid.rpartition('-')[0]}-{primary}")
        if group is None:
            known.met["primary"] += 1
        else:
            found.append(group)
    if number is not None and (group := known.by_number.get(number)):
        found.append(group)
    return found


# Notes --------------------------------------------------------------------------------

_REMARKS = (
    (
        "missing",
        "groups: {} members are not there, or this reader may not see them; they are "
        "kept as grants to missing accounts.",
    ),
    (
        "outside",
        "groups: {} members lie outside what was read and are no grants; widen base or "
        "add a source for them.",
    ),
    (
        "others",
        "groups: {} members are computers, contacts or other entries that are no user; "
        "they are no grants.",
    ),
    (
        "placeholders",
        "groups: {} members stand there only because a group must have one; they are "
        "no grants.",
    ),
    (
        "logins",
        "groups: {} names in memberUid are of no account here, or of several; they are "
        "no grants.",
    ),
    (
        "primary",
        "groups: the primary group of {} accounts was not read; that they are in it is "
        "not told.",
    ),
    (
        "named",
        "groups: {} were not read and are known from memberOf alone; of them only the "
        "name is told.",
    ),
)


def _notes(known: _Known, groups: Rows, *, were_read: bool) -> Iterator[str]:
    if were_read and not groups:
        yield (
            "groups: not one was shown; there may be none, or this reader may not see "
            "them, so who is in a group is not told by groups."
        )
    for what, sentence in _REMARKS:
        if count := known.met[what]:
            yield sentence.format(count)
    dynamic = sum(
        rows.filter(has_class("groupofurls")).height
        for _, rows in groups
        if rows.height
    )
    if dynamic:
        yield (
            f"groups: {dynamic} choose their members by a search, which was not made; "
            "who is in them is not told."
        )
