"""What every connector is: fetch (I/O only), normalise (pure), conform (shared)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict, ValidationError

from governance.schema import ExtractError, Table
from governance.settings import Settings, SourceSettings, first_problem


class Parameters(BaseModel):
    """Keys of ``[sources.<name>]`` that a connector owns; an unknown key is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, kw_only=True)
class RawTable:
    """Rows exactly as a source gave them, before any meaning is put on them."""

    name: str
    """What the connector calls it: ``users``, ``wk_admin_user``."""
    file: str
    """Where it came from, as messages and evidence name it: file, table or endpoint."""
    rows: pl.DataFrame
    """One column of text for each of the source's own (lists stay lists)."""
    first_row: int = 1
    """Number the first row bears in the file: 2 under a header line."""
    sha256: str | None = None
    """Digest of the bytes read; null where there are none, as over a database."""
    encoding: str | None = None
    stated: int | None = None
    """Number of rows the source says there are, if it says."""

    def numbered(self) -> pl.DataFrame:
        """Return the rows with ``source_row``, the number each bears in the file."""
        # Rechunked: polars 2.1 stops the process in pl.format on a filtered frame
        # whose columns are chunked unlike each other, as a big CSV's and an index are.
        rows = self.rows.rechunk().with_row_index("source_row", self.first_row)
        return rows.with_columns(pl.col("source_row").cast(pl.Int64))


@dataclass(frozen=True, kw_only=True)
class RawExport:
    """All a source gave at one moment."""

    tables: Mapping[str, RawTable]
    extracted_at: datetime
    """UTC. For files, when they were written; for a live source, when it was asked."""
    method: str
    """file, database or API: printed in the evidence."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """Rows of one raw table put into canonical columns, not yet held to the schema.

    ``rows`` holds ``source_row`` and any of the table's columns, as text (dates and
    times in ISO 8601, flags as true/false) or already typed. A column that is not there
    is a fact this source cannot tell. A value that has no canonical word is left as the
    source wrote it, so that the rejection can quote it.
    """

    table: Table
    raw: RawTable
    rows: pl.DataFrame
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Canonical column → the source's own header, for messages."""
    rejected: pl.DataFrame | None = None
    """Rows normalise itself set aside: source_row, column, code, value, reason."""


@dataclass(frozen=True, kw_only=True)
class Normalised:
    """What normalise made of an export."""

    drafts: tuple[Draft, ...]
    completeness: str = "unknown"
    """full only if the source stated totals or gave its whole table; else unknown."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a source may know of the installation and of itself."""

    source: str
    settings: Settings
    parameters: Any
    """The connector's own ``Parameters``, checked."""


@dataclass(frozen=True, kw_only=True)
class Connector:
    """One kind of source: it supplies fetch and normalise; conform is shared."""

    name: str
    title: str
    parameters: type[Parameters]
    fetch: Callable[[Context], RawExport]
    """Read everything, judge nothing. Raises ``ExtractError`` naming the file."""
    normalise: Callable[[Context, RawExport], Normalised]
    """Put the rows into canonical columns. No I/O, no clock."""

    def context(self, source: str, settings: Settings, told: SourceSettings) -> Context:
        """Check the source's keys in gatebook.toml.

        Raises:
            ExtractError: a key is unknown, missing or of the wrong kind.
        """
        try:
            parameters = self.parameters.model_validate(told.parameters)
        except ValidationError as error:
            raise ExtractError(
                f"{settings.config}: sources.{source}.{first_problem(error)}"
            ) from error
        return Context(source=source, settings=settings, parameters=parameters)
