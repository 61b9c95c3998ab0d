"""Shape of the repository that no linter knows."""

import ast
import re
from pathlib import Path

from governance.settings import ROOT

SQL = re.compile(
    r"""["']\s*(select\s.+\sfrom\s|insert\s+into\s|with\s+(recursive\s+)?\w+\s+as\s)""",
    re.IGNORECASE | re.DOTALL,
)
VAGUE = {
    *("util", "utils", "helper", "helpers", "common", "misc", "shared", "core", "lib"),
    *("manager", "base"),
}
FOLDERS = ("commands", "connectors", "data/demo", "gate", "governance", "pages")
STORAGE = {"governance/snapshots.py", "governance/register/database.py"}
"""What keeps rows, not what asks of them: counts for a manifest, triggers, pragmas."""


def modules(*folders: str) -> list[Path]:
    return [path for folder in folders for path in (ROOT / folder).rglob("*.py")]


def test_only_the_main_script_lies_directly_in_pages() -> None:
    """Streamlit would serve any other by itself, before the gate asked who is there."""
    found = {path.name for path in (ROOT / "pages").glob("*.py")}
    assert found <= {"__init__.py", "main.py"}


def test_sql_about_the_business_lives_under_queries() -> None:
    found = [
        path.relative_to(ROOT).as_posix()
        for path in modules("commands", "gate", "governance", "pages")
        if SQL.search(path.read_text("utf-8"))
    ]
    assert set(found) <= STORAGE


def test_no_module_is_named_for_nothing() -> None:
    found = [
        path
        for path in modules(*FOLDERS, "tests", "benchmarks")
        if VAGUE & {path.stem, path.parent.name}
    ]
    assert found == []


def test_the_clock_is_read_at_the_edges_only() -> None:
    """Below them time is an argument: history can be sealed, and tests repeat.

    A connector that asks a live system is such an edge: it notes when it asked.
    """
    clock = re.compile(r"\b(datetime\.now|date\.today|datetime\.utcnow|time\.time)\(")
    found = [
        path.relative_to(ROOT).as_posix()
        for path in modules("governance", "data/demo")
        if clock.search(path.read_text("utf-8"))
    ]
    assert found == []


def test_pages_share_no_cache_and_hand_out_no_media() -> None:
    """Streamlit's caches mix people's rows; its media URLs ask nobody who they are."""
    banned = {"cache_data", "cache_resource", "download_button", "file_uploader"}
    found = [
        (path.name, node.attr)
        for path in modules("pages")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in banned
    ]
    assert found == []


def test_nothing_unfinished_is_left() -> None:
    mark = re.compile(r"\b(TODO|FIXME|XXX)\b|raise NotImplementedError")
    found = [path for path in modules(*FOLDERS) if mark.search(path.read_text("utf-8"))]
    assert found == []
