"""Default deny: the middleware that every request and websocket passes first.

What is not listed here does not exist. Streamlit's own media, upload, metrics, agent
and component paths carry no access check, so they answer 404 to everybody.
"""

import re
from collections.abc import Callable, Iterable, MutableMapping
from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gate import headers, origins
from governance.app_sessions import SESSIONS, AppSession, token_in

SESSION = "gatebook.session"
"""Where a request's scope holds its session for the gate's own routes."""
SESSION_HEADER = b"x-gatebook-session"
"""Tells Streamlit which sign-in a websocket belongs to; never taken from a client."""
SIGN_IN = "/sign-in"

_READ = frozenset({"GET", "HEAD"})
_BOTH = _READ | {"POST"}
_OPEN: dict[str, frozenset[str]] = {SIGN_IN: _BOTH, "/_stcore/health": _READ}
"""What anybody may ask for."""
_ASSET = re.compile(r"/static/[A-Za-z0-9_-][A-Za-z0-9._/-]*")
"""Streamlit's program files: they hold no data, and a page that outlives its session
must still be able to say so."""
_PAGE = re.compile(r"/([a-z]+(-[a-z]+)*)?")
_SIGNED_IN: tuple[tuple[re.Pattern[str], frozenset[str]], ...] = (
    (_PAGE, _READ),
    (re.compile(r"/favicon\.png|/_stcore/host-config"), _READ),
    (re.compile(r"/download/[a-z]+/[^/]+(/.+)?"), _READ),
    (re.compile(r"/upload/workbook"), _BOTH),
)
_STREAM = "/_stcore/stream"
_POLICY_VIOLATION = 1008


class Gate:
    """ASGI middleware around the whole application."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through to the application, or answer it here."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        session = SESSIONS.find(token_in(connection.cookies), self._clock())
        scope["headers"] = _told_by_the_gate(scope["headers"], session)
        scope[SESSION] = session
        if scope["type"] == "websocket":
            if _may_stream(connection, session):
                await self._app(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            return
        answer = _refusal(connection, scope["method"], session) or self._app
        await answer(scope, receive, _with_headers(connection, send))


def session_of(scope: MutableMapping[str, Any]) -> AppSession | None:
    """Return the session the gate found for a request."""
    session: AppSession | None = scope.get(SESSION)
    return session


def _told_by_the_gate(
    told: Iterable[tuple[bytes, bytes]], session: AppSession | None
) -> list[tuple[bytes, bytes]]:
    kept = [(name, value) for name, value in told if name.lower() != SESSION_HEADER]
    if session is not None:
        kept.append((SESSION_HEADER, session.session_id.encode()))
    return kept


def _may_stream(connection: HTTPConnection, session: AppSession | None) -> bool:
    return (
        connection.scope["path"] == _STREAM
        and session is not None
        and origins.is_known_host(connection)
        and origins.is_same_origin(connection)
    )


def _refusal(
    connection: HTTPConnection, method: str, session: AppSession | None
) -> Response | None:
    """Return the answer that stops a request here, or None to let it through."""
    path = connection.scope["path"]
    if not origins.is_known_host(connection):
        return PlainTextResponse("Misdirected request", status_code=421)
    if ".." in path or "//" in path:
        return _not_found()
    if method not in _BOTH:
        return _not_found()
    if method == "POST" and not origins.is_same_origin(connection):
        return PlainTextResponse("Request from another site refused", status_code=403)
    if method in _OPEN.get(path, ()) or (method in _READ and _ASSET.fullmatch(path)):
        return None
    listed = any(
        pattern.fullmatch(path) and method in methods for pattern, methods in _SIGNED_IN
    )
    if not listed:
        return _not_found()
    if session is None:
        # The same answer for every page, so that it tells nothing about any of them.
        return RedirectResponse(SIGN_IN, status_code=303)
    return None


def _not_found() -> Response:
    return PlainTextResponse("Not found", status_code=404)


def _with_headers(connection: HTTPConnection, send: Send) -> Send:
    """Return a ``send`` that adds the security headers to every answer."""
    is_secure = origins.is_secure(connection)
    is_asset = _ASSET.fullmatch(connection.scope["path"]) is not None

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            answered = MutableHeaders(scope=message)
            for name, value in headers.ALWAYS.items():
                answered[name] = value
            if is_secure:
                for name, value in headers.UNDER_TLS.items():
                    answered[name] = value
            if not is_asset:
                for name, value in headers.NOT_KEPT.items():
                    answered[name] = value
            if "content-security-policy" not in answered:
                answered["Content-Security-Policy"] = headers.application_policy()
            if is_secure:
                _secure_cookies(message)
        await send(message)

    return send_with_headers


def _secure_cookies(message: Message) -> None:
    """Mark the cookies that Streamlit sets itself as for TLS only."""
    message["headers"] = [
        (
            name,
            value + b"; Secure"
            if name.lower() == b"set-cookie" and b"secure" not in value.lower()
            else value,
        )
        for name, value in message["headers"]
    ]
