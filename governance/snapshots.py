"""Sealed snapshots: what every source said at one moment, never to change again.

A snapshot is a folder ``snapshots/<id>/`` with one DuckDB file, a Parquet copy of every
table and ``manifest.json``. ``snapshots/CURRENT`` names the newest. A snapshot exists
whole or not at all: it is built under another name and renamed when complete, and a
folder whose manifest does not match its files is refused.
"""

import hashlib
import json
import os
import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import duckdb
import polars as pl
from pydantic import TypeAdapter, ValidationError

from governance.catalog import Fact, load_facts
from governance.correlation import (
    confirmed_for_nobody,
    keys_naming_others,
    match_owners,
    read_confirmed,
)
from governance.model import GovernanceError
from governance.schema import (
    ACCOUNTS,
    IDENTITIES,
    REJECTED_ROWS,
    TABLES,
    Extract,
    Table,
)
from governance.settings import Settings

SCHEMA_VERSION = 1
ID_FORMAT = "%Y-%m-%dT%H%M%SZ"
DATABASE = "snapshot.duckdb"
MANIFEST = "manifest.json"
ARCHIVE = "archive"
CURRENT = "CURRENT"
_BUILDING = ".build-"
_MEMORY = "4GB"

Progress = Callable[[str], None]
"""Called with what is being done, for a progress bar."""


class SnapshotError(GovernanceError):
    """A snapshot cannot be sealed or trusted. Names it and says what to do."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a sealed snapshot holds, and the digests that prove it."""

    snapshot_id: str
    as_of: datetime
    sealed_at: datetime
    prior: str | None
    """The snapshot that came before it, by ``as_of``: what it is compared with."""
    schema_version: int
    organisation: str
    files: Mapping[str, str]
    """File name → SHA-256."""
    counts: Mapping[str, int]
    """Table → rows."""
    facts: Mapping[str, str]
    """Derived table → SHA-256 of the query that made it."""
    sources: Sequence[Mapping[str, Any]]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read a snapshot's manifest.

        Raises:
            SnapshotError: it is missing or cannot be read: the folder is no snapshot.
        """
        try:
            text = (folder / MANIFEST).read_bytes()
            manifest = TypeAdapter(cls).validate_json(text)
        except (OSError, ValidationError) as error:
            raise SnapshotError(
                f"{folder.name}: its {MANIFEST} is missing or unreadable, so nothing "
                "in it can be trusted; take the snapshot again or restore it from a "
                "backup"
            ) from error
        if manifest.snapshot_id != folder.name:
            raise SnapshotError(
                f"{folder.name}: its {MANIFEST} is that of {manifest.snapshot_id}; "
                "give the folder its own name back or restore it from a backup"
            )
        return manifest

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the digests of all files: what the snapshot holds."""
        return hashlib.sha256(
            json.dumps(dict(self.files), sort_keys=True).encode()
        ).hexdigest()


def snapshot_id(as_of: datetime) -> str:
    """Return the name of the snapshot of one moment, in UTC to the second."""
    return as_of.astimezone(UTC).strftime(ID_FORMAT)


def list_snapshots(settings: Settings) -> list[Manifest]:
    """Return the manifests of all sealed snapshots, newest first."""
    if not settings.snapshots.is_dir():
        return []
    folders = [
        folder
        for folder in settings.snapshots.iterdir()
        if folder.is_dir() and not folder.name.startswith(".")
    ]
    manifests = [Manifest.read(folder) for folder in folders]
    return sorted(manifests, key=lambda manifest: manifest.as_of, reverse=True)


def current_id(settings: Settings) -> str | None:
    """Return the id of the snapshot in force, or None before the first."""
    try:
        return (settings.snapshots / CURRENT).read_text("utf-8").strip() or None
    except FileNotFoundError:
        return None


# Sealing ------------------------------------------------------------------------------


