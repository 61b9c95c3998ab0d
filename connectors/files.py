"""Files of rows, exactly as given: CSV, TSV, XLSX, JSON, NDJSON, Parquet.

Not a connector: what the connectors that read files share. Every value becomes text, so
that employee number 007 stays 007. A file that cannot be read whole and without
guessing is refused; no row is dropped or padded on the way.
"""

import codecs
import csv
import hashlib
import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastexcel
import openpyxl
import polars as pl

from connectors.connector import RawTable
from governance.schema import ExtractError

KEY_COLUMN = "@key"
"""Name a JSON record stood under, where the records are the values of an object."""
ROWS_COLUMN = "@rows"
"""Path a JSON record was found at, where records are gathered from several paths."""

_BLANK = re.compile(rb"\s*")
_NAMED = 3
"""Number of faulty rows or columns a message names before it says how many more."""


def read_table(
    path: Path,
    *,
    name: str,
    file: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
    separator: str | None = None,
    header: int = 1,
    rows: str | Sequence[str] | None = None,
    total_from: str | None = None,
) -> RawTable:
    """Read one file of rows; its suffix says how.

    Empty cells are null. Nested objects become dotted columns (``mfa.state``), lists of
    scalars stay lists, lists of objects become one list for each of their keys
    (``members.id``). Rows that are blank to the end of the file are not rows.

    Args:
        path: the file.
        name: what the connector calls the table.
        file: what messages and evidence call the file; its own name if not given.
        encoding: of a text file. Without it: the byte order mark, else UTF-8, else
            GB18030, each strictly.
        sheet: of a workbook; its first one if not given.
        separator: of a CSV; ``,`` or, where the header holds none, ``;`` tab or ``|``.
        header: number of the row that holds the headers, of CSV, TSV and XLSX.
        rows: where a JSON file keeps its records: one or more dotted paths, each to a
            list or to an object whose values are the records.
        total_from: dotted path to the number of rows the JSON file itself states.

    Raises:
        ExtractError: there is no such file; it is empty, cut off, in no encoding we
            know, or not what its suffix says; a row has too many or too few fields; a
            header stands twice; a column holds credentials. Names file and remedy.
    """
    shown = file or path.name
    form = _FORMS.get(path.suffix.lower())
    if form is None:
        raise ExtractError(
            f"{shown}: a file of type '{path.suffix}' cannot be read; save it as "
            f"{', '.join(known.removeprefix('.').upper() for known in _FORMS)}"
        )
    content = _bytes_of(path, shown)
    asked = _Asked(
        file=shown,
        encoding=encoding,
        sheet=sheet,
        separator=separator or ("\t" if path.suffix.lower() == ".tsv" else None),
        header=header,
        rows=(rows,) if isinstance(rows, str) else tuple(rows or ()),
        total_from=total_from,
    )
    found = form(content, asked)
    refuse_credentials(shown, found.frame)
    return RawTable(
        name=name,
        file=shown,
        rows=found.frame,
        first_row=found.first_row,
        sha256=hashlib.sha256(content).hexdigest(),
        encoding=found.encoding,
        stated=found.stated,
    )


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """How a file is to be read."""

    file: str
    encoding: str | None
    sheet: str | None
    separator: str | None
    header: int
    rows: tuple[str, ...]
    total_from: str | None


@dataclass(frozen=True, kw_only=True)
class _Found:
    """What a file held."""

    frame: pl.DataFrame
    first_row: int
    encoding: str | None = None
    stated: int | None = None


def _bytes_of(path: Path, file: str) -> bytes:
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise ExtractError(
            f"{file}: no such file; put the export there or mend its path in "
            "gatebook.toml"
        ) from error
    except OSError as error:
        raise ExtractError(f"{file}: cannot be read, {error.strerror}") from error
    if _BLANK.fullmatch(content):
        raise ExtractError(f"{file}: is empty; export it again")
    return content


# Text ---------------------------------------------------------------------------------

