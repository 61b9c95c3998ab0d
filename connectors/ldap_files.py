"""Entries of LDIF files (``ldapsearch``, ``slapcat``, ``ldifde``) and of csvde files.

Not a connector: how ``ldap`` reads files. A file that holds passwords is refused by the
name of the attribute. Source: RFC 2849; Microsoft, csvde and ldifde.
"""

import base64
import binascii
import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from connectors.connector import RawExport, RawTable
from connectors.files import decode, read_table
from connectors.ldap_attributes import (
    GROUPS,
    LISTS,
    OTHERS,
    USERS,
    Wanted,
    is_secret,
)
from connectors.ldap_entries import (
    EntryRows,
    Report,
    Value,
    kinds_of,
    without_ranges,
)
from governance.schema import ExtractError

LDIF = frozenset({".ldif", ".ldf"})
CSVDE = frozenset({".csv"})
_ENTRIES = re.compile(r"#\s*numEntries:\s*(\d+)\s*")
_HEXADECIMAL = re.compile(r"X'((?:[0-9A-Fa-f]{2})*)'")
_LISTS = frozenset(name.lower() for name in LISTS)
_SEPARATOR = re.compile(r"(?<!\\);")
_SUCCESS = "0"


@dataclass
class _Entry:
    """One record of a file."""

    dn: str
    number: int
    attributes: dict[str, list[Value]] = field(default_factory=dict)


@dataclass
class _Stated:
    """What ``ldapsearch`` says at the end of its own output."""

    entries: int | None = None
    result: str | None = None
    cookie: str = ""
    """Where the next page begins; empty after the last one."""
    references: int = 0


def read_files(
    base: Path, paths: Iterable[Path], wanted: Mapping[str, Wanted]
) -> RawExport:
    """Read every file. The moment is when the last of them was written.

    Raises:
        ExtractError: a file is missing, cut off, neither LDIF nor csvde, a list of
            changes, or holds a password or a hash. Names file, line and attribute.
    """
    report = Report()
    tables: dict[str, RawTable] = {}
    written: list[float] = []
    for at, path in enumerate(paths):
        shown = path.as_posix()
        suffix = path.suffix.lower()
        stated = _Stated()
        if suffix in LDIF:
            content = _content(base / path, shown)
            text, encoding = decode(shown, content)
            sha256: str | None = hashlib.sha256(content).hexdigest()
            entries = _ldif(shown, text, stated)
        elif suffix in CSVDE:
            raw = read_table(base / path, name=shown, file=shown)
            sha256, encoding = raw.sha256, raw.encoding or ""
            entries = _csvde(raw)
        else:
            raise ExtractError(
                f"{shown}: is neither LDIF nor csvde by its suffix; name it .ldif (or "
                ".ldf) or .csv"
            )
        rows = _sorted(shown, entries, wanted, report, stated)
        for kind, found in rows.items():
            tables[f"{kind}:{at}"] = found.table(kind, shown, sha256, encoding)
        written.append((base / path).stat().st_mtime)
    tables["report"] = report.table(", ".join(path.as_posix() for path in paths))
    return RawExport(
        tables=tables,
        extracted_at=datetime.fromtimestamp(max(written), UTC),
        method="file",
    )


def _content(path: Path, shown: str) -> bytes:
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise ExtractError(
            f"{shown}: no such file; put the export there or mend its path in "
            "gatebook.toml"
        ) from error
    except OSError as error:
        raise ExtractError(f"{shown}: cannot be read, {error.strerror}") from error
    if not content.strip():
        raise ExtractError(f"{shown}: is empty; export it again")
    return content


def _sorted(
    shown: str,
    entries: Iterator[_Entry],
    wanted: Mapping[str, Wanted],
    report: Report,
    stated: _Stated,
) -> dict[str, EntryRows]:
    """Sort entries into users, groups and others, and say how whole the file is."""
    found = {kind: EntryRows(one.attributes, report) for kind, one in wanted.items()}
    found[OTHERS] = EntryRows(("objectClass",), report)
    cut: list[str] = []
    read = 0
    for entry in entries:
        read += 1
        attributes, rest = without_ranges(entry.attributes)
        if rest:
            cut.append(entry.dn)
        for kind in kinds_of(attributes, wanted) or [OTHERS]:
            found[kind].add(entry.dn, entry.number, attributes)
    if not read:
        raise ExtractError(f"{shown}: holds no entry of a directory; export it again")
    if cut:
        report.add(
            GROUPS,
            "scoped",
            f"{shown}: {len(cut)} entries hold only the first values of an attribute "
            f"(;range=), {cut[0]} among them; read them over ldaps instead.",
        )
    if stated.references:
        report.add(
            USERS,
            None,
            f"{shown}: holds {stated.references} references to other directories; what "
            "is there needs an export of its own.",
        )
    if stated.result not in (None, _SUCCESS):
        report.add(
            USERS,
            "scoped",
            f"{shown}: the search ended with result {stated.result}, so entries are "
            "missing; export it again with paging (ldapsearch -E pr=500/noprompt).",
        )
    elif stated.cookie:
        report.add(
            USERS,
            "scoped",
            f"{shown}: ends before the last page; export it again to the end "
            "(ldapsearch -E pr=500/noprompt).",
        )
    elif stated.entries is None:
        report.add(USERS, "unknown")
    elif stated.entries != read:
        report.add(
            USERS,
            "scoped",
            f"{shown}: states {stated.entries} entries and holds {read}; export it "
            "again.",
        )
    else:
        report.add(USERS, "full")
    return found


