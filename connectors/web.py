"""HTTP as every web source needs it: whole lists, or an error that says what to mend.

Not a connector: what the connectors over HTTPS share. A client talks to the host its
parameters name and to no other, over verified TLS, and follows no redirect. An answer
that may come right (429, 5xx, a cut connection, an expired token) is asked for again;
one that will not is an ``ExtractError`` that names the endpoint without its query,
which may hold a secret. Nothing is printed or logged on the way.

Source: RFC 9110 (Retry-After), RFC 8288 (Link).
"""

import hashlib
import ipaddress
import json
import logging
import re
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Annotated, Any, Self, TypeVar

import httpx2
import polars as pl
import stamina
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from connectors.connector import RawExport, RawTable
from connectors.files import refuse_credentials
from governance.schema import ExtractError

# Both would print addresses, and a query may hold a token or a person's name.
stamina.instrumentation.set_on_retry_hooks(())
for _name in ("httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)

T = TypeVar("T")

_EMPTY: Mapping[str, str] = MappingProxyType({})
_TOO_MANY = 429
_PASSING = (_TOO_MANY, 500, 502, 503, 504)
_UNAUTHORISED = 401
_FORBIDDEN = 403
_LIMITS_REACHED = (
    "dailyLimitExceeded",
    "quotaExceeded",
    "rateLimitExceeded",
    "userRateLimitExceeded",
    "REQUEST_LIMIT_EXCEEDED",
)
"""Codes of Google and Salesforce under which 403 is no matter of rights."""
_DETAIL = 200
_NEXT_LINK = re.compile(r'<([^<>]*)>\s*;[^,<]*?\brel\s*=\s*"?next\b')
_SPACE_OR_CONTROL = re.compile(r"[\s\x00-\x1f\x7f]+")

Query = Mapping[str, str | int]
Document = Any
"""JSON as read: whole numbers are int, others the text they were written as."""


class AnswerError(ExtractError):
    """A source answered, and refused. ``document`` is its JSON, null if none."""

    def __init__(self, message: str, status: int, document: Document) -> None:
        super().__init__(message)
        self.status = status
        self.document = document


class ForbiddenError(AnswerError):
    """The credentials are good and may not read this one part (403)."""


def _https_address(told: str) -> str:
    """Return an address of a server, without the slash at its end.

    Raises:
        PydanticCustomError: it is not https, holds credentials, a query or a fragment,
            or names an address that no source can have.
    """
    try:
        url = httpx2.URL(told)
    except (httpx2.InvalidURL, ValueError):
        url = httpx2.URL("")
    # The value is not repeated: it may hold a password.
    if url.scheme != "https" or not url.host or _SPACE_OR_CONTROL.search(told):
        raise PydanticCustomError("gatebook", "write it as https://HOST, https only")
    if url.userinfo or url.query or url.fragment or "?" in told or "#" in told:
        raise PydanticCustomError(
            "gatebook",
            "write the address alone, without user, password, query or fragment",
        )
    try:
        number = ipaddress.ip_address(url.host.strip("[]"))
    except ValueError:
        return told.rstrip("/")
    # A cloud's metadata service lives on a link-local address.
    if number.is_link_local or number.is_multicast or number.is_unspecified:
        raise PydanticCustomError("gatebook", "no source can live at that address")
    return told.rstrip("/")


HttpsAddress = Annotated[str, AfterValidator(_https_address)]
"""Type of a connector's key that names its server: https, a host, perhaps a path."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a client puts up with. Times are seconds."""

    connect: float = 10
    silence: float = 60
    """Between two pieces of an answer."""
    answer: float = 300
    """For the whole of one answer."""
    bytes: int = 64 * 1024 * 1024
    """Of one answer, unpacked."""
    tries: int = 6
    first_wait: float = 0.5
    """Doubled from try to try, where the server does not say how long to wait."""
    longest_wait: float = 300
    """A server that asks for more is not waited for."""
    pages: int = 100_000


LIMITS = Limits()


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What a request proves itself with. Neither is ever shown."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Of the query, for the sources that want their token there."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer of a source."""

    document: Document
    endpoint: str
    """Host and path, without the query: what messages and evidence call it."""
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)

    def records(self, key: str = "", *, may_lack: bool = False) -> list[dict[str, Any]]:
        """Return the list of objects at a dotted key, the whole answer without one.

        Args:
            key: where the list is.
            may_lack: whether the source leaves out the key of an empty list.

        Raises:
            ExtractError: there is no list of objects there.
        """
        found = self.document
        for step in key.split(".") if key else ():
            found = found.get(step) if isinstance(found, dict) else None
        if found is None and may_lack and isinstance(self.document, dict):
            return []
        if not isinstance(found, list) or not all(isinstance(r, dict) for r in found):
            what = f"a list '{key}'" if key else "a list"
            raise ExtractError(
                f"{self.endpoint}: answered without {what} of objects; check that the "
                "address is the one of the API"
            )
        return found


Next = Callable[[Answer], str | Query | None]
"""What follows an answer: an address, parameters that change, or nothing."""


def next_in_link(answer: Answer) -> str | None:
    """Return the address that the Link header calls next (RFC 8288): Okta, GitHub."""
    found = _NEXT_LINK.search(answer.headers.get("link", ""))
    return found.group(1) if found else None


def next_in_field(name: str) -> Next:
    """Return a way on by the address in a dotted field: ``@odata.nextLink``.

    The field is first taken as one name, as some have a dot in it.
    """

    def following(answer: Answer) -> str | None:
        found = _at(answer.document, name)
        return found if isinstance(found, str) and found else None

    return following


def next_by_token(name: str, parameter: str) -> Next:
    """Return a way on by a token: ``nextPageToken`` goes into ``pageToken``."""

    def following(answer: Answer) -> Query | None:
        found = _at(answer.document, name)
        return None if found in (None, "", 0) else {parameter: str(found)}

    return following


def _at(document: Document, name: str) -> object:
    if isinstance(document, dict) and name in document:
        return document[name]
    for step in name.split("."):
        document = document.get(step) if isinstance(document, dict) else None
    return document


class WebClient:
    """A client of one server; use it as a context manager.

    ``authorise`` is asked for credentials at the first request and once more whenever
    they are refused as expired; credentials that come back the same are not tried
    again. ``is_expired`` tells an expired token from the document, for sources that
    answer 200 with an error code in it.
    """

    def __init__(
        self,
        address: str,
        *,
        authorise: Callable[[], Credentials] = Credentials,
        is_expired: Callable[[Document], bool] = lambda _document: False,
        ca_file: Path | None = None,
        hosts: Sequence[str] = (),
        limits: Limits = LIMITS,
    ) -> None:
        """Prepare a client.

        Args:
            address: of the server, with the path that all requests begin with, if any.
            authorise: returns the credentials.
            is_expired: whether a document says that the token has expired.
            ca_file: certificates to trust instead of the system's.
            hosts: further servers that next links and whole addresses may name, as
                ``HOST`` or ``HOST:PORT``.
            limits: what is put up with.

        Raises:
            ExtractError: the address is not https, or the CA file cannot be read.
        """
        try:
            self.address = _https_address(address)
        except PydanticCustomError as error:
            raise ExtractError(f"address of the server: {error.message()}") from None
        self._limits = limits
        self._authorise = authorise
        self._is_expired = is_expired
        self._credentials: Credentials | None = None
        self._hosts = {
            _host_and_port(httpx2.URL(self.address)),
            *(_host_and_port(httpx2.URL(f"https://{host}")) for host in hosts),
        }
        self._client = httpx2.Client(
            verify=True if ca_file is None else _trusting(ca_file),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx2.Timeout(limits.silence, connect=limits.connect),
            headers={"Accept": "application/json", "User-Agent": "gatebook"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def get_json(self, path: str, parameters: Query = _EMPTY) -> Document:
        """Return the JSON that a path answers with.

        Raises:
            ForbiddenError: the credentials may not read it (403).
            AnswerError: it is refused in another way.
            ExtractError: the server cannot be reached, keeps failing, or answers with
                what is not JSON, is too much or takes too long.
        """
        return self.ask("GET", path, parameters).document

    def post_json(
        self,
        path: str,
        body: Document = None,
        *,
        form: Mapping[str, str] | None = None,
        parameters: Query = _EMPTY,
    ) -> Document:
        """Return the JSON that a question sent as JSON, or as a form, is answered with.

        For questions that change nothing: it may be sent more than once.

        Raises:
            ExtractError: as ``get_json``.
        """
        return self.ask("POST", path, parameters, body=body, form=form).document

    def pages(
        self,
        path: str,
        parameters: Query = _EMPTY,
        *,
        next_of: Next,
        body: Mapping[str, Any] | None = None,
    ) -> Iterator[Answer]:
        """Yield every page of a list, to the last.

        Args:
            path: of the first page.
            parameters: of the first page; what ``next_of`` returns is merged into them.
            next_of: says from a page what the next one is.
            body: sent as JSON with POST; what ``next_of`` returns is then merged into
                it instead.

        Raises:
            ExtractError: as ``get_json``; also where pages lead back to one already
                read or never end, or a next link names another host.
        """
        seen: set[str] = set()
        for _ in range(self._limits.pages):
            method = "GET" if body is None else "POST"
            answer = self.ask(method, path, parameters, body=body)
            yield answer
            following = next_of(answer)
            if following is None:
                return
            if isinstance(following, str):
                path, parameters = following, _EMPTY
            elif body is None:
                parameters = {**parameters, **following}
            else:
                body = {**body, **following}
            mark = json.dumps([path, dict(parameters), body], sort_keys=True)
            if mark in seen:
                raise ExtractError(
                    f"{answer.endpoint}: its pages lead back to one already read; "
                    "nothing was taken in, report it to the maker of that system"
                )
            seen.add(mark)
        raise ExtractError(
            f"{self.shown(path)}: has more than {self._limits.pages:,} pages; nothing "
            "was taken in, narrow what is asked for"
        )

    def ask(
        self,
        method: str,
        path: str,
        parameters: Query = _EMPTY,
        *,
        body: Document = None,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return one answer, with its headers. As ``get_json`` and ``post_json``."""
        url = self._url(path, parameters)
        endpoint = self.shown(path)
        if self._credentials is None:
            self._credentials = self._authorised()
        answer = self._patiently(method, url, endpoint, body, form)
        if self._is_refused(answer):
            renewed = self._authorised()
            if renewed != self._credentials:
                self._credentials = renewed
                answer = self._patiently(method, url, endpoint, body, form)
        self._require_success(answer)
        return Answer(
            document=answer.document,
            endpoint=endpoint,
            url=str(url),
            headers=answer.headers,
        )

    def _authorised(self) -> Credentials:
        """Return credentials that can stand in a header."""
        credentials = self._authorise()
        for name, value in credentials.headers.items():
            if not (value.isascii() and value.isprintable()):
                # httpx2 would refuse it too, and quote it.
                raise ExtractError(
                    f"{self.address}: the secret sent as {name} holds a character "
                    "that no secret has, as a line break; save it again"
                )
        return credentials

    def shown(self, path: str) -> str:
        """Return what messages call a path: host and path, never the query."""
        url = httpx2.URL(path if "://" in path else f"{self.address}{path}")
        port = f":{url.port}" if url.port else ""
        return f"{url.host}{port}{url.path}"

    def _url(self, path: str, parameters: Query) -> httpx2.URL:
        """Return the whole address, having made sure that we may ask there."""
        try:
            url = httpx2.URL(path if "://" in path else f"{self.address}{path}")
        except httpx2.InvalidURL:
            raise ExtractError(
                f"{self.address}: was to be asked at what is no address; nothing was "
                "taken in, report it to the maker of that system"
            ) from None
        if (
            url.scheme != "https"
            or url.userinfo
            or _host_and_port(url) not in self._hosts
        ):
            raise ExtractError(
                f"{self.address}: sends us on to {url.scheme}://{url.host}, which is "
                "not a host of this source; nothing was asked there, mend the address "
                "in gatebook.toml"
            )
        return url.copy_merge_params(dict(parameters)) if parameters else url

    def _patiently(
        self,
        method: str,
        url: httpx2.URL,
        endpoint: str,
        body: Document,
        form: Mapping[str, str] | None,
    ) -> "_Received":
        """Ask until an answer is final or the tries are used up."""
        limits = self._limits
        try:
            for attempt in stamina.retry_context(
                on=_wait_before_next,
                attempts=limits.tries,
                timeout=None,
                wait_initial=limits.first_wait,
                wait_max=limits.longest_wait,
                wait_jitter=limits.first_wait,
            ):
                with attempt:
                    received = self._receive(method, url, endpoint, body, form)
                    if received.is_passing:
                        raise _PassingError(received, limits)
        except _PassingError as error:
            raise self._gave_up(error) from None
        except httpx2.RequestError as error:
            # Not "from error": the cause may repeat the address with its query.
            raise ExtractError(
                f"{endpoint}: {_trouble(error)}; nothing was taken in, pull again when "
                "it is up, or mend its address in gatebook.toml"
            ) from None
        return received

    def _receive(
        self,
        method: str,
        url: httpx2.URL,
        endpoint: str,
        body: Document,
        form: Mapping[str, str] | None,
    ) -> "_Received":
        """Send one request and read its answer whole."""
        limits, credentials = self._limits, self._credentials or Credentials()
        if credentials.parameters:
            url = url.copy_merge_params(dict(credentials.parameters))
        began = time.monotonic()
        pieces: list[bytes] = []
        size = 0
        with self._client.stream(
            method,
            url,
            json=body,
            data=None if form is None else dict(form),
            headers=dict(credentials.headers),
        ) as response:
            for piece in response.iter_bytes():
                size += len(piece)
                if size > limits.bytes:
                    raise ExtractError(
                        f"{endpoint}: answered with more than {limits.bytes:,} bytes; "
                        "nothing was taken in, ask for smaller pages"
                    )
                if time.monotonic() - began > limits.answer:
                    raise httpx2.ReadTimeout("the whole answer took too long")
                pieces.append(piece)
            return _Received(
                endpoint=endpoint,
                status=response.status_code,
                headers=dict(response.headers),
                content=b"".join(pieces),
            )

    def _is_refused(self, received: "_Received") -> bool:
        if received.status == _UNAUTHORISED:
            return True
        # Feishu says so with status 400.
        return self._is_expired(
            received.document if received.is_success else received.document_or_none
        )

    def _require_success(self, received: "_Received") -> None:
        """Turn every answer but a success into one sentence."""
        if received.is_success:
            return
        if httpx2.codes.is_redirect(received.status):
            host = httpx2.URL(received.headers.get("location", "")).host
            raise ExtractError(
                f"{received.endpoint}: redirects{f' to {host}' if host else ''}, and "
                "redirects are not followed; write the address it moved to in "
                "gatebook.toml"
            )
        document = received.document_or_none
        said = self._said(document)
        remedy = {
            _UNAUTHORISED: "it does not accept the credentials; renew them",
            _FORBIDDEN: "the credentials may not read it; grant the right that the "
            "setup page of this source names",
        }.get(received.status, "mend what this source says in gatebook.toml")
        kind = ForbiddenError if received.status == _FORBIDDEN else AnswerError
        raise kind(
            f"{received.endpoint}: answered {received.status}{said}; {remedy}",
            received.status,
            document,
        )

    def _gave_up(self, error: "_PassingError") -> ExtractError:
        received = error.received
        said = self._said(received.document_or_none)
        if error.is_too_long:
            return ExtractError(
                f"{received.endpoint}: answered {received.status}{said} and asks to "
                f"wait {error.wait:,.0f} seconds; nothing was taken in, pull again then"
            )
        return ExtractError(
            f"{received.endpoint}: answered {received.status}{said} "
            f"{self._limits.tries} times; nothing was taken in, pull again later"
        )

    def _said(self, document: Document) -> str:
        """Return the server's own words, unless they hold one of our secrets."""
        words = _own_words(document)
        told = self._credentials or Credentials()
        secrets = [
            part
            for value in (*told.headers.values(), *told.parameters.values())
            for part in (value, *value.split())
            if len(part) >= 6
        ]
        if not words or any(secret in words for secret in secrets):
            return ""
        return f" ({words[:_DETAIL]})"


@dataclass(frozen=True, kw_only=True)
class _Received:
    """An answer as it came."""

    endpoint: str
    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)

    @property
    def is_success(self) -> bool:
        return httpx2.codes.is_success(self.status)

    @property
    def is_passing(self) -> bool:
        """Whether it may come right. Google calls a limit reached 403."""
        return self.status in _PASSING or (
            self.status == _FORBIDDEN and _is_limited(self.document_or_none)
        )

    @cached_property
    def document(self) -> Document:
        """Return the JSON.

        Raises:
            ExtractError: it is not JSON, or cut off.
        """
        try:
            return json.loads(self.content, parse_float=str, parse_constant=str)
        except (ValueError, RecursionError):
            # Not "from error": the cause holds the whole answer.
            raise ExtractError(
                f"{self.endpoint}: answered with what is not JSON, or is cut off; "
                "nothing was taken in, check that the address is the one of the API "
                "and that no proxy answers in its place"
            ) from None

    @property
    def document_or_none(self) -> Document:
        try:
            return self.document
        except ExtractError:
            return None


