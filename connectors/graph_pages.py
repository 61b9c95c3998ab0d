"""Pages of Microsoft Graph lists, read exactly as Graph gave them.

Not a connector: what ``entra_id`` reads its rows from. A page is one answer of Graph,
an object with ``value`` and, on all but the last page of a list, ``@odata.nextLink``.

Source: Microsoft Graph, "Paging Microsoft Graph data in your app".
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from connectors.connector import RawExport, RawTable
from connectors.files import decode, parse_json, refuse_credentials
from governance.schema import ExtractError

PAGES = "pages"
"""Name of the raw table that holds one row per page: list, file, next_link, count."""
MEMBERS = "members"
"""Name of the expanded list of a group that becomes rows of its own."""
NEXT_LINK = "@odata.nextLink"
COUNT = "@odata.count"
MEMBERS_NEXT_LINK = f"{MEMBERS}{NEXT_LINK}"


@dataclass(frozen=True, kw_only=True)
class GraphList:
    """One list of Graph and what is read of its objects."""

    name: str
    """What its files are called: ``users.json``, ``users-002.json``."""
    columns: tuple[str, ...]
    """Properties read; ``manager/id`` is the id within the expanded manager."""
    needed: tuple[str, ...]
    """Properties without which nothing could be said about any object."""
    lists: tuple[str, ...] = ()
    """Those of ``columns`` that are lists of words."""
    required: bool = False
    members: tuple[str, ...] = ()
    """Properties read of each object in the expanded ``members``."""


def read_folder(
    base: Path, folder: Path, graph_lists: Sequence[GraphList]
) -> RawExport:
    """Read every page saved in a folder.

    The raw table of a page is keyed by its file, and bears the name of its list; the
    members expanded in it follow as ``<file>#members``. A property that no object of a
    page has is a column that its table has not. Files of other names are listed in
    ``PAGES`` with a null list and not read.

    Args:
        base: what ``folder`` is relative to.
        folder: as messages and evidence name it.
        graph_lists: the lists looked for.

    Raises:
        ExtractError: there is no such folder, a required list has no page, or a page is
            empty, cut off, an error message, or of another shape. Names the file.
    """
    try:
        paths = sorted((base / folder).iterdir(), key=_in_order)
    except OSError as error:
        raise ExtractError(
            f"{folder.as_posix()}: no such folder of saved pages; put them there or "
            "mend folder in gatebook.toml"
        ) from error
    read = Pages(folder.as_posix())
    written: list[float] = []
    for path in paths:
        if path.suffix != ".json":
            continue
        shown = (folder / path.name).as_posix()
        graph_list = next((one for one in graph_lists if _is_page(one, path)), None)
        if graph_list is None:
            read.skip(shown)
            continue
        content = _content(path, shown)
        text, encoding = decode(shown, content)
        digest = hashlib.sha256(content).hexdigest()
        read.add(graph_list, shown, parse_json(shown, text), digest, encoding)
        written.append(path.stat().st_mtime)
    for graph_list in graph_lists:
        if graph_list.required:
            _require_rows(folder, graph_list.name, read.tables.values())
    return RawExport(
        tables=read.all_tables(),
        extracted_at=datetime.fromtimestamp(max(written), UTC),
        method="file",
    )


class Pages:
    """Pages read so far, from files or from Graph itself."""

    def __init__(self, place: str) -> None:
        self._place = place
        self.tables: dict[str, RawTable] = {}
        self._envelopes: list[tuple[str | None, str, str | None, str | None]] = []

    def skip(self, shown: str) -> None:
        """Note a file whose name is that of no list."""
        self._envelopes.append((None, shown, None, None))

    def add(
        self,
        graph_list: GraphList,
        shown: str,
        document: object,
        digest: str,
        encoding: str | None = None,
    ) -> None:
        """Take in one page.

        Raises:
            ExtractError: it is an error, of another shape, or holds credentials.
        """
        page = _page(shown, document)
        for name, rows in _frames(graph_list, shown, page):
            key = shown if name == graph_list.name else f"{shown}#{MEMBERS}"
            self.tables[key] = RawTable(
                name=name, file=shown, rows=rows, sha256=digest, encoding=encoding
            )
        count = page.get(COUNT)
        self._envelopes.append(
            (
                graph_list.name,
                shown,
                page.get(NEXT_LINK),
                None if count is None else str(count),
            )
        )

    def all_tables(self) -> dict[str, RawTable]:
        """Return the tables, and ``PAGES`` with a row for each page."""
        schema = {
            "list": pl.String,
            "file": pl.String,
            "next_link": pl.String,
            "count": pl.String,
        }
        pages = RawTable(
            name=PAGES,
            file=self._place,
            rows=pl.DataFrame(self._envelopes, schema=schema, orient="row"),
        )
        return {**self.tables, PAGES: pages}


def _require_rows(folder: Path, name: str, tables: Iterable[RawTable]) -> None:
    """Refuse a folder without pages of a list, or with empty ones only."""
    pages = [table for table in tables if table.name == name]
    if not pages:
        raise ExtractError(
            f"{folder.as_posix()}: holds no {name}*.json; save the pages of /{name} "
            "there"
        )
    if not any(table.rows.height for table in pages):
        raise ExtractError(
            f"{folder.as_posix()}: the pages of {name} hold not one object; save the "
            "pages again"
        )


def _in_order(path: Path) -> list[tuple[int, str]]:
    """Return a key that puts page 2 before page 10."""
    parts = re.findall(r"\d+|\D+", path.name)
    return [(int(part) if part.isdecimal() else -1, part) for part in parts]


def _is_page(graph_list: GraphList, path: Path) -> bool:
    """Return whether the file is named after the list, with or without a number."""
    return re.fullmatch(rf"{graph_list.name}([^A-Za-z].*)?", path.stem) is not None


def _content(path: Path, shown: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ExtractError(f"{shown}: cannot be read, {error.strerror}") from error
    if not content.strip():
        raise ExtractError(f"{shown}: is empty; save the page again")
    return content


def _page(shown: str, document: object) -> Mapping[str, Any]:
    """Return the page, having made sure that it is one."""
    if isinstance(document, dict) and isinstance(document.get("error"), dict):
        error = document["error"]
        raise ExtractError(
            f"{shown}: is not a page but an error of Graph, {error.get('code')}: "
            f"{error.get('message')}; mend its cause and save the page again"
        )
    if not isinstance(document, dict) or not isinstance(document.get("value"), list):
        raise ExtractError(
            f"{shown}: is not a page of Graph, an object with a list named value; save "
            "the whole answer"
        )
    for number, thing in enumerate(document["value"], 1):
        if not isinstance(thing, dict):
            raise ExtractError(
                f"{shown}, row {number}: is not an object; save the whole answer"
            )
    count = document.get(COUNT)
    if count is not None and not re.fullmatch(r"\d+", str(count)):
        raise ExtractError(f"{shown}: {COUNT} is '{count}', not a number of rows")
    return document


def _frames(
    graph_list: GraphList, shown: str, page: Mapping[str, Any]
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the page's own rows, then those of the members expanded in it."""
    things = page["value"]
    frame = _frame(shown, things, graph_list.columns, graph_list.lists)
    if not things:
        # A list may truly be empty: no sign-in for a month, no group at all.
        frame = pl.DataFrame(schema=dict.fromkeys(graph_list.needed, pl.String))
    if things and (missing := [n for n in graph_list.needed if n not in frame.columns]):
        raise ExtractError(
            f"{shown}: none of its objects has {missing[0]}; ask Graph for it in "
            "$select and save the pages again"
        )
    refuse_credentials(shown, frame)
    yield graph_list.name, frame
    if graph_list.members and any(MEMBERS in thing for thing in things):
        members = _members(shown, things, graph_list.members)
        yield f"{graph_list.name}.{MEMBERS}", members


