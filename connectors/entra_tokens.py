"""Tokens of Entra ID for an application, by secret or by certificate, through msal.

Not a connector: how ``entra_id`` signs in. msal talks by requests, which would listen
to the environment for certificates and proxies and follow redirects: this session does
neither, and reaches no host but the authority's.

Source: Microsoft identity platform, OAuth 2.0 client credentials flow.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msal  # type: ignore[import-untyped]
import requests
import stamina
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from connectors import web
from connectors.web import Credentials
from governance.schema import ExtractError

_BLOCK = re.compile(r"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----", re.DOTALL)
_PASSING = (429, 500, 502, 503, 504)
_WORDS = 200


def credentials(
    *,
    authority: str,
    tenant: str,
    client_id: str,
    secret: str | None,
    certificate: str | None,
    scope: str,
    ca_file: Path | None,
) -> Credentials:
    """Return a fresh token as the header of a request.

    Args:
        authority: address of the sign-in, without the tenant.
        tenant: its id or a domain of it.
        client_id: of the registered application.
        secret: of the application; or
        certificate: its private key and certificate, both in PEM.
        scope: what the token is for.
        ca_file: certificates to trust instead of the system's.

    Raises:
        ExtractError: the authority cannot be reached or verified, names another host,
            or refuses the application. Names the authority, never a secret.
    """
    proof = secret if certificate is None else _proof(certificate)
    where = f"{urlsplit(authority).netloc}/{tenant}"
    try:
        told = _acquire(authority, tenant, client_id, proof, scope, ca_file)
    except requests.exceptions.SSLError as error:
        raise ExtractError(
            f"{where}: its certificate cannot be verified; have it mended, or name "
            "your own CA's file as ca_file"
        ) from error
    except requests.exceptions.InvalidSchema as error:
        raise ExtractError(
            f"{where}: sends us on to another host to sign in; nothing was sent there, "
            "mend authority in gatebook.toml"
        ) from error
    except requests.exceptions.TooManyRedirects as error:
        raise ExtractError(
            f"{where}: redirects, which is not followed; mend authority in "
            "gatebook.toml"
        ) from error
    except (requests.exceptions.RequestException, OSError) as error:
        raise ExtractError(
            f"{where}: cannot be reached to sign in, or keeps failing; pull again "
            "later, or mend authority or ca_file in gatebook.toml"
        ) from error
    except (ValueError, RuntimeError) as error:
        # msal quotes what it was sent; the causes are a wrong tenant or a wrong host.
        raise ExtractError(
            f"{where}: does not answer as a sign-in of Entra ID; mend tenant or "
            "authority, or the certificate, in gatebook.toml"
        ) from error
    if not isinstance(told.get("access_token"), str):
        raise ExtractError(f"{where}: refuses the application{_said(told, secret)}")
    return Credentials(headers={"Authorization": f"Bearer {told['access_token']}"})


def _acquire(
    authority: str,
    tenant: str,
    client_id: str,
    proof: object,
    scope: str,
    ca_file: Path | None,
) -> Mapping[str, Any]:
    """Ask msal, and once more where the connection broke."""
    passing = (
        requests.exceptions.ConnectionError,
        requests.exceptions.Timeout,
        requests.exceptions.ChunkedEncodingError,
    )
    for attempt in stamina.retry_context(
        on=lambda error: (
            isinstance(error, passing)
            and not isinstance(error, requests.exceptions.SSLError)
        ),
        attempts=web.LIMITS.tries,
        timeout=None,
        wait_initial=web.LIMITS.first_wait,
    ):
        with attempt, _session(authority, ca_file) as session:
            # A new one each time: msal would repeat an error, and an expired token.
            application = msal.ConfidentialClientApplication(
                client_id,
                client_credential=proof,
                authority=f"{authority}/{tenant}",
                # Else it asks Microsoft about authorities that it does not know.
                instance_discovery=False,
                http_client=session,
            )
            told: Mapping[str, Any] = application.acquire_token_for_client([scope])
    return told


def _session(authority: str, ca_file: Path | None) -> requests.Session:
    """Return a session for one host, deaf to the environment."""
    session = requests.Session()
    session.trust_env = False
    session.max_redirects = 0
    if ca_file is not None:
        if not ca_file.is_file():
            raise ExtractError(
                f"{ca_file.name}: is no file of certificates; mend ca_file in "
                "gatebook.toml"
            )
        session.verify = str(ca_file)
    session.adapters.clear()
    session.mount(f"https://{urlsplit(authority).netloc}/", _Patient())
    return session


class _Patient(HTTPAdapter):
    """Sends with a limit of time, and again after an error that passes by itself."""

    def __init__(self) -> None:
        limits = web.LIMITS
        super().__init__(
            max_retries=Retry(
                total=limits.tries - 1,
                status_forcelist=_PASSING,
                allowed_methods=None,
                backoff_factor=limits.first_wait,
                respect_retry_after_header=True,
                redirect=False,
            )
        )

    def send(self, *args: Any, **named: Any) -> requests.Response:  # noqa: ANN401
        if named.get("timeout") is None:
            named["timeout"] = (web.LIMITS.connect, web.LIMITS.silence)
        return super().send(*args, **named)


def _proof(certificate: str) -> dict[str, str]:
    """Return msal's form of a key and its certificate, whose thumbprint it computes.

    Raises:
        ExtractError: one of the two is not there.
    """
    blocks = {found.group(1): found.group(0) for found in _BLOCK.finditer(certificate)}
    key = next((pem for name, pem in blocks.items() if name.endswith("KEY")), None)
    if key is None or "CERTIFICATE" not in blocks or "ENCRYPTED" in key:
        raise ExtractError(
            "certificate: does not hold a private key without password and its "
            "certificate, both in PEM; put them into one file that only we may read"
        )
    return {"private_key": key, "public_certificate": blocks["CERTIFICATE"]}


def _said(told: Mapping[str, Any], secret: str | None) -> str:
    """Return the authority's own words and what to do about them."""
    words = " ".join(str(told.get("error_description") or "").split())
    if secret and secret in words:
        words = ""
    code = told.get("error", "without saying why")
    said = f"{code}: {words[:_WORDS]}" if words else str(code)
    return f" ({said}); renew its secret or certificate, or mend tenant or client_id"
