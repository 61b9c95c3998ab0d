"""Bad input gets one sentence that helps; nothing is half-sealed, nothing is lost."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from governance.settings import Settings
from governance.snapshots import current_id

CONFIG = """
organisation = "Example Trading"
data = "data"

[sources.crm]
connector = "table"

[[sources.crm.files]]
path = "users.csv"
[sources.crm.files.accounts]
account_id = "编号"
login = "账号"
is_enabled = { column = "状态", values = { "启用" = true, "停用" = false } }
created_at = { column = "创建日期", format = "%Y/%m/%d" }
"""
HEADER = "编号,账号,状态,创建日期"
ADA = "007,ada,启用,2024/01/31"
BOB = "008,bob,停用,2024/02/29"
GOOD = f"{HEADER}\n{ADA}\n{BOB}\n"
HASH = "$2b$12$" + "K" * 53


@dataclass(frozen=True)
class House:
    """An installation of one file, with one good snapshot sealed."""

    folder: Path
    first: str

    def take(self, content: bytes, as_of: str = "2026-02-28") -> Result:
        """Replace the file and take the next snapshot."""
        (self.folder / "users.csv").write_bytes(content)
        return self.run("snapshot", "take", "--as-of", as_of)

    def run(self, *arguments: str) -> Result:
        from cli import app

        config = str(self.folder / "gatebook.toml")
        return CliRunner().invoke(app, [*arguments, "--config", config])

    @property
    def current(self) -> str | None:
        return current_id(Settings.read(self.folder / "gatebook.toml"))


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Return the installation after its first, good snapshot."""
    (tmp_path / "gatebook.toml").write_text(CONFIG, "utf-8")
    fresh = House(tmp_path, "2026-01-31T155959Z")
    result = fresh.take(GOOD.encode(), "2026-01-31")
    assert result.exit_code == 0, result.stderr
    assert fresh.current == fresh.first
    return fresh


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (GOOD.replace("状态", "情况").encode(), ["状态", "情况"]),
        (b"", ["empty"]),
        (b"\xff\xfe\xff\x81\x20\xff", ["users.csv"]),
        (GOOD.encode() + b"\xff\xff\xff\n", ["byte 86", "save it as UTF-8"]),
        (GOOD.replace("008,bob", "008,bob,extra").encode(), ["row 3"]),
        (
            f"{HEADER},password\n{ADA},{HASH}\n".encode(),
            ["password"],
        ),
        (f"{HEADER}\n008,bob,休眠,2024/02/29\n".encode(), ["休眠", "状态", "row 2"]),
    ],
    ids=[
        "a missing column",
        "an empty file",
        "bytes that are no text",
        "a wrong encoding",
        "a row with a cell too many",
        "password hashes",
        "not one row that can be read",
    ],
)
def test_a_file_that_cannot_be_taken_in_is_refused_in_one_sentence(
    house: House, content: bytes, named: list[str]
) -> None:
    result = house.take(content)
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "source crm" in result.stderr
    assert "users.csv" in result.stderr
    for word in named:
        assert word in result.stderr
    assert HASH not in result.stderr
    assert house.current == house.first
    folder = house.folder / "data" / "snapshots"
    assert sorted(path.name for path in folder.iterdir()) == [house.first, "CURRENT"]


def test_a_truncated_workbook_is_refused_in_one_sentence(house: House) -> None:
    config = house.folder / "gatebook.toml"
    config.write_text(CONFIG.replace("users.csv", "users.xlsx"), "utf-8")
    import xlsxwriter

    path = house.folder / "users.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet().write_row(0, 0, HEADER.split(","))
    path.write_bytes(path.read_bytes()[:-200])
    result = house.run("snapshot", "take", "--as-of", "2026-02-28")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "source crm" in result.stderr
    assert "users.xlsx" in result.stderr
    assert house.current == house.first


@pytest.mark.parametrize(
    ("row", "column", "value"),
    [
        ("009,cy,休眠,2024/03/01", "状态", "休眠"),
        ("009,cy,启用,2024/02/30", "创建日期", "2024/02/30"),
        ("007,cy,启用,2024/03/01", "编号", "crm:007"),
        (",cy,启用,2024/03/01", "编号", None),
    ],
    ids=["an unknown value", "a broken date", "a repeated key", "no key"],
)
def test_a_row_that_cannot_be_read_is_kept_with_its_place_and_reason(
    house: House, row: str, column: str, value: str | None
) -> None:
    import json

    result = house.take(f"{GOOD}{row}\n".encode())
    assert result.exit_code == 0, result.stderr
    shown = json.loads(house.run("snapshot", "show", "--json").stdout)
    (rejected,) = shown["rejected_rows"]
    assert (rejected["source"], rejected["file"], rejected["row"]) == (
        "crm",
        "users.csv",
        4,
    )
    assert rejected["column"] == column
    assert rejected["value"] == value
    assert rejected["reason"]
    (tie_out,) = shown["tie_outs"]
    assert (tie_out["read"], tie_out["accepted"], tie_out["rejected"]) == (3, 2, 1)


def test_ids_keep_their_leading_zeros(house: House) -> None:
    result = house.run("check", "show", "stale_passwords", "--json")
    assert '"crm:007"' in result.stdout


def test_a_stated_total_that_is_not_met_is_said(house: House) -> None:
    config = house.folder / "gatebook.toml"
    config.write_text(
        CONFIG.replace('path = "users.csv"', 'path = "users.csv"\ntotal = 3'), "utf-8"
    )
    house.take(GOOD.encode())
    import json

    shown = json.loads(house.run("snapshot", "show", "--json").stdout)
    (tie_out,) = shown["tie_outs"]
    assert (tie_out["stated"], tie_out["read"]) == (3, 2)
    assert tie_out["is_balanced"] is False
    (source,) = shown["sources"]
    assert source["is_balanced"] is False
    assert source["completeness"] != "full"


def test_gb18030_is_read_and_named(house: House) -> None:
    import json

    house.take(GOOD.encode("gb18030"))
    shown = json.loads(house.run("snapshot", "show", "--json").stdout)
    (tie_out,) = shown["tie_outs"]
    assert (tie_out["encoding"], tie_out["accepted"]) == ("gb18030", 2)
