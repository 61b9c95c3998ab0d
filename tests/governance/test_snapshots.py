"""Sealed snapshots: whole or not at all, and never to change again."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from governance import snapshots
from governance.model import GovernanceError
from governance.settings import ROOT
from governance.snapshots import (
    ARCHIVE,
    CURRENT,
    DATABASE,
    MANIFEST,
    Manifest,
    SnapshotError,
    connect,
    current_id,
    kept_open,
    list_snapshots,
    open_snapshot,
    seal,
    verify,
)
from tests.company import AS_OF, BEFORE, Company

ID, EARLIER = "2026-08-01T003000Z", "2026-07-01T003000Z"


@pytest.fixture
def sealed(company: Company) -> Company:
    """Return a company with one person, one account and one sealed snapshot."""
    company.employs("ada")
    company.has_account("ada")
    company.seal()
    return company


def folder(company: Company, name: str = ID) -> Path:
    """Return a snapshot's folder."""
    return company.settings.snapshots / name


def unlock(path: Path) -> Path:
    """Let a test damage what sealing made read-only."""
    path.chmod(0o644)
    return path


def logins(company: Company, name: str | None = None, table: str = "snapshot") -> Any:
    """Return the logins of all accounts in a snapshot."""
    with open_snapshot(company.settings, name) as snapshot:
        sql = f"select login from {table}.accounts order by login"  # noqa: S608
        return snapshot.run(sql, {})["login"].to_list()


# Sealing ------------------------------------------------------------------------------


def test_a_snapshot_is_named_after_its_moment_and_becomes_current(
    sealed: Company,
) -> None:
    assert current_id(sealed.settings) == ID
    assert [m.snapshot_id for m in list_snapshots(sealed.settings)] == [ID]
    assert {path.name for path in folder(sealed).iterdir()} == {
        DATABASE,
        MANIFEST,
        ARCHIVE,
    }


def test_the_manifest_names_every_file_table_and_source(sealed: Company) -> None:
    manifest = Manifest.read(folder(sealed))
    files = {p for p in folder(sealed).rglob("*") if p.is_file()}
    assert set(manifest.files) == {
        p.relative_to(folder(sealed)).as_posix() for p in files if p.name != MANIFEST
    }
    assert manifest.counts["accounts"] == 1
    assert manifest.counts["account_people"] == 1
    assert set(manifest.facts) <= set(manifest.counts)
    assert [source["source"] for source in manifest.sources] == ["crm", "hr"]
    assert (manifest.as_of, manifest.prior) == (AS_OF, None)


def test_sealed_files_are_read_only(sealed: Company) -> None:
    modes = {p.stat().st_mode & 0o777 for p in folder(sealed).rglob("*") if p.is_file()}
    assert modes == {0o444}


def test_the_archive_holds_the_same_rows_as_the_database(sealed: Company) -> None:
    manifest = Manifest.read(folder(sealed))
    with open_snapshot(sealed.settings) as snapshot:
        for table in manifest.counts:
            archived = pl.read_parquet(folder(sealed) / ARCHIVE / f"{table}.parquet")
            rows = snapshot.run(f'from snapshot."{table}"', {})
            assert archived.rows() == rows.rows(), table


def test_the_same_extracts_seal_to_the_same_rows(
    company: Company, tmp_path: Path
) -> None:
    other = Company(tmp_path / "other")
    archives = []
    for each in (company, other):
        for login in ("zoe", "ada", "mia"):
            each.employs(login)
            each.has_account(login)
        each.seal()
        archives.append(Manifest.read(folder(each)).files)
    parquet = [
        {name: digest for name, digest in files.items() if name != DATABASE}
        for files in archives
    ]
    assert parquet[0] == parquet[1]


def test_a_moment_is_sealed_once(sealed: Company) -> None:
    before = Manifest.read(folder(sealed))
    sealed.has_account("bob")
    with pytest.raises(SnapshotError, match="already sealed"):
        sealed.seal()
    assert Manifest.read(folder(sealed)) == before
    assert logins(sealed) == ["ada"]


def test_two_sources_of_one_name_are_refused(company: Company) -> None:
    company.has_account("ada")
    twice = company.extracts() * 2
    with pytest.raises(SnapshotError, match="share one name"):
        seal(company.settings, twice, AS_OF, sealed_at=AS_OF)
    assert current_id(company.settings) is None