# LDIF ---------------------------------------------------------------------------------


def _ldif(shown: str, text: str, stated: _Stated) -> Iterator[_Entry]:
    """Yield the entries of an LDIF file. ``number`` is the line of the ``dn:``."""
    entry: _Entry | None = None
    for number, line in _unfolded(text):
        if not line:
            if entry is not None:
                yield entry
            entry = None
            continue
        if line.startswith("#"):
            if told := _ENTRIES.fullmatch(line):
                stated.entries = int(told[1])
            continue
        name, value = _attribute(shown, number, line)
        lower = name.lower()
        if lower == "dn":
            if entry is not None:
                raise ExtractError(
                    f"{shown}: line {number}: a dn inside an entry; the blank line "
                    "before it is missing, export it again"
                )
            entry = _Entry(_dn(shown, number, value), number)
        elif entry is None:
            _preamble(shown, number, lower, value, stated)
        elif lower == "changetype":
            if value != "add":
                raise ExtractError(
                    f"{shown}: line {number}: is a list of changes, not of entries; "
                    "export the entries themselves"
                )
        elif is_secret(lower):
            raise _refusal(shown, f"line {number}: ", name)
        else:
            entry.attributes.setdefault(lower, []).append(value)
    if entry is not None:
        yield entry


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Yield logical lines with the number of the first line of each."""
    held, start = "", 1
    for number, line in enumerate(io.StringIO(text, newline="\n"), 1):
        clean = line.rstrip("\r\n")
        if clean.startswith(" ") and held:
            held += clean[1:]
            continue
        if number > 1:
            yield start, held
        held, start = clean, number
    yield start, held
    yield start + 1, ""


def _attribute(shown: str, number: int, line: str) -> tuple[str, Value]:
    name, colon, rest = line.partition(":")
    if not colon or not name:
        raise ExtractError(
            f"{shown}: line {number}: is not `attribute: value`; export it again as "
            "LDIF"
        )
    if rest.startswith("<"):
        raise ExtractError(
            f"{shown}: line {number}: {name} points to another file, which is never "
            "opened; export the value itself"
        )
    if not rest.startswith(":"):
        return name, rest.lstrip(" ")
    if is_secret(name):
        return name, ""
    try:
        return name, base64.b64decode(rest[1:].strip(), validate=True)
    except binascii.Error as error:
        raise ExtractError(
            f"{shown}: line {number}: {name} is not base64 to its end, as if cut off; "
            "export it again"
        ) from error


def _dn(shown: str, number: int, value: Value) -> str:
    try:
        return value if isinstance(value, str) else value.decode()
    except UnicodeDecodeError as error:
        raise ExtractError(
            f"{shown}: line {number}: the dn is not UTF-8; export it again"
        ) from error


def _preamble(
    shown: str, number: int, name: str, value: Value, stated: _Stated
) -> None:
    """Take the lines that ``ldapsearch`` writes outside entries, refuse all others."""
    if name == "result":
        stated.result = str(value).partition(" ")[0]
    elif name == "pagedresults":
        stated.cookie = str(value).partition("cookie=")[2]
    elif name == "ref":
        stated.references += 1
    elif name not in ("version", "search", "control", "text", "matcheddn"):
        raise ExtractError(
            f"{shown}: line {number}: {name} stands outside an entry; export it again"
        )


# csvde --------------------------------------------------------------------------------


def _csvde(raw: RawTable) -> Iterator[_Entry]:
    """Yield the rows of a csvde file. ``number`` is the row in the file."""
    names = {name.lower(): name for name in raw.rows.columns}
    if "dn" not in names or "objectclass" not in names:
        raise ExtractError(
            f"{raw.file}: has no columns DN and objectClass, as csvde writes them; "
            "export it with csvde and -l naming objectClass among the attributes"
        )
    for name in names:
        if is_secret(name):
            raise _refusal(raw.file, "", names[name])
    dn = names.pop("dn")
    for number, row in enumerate(raw.rows.iter_rows(named=True), raw.first_row):
        if row[dn] is None:
            raise ExtractError(
                f"{raw.file}: row {number}: has no DN; export it again with csvde"
            )
        yield _Entry(
            row[dn],
            number,
            {
                lower: _cell(lower, row[name])
                for lower, name in names.items()
                if row[name] is not None
            },
        )


def _cell(name: str, text: str) -> list[Value]:
    """Return the values of one cell: ``;`` between them, ``X'...'`` around bytes.

    Only lists are split: of another attribute a ``;`` is part of the text.
    """
    is_list = name.partition(";")[0] in _LISTS
    values: list[Value] = []
    for part in _SEPARATOR.split(text) if is_list else (text,):
        told = _HEXADECIMAL.fullmatch(part)
        values.append(bytes.fromhex(told[1]) if told else part.replace("\\;", ";"))
    return values


def _refusal(shown: str, place: str, attribute: str) -> ExtractError:
    return ExtractError(
        f"{shown}: {place}holds {attribute}, a password or a hash, which no review "
        "needs; export it again without, and keep this file from other hands"
    )
