"""Where a request may come from: the addresses this installation is served under."""

import os
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

ORIGINS_VARIABLE = "GATEBOOK_ORIGINS"
"""Comma-separated addresses people use, such as ``https://gatebook.example.com``."""
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


def allowed_origins() -> frozenset[str]:
    """Return the configured origins; empty means this machine only."""
    told = os.environ.get(ORIGINS_VARIABLE, "")
    return frozenset(part.strip().rstrip("/") for part in told.split(",") if part)


def is_known_host(connection: HTTPConnection) -> bool:
    """Return whether the Host header names this installation.

    A foreign name that was made to point here is refused, or its pages could read ours.
    """
    host = connection.headers.get("host", "")
    if allowed := allowed_origins():
        return host in {urlsplit(origin).netloc for origin in allowed}
    return _is_loopback(_name_of(host))


def is_same_origin(connection: HTTPConnection) -> bool:
    """Return whether the request's Origin is exactly this installation's own.

    A missing Origin is refused: browsers send one with every websocket and form.
    """
    origin = connection.headers.get("origin", "")
    if allowed := allowed_origins():
        return origin in allowed
    host = connection.headers.get("host", "")
    return origin == f"{_scheme(connection)}://{host}" and is_known_host(connection)


def is_local(connection: HTTPConnection) -> bool:
    """Return whether both ends of the connection are this very machine.

    True only without a proxy in between and under a loopback name, which is where the
    demo's persona chooser may stand.
    """
    server = connection.scope.get("server")
    client = connection.client
    return (
        client is not None
        and server is not None
        and _is_loopback(client.host)
        and _is_loopback(str(server[0]))
        and _is_loopback(_name_of(connection.headers.get("host", "")))
        and not any(name in connection.headers for name in _FORWARDED)
    )


def is_secure(connection: HTTPConnection) -> bool:
    """Return whether the browser reaches this installation under TLS."""
    if allowed := allowed_origins():
        return all(origin.startswith("https://") for origin in allowed)
    return _scheme(connection) == "https"


def _scheme(connection: HTTPConnection) -> str:
    scheme = connection.scope.get("scheme", "http")
    return {"ws": "http", "wss": "https"}.get(scheme, str(scheme))


def _name_of(host: str) -> str:
    try:
        name: str | None = urlsplit(f"//{host}").hostname
    except ValueError:
        return ""
    return name or ""


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
