"""Forms of the gate: read with a limit, and only if this very browser was given one."""

import hashlib
import hmac
import secrets
from urllib.parse import parse_qs

from starlette.requests import Request

FORM_COOKIE = "gatebook_form"
FORM_FIELD = "form_token"
_KEY = secrets.token_bytes(32)
_SMALL = 8 * 1024


class TooLargeError(Exception):
    """The body is larger than the form may be."""


def new_form_cookie() -> str:
    """Return a random value that ties a form to the browser it is shown in."""
    return secrets.token_urlsafe(32)


def form_token(cookie: str) -> str:
    """Return the token a form must send back beside the cookie it was shown with."""
    return hmac.new(_KEY, cookie.encode(), hashlib.sha256).hexdigest()


def is_own_form(request: Request, sent: str) -> bool:
    """Return whether the form was made for the browser that sends it."""
    cookie = request.cookies.get(FORM_COOKIE, "")
    return bool(cookie) and hmac.compare_digest(form_token(cookie), sent)


async def body_of(request: Request, limit: int = _SMALL) -> bytes:
    """Read a request's body.

    Raises:
        TooLargeError: it is longer than ``limit`` bytes; the rest is not read.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise TooLargeError
    return bytes(body)


async def small_form(request: Request) -> dict[str, str]:
    """Read a short form; of a field sent twice the first counts.

    Raises:
        TooLargeError: the form is not short.
    """
    text = (await body_of(request)).decode("utf-8", "replace")
    return {name: values[0] for name, values in parse_qs(text).items()}
