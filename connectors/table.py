"""Any table: columns, value maps, formats and constants declared in gatebook.toml.

One file may feed several canonical tables. Nothing is guessed: a column that is not
declared is a fact this source does not tell, and a value that is not declared is left
as it stands, for conform to reject with the reason.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Annotated, Any, Self

import polars as pl
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from connectors.connector import (
    Connector,
    Context,
    Draft,
    Normalised,
    Parameters,
    RawExport,
    RawTable,
)
from connectors.files import read_table
from governance.schema import TABLES, UTC_TIMESTAMP, Column, ExtractError, Table

ID_COLUMNS = frozenset(
    {
        "account_id",
        "approval_id",
        "child_id",
        "department_id",
        "entitlement_id",
        "head_identity_id",
        "identity_id",
        "manager_id",
        "parent_id",
        "sponsor_identity_id",
    }
)
"""Columns that name something of this source: ``<source>:`` is put before them."""

UNIX_SECONDS = "unix"
UNIX_MILLISECONDS = "unix_ms"
"""Formats of a time that is a number since 1970, beside those of ``strptime``."""

_HOURS = ("%H", "%I", "%T", "%R", "%s", "%k", "%l", "%c", "%+", "%X", "%r")
_ZONES = ("%z", "%:z", "%#z", "%Z", "%+", "%s")


def _wrong(text: str) -> PydanticCustomError:
    return PydanticCustomError("gatebook", "{text}", {"text": text})


def _as_text(value: object) -> object:
    """Return a TOML scalar as the text a file would hold."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, int | float) else value


Text = Annotated[str, BeforeValidator(_as_text)]


class Reading(BaseModel):
    """Where one canonical column comes from, and how its values are to be read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str | None = None
    """Header in the file."""
    constant: Text | None = None
    """The same value for every row, instead of a column."""
    values: Mapping[str, Text] = Field(default_factory=dict)
    """What the file says → what it means. ``""`` stands for an empty cell."""
    otherwise: Text | None = None
    """What any other value means; without it, it is left as it stands."""
    format: Annotated[
        tuple[str, ...],
        BeforeValidator(lambda told: (told,) if isinstance(told, str) else told),
    ] = ()
    """How dates or times are written: strptime, unix or unix_ms; first fit wins."""
    each: bool = False
    """One row for each element of a list; a row without any gives none."""
    separator: str | None = None
    """What stands between the elements, where the list is written as text."""
    prefix: str | None = None
    """What is put before the value; ``<source>:`` for ids, else nothing."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.column is None) == (self.constant is None):
            raise _wrong("name either column or constant")
        return self


def _reading(told: object) -> object:
    return {"column": told} if isinstance(told, str) else told


Readings = dict[str, Annotated[Reading, BeforeValidator(_reading)]]


