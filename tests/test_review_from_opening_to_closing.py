"""One whole review by command line, its workbooks saved again by LibreOffice."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet
from typer.testing import CliRunner

from tests.demo_company import Demo

DUE = "2099-12-31"
HEAD = 4
"""Row of the column heads in a sheet of the evidence."""


@dataclass(frozen=True)
class Finished:
    """A closed review and its evidence."""

    campaign_id: str
    workbooks: int
    returned: list[dict[str, Any]]
    status: list[dict[str, Any]]
    evidence: Path
    demo: Demo

    def rows(self, title: str) -> list[dict[str, Any]]:
        """Return a sheet of the evidence as rows by column head."""
        book = openpyxl.load_workbook(self.evidence)
        lines = list(book[title].iter_rows(min_row=HEAD, values_only=True))
        heads = [str(name) for name in lines[0]]
        return [dict(zip(heads, line, strict=True)) for line in lines[1:]]


def answer(sheet: Worksheet) -> None:
    """Revoke what is risky and keep the rest, as a careful reviewer might."""
    heads = next(
        row
        for row in sheet.iter_rows(min_row=1, max_row=20)
        if "Decision" in {cell.value for cell in row}
    )
    column = {str(cell.value): cell.column for cell in heads if cell.value}
    first = int(heads[0].row or 0) + 1
    for line in range(first, sheet.max_row + 1):
        if sheet.cell(line, column["Login"]).value is None:
            continue
        risk = sheet.cell(line, column["Risk"]).value
        flagged = risk in ("Critical", "High")
        sheet.cell(line, column["Decision"]).value = "Revoke" if flagged else "Keep"


@pytest.fixture(scope="module")
def finished(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Open, hand out, fill in, save again by LibreOffice, take back, close."""
    folder = tmp_path_factory.mktemp("whole")
    company = Demo(folder / "company")
    shutil.copytree(demo.folder, company.folder)
    campaign_id = company.json(
        "campaign", "open", "Q4", "--due", DUE, "--fallback", "hr:010002"
    )["campaign_id"]
    issued = company.json("campaign", "workbooks", campaign_id, "--to", f"{folder}/out")
    filled = folder / "filled"
    filled.mkdir()
    for entry in issued["workbooks"]:
        book = openpyxl.load_workbook(entry["file"])
        answer(book.worksheets[1])
        book.worksheets[2]["B5"], book.worksheets[2]["B7"] = "Reviewer", "Yes"
        book.save(filled / Path(entry["file"]).name)
    saved = folder / "saved"
    subprocess.run(
        [
            *("soffice", "--headless", f"-env:UserInstallation=file://{folder}/lo"),
            *("--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(saved)),
            *map(str, sorted(filled.glob("*.xlsx"))),
        ],
        check=True,
        capture_output=True,
        timeout=300,
    )
    files = [str(path) for path in sorted(saved.glob("*.xlsx"))]
    shown = company.run("campaign", "return", *files, "--confirm", "--json")
    returned = json.loads(shown.stdout)["returns"]
    status = company.json("campaign", "status", campaign_id)["reviewers"]
    closed = company.run("campaign", "close", campaign_id)
    assert closed.exit_code == 0, closed.stderr
    evidence = folder / "evidence.xlsx"
    company.json("evidence", "workbook", campaign_id, "--to", str(evidence))
    return Finished(
        campaign_id, len(issued["workbooks"]), returned, status, evidence, company
    )


def test_every_workbook_that_libreoffice_saved_is_recorded(finished: Finished) -> None:
    assert len(finished.returned) == finished.workbooks > 10
    assert [entry["problems"] for entry in finished.returned] == [
        [] for _ in finished.returned
    ]
    assert all(entry["recorded"] for entry in finished.returned)


def test_every_reviewer_has_decided_and_signed(finished: Finished) -> None:
    for reviewer in finished.status:
        assert reviewer["undecided"] == 0, reviewer
        assert reviewer["attested_at"], reviewer


def test_the_evidence_reconciles_from_the_files_to_the_decisions(
    finished: Finished,
) -> None:
    for row in finished.rows("Population tie-out"):
        accounted = row["Accepted"] + row["Rejected"] + row["Duplicate"]
        assert row["Rows read"] == accounted
    review = finished.rows("Review")
    scope = finished.rows("Scope")
    assert sum(row["In review"] for row in scope) == len(review)
    assert sum(row["Excluded"] for row in scope) == len(finished.rows("Excluded"))
    assert sum(row["items"] for row in finished.status) == len(review)
    assert {row["Decision"] for row in review} == {"keep", "revoke"}
    assert all(row["Decided by"] and row["Decided at (UTC)"] for row in review)
    assert finished.rows("Undecided") == []


def test_the_evidence_lists_every_finding(finished: Finished) -> None:
    told = {row["Finding"] for row in finished.rows("Findings")}
    planted = {
        f"{check_id}/{subject}"
        for check_id, subjects in finished.demo.truth["findings"].items()
        for subject in subjects
    }
    assert told == planted


def test_no_text_of_a_source_became_a_formula_or_a_link(finished: Finished) -> None:
    book = openpyxl.load_workbook(finished.evidence)
    for sheet in book.worksheets[1:]:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f", (sheet.title, cell.coordinate)
                assert cell.hyperlink is None, (sheet.title, cell.coordinate)


def test_nothing_can_be_returned_after_closing(finished: Finished) -> None:
    files = sorted(finished.evidence.parent.glob("filled/*.xlsx"))
    shown = finished.demo.run("campaign", "return", str(files[0]), "--confirm")
    assert shown.exit_code == 1
    assert "CAMPAIGN_CLOSED" in shown.stdout


def test_the_audit_trail_holds_whole(finished: Finished) -> None:
    from governance.audit_trail import verify_chain
    from governance.register import open_register
    from governance.settings import Settings

    register = open_register(Settings.read(finished.demo.config))
    assert verify_chain(register) >= finished.workbooks * 2


def test_closing_over_undecided_rows_needs_a_word(demo: Demo, tmp_path: Path) -> None:
    company = Demo(tmp_path / "company")
    shutil.copytree(demo.folder, company.folder)
    opened = company.json(
        "campaign", "open", "Q4", "--due", DUE, "--fallback", "hr:010002"
    )
    refused = company.run("campaign", "close", opened["campaign_id"])
    assert refused.exit_code == 1
    accepted = company.run(
        "campaign", "close", opened["campaign_id"], "--accept-undecided"
    )
    assert accepted.exit_code == 0, accepted.stderr
    evidence = tmp_path / "evidence.xlsx"
    company.json("evidence", "workbook", opened["campaign_id"], "--to", str(evidence))
    finished = Finished(opened["campaign_id"], 0, [], [], evidence, company)
    assert len(finished.rows("Undecided")) == len(finished.rows("Review")) > 0
    assert all(row["Name"] for row in finished.rows("Undecided"))


def test_an_error_names_the_campaign_that_is_not_there(demo: Demo) -> None:
    from cli import app

    result = CliRunner().invoke(
        app, ["campaign", "status", "no-such", "--config", str(demo.config)]
    )
    assert result.exit_code == 1
    assert "no-such" in result.stderr


def test_a_threshold_changed_since_does_not_change_the_evidence(
    demo: Demo, tmp_path: Path
) -> None:
    """The review was opened under one policy, and its evidence speaks of that one."""
    from governance.settings import ROOT

    company = Demo(tmp_path / "company")
    shutil.copytree(demo.folder, company.folder)
    opened = company.json(
        "campaign", "open", "Q4", "--due", DUE, "--fallback", "hr:010002"
    )
    policy = (ROOT / "data" / "policy.toml").read_text("utf-8")
    changed = policy.replace("dormant_days = 90", "dormant_days = 3")
    assert changed != policy
    (company.folder / "policy.toml").write_text(changed, "utf-8")
    told = company.config.read_text("utf-8")
    company.config.write_text('policy = "policy.toml"\n' + told, "utf-8")
    now = company.json("check", "show", "dormant_accounts", "--status", "fail")
    assert now["failed"] > len(demo.truth["findings"]["dormant_accounts"])
    evidence = tmp_path / "evidence.xlsx"
    company.json("evidence", "workbook", opened["campaign_id"], "--to", str(evidence))
    finished = Finished(opened["campaign_id"], 0, [], [], evidence, company)
    dormant = [r for r in finished.rows("Findings") if r["Check"] == "dormant_accounts"]
    assert len(dormant) == len(demo.truth["findings"]["dormant_accounts"])
    thresholds = {r["Threshold"]: r["Value"] for r in finished.rows("Thresholds")}
    assert thresholds["dormant_days"] == "90"
