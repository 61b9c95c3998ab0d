"""The audit trail shows every change that was made behind its back."""

import hashlib
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import rfc8785

from governance import audit_trail
from governance.app_roles import Actor, AppRole
from governance.audit_trail import AuditTrailError
from governance.register import Register, open_register
from tests.company import settings
from tests.review import MANAGER, NOW

Change = Callable[[sqlite3.Connection], object]


@pytest.fixture
def register(tmp_path: Path) -> Register:
    return open_register(settings(tmp_path))


def record(register: Register, number: int) -> int:
    with register.write() as connection:
        return audit_trail.record(
            connection,
            actor=MANAGER,
            action="test.done",
            subject=f"subject {number}",
            details={"number": number, "at": NOW, "on": NOW.date(), "role": "王"},
            now=NOW,
        )


def meddle(folder: Path, change: Change) -> None:
    """Change the file as somebody with access to it can: without our triggers."""
    connection = sqlite3.connect(folder / "data" / "register.sqlite")
    for kind in ("update", "delete"):
        connection.execute(f"drop trigger audit_events_no_{kind}")
    change(connection)
    connection.commit()
    connection.close()


def test_events_are_numbered_from_one_and_verify(register: Register) -> None:
    assert [record(register, number) for number in range(3)] == [1, 2, 3]
    assert audit_trail.verify_chain(register) == 3


def test_an_empty_trail_verifies(register: Register) -> None:
    assert audit_trail.verify_chain(register) == 0
    assert audit_trail.head(register).seq == 0


def test_events_read_newest_first_a_page_at_a_time(register: Register) -> None:
    for number in range(3):
        record(register, number)
    page = audit_trail.events(register, limit=1, offset=1)
    assert page["seq"].to_list() == [2]
    assert json.loads(page["details"].item())["role"] == "王"
    only = audit_trail.events(register, limit=10, subject="subject 0")
    assert only["seq"].to_list() == [1]


def test_the_chain_can_be_recomputed_without_us(
    register: Register, tmp_path: Path
) -> None:
    record(register, 0)
    record(register, 1)
    path = tmp_path / "data" / "register.sqlite"
    with closing(sqlite3.connect(path)) as file:
        rows = file.execute(
            "select body, chain from audit_events order by seq"
        ).fetchall()
    chain = bytes(32)
    for body, told in rows:
        leaf = hashlib.sha256(b"\x00" + body).digest()
        chain = hashlib.sha256(b"gatebook audit trail 1\x00" + chain + leaf).digest()
        assert chain.hex() == told
        assert rfc8785.dumps(json.loads(body)) == body


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda file: file.execute(
                "update audit_events set body = replace(body, '1', '7') where seq = 2"
            ),
            "event 2 was altered",
        ),
        (
            lambda file: file.execute(
                "update audit_events set actor_name = 'Eve' where seq = 1"
            ),
            "event 1 was altered",
        ),
        (
            lambda file: file.execute(
                "update audit_events set at = '2020-01-01 00:00:00.000000' "
                "where seq = 3"
            ),
            "event 3 was altered",
        ),
        (
            lambda file: file.execute("delete from audit_events where seq = 2"),
            "event 2 is missing",
        ),
        (
            lambda file: file.executescript(
                "update audit_events set seq = 9 where seq = 1;"
                "update audit_events set seq = 1 where seq = 2;"
                "update audit_events set seq = 2 where seq = 9;"
            ),
            "event 1 was altered",
        ),
    ],
    ids=["body", "actor", "time", "deleted", "reordered"],
)
def test_meddling_is_found_and_named(
    register: Register, tmp_path: Path, change: Change, sentence: str
) -> None:
    for number in range(3):
        record(register, number)
    meddle(tmp_path, change)
    with pytest.raises(AuditTrailError, match=sentence):
        audit_trail.verify_chain(register)


def test_a_rewritten_event_does_not_fit_the_next_one(
    register: Register, tmp_path: Path
) -> None:
    for number in range(3):
        record(register, number)

    def rewrite(file: sqlite3.Connection) -> None:
        (body,) = file.execute("select body from audit_events where seq = 1").fetchone()
        body = body.replace(b"Sam", b"Tom")
        leaf = audit_trail.leaf_hash(body)
        chain = audit_trail.chain_hash(bytes(32), leaf)
        file.execute(
            "update audit_events set body = ?, actor_name = 'Tom', leaf = ?, chain = ? "
            "where seq = 1",
            (body, leaf.hex(), chain.hex()),
        )

    meddle(tmp_path, rewrite)
    with pytest.raises(AuditTrailError, match="event 2 was altered"):
        audit_trail.verify_chain(register)


def test_a_trail_cut_short_differs_from_a_head_kept_elsewhere(
    register: Register, tmp_path: Path
) -> None:
    record(register, 0)
    record(register, 1)
    kept = audit_trail.head(register)
    meddle(tmp_path, lambda file: file.execute("delete from audit_events where seq=2"))
    assert audit_trail.verify_chain(register) == 1
    assert audit_trail.head(register) != kept


def test_what_has_no_canonical_form_is_refused(register: Register) -> None:
    with (
        pytest.raises(AuditTrailError, match=r"test\.done"),
        register.write() as connection,
    ):
        audit_trail.record(
            connection,
            actor=Actor(actor_id="x", name="X", role=AppRole.OPERATOR),
            action="test.done",
            subject="x",
            details={"number": float("nan")},
            now=NOW,
        )
    assert audit_trail.count(register) == 0