# UTF-32 first: its mark begins with that of UTF-16.
_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode(file: str, content: bytes, encoding: str | None = None) -> tuple[str, str]:
    """Return the text and the encoding it was in. No byte is replaced or guessed at.

    Raises:
        ExtractError: the bytes are not in the encoding asked for, or in none of those
            we try. Names the offset of the first byte that does not fit, from 0.
    """
    marked = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    known = encoding or marked
    faults: list[str] = []
    for candidate in (known,) if known else ("utf-8", "gb18030"):
        try:
            text = content.decode(candidate)
        except LookupError as error:
            raise ExtractError(
                f"{file}: there is no encoding '{candidate}'; name one such as utf-8 "
                "or gb18030"
            ) from error
        except UnicodeDecodeError as error:
            faults.append(f"not {candidate} at byte {error.start}")
        else:
            if "\0" in text:
                raise ExtractError(
                    f"{file}: is not a text file (it holds a NUL character); export it "
                    "again, or name its encoding in gatebook.toml"
                )
            return text.removeprefix("\ufeff"), candidate
    raise ExtractError(
        f"{file}: is {' and '.join(faults)}; save it as UTF-8, or name its encoding in "
        "gatebook.toml"
    )


def _read_delimited(content: bytes, asked: _Asked) -> _Found:
    """Read text with a field separator. All parsing of good files is done by Polars."""
    text, encoding = decode(asked.file, content, asked.encoding)
    if "\n" not in text:
        text = text.replace("\r", "\n")
    for number in range(1, asked.header):
        _, newline, text = text.partition("\n")
        if not newline:
            raise ExtractError(
                f"{asked.file}: ends in row {number}, before the header in row "
                f"{asked.header}; mend header in gatebook.toml"
            )
    separator = asked.separator or _separator(text.partition("\n")[0])
    try:
        given = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator), [])
    except csv.Error as error:
        raise ExtractError(f"{asked.file}: row {asked.header}: {error}") from error
    names = _headers(asked, given)
    try:
        frame = pl.read_csv(
            text.encode(), separator=separator, infer_schema=False, glob=False
        )
    except pl.exceptions.PolarsError:
        frame = _checked_rows(text, asked, separator, names)
    else:
        # A row that is short comes back padded with nulls; and where quotes are odd two
        # readers may disagree. Both can be told only by counting.
        is_doubtful = frame.width != len(names) or '"' in text or _may_be_short(frame)
        if is_doubtful and not _is_even(text, separator, frame.height, len(names)):
            frame = _checked_rows(text, asked, separator, names)
    frame.columns = names
    return _Found(
        frame=_without_blank_end(frame).rechunk(),
        first_row=asked.header + 1,
        encoding=encoding,
    )


def _may_be_short(frame: pl.DataFrame) -> bool:
    return frame.width > 1 and frame.to_series(-1).null_count() > 0


def _is_even(text: str, separator: str, height: int, width: int) -> bool:
    """Return whether a second reader finds the same rows, each of the same width."""
    try:
        widths = list(
            map(len, csv.reader(io.StringIO(text, newline=""), delimiter=separator))
        )
    except csv.Error:
        return False
    return len(widths) - 1 == height and not set(widths) - {0, width}


