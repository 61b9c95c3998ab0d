"""The CRM's log exports: whose event it is, where, and what was done."""

from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from connectors.wukong_logs import CONNECTOR, FAILURE, place_of
from governance.schema import LOGIN_EVENTS, OPERATIONS, Extract, ExtractError
from tests.connectors.wukong_company import WukongCompany, extracted

LOGIN_HEADER = (
    *("用户", "登陆时间", "ip地址", "登陆地点"),
    *("设备类型", "终端内核", "平台", "认证结果"),
)
SYSTEM_HEADER = ("用户", "时间", "ip地址", "模块", "子模块", "行为", "对象", "操作详情")


def login(name: str, **told: str) -> tuple[str, ...]:
    """Return a row of the 登录日志."""
    plain = {
        "at": "2026-07-20 09:01:02",
        "ip": "203.0.113.7",
        "place": "中国-上海-上海",
        "device": "网页",
        "core": "Chrome126.0",
        "platform": "Windows 10",
        "outcome": "成功",
    }
    return (name, *(plain | told).values())


def operation(name: str, action: str, **told: str) -> tuple[str, ...]:
    """Return a row of the 系统日志."""
    plain = {
        "at": "2026-07-20 10:00:00",
        "ip": "203.0.113.7",
        "module": "客户关系管理",
        "part": "客户",
        "action": action,
        "object": "示例贸易",
        "detail": "将客户导出",
    }
    return (name, *(plain | told).values())


