"""A live WuKong database gives the very findings that its files give."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from governance.catalog import load_checks
from governance.settings import ROOT
from tests.connectors.wukong_dumps import fill_from_dumps
from tests.demo_company import Demo
from tests.mariadb import mariadb

AS_OF = "2026-10-31T16:00:00+00:00"
CHECKS = list(load_checks(ROOT / "queries"))


def test_the_database_and_its_files_give_the_same_findings(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over one month and no history, so that nothing but the way in differs."""
    from cli import app

    month = demo.folder / "2026-10"
    told = (month / "gatebook.toml").read_text("utf-8")
    told = re.sub(r"^data = .*$", f'data = "{tmp_path / "files"}"', told, flags=re.M)
    files = month / "files.toml"
    files.write_text(told, "utf-8")
    live = month / "live.toml"
    live.write_text(
        told.replace('folder = "crm"', 'database = "env:CRM_URL"').replace(
            str(tmp_path / "files"), str(tmp_path / "live")
        ),
        "utf-8",
    )
    assert 'database = "env:CRM_URL"' in live.read_text("utf-8")

    with mariadb(tmp_path) as server:
        fill_from_dumps(server, "crm", month / "crm")
        monkeypatch.setenv("CRM_URL", server.url("crm"))
        for config in (files, live):
            took = CliRunner().invoke(
                app, ["snapshot", "take", "--as-of", AS_OF, "--config", str(config)]
            )
            assert took.exit_code == 0, took.stderr

    for check_id in CHECKS:
        answers = []
        for config in (files, live):
            shown = CliRunner().invoke(
                app, ["check", "show", check_id, "--json", "--config", str(config)]
            )
            answers.append(json.loads(shown.stdout)["rows"])
        assert answers[0] == answers[1], check_id
        assert answers[0] or check_id == "expired_delegations"
