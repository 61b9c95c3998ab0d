"""Reads a returned workbook in a process of its own, which may die without harm.

Run as a script: the file on standard input, its cells as JSON on standard output. It
imports nothing of this product, gets no network and no other file, and is stopped when
it needs more memory or time than a review workbook ever does.
"""

import io
import json
import os
import re
import sys
import zipfile
from datetime import date, datetime, time
from typing import Any

MEMORY_BYTES = 512 * 1024 * 1024
CPU_SECONDS = 20
ROW_LIMIT = 25_000
COLUMN_LIMIT = 16
"""Columns A to P; what somebody wrote beside them is not read."""
CELL_LIMIT = 700_000
_CELL = re.compile(r"\A([A-Z]{1,3})([1-9][0-9]{0,6})\Z")
_SHEET = re.compile(r"\Axl/worksheets/[^/]+\.xml\Z")


class RefusedError(Exception):
    """The file is legal to Excel and yet no review workbook."""


def read(content: bytes) -> list[dict[str, Any]]:
    """Return every sheet: title, whether it is hidden, rows of typed cells.

    A cell is ``[type, text]``; type is s text, n number, d date, b flag, e error,
    f formula. Empty cells are left out.

    Raises:
        RefusedError: a place occurs twice, a cell has no place, or there are too many.
    """
    # numpy is of no use here and takes more address space than the limit allows.
    sys.modules["numpy"] = None  # type: ignore[assignment]
    import openpyxl

    if not openpyxl.DEFUSEDXML:
        raise RefusedError("defusedxml is not installed")
    limit_resources()
    last_row = _scan(content)
    book = openpyxl.load_workbook(
        io.BytesIO(content), read_only=True, data_only=False, keep_links=False
    )
    sheets = []
    for sheet in book.worksheets:
        rows = []
        for row in sheet.iter_rows(max_row=last_row, max_col=COLUMN_LIMIT):
            cells = {
                cell.column_letter: _told(cell)
                for cell in row
                if cell.value is not None
            }
            if cells:
                first = next(cell for cell in row if cell.value is not None)
                rows.append([first.row, cells])
        hidden = sheet.sheet_state != "visible"
        sheets.append({"title": sheet.title, "is_hidden": hidden, "rows": rows})
    return sheets


def limit_resources() -> None:
    """Bound memory, time and files, where the system can."""
    try:
        import resource
    except ImportError:  # Windows: the parent's time-out alone
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _scan(content: bytes) -> int:
    """Return the last row that holds anything; refuse what readers disagree about."""
    from defusedxml.ElementTree import iterparse  # type: ignore[import-untyped]

    last_row, count = 1, 0
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            if not _SHEET.match(name):
                continue
            seen: set[str] = set()
            with archive.open(name) as part:
                for _, element in iterparse(part, forbid_dtd=True):
                    kind = element.tag.rpartition("}")[2]
                    if kind == "row":
                        element.clear()
                    if kind != "c":
                        continue
                    place = _CELL.match(element.get("r") or "")
                    if place is None:
                        raise RefusedError("a cell without a place")
                    if place.string in seen:
                        raise RefusedError(f"cell {place.string} twice")
                    seen.add(place.string)
                    count += 1
                    if count > CELL_LIMIT:
                        raise RefusedError("too many cells")
                    if len(element):
                        row = int(place.group(2))
                        if row > ROW_LIMIT:
                            raise RefusedError("too many rows")
                        last_row = max(last_row, row)
    return last_row


def _told(cell: Any) -> list[str]:  # noqa: ANN401 - openpyxl's read-only cell
    value = cell.value
    if cell.data_type == "f" or not isinstance(
        value, (str, bool, int, float, datetime, date, time)
    ):
        return ["f", ""]
    if cell.data_type == "e":
        return ["e", str(value)]
    if isinstance(value, bool):
        return ["b", "TRUE" if value else "FALSE"]
    if isinstance(value, (datetime, date)):
        return ["d", value.isoformat()]
    if isinstance(value, (int, float)):
        is_whole = float(value).is_integer()
        return ["n", str(int(value)) if is_whole else repr(value)]
    return ["s", str(value)]


def main() -> int:
    """Read standard input, write standard output; return the exit code."""
    os.environ["OPENPYXL_LXML"] = "False"
    try:
        answer: dict[str, Any] = {"sheets": read(sys.stdin.buffer.read())}
    except RefusedError as error:
        answer = {"refused": str(error)}
    except MemoryError:
        return 3
    except Exception as error:  # whatever it is, it is no workbook
        answer = {"unreadable": type(error).__name__}
    sys.stdout.write(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