def write(path: Path, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Write a log as the CRM's page does: one sheet, headers in the first row."""
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate([header, *rows]):
            sheet.write_row(number, 0, row)
    return path.name


@pytest.fixture
def crm(tmp_path: Path) -> WukongCompany:
    """Return a CRM in which two people are called 王伟."""
    crm = WukongCompany(tmp_path)
    crm.user("15001", "赵敏")
    crm.user("15002", "王伟")
    crm.user("15003", "王伟")
    crm.user("15004", "孙丽", is_del="1")
    return crm


def taken(
    crm: WukongCompany,
    logins: list[tuple[str, ...]] | None = None,
    operations: list[tuple[str, ...]] | None = None,
    **told: Any,
) -> Extract:
    if logins is not None:
        path = crm.folder / "登录日志信息.xlsx"
        told["login_log"] = write(path, LOGIN_HEADER, logins)
    if operations is not None:
        path = crm.folder / "系统日志信息.xlsx"
        told["system_log"] = write(path, SYSTEM_HEADER, operations)
    users = f"{crm.write()}/wk_admin_user.csv"
    return extracted(CONNECTOR, crm.folder, "crm_logs", users=users, **told)


def test_a_name_one_user_bears_leads_to_the_account(crm: WukongCompany) -> None:
    event = taken(crm, [login("赵敏")]).frame(LOGIN_EVENTS).row(0, named=True)
    assert event["account_id"] == "crm:15001"
    assert event["source"] == "crm_logs"
    assert event["login"] == "赵敏"
    assert event["at"].isoformat() == "2026-07-20T01:01:02+00:00"
    assert (event["ip"], event["country"], event["city"]) == (
        *("203.0.113.7", "中国", "上海"),
    )
    assert event["device"] == "网页 / Chrome126.0 / Windows 10"
    assert (event["outcome"], event["failure_reason"]) == ("success", None)
    assert event["source_row"] == 2


def test_a_name_two_users_bear_leads_to_neither(crm: WukongCompany) -> None:
    found = taken(crm, [login("王伟"), login("王伟"), login("赵敏")])
    events = found.frame(LOGIN_EVENTS)
    assert events["account_id"].to_list() == [None, None, "crm:15001"]
    assert events["login"].to_list() == ["王伟", "王伟", "赵敏"]
    assert "2 rows bear one of 1 names that several users" in " ".join(found.notes)


def test_a_deleted_namesake_makes_a_name_uncertain(crm: WukongCompany) -> None:
    crm.user("15005", "赵敏", is_del="1")
    found = taken(crm, [login("赵敏"), login("孙丽"), login("钱多多")])
    assert found.frame(LOGIN_EVENTS)["account_id"].to_list() == [None, None, None]
    notes = " ".join(found.notes)
    assert "1 rows bear one of 1 names" in notes
    assert "1 rows are of users deleted" in notes
    assert "1 rows name nobody" in notes


def test_the_accounts_may_belong_to_a_source_of_any_name(crm: WukongCompany) -> None:
    found = taken(crm, [login("赵敏")], accounts_of="sales_crm")
    assert found.frame(LOGIN_EVENTS)["account_id"].to_list() == ["sales_crm:15001"]


def test_a_failure_is_a_right_password_on_a_disabled_account(
    crm: WukongCompany,
) -> None:
    events = taken(crm, [login("赵敏", outcome="失败")]).frame(LOGIN_EVENTS)
    assert events.select("outcome", "failure_reason").rows() == [("failure", FAILURE)]


def test_an_unheard_of_outcome_is_rejected(crm: WukongCompany) -> None:
    found = taken(crm, [login("赵敏"), login("赵敏", outcome="超时")])
    assert found.frame(LOGIN_EVENTS).height == 1
    rejected = found.rejected.row(0, named=True)
    assert (rejected["row"], rejected["column"]) == (3, "认证结果")


@pytest.mark.parametrize(
    ("address", "country", "city"),
    [
        ("中国-广东省-深圳市", "中国", "深圳"),
        ("中国-上海-上海", "中国", "上海"),
        ("荷兰-南荷兰-鹿特丹", "荷兰", "鹿特丹"),
        ("中国|广东省|深圳市", "中国", "深圳"),
        ("中国-0-0", "中国", None),
        ("新加坡-", "新加坡", None),
        ("中国广东省深圳市电信", "中国", "深圳"),
        ("中国上海上海市电信", "中国", "上海"),
        ("中国北京北京市联通", "中国", "北京"),
        ("中国内蒙古呼和浩特市移动", "中国", "呼和浩特"),
        ("中国吉林省延边朝鲜族自治州联通", "中国", "延边朝鲜族自治州"),
        ("中国香港00", "中国", "香港"),
        ("中国浙江省0电信", "中国", None),
        ("中国000", "中国", None),
        ("美国000", "美国", None),
        ("日本东京", None, None),
        ("内网", None, None),
        ("", None, None),
    ],
)
def test_a_place_is_divided_only_where_that_is_certain(
    address: str, country: str | None, city: str | None
) -> None:
    place = place_of(address)
    assert (place.country, place.city) == (country, city)


def test_places_that_tell_no_city_are_counted(crm: WukongCompany) -> None:
    events = [
        login("赵敏", place=place) for place in ("内网", "", "日本东京", "美国000")
    ]
    assert "2 rows name a place without a city" in " ".join(taken(crm, events).notes)


@pytest.mark.parametrize(
    ("action", "told", "meaning"),
    [
        ("导出", {}, "export"),
        ("导入", {}, "import"),
        ("转移", {}, "transfer"),
        ("删除", {}, "delete"),
        ("编辑", {"part": "合同", "detail": "将合同金额由10改为20"}, "amend_amount"),
        ("修改", {"part": "合同", "detail": "合同金额修改"}, "amend_amount"),
        ("编辑", {"part": "合同", "detail": "将备注由空改为已签"}, "编辑"),
        ("编辑", {"part": "客户", "detail": "将预计金额由10改为20"}, "编辑"),
        ("新建", {"part": "合同", "detail": "合同金额100"}, "新建"),
    ],
)
def test_behaviour_becomes_an_action(
    crm: WukongCompany, action: str, told: dict[str, str], meaning: str
) -> None:
    found = taken(crm, None, [operation("赵敏", action, **told)])
    done = found.frame(OPERATIONS).row(0, named=True)
    assert (done["account_id"], done["action"]) == ("crm:15001", meaning)
    assert done["object_type"] == f"客户关系管理/{told.get('part', '客户')}"


def test_both_logs_may_be_given_and_their_rows_tie_out(crm: WukongCompany) -> None:
    found = taken(crm, [login("赵敏")], [operation("王伟", "导出")])
    assert [
        (tie_out.table_name, tie_out.file, tie_out.read, tie_out.accepted)
        for tie_out in found.tie_outs
    ] == [
        ("login_events", "登录日志信息.xlsx", 1, 1),
        ("operations", "系统日志信息.xlsx", 1, 1),
    ]
    assert found.method == "file"


def test_a_log_without_a_column_is_refused(crm: WukongCompany) -> None:
    path = crm.folder / "x.xlsx"
    name = write(path, ("用户", "登陆时间"), [("赵敏", "2026-07-20 09:01:02")])
    users = f"{crm.write()}/wk_admin_user.csv"
    with pytest.raises(ExtractError, match=r"crm_logs: x\.xlsx: has no column ip地址"):
        extracted(CONNECTOR, crm.folder, "crm_logs", users=users, login_log=name)


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"users": "u.csv"}, "name login_log, system_log or both"),
        ({"login_log": "l.xlsx"}, "either as users or by database"),
        ({"login_log": "l", "users": "u", "database": "env:X"}, "either as users or"),
        ({"login_log": "l", "database": "mysql://u:hunter2@h/d"}, "credentials belong"),
        ({"login_log": "l", "users": "u", "accounts_of": "CRM 1"}, "accounts_of"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(
    tmp_path: Path, told: dict[str, str], sentence: str
) -> None:
    with pytest.raises(ExtractError, match=sentence) as refused:
        extracted(CONNECTOR, tmp_path, "crm_logs", **told)
    assert "hunter2" not in str(refused.value)
