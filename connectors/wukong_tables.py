"""Tables of a WuKong system, from CSV dumps or, read-only, from its database.

Not a connector: what the WuKong connectors share. Both ways give the same text, so a
review over the dumps and one over the database come to the same findings. Only the
columns a table declares are taken; those of ``wk_admin_user`` that hold credentials are
never asked for.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pymysql
from pydantic import ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import URL, Connection, NullPool, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from connectors.connector import Context, Parameters, RawExport, RawTable
from connectors.files import read_table
from connectors.secret_references import check_reference, read_secret
from governance.schema import ExtractError

DRIVER = "mysql+pymysql"
_CONNECT_SECONDS = 10
_READ_SECONDS = 300
_CHUNK = 50_000
_NULLS = (r"\N", "NULL", "0000-00-00", "0000-00-00 00:00:00")
"""What dumps write for null, and the date MySQL keeps where it was given none."""
_ACCESS_DENIED = (1044, 1045, 1142, 1143, 1227, 1698)
_NO_SUCH_DATABASE = 1049
_UNREACHABLE = (2002, 2003, 2005)


@dataclass(frozen=True, kw_only=True)
class WukongTable:
    """A table of the source: its key and the columns we take from it."""

    name: str
    key: str
    columns: tuple[str, ...]
    """Columns of every version, the key among them."""
    optional: tuple[str, ...] = ()
    """Columns that only some versions have; null where there are none."""
    may_be_empty: bool = True


class TableParameters(Parameters):
    """Where the tables are: a folder of dumps or a database, exactly one of the two."""

    folder: Path | None = None
    """Folder of ``<table>.csv``, one for each table."""
    database: str | None = None
    """``env:NAME`` or ``file:PATH`` of a ``mysql+pymysql://`` URL, never the URL."""

    @field_validator("database")
    @classmethod
    def _is_a_reference(cls, told: str | None) -> str | None:
        if told is not None:
            check_reference(told)
        return told

    @field_validator("database")
    @classmethod
    def _is_one_of_two(cls, told: str | None, info: ValidationInfo) -> str | None:
        if told is not None and info.data.get("folder") is not None:
            raise PydanticCustomError(
                "gatebook", "name a folder of CSV dumps or a database, not both"
            )
        return told


def read_tables(context: Context, tables: tuple[WukongTable, ...]) -> RawExport:
    """Read the tables from wherever the source's parameters say they are.

    Raises:
        ExtractError: neither a folder nor a database is named; a dump, table or column
            is missing or may not be read; the database cannot be reached or goes away.
    """
    parameters = context.parameters
    if parameters.folder is not None:
        return read_dumps(context.settings.folder, parameters.folder, tables)
    if parameters.database is not None:
        return read_database(context.settings.folder, parameters.database, tables)
    raise ExtractError(
        f"{context.settings.config}: sources.{context.source}: names neither a folder "
        "of CSV dumps nor a database; add one of the two"
    )


# Dumps --------------------------------------------------------------------------------


def read_dumps(base: Path, folder: Path, tables: tuple[WukongTable, ...]) -> RawExport:
    """Read ``<table>.csv`` of each table. The moment is when the last was written.

    Raises:
        ExtractError: a file or a column is missing, unreadable, or holds credentials.
    """
    shown = {table.name: f"{(folder / table.name).as_posix()}.csv" for table in tables}
    raw = {
        table.name: read_dump(base / shown[table.name], table, shown[table.name])
        for table in tables
    }
    return RawExport(
        tables=raw,
        extracted_at=written_at(base / path for path in shown.values()),
        method="file",
    )


def read_dump(path: Path, table: WukongTable, shown: str) -> RawTable:
    """Read one dump and keep the columns that the table declares.

    Raises:
        ExtractError: the file or a column is missing, unreadable, or holds credentials.
    """
    raw = read_table(path, name=table.name, file=shown)
    if missing := [name for name in table.columns if name not in raw.rows.columns]:
        raise ExtractError(
            f"{shown}: has no column {missing[0]}; export {table.name} again with a "
            f"header line and at least {', '.join(table.columns)}"
        )
    return _without_nulls(table, replace(raw, rows=raw.rows.cast(pl.String)))


def written_at(paths: Iterator[Path]) -> datetime:
    """Return when the last of the files was written, UTC."""
    return datetime.fromtimestamp(max(path.stat().st_mtime for path in paths), UTC)


def _without_nulls(table: WukongTable, raw: RawTable) -> RawTable:
    """Keep the declared columns in order, with the source's words for null as null."""
    absent = pl.lit(None, pl.String)
    rows = raw.rows.select(
        *(pl.col(name) for name in table.columns),
        *(
            pl.col(name) if name in raw.rows.columns else absent.alias(name)
            for name in table.optional
        ),
    ).with_columns(pl.all().replace(_NULLS, None))
    if rows.is_empty() and not table.may_be_empty:
        raise ExtractError(
            f"{raw.file}: holds no rows, and a system without a row in {table.name} "
            "cannot be; export it again"
        )
    return replace(raw, rows=rows)


