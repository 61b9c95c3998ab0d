"""A token endpoint of a tenant, for applications, on the loopback HTTPS server.

It does what msal needs of Entra ID and verifies what msal sends: discovery, then
``client_credentials`` by ``client_secret_post`` or by ``private_key_jwt``, whose
signature, audience, issuer, lifetime, single use and thumbprint are all checked.

Source: OpenID Connect Discovery 1.0; RFC 6749 (4.4); RFC 7523 (3).
"""

import base64
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.replay_server import Asked, ReplayServer, Reply

TENANT = "example.test"
CLIENT = "00000000-0000-4000-8000-000000000001"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(kw_only=True)
class OpenidProvider:
    """The sign-in of one tenant, which knows one application."""

    server: ReplayServer
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    certificate: x509.Certificate | None = None
    tokens: set[str] = field(default_factory=set)
    """Those good at this moment; a test may take one away."""
    scopes: list[str] = field(default_factory=list)
    _used: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Lay out discovery and token endpoint."""
        self.server.routes |= {
            f"/{TENANT}/v2.0/.well-known/openid-configuration": Reply(
                body={
                    "issuer": f"{self.server.address}/{TENANT}/v2.0",
                    "authorization_endpoint": f"{self._base}/authorize",
                    "token_endpoint": f"{self._base}/token",
                    "jwks_uri": f"{self._base}/keys",
                    "response_types_supported": ["code"],
                    "subject_types_supported": ["pairwise"],
                    "id_token_signing_alg_values_supported": ["RS256"],
                }
            ),
            f"/{TENANT}/oauth2/v2.0/token": self._token,
        }

    @property
    def _base(self) -> str:
        return f"{self.server.address}/{TENANT}/oauth2/v2.0"

    def is_good(self, asked: Asked) -> bool:
        """Return whether a request bears a token of ours that is still good."""
        kind, _, token = asked.headers.get("authorization", "").partition(" ")
        return kind == "Bearer" and token in self.tokens

    def _token(self, asked: Asked) -> Reply:
        form = asked.form
        if form.get("grant_type") != "client_credentials":
            return _refusal("unsupported_grant_type", "only client_credentials")
        try:
            self._check(form)
        except (jwt.InvalidTokenError, ValueError) as error:
            return _refusal("invalid_client", f"AADSTS7000215: {error}")
        token = secrets.token_urlsafe(32)
        self.tokens.add(token)
        self.scopes.append(form.get("scope", ""))
        return Reply(
            body={"token_type": "Bearer", "expires_in": 3599, "access_token": token}
        )

    def _check(self, form: dict[str, str]) -> None:
        if form.get("client_id") != CLIENT:
            raise ValueError("no such application")
        if "client_assertion" not in form:
            if not hmac.compare_digest(form.get("client_secret", ""), self.secret):
                raise ValueError("invalid client secret provided")
            return
        assertion = form["client_assertion"]
        if self.certificate is None or form.get("client_assertion_type") != ASSERTION:
            raise ValueError("no certificate is registered")
        key = self.certificate.public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        claims = jwt.decode(
            assertion,
            key,
            algorithms=["PS256"],
            audience=f"{self._base}/token",
            issuer=CLIENT,
            options={"require": ["exp", "jti", "iss", "sub", "aud"]},
        )
        told = jwt.get_unverified_header(assertion).get("x5t#S256", "")
        # msal leaves the padding on, which RFC 7515 would not.
        thumbprint = self.certificate.fingerprint(hashes.SHA256())
        if base64.urlsafe_b64decode(told.rstrip("=") + "=") != thumbprint:
            raise ValueError("the thumbprint is not that of the certificate")
        if claims["sub"] != CLIENT or claims["jti"] in self._used:
            raise ValueError("an assertion is for one application, and for once")
        self._used.add(claims["jti"])


def _refusal(error: str, description: str) -> Reply:
    return Reply(status=401, body={"error": error, "error_description": description})


def application_certificate() -> tuple[x509.Certificate, str]:
    """Return a certificate signed by itself, and it with its private key as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gatebook.test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ) + certificate.public_bytes(serialization.Encoding.PEM)
    return certificate, pem.decode()
