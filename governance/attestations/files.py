"""Looks at a returned file from outside, then has a child process read it."""

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from governance.attestations.layout import shown
from governance.attestations.problems import Problem

SIZE_LIMIT = 5 * 1024 * 1024
_PARTS_LIMIT = 40
_UNPACKED_LIMIT = 50 * 1024 * 1024
_RATIO_LIMIT = 100
_SMALL = 64 * 1024
"""Parts below this size may be packed as tightly as they like."""
_SECONDS = 30
_READER = Path(__file__).with_name("reading.py")

# What Excel, LibreOffice, WPS and Numbers write for cells, notes and printing.
_ALLOWED = re.compile(
    r"\[Content_Types\]\.xml"
    r"|_rels/\.rels"
    r"|docProps/(app|core|custom)\.xml"
    r"|docMetadata/LabelInfo\.xml"
    r"|customXml/(_rels/)?item(Props)?\d+\.xml(\.rels)?"
    r"|xl/(workbook|styles|sharedStrings|calcChain|metadata)\.xml"
    r"|xl/_rels/workbook\.xml\.rels"
    r"|xl/theme/(theme|themeOverride)\d*\.xml"
    r"|xl/worksheets/sheet\d+\.xml"
    r"|xl/worksheets/_rels/sheet\d+\.xml\.rels"
    r"|xl/comments\d*\.xml|xl/comments/comment\d+\.xml"
    r"|xl/threadedComments/threadedComment\d+\.xml"
    r"|xl/persons/person\d*\.xml"
    r"|xl/drawings/(vmlDrawing\d+\.vml|drawing\d+\.xml)"
    r"|xl/printerSettings/printerSettings\d+\.bin"
)
_DOCTYPES = tuple(
    b"<!DOCTYPE".decode("ascii").encode(encoding)
    for encoding in ("utf-8", "utf-16-le", "utf-16-be")
)


@dataclass(frozen=True)
class Cell:
    """One cell of a returned file."""

    kind: str
    """s text, n number, d date, b flag, e error, f formula."""
    raw: str

    @property
    def text(self) -> str:
        """Return the value as the layout shows it, for comparing."""
        if self.kind == "d":
            return self.raw.removesuffix("T00:00:00")
        return shown(self.raw)


_BLANK = Cell("s", "")


@dataclass(frozen=True)
class Sheet:
    """One sheet of a returned file: row number → column letter → cell."""

    title: str
    rows: Mapping[int, Mapping[str, Cell]]

    def cell(self, column: str, row: int) -> Cell:
        """Return a cell; one that holds nothing is an empty text."""
        return self.rows.get(row, {}).get(column, _BLANK)

    def at(self, place: str) -> Cell:
        """Return the cell at a place such as ``N2``."""
        return self.cell(place[0], int(place[1:]))


def look(content: bytes) -> Problem | None:
    """Look at a file from outside, unpacking nothing but to count.

    Returns what forbids reading it, if anything.
    """
    if len(content) > SIZE_LIMIT:
        limit = SIZE_LIMIT // 1024 // 1024
        return Problem(code="TOO_LARGE", values={"limit": limit})
    if not content.startswith(b"PK\x03\x04"):
        return _not_ours(_likeness(content))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _look_inside(archive)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError):
        return _not_ours("the file is cut off or damaged")
    except RuntimeError:
        return _unsafe("encryption")


def _look_inside(archive: zipfile.ZipFile) -> Problem | None:
    parts = archive.infolist()
    names = [part.filename for part in parts]
    if len(parts) > _PARTS_LIMIT:
        return _unsafe("too many parts")
    if len({name.casefold() for name in names}) < len(names):
        return _unsafe("the same part twice")
    for part in parts:
        if part.flag_bits & 0x1:
            return _unsafe("encryption")
        if not _ALLOWED.fullmatch(part.filename):
            return _unsafe(shown(part.filename)[:80])
    if "xl/workbook.xml" not in names:
        return _not_ours("it has no sheets")
    if sum(part.file_size for part in parts) > _UNPACKED_LIMIT:
        return _unsafe("more than 50 MB inside")
    unpacked = 0
    for part in parts:
        size = 0
        tail = b""
        with archive.open(part) as stream:
            # What a header states about sizes is a claim: count while unpacking.
            while piece := stream.read(_SMALL):
                size += len(piece)
                unpacked += len(piece)
                if unpacked > _UNPACKED_LIMIT:
                    return _unsafe("more than 50 MB inside")
                if size > _SMALL and size > _RATIO_LIMIT * max(part.compress_size, 1):
                    return _unsafe("a part packed more than a hundredfold")
                seen = tail + piece
                if any(word in seen for word in _DOCTYPES):
                    return _unsafe("a document type declaration")
                tail = piece[-32:]
    return None


def _likeness(content: bytes) -> str:
    """Return what a file that is no XLSX looks like."""
    start = content[:512].lstrip().lower()
    if not content:
        return "the file is empty"
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        return "an old .xls file, or one with a password"
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<")):
        return "a web page"
    return "it is not an .xlsx file"


def _not_ours(detail: str) -> Problem:
    return Problem(code="NOT_A_WORKBOOK", values={"detail": detail})


def _unsafe(detail: str) -> Problem:
    return Problem(code="UNSAFE_FILE", values={"detail": detail})


def cells_of(content: bytes) -> list[Sheet] | Problem:
    """Have a child process read a file that passed ``look``; return its sheets."""
    kept = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(_READER)],
            input=content,
            capture_output=True,
            timeout=_SECONDS,
            env=kept,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Problem(code="UNREADABLE")
    if done.returncode != 0:
        return Problem(code="UNREADABLE")
    told: dict[str, Any] = json.loads(done.stdout)
    if "refused" in told:
        return _unsafe(told["refused"])
    if "unreadable" in told:
        return _not_ours("the file is cut off or damaged")
    return [
        Sheet(
            title=one["title"],
            rows={
                row: {column: Cell(*cell) for column, cell in cells.items()}
                for row, cells in one["rows"]
            },
        )
        for one in told["sheets"]
    ]
