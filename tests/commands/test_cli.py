"""The command line: its JSON, its errors, its exit codes."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app
from governance.settings import ROOT
from tests.demo_company import Demo

MISSING = "/nowhere/gatebook.toml"


@pytest.mark.parametrize(
    "command",
    [
        ("snapshot", "list"),
        ("snapshot", "show"),
        ("snapshot", "verify"),
        ("check", "list"),
        ("check", "show", "leaver_accounts"),
        ("check", "explain", "leaver_accounts"),
        ("campaign", "preview", "--due", "2026-12-15"),
        ("campaign", "list"),
        ("source", "list"),
        ("source", "pull", "entra"),
        ("owner", "suggest"),
        ("owner", "list"),
    ],
)
def test_every_reading_command_speaks_json(
    demo: Demo, command: tuple[str, ...]
) -> None:
    assert isinstance(demo.json(*command), dict)


@pytest.mark.parametrize(
    "command",
    [
        ("snapshot", "take"),
        ("snapshot", "list"),
        ("check", "list"),
        ("campaign", "list"),
        ("campaign", "status", "none"),
        ("evidence", "workbook", "none"),
        ("serve",),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(command: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, [*command, "--config", MISSING])
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert MISSING in result.stderr


def test_a_check_that_does_not_exist_is_named_with_those_that_do(demo: Demo) -> None:
    result = demo.run("check", "show", "no_such_check")
    assert result.exit_code == 1
    assert "no_such_check" in result.stderr
    assert "leaver_accounts" in result.stderr


def test_rows_bear_subject_status_and_reason(demo: Demo) -> None:
    rows = demo.json("check", "show", "leaver_accounts", "--status", "fail")["rows"]
    assert rows
    for row in rows:
        assert row["status"] == "fail"
        assert row["subject_id"]
        assert row["reason"] == "owner_left" or row["reason"] == "left_without_date"
        assert row["sentence"]


def test_a_failed_pull_seals_nothing_and_leaves_the_last_good_one(
    demo: Demo, tmp_path: Path
) -> None:
    company = tmp_path / "company"
    shutil.copytree(demo.folder, company)
    before = json.loads(
        CliRunner()
        .invoke(
            app, ["snapshot", "list", "--json", "--config", f"{company}/gatebook.toml"]
        )
        .stdout
    )
    newest = sorted(path for path in company.iterdir() if path.name.startswith("20"))[
        -1
    ]
    (newest / "crm" / "wk_admin_role.csv").unlink()
    result = CliRunner().invoke(
        app, ["snapshot", "take", "--config", f"{company}/gatebook.toml"]
    )
    assert result.exit_code == 1
    assert "source crm" in result.stderr
    assert "wk_admin_role.csv" in result.stderr
    after = json.loads(
        CliRunner()
        .invoke(
            app, ["snapshot", "list", "--json", "--config", f"{company}/gatebook.toml"]
        )
        .stdout
    )
    assert after == before


def test_a_demo_is_not_written_over_something_else(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    result = CliRunner().invoke(app, ["demo", str(tmp_path)])
    assert result.exit_code == 1
    assert "not empty" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_help_names_every_command() -> None:
    program = [sys.executable, str(ROOT / "cli.py"), "--help"]
    told = subprocess.run(program, capture_output=True, text=True, check=True).stdout
    words = ("demo", "source", "snapshot", "check", "owner", "campaign", "evidence")
    for word in (*words, "serve"):
        assert word in told