def seal(
    settings: Settings,
    extracts: Sequence[Extract],
    as_of: datetime,
    *,
    sealed_at: datetime,
    confirmed: pl.DataFrame | None = None,
    progress: Progress = lambda _: None,
) -> Manifest:
    """Seal what the sources said into a new snapshot and publish it.

    Owners are matched and the derived tables computed first, so that a snapshot
    answers every question by itself. ``confirmed`` holds owners that a person confirmed
    (``CONFIRMED_SCHEMA``), beside those in the installation's own file. The snapshot
    becomes ``CURRENT`` unless one of a later moment is already sealed.

    Raises:
        SnapshotError: a snapshot of that moment exists, two extracts share a name, or
            the disk refuses. Nothing is half-sealed: ``CURRENT`` still names the last
            good snapshot.
    """
    with _sealing:
        return _seal(settings, extracts, as_of, sealed_at, confirmed, progress)


_sealing = threading.Lock()
"""One sealing at a time in a process, so that what bears its number is left over."""


def _seal(
    settings: Settings,
    extracts: Sequence[Extract],
    as_of: datetime,
    sealed_at: datetime,
    confirmed: pl.DataFrame | None,
    progress: Progress,
) -> Manifest:
    name = snapshot_id(as_of)
    final = settings.snapshots / name
    if final.exists():
        raise SnapshotError(
            f"{name}: a snapshot of that moment is already sealed, and sealed "
            "snapshots never change; choose another --as-of"
        )
    if len({extract.source for extract in extracts}) < len(extracts):
        raise SnapshotError("two sources share one name; rename one in gatebook.toml")
    build = settings.snapshots / f"{_BUILDING}{name}-{os.getpid()}"
    try:
        settings.snapshots.mkdir(parents=True, exist_ok=True)
        _sweep(settings.snapshots)
        prior = _prior(settings, as_of)
        build.mkdir()
        counts = _build(settings, extracts, as_of, build, confirmed, progress)
        progress("digests")
        manifest = Manifest(
            snapshot_id=name,
            as_of=as_of.astimezone(UTC),
            sealed_at=sealed_at.astimezone(UTC),
            prior=prior,
            schema_version=SCHEMA_VERSION,
            organisation=settings.organisation,
            files=_digests(build),
            counts=counts,
            facts={fact.id: fact.sha256 for fact in load_facts(settings.queries)},
            sources=[_source_entry(extract) for extract in extracts],
        )
        _write_durably(build / MANIFEST, _manifest_text(manifest))
        for path in build.rglob("*"):
            if path.is_file():
                path.chmod(0o444)
        build.rename(final)
    except (OSError, duckdb.Error) as error:
        raise SnapshotError(
            f"{name}: could not be sealed ({_first_line(error)}); the last good "
            "snapshot stays in force"
        ) from error
    finally:
        shutil.rmtree(build, ignore_errors=True)
    _publish(settings, name)
    return manifest


def _prior(settings: Settings, as_of: datetime) -> str | None:
    """Return the newest sealed snapshot from before this moment."""
    earlier = [m.snapshot_id for m in list_snapshots(settings) if m.as_of < as_of]
    return earlier[0] if earlier else None


def _build(
    settings: Settings,
    extracts: Sequence[Extract],
    as_of: datetime,
    build: Path,
    confirmed: pl.DataFrame | None,
    progress: Progress,
) -> dict[str, int]:
    """Write the database and its Parquet copy; return rows per table."""
    path = build / DATABASE
    counts: dict[str, int] = {}
    with duckdb.connect(":memory:") as connection:
        _configure(connection, settings)
        connection.execute(f"attach '{_quoted(path)}' as snapshot")
        for name, frame in _tables(settings, extracts, as_of, confirmed, progress):
            progress(name)
            connection.register("frame", frame)
            connection.execute(f"create table {_table('snapshot', name)} as from frame")
            connection.unregister("frame")
            counts[name] = frame.height
        for fact in load_facts(settings.queries):
            progress(fact.id)
            counts[fact.id] = _derive(connection, fact)
        archive = build / ARCHIVE
        archive.mkdir()
        for name in counts:
            target = _quoted(archive / f"{name}.parquet")
            connection.execute(
                f"copy {_table('snapshot', name)} to '{target}' "
                "(format parquet, compression zstd)"
            )
        connection.execute("checkpoint snapshot")
        connection.execute("detach snapshot")
    for file in (path, *archive.iterdir()):
        _sync(file)
    return counts