# Database -----------------------------------------------------------------------------


def read_database(
    base: Path, reference: str, tables: tuple[WukongTable, ...]
) -> RawExport:
    """Read the tables in one read-only snapshot, with the number of rows of each.

    A user that may select the declared columns suffices.

    Raises:
        ExtractError: the database cannot be reached, does not have or does not let us
            read a table or column, or goes away before the last row. Names the table.
    """
    url = database_url(base, reference)
    asked_at = datetime.now(UTC)
    raw: dict[str, RawTable] = {}
    engine = create_engine(
        url,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        connect_args={
            "charset": "utf8mb4",
            "connect_timeout": _CONNECT_SECONDS,
            "read_timeout": _READ_SECONDS,
        },
    )
    with _named(reference, url, "cannot be opened"), engine.connect() as connection:
        # Autocommit leaves the transaction to these statements, in this order.
        for statement in (
            "set session transaction isolation level repeatable read",
            "set session transaction read only",
            "start transaction with consistent snapshot",
        ):
            connection.execute(text(statement))
        for table in tables:
            with _named(reference, url, f"table {table.name} cannot be read"):
                raw[table.name] = _read_rows(connection, url, table)
        connection.execute(text("rollback"))
    return RawExport(tables=raw, extracted_at=asked_at, method="database")


def database_url(base: Path, reference: str) -> URL:
    """Return the URL that a reference stands for.

    Raises:
        ExtractError: what it names is not there, may be read by others, or holds no
            URL of MySQL. The value is never repeated.
    """
    told = read_secret(base, reference)
    try:
        url = make_url(told)
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.drivername != DRIVER or not url.host or not url.database:
        # Not "from error": the cause would repeat the URL with its password.
        raise ExtractError(
            f"database {reference}: holds no URL of a database; set it to "
            f"{DRIVER}://USER:PASSWORD@HOST:PORT/DATABASE"
        )
    return url


def _read_rows(connection: Connection, url: URL, table: WukongTable) -> RawTable:
    """Read one table in the order of its key, every value as MySQL writes it."""
    known = connection.scalars(
        text(
            "select column_name from information_schema.columns "
            "where table_schema = database() and table_name = :name"
        ),
        {"name": table.name},
    ).all()
    if missing := [name for name in table.columns if name not in known]:
        what = f"column {missing[0]}" if known else "table"
        raise ExtractError(
            f"{url.database}.{table.name}: there is no such {what}, or the user may "
            "not read it; mend version in gatebook.toml, or grant the user select on "
            f"{table.name} ({', '.join(table.columns)})"
        )
    names = [*table.columns, *(name for name in table.optional if name in known)]
    # Names come from the table declarations above, never from outside.
    stated = connection.scalar(
        text(f"select count(`{table.key}`) from `{table.name}`")  # noqa: S608
    )
    wanted = ", ".join(f"cast(`{name}` as char) as `{name}`" for name in names)
    # The alias above would shadow the number and sort 10 before 9.
    ordered = f"order by `{table.name}`.`{table.key}`"
    result = connection.execution_options(stream_results=True).execute(
        text(f"select {wanted} from `{table.name}` {ordered}")  # noqa: S608
    )
    schema = dict.fromkeys(names, pl.String)
    chunks = [pl.DataFrame(schema=schema)]
    for rows in result.partitions(_CHUNK):
        chunks.append(
            pl.DataFrame([tuple(row) for row in rows], schema=schema, orient="row")
        )
    raw = RawTable(
        name=table.name,
        file=f"{url.database}.{table.name}",
        # A dump cannot tell empty from null, and nothing here depends on it.
        rows=pl.concat(chunks).with_columns(pl.all().replace("", None)),
        stated=stated,
    )
    return _without_nulls(table, raw)


@contextmanager
def _named(reference: str, url: URL, trouble: str) -> Iterator[None]:
    """Turn a driver's error into one sentence. It names server and table, no secret."""
    try:
        yield
    except (SQLAlchemyError, pymysql.Error, OSError) as error:
        where = f"database {url.database} on {url.host} ({reference})"
        # Not "from error": the driver's message may repeat user and statement.
        raise ExtractError(f"{where}: {trouble}, {_cause(error)}") from None


def _cause(error: Exception) -> str:
    """Say in a few words what went wrong and what to do."""
    original = getattr(error, "orig", None) or error
    code = original.args[0] if original.args else None
    if code in _ACCESS_DENIED:
        return "it refuses the user; mend the password or grant the user select"
    if code == _NO_SUCH_DATABASE:
        return "there is no such database; mend its name in the URL"
    if code in _UNREACHABLE:
        return "it does not answer; start it, or mend host and port in the URL"
    if isinstance(original, pymysql.ProgrammingError):
        return f"it refused the query (error {code}); tell the makers of Gatebook"
    return (
        f"the connection broke (error {code}); nothing was taken in, take the snapshot "
        "again when the server is up"
    )
