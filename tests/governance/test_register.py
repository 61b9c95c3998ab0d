"""The register: transactions are whole, rows only added, on SQLite and PostgreSQL."""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from governance import attestations, audit_trail, campaigns
from governance.attestations import DecisionError
from governance.model import Decision
from governance.register import RegisterError, open_register
from governance.register.tables import METADATA
from tests.company import Company, settings
from tests.review import ALL, BOSS, CEO, MANAGER, NOW, Review, fill, opened, staff


def test_opening_again_finds_what_was_recorded(tmp_path: Path) -> None:
    first = open_register(settings(tmp_path))
    with first.write() as connection:
        audit_trail.record(
            connection,
            actor=MANAGER,
            action="test.done",
            subject="test",
            details={},
            now=NOW,
        )
    assert audit_trail.count(open_register(settings(tmp_path))) == 1


def test_the_file_belongs_to_its_owner_alone(tmp_path: Path) -> None:
    open_register(settings(tmp_path))
    mode = (tmp_path / "data" / "register.sqlite").stat().st_mode
    assert mode & 0o077 == 0


def test_migrations_make_exactly_the_declared_tables(tmp_path: Path) -> None:
    register = open_register(settings(tmp_path))
    with register.read() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, METADATA) == []


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    register = open_register(settings(tmp_path))

    def fail() -> None:
        with register.write() as connection:
            audit_trail.record(
                connection,
                actor=MANAGER,
                action="test.done",
                subject="test",
                details={},
                now=NOW,
            )
            raise KeyError("stop")

    with pytest.raises(KeyError):
        fail()
    assert audit_trail.count(register) == 0


def test_a_register_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    register = open_register(settings(tmp_path))
    with register.write() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    register.close()
    other = tmp_path / "other"
    shutil.copytree(tmp_path / "data", other / "data")
    with pytest.raises(RegisterError, match="newer Gatebook"):
        open_register(settings(other))


def test_another_kind_of_database_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEBOOK_REGISTER", "mysql://example.com/register")
    with pytest.raises(RegisterError, match="SQLite file or a PostgreSQL"):
        open_register(settings(tmp_path))


CHANGES = (
    "update decisions set comment = 'x'",
    "delete from decisions",
    "update audit_events set actor_name = 'x'",
    "delete from audit_events",
    "update review_items set risk = 'none'",
    "delete from attestations",
)


def refuses_changes(review: Review) -> None:
    """Check that recorded rows can be neither changed nor deleted."""
    review.decide(
        review.answer("ada", Decision.KEEP),
        review.answer("bob", Decision.KEEP),
        review.answer("eve", Decision.REVOKE),
    )
    attestations.attest(review.register, BOSS, review.campaign_id, NOW)
    for change in CHANGES:
        with (
            pytest.raises(RegisterError, match="append-only"),
            review.register.write() as connection,
        ):
            connection.execute(text(change))


def two_decide_at_once(review: Review) -> None:
    """Check that of two people deciding on what both saw, one is told so."""
    answers = [
        review.answer("ada", Decision.KEEP),
        review.answer("ada", Decision.REVOKE),
    ]
    ready = threading.Barrier(len(answers))
    refused: list[DecisionError] = []

    def decide(number: int) -> None:
        ready.wait()
        try:
            review.decide(answers[number])
        except DecisionError as error:
            refused.append(error)

    threads = [threading.Thread(target=decide, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.code for error in refused for one in error.problems] == [
        "ALREADY_DECIDED"
    ]
    history = attestations.history(review.register, review.campaign_id)
    assert history["version"].to_list() == [1]


def many_write_at_once(review: Review) -> None:
    """Check that the chain holds when many threads record."""

    def write() -> None:
        for _ in range(5):
            with review.register.write() as connection:
                audit_trail.record(
                    connection,
                    actor=MANAGER,
                    action="test.done",
                    subject="test",
                    details={},
                    now=NOW,
                )

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert audit_trail.count(review.register, subject="test") == 30
    audit_trail.verify_chain(review.register)


def goes_from_opening_to_closing(review: Review) -> None:
    """Check the whole life of a campaign."""
    returned = review.receive(fill(review.issue().content, ALL, name="Boss"))
    assert returned.problems == ()
    review.confirm(returned)
    review.decide(review.answer("boss", Decision.KEEP), actor=CEO)
    attestations.attest(review.register, CEO, review.campaign_id, NOW)
    closed = campaigns.close_campaign(review.register, MANAGER, review.campaign_id, NOW)
    assert closed.closed_at == NOW
    assert audit_trail.verify_chain(review.register) == audit_trail.count(
        review.register
    )


@pytest.fixture
def review(company: Company) -> Review:
    return opened(staff(company))


def test_recorded_rows_never_change(review: Review) -> None:
    refuses_changes(review)


def test_insert_or_replace_does_not_slip_past_the_triggers(review: Review) -> None:
    replace = "insert or replace into audit_events select * from audit_events"
    with (
        pytest.raises(RegisterError, match="append-only"),
        review.register.write() as connection,
    ):
        connection.execute(text(replace))


def test_two_people_deciding_at_once_are_put_in_order(review: Review) -> None:
    two_decide_at_once(review)


def test_the_chain_holds_under_many_writers(review: Review) -> None:
    many_write_at_once(review)


# PostgreSQL ---------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a PostgreSQL of our own on loopback; give the URL of its server."""
    initdb, postgres = _program("initdb"), _program("postgres")
    folder = tmp_path_factory.mktemp("postgresql")
    as_user = []
    if os.geteuid() == 0:  # the server refuses root
        for parent in (folder, *folder.parents[:3]):
            parent.chmod(parent.stat().st_mode | 0o055)
        shutil.chown(folder, "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    data = folder / "data"
    subprocess.run(
        [*as_user, initdb, "-D", str(data), "-A", "trust", "-U", "postgres"],
        check=True,
        capture_output=True,
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            # Its socket goes into its own folder, its port is free and on loopback.
            [
                *as_user,
                postgres,
                f"-D{data}",
                f"-p{port}",
                "-h127.0.0.1",
                f"-k{folder}",
            ],
            stdout=log,
            stderr=log,
        )
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    try:
        _wait_for(url)
        yield url
    finally:
        pid = int((data / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGINT)
        server.wait(timeout=30)


def _program(name: str) -> str:
    """Return a program of the server; Debian keeps them off the path."""
    beside = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    found = shutil.which(name) or next(map(str, beside), None)
    assert found, f"{name} is missing: apt-get install postgresql"
    return found


def _wait_for(url: str) -> None:
    for _ in range(200):
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("PostgreSQL did not start")


@pytest.fixture
def review_on_postgresql(
    company: Company, postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Review]:
    name = f"review_{time.monotonic_ns()}"
    with psycopg.connect(postgresql, autocommit=True) as server:
        server.execute(f"create database {name}".encode())
    url = postgresql.rsplit("/", 1)[0] + f"/{name}"
    monkeypatch.setenv("GATEBOOK_REGISTER", url)
    review = opened(staff(company))
    yield review
    review.register.close()


@pytest.mark.parametrize(
    "claim",
    [
        refuses_changes,
        two_decide_at_once,
        many_write_at_once,
        goes_from_opening_to_closing,
    ],
    ids=lambda claim: claim.__name__,
)
def test_postgresql_keeps_the_same_promises(
    review_on_postgresql: Review, claim: Callable[[Review], None]
) -> None:
    claim(review_on_postgresql)


def test_postgresql_holds_exactly_the_declared_tables(
    review_on_postgresql: Review,
) -> None:
    with review_on_postgresql.register.read() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, METADATA) == []
