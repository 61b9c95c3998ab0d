"""A real OpenLDAP on loopback, started and stopped by the test that needs it."""

import base64
import datetime
import ipaddress
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_PATIENCE = 30.0
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
BASE = "dc=example,dc=com"
ROOT = f"cn=root,{BASE}"
READER = f"cn=reader,ou=services,{BASE}"
"""An ordinary account: the root one is above every limit."""
PASSWORD = "not-a-secret"

_CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
{schemas}
modulepath /usr/lib/ldap
moduleload back_mdb
{modules}
pidfile {folder}/slapd.pid
{tls}
{limits}
database mdb
maxsize 1073741824
suffix "{base}"
rootdn "{root}"
rootpw {password}
directory {folder}/db
dbnosync
index objectClass eq
{overlays}
{access}
"""
# The class of managed service accounts is not in Debian's file; its OID here is of the
# arc for examples.
_MICROSOFT_SCHEMA = """
include /etc/ldap/schema/msuser.schema
objectclass ( 1.3.6.1.4.1.32473.1 NAME 'msDS-GroupManagedServiceAccount'
  SUP computer STRUCTURAL )
"""
_EVERYONE = "access to * by * read"


@dataclass(frozen=True, kw_only=True)
class Slapd:
    """A running server."""

    port: int
    process: subprocess.Popen[bytes]
    ca_file: Path | None
    secure_port: int | None = None

    @property
    def url(self) -> str:
        """Return the URL without encryption, good for loopback only."""
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def secure_url(self) -> str:
        """Return the LDAPS URL, by the name its certificate bears."""
        return f"ldaps://localhost:{self.secure_port}"

    def search(self, *arguments: str, page: int = 500) -> str:
        """Return what ``ldapsearch`` prints as LDIF, paged, as the reader."""
        search = shutil.which("ldapsearch", path=_PATH)
        assert search, "install ldap-utils: apt-get install ldap-utils"
        return subprocess.run(
            [
                *(search, "-x", "-H", self.url, "-D", READER, "-w", PASSWORD),
                *("-b", BASE, "-E", f"pr={page}/noprompt", *arguments),
            ],
            check=True,
            capture_output=True,
            text=True,
        ).stdout


def entry(dn: str, **attributes: "str | bytes | Iterable[str | bytes]") -> str:
    """Return one entry as LDIF; ``_`` in a name stands for ``-``."""
    return record(
        dn, {name.replace("_", "-"): told for name, told in attributes.items()}
    )


def record(
    dn: str, attributes: "Mapping[str, str | bytes | Iterable[str | bytes]]"
) -> str:
    """Return one entry as LDIF, every value that needs it in base64."""
    lines = [_line("dn", dn)]
    for name, told in attributes.items():
        values = [told] if isinstance(told, str | bytes) else told
        lines += [_line(name, value) for value in values]
    return "\n".join(lines) + "\n\n"


def _line(name: str, value: str | bytes) -> str:
    raw = value.encode() if isinstance(value, str) else value
    is_plain = raw.isascii() and raw.decode().isprintable() and raw[:1] not in b" :<"
    if is_plain and not raw.endswith(b" "):
        return f"{name}: {raw.decode()}"
    return f"{name}:: {base64.b64encode(raw).decode()}"


def tree(*units: str) -> str:
    """Return the root entry, the reader, and organizational units as LDIF."""
    return "".join(
        [
            entry(
                BASE, objectClass=["dcObject", "organization"], dc="example", o="示例"
            ),
            entry(
                f"ou=services,{BASE}", objectClass="organizationalUnit", ou="services"
            ),
            entry(
                READER,
                objectClass=["organizationalRole", "simpleSecurityObject"],
                cn="reader",
                userPassword=PASSWORD,
            ),
            *(
                entry(f"ou={unit},{BASE}", objectClass="organizationalUnit", ou=unit)
                for unit in units
            ),
        ]
    )


@contextmanager
def slapd(
    folder: Path,
    ldif: str,
    *,
    microsoft: bool = False,
    tls: bool = False,
    limits: str = "sizelimit size.soft=500 size.hard=500 size.prtotal=unlimited",
    access: str = _EVERYONE,
    overlays: Iterable[str] = (),
) -> Iterator[Slapd]:
    """Start a server that holds the entries of ``ldif``, and stop it at the end.

    Args:
        folder: where its files go.
        ldif: entries, with ``entryUUID`` and times of their own if they matter.
        microsoft: load Microsoft's schema, too.
        tls: offer StartTLS and LDAPS, by a CA made here (``ca_file``).
        limits: what an ordinary account may read in one search.
        access: access rules; the root account is above them.
        overlays: such as ``memberof`` and ``ppolicy``.
    """
    server = shutil.which("slapd", path=_PATH)
    adder = shutil.which("slapadd", path=_PATH)
    assert server and adder, "install slapd: apt-get install slapd ldap-utils"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "db").mkdir()
    ca_file = None
    told_tls = ""
    if tls:
        ca_file = make_certificates(folder)
        told_tls = (
            f"TLSCACertificateFile {ca_file}\n"
            f"TLSCertificateFile {folder / 'server.pem'}\n"
            f"TLSCertificateKeyFile {folder / 'server.key'}\n"
        )
    config = folder / "slapd.conf"
    config.write_text(
        _CONFIG.format(
            schemas=_MICROSOFT_SCHEMA if microsoft else "",
            modules="\n".join(f"moduleload {name}" for name in overlays),
            folder=folder,
            tls=told_tls,
            limits=limits,
            base=BASE,
            root=ROOT,
            password=PASSWORD,
            overlays="\n".join(f"overlay {name}" for name in overlays),
            access=access,
        ),
        "utf-8",
    )
    source = folder / "entries.ldif"
    source.write_text(ldif, "utf-8")
    added = subprocess.run(
        # -s: Active Directory puts attributes where Debian's schema has none.
        [adder, "-q", "-s", "-f", str(config), "-l", str(source)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert added.returncode == 0, added.stderr
    port, secure_port = _free_port(), _free_port() if tls else None
    listeners = f"ldap://127.0.0.1:{port}"
    if secure_port:
        listeners += f" ldaps://127.0.0.1:{secure_port}"
    with (folder / "slapd.log").open("wb") as log:
        process = subprocess.Popen(
            [server, "-f", str(config), "-h", listeners, "-d", "0"],
            stdout=log,
            stderr=log,
        )
    try:
        _wait(port, process)
        yield Slapd(
            port=port, process=process, ca_file=ca_file, secure_port=secure_port
        )
    finally:
        process.terminate()
        try:
            process.wait(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert process.poll() is None, "slapd ended by itself"
            assert time.monotonic() < end, "slapd did not answer in time"
            time.sleep(0.05)
        else:
            return


def make_certificates(folder: Path) -> Path:
    """Make a CA and a certificate for localhost; return the file of the CA."""
    folder.mkdir(parents=True, exist_ok=True)
    authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in "12")
    authority = _name("Test CA")
    ca = (
        _builder(authority, authority, authority_key.public_key())
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
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
        .sign(authority_key, hashes.SHA256())
    )
    names = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.2")),
    ]
    # Python 3.13 verifies strictly: the certificate must say whose key signed it.
    signed_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(
        authority_key.public_key()
    )
    certificate = (
        _builder(_name("localhost"), authority, server_key.public_key())
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(signed_by, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(ca.public_bytes(pem))
    (folder / "server.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "server.key").write_bytes(
        server_key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return folder / "ca.pem"


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
    )