class _PassingError(Exception):
    """An answer that may come right by itself."""

    def __init__(self, received: _Received, limits: Limits) -> None:
        super().__init__()
        self.received = received
        self.wait = _asked_wait(received)
        """Seconds the server asks to wait, null if it does not say."""
        self.is_too_long = self.wait is not None and self.wait > limits.longest_wait
        self.shortest = limits.first_wait


def _wait_before_next(error: Exception) -> bool | float:
    """Tell stamina whether to try again, and after how long if the server said so."""
    if isinstance(error, _PassingError):
        if error.wait is None or error.is_too_long:
            return not error.is_too_long
        return max(error.wait, error.shortest)
    return isinstance(error, httpx2.RequestError) and not isinstance(
        error, httpx2.UnsupportedProtocol | httpx2.LocalProtocolError
    )


def _asked_wait(received: _Received) -> float | None:
    """Return the seconds a server asks to wait, by its own clock if it tells that."""
    now = _date(received.headers.get("date")) or datetime.now(UTC)
    told = received.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", told):
        return float(told)
    moment = _date(told)
    # Okta tells no Retry-After but the second at which its limit is lifted.
    lifted = received.headers.get("x-rate-limit-reset", "").strip()
    is_limited = received.status == _TOO_MANY and re.fullmatch(r"\d{10}", lifted)
    if moment is None and is_limited:
        moment = datetime.fromtimestamp(int(lifted), UTC)
    return None if moment is None else max((moment - now).total_seconds(), 0.0)


