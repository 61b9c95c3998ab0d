"""Entries of a directory as rows, whichever way they were read.

Not a connector: a live answer, an LDIF file and a csvde file come to the same rows
here, so that a review over any of them comes to the same findings.
"""

import re
import unicodedata
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import polars as pl

from connectors.connector import RawTable
from connectors.ldap_attributes import BINARY, GROUPS, LISTS, USERS, Wanted

Value = str | bytes
"""A value as it came: bytes off the wire or out of base64, else text."""

REPORT = "report"
"""Name of the raw table of what the reading itself met: ``part, state, note``."""
_REPORT_COLUMNS = {"part": pl.String, "state": pl.String, "note": pl.String}

_GUID_BYTES = 16
_SID_HEAD = 8
_UUID = re.compile(r"\{?[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}?")


@dataclass(kw_only=True)
class Report:
    """What a reading met on its way, for the completeness and the notes."""

    rows: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    unreadable: Counter[str] = field(default_factory=Counter)
    """Values that are no UTF-8, by attribute."""
    several: Counter[str] = field(default_factory=Counter)
    """Entries that hold several values where one is meant, by attribute."""

    def add(self, part: str, state: str | None = None, note: str | None = None) -> None:
        """Say how whole a part is, or what a reader of the evidence must know."""
        self.rows.append((part, state, note))

    def table(self, file: str) -> RawTable:
        """Return the report as a raw table."""
        unreadable = [
            (
                USERS,
                None,
                f"{attribute}: {count} values are not UTF-8 and were left out; mend "
                "them in the directory.",
            )
            for attribute, count in sorted(self.unreadable.items())
        ]
        several = [
            (
                USERS,
                None,
                f"{attribute}: {count} entries hold several values; the first one told "
                "was taken.",
            )
            for attribute, count in sorted(self.several.items())
        ]
        rows = pl.DataFrame(
            [*self.rows, *unreadable, *several], schema=_REPORT_COLUMNS, orient="row"
        )
        return RawTable(name=REPORT, file=file, rows=rows)


class EntryRows:
    """Collects entries column by column; an attribute nobody bears has no column."""

    def __init__(self, attributes: Iterable[str], report: Report) -> None:
        self._report = report
        self._names = {name.lower(): name for name in attributes}
        self._columns: dict[str, list[str | list[str] | None]] = {}
        self._entries: list[str] = []
        self._numbers: list[int] = []

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, dn: str, number: int, attributes: Mapping[str, list[Value]]) -> None:
        """Take one entry; ``attributes`` are by their names in small letters."""
        at = len(self._entries)
        self._entries.append(dn)
        self._numbers.append(number)
        for lower, values in attributes.items():
            name = self._names.get(lower)
            if name is None or not values:
                continue
            column = self._columns.setdefault(name, [])
            if len(column) < at:
                column.extend([None] * (at - len(column)))
            if name in LISTS:
                column.append(
                    [text for one in values if (text := self._text(name, one))]
                )
            else:
                if len(values) > 1:
                    self._report.several[name] += 1
                column.append(self._text(name, values[0]))

    def _text(self, name: str, value: Value) -> str | None:
        if name in BINARY:
            text = guid(value) if name == "objectGUID" else sid(value)
        elif isinstance(value, str):
            return value
        else:
            try:
                return value.decode()
            except UnicodeDecodeError:
                text = None
        if text is None:
            self._report.unreadable[name] += 1
        return text

    def table(
        self,
        name: str,
        file: str,
        sha256: str | None = None,
        encoding: str | None = None,
    ) -> RawTable:
        """Return the rows: ``dn``, ``row`` and a column for each attribute borne."""
        height = len(self._entries)
        columns: dict[str, pl.Series] = {
            "dn": pl.Series(self._entries, dtype=pl.String),
            "row": pl.Series(self._numbers, dtype=pl.Int64),
        }
        for attribute in self._names.values():
            values = self._columns.get(attribute)
            if values is None:
                continue
            values.extend([None] * (height - len(values)))
            kind = pl.List(pl.String) if attribute in LISTS else pl.String()
            columns[attribute] = pl.Series(values, dtype=kind)
        self._columns.clear()
        return RawTable(
            name=name,
            file=file,
            rows=pl.DataFrame(columns),
            sha256=sha256,
            encoding=encoding,
        )


def kinds_of(
    attributes: Mapping[str, list[Value]], wanted: Mapping[str, Wanted]
) -> list[str]:
    """Return what an entry is by its classes: a user, a group, both or neither."""
    classes = frozenset(
        (one if isinstance(one, str) else one.decode(errors="replace")).lower()
        for one in attributes.get("objectclass", ())
    )
    return [kind for kind in (USERS, GROUPS) if wanted[kind].is_one(classes)]


