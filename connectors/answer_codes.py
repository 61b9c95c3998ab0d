"""Answers that carry a code: WeCom, DingTalk and Feishu say 200 and then no.

Not a connector: what those three share. Code 0 is a success; a few codes pass by
themselves, a few mean that the app may not read this one part, and every other one ends
the pull with a sentence.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import polars as pl

from connectors.web import Answer, AnswerError, ForbiddenError, Query, WebClient
from governance.schema import ExtractError

_NOTHING: Query = MappingProxyType({})
_WAITS = (1.0, 4.0, 15.0, 45.0)
"""Seconds between tries after a code that passes by itself."""
_WORDS = 200
_OK = 200
"""Status of an answer that nevertheless refuses."""


class GoneError(ExtractError):
    """Somebody a list named is not there any more."""


@dataclass(frozen=True, kw_only=True)
class Codes:
    """What the codes of one API mean."""

    code: str
    """Field that holds the code: ``errcode``."""
    words: str
    """Field that holds the words: ``errmsg``."""
    expired: frozenset[int]
    refused: frozenset[int]
    passing: frozenset[int]
    """Busy, or asked too often."""
    remedies: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    """How to mend what a code says, where that is known."""
    inner_code: str | None = None
    """Field that, beside a gateway's code, holds the code that counts."""
    gone: frozenset[int] = frozenset()
    """Somebody was removed since the list that named him was read."""

    def of(self, document: object) -> int | None:
        """Return the code of an answer, null if it has none."""
        if not isinstance(document, dict):
            return None
        for name in (self.inner_code, self.code):
            told = document.get(name) if name else None
            if isinstance(told, str) and told.lstrip("-").isdecimal():
                told = int(told)
            if isinstance(told, int):
                return told
        return None

    def is_expired(self, document: object) -> bool:
        """Return whether an answer says that the token is no longer good."""
        return self.of(document) in self.expired


def ask(
    client: WebClient,
    codes: Codes,
    path: str,
    parameters: Query = _NOTHING,
    *,
    body: Mapping[str, Any] | None = None,
    hidden: str = "",
) -> Answer:
    """Return an answer of code 0. With a body it is asked for by POST.

    Args:
        client: asks, and renews the token.
        codes: what the codes mean.
        path: of the endpoint.
        parameters: of the query.
        body: sent as JSON.
        hidden: a secret that no message may repeat.

    Raises:
        ForbiddenError: the app may not read it.
        GoneError: what was asked for was removed in the meantime.
        ExtractError: any other code, or as ``WebClient.ask``.
    """
    method = "GET" if body is None else "POST"
    endpoint = client.shown(path)
    code: int | None = None
    document: Any = None
    for wait in (*_WAITS, None):
        try:
            answer = client.ask(method, path, parameters, body=body)
            document = answer.document
        except AnswerError as error:
            # Feishu sends its code with status 400.
            document = error.document
            if isinstance(error, ForbiddenError) or codes.of(document) in (None, 0):
                raise
        code = codes.of(document)
        if code == 0:
            return answer
        if code is None:
            raise ExtractError(
                f"{endpoint}: answered without {codes.code}; check that the address is "
                "the one of the API"
            )
        if code not in codes.passing or wait is None:
            break
        time.sleep(wait)
    raise _trouble(codes, endpoint, code, document, hidden)


def _trouble(
    codes: Codes, endpoint: str, code: int | None, document: object, hidden: str
) -> ExtractError:
    """Return the sentence for a code that is not 0."""
    told = document.get(codes.words) if isinstance(document, dict) else None
    words = " ".join(str(told or "").split())[:_WORDS]
    said = f" ({words})" if words and not (hidden and hidden in words) else ""
    remedy = None if code is None else codes.remedies.get(code)
    if code in codes.refused:
        remedy = remedy or "grant the right that the setup page of this source names"
        message = f"{endpoint}: answered code {code}{said}; {remedy}"
        return ForbiddenError(message, _OK, document)
    if code in codes.gone:
        return GoneError(f"{endpoint}: answered code {code}{said}; pull again")
    if code in codes.passing:
        remedy = "it stays busy or was asked too often; pull again later"
    elif code in codes.expired:
        remedy = "a fresh token is refused too; renew the secret of the app"
    else:
        remedy = remedy or "look the code up in its list of error codes and mend it"
    return ExtractError(f"{endpoint}: answered code {code}{said}; {remedy}")


def every_page(
    client: WebClient,
    codes: Codes,
    path: str,
    parameters: Query = _NOTHING,
    *,
    body: Mapping[str, Any] | None = None,
    next_of: Callable[[dict[str, Any]], Query | None],
) -> Iterator[Answer]:
    """Yield every page of a list, to the last.

    ``next_of`` says from a page what changes in the next question, null at the end.

    Raises:
        ForbiddenError: the app may not read it.
        ExtractError: as ``ask``; also where pages lead back to one already read.
    """
    seen: set[str] = set()
    while True:
        answer = ask(client, codes, path, parameters, body=body)
        yield answer
        following = next_of(answer.document)
        if following is None:
            return
        mark = json.dumps(dict(following), sort_keys=True)
        if mark in seen:
            raise ExtractError(
                f"{answer.endpoint}: its pages lead back to one already read; nothing "
                "was taken in, report it to the maker of that system"
            )
        seen.add(mark)
        if body is None:
            parameters = {**parameters, **following}
        else:
            body = {**body, **following}


def word(answer: Answer, key: str) -> str:
    """Return a text that an answer must hold, as a token is.

    Raises:
        ExtractError: it is not there.
    """
    found = answer.document.get(key)
    if not isinstance(found, str) or not found:
        raise ExtractError(
            f"{answer.endpoint}: answered without {key}; check that the address is the "
            "one of the API"
        )
    return found


# Rows ---------------------------------------------------------------------------------


def tells(rows: pl.DataFrame, *columns: str) -> bool:
    """Return whether one of the columns says anything about anybody."""
    return any(
        column in rows.columns
        and rows.select((pl.col(column).is_not_null() & _is_said(rows, column)).any())
        .to_series()
        .item()
        for column in columns
    )


def _is_said(rows: pl.DataFrame, column: str) -> pl.Expr:
    if isinstance(rows.schema[column], pl.List):
        return pl.col(column).list.len() > 0
    return pl.col(column).str.strip_chars() != ""


def text(rows: pl.DataFrame, column: str) -> pl.Expr:
    """Return a column of text without blanks, null where it is not there."""
    if rows.schema.get(column) != pl.String:
        return pl.lit(None, pl.String)
    clean = pl.col(column).str.strip_chars()
    return pl.when(clean != "").then(clean)


def words(rows: pl.DataFrame, column: str) -> pl.Expr:
    """Return a column of lists, null where it is not there or no row has a list."""
    if not isinstance(rows.schema.get(column), pl.List):
        return pl.lit(None, pl.List(pl.String))
    return pl.col(column)


def identified(context_source: str, kind: str, value: pl.Expr) -> pl.Expr:
    """Return ``<source>:<kind><id>``, null without an id."""
    return pl.lit(f"{context_source}:{kind}") + value