def test_historic_sealing_leaves_the_newest_current(sealed: Company) -> None:
    sealed.has_account("bob")
    manifest = sealed.seal(BEFORE)
    assert manifest.snapshot_id == EARLIER
    assert current_id(sealed.settings) == ID
    assert [m.snapshot_id for m in list_snapshots(sealed.settings)] == [ID, EARLIER]


def test_a_failing_seal_leaves_the_last_good_snapshot_current(
    sealed: Company, tmp_path: Path
) -> None:
    queries = tmp_path / "queries"
    shutil.copytree(ROOT / "queries", queries)
    (queries / "facts" / "broken.sql").write_text(
        '/*\npurpose = "x"\nneeds = []\n*/\nselect nowhere.column from nowhere\n'
    )
    settings = replace(sealed.settings, queries=queries)
    later = AS_OF + timedelta(days=1)
    with pytest.raises(SnapshotError, match="could not be sealed"):
        seal(settings, sealed.extracts(), later, sealed_at=later)
    assert current_id(sealed.settings) == ID
    assert sorted(p.name for p in sealed.settings.snapshots.iterdir()) == [ID, CURRENT]


def test_a_disk_that_refuses_is_told_in_a_sentence(company: Company) -> None:
    company.has_account("ada")
    company.settings.data.write_text("a file where the folder should be")
    with pytest.raises(SnapshotError, match="could not be sealed"):
        company.seal()


KILLED = """
import os, signal, sys
from datetime import timedelta
from pathlib import Path
from tests.company import AS_OF, Company
from governance import snapshots

company = Company(Path(sys.argv[1]))
company.has_account("late")
later = AS_OF + timedelta(days=1)

def stop(step):
    if step == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)

snapshots.seal(
    company.settings, company.extracts(), later, sealed_at=later, progress=stop
)
"""


@pytest.mark.parametrize("step", ["owners", "grants", "account_people", "digests"])
def test_a_killed_sealing_leaves_the_last_good_snapshot_and_is_swept_by_the_next(
    sealed: Company, step: str
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(sealed.folder), step],
        cwd=ROOT,
        check=False,
        timeout=60,
    )
    assert ended.returncode == -signal.SIGKILL
    left = [p for p in sealed.settings.snapshots.iterdir() if p.name.startswith(".")]
    assert len(left) == 1
    assert current_id(sealed.settings) == ID
    assert [m.snapshot_id for m in list_snapshots(sealed.settings)] == [ID]
    assert logins(sealed) == ["ada"]
    sealed.seal(AS_OF + timedelta(days=1))
    assert current_id(sealed.settings) == "2026-08-02T003000Z"
    assert not left[0].exists()


def test_a_leftover_of_a_living_process_is_not_swept(sealed: Company) -> None:
    other = sealed.settings.snapshots / f".build-x-{os.getppid()}"
    own = sealed.settings.snapshots / f".build-x-{os.getpid()}"
    for path in (other, own):
        path.mkdir()
    sealed.seal(AS_OF + timedelta(days=1))
    assert other.exists()
    assert not own.exists()  # another bore our number before us


def test_sealing_at_once_seals_each_moment(company: Company) -> None:
    company.employs("ada")
    company.has_account("ada")
    days = [AS_OF + timedelta(days=day) for day in range(4)]
    with ThreadPoolExecutor(4) as pool:
        names = {m.snapshot_id for m in pool.map(company.seal, days)}
    assert {m.snapshot_id for m in list_snapshots(company.settings)} == names
    assert current_id(company.settings) == max(names)


# Damage -------------------------------------------------------------------------------


def damage_manifest(path: Path) -> None:
    unlock(path / MANIFEST).write_text('{"snapshot_id": ')


def empty_manifest(path: Path) -> None:
    unlock(path / MANIFEST).write_text("[]")


def manifest_of_wrong_types(path: Path) -> None:
    told = json.loads((path / MANIFEST).read_text())
    unlock(path / MANIFEST).write_text(json.dumps(told | {"counts": None}))


def lose_manifest(path: Path) -> None:
    (path / MANIFEST).unlink()


def lose_database(path: Path) -> None:
    (path / DATABASE).unlink()


def empty_database(path: Path) -> None:
    """A half-built DuckDB file opens without an error and shows nothing."""
    (path / DATABASE).unlink()
    duckdb.connect(str(path / DATABASE)).close()


def truncate_database(path: Path) -> None:
    whole = (path / DATABASE).read_bytes()
    unlock(path / DATABASE).write_bytes(whole[:100])


def no_database(path: Path) -> None:
    unlock(path / DATABASE).write_bytes(b"")