def without_ranges(
    attributes: dict[str, list[Value]],
) -> tuple[dict[str, list[Value]], dict[str, int]]:
    """Return attributes under their bare names, and where those cut off go on.

    Active Directory hands out 1,500 values at a time, as ``member;range=0-1499``; the
    last piece ends in ``*``. Source: [MS-ADTS] 3.1.1.3.1.3.3, range retrieval.
    """
    ranged = [name for name in attributes if ";range=" in name]
    if not ranged:
        return attributes, {}
    whole = dict(attributes)
    rest: dict[str, int] = {}
    for name in ranged:
        bare, _, told = name.partition(";range=")
        last = told.partition("-")[2]
        whole[bare] = [*whole.get(bare, []), *whole.pop(name)]
        if last != "*":
            rest[bare] = int(last) + 1
    return whole, rest


def guid(value: Value) -> str | None:
    """Return an objectGUID as Microsoft's tools print it; null if it is none."""
    if isinstance(value, str):
        if _UUID.fullmatch(value):
            return value.strip("{}").lower()
        value = value.encode()
    if len(value) != _GUID_BYTES:
        return None
    return str(uuid.UUID(bytes_le=value))


def sid(value: Value) -> str | None:
    """Return a security identifier as ``S-1-5-...``; null if it is none.

    Source: [MS-DTYP] 2.4.2.2, SID packet representation.
    """
    if isinstance(value, str):
        if value.startswith("S-1-"):
            return value
        value = value.encode()
    if len(value) < _SID_HEAD or len(value) != _SID_HEAD + 4 * value[1]:
        return None
    authority = int.from_bytes(value[2:_SID_HEAD], "big")
    parts = (
        int.from_bytes(value[at : at + 4], "little")
        for at in range(_SID_HEAD, len(value), 4)
    )
    return "-".join(["S", str(value[0]), str(authority), *map(str, parts)])


# Distinguished names ------------------------------------------------------------------

_PLAIN = re.compile(r"[^\\\"+;#]*")
_SPACE_AROUND = re.compile(r"\s*([,=])\s*")
_ESCAPED = re.compile(rb"\\([0-9A-Fa-f]{2})|\\(.)", re.DOTALL)
_SPECIAL = re.compile(r"([\\,+])")
_SPACE_AROUND_EQUALS = re.compile(r"\s*=\s*")


def dn_key(dn: str) -> str:
    """Return what two spellings of one distinguished name have in common.

    Case, blanks around commas, the way a character is escaped, and the order inside a
    multi-valued RDN do not make another name. Source: RFC 4514, RFC 4518.
    """
    text = dn if dn.isascii() else unicodedata.normalize("NFKC", dn)
    if _PLAIN.fullmatch(text):
        key = text.lower() if text.isascii() else text.casefold()
        if " " not in key:
            return key
        return _SPACE_AROUND.sub(r"\1", " ".join(key.split()))
    return ",".join(
        "+".join(sorted(_assertion_key(one) for one in _split(part, "+")))
        for part in _split(text, ",;")
    )


def _assertion_key(assertion: str) -> str:
    attribute, _, value = assertion.partition("=")
    value = value.strip()
    if len(value) > 1 and value.startswith('"') and value.endswith('"'):
        value = value[1:-1]
    raw = _ESCAPED.sub(
        lambda found: bytes.fromhex(found[1].decode()) if found[1] else found[2],
        value.encode(),
    )
    text = unicodedata.normalize("NFKC", raw.decode(errors="replace")).casefold()
    even = _SPACE_AROUND_EQUALS.sub("=", " ".join(text.split()))
    escaped = _SPECIAL.sub(r"\\\1", even)
    return f"{attribute.strip().lower()}={escaped}"


def _split(text: str, marks: str) -> list[str]:
    """Split at marks that are neither escaped nor quoted."""
    parts, start, at, quoted = [], 0, 0, False
    while at < len(text):
        character = text[at]
        if character == "\\":
            at += 1
        elif character == '"':
            quoted = not quoted
        elif character in marks and not quoted:
            parts.append(text[start:at])
            start = at + 1
        at += 1
    return [*parts, text[start:]]


def organizational_units(dn: str) -> list[str]:
    """Return the DNs of the units an entry is in, innermost first."""
    parts = _split(dn, ",;")
    return [
        ",".join(parts[at:]).strip()
        for at in range(1, len(parts))
        if parts[at].strip().lower().startswith("ou=")
    ]


def first_value(dn: str) -> str:
    """Return the value of the first RDN, unescaped: what people call the entry."""
    _, _, value = _split(_split(dn, ",;")[0], "+")[0].partition("=")
    raw = _ESCAPED.sub(
        lambda found: bytes.fromhex(found[1].decode()) if found[1] else found[2],
        value.strip().encode(),
    )
    return raw.decode(errors="replace")


def is_inside(key: str, base: str) -> bool:
    """Return whether the entry of a key is the base or below it, both ``dn_key``."""
    return not base or key == base or key.endswith(f",{base}")
