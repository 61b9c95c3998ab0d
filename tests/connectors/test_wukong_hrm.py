"""The HRM's tables as dumps: who works here, and until when."""

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from connectors.wukong_hrm import CONNECTOR
from governance.schema import DEPARTMENTS, IDENTITIES, Extract, ExtractError
from tests.connectors.wukong_company import WukongCompany, extracted


@pytest.fixture
def hrm(tmp_path: Path) -> WukongCompany:
    """Return an HRM with one department and nobody in it."""
    hrm = WukongCompany(tmp_path)
    hrm.hrm_dept("7", "销售部")
    return hrm


def taken(hrm: WukongCompany) -> Extract:
    return extracted(CONNECTOR, hrm.folder, "hr", folder=hrm.write())


def person(found: Extract, identity_id: str) -> dict[str, Any]:
    frame = found.frame(IDENTITIES)
    return frame.filter(pl.col("identity_id") == identity_id).row(0, named=True)


def test_an_employee_becomes_an_identity(hrm: WukongCompany) -> None:
    hrm.employee("1", "周丽", job_number="007", post="销售总监", post_level="P8")
    hrm.employee("2", "赵敏", mobile="13900005001", parent_id="1")
    found = taken(hrm)
    minister = person(found, "hr:2")
    assert minister["manager_id"] == "hr:1"
    assert minister["phone"] == "13900005001"
    assert minister["department_id"] == "hr:dept:7"
    assert minister["start_date"] == date(2024, 2, 1)
    assert minister["end_date"] is None
    head = person(found, "hr:1")
    assert (head["employee_number"], head["job_level"]) == ("007", "P8")
    assert head["manager_id"] is None


@pytest.mark.parametrize(
    ("entry_status", "status"),
    [("1", "active"), ("2", "pending"), ("3", "notice"), ("4", "left")],
)
def test_entry_status_is_the_employment_status(
    hrm: WukongCompany, entry_status: str, status: str
) -> None:
    hrm.employee("1", "周丽", entry_status=entry_status)
    assert person(taken(hrm), "hr:1")["employment_status"] == status


@pytest.mark.parametrize(
    ("status", "forms", "kind"),
    [
        ("1", "1", "employee"),
        ("2", "1", "employee"),
        ("3", "2", "intern"),
        ("4", "2", "employee"),
        ("5", "2", "contractor"),
        ("6", "2", "contractor"),
        ("7", "2", "employee"),
        ("8", "2", "vendor"),
        (None, "1", "employee"),
        (None, "2", "unknown"),
        (None, None, "unknown"),
    ],
)
def test_status_is_the_employment_type(
    hrm: WukongCompany, status: str | None, forms: str | None, kind: str
) -> None:
    hrm.employee("1", "周丽", status=status, employment_forms=forms)
    assert person(taken(hrm), "hr:1")["employment_type"] == kind


def test_a_missed_nightly_job_leaves_notice_with_the_end_date_passed(
    hrm: WukongCompany,
) -> None:
    hrm.employee("1", "周丽", entry_status="3")
    hrm.quit("91", "1", plan_quit_time="2026-05-31 00:00:00")
    leaver = person(taken(hrm), "hr:1")
    assert leaver["employment_status"] == "notice"
    assert leaver["end_date"] == date(2026, 5, 31)


def test_the_newest_quit_row_counts(hrm: WukongCompany) -> None:
    hrm.employee("1", "周丽", entry_status="4")
    hrm.employee("2", "吴强", entry_status="4")
    told = {"plan_quit_time": "2025-01-31 00:00:00", "create_time": None}
    hrm.quit("91", "1", **told)
    hrm.quit("90", "1", plan_quit_time="2026-03-31 00:00:00")
    # Written in the same second: 10 is later than 9.
    hrm.quit("10", "2", plan_quit_time="2026-04-30 00:00:00")
    hrm.quit("9", "2", plan_quit_time="2026-02-28 00:00:00")
    found = taken(hrm)
    assert person(found, "hr:1")["end_date"] == date(2026, 3, 31)
    assert person(found, "hr:2")["end_date"] == date(2026, 4, 30)


def test_quit_rows_that_contradict_or_lead_nowhere_are_counted(
    hrm: WukongCompany,
) -> None:
    hrm.employee("1", "周丽", entry_status="1", entry_time="2026-04-01 00:00:00")
    hrm.quit("91", "1", plan_quit_time="2026-03-01 00:00:00")
    hrm.employee("2", "吴强", entry_status="4")
    hrm.quit("92", "77")
    notes = " ".join(taken(hrm).notes)
    assert "1 rows of wk_hrm_employee_quit_info are of employees who are not" in notes
    assert "1 employees are 在职" in notes
    assert "1 employees are leaving or have left without a quit row" in notes


def test_a_deleted_employee_is_set_aside_with_a_reason(hrm: WukongCompany) -> None:
    hrm.employee("1", "周丽")
    hrm.employee("2", "吴强", is_del="1")
    found = taken(hrm)
    assert found.frame(IDENTITIES)["identity_id"].to_list() == ["hr:1"]
    assert found.rejected.select("row", "code", "value").rows() == [
        (3, "deleted_at_source", "2")
    ]


def test_a_department_names_its_parent_and_its_head(hrm: WukongCompany) -> None:
    hrm.employee("1", "周丽")
    hrm.hrm_dept("8", "华东", parent_id="7", main_employee_id="1")
    hrm.hrm_dept("9", "华南", parent_id="7", leader_employee_id="1")
    hrm.hrm_dept("10", "华北", parent_id="7", main_employee_id="0")
    departments = taken(hrm).frame(DEPARTMENTS)
    assert departments.select(
        "department_id", "parent_id", "head_identity_id"
    ).rows() == [
        ("hr:dept:7", None, None),
        ("hr:dept:8", "hr:dept:7", "hr:1"),
        ("hr:dept:9", "hr:dept:7", "hr:1"),
        ("hr:dept:10", "hr:dept:7", None),
    ]


def test_the_hrm_inside_crm_11_says_pid(hrm: WukongCompany) -> None:
    hrm.employee("1", "周丽")
    hrm.hrm_dept("8", "华东", parent_id="7")
    folder = hrm.write()
    dump = hrm.folder / folder / "wk_hrm_dept.csv"
    dump.write_text(dump.read_text("utf-8").replace("parent_id", "pid"), "utf-8")
    found = extracted(CONNECTOR, hrm.folder, "hr", folder=folder)
    assert found.frame(DEPARTMENTS)["parent_id"].to_list() == [None, "hr:dept:7"]


def test_an_unheard_of_entry_status_is_rejected(hrm: WukongCompany) -> None:
    hrm.employee("1", "周丽")
    hrm.employee("2", "吴强", entry_status="5")
    rejected = taken(hrm).rejected.row(0, named=True)
    assert (rejected["row"], rejected["column"]) == (3, "entry_status")


def test_an_hrm_without_a_person_cannot_be(hrm: WukongCompany) -> None:
    with pytest.raises(ExtractError, match=r"wk_hrm_employee\.csv: holds no rows"):
        taken(hrm)