def lose_rows(path: Path) -> None:
    unlock(path / DATABASE)
    with duckdb.connect(str(path / DATABASE)) as connection:
        connection.execute("delete from accounts")


def flip_a_bit(path: Path) -> None:
    whole = bytearray((path / DATABASE).read_bytes())
    whole[len(whole) // 2] ^= 1
    unlock(path / DATABASE).write_bytes(whole)


def alter_archive(path: Path) -> None:
    with unlock(path / ARCHIVE / "grants.parquet").open("ab") as file:
        file.write(b"\0")


def add_a_file(path: Path) -> None:
    (path / ARCHIVE / "stowaway.parquet").write_bytes(b"x")


def lose_an_archive(path: Path) -> None:
    (path / ARCHIVE / "grants.parquet").unlink()


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (damage_manifest, "manifest.json is missing or unreadable"),
        (empty_manifest, "manifest.json is missing or unreadable"),
        (manifest_of_wrong_types, "manifest.json is missing or unreadable"),
        (lose_manifest, "manifest.json is missing or unreadable"),
        (lose_database, "snapshot.duckdb is missing"),
        (empty_database, "snapshot.duckdb"),
        (truncate_database, "snapshot.duckdb"),
        (no_database, "snapshot.duckdb"),
        (lose_rows, "accounts has 0 rows, its manifest says 1"),
    ],
)
def test_a_damaged_snapshot_does_not_open(
    sealed: Company, harm: Callable[[Path], None], sentence: str
) -> None:
    harm(folder(sealed))
    with (
        pytest.raises(SnapshotError, match=f"^{ID}: .*{sentence}"),
        open_snapshot(sealed.settings),
    ):
        pass


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (lose_database, "snapshot.duckdb is missing since it was sealed"),
        (flip_a_bit, "snapshot.duckdb was altered since it was sealed"),
        (empty_database, "snapshot.duckdb was altered since it was sealed"),
        (alter_archive, "archive/grants.parquet was altered"),
        (lose_an_archive, "archive/grants.parquet is missing"),
        (add_a_file, "archive/stowaway.parquet was added"),
        (lose_manifest, "manifest.json is missing or unreadable"),
    ],
)
def test_verifying_finds_every_damage(
    sealed: Company, harm: Callable[[Path], None], sentence: str
) -> None:
    assert verify(sealed.settings, ID).snapshot_id == ID
    harm(folder(sealed))
    with pytest.raises(SnapshotError, match=f"^{ID}: .*{sentence}"):
        verify(sealed.settings, ID)


def test_a_folder_under_another_snapshots_name_is_refused(sealed: Company) -> None:
    shutil.copytree(folder(sealed), folder(sealed, "2026-08-03T003000Z"))
    with pytest.raises(SnapshotError, match="is that of"):
        list_snapshots(sealed.settings)


def test_a_damaged_prior_is_refused_with_its_own_name(sealed: Company) -> None:
    sealed.seal(AS_OF + timedelta(days=1))
    empty_database(folder(sealed))
    with (
        pytest.raises(SnapshotError, match=f"^{ID}: "),
        open_snapshot(sealed.settings),
    ):
        pass


@pytest.mark.parametrize("name", ["nowhere", "../data", "..", "."])
def test_only_a_sealed_snapshot_can_be_named(sealed: Company, name: str) -> None:
    with (
        pytest.raises(SnapshotError, match=r"no snapshot is called|missing"),
        open_snapshot(sealed.settings, name),
    ):
        pass


def test_before_the_first_snapshot_the_way_to_one_is_named(company: Company) -> None:
    assert list_snapshots(company.settings) == []
    with (
        pytest.raises(SnapshotError, match="snapshot take"),
        open_snapshot(company.settings),
    ):
        pass


# Reading ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "create table snapshot.mine as select 1 as one",
        "delete from snapshot.accounts",
        "update snapshot.accounts set is_enabled = true",
        "drop table prior.accounts",
        "copy (select 1) to '{file}'",
        "from read_csv('{file}')",
        "from read_text('{file}')",
        "attach '{file}' as other",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "set memory_limit = '1GB'",
        "export database '{file}'",
    ],
)
def test_a_query_can_neither_write_nor_reach_outside(sealed: Company, sql: str) -> None:
    sealed.seal(AS_OF + timedelta(days=1))
    file = sealed.folder / "outside.csv"
    file.write_text("a\n1\n")
    with open_snapshot(sealed.settings) as snapshot:
        with pytest.raises(duckdb.Error):
            snapshot.connection.execute(sql.format(file=file))
        flags = snapshot.run(
            "select name, value from duckdb_settings() "
            "where name in ('enable_external_access', 'lock_configuration')",
            {},
        )
        assert dict(flags.iter_rows()) == {
            "enable_external_access": "false",
            "lock_configuration": "true",
        }


