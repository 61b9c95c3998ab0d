"""Rows of saved Graph lists: all pages of one under the columns that any of them has.

Not a connector: what ``entra_id`` and its notes lean on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import polars as pl

from connectors import graph_pages
from connectors.connector import Context, RawExport, RawTable
from connectors.graph_lists import GROUPS, USERS

NEVER = "0001-01-01"
"""How a Graph time begins that stands for no time at all."""
_TIME = "%Y-%m-%dT%H:%M:%S%.f%z"


@dataclass(frozen=True)
class Told:
    """The pages of one list, each with all columns that any of them has."""

    pages: tuple[tuple[RawTable, pl.DataFrame], ...]

    @property
    def columns(self) -> frozenset[str]:
        """Return the columns, none if there is no page."""
        return frozenset(self.pages[0][1].columns) if self.pages else frozenset()

    @property
    def rows(self) -> pl.DataFrame:
        """Return the rows of all pages. There must be a page."""
        return pl.concat([rows for _, rows in self.pages])

    def column(self, name: str) -> pl.Expr:
        """Return the column, or null text where no page has it."""
        return pl.col(name) if name in self.columns else pl.lit(None, pl.String)


def read_told(export: RawExport, name: str) -> Told:
    """Return the pages of one list, the last held to the total that Graph states."""
    raws = [raw for raw in export.tables.values() if raw.name == name]
    if not raws:
        return Told(())
    numbered = [raw.numbered() for raw in raws]
    whole = pl.concat(numbered, how="diagonal")
    pages: list[tuple[RawTable, pl.DataFrame]] = []
    start = 0
    for raw, rows in zip(raws, numbered, strict=True):
        pages.append((raw, whole.slice(start, rows.height)))
        start += rows.height
    return Told(_with_stated(export, name, pages))


def _with_stated(
    export: RawExport, name: str, pages: list[tuple[RawTable, pl.DataFrame]]
) -> tuple[tuple[RawTable, pl.DataFrame], ...]:
    """Hold the last page to what the stated total leaves for it after the others."""
    total = stated_total(export, name)
    if total is not None:
        raw, rows = pages[-1]
        earlier = sum(page.height for _, page in pages[:-1])
        pages[-1] = (replace(raw, stated=max(total - earlier, 0)), rows)
    return tuple(pages)


def stated_total(export: RawExport, name: str) -> int | None:
    """Return the greatest total that a page of the list states."""
    envelopes = export.tables[graph_pages.PAGES].rows
    counts = envelopes.filter(pl.col("list") == name)["count"].cast(pl.Int64).max()
    return counts if isinstance(counts, int) else None


class Known:
    """What is known of the objects that members and assignments name by id only."""

    def __init__(self, told: Mapping[str, Told]) -> None:
        self.has_groups = bool(told[GROUPS.name].pages)
        self.users = _ids(told[USERS.name])
        self.groups = _ids(told[GROUPS.name])

    def kind(self, type_told: pl.Expr, identifier: pl.Expr) -> pl.Expr:
        """Return user, group, servicePrincipal or other; unknown if nobody can say.

        An id that is neither a user nor a group counts as a user that is gone, if
        there are pages of groups to tell.
        """
        named = type_told.str.replace("#microsoft.graph.", "", literal=True)
        missing = pl.lit("user" if self.has_groups else "unknown")
        return (
            pl.when(identifier.is_in(self.users))
            .then(pl.lit("user"))
            .when(identifier.is_in(self.groups))
            .then(pl.lit("group"))
            .when(named.is_in(["user", "group", "servicePrincipal"]))
            .then(named)
            .when(named.is_not_null())
            .then(pl.lit("other"))
            .otherwise(missing)
        )


def _ids(told: Told) -> list[str]:
    return told.rows["id"].drop_nulls().to_list() if told.pages else []


def identifier(context: Context, kind: str, column: str) -> pl.Expr:
    """Return ``<source>:<kind><id>``, null without an id."""
    return pl.format(f"{context.source}:{kind}{{}}", pl.col(column))


def time_told(told: Told, column: str) -> pl.Expr:
    """Return a time as Graph wrote it, null for its word for never."""
    value = told.column(column)
    return pl.when(~value.str.starts_with(NEVER)).then(value)


def renamed(told: Told, names: Mapping[str, str]) -> dict[str, pl.Expr]:
    """Return those canonical columns whose property the pages have."""
    return {
        canonical: pl.col(own)
        for canonical, own in names.items()
        if own in told.columns
    }


def instant(text: pl.Expr) -> pl.Expr:
    """Return the instant a Graph time means, null if it means none."""
    offset = text.str.replace(r"[Zz]$", "+00:00")
    return offset.str.to_datetime(_TIME, time_unit="us", time_zone="UTC", strict=False)