class FileSpec(BaseModel):
    """One file, how it is read, and the canonical tables it feeds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    """Relative to gatebook.toml."""
    encoding: str | None = None
    sheet: str | None = None
    separator: str | None = None
    header: int = Field(default=1, ge=1)
    rows: str | tuple[str, ...] | None = None
    total: int | None = Field(default=None, ge=0)
    """Number of rows the source says there are."""
    total_from: str | None = None
    """Dotted path to that number in the JSON file itself."""

    identities: Readings | None = None
    departments: Readings | None = None
    accounts: Readings | None = None
    entitlements: Readings | None = None
    entitlement_members: Readings | None = None
    grants: Readings | None = None
    login_events: Readings | None = None
    operations: Readings | None = None
    approvals: Readings | None = None
    awareness_events: Readings | None = None

    def fed(self) -> Iterator[tuple[Table, Readings]]:
        """Yield the canonical tables this file feeds, with their columns."""
        for name, table in TABLES.items():
            readings = getattr(self, name)
            if readings is not None:
                yield table, readings

    @model_validator(mode="after")
    def _says_what_it_feeds(self) -> Self:
        if not any(True for _ in self.fed()):
            raise _wrong(f"{self.path} feeds no table; add one of {', '.join(TABLES)}")
        if self.total is not None and self.total_from is not None:
            raise _wrong("name either total or total_from")
        for table, readings in self.fed():
            for name, reading in readings.items():
                _check_reading(table, name, reading)
            _check_required(table, readings)
        return self


class TableParameters(Parameters):
    """Keys of a source read by the table connector."""

    files: Annotated[tuple[FileSpec, ...], Field(min_length=1)]


def _check_reading(table: Table, name: str, reading: Reading) -> None:
    """Hold what is declared for one column to the schema, before any file is read."""
    column = table.columns.get(name)
    where = f"{table.name}.{name}"
    if column is None:
        known = ", ".join(table.columns)
        raise _wrong(f"{where}: there is no such column; {table.name} has {known}")
    if reading.format and column.type not in (pl.Date, UTC_TIMESTAMP):
        raise _wrong(f"{where}: format is for dates and times")
    if reading.each and reading.column is None:
        raise _wrong(f"{where}: each needs a column")
    words = column.words or (("true", "false") if column.type == pl.Boolean else ())
    meant = [*reading.values.values(), reading.constant, reading.otherwise]
    for word in meant:
        if words and word is not None and word not in words:
            raise _wrong(f"{where}: '{word}' is none of {', '.join(words)}")


def _check_required(table: Table, readings: Readings) -> None:
    for name, column in table.columns.items():
        is_default = name == "native_id"
        if column.required and name not in readings and not is_default:
            raise _wrong(f"{table.name}: say where {name} comes from")


def fetch(context: Context) -> RawExport:
    """Read every file the source names, as text.

    Raises:
        ExtractError: a file is missing, empty, damaged or holds credentials.
    """
    parameters: TableParameters = context.parameters
    tables: dict[str, RawTable] = {}
    written: list[float] = []
    for number, spec in enumerate(parameters.files):
        path = context.settings.folder / spec.path
        raw = read_table(
            path,
            name=path.stem,
            file=spec.path,
            encoding=spec.encoding,
            sheet=spec.sheet,
            separator=spec.separator,
            header=spec.header,
            rows=spec.rows,
            total_from=spec.total_from,
        )
        tables[str(number)] = (
            raw if spec.total is None else replace(raw, stated=spec.total)
        )
        written.append(path.stat().st_mtime)
    return RawExport(
        tables=tables,
        extracted_at=datetime.fromtimestamp(max(written), UTC),
        method="file",
    )


def normalise(context: Context, export: RawExport) -> Normalised:
    """Put the declared columns of every file into canonical ones.

    Raises:
        ExtractError: a file lacks a declared column, or lists that are taken apart
            together are of different lengths.
    """
    parameters: TableParameters = context.parameters
    drafts: list[Draft] = []
    notes: list[str] = []
    for number, spec in enumerate(parameters.files):
        raw = export.tables[str(number)]
        if raw.rows.is_empty():
            notes.append(f"{raw.file} holds headers and not one row.")
        if raw.stated not in (None, raw.rows.height):
            notes.append(
                f"{raw.file} holds {raw.rows.height} rows where its source states "
                f"{raw.stated}."
            )
        drafts += (
            _draft(context, raw, table, readings) for table, readings in spec.fed()
        )
    is_full = all(raw.stated == raw.rows.height for raw in export.tables.values())
    return Normalised(
        drafts=tuple(drafts),
        completeness="full" if is_full else "unknown",
        notes=tuple(notes),
    )


def _draft(context: Context, raw: RawTable, table: Table, readings: Readings) -> Draft:
    """Read one canonical table out of the rows of one file."""
    headers = {
        name: reading.column
        for name, reading in readings.items()
        if reading.column is not None
    }
    for name, header in headers.items():
        if header not in raw.rows.columns:
            raise ExtractError(
                f"{raw.file}: has no column '{header}' for {table.name}.{name}; its "
                f"columns are {', '.join(raw.rows.columns)}"
            )
    rows = raw.numbered().select(
        "source_row",
        *(
            _given(reading, raw.rows.schema).alias(name)
            for name, reading in readings.items()
        ),
    )
    apart = [name for name, reading in readings.items() if reading.each]
    if apart:
        rows = _taken_apart(raw, rows, apart)
        # The source states its rows, not the elements in their lists.
        raw = replace(raw, stated=None)
    rows = rows.select(
        "source_row",
        *(
            _meaning(context, name, table.columns[name], reading, rows.schema[name])
            for name, reading in readings.items()
        ),
    )
    if "native_id" in table.columns and "native_id" not in readings:
        rows = rows.with_columns(native_id=table.key[0])
        headers |= {"native_id": headers.get(table.key[0], table.key[0])}
    prefixes = {
        name: f"{context.source}:" if reading.prefix is None else reading.prefix
        for name, reading in readings.items()
        if name in ID_COLUMNS or reading.prefix is not None
    }
    rows = rows.with_columns(
        (pl.lit(prefix) + pl.col(name)).alias(name)
        for name, prefix in prefixes.items()
        if prefix
    )
    return Draft(table=table, raw=raw, rows=rows, headers=MappingProxyType(headers))


def _given(reading: Reading, schema: Mapping[str, Any]) -> pl.Expr:
    """Return what the file holds, lists as lists."""
    if reading.column is None:
        return pl.lit(reading.constant, pl.String)
    value = pl.col(reading.column)
    is_list = isinstance(schema[reading.column], pl.List)
    if not is_list and reading.separator is not None:
        return value.str.split(reading.separator)
    if not is_list and reading.each:
        return pl.concat_list(value)
    return value


def _taken_apart(
    raw: RawTable, rows: pl.DataFrame, apart: Sequence[str]
) -> pl.DataFrame:
    """Return one row for each element; rows without elements give none."""
    lengths = rows.select(pl.col(apart).list.len().fill_null(0))
    uneven = lengths.select(
        pl.any_horizontal(pl.col(name) != pl.col(apart[0]) for name in apart)
    ).to_series()
    if uneven.any():
        row = rows.filter(uneven)["source_row"][0]
        raise ExtractError(
            f"{raw.file}: row {row} has lists of different lengths for "
            f"{', '.join(apart)}; take them apart in separate tables"
        )
    rows = rows.filter(lengths.to_series() > 0).explode(apart)
    is_element = pl.col(apart).str.strip_chars().str.len_bytes() > 0
    return rows.filter(pl.any_horizontal(is_element.fill_null(value=False)))


def _meaning(
    context: Context,
    name: str,
    column: Column,
    reading: Reading,
    found: Any,  # noqa: ANN401
) -> pl.Expr:
    """Return the values in the words of the schema, as far as they were declared."""
    value = pl.col(name)
    if isinstance(found, pl.List):
        # A list in one cell, as of abilities: each element mapped, sorted, joined.
        inner = _mapped(pl.element(), reading)
        joined = value.list.eval(inner.filter(inner.is_not_null())).list.unique()
        value = joined.list.sort().list.join(",").replace("", None)
    elif reading.column is not None:
        value = _mapped(value, reading)
    if reading.format:
        value = _iso(value, column, reading.format, context.settings.time_zone)
    return value.alias(name)


def _mapped(value: pl.Expr, reading: Reading) -> pl.Expr:
    value = value.str.strip_chars().replace("", None)
    if not reading.values and reading.otherwise is None:
        return value
    if "" in reading.values:
        value = value.fill_null("")
    default = value if reading.otherwise is None else pl.lit(reading.otherwise)
    mapping = {told.strip(): meant for told, meant in reading.values.items()}
    found = (
        value.replace_strict(
            list(mapping), list(mapping.values()), default=None, return_dtype=pl.String
        )
        if mapping
        else pl.lit(None, pl.String)
    )
    return pl.when(value.is_not_null()).then(pl.coalesce(found, default))


def _iso(
    value: pl.Expr, column: Column, formats: Sequence[str], time_zone: str
) -> pl.Expr:
    """Write dates and times in ISO 8601; what fits no format is left as it stands."""
    is_date = column.type == pl.Date
    return pl.coalesce(
        *(_parsed(value, one, time_zone, is_date=is_date) for one in formats), value
    )


def _parsed(value: pl.Expr, written: str, time_zone: str, *, is_date: bool) -> pl.Expr:
    """Return ISO text where the value fits the format, else null."""
    if written in (UNIX_SECONDS, UNIX_MILLISECONDS):
        scale = 1_000_000 if written == UNIX_SECONDS else 1_000
        number = value.str.to_integer(strict=False, dtype=pl.Int64)
        time = (number * scale).cast(UTC_TIMESTAMP)
        is_zoned = True
    elif not any(mark in written for mark in _HOURS):
        day = value.str.to_date(written, strict=False)
        return day.dt.to_string("%Y-%m-%d")
    else:
        is_zoned = any(mark in written for mark in _ZONES)
        time = value.str.to_datetime(
            written,
            time_unit="us",
            time_zone="UTC" if is_zoned else None,
            strict=False,
        )
    if is_date:
        local = time.dt.convert_time_zone(time_zone) if is_zoned else time
        return local.dt.to_string("%Y-%m-%d")
    return time.dt.to_string("%Y-%m-%dT%H:%M:%S%.f" + ("Z" if is_zoned else ""))


CONNECTOR = Connector(
    name="table",
    title="Table",
    parameters=TableParameters,
    fetch=fetch,
    normalise=normalise,
)