def _date(told: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(told or "")
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _is_limited(document: Document) -> bool:
    """Return whether an error says that too much was asked for, anywhere in it."""
    if isinstance(document, dict):
        return any(_is_limited(value) for value in document.values())
    if isinstance(document, list):
        return any(_is_limited(value) for value in document)
    return document in _LIMITS_REACHED


def _own_words(document: Document) -> str:
    """Return what an error document says, on one line."""
    if isinstance(document, list) and document:
        document = document[0]
    if not isinstance(document, dict):
        return ""
    inner = document.get("error")
    if isinstance(inner, dict):
        document = inner
    for name in (
        *("errorSummary", "message", "error_description", "errmsg", "msg"),
        *("error", "detail", "title", "code"),
    ):
        if isinstance(document.get(name), str) and document[name].strip():
            return _SPACE_OR_CONTROL.sub(" ", document[name]).strip()
    return ""


def _trouble(error: httpx2.RequestError) -> str:
    """Say in a few words why no whole answer came."""
    chain: BaseException | None = error
    while chain is not None:
        if isinstance(chain, ssl.SSLCertVerificationError):
            return (
                f"its certificate cannot be verified, {chain.verify_message}; have it "
                "mended, or name your own CA's file as ca_file"
            )
        chain = chain.__cause__ or chain.__context__
    if isinstance(error, httpx2.ConnectTimeout | httpx2.ConnectError):
        return "it cannot be reached"
    if isinstance(error, httpx2.TimeoutException):
        return "it does not answer in time"
    return "the connection broke before the answer was whole"


def _trusting(ca_file: Path) -> ssl.SSLContext:
    """Return a context that trusts the certificates in a file, and no others."""
    # Not create_default_context: that would also listen to SSLKEYLOGFILE.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=ca_file)
    except OSError as error:  # ssl.SSLError among them
        raise ExtractError(
            f"{ca_file.name}: is no file of certificates in PEM; mend ca_file in "
            "gatebook.toml"
        ) from error
    return context


def _host_and_port(url: httpx2.URL) -> tuple[str, int]:
    return url.host.lower(), url.port or 443


# Rows ---------------------------------------------------------------------------------


def raw_table(
    name: str,
    endpoint: str,
    records: Sequence[Mapping[str, Any]],
    columns: Iterable[str],
    *,
    stated: int | None = None,
) -> RawTable:
    """Return records as rows of text: of each the columns listed, and nothing else.

    A dotted column is looked for in nested objects; through a list it becomes a list.
    A column that no record has is left out, as it was not told; without records all
    are there. The digest is over the list of records as canonical JSON: names
    sorted, no space, all but ASCII escaped.

    Args:
        name: what the connector calls the table.
        endpoint: what messages and evidence call its origin: ``Answer.endpoint``.
        records: objects of all pages, in the order they came.
        columns: those to keep.
        stated: number of rows the source says there are, if it says.

    Raises:
        ExtractError: a column holds credentials, or half a character.
    """
    series = []
    for path in columns:
        first, *steps = path.split(".")
        values: list[object] = [record.get(first, _ABSENT) for record in records]
        if steps:
            values = [_value(value, steps) for value in values]
        if records and all(value is _ABSENT for value in values):
            continue
        series.append(_column(endpoint, path, values))
    frame = pl.DataFrame(series)
    refuse_credentials(endpoint, frame)
    return RawTable(
        name=name,
        file=endpoint,
        rows=frame,
        sha256=_digest(records),
        stated=stated,
    )


_ABSENT = object()
_AT_A_TIME = 1_000
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
_READABLE = json.JSONEncoder(ensure_ascii=False)


def _digest(records: Sequence[Mapping[str, Any]]) -> str:
    """Return the digest of the list as JSON, of which only a part is ever in memory."""
    digest = hashlib.sha256(b"[")
    for start in range(0, len(records), _AT_A_TIME):
        part = _CANONICAL.encode(list(records[start : start + _AT_A_TIME]))
        digest.update(f"{',' if start else ''}{part[1:-1]}".encode())
    digest.update(b"]")
    return digest.hexdigest()


def _value(found: object, steps: Sequence[str]) -> object:
    """Return what stands at a path, ``_ABSENT`` if there is no such name."""
    for number, step in enumerate(steps):
        if isinstance(found, list):
            values = [_value(one, steps[number:]) for one in found]
            return [None if value is _ABSENT else value for value in values]
        if not isinstance(found, dict) or step not in found:
            return _ABSENT
        found = found[step]
    return found


def _column(endpoint: str, name: str, values: Sequence[object]) -> pl.Series:
    known = [None if value is _ABSENT else value for value in values]
    kinds = set(map(type, known))
    try:
        if kinds <= {str, type(None)}:
            return pl.Series(name, known, dtype=pl.String)
        if list in kinds:
            return _lists(name, known)
        return pl.Series(name, [_text(value) for value in known], dtype=pl.String)
    except UnicodeEncodeError:
        raise ExtractError(
            f"{endpoint}: {name} holds half a character (a lone surrogate); mend the "
            "record in that system"
        ) from None


def _lists(name: str, values: Sequence[object]) -> pl.Series:
    """Return lists of text; what is no list becomes a list of one, null stays null."""
    lists = [
        value if value is None or isinstance(value, list) else [value]
        for value in values
    ]
    # Polars takes twenty times as long to build one small list after the other.
    flat = pl.DataFrame(
        {
            "row": [row for row, told in enumerate(lists) for _ in told or ()],
            "value": [_text(one) for told in lists for one in told or ()],
        },
        schema={"row": pl.Int64, "value": pl.String},
    )
    rows = pl.DataFrame(
        {"row": range(len(lists)), "is_told": [told is not None for told in lists]},
        schema={"row": pl.Int64, "is_told": pl.Boolean},
    )
    found = rows.join(
        flat.group_by("row").agg("value"), on="row", how="left", maintain_order="left"
    )
    empty = pl.lit([], dtype=pl.List(pl.String))
    return found.select(
        pl.when("is_told").then(pl.col("value").fill_null(empty)).alias(name)
    )[name]


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return _READABLE.encode(value)


def column(rows: pl.DataFrame, name: str) -> pl.Expr:
    """Return a column as text, or null text where no record has it."""
    return pl.col(name) if name in rows.columns else pl.lit(None, pl.String)


# Parts that may not be read -----------------------------------------------------------

FORBIDDEN = "forbidden"
"""Name of the raw table that holds one row per part refused: part, message."""


def unless_forbidden(
    part: str, forbidden: dict[str, str], ask: Callable[[], T]
) -> T | None:
    """Return what ``ask`` does; if it is forbidden, note that under ``part``: null.

    Raises:
        ExtractError: as ``ask`` does for every other reason.
    """
    try:
        return ask()
    except ForbiddenError as error:
        forbidden[part] = str(error)
        return None


def forbidden_table(address: str, forbidden: Mapping[str, str]) -> RawTable:
    """Return the parts refused, for ``forbidden_parts`` to find them in the export."""
    return RawTable(
        name=FORBIDDEN,
        file=address.removeprefix("https://"),
        rows=pl.DataFrame(
            list(forbidden.items()),
            schema={"part": pl.String, "message": pl.String},
            orient="row",
        ),
    )


def forbidden_parts(export: RawExport) -> dict[str, str]:
    """Return the message of each part refused: a fact untold, and a note."""
    return dict(export.tables[FORBIDDEN].rows.iter_rows())