def _derive(connection: duckdb.DuckDBPyConnection, fact: Fact) -> int:
    name = _table("snapshot", fact.id)
    connection.execute(f"create table {name} as {fact.sql}")
    return connection.table(name).shape[0]


def _tables(
    settings: Settings,
    extracts: Sequence[Extract],
    as_of: datetime,
    confirmed: pl.DataFrame | None,
    progress: Progress,
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield every table of the snapshot, sorted so that its readers find rows near."""
    whole = {
        name: pl.concat([table.empty(), *(e.frame(table) for e in extracts)])
        for name, table in TABLES.items()
    }
    progress("owners")
    accounts, identities = whole[ACCOUNTS.name], whole[IDENTITIES.name]
    rejected = [pl.DataFrame(schema=REJECTED_ROWS), *(e.rejected for e in extracts)]
    # What a person confirmed in the product is later than what the file says.
    told = [] if confirmed is None else [(confirmed, "register")]
    if settings.owners is not None:
        told.append((read_confirmed(settings.owners), settings.owners.name))
    for frame, file in told:
        rejected.append(confirmed_for_nobody(frame, identities, file))
    confirmed = pl.concat([frame for frame, _ in told]) if told else None
    if confirmed is not None:
        confirmed = confirmed.unique("account_id", keep="first", maintain_order=True)
    owners = match_owners(accounts, identities, confirmed)
    departments = owners.join(
        identities.select("identity_id", "department_id"), "identity_id", "left"
    ).select("account_id", "department_id")
    for name, table in TABLES.items():
        yield name, _sorted(table, whole[name], departments)
    yield "account_owners", owners.sort("account_id")
    claims = keys_naming_others(accounts, identities)
    yield "owner_claims", claims.sort(claims.columns)
    yield "sources", _sources(extracts)
    yield "tie_outs", _tie_outs(extracts)
    yield (
        "rejected_rows",
        pl.concat(rejected).sort("source", "file", "table_name", "row"),
    )
    yield "declared_facts", _declared_facts(extracts)
    yield "snapshot_info", pl.DataFrame({"as_of": [as_of.astimezone(UTC)]})


def _sorted(
    table: Table, frame: pl.DataFrame, departments: pl.DataFrame
) -> pl.DataFrame:
    """Sort rows of accounts by department and account, all others by key and origin."""
    origin = ["source", "source_file", "source_row"]
    if "account_id" not in table.columns:
        return frame.sort([*table.key, *origin], nulls_last=True)
    by = [name for name in ("department_id", "account_id", "at") if name != "at"]
    if "at" in table.columns:
        by.append("at")
    joined = frame.join(departments, "account_id", "left", maintain_order="left")
    rest = [name for name in (*table.key, *origin) if name not in by]
    return joined.sort([*by, *rest], nulls_last=True).drop("department_id")


def _sources(extracts: Sequence[Extract]) -> pl.DataFrame:
    rows = [
        {
            "source": extract.source,
            "connector": extract.connector,
            "title": extract.title,
            "method": extract.method,
            "operator": extract.operator,
            "parameters": json.dumps(
                extract.parameters, ensure_ascii=False, sort_keys=True, default=str
            ),
            "extracted_at": extract.extracted_at.astimezone(UTC),
            "completeness": extract.completeness,
            "notes": "\n".join(extract.notes),
            "rows_read": sum(t.read for t in extract.tie_outs),
            "rows_accepted": sum(t.accepted for t in extract.tie_outs),
            "rows_rejected": sum(t.rejected for t in extract.tie_outs),
            "rows_duplicate": sum(t.duplicate for t in extract.tie_outs),
            "is_balanced": all(t.is_balanced for t in extract.tie_outs),
        }
        for extract in extracts
    ]
    schema: dict[str, Any] = {
        "source": pl.String,
        "connector": pl.String,
        "title": pl.String,
        "method": pl.String,
        "operator": pl.String,
        "parameters": pl.String,
        "extracted_at": pl.Datetime("us", "UTC"),
        "completeness": pl.String,
        "notes": pl.String,
        "rows_read": pl.Int64,
        "rows_accepted": pl.Int64,
        "rows_rejected": pl.Int64,
        "rows_duplicate": pl.Int64,
        "is_balanced": pl.Boolean,
    }
    return pl.DataFrame(rows, schema=schema).sort("source")


def _tie_outs(extracts: Sequence[Extract]) -> pl.DataFrame:
    rows = [
        {"source": extract.source}
        | asdict(tie_out)
        | {"is_balanced": tie_out.is_balanced}
        for extract in extracts
        for tie_out in extract.tie_outs
    ]
    schema: dict[str, Any] = {
        "source": pl.String,
        "table_name": pl.String,
        "file": pl.String,
        "sha256": pl.String,
        "encoding": pl.String,
        "stated": pl.Int64,
        "read": pl.Int64,
        "accepted": pl.Int64,
        "rejected": pl.Int64,
        "duplicate": pl.Int64,
        "is_balanced": pl.Boolean,
    }
    return pl.DataFrame(rows, schema=schema).sort("source", "table_name", "file")


def _declared_facts(extracts: Sequence[Extract]) -> pl.DataFrame:
    """List which source can tell what.

    An event log may be delivered apart from the accounts it speaks of; its facts are
    facts about the source of those accounts.
    """
    declared: set[tuple[str, str]] = set()
    for extract in extracts:
        declared |= {(extract.source, fact) for fact in extract.facts}
        for table in ("login_events", "operations"):
            if table not in extract.frames:
                continue
            about = extract.frames[table].select(
                pl.col("account_id").drop_nulls().str.extract(r"^([^:]+):").unique()
            )
            declared |= {
                (source, fact)
                for source in about["account_id"].drop_nulls()
                for fact in extract.facts
                if fact.split(".")[0] == table
            }
    schema: dict[str, Any] = {"source": pl.String, "fact": pl.String}
    return pl.DataFrame(sorted(declared), schema=schema, orient="row")


def _source_entry(extract: Extract) -> dict[str, Any]:
    return {
        "source": extract.source,
        "connector": extract.connector,
        "title": extract.title,
        "extracted_at": extract.extracted_at.astimezone(UTC).isoformat(),
        "completeness": extract.completeness,
        "inputs": {t.file: t.sha256 for t in extract.tie_outs},
        "is_balanced": all(t.is_balanced for t in extract.tie_outs),
    }


def _manifest_text(manifest: Manifest) -> str:
    told = asdict(manifest) | {
        "as_of": manifest.as_of.isoformat(),
        "sealed_at": manifest.sealed_at.isoformat(),
    }
    return json.dumps(told, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): file_sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }


def file_sha256(path: Path) -> str:
    """Return a file's SHA-256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _publish(settings: Settings, name: str) -> None:
    """Name the newest snapshot in ``CURRENT``, whole or not at all."""
    newest = list_snapshots(settings)[0].snapshot_id
    pointer = settings.snapshots / f"{_BUILDING}{CURRENT}-{os.getpid()}"
    try:
        _sync(settings.snapshots)
        _write_durably(pointer, newest + "\n")
        pointer.replace(settings.snapshots / CURRENT)
        _sync(settings.snapshots)
    except OSError as error:
        raise SnapshotError(
            f"{name}: is sealed, but {CURRENT} could not be replaced ({error}); write "
            f"{newest} into it"
        ) from error


def _sweep(folder: Path) -> None:
    """Remove what a killed sealing left behind, unless its process still lives."""
    for path in folder.glob(f"{_BUILDING}*"):
        if _is_sealing(path.name.rsplit("-", 1)[1]):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _is_sealing(process: str) -> bool:
    """Return whether another process of that number lives.

    Our own number on a leftover was another's before us, as in a container, where
    every process started is number 7.
    """
    if not process.isdigit() or int(process) == os.getpid():
        return False
    if os.name == "nt":
        return True  # Windows has no signal that only asks
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _write_durably(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")
    _sync(path)


def _sync(path: Path) -> None:
    """Flush a file or folder to the disk."""
    if os.name == "nt" and path.is_dir():
        return  # Windows cannot open a folder to flush it
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _first_line(error: Exception) -> str:
    """Return the first line of a message: DuckDB adds advice for whoever writes SQL."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def _quoted(path: Path) -> str:
    return path.as_posix().replace("'", "''")


def _table(database: str, name: str) -> str:
    """Return a table's name as SQL; a quote in it ends nothing."""
    return '{}."{}"'.format(database, name.replace('"', '""'))


def _configure(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Set what every connection needs: UTC, and no reach for the network.

    What does not fit into memory goes beside our own data, not the working folder.
    """
    spill = _quoted(settings.data / "spill")
    connection.execute(f"set temp_directory = '{spill}'")
    connection.execute("set global TimeZone = 'UTC'")
    connection.execute("set autoload_known_extensions = false")
    connection.execute("set autoinstall_known_extensions = false")
    connection.execute(f"set memory_limit = '{_MEMORY}'")


# Verifying and reading ----------------------------------------------------------------


def verify(settings: Settings, name: str) -> Manifest:
    """Compare a snapshot with its manifest, byte for byte and row for row.

    Raises:
        SnapshotError: a file is missing, added or altered, or a table has another
            number of rows. Names the snapshot and the file.
    """
    folder = settings.snapshots / name
    manifest = Manifest.read(folder)
    found = _digests(folder)
    for file in sorted(set(found) | set(manifest.files)):
        if found.get(file) != manifest.files.get(file):
            what = (
                "is missing"
                if file not in found
                else "was added"
                if file not in manifest.files
                else "was altered"
            )
            raise SnapshotError(
                f"{name}: {file} {what} since it was sealed; restore the folder from a "
                "backup or take a new snapshot"
            )
    with open_snapshot(settings, name):  # compares the rows
        return manifest


def _compare_counts(
    connection: duckdb.DuckDBPyConnection, database: str, manifest: Manifest
) -> None:
    for table, count in manifest.counts.items():
        found = connection.table(_table(database, table)).shape[0]
        if found != count:
            raise SnapshotError(
                f"{manifest.snapshot_id}: {table} has {found} rows, its manifest says "
                f"{count}; restore it from a backup or take a new snapshot"
            )


@dataclass(frozen=True)
class Snapshot:
    """One sealed snapshot open for reading as ``snapshot``, its older as ``prior``."""

    manifest: Manifest
    connection: duckdb.DuckDBPyConnection

    @property
    def snapshot_id(self) -> str:
        """Return the snapshot's name."""
        return self.manifest.snapshot_id

    @property
    def as_of(self) -> datetime:
        """Return the moment the snapshot speaks of, in UTC."""
        return self.manifest.as_of

    def run(self, sql: str, parameters: Mapping[str, Any]) -> pl.DataFrame:
        """Run one query on a cursor of its own.

        A connection shared by threads hands one thread the rows of another.
        """
        with self.connection.cursor() as cursor:
            frame: pl.DataFrame = cursor.sql(sql, params=dict(parameters)).pl()
        return frame

    def has_table(self, name: str) -> bool:
        """Return whether the manifest lists the table."""
        return name in self.manifest.counts


def connect(settings: Settings, manifest: Manifest) -> Snapshot:
    """Open a snapshot read-only, its prior beside it, with every door shut.

    Without a prior, ``prior`` has the same tables with no rows, so that a comparison
    needs no second form.

    Raises:
        SnapshotError: the database is missing, or a table differs from the manifest:
            a half-built file opens without an error and shows nothing.
    """
    connection = duckdb.connect(":memory:")
    try:
        _configure(connection, settings)
        _attach(connection, settings, manifest, "snapshot")
        if manifest.prior and (settings.snapshots / manifest.prior).is_dir():
            earlier = Manifest.read(settings.snapshots / manifest.prior)
            _attach(connection, settings, earlier, "prior")
        else:
            connection.execute("attach ':memory:' as prior")
            for table in manifest.counts:
                connection.execute(
                    f"create table {_table('prior', table)} as "
                    f"from {_table('snapshot', table)} limit 0"
                )
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
        snapshot = Snapshot(manifest, connection)
        _refuse_open_doors(snapshot)
    except BaseException:
        connection.close()
        raise
    return snapshot


def _attach(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    manifest: Manifest,
    database: str,
) -> None:
    """Attach a snapshot read-only and hold its tables to its manifest."""
    path = settings.snapshots / manifest.snapshot_id / DATABASE
    try:
        if not path.is_file():
            raise SnapshotError(
                f"{manifest.snapshot_id}: {DATABASE} is missing; restore it from a "
                "backup or take a new snapshot"
            )
        connection.execute(f"attach '{_quoted(path)}' as {database} (read_only)")
        _compare_counts(connection, database, manifest)
    except duckdb.Error as error:
        raise SnapshotError(
            f"{manifest.snapshot_id}: {DATABASE} cannot be read "
            f"({_first_line(error)}); restore it from a backup or take a new snapshot"
        ) from error


def _refuse_open_doors(snapshot: Snapshot) -> None:
    """Read the safety settings back: a setting that did not hold is an open door."""
    flags = snapshot.run(
        "select name, value from duckdb_settings() where name in "
        "('enable_external_access', 'lock_configuration', "
        "'autoload_known_extensions', 'autoinstall_known_extensions')",
        {},
    )
    held = dict(flags.iter_rows())
    wanted = {
        "enable_external_access": "false",
        "lock_configuration": "true",
        "autoload_known_extensions": "false",
        "autoinstall_known_extensions": "false",
    }
    if held != wanted:
        raise SnapshotError(f"DuckDB did not hold its safety settings: {held}")


@contextmanager
def open_snapshot(settings: Settings, name: str | None = None) -> Iterator[Snapshot]:
    """Open a snapshot for one piece of work and close it after.

    Raises:
        SnapshotError: there is none yet, or it cannot be trusted.
    """
    snapshot = connect(settings, Manifest.read(folder_of(settings, name)))
    try:
        yield snapshot
    finally:
        snapshot.connection.close()


def folder_of(settings: Settings, name: str | None = None) -> Path:
    """Return a snapshot's folder; without a name, that of the snapshot in force.

    Raises:
        SnapshotError: there is no such snapshot.
    """
    wanted = name or current_id(settings)
    if wanted is None:
        raise SnapshotError(
            "no snapshot is sealed yet; take one with `python cli.py snapshot take`"
        )
    folder = settings.snapshots / wanted
    if folder.parent != settings.snapshots or not folder.is_dir():
        known = ", ".join(m.snapshot_id for m in list_snapshots(settings)[:5]) or "none"
        raise SnapshotError(f"no snapshot is called {wanted}; the newest are {known}")
    return folder


_kept: OrderedDict[Path, Snapshot] = OrderedDict()
_kept_lock = threading.Lock()
_KEPT_AT_MOST = 8


def kept_open(settings: Settings, name: str | None = None) -> Snapshot:
    """Return a snapshot that stays open, shared by every session of the process.

    Sealed snapshots never change under their name, so the last few stay attached. One
    that is put aside closes by itself when the last query on it ends.

    Raises:
        SnapshotError: there is none yet, or it cannot be trusted.
    """
    folder = folder_of(settings, name).resolve()
    with _kept_lock:
        if folder not in _kept:
            _kept[folder] = connect(settings, Manifest.read(folder))
        _kept.move_to_end(folder)
        while len(_kept) > _KEPT_AT_MOST:
            _kept.popitem(last=False)
        return _kept[folder]
