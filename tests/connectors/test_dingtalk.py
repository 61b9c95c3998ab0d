"""The DingTalk connector, against a loopback HTTPS server of invented answers."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors import answer_codes, dingtalk, web
from connectors.conform import extract
from governance.schema import (
    ACCOUNTS,
    DEPARTMENTS,
    ENTITLEMENTS,
    GRANTS,
    IDENTITIES,
    Extract,
    ExtractError,
    Table,
)
from governance.settings import Settings
from tests import replay_server
from tests.replay_server import Asked, Fault, ReplayServer, Reply

Take = Callable[..., Extract]
SECRET = "not-a-real-secret-0003"
HRM = "/topapi/smartwork/hrm/employee"
V2 = "/topapi/v2"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture
def server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ReplayServer]:
    monkeypatch.setattr(web, "LIMITS", web.Limits(first_wait=0.01, tries=3))
    monkeypatch.setattr(answer_codes, "_WAITS", ())
    with replay_server.replay_server(folder) as running:
        lay_out(running)
        yield running


@pytest.fixture
def take(server: ReplayServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Take:
    """Extract from the server; ``told`` is added to gatebook.toml."""
    monkeypatch.setenv("DINGTALK_SECRET", SECRET)

    def extracted(told: str = "") -> Extract:
        config = tmp_path / "gatebook.toml"
        config.write_text(
            '[sources.ding]\nconnector = "dingtalk"\napp_key = "ding0001"\n'
            f'app_secret = "env:DINGTALK_SECRET"\naddress = "{server.address}"\n'
            f'ca_file = "{server.ca_file.as_posix()}"\n{told}',
            "utf-8",
        )
        settings = Settings.read(config)
        source = settings.sources["ding"]
        return extract(
            dingtalk.CONNECTOR, dingtalk.CONNECTOR.context("ding", settings, source)
        )

    return extracted


def told(result: Any = None, **answer: Any) -> Reply:
    body = {"errcode": 0, "errmsg": "ok", **answer}
    return Reply(body=body if result is None else body | {"result": result})


def refused(code: int) -> Reply:
    return Reply(body={"errcode": code, "errmsg": "no"})


BY_GATEWAY = Reply(
    body={
        "errcode": 88,
        "errmsg": "ding talk error",
        "sub_code": "60011",
        "sub_msg": "应用尚未开通所需的权限",
    }
)

MEMBERS: dict[str, dict[str, Any]] = {
    "m1": {
        "userid": "m1",
        "name": "示例甲",
        "mobile": "13900000001",
        "org_email": "jia@example.cn",
        "job_number": "E001",
        "title": "总经理",
        "dept_id_list": [1],
        "hired_date": 1596211200000,
        "active": True,
        "admin": True,
        "boss": True,
    },
    "m2": {
        "userid": "m2",
        "name": "示例乙",
        "dept_id_list": [2, 3],
        "active": True,
        "admin": False,
        "boss": False,
    },
    "m3": {
        "userid": "m3",
        "name": "示例丙",
        "dept_id_list": [3],
        "active": False,
        "admin": False,
        "boss": False,
    },
}
MORE: dict[str, dict[str, Any]] = {
    "m1": {"role_list": [{"group_name": "默认", "name": "主管理员", "id": 11}]},
    "m2": {
        "manager_userid": "m1",
        "role_list": [
            {"group_name": "职务", "name": "财务", "id": 12},
            {"group_name": "职务", "name": "合同", "id": 13},
        ],
    },
    "m3": {"manager_userid": "m2"},
}


def lay_out(server: ReplayServer) -> None:
    """Lay out three departments, three members on pages of one, and two leavers."""

    def token(asked: Asked) -> Reply:
        if asked.query != {"appkey": "ding0001", "appsecret": SECRET}:
            return refused(40089)
        return told(access_token=f"token-{len(server.asked)}", expires_in=7200)

    def beneath(asked: Asked) -> Reply:
        children = {1: [2], 2: [3], 3: []}[asked.json["dept_id"]]
        return told(
            [{"dept_id": n, "name": f"部门{n}", "parent_id": n - 1} for n in children]
        )

    def department(asked: Asked) -> Reply:
        number = asked.json["dept_id"]
        heads = {1: ["m1"], 2: ["m1", "m2"], 3: []}[number]
        return told(
            {
                "dept_id": number,
                "name": f"部门{number}",
                "dept_manager_userid_list": heads,
            }
        )

    def users(asked: Asked) -> Reply:
        here = [
            one
            for one in MEMBERS.values()
            if asked.json["dept_id"] in one["dept_id_list"]
        ]
        start = asked.json["cursor"]
        has_more = start + 1 < len(here)
        rest = {"next_cursor": start + 1} if has_more else {}
        return told({"has_more": has_more, "list": here[start : start + 1], **rest})

    server.routes |= {
        "/gettoken": token,
        f"{V2}/department/listsub": beneath,
        f"{V2}/department/get": department,
        f"{V2}/user/list": users,
        f"{V2}/user/get": lambda asked: told(
            MEMBERS[asked.json["userid"]] | MORE[asked.json["userid"]]
        ),
        f"{HRM}/querydimission": lambda asked: told(
            {"data_list": ["g1"], "next_cursor": 1}
            if asked.json["offset"] == 0
            else {"data_list": ["m3"]}
        ),
        f"{HRM}/listdimission": told(
            [{"userid": "g1", "last_work_day": 1751299200000}]
        ),
    }


def rows(extract: Extract, table: Table, *columns: str) -> list[tuple[Any, ...]]:
    return extract.frame(table).select(columns).rows()


def test_members_become_accounts(take: Take) -> None:
    assert rows(
        take(), ACCOUNTS, "account_id", "email", "employee_number", "department_name"
    ) == [
        ("ding:m1", "jia@example.cn", "E001", "部门1"),
        ("ding:m2", None, None, None),
        ("ding:m3", None, None, "部门3"),
    ]


def test_roles_and_flags_are_granted(take: Take) -> None:
    taken = take()
    assert sorted(
        rows(taken, ENTITLEMENTS, "entitlement_id", "name", "is_privileged")
    ) == [
        ("ding:label:admin", "管理员", True),
        ("ding:label:boss", "老板", None),
        ("ding:role:11", "主管理员", None),
        ("ding:role:12", "财务", None),
        ("ding:role:13", "合同", None),
    ]
    assert sorted(rows(taken, GRANTS, "account_id", "entitlement_id")) == [
        ("ding:m1", "ding:label:admin"),
        ("ding:m1", "ding:label:boss"),
        ("ding:m1", "ding:role:11"),
        ("ding:m2", "ding:role:12"),
        ("ding:m2", "ding:role:13"),
    ]


def test_people_leavers_and_heads(take: Take) -> None:
    taken = take("people = true")
    assert rows(
        taken,
        IDENTITIES,
        *("identity_id", "employment_status", "manager_id", "start_date", "end_date"),
    ) == [
        ("ding:m1", "active", None, date(2020, 8, 1), None),
        ("ding:m2", "active", "ding:m1", None, None),
        ("ding:m3", "unknown", "ding:m2", None, None),
        ("ding:g1", "left", None, None, date(2025, 7, 1)),
    ]
    assert rows(taken, DEPARTMENTS, "department_id", "head_identity_id") == [
        ("ding:department:1", "ding:m1"),
        ("ding:department:2", None),
        ("ding:department:3", None),
    ]
    assert any("1 are members again" in note for note in taken.notes)


def test_without_people_leavers_are_not_asked_for(
    take: Take, server: ReplayServer
) -> None:
    assert not {"identities", "departments"} & take().facts
    assert f"{HRM}/querydimission" not in server.paths()


def test_what_dingtalk_cannot_tell_is_not_claimed(take: Take) -> None:
    facts = take("people = true").facts
    assert not facts & {
        "accounts.mfa_state",
        "accounts.last_login_at",
        "accounts.never_logged_in",
        "accounts.is_enabled",
        "accounts.account_type",
        "accounts.created_at",
        "login_events",
    }


@pytest.mark.parametrize(
    "reply", [refused(60011), BY_GATEWAY, Reply(status=403, body={})]
)
@pytest.mark.parametrize(
    ("path", "part", "untold"),
    [
        (f"{V2}/user/get", "details", "identities.manager_id"),
        (f"{V2}/department/get", "heads", "departments.head_identity_id"),
        (f"{HRM}/querydimission", "leavers", "identities.end_date"),
        (f"{HRM}/listdimission", "leavers", "identities.end_date"),
    ],
)
def test_a_refused_part_is_untold_not_empty(
    take: Take, server: ReplayServer, path: str, part: str, untold: str, reply: Reply
) -> None:
    server.faults_at[path] = Fault(reply=reply)
    taken = take("people = true")
    assert taken.frame(ACCOUNTS).height == 3
    assert untold not in taken.facts
    assert taken.completeness == "scoped"
    assert any(note.startswith(f"{part}: ") for note in taken.notes)


def test_a_member_removed_while_reading_keeps_what_the_list_said(
    take: Take, server: ReplayServer
) -> None:
    server.faults_at[f"{V2}/user/get"] = Fault(reply=refused(60121))
    taken = take()
    assert taken.frame(ACCOUNTS).height == 3
    assert rows(taken, GRANTS, "entitlement_id") == [
        ("ding:label:admin",),
        ("ding:label:boss",),
    ]


def test_refused_members_are_an_error(take: Take, server: ReplayServer) -> None:
    server.faults_at[f"{V2}/user/list"] = Fault(reply=BY_GATEWAY)
    with pytest.raises(ExtractError, match="code 60011"):
        take()


def test_a_wrong_secret_is_never_shown(
    take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DINGTALK_SECRET", "another-secret-0004")
    with pytest.raises(ExtractError, match="code 40089") as caught:
        take()
    assert "another-secret-0004" not in str(caught.value)


@pytest.mark.parametrize(
    "fault",
    [
        replay_server.TOO_MANY,
        replay_server.SERVER_ERROR,
        replay_server.CUT,
        Fault(reply=refused(42001)),
    ],
    ids=["429", "500", "cut", "expired"],
)
@pytest.mark.parametrize("number", [2, 5, 9, 12, 15])
def test_a_passing_fault_loses_no_row(
    take: Take, server: ReplayServer, fault: Fault, number: int
) -> None:
    whole = take("people = true")
    server.asked.clear()
    server.faults[number] = fault
    taken = take("people = true")
    for name, frame in whole.frames.items():
        assert taken.frames[name].equals(frame)
    assert taken.completeness == whole.completeness == "unknown"


@pytest.mark.parametrize(
    ("fault", "match"),
    [
        (replay_server.TOO_MANY, "429"),
        (replay_server.SERVER_ERROR, "500"),
        (replay_server.CUT, "connection broke"),
        (replay_server.MALFORMED, "not JSON"),
        (Fault(reply=refused(42001)), "a fresh token is refused too"),
        (Fault(reply=refused(90018)), "asked too often"),
    ],
)
@pytest.mark.parametrize(
    "path",
    [
        f"{V2}/user/list",
        f"{V2}/user/get",
        f"{V2}/department/get",
        f"{HRM}/listdimission",
    ],
)
def test_a_lasting_fault_takes_in_nothing(
    take: Take, server: ReplayServer, path: str, fault: Fault, match: str
) -> None:
    server.faults_at[path] = fault
    with pytest.raises(ExtractError, match=match) as caught:
        take("people = true")
    assert path in str(caught.value)
    assert "token-" not in str(caught.value)