def test_a_safety_setting_that_did_not_hold_is_refused(sealed: Company) -> None:
    manifest = Manifest.read(folder(sealed))
    with duckdb.connect(":memory:") as connection:
        loose = snapshots.Snapshot(manifest, connection)
        with pytest.raises(SnapshotError, match="did not hold its safety settings"):
            snapshots._refuse_open_doors(loose)


def test_times_are_utc_whatever_the_host_says(sealed: Company) -> None:
    with open_snapshot(sealed.settings) as snapshot:
        told = snapshot.run(
            "select current_setting('TimeZone') as zone, as_of::varchar as as_of "
            "from snapshot.snapshot_info",
            {},
        )
    assert told.row(0) == ("UTC", "2026-08-01 00:30:00+00")


def test_the_prior_is_the_snapshot_before_and_empty_for_the_first(
    sealed: Company,
) -> None:
    assert logins(sealed, table="prior") == []
    sealed.has_account("bob")
    manifest = sealed.seal(AS_OF + timedelta(days=1))
    assert manifest.prior == ID
    assert logins(sealed) == ["ada", "bob"]
    assert logins(sealed, table="prior") == ["ada"]
    assert logins(sealed, ID) == ["ada"]


def test_the_prior_of_a_historic_snapshot_is_the_one_before_it(sealed: Company) -> None:
    sealed.seal(BEFORE)
    between = sealed.seal(datetime(2026, 7, 15, tzinfo=UTC))
    assert between.prior == EARLIER
    assert Manifest.read(folder(sealed, EARLIER)).prior is None


def test_the_priors_derived_tables_are_its_own(sealed: Company) -> None:
    sealed.has_account("bob")
    sealed.seal(AS_OF + timedelta(days=1))
    with open_snapshot(sealed.settings) as snapshot:
        rows = snapshot.run(
            "select (select count(*) from prior.account_people) as earlier, "
            "(select count(*) from snapshot.account_people) as now",
            {},
        )
    assert rows.row(0) == (1, 2)


def test_a_prior_that_was_removed_reads_as_empty(sealed: Company) -> None:
    sealed.seal(AS_OF + timedelta(days=1))
    shutil.rmtree(folder(sealed))
    assert logins(sealed, table="prior") == []


def test_threads_get_their_own_rows(sealed: Company) -> None:
    snapshot = kept_open(sealed.settings)
    start = threading.Barrier(8)

    def ask(number: int) -> bool:
        start.wait()
        sql = "select $number::integer as number, i from range(2000) as numbers (i)"
        return all(
            snapshot.run(sql, {"number": number})["number"].unique().to_list()
            == [number]
            for _ in range(25)
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(8)))


def test_a_snapshot_kept_open_is_opened_once(sealed: Company) -> None:
    assert kept_open(sealed.settings) is kept_open(sealed.settings, ID)


def test_only_the_last_few_stay_open(company: Company) -> None:
    company.has_account("ada")
    days = [AS_OF + timedelta(days=day) for day in range(9)]
    names = [company.seal(day).snapshot_id for day in days]
    first = kept_open(company.settings, names[0])
    for name in names[1:]:
        kept_open(company.settings, name)
    assert kept_open(company.settings, names[0]) is not first
    # Put aside, not shut: whoever still holds it can finish.
    assert first.run("select count(*) as n from snapshot.accounts", {})["n"][0] == 1


def test_a_quote_in_a_table_name_of_a_manifest_runs_nothing(sealed: Company) -> None:
    path = unlock(folder(sealed) / MANIFEST)
    told = json.loads(path.read_text())
    told["counts"] = {'accounts" where 1 = 0; drop table prior.accounts --': 1}
    path.write_text(json.dumps(told))
    with pytest.raises(SnapshotError), open_snapshot(sealed.settings):
        pass


@pytest.mark.parametrize("harm", [lose_database, empty_database, truncate_database])
def test_every_error_is_one_line_for_a_person(
    sealed: Company, harm: Callable[[Path], None]
) -> None:
    manifest = Manifest.read(folder(sealed))
    harm(folder(sealed))
    with pytest.raises(GovernanceError) as caught:
        connect(sealed.settings, manifest)
    assert "restore it from a backup" in str(caught.value)
    assert "\n" not in str(caught.value)
