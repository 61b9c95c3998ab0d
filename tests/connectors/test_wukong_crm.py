"""The CRM's tables as dumps: what becomes of each row and each rule of its code."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from connectors.wukong_crm import CONNECTOR
from governance.schema import (
    ACCOUNTS,
    DEPARTMENTS,
    ENTITLEMENT_MEMBERS,
    ENTITLEMENTS,
    GRANTS,
    Extract,
    ExtractError,
    Table,
)
from tests.connectors.wukong_company import WukongCompany, extracted, small_crm


def taken(crm: WukongCompany, **told: Any) -> Extract:
    return extracted(CONNECTOR, crm.folder, folder=crm.write(), **told)


def row(found: Extract, table: Table, row_id: str) -> dict[str, Any]:
    frame = found.frame(table)
    return frame.filter(pl.col(frame.columns[0]) == row_id).row(0, named=True)


def test_an_account_carries_what_the_crm_knows_of_it(tmp_path: Path) -> None:
    account = row(taken(small_crm(tmp_path)), ACCOUNTS, "crm:15001")
    assert account["login"] == account["phone"] == "13900005001"
    assert account["display_name"] == "赵敏"
    assert account["department_name"] == "全公司"
    assert account["job_title"] == "销售"
    assert account["account_type"] == "person"
    # 08:15 in Shanghai.
    assert account["last_login_at"].isoformat() == "2026-07-30T00:15:00+00:00"
    assert account["last_login_basis"] == "success"
    assert account["never_logged_in"] is False


@pytest.mark.parametrize(
    ("status", "is_enabled"), [("0", False), ("1", True), ("2", True)]
)
def test_only_status_0_keeps_somebody_out(
    tmp_path: Path, status: str, is_enabled: bool
) -> None:
    crm = small_crm(tmp_path)
    crm.user("15002", "钱伟", status=status)
    found = taken(crm)
    assert row(found, ACCOUNTS, "crm:15002")["is_enabled"] is is_enabled
    assert any("not yet activated" in note for note in found.notes) is (status == "2")


def test_an_unheard_of_status_is_rejected_and_never_taken_for_enabled(
    tmp_path: Path,
) -> None:
    crm = small_crm(tmp_path)
    crm.user("15002", "钱伟", status="7")
    found = taken(crm)
    rejected = found.rejected.row(0, named=True)
    assert found.frame(ACCOUNTS).height == 1
    assert (rejected["row"], rejected["column"]) == (3, "status")
    assert rejected["value"] == "7"


def test_a_deleted_user_is_set_aside_with_a_reason_and_its_roles_stay(
    tmp_path: Path,
) -> None:
    crm = small_crm(tmp_path)
    crm.user("15002", "钱伟", is_del="1")
    crm.give("15002", "180170")
    found = taken(crm)
    assert found.frame(ACCOUNTS)["account_id"].to_list() == ["crm:15001"]
    assert found.rejected["code"].to_list() == ["deleted_at_source"]
    assert found.rejected["row"].to_list() == [3]
    assert "crm:15002" in found.frame(GRANTS)["account_id"].to_list()
    assert all(tie_out.is_balanced for tie_out in found.tie_outs)


def test_a_user_without_a_login_time_has_never_logged_in(tmp_path: Path) -> None:
    crm = small_crm(tmp_path)
    crm.user("15002", "钱伟", last_login_time=None)
    crm.user("15003", "孙丽", last_login_time="0000-00-00 00:00:00")
    found = taken(crm)
    for account_id in ("crm:15002", "crm:15003"):
        assert row(found, ACCOUNTS, account_id)["never_logged_in"] is True
        assert row(found, ACCOUNTS, account_id)["last_login_at"] is None


def test_second_factor_and_password_are_facts_the_crm_cannot_tell(
    tmp_path: Path,
) -> None:
    found = taken(small_crm(tmp_path))
    assert found.frame(ACCOUNTS)["mfa_state"].to_list() == ["unknown"]
    assert not found.facts & {
        "accounts.mfa_state",
        "accounts.password_changed_at",
        "grants.granted_at",
    }
    assert {"accounts.is_enabled", "entitlements.data_scope"} <= found.facts


def test_num_is_an_employee_number_only_where_somebody_says_so(tmp_path: Path) -> None:
    crm = small_crm(tmp_path)
    assert taken(crm).frame(ACCOUNTS)["employee_number"].to_list() == [None]
    told = taken(crm, num_is_employee_number=True)
    assert told.frame(ACCOUNTS)["employee_number"].to_list() == ["204857261938475"]


def test_a_role_can_do_what_its_menus_can(tmp_path: Path) -> None:
    crm = small_crm(tmp_path)
    crm.role("180171", "销售经理", "17", "22", data_type="4", remark="大区")
    found = taken(crm)
    role = row(found, ENTITLEMENTS, "crm:role:180171")
    assert role["abilities"] == "create,export"
    assert role["data_scope"] == "department_tree"
    assert (role["kind"], role["description"]) == ("role", "大区")
    assert role["is_privileged"] is False
    menu = row(found, ENTITLEMENTS, "crm:menu:22")
    assert menu["name"] == "crm:customer:excelexport 客户管理/导出"
    assert (menu["kind"], menu["abilities"]) == ("permission", "export")
    members = found.frame(ENTITLEMENT_MEMBERS).rows()
    assert ("crm:role:180171", "crm:menu:22") in [pair[:2] for pair in members]


def test_a_role_that_may_create_users_is_privileged(tmp_path: Path) -> None:
    crm = small_crm(tmp_path)
    crm.menu("3", "0", "manage", "全部", menu_type="1")
    crm.menu("160", "3", "users", "员工与部门管理", menu_type="1")
    crm.menu("161", "160", "read", "员工查看")
    crm.menu("162", "160", "userSave", "员工新建")
    crm.role("180163", "人事", "3", "160", "161", "162")
    crm.role("180164", "前台", "3", "160", "161")
    found = taken(crm)
    assert row(found, ENTITLEMENTS, "crm:role:180163")["is_privileged"] is True
    assert (
        row(found, ENTITLEMENTS, "crm:role:180163")["abilities"]
        == "administer,security"
    )
    assert row(found, ENTITLEMENTS, "crm:role:180164")["is_privileged"] is False
    assert row(found, ENTITLEMENTS, "crm:role:180164")["abilities"] == ""


def test_a_disabled_role_stays_granted(tmp_path: Path) -> None:
    crm = small_crm(tmp_path)
    crm.role("180171", "展会", "17", status="0")
    crm.give("15001", "180171")
    found = taken(crm)
    assert row(found, ENTITLEMENTS, "crm:role:180171")["is_enabled"] is False
    assert "crm:role:180171" in found.frame(GRANTS)["entitlement_id"].to_list()
    assert any("1 grants are of disabled roles" in note for note in found.notes)


@pytest.mark.parametrize(
    ("prefix", "version", "user_id", "role_id"),
    [("wk_", "11", "14773", "180162"), ("72crm_", "9", "3", "1")],
)
def test_the_super_role_owns_no_menus_and_can_do_everything(
    tmp_path: Path, prefix: str, version: str, user_id: str, role_id: str
) -> None:
    crm = small_crm(tmp_path, prefix)
    crm.role(role_id, "超级管理员", remark="admin", data_type="5")
    crm.user(user_id, "admin")
    crm.give(user_id, role_id)
    found = taken(crm, version=version)
    role = row(found, ENTITLEMENTS, f"crm:role:{role_id}")
    assert role["is_privileged"] is True
    assert "export" in role["abilities"]
    assert row(found, ACCOUNTS, f"crm:{user_id}")["account_type"] == "builtin"
    grants = found.frame(GRANTS).filter(pl.col("account_id") == f"crm:{user_id}")
    assert grants["via"].to_list() == ["direct"]


def test_a_role_with_the_remark_admin_is_the_super_role_whatever_its_id(
    tmp_path: Path,
) -> None:
    crm = small_crm(tmp_path)
    crm.role("42", "总管", remark="admin")
    assert row(taken(crm), ENTITLEMENTS, "crm:role:42")["is_privileged"] is True


@pytest.mark.parametrize("has_role", [True, False])
def test_the_built_in_user_holds_the_super_role_by_rule(
    tmp_path: Path, has_role: bool
) -> None:
    crm = small_crm(tmp_path)
    if has_role:
        crm.role("180162", "超级管理员", remark="admin")
    crm.user("14773", "admin")
    found = taken(crm)
    grants = found.frame(GRANTS).filter(pl.col("account_id") == "crm:14773")
    assert grants.select("entitlement_id", "via").rows() == [
        ("crm:role:180162", "rule")
    ]
    role = row(found, ENTITLEMENTS, "crm:role:180162")
    assert role["is_privileged"] is True
    assert all(tie_out.is_balanced for tie_out in found.tie_outs)


def test_a_deleted_built_in_user_holds_nothing_by_rule(tmp_path: Path) -> None:
    crm = small_crm(tmp_path)
    crm.user("14773", "admin", is_del="1")
    assert taken(crm).frame(GRANTS)["via"].to_list() == ["direct"]


def test_departments_hang_together_and_the_top_hangs_on_nothing(tmp_path: Path) -> None:
    crm = small_crm(tmp_path)
    crm.dept("14900", "销售部", pid="14852")
    departments = taken(crm).frame(DEPARTMENTS)
    assert departments.select("department_id", "name", "parent_id").rows() == [
        ("crm:dept:14852", "全公司", None),
        ("crm:dept:14900", "销售部", "crm:dept:14852"),
    ]


def test_gb18030_dumps_are_read(tmp_path: Path) -> None:
    crm = small_crm(tmp_path)
    crm.user("15002", "赵𠮷")
    folder = crm.write(encoding="gb18030")
    found = extracted(CONNECTOR, tmp_path, folder=folder)
    assert row(found, ACCOUNTS, "crm:15002")["display_name"] == "赵𠮷"


def test_a_dump_with_password_hashes_is_refused(tmp_path: Path) -> None:
    crm = small_crm(tmp_path)
    folder = crm.write()
    dump = tmp_path / folder / "wk_admin_user.csv"
    first, *others = dump.read_text("utf-8").splitlines()
    others = [f"{line},5f4dcc3b5aa765d61d8327deb882cf99,c0ffee" for line in others]
    dump.write_text("\n".join([f"{first},password,salt", *others]), "utf-8")
    with pytest.raises(ExtractError, match=r"source crm: .*wk_admin_user\.csv.*passw"):
        extracted(CONNECTOR, tmp_path, folder=folder)


def test_a_missing_dump_is_named(tmp_path: Path) -> None:
    folder = small_crm(tmp_path).write()
    (tmp_path / folder / "wk_admin_role_menu.csv").unlink()
    with pytest.raises(
        ExtractError, match=r"crm: dumps/wk_admin_role_menu\.csv: no su"
    ):
        extracted(CONNECTOR, tmp_path, folder=folder)


def test_a_dump_without_a_column_names_file_and_column(tmp_path: Path) -> None:
    folder = small_crm(tmp_path).write()
    dump = tmp_path / folder / "wk_admin_role.csv"
    dump.write_text(dump.read_text("utf-8").replace("data_type", "scope"), "utf-8")
    with pytest.raises(ExtractError, match=r"wk_admin_role\.csv: has no column data_t"):
        extracted(CONNECTOR, tmp_path, folder=folder)


def test_a_crm_without_a_user_cannot_be(tmp_path: Path) -> None:
    crm = small_crm(tmp_path)
    crm.tables["wk_admin_user"].clear()
    with pytest.raises(ExtractError, match=r"wk_admin_user\.csv: holds no rows"):
        taken(crm)


def test_dumps_state_no_total_and_prove_no_completeness(tmp_path: Path) -> None:
    found = taken(small_crm(tmp_path))
    assert found.completeness == "unknown"
    assert {tie_out.stated for tie_out in found.tie_outs} == {None}


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({}, "names neither a folder of CSV dumps nor a database"),
        ({"folder": ".", "database": "env:X"}, "not both"),
        (
            {"database": "mysql+pymysql://u:hunter2@h/d"},
            "credentials belong in the env",
        ),
        ({"folder": ".", "version": "10"}, r"sources\.crm\.version"),
        ({"folder": ".", "prefix": "wk_"}, r"sources\.crm\.prefix"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(
    tmp_path: Path, told: dict[str, str], sentence: str
) -> None:
    with pytest.raises(ExtractError, match=sentence) as refused:
        extracted(CONNECTOR, tmp_path, **told)
    assert "hunter2" not in str(refused.value)