def _members(
    shown: str, things: Sequence[Mapping[str, Any]], columns: tuple[str, ...]
) -> pl.DataFrame:
    """Return one row per member, with ``of`` and ``row``: the group and where it is."""
    owners: list[str | None] = []
    rows: list[int] = []
    found: list[Mapping[str, Any]] = []
    for number, thing in enumerate(things, 1):
        members = thing.get(MEMBERS) or []
        if not isinstance(members, list) or not all(
            isinstance(member, dict) for member in members
        ):
            raise _misshapen(shown, number, MEMBERS)
        found += members
        owners += [_text(thing.get("id"))] * len(members)
        rows += [number] * len(members)
    own = pl.DataFrame(
        {"of": owners, "row": rows}, schema={"of": pl.String, "row": pl.Int64}
    )
    return own.with_columns(_frame(shown, found, columns, ()).get_columns())


def _frame(
    shown: str,
    things: Sequence[Mapping[str, Any]],
    columns: Iterable[str],
    lists: tuple[str, ...],
) -> pl.DataFrame:
    """Return the columns that at least one object has, as text or lists of text."""
    series: list[pl.Series] = []
    for column in columns:
        values, is_told = _values(shown, things, column)
        if not is_told:
            continue
        if column in lists:
            for number, value in enumerate(values, 1):
                if value is not None and not isinstance(value, list):
                    raise _misshapen(shown, number, column)
            words = [
                None if value is None else [_text(word) for word in value]
                for value in values
            ]
            series.append(_series(shown, column, words, pl.List(pl.String)))
        else:
            texts = [_text(value) for value in values]
            series.append(_series(shown, column, texts, pl.String()))
    return pl.DataFrame(series)


def _series(
    shown: str, name: str, values: Sequence[Any], kind: pl.DataType
) -> pl.Series:
    try:
        return pl.Series(name, values, dtype=kind)
    except UnicodeEncodeError as error:
        raise ExtractError(
            f"{shown}: {name} holds half a character (a lone surrogate); save the page "
            "again"
        ) from error


def _values(
    shown: str, things: Sequence[Mapping[str, Any]], column: str
) -> tuple[list[Any], bool]:
    """Return the column's value in each object, and whether any object has it."""
    *outer, last = column.split("/")
    is_told = False
    values: list[Any] = []
    for number, thing in enumerate(things, 1):
        place: Any = thing
        for name in outer:
            place = place.get(name)
            if place is None:
                break
            if not isinstance(place, dict):
                raise _misshapen(shown, number, name)
        if place is not None and last in place:
            is_told = True
            values.append(place[last])
        else:
            values.append(None)
    return values, is_told


def _text(value: object) -> str | None:
    """Return a value as Graph wrote it; an object or a list as JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value, ensure_ascii=False)


def _misshapen(shown: str, number: int, name: str) -> ExtractError:
    return ExtractError(
        f"{shown}, row {number}: {name} is not of the shape Graph gives; save the page "
        "as it comes (ConvertTo-Json cuts it off unless told -Depth 10)"
    )
