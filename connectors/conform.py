"""Hold what a connector normalised to the canonical schema, and account for every row.

The last of the three steps and the same for every source. A row is accepted, rejected
with its file, row, column and reason, or counted as a duplicate; nothing else.
"""

from collections.abc import Iterator, Mapping

import polars as pl

from connectors.connector import Connector, Context, Draft, Normalised, RawExport
from governance.schema import (
    MAY_BE_EMPTY,
    REJECTED_ROWS,
    UNKNOWN,
    UTC_TIMESTAMP,
    Column,
    Extract,
    ExtractError,
    Table,
    TieOut,
)

_QUOTED = 80
_REASONS: Mapping[str, str] = {
    "missing_value": "{header} is empty, and {table} cannot do without it",
    "not_in_vocabulary": "{header} is '{value}', which is none of {words}; give it a "
    "meaning under values in gatebook.toml",
    "not_a_flag": "{header} is '{value}', neither true nor false; give it a meaning "
    "under values in gatebook.toml",
    "not_a_date": "{header} is '{value}', not a date; mend the cell or declare its "
    "format in gatebook.toml",
    "not_a_time": "{header} is '{value}', not a date and time; mend the cell or "
    "declare its format in gatebook.toml",
    "not_a_number": "{header} is '{value}', not a whole number; mend the cell",
    "repeated_key": "{header} '{value}' stands in an earlier row with other values; "
    "remove one of the two at the source",
}


def extract(connector: Connector, context: Context) -> Extract:
    """Fetch, normalise and conform one source.

    Raises:
        ExtractError: a file, table or column is missing or unreadable, or not one row
            of a file could be taken in. Names source, file and remedy.
    """
    try:
        export = connector.fetch(context)
        return conform(connector, context, export, connector.normalise(context, export))
    except ExtractError as error:
        raise ExtractError(f"source {context.source}: {error}") from error


def conform(
    connector: Connector, context: Context, export: RawExport, normalised: Normalised
) -> Extract:
    """Type, check and de-duplicate the drafts, and tie every row out.

    A row equal to an earlier one is a duplicate; a row that repeats a key with other
    values is rejected, and the first stays.

    Raises:
        ExtractError: a draft has rows and not one could be taken in, or has a column
            that its table does not know.
    """
    frames: dict[str, pl.DataFrame] = {}
    rejected = [pl.DataFrame(schema=REJECTED_ROWS)]
    tie_outs: list[TieOut] = []
    facts: set[str] = set()
    told = context.settings.sources[context.source]
    for draft in normalised.drafts:
        earlier = frames.get(draft.table.name, draft.table.empty())
        accepted, refused, duplicates = _conform_draft(context, draft, earlier)
        if refused.height and not accepted.height and not duplicates:
            first = refused.row(0, named=True)
            raise ExtractError(
                f"{draft.raw.file}: not one of its rows can be read as "
                f"{draft.table.name}; row {first['row']}: {first['reason']}"
            )
        set_aside = 0 if draft.rejected is None else draft.rejected.height
        tie_outs.append(
            TieOut(
                table_name=draft.table.name,
                file=draft.raw.file,
                sha256=draft.raw.sha256,
                encoding=draft.raw.encoding,
                stated=draft.raw.stated,
                read=draft.rows.height + set_aside,
                accepted=accepted.height,
                rejected=refused.height,
                duplicate=duplicates,
            )
        )
        frames[draft.table.name] = pl.concat([earlier, accepted])
        rejected.append(refused)
        facts |= {draft.table.name} | {
            f"{draft.table.name}.{name}"
            for name in draft.rows.columns
            if name in draft.table.columns
        }
    return Extract(
        source=context.source,
        connector=connector.name,
        title=told.title or context.source,
        method=export.method,
        operator=told.operator,
        parameters=told.parameters,
        extracted_at=export.extracted_at,
        completeness=normalised.completeness,
        frames=frames,
        rejected=pl.concat(rejected),
        tie_outs=tuple(tie_outs),
        facts=frozenset(facts),
        notes=normalised.notes,
    )


