"""Sessions end when idle, when old, and when told to."""

from datetime import UTC, datetime, timedelta

import pytest

from governance.app_roles import Actor, AppRole
from governance.app_sessions import (
    COOKIE,
    IDLE,
    LIFETIME,
    SECURE_COOKIE,
    AppSessions,
    token_in,
)

NOW = datetime(2026, 8, 1, 8, tzinfo=UTC)
ANN = Actor(actor_id="ann", name="Ann", role=AppRole.AUDITOR)
SECOND = timedelta(seconds=1)


def test_session_lives_as_long_as_it_is_used() -> None:
    sessions = AppSessions()
    token = sessions.start(ANN, NOW)
    for step in range(1, 10):
        found = sessions.find(token, NOW + step * IDLE)
        assert found is not None
        assert found.actor == ANN


@pytest.mark.parametrize(("idle", "is_over"), [(IDLE, False), (IDLE + SECOND, True)])
def test_idle_session_ends(idle: timedelta, is_over: bool) -> None:
    sessions = AppSessions()
    token = sessions.start(ANN, NOW)
    assert (sessions.find(token, NOW + idle) is None) is is_over
    assert (sessions.find(token, NOW) is None) is is_over


def test_session_ends_after_its_lifetime_however_busy() -> None:
    sessions = AppSessions()
    token = sessions.start(ANN, NOW)
    at = NOW
    while at + IDLE <= NOW + LIFETIME:
        at += IDLE
        assert sessions.find(token, at) is not None
    assert sessions.find(token, NOW + LIFETIME + SECOND) is None


def test_a_mere_look_does_not_keep_a_session_alive() -> None:
    sessions = AppSessions()
    token = sessions.start(ANN, NOW)
    assert sessions.find(token, NOW + IDLE, is_use=False) is not None
    assert sessions.find(token, NOW + IDLE + SECOND) is None


def test_ended_sessions_open_nothing() -> None:
    sessions = AppSessions()
    first, second = sessions.start(ANN, NOW), sessions.start(ANN, NOW)
    sessions.end(first)
    assert sessions.find(first, NOW) is None
    assert sessions.find(second, NOW) is not None
    assert sessions.end_all("ann") == 1
    assert sessions.find(second, NOW) is None


@pytest.mark.parametrize("token", [None, "", "x", "0" * 64])
def test_unknown_token_opens_nothing(token: str | None) -> None:
    sessions = AppSessions()
    sessions.start(ANN, NOW)
    assert sessions.find(token, NOW) is None


def test_only_a_digest_of_the_token_is_kept() -> None:
    sessions = AppSessions()
    token = sessions.start(ANN, NOW)
    assert token not in repr(vars(sessions))


def test_cookie_of_tls_goes_before_the_plain_one() -> None:
    assert token_in({COOKIE: "plain", SECURE_COOKIE: "tls"}) == "tls"
    assert token_in({}) is None
