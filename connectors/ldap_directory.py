"""Entries of a live directory: LDAPS or StartTLS, paged to the end, read-only.

Not a connector: how ``ldap`` asks a server. Every search names its attributes, none is
a credential; aliases and referrals are never followed, for a referral would carry the
bind password to a host nobody named.
"""

import ipaddress
import ssl
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from connectors.connector import RawExport, RawTable
from connectors.ldap_attributes import (
    GROUPS,
    OTHERS,
    USERS,
    Wanted,
)
from connectors.ldap_entries import (
    REPORT,
    EntryRows,
    Report,
    Value,
    dn_key,
    is_inside,
    without_ranges,
)
from governance.schema import ExtractError

with warnings.catch_warnings():
    # ldap3 2.9.1 calls pyasn1 by names it has given up. Elsewhere a warning stays one.
    warnings.filterwarnings("ignore", "(tagMap|typeMap) is", DeprecationWarning)
    import ldap3  # type: ignore[import-untyped]
    from ldap3.core.exceptions import (  # type: ignore[import-untyped]
        LDAPCommunicationError,
        LDAPException,
        LDAPInvalidFilterError,
        LDAPSocketOpenError,
        LDAPStartTLSError,
    )

_CONNECT_SECONDS = 10
_RECEIVE_SECONDS = 120
_ENTRY = "searchResEntry"
_REFERENCE = "searchResRef"
_PAGED_RESULTS = "1.2.840.113556.1.4.319"
_LOOKED_UP = 1_000
"""Members outside users and groups that are looked up one by one, at most."""

_SUCCESS = 0
_TIME_LIMIT = 3
_SIZE_LIMIT = 4
_STRONGER_AUTH = 8
_ADMIN_LIMIT = 11
_NO_CRITICAL_EXTENSION = 12
_CONFIDENTIALITY = 13
_NO_SUCH_OBJECT = 32
_INVALID_CREDENTIALS = 49
_NO_ACCESS = 50
_UNWILLING = 53
_PAGING_REFUSED = (_ADMIN_LIMIT, _NO_CRITICAL_EXTENSION, _UNWILLING)
"""Codes for "no paging here"; slapd says it with that of an administrative limit."""
_LIMITS = {
    _TIME_LIMIT: "the server's time limit",
    _SIZE_LIMIT: "the server's size limit",
    _ADMIN_LIMIT: "an administrative limit of the server",
}
"""Result codes that end a search early, with what was found so far. RFC 4511."""


@dataclass(frozen=True, kw_only=True)
class Directory:
    """Where a directory is and who asks."""

    url: str
    start_tls: bool
    ca_file: Path | None
    bind_dn: str | None
    password: str | None
    base: str
    page_size: int
    filters: Mapping[str, str]
    """By kind of entry; the operator's own or that of ``Wanted``."""

    def __repr__(self) -> str:
        return f"Directory({self.url})"