def _conform_draft(
    context: Context, draft: Draft, earlier: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """Return the accepted rows, the rejected ones, and the number of duplicates."""
    table, rows = draft.table, draft.rows
    if strange := sorted(set(rows.columns) - set(table.columns) - {"source_row"}):
        raise ExtractError(f"{draft.raw.file}: {table.name} has no column {strange[0]}")
    text = rows.with_columns(
        pl.col(name)
        .str.strip_chars()
        .replace({} if name in MAY_BE_EMPTY else {"": None})
        for name in rows.columns
        if rows.schema[name] == pl.String
    )
    typed = text.select(
        *(
            _typed(name, column, text.schema.get(name), context.settings.time_zone)
            for name, column in table.columns.items()
        ),
        source=pl.lit(context.source),
        source_file=pl.lit(draft.raw.file),
        source_row=pl.col("source_row").cast(pl.Int64),
    )
    fault = _first_fault(table, text, typed)
    good, bad = typed.filter(fault.is_null()), text.filter(fault.is_not_null())
    good, repeated, duplicates = _without_repeats(table, good, earlier)
    repeats = [f"repeated_key:{name}" for name in table.key[:1]] * repeated.height
    refused = [
        *_set_aside(draft),
        *_described(draft, bad, fault.drop_nulls().to_list()),
        *_described(draft, repeated, repeats),
    ]
    frame = pl.DataFrame(refused, schema=REJECTED_ROWS, orient="row").with_columns(
        source=pl.lit(context.source),
        table_name=pl.lit(table.name),
        file=pl.lit(draft.raw.file),
    )
    return good, frame, duplicates


def _typed(
    name: str, column: Column, found: pl.DataType | None, time_zone: str
) -> pl.Expr:
    """Return the column in its canonical type; what cannot be read becomes null."""
    if found is None or found == pl.Null:
        empty = UNKNOWN if UNKNOWN in column.words else None
        return pl.lit(empty, dtype=column.type).alias(name)
    value = pl.col(name)
    if column.words:
        known = pl.when(value.is_in(column.words)).then(value)
        return (known.fill_null(UNKNOWN) if UNKNOWN in column.words else known).alias(
            name
        )
    if found != pl.String or column.type == pl.String:
        return value.cast(column.type)
    if column.type == pl.Boolean:
        return value.str.to_lowercase().replace_strict(
            {"true": True, "false": False}, default=None, return_dtype=pl.Boolean
        )
    if column.type == pl.Date:
        return value.str.to_date("%Y-%m-%d", strict=False)
    if column.type == UTC_TIMESTAMP:
        return _utc(value, time_zone).alias(name)
    return value.str.to_integer(strict=False)


def _utc(text: pl.Expr, time_zone: str) -> pl.Expr:
    """Read ISO 8601; a time without an offset is local to the installation."""
    clean = text.str.replace(" ", "T", literal=True).str.replace(r"[Zz]$", "+00:00")
    clean = clean.str.replace(r"^(\d{4}-\d\d-\d\d)$", "${1}T00:00:00")
    clean = clean.str.replace(r"^([^T]*T\d\d:\d\d)($|[+-])", "${1}:00${2}")
    zoned = clean.str.to_datetime(
        "%Y-%m-%dT%H:%M:%S%.f%z", time_unit="us", time_zone="UTC", strict=False
    )
    local = clean.str.to_datetime(
        "%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False
    ).dt.replace_time_zone(time_zone, ambiguous="earliest", non_existent="null")
    return pl.coalesce(zoned, local.dt.convert_time_zone("UTC"))


def _first_fault(table: Table, text: pl.DataFrame, typed: pl.DataFrame) -> pl.Series:
    """Return ``code:column`` of the first fault of each row, null for a good row."""
    faults = [pl.lit(None, pl.String)]
    for name, column in table.columns.items():
        given = pl.col(f"{name}_given")
        if name not in text.columns:
            if column.required:
                faults.append(pl.lit(f"missing_value:{name}"))
            continue
        if column.required:
            faults.append(
                pl.when(given.is_null()).then(pl.lit(f"missing_value:{name}"))
            )
        if code := _unreadable(column):
            lost = (
                ~given.is_in(column.words)
                if column.words
                else pl.col(name).is_null() & given.is_not_null()
            )
            faults.append(pl.when(lost).then(pl.lit(f"{code}:{name}")))
    given_columns = text.select(pl.all().name.suffix("_given"))
    both = pl.concat([typed, given_columns], how="horizontal")
    return both.select(fault=pl.coalesce(faults)).to_series()


def _unreadable(column: Column) -> str | None:
    """Return the code of a value of this column that has no meaning."""
    if column.words:
        return "not_in_vocabulary"
    by_type = {
        pl.Boolean: "not_a_flag",
        pl.Date: "not_a_date",
        UTC_TIMESTAMP: "not_a_time",
        pl.Int64: "not_a_number",
    }
    return by_type.get(column.type)


def _without_repeats(
    table: Table, rows: pl.DataFrame, earlier: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """Split rows into first ones and ones that repeat a key; count the duplicates."""
    if not table.key or (rows.is_empty()):
        return rows, rows.clear(), 0
    columns = list(table.columns)
    before = earlier.select(columns)
    marked = pl.concat(
        [
            before.with_columns(position=pl.lit(-1, pl.Int64)),
            rows.select(columns).with_columns(
                position=pl.int_range(pl.len(), dtype=pl.Int64)
            ),
        ]
    ).with_columns(
        is_first=pl.struct(*table.key).is_first_distinct(),
        is_new=pl.struct(*columns).is_first_distinct(),
    )
    own = marked.filter(pl.col("position") >= 0)
    first = rows.filter(own["is_first"])
    repeated = rows.filter(~own["is_first"] & own["is_new"])
    return first, repeated, rows.height - first.height - repeated.height


def _described(
    draft: Draft, rows: pl.DataFrame, faults: list[str]
) -> Iterator[tuple[object, ...]]:
    """Yield rejected rows with the reason in a sentence."""
    for row, fault in zip(rows.iter_rows(named=True), faults, strict=True):
        code, name = fault.split(":")
        value = None if row.get(name) is None else str(row[name])[:_QUOTED]
        reason = _REASONS[code].format(
            header=draft.headers.get(name, name),
            value=value,
            table=draft.table.name,
            words=", ".join(draft.table.columns[name].words),
        )
        header = draft.headers.get(name, name)
        yield (None, None, None, row["source_row"], header, code, value, reason)


def _set_aside(draft: Draft) -> Iterator[tuple[object, ...]]:
    """Yield the rows that normalise itself set aside."""
    if draft.rejected is None:
        return
    for row in draft.rejected.iter_rows(named=True):
        column = row["column"]
        header = draft.headers.get(column, column)
        yield (
            *(None, None, None, row["source_row"]),
            *(header, row["code"], row["value"], row["reason"]),
        )
