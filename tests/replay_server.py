"""A real HTTPS server on loopback that answers as a source would, faults included.

Its certificate is signed by a certificate authority made for the one test run, so that
a client must verify it, and can. Routes answer with what they were given; a fault takes
the place of the n-th answer that the server gives.
"""

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer: JSON, or bytes as they are."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        """Return the body as a form."""
        return dict(parse_qsl(self.body.decode()))


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What happens instead of the answer. Without ``reply``: the answer, but spoilt."""

    reply: Reply | None = None
    cut: bool = False
    """The connection ends half-way through the body."""
    seconds: float = 0
    """Waited before the answer."""


TOO_MANY = Fault(reply=Reply(status=429, headers={"Retry-After": "0"}))
SERVER_ERROR = Fault(reply=Reply(status=500))
BAD_GATEWAY = Fault(reply=Reply(status=502))
UNAVAILABLE = Fault(reply=Reply(status=503, headers={"Retry-After": "0"}))
CUT = Fault(cut=True)
MALFORMED = Fault(reply=Reply(body=b'[{"id": "1", "na'))
FORBIDDEN = Fault(reply=Reply(status=403, body={"message": "not allowed"}))
EXPIRED = Fault(reply=Reply(status=401, body={"message": "token expired"}))

Route = Reply | Callable[[Asked], Reply]


@dataclass(kw_only=True)
class ReplayServer:
    """A running server."""

    address: str
    """``https://localhost:PORT``."""
    ca_file: Path
    routes: dict[str, Route] = field(default_factory=dict)
    """By path. A callable is given the request; a path without route answers 404."""
    faults: dict[int, Fault] = field(default_factory=dict)
    """By the number of the request, from 1."""
    faults_at: dict[str, Fault] = field(default_factory=dict)
    """By path, at every request."""
    asked: list[Asked] = field(default_factory=list)
    """Requests in the order they came."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def paths(self) -> list[str]:
        """Return the paths asked for, in order."""
        return [asked.path for asked in self.asked]


def pages(*bodies: Any, parameter: str = "page", **named: str) -> Route:
    """Return a route of pages whose next one stands in the Link header.

    ``parameter`` names the page in the query; ``named`` are further headers.
    """

    def answer(asked: Asked) -> Reply:
        number = int(asked.query.get(parameter, "0"))
        headers = dict(named)
        if number + 1 < len(bodies):
            host = asked.headers["host"]
            headers["Link"] = (
                f'<https://{host}{asked.path}>; rel="self", '
                f'<https://{host}{asked.path}?{parameter}={number + 1}>; rel="next"'
            )
        return Reply(body=bodies[number], headers=headers)

    return answer


@contextmanager
def replay_server(folder: Path) -> Iterator[ReplayServer]:
    """Start a server whose certificates are in the folder, and stop it at the end."""
    ca_file, chain = _certificates(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.daemon_threads = True
    running = ReplayServer(
        address=f"https://localhost:{server.server_address[1]}", ca_file=ca_file
    )
    server.RequestHandlerClass = _handler(running)
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(running: ReplayServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10
        # Headers and body are two writes: without it each answer waits 40 ms.
        disable_nagle_algorithm = True

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                self.close_connection = True  # The client hung up, or refused us.

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing: pytest's output is for the tests."""

        def _answer(self) -> None:
            url = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            asked = Asked(
                method=self.command,
                path=url.path,
                query=dict(parse_qsl(url.query, keep_blank_values=True)),
                headers={name.lower(): value for name, value in self.headers.items()},
                body=self.rfile.read(length),
            )
            with running.lock:
                running.asked.append(asked)
                number = len(running.asked)
            fault = running.faults.get(number) or running.faults_at.get(url.path)
            route = running.routes.get(url.path, Reply(status=404, body={}))
            if fault is not None and fault.seconds:
                threading.Event().wait(fault.seconds)
            if fault is not None and fault.reply is not None:
                reply = fault.reply
            else:
                reply = route if isinstance(route, Reply) else route(asked)
            self._send(reply, cut=fault is not None and fault.cut)

        def _send(self, reply: Reply, *, cut: bool) -> None:
            body = reply.body
            if not isinstance(body, bytes):
                body = b"" if body is None else json.dumps(body).encode()
            # Not send_response: its Date would stand beside one that a test gives.
            self.send_response_only(reply.status)
            for name, value in {
                "Content-Type": "application/json",
                **reply.headers,
            }.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if cut else body)
            self.close_connection |= cut

    return Handler


def _certificates(folder: Path) -> tuple[Path, Path]:
    """Write a new authority's certificate, and a key and certificate it signed."""
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
    key = ec.generate_private_key(ec.SECP256R1())

    def certificate(
        name: x509.Name, public_key: ec.EllipticCurvePublicKey
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(authority)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
        )

    own = authority_key.public_key()
    signed_authority = (
        certificate(authority, own)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        # Python 3.13 verifies strictly: an authority must say that it signs.
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(own), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    server = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    signed = (
        certificate(server, key.public_key())
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
            ),
            critical=False,
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(own), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )
    ca_file, chain = folder / "ca.pem", folder / "server.pem"
    ca_file.write_bytes(signed_authority.public_bytes(serialization.Encoding.PEM))
    chain.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return ca_file, chain