def problem_of_url(url: str, *, start_tls: bool) -> str | None:
    """Return what is wrong with a URL, null if a password may travel there."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "is not a URL such as ldaps://dc1.example.com"
    if parts.scheme not in ("ldap", "ldaps") or not parts.hostname or port == 0:
        return "is not a URL such as ldaps://dc1.example.com"
    if parts.username or parts.password or parts.path.strip("/") or parts.query:
        return "names more than a host and a port; use bind_dn, password and base"
    if parts.scheme == "ldaps" and start_tls:
        return "is encrypted already; drop start_tls, or write ldap://"
    if parts.scheme == "ldap" and not start_tls and not _is_loopback(parts):
        return "is not encrypted; write ldaps://, or add start_tls = true"
    return None


def _is_loopback(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_directory(directory: Directory, wanted: Mapping[str, Wanted]) -> RawExport:
    """Read users, then groups, then what groups name besides.

    Raises:
        ExtractError: the server cannot be reached or trusted, refuses the bind, does
            not let the users be read, or goes away before the last entry.
    """
    asked_at = datetime.now(UTC)
    report = Report()
    tables: dict[str, RawTable] = {}
    with _named(directory), _connected(directory) as connection:
        reading = _Reading(directory, connection, report)
        for kind, one in wanted.items():
            rows = reading.search(kind, one)
            if rows is not None:
                tables[kind] = rows.table(kind, reading.shown(kind))
        others = reading.look_up(_strangers(tables, directory.base))
        tables[OTHERS] = others.table(OTHERS, reading.shown(OTHERS))
    tables[REPORT] = report.table(directory.url)
    return RawExport(tables=tables, extracted_at=asked_at, method="LDAP")


# Connection ---------------------------------------------------------------------------


class _VerifiedTls(ldap3.Tls):  # type: ignore[misc]
    """TLS as Python's ssl verifies it: chain, dates and host name."""

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:  # noqa: ANN401, ARG002
        """Put TLS around the socket, and always shake hands at once."""
        context = ssl.create_default_context(cafile=self.ca_certs_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        connection.socket = context.wrap_socket(
            connection.socket, server_hostname=connection.server.host
        )


@contextmanager
def _connected(directory: Directory) -> Iterator[Any]:
    parts = urlsplit(directory.url)
    ca_file = directory.ca_file
    if ca_file is not None and not ca_file.is_file():
        raise ExtractError(
            f"{ca_file}: no such file; put the certificate of your CA there (PEM), or "
            "mend ca_file in gatebook.toml"
        )
    server = ldap3.Server(
        parts.hostname,
        port=parts.port or (636 if parts.scheme == "ldaps" else 389),
        use_ssl=parts.scheme == "ldaps",
        tls=_VerifiedTls(
            validate=ssl.CERT_REQUIRED,
            ca_certs_file=None if ca_file is None else str(ca_file),
        ),
        get_info=ldap3.NONE,
        connect_timeout=_CONNECT_SECONDS,
    )
    connection = ldap3.Connection(
        server,
        user=directory.bind_dn,
        password=directory.password,
        authentication=ldap3.SIMPLE if directory.bind_dn else ldap3.ANONYMOUS,
        read_only=True,
        auto_referrals=False,
        auto_range=False,
        return_empty_attributes=False,
        check_names=False,
        receive_timeout=_RECEIVE_SECONDS,
    )
    try:
        connection.open(read_server_info=False)
        if directory.start_tls:
            connection.start_tls(read_server_info=False)
        if not connection.bind(read_server_info=False):
            raise _refused_bind(directory, connection.result)
        yield connection
    finally:
        with _quiet():
            connection.unbind()
        # ldap3 keeps a socket open that could not be connected.
        if connection.socket is not None:
            connection.socket.close()


@contextmanager
def _quiet() -> Iterator[None]:
    """Let a farewell fail: the server may be the one that left."""
    try:
        yield
    except (LDAPException, OSError):
        return


@contextmanager
def _named(directory: Directory) -> Iterator[None]:
    """Turn what ldap3 raises into one sentence that names the server."""
    try:
        yield
    except (LDAPSocketOpenError, LDAPStartTLSError, OSError, LDAPException) as error:
        told = " ".join(str(error).split())
        if "CERTIFICATE_VERIFY_FAILED" in told or "certificate" in told.lower():
            raise ExtractError(
                f"{directory.url}: the server's certificate cannot be trusted ("
                f"{_reason(told)}); name the CA that issued it with ca_file, and the "
                "server as its certificate does"
            ) from error
        if isinstance(error, LDAPStartTLSError):
            raise ExtractError(
                f"{directory.url}: the server does not start TLS ({_reason(told)}); "
                "use ldaps://, or give the server a certificate"
            ) from error
        if isinstance(error, LDAPSocketOpenError):
            raise ExtractError(
                f"{directory.url}: cannot be reached ({_reason(told)}); check host, "
                "port and firewall"
            ) from error
        if isinstance(error, LDAPInvalidFilterError):
            raise ExtractError(
                f"{directory.url}: user_filter or group_filter is not a filter of LDAP "
                "(RFC 4515), as (objectClass=person) is; mend it in gatebook.toml"
            ) from error
        if isinstance(error, (LDAPCommunicationError, OSError)):
            raise ExtractError(
                f"{directory.url}: the server went away before the last entry was read "
                f"({_reason(told)}); nothing of this pull is kept, try again"
            ) from error
        raise ExtractError(
            f"{directory.url}: the server's answer cannot be read ({_reason(told)}); "
            "check that it is an LDAP server"
        ) from error


_TOLD = 160


def _reason(told: str) -> str:
    """Return the heart of a message of ldap3, which may quote tuples of tuples."""
    return told if len(told) <= _TOLD else f"{told[:_TOLD]}..."


def _refused_bind(directory: Directory, result: Mapping[str, Any]) -> ExtractError:
    code = result["result"]
    if code == _INVALID_CREDENTIALS:
        return ExtractError(
            f"{directory.url}: refuses the sign-in of {directory.bind_dn}; check "
            "bind_dn and the password its reference holds"
        )
    if code in (_STRONGER_AUTH, _CONFIDENTIALITY):
        return ExtractError(
            f"{directory.url}: asks for encryption before it lets anybody in; write "
            "ldaps://, or add start_tls = true"
        )
    return ExtractError(
        f"{directory.url}: refuses the sign-in ({result['description']}); name an "
        "account that may read with bind_dn and password"
    )


# Searches -----------------------------------------------------------------------------


class _Reading:
    """One connection, and what was met while it was read."""

    def __init__(
        self,
        directory: Directory,
        connection: Any,  # noqa: ANN401
        report: Report,
    ) -> None:
        self._directory = directory
        self._connection = connection
        self._report = report
        self._references = 0

    def shown(self, kind: str) -> str:
        """Return what evidence calls a search: its URL. Source: RFC 4516."""
        told = self._directory.filters.get(kind, "(objectClass=*)")
        return f"{self._directory.url}/{self._directory.base}??sub?{told}"

    def search(self, kind: str, wanted: Wanted) -> EntryRows | None:
        """Read every entry of a kind; null if groups may not be read at all."""
        rows = EntryRows(wanted.attributes, self._report)
        code = self._pages(kind, wanted, rows)
        base = self._directory.base
        if code in (_NO_SUCH_OBJECT, _NO_ACCESS) and kind == GROUPS:
            self._report.add(
                GROUPS,
                "scoped",
                f"groups: {self._directory.bind_dn or 'an anonymous reader'} may not "
                "read them; who is in a group is not told.",
            )
            return None
        if code == _NO_SUCH_OBJECT:
            raise ExtractError(
                f"{self._directory.url}: has no entry '{base}', or does not show it to "
                f"{self._directory.bind_dn or 'an anonymous reader'}; mend base, or "
                "give the account the right to read"
            )
        if code not in (_SUCCESS, *_LIMITS):
            result = self._connection.result
            raise ExtractError(
                f"{self._directory.url}: {kind} under '{base}' cannot be read "
                f"({result['description']}); give "
                f"{self._directory.bind_dn or 'readers'} the right to read, or mend "
                "base and filters"
            )
        if code in _LIMITS:
            self._report.add(
                kind,
                "scoped",
                f"{kind}: {_LIMITS[code]} ended the search after {len(rows)} entries, "
                "and there are more; let the account read without that limit.",
            )
        else:
            self._report.add(kind, "unknown")
        if self._references:
            self._report.add(
                kind,
                None,
                f"{kind}: {self._references} references to other directories were not "
                "followed; what is there needs a source of its own.",
            )
            self._references = 0
        return rows

    def _pages(self, kind: str, wanted: Wanted, rows: EntryRows) -> int:
        """Read page by page to the last; where paging is refused, all at once."""
        cookie: bytes | None = None
        page_size: int | None = self._directory.page_size
        while True:
            code = self._ask(
                self._directory.base,
                self._directory.filters[kind],
                wanted.attributes,
                page_size=page_size,
                cookie=cookie,
            )
            nothing = not len(rows) and not self._connection.response
            if code in _PAGING_REFUSED and page_size is not None and nothing:
                page_size = None
                continue
            # Before the entries are taken: the rest of a long list is a search, too.
            controls = self._connection.result.get("controls") or {}
            paging = controls.get(_PAGED_RESULTS)
            cookie = paging["value"]["cookie"] if paging else None
            self._take(rows)
            if code != _SUCCESS or not cookie:
                return code

    def _ask(
        self,
        base: str,
        query: str,
        attributes: Iterable[str],
        *,
        scope: str = ldap3.SUBTREE,
        page_size: int | None = None,
        cookie: bytes | None = None,
    ) -> int:
        self._connection.search(
            base,
            query,
            scope,
            dereference_aliases=ldap3.DEREF_NEVER,
            attributes=list(attributes),
            paged_size=page_size,
            paged_criticality=page_size is not None,
            paged_cookie=cookie,
        )
        return int(self._connection.result["result"])

    def _take(self, rows: EntryRows) -> None:
        """Move a page's entries to the rows, and fetch the rest of long lists."""
        page, self._connection.response = self._connection.response, None
        for entry in page:
            if entry["type"] == _REFERENCE:
                self._references += 1
            if entry["type"] != _ENTRY:
                continue
            dn = entry["raw_dn"].decode()
            attributes: dict[str, list[Value]] = {
                name.lower(): values or []
                for name, values in entry["raw_attributes"].items()
            }
            whole, rest = without_ranges(attributes)
            for name, start in rest.items():
                whole[name] = [*whole[name], *self._rest(dn, name, start)]
            rows.add(dn, len(rows) + 1, whole)

    def _rest(self, dn: str, name: str, start: int) -> list[Value]:
        """Return the values of an attribute from a position on, to the last."""
        values: list[Value] = []
        at: int | None = start
        while at is not None:
            code = self._ask(
                dn, "(objectClass=*)", [f"{name};range={at}-*"], scope=ldap3.BASE
            )
            entries = self._connection.response or []
            told = entries[0].get("raw_attributes", {}) if entries else {}
            whole, rest = without_ranges(
                {key.lower(): found or [] for key, found in told.items()}
            )
            following = rest.get(name)
            if code != _SUCCESS or not whole.get(name) or (following or at + 1) <= at:
                raise ExtractError(
                    f"{self._directory.url}: {dn} has more than {at} values of {name}, "
                    "and the server does not hand out the rest; try again, or read "
                    "another domain controller"
                )
            values += whole[name]
            at = following
        return values

    def look_up(self, strangers: list[str]) -> EntryRows:
        """Return those of the members that are there, and neither user nor group."""
        rows = EntryRows(("objectClass",), self._report)
        for at, dn in enumerate(strangers):
            if at == _LOOKED_UP:
                self._report.add(
                    OTHERS,
                    "scoped",
                    f"groups: {len(strangers) - at} members are neither users nor "
                    "groups and were too many to look up; the filters leave out too "
                    "much, or the directory keeps members that are gone.",
                )
                break
            code = self._ask(dn, "(objectClass=*)", ["objectClass"], scope=ldap3.BASE)
            if code == _SUCCESS:
                self._take(rows)
            elif code != _NO_SUCH_OBJECT:
                # Not readable is not gone.
                rows.add(dn, len(rows) + 1, {})
        for dn in strangers[_LOOKED_UP:]:
            rows.add(dn, len(rows) + 1, {})
        return rows


def _strangers(tables: Mapping[str, RawTable], base: str) -> list[str]:
    """Return members inside the base that no search has found, each once."""
    known = {
        dn_key(dn)
        for kind in (USERS, GROUPS)
        if kind in tables
        for dn in tables[kind].rows["dn"]
    }
    root = dn_key(base)
    found: dict[str, str] = {}
    rows = tables[GROUPS].rows if GROUPS in tables else None
    for name in ("member", "uniqueMember"):
        if rows is None or name not in rows.columns:
            continue
        for dn in rows[name].explode().drop_nulls().unique(maintain_order=True):
            key = dn_key(dn)
            if key and key not in known and is_inside(key, root):
                found.setdefault(key, dn)
    return list(found.values())
