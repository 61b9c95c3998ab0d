"""Who is signed in: sessions kept on the server, known to the browser by a token alone.

The gate opens and ends them; the pages look them up at every run. Both import this
module and neither imports the other. Sessions live in the memory of one process: a
restart signs everybody out.
"""

import hashlib
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from governance.app_roles import Actor

IDLE = timedelta(minutes=15)
"""Longest time between two things a person does."""
LIFETIME = timedelta(hours=8)
"""Longest time between signing in and having to do so again."""
COOKIE = "gatebook_session"
SECURE_COOKIE = f"__Host-{COOKIE}"
"""Name under TLS: browsers then take the cookie from this host alone."""


@dataclass(frozen=True, kw_only=True)
class AppSession:
    """One sign-in of one person in one browser."""

    session_id: str
    """Digest of the token: safe to log, useless to a thief."""
    actor: Actor
    form_token: str
    """What every form of this session must send back."""
    started_at: datetime
    seen_at: datetime

    def is_over(self, now: datetime) -> bool:
        """Return whether idle time or lifetime has run out."""
        return now - self.seen_at > IDLE or now - self.started_at > LIFETIME


class AppSessions:
    """The sessions in force. Only a hash of each token is kept."""

    def __init__(self) -> None:
        self._by_id: dict[str, AppSession] = {}
        self._lock = threading.Lock()

    def start(self, actor: Actor, now: datetime) -> str:
        """Start a session and return its token, which is shown this one time."""
        token = secrets.token_urlsafe(32)
        session = AppSession(
            session_id=_digest(token),
            actor=actor,
            form_token=secrets.token_urlsafe(32),
            started_at=now,
            seen_at=now,
        )
        with self._lock:
            self._by_id = {
                name: kept
                for name, kept in self._by_id.items()
                if not kept.is_over(now)
            }
            self._by_id[session.session_id] = session
        return token

    def find(
        self, token: str | None, now: datetime, *, is_use: bool = True
    ) -> AppSession | None:
        """Return the session a token opens, or None; using it keeps it alive.

        An ended, idle or outlived session is the same as none. ``is_use=False`` only
        looks: a connection that stays open by itself is not somebody at work.
        """
        if not token:
            return None
        with self._lock:
            session = self._by_id.get(_digest(token))
            if session is None:
                return None
            if session.is_over(now):
                del self._by_id[session.session_id]
                return None
            if is_use:
                session = replace(session, seen_at=now)
                self._by_id[session.session_id] = session
            return session

    def end(self, token: str | None) -> None:
        """End a session at once; an unknown token is no error."""
        if token:
            with self._lock:
                self._by_id.pop(_digest(token), None)

    def end_all(self, actor_id: str) -> int:
        """End every session of a person; return how many there were."""
        with self._lock:
            ended = [
                name
                for name, session in self._by_id.items()
                if session.actor.actor_id == actor_id
            ]
            for name in ended:
                del self._by_id[name]
        return len(ended)


SESSIONS = AppSessions()
"""The sessions of this process."""


def token_in(cookies: Mapping[str, str]) -> str | None:
    """Return the session token among a request's cookies, the TLS one first."""
    return cookies.get(SECURE_COOKIE) or cookies.get(COOKIE)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