def _checked_rows(
    text: str, asked: _Asked, separator: str, names: list[str]
) -> pl.DataFrame:
    """Read row by row what Polars would not, or say which rows are wrong."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    number, good, bad = asked.header - 1, [], []
    try:
        for number, row in enumerate(reader, asked.header):
            if len(row) not in (0, len(names)):
                bad.append(f"row {number} has {len(row)} fields")
            good.append(row or [""] * len(names))
    except csv.Error as error:
        raise ExtractError(
            f"{asked.file}: row {number + 1} cannot be read ({error}); a quotation "
            "mark is not closed or not doubled, export it again"
        ) from error
    if bad:
        raise ExtractError(
            f"{asked.file}: {_some(bad)} where the header has {len(names)}; put fields "
            "that hold the separator into quotation marks, or export it again"
        )
    frame = pl.DataFrame(good[1:], schema=dict.fromkeys(names, pl.String), orient="row")
    return frame.with_columns(pl.all().replace("", None))


def _some(things: list[str]) -> str:
    """Return the first few of a list, and how many more there are."""
    more = len(things) - _NAMED
    return ", ".join(things[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _headers(asked: _Asked, given: Sequence[str | None]) -> list[str]:
    """Return column names; a column without one is named by its number.

    Raises:
        ExtractError: there is no header, or one stands twice.
    """
    names = [(name or "").strip() for name in given]
    if not any(names):
        raise ExtractError(
            f"{asked.file}: row {asked.header} holds no headers; say in which row they "
            "are with header in gatebook.toml"
        )
    for name in filter(None, names):
        if (times := names.count(name)) > 1:
            raise ExtractError(
                f"{asked.file}: the header '{name}' stands {times} times in row "
                f"{asked.header}; rename all but one"
            )
    return [name or f"column {at}" for at, name in enumerate(names, 1)]


def _without_blank_end(frame: pl.DataFrame) -> pl.DataFrame:
    """Drop blank rows at the end, and columns with neither header nor value."""
    filled = frame.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
    blank = filled.reverse().arg_max() if filled.any() else frame.height
    frame = frame.head(frame.height - (blank or 0))
    unnamed = [
        name
        for at, name in enumerate(frame.columns, 1)
        if name == f"column {at}" and frame[name].null_count() == frame.height
    ]
    return frame.drop(unnamed)


def _separator(line: str) -> str:
    """Return the separator of a header line: a comma, or what stands there instead."""
    if "," in line:
        return ","
    return max((mark for mark in ";\t|" if mark in line), key=line.count, default=",")


# Workbooks ----------------------------------------------------------------------------

# The reader lays a sheet out as one rectangle of 32 bytes a cell: what counts is its
# farthest row times its farthest column, not its size. Two cells in a file of 1.7 KB
# end the whole process, and no exception says so. Source: calamine issues 693 and 714.
_PARTS = 400
_INFLATED = 1_000_000_000
_RATIO = 300
_RATIO_FROM = 10_000_000
_CELLS = 25_000_000
_CHUNK = 8_000_000
_OVERLAP = 10_000
_ADDRESS = re.compile(rb"""\sr\s*=\s*["']\$?([A-Za-z]{1,3})\$?([0-9]{1,10})["']""")
_ADDRESS_LESS = re.compile(rb"""<(?:\w+:)?c(?:\s(?![^<>]*\br\s*=)[^<>]*)?/?>""")
_ERROR_CELL = re.compile(rb"""<(?:\w+:)?c\s[^<>]*\bt\s*=\s*["']e["']""")
# A formula whose cell has no value, or an empty one where the value is not a text.
_UNCALCULATED = re.compile(
    rb"""<(?:\w+:)?c\s(?![^<>]*\bt\s*=\s*["']str)[^<>]*>\s*"""
    rb"""<(?:\w+:)?f(?:\s[^<>]*)?(?:/>|>[^<]*</(?:\w+:)?f>)\s*"""
    rb"""(?:<(?:\w+:)?v\s*(?:/>|>\s*</(?:\w+:)?v>))?\s*</(?:\w+:)?c>"""
)
_FORBIDDEN = re.compile(
    rb"<!(?:DOCTYPE|ENTITY)|\sr\s*=\s*[\"'][^\"'<>]*&", re.IGNORECASE
)


def _read_workbook(content: bytes, asked: _Asked) -> _Found:
    has_errors = check_workbook(asked.file, content)
    try:
        book = fastexcel.read_excel(content)
        names = book.sheet_names
        if asked.sheet is not None and asked.sheet not in names:
            raise ExtractError(
                f"{asked.file}: has no sheet '{asked.sheet}'; its sheets are "
                f"{', '.join(names)}"
            )
        # skip_rows=0 keeps blank rows at the top, so that rows keep their numbers.
        sheet = book.load_sheet(
            asked.sheet or 0, header_row=None, skip_rows=0, dtypes="string"
        )
        frame: pl.DataFrame = sheet.to_polars()
    except (fastexcel.FastExcelError, ValueError) as error:
        raise ExtractError(
            f"{asked.file}: is not a readable XLSX workbook "
            f"({str(error).splitlines()[0]}); open it in Excel, save it again as XLSX"
        ) from error
    frame = frame.cast(pl.String)
    if has_errors:
        frame = _with_errors(content, asked.sheet or names[0], frame)
    if frame.height < asked.header:
        raise ExtractError(
            f"{asked.file}: has no row {asked.header} to take the headers from; export "
            "it again, or mend header and sheet in gatebook.toml"
        )
    headers = _headers(asked, frame.row(asked.header - 1))
    frame = frame.slice(asked.header)
    frame.columns = headers
    midnight = pl.all().str.replace(r"^(\d{4}-\d\d-\d\d) 00:00:00$", "${1}")
    frame = frame.with_columns(midnight.replace("", None))
    return _Found(frame=_without_blank_end(frame), first_row=asked.header + 1)


def _with_errors(content: bytes, sheet: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Put back ``#N/A`` and its like, which the fast reader gives as empty.

    An end date that is an error must not pass for no end date.
    """
    errors: list[tuple[int, int, str]] = []
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    first_column: int | None = None
    for row in book[sheet].iter_rows():
        for cell in row:
            if cell.value is None:
                continue
            first_column = min(first_column or cell.column, cell.column)
            if cell.data_type == "e":
                errors.append((cell.row, cell.column, str(cell.value)))
    columns = frame.to_dict(as_series=True)
    names = frame.columns
    for at, column, value in errors:
        name = names[column - (first_column or 1)]
        columns[name][at - 1] = value
    return pl.DataFrame(columns)


def check_workbook(file: str, content: bytes) -> bool:
    """Refuse a workbook that no reader should be given, before one is.

    Returns whether any cell holds an error such as ``#N/A``.

    Raises:
        ExtractError: the bytes are no XLSX, are cut off, encrypted, unpack to far more
            than any list needs, or hold cells so far apart that reading them would
            exhaust the memory; or a formula was never calculated, so that no reader
            could tell its value.
    """
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise ExtractError(
            f"{file}: is an old XLS or is locked with a password; save it as XLSX "
            "without a password"
        )
    again = "export it again, or open it in Excel and save it as XLSX"
    if not content.startswith(b"PK"):
        raise ExtractError(f"{file}: is not an XLSX workbook; {again}")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            _check_parts(file, parts)
            found = [
                _check_part(file, part.filename, _pieces(archive, part))
                for part in parts
                if part.filename.lower().endswith(".xml")
            ]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise ExtractError(
            f"{file}: is cut off or damaged ({error}); {again}"
        ) from error
    return any(found)


def _pieces(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield a part piece by piece, each with the end of the one before."""
    tail = b""
    with archive.open(part) as stream:
        while chunk := stream.read(_CHUNK):
            piece = tail + chunk
            yield piece
            tail = piece[-_OVERLAP:]


def _check_parts(file: str, parts: list[zipfile.ZipInfo]) -> None:
    names = [part.filename for part in parts]
    inflated = sum(part.file_size for part in parts)
    packed = sum(part.compress_size for part in parts)
    trouble = None
    if len(names) > _PARTS:
        trouble = f"has {len(names)} parts where {_PARTS} are the most"
    elif len(set(names)) < len(names):
        trouble = "holds one part twice"
    elif any(name.startswith("/") or ".." in Path(name).parts for name in names):
        trouble = "holds a part that points outside of it"
    elif any(part.flag_bits & 1 for part in parts):
        trouble = "is encrypted"
    elif inflated > _INFLATED:
        trouble = f"unpacks to {inflated:,} bytes where {_INFLATED:,} are the most"
    elif inflated > _RATIO_FROM and inflated > packed * _RATIO:
        trouble = f"unpacks to more than {_RATIO} times its size"
    if trouble:
        raise ExtractError(
            f"{file}: {trouble}; save the list alone as a new XLSX or CSV"
        )


def _check_part(file: str, part: str, pieces: Iterable[bytes]) -> bool:
    """Look at every cell of a sheet without unpacking it; return if any is an error."""
    columns: set[bytes] = set()
    last_row = 0
    has_errors = False
    saved = "open it in Excel and save it as XLSX"
    for piece in pieces:
        if _FORBIDDEN.search(piece) or piece.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise ExtractError(f"{file}: {part} is not as Excel writes it; {saved}")
        found = _ADDRESS.findall(piece)
        columns.update(column for column, _ in found)
        last_row = max(last_row, *(int(row) for row in {row for _, row in found}), 0)
        if "sheet" not in part.lower():
            continue
        if _ADDRESS_LESS.search(piece):
            raise ExtractError(f"{file}: {part} has cells without an address; {saved}")
        # Each search below costs a second a million cells; most sheets need neither.
        has_formulas = b"<f" in piece or b":f" in piece
        if has_formulas and (formula := _UNCALCULATED.search(piece)):
            cell = _ADDRESS.search(formula[0])
            place = b"".join(cell.groups()).decode() if cell else "a cell"
            raise ExtractError(
                f"{file}: {place} of {part} holds a formula that was never calculated; "
                + saved
            )
        may_err = not has_errors and (b'"e"' in piece or b"'e'" in piece)
        has_errors |= may_err and _ERROR_CELL.search(piece) is not None
    last_column = max((_column_number(letters) for letters in columns), default=0)
    if last_row * last_column > _CELLS:
        raise ExtractError(
            f"{file}: {part} reaches to row {last_row:,} and column {last_column:,}; "
            "delete what stands far from the list, or save the list as CSV"
        )
    return has_errors


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


# JSON ---------------------------------------------------------------------------------


def _read_json(content: bytes, asked: _Asked) -> _Found:
    text, encoding = decode(asked.file, content, asked.encoding)
    document = parse_json(asked.file, text)
    records: list[tuple[Mapping[str, str], Any]] = []
    for path in asked.rows or ("",):
        where = {ROWS_COLUMN: path} if len(asked.rows) > 1 else {}
        records += (
            (where | key, value) for key, value in _records(asked.file, document, path)
        )
    stated = None
    if asked.total_from is not None:
        told = at_path(asked.file, document, asked.total_from)
        if not isinstance(told, str) or not told.isdecimal():
            raise ExtractError(
                f"{asked.file}: {asked.total_from} is not a whole number; mend "
                "total_from in gatebook.toml"
            )
        stated = int(told)
    return _Found(
        frame=_frame(asked.file, records),
        first_row=1,
        encoding=encoding,
        stated=stated,
    )


def _read_lines(content: bytes, asked: _Asked) -> _Found:
    text, encoding = decode(asked.file, content, asked.encoding)
    records: list[tuple[Mapping[str, str], Any]] = [
        ({}, parse_json(asked.file, line, f"row {number}: ") if line.strip() else {})
        for number, line in enumerate(text.rstrip().split("\n"), 1)
    ]
    return _Found(frame=_frame(asked.file, records), first_row=1, encoding=encoding)


def parse_json(file: str, text: str, where: str = "") -> Any:  # noqa: ANN401
    """Return a JSON document with every number still the text it was written as.

    Raises:
        ExtractError: the text is not JSON, is cut off, is nested beyond reason, or an
            object holds one name twice.
    """
    try:
        return json.loads(
            text,
            parse_int=str,
            parse_float=str,
            parse_constant=str,
            object_pairs_hook=_object,
        )
    except json.JSONDecodeError as error:
        at = where or f"line {error.lineno}, column {error.colno}: "
        raise ExtractError(
            f"{file}: {at}not JSON, or cut off ({error.msg}); export it again"
        ) from error
    except (RecursionError, _RepeatedNameError) as error:
        told = error if isinstance(error, _RepeatedNameError) else "nested too deep"
        raise ExtractError(f"{file}: {where}{told}; export it again") from error


class _RepeatedNameError(Exception):
    """An object that holds one name twice: no reader could say which is meant."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _RepeatedNameError(f"an object holds '{twice}' twice")
    return found


def at_path(file: str, document: Any, path: str) -> Any:  # noqa: ANN401
    """Return what stands at a dotted path; a number picks from a list, from 0.

    Raises:
        ExtractError: there is nothing at that path.
    """
    found = document
    for step in path.split(".") if path else ():
        if isinstance(found, dict) and step in found:
            found = found[step]
        elif isinstance(found, list) and step.isdecimal() and int(step) < len(found):
            found = found[int(step)]
        else:
            names = f"; there are {', '.join(found)}" if isinstance(found, dict) else ""
            raise ExtractError(f"{file}: has no '{step}' of '{path}'{names}")
    return found


def _records(
    file: str,
    document: Any,  # noqa: ANN401
    path: str,
) -> Iterator[tuple[dict[str, str], Any]]:
    """Yield records with the name each stood under, if under one."""
    found = at_path(file, document, path)
    place = f"'{path}'" if path else "the file"
    if isinstance(found, list):
        yield from (({}, record) for record in found)
    elif isinstance(found, dict) and all(isinstance(v, dict) for v in found.values()):
        yield from (({KEY_COLUMN: key}, record) for key, record in found.items())
    else:
        hint = "say where they are with rows in gatebook.toml"
        if isinstance(found, dict):
            lists = [name for name, value in found.items() if isinstance(value, list)]
            hint += f" (lists: {', '.join(lists) or 'none'})"
        raise ExtractError(f"{file}: {place} is not a list of records; {hint}")


def _frame(file: str, records: Sequence[tuple[Mapping[str, str], Any]]) -> pl.DataFrame:
    """Put records into columns, in the order their names first appear."""
    columns: dict[str, list[Any]] = {}
    for number, (known, record) in enumerate(records, 1):
        if not isinstance(record, dict):
            raise ExtractError(
                f"{file}: row {number} is not an object; export it again, or mend rows "
                "in gatebook.toml"
            )
        for name, value in _flat(record, known):
            column = columns.setdefault(name, [])
            column.extend([None] * (number - 1 - len(column)))
            column.append(value)
    if not columns:
        raise ExtractError(f"{file}: holds no records; export it again")
    for column in columns.values():
        column.extend([None] * (len(records) - len(column)))
    return pl.DataFrame([_series(name, column) for name, column in columns.items()])


def _flat(
    record: Mapping[str, Any], known: Mapping[str, str], prefix: str = ""
) -> Iterator[tuple[str, Any]]:
    """Yield dotted names with text, null, or a list of text."""
    yield from known.items()
    for key, value in record.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            yield from _flat(value, {}, f"{name}.")
        elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
            inner = dict.fromkeys(
                key for one in value if isinstance(one, dict) for key in one
            )
            for key in inner:
                yield (
                    f"{name}.{key}",
                    [
                        _text(one.get(key)) if isinstance(one, dict) else None
                        for one in value
                    ],
                )
        elif isinstance(value, list):
            yield name, [_text(one) for one in value]
        else:
            yield name, _text(value)


def _text(value: Any) -> str | None:  # noqa: ANN401
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False)


def _series(name: str, values: list[Any]) -> pl.Series:
    if any(isinstance(value, list) for value in values):
        lists = [
            value if value is None or isinstance(value, list) else [value]
            for value in values
        ]
        return pl.Series(name, lists, dtype=pl.List(pl.String))
    return pl.Series(name, values, dtype=pl.String)


# Parquet ------------------------------------------------------------------------------


def _read_parquet(content: bytes, asked: _Asked) -> _Found:
    try:
        frame = pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ExtractError(
            f"{asked.file}: is not a Parquet file, or is cut off; export it again"
        ) from error
    while structs := [c for c, kind in frame.schema.items() if kind == pl.Struct]:
        frame = frame.unnest(*structs, separator=".")
    return _Found(
        frame=frame.select(
            _as_text(pl.col(name), kind).alias(name)
            for name, kind in frame.schema.items()
        ),
        first_row=1,
    )


def _as_text(value: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """Return a column as text: times as ISO 8601 in UTC, binary as hexadecimal."""
    if isinstance(kind, pl.List | pl.Array):
        inner = kind.inner if isinstance(kind.inner, pl.DataType) else kind.inner()
        return value.cast(pl.List(inner)).list.eval(_as_text(pl.element(), inner))
    if isinstance(kind, pl.Struct):
        return value.struct.json_encode()
    if isinstance(kind, pl.Datetime):
        if kind.time_zone is None:
            return value.dt.to_string("%Y-%m-%dT%H:%M:%S%.f")
        return value.dt.convert_time_zone("UTC").dt.to_string("%Y-%m-%dT%H:%M:%S%.fZ")
    if kind == pl.Binary:
        return value.bin.encode("hex")
    return value.cast(pl.String)


_FORMS: Mapping[str, Callable[[bytes, _Asked], _Found]] = {
    ".csv": _read_delimited,
    ".tsv": _read_delimited,
    ".xlsx": _read_workbook,
    ".json": _read_json,
    ".ndjson": _read_lines,
    ".jsonl": _read_lines,
    ".parquet": _read_parquet,
}


# Credentials --------------------------------------------------------------------------

_SECRET_PARTS = ("password", "passwd", "passphrase", "privatekey", "apikey")
_SECRET_WORDS = frozenset(
    {
        "hash",
        "hotp",
        "otp",
        "passcode",
        "pwd",
        "recovery",
        "salt",
        "secret",
        "secrets",
        "token",
        "tokens",
        "totp",
    }
)
_SECRET_ENDS = ("hash", "secret", "pwd")
# Words that make it a name about the secret: when it changed, whether it is set.
_ABOUT_WORDS = frozenset(
    {
        "age",
        "at",
        "change",
        "changed",
        "changes",
        "changing",
        "count",
        "date",
        "datetime",
        "day",
        "days",
        "disabled",
        "email",
        "enabled",
        "expiration",
        "expire",
        "expired",
        "expires",
        "expiry",
        "force",
        "has",
        "is",
        "length",
        "mail",
        "modified",
        "must",
        "never",
        "on",
        "phone",
        "policies",
        "policy",
        "quality",
        "required",
        "set",
        "state",
        "status",
        "strength",
        "time",
        "timestamp",
        "type",
        "until",
        "update",
        "updated",
        "valid",
        "was",
    }
)
_SECRET_CHINESE = re.compile("密码|口令|密钥|令牌|密匙|哈希|盐值|恢复码")
_ABOUT_CHINESE = re.compile(
    "修改|时间|日期|更新|变更|过期|到期|有效|天数|策略|状态|是否|次数|强度|长度|类型|改密"
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_FLAGS = ("true", "false", "yes", "no", "y", "n", "0", "1", "是", "否", "有", "无")
_TELLTALE = (
    r"^\s*(?:\$2[abxy]?\$\d\d\$|\$argon2|\$(?:1|5|6|7|y|gy|scrypt|pbkdf2[\w-]*)\$"
    r"|(?:pbkdf2|bcrypt|argon2|scrypt)[\w]*\$"
    r"|\{(?i:s?sha\d*|s?md5|crypt|pbkdf2[\w-]*|argon2)\}"
    r"|-----BEGIN |eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*\s*$)"
)
_HEXADECIMAL = r"^\s*(?:[0-9A-Fa-f]{32}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})\s*$"


def refuse_credentials(file: str, frame: pl.DataFrame) -> None:
    """Refuse rows that hold passwords, hashes or tokens; a review never needs them.

    A column is judged by its name and by its values. A column that is empty, or holds
    nothing but flags, gives no secret away whatever it is called.

    Raises:
        ExtractError: a column holds credentials. Names the column, never a value.
    """
    for name, kind in frame.schema.items():
        values = frame[name]
        if isinstance(kind, pl.List):
            values = values.explode()
        if values.dtype != pl.String:
            continue
        by_name = _names_a_secret(name) and not _only_flags(values)
        if by_name or _hold_secrets(name, values):
            why = "by its name" if by_name else "by the look of its values"
            raise ExtractError(
                f"{file}: the column '{name}' holds passwords, hashes or tokens, {why};"
                " export the list without it, and keep this file from other hands"
            )


def _hold_secrets(name: str, values: pl.Series) -> bool:
    looks = [_TELLTALE, *([_HEXADECIMAL] if _mentions_a_secret(name) else [])]
    return any(values.str.contains(look).any() for look in looks)


def _only_flags(values: pl.Series) -> bool:
    plain = values.str.strip_chars().str.to_lowercase()
    return bool((plain.is_null() | plain.is_in(["", *_FLAGS])).all())


def _mentions_a_secret(name: str) -> bool:
    words = {word.lower() for word in _WORD.findall(name)}
    joined = "".join(char for char in name.lower() if char.isalnum())
    return (
        any(part in joined for part in _SECRET_PARTS)
        or bool(words & _SECRET_WORDS)
        or any(word.endswith(_SECRET_ENDS) for word in words)
        or _SECRET_CHINESE.search(name) is not None
    )


def _names_a_secret(name: str) -> bool:
    last = name.rsplit(".", 1)[-1]
    words = {word.lower() for word in _WORD.findall(last)}
    is_about = words & _ABOUT_WORDS or _ABOUT_CHINESE.search(last)
    return _mentions_a_secret(name) and not is_about
