"""The Feishu connector, against a loopback HTTPS server of invented answers."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors import answer_codes, feishu, web
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
SECRET = "not-a-real-secret-0005"
TOKEN = "/open-apis/auth/v3/tenant_access_token/internal"
CONTACT = "/open-apis/contact/v3"
CHILDREN = f"{CONTACT}/departments/0/children"
USERS = f"{CONTACT}/users/find_by_department"
GROUPS = f"{CONTACT}/group/simplelist"
MEMBERS = f"{CONTACT}/group/g1/member/simplelist"
ROLE = f"{CONTACT}/functional_roles/r1/members"
ROLES = '[sources.feishu.roles]\nr1 = "合同审批"\n'


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
    monkeypatch.setenv("FEISHU_SECRET", SECRET)

    def extracted(told: str = ROLES) -> Extract:
        config = tmp_path / "gatebook.toml"
        config.write_text(
            '[sources.feishu]\nconnector = "feishu"\napp_id = "cli_0001"\n'
            f'app_secret = "env:FEISHU_SECRET"\naddress = "{server.address}"\n'
            f'ca_file = "{server.ca_file.as_posix()}"\n{told}',
            "utf-8",
        )
        settings = Settings.read(config)
        source = settings.sources["feishu"]
        return extract(
            feishu.CONNECTOR, feishu.CONNECTOR.context("feishu", settings, source)
        )

    return extracted


def told(**data: Any) -> Reply:
    return Reply(body={"code": 0, "msg": "success", "data": data})


def refused(code: int, status: int = 400) -> Reply:
    return Reply(status=status, body={"code": code, "msg": "Access denied"})


def member(number: int, *departments: str, **properties: Any) -> dict[str, Any]:
    status = {"is_frozen": False, "is_resigned": False, "is_activated": True}
    return {
        "open_id": f"ou_{number}",
        "union_id": f"on_{number}",
        "name": f"示例{number}",
        "department_ids": list(departments),
        "is_tenant_manager": number == 1,
        "status": status | properties.pop("status", {}),
    } | properties


PEOPLE = [
    member(
        1,
        "0",
        mobile="+8613900000001",
        enterprise_email="one@example.cn",
        employee_no="E001",
        join_time=1596211200,
        employee_type=1,
    ),
    member(
        2,
        "od-1",
        "od-2",
        leader_user_id="ou_1",
        employee_type=3,
        join_time=0,
        orders=[
            {"department_id": "od-1", "is_primary_dept": False},
            {"department_id": "od-2", "is_primary_dept": True},
        ],
    ),
    member(3, "od-2", status={"is_resigned": True}, employee_type=77),
]


def lay_out(server: ReplayServer, *people: dict[str, Any]) -> None:
    """Lay out two departments, three members on pages of one, a group and a role."""
    everybody = people or PEOPLE

    def token(asked: Asked) -> Reply:
        if asked.json != {"app_id": "cli_0001", "app_secret": SECRET}:
            return Reply(body={"code": 10014, "msg": "app secret invalid"})
        return Reply(
            body={
                "code": 0,
                "msg": "ok",
                "tenant_access_token": f"token-{len(server.asked)}",
                "expire": 7200,
            }
        )

    def paged(asked: Asked, key: str, things: list[Any]) -> Reply:
        start = int(asked.query.get("page_token", 0))
        has_more = start + 1 < len(things)
        rest = {"page_token": str(start + 1)} if has_more else {}
        return told(has_more=has_more, **{key: things[start : start + 1]}, **rest)

    def users(asked: Asked) -> Reply:
        place = asked.query["department_id"]
        here = [one for one in everybody if place in one["department_ids"]]
        # Feishu leaves out the key of an empty list.
        return paged(asked, "items", here) if here else told(has_more=False)

    departments = [
        {
            "open_department_id": "od-1",
            "name": "销售部",
            "parent_department_id": "0",
            "leader_user_id": "ou_1",
        },
        {
            "open_department_id": "od-2",
            "name": "华东组",
            "parent_department_id": "od-1",
            "leader_user_id": "",
        },
    ]
    server.routes |= {
        TOKEN: token,
        CHILDREN: lambda asked: paged(asked, "items", departments),
        USERS: users,
        GROUPS: told(
            has_more=False,
            grouplist=[{"id": "g1", "name": "可导出", "description": ""}],
        ),
        MEMBERS: lambda asked: paged(
            asked, "memberlist", [{"member_id": "ou_1"}, {"member_id": "ou_2"}]
        ),
        ROLE: told(has_more=False, members=[{"user_id": "ou_2"}]),
    }


def rows(extract: Extract, table: Table, *columns: str) -> list[tuple[Any, ...]]:
    return extract.frame(table).select(columns).rows()


def test_members_become_accounts(take: Take) -> None:
    assert rows(
        take(), ACCOUNTS, "account_id", "email", "is_enabled", "department_name"
    ) == [
        ("feishu:ou_1", "one@example.cn", True, None),
        ("feishu:ou_2", None, True, "华东组"),
        ("feishu:ou_3", None, False, "华东组"),
    ]


def test_groups_roles_and_managers_are_granted(take: Take) -> None:
    taken = take()
    assert rows(taken, ENTITLEMENTS, "entitlement_id", "name", "is_privileged") == [
        ("feishu:tenant_manager", "企业管理员", True),
        ("feishu:group:g1", "可导出", None),
        ("feishu:role:r1", "合同审批", None),
    ]
    assert rows(taken, GRANTS, "account_id", "entitlement_id") == [
        ("feishu:ou_1", "feishu:tenant_manager"),
        ("feishu:ou_1", "feishu:group:g1"),
        ("feishu:ou_2", "feishu:group:g1"),
        ("feishu:ou_2", "feishu:role:r1"),
    ]


@pytest.mark.parametrize(("count", "state"), [(0, "unknown"), (1, "scoped")])
def test_a_group_of_departments_is_said_to_be_partly_told(
    take: Take, server: ReplayServer, count: int, state: str
) -> None:
    group = {"id": "g1", "name": "可导出", "member_department_count": count}
    server.routes[GROUPS] = told(has_more=False, grouplist=[group])
    taken = take()
    assert taken.completeness == state
    assert any("hold whole departments" in note for note in taken.notes) == bool(count)


def test_without_ids_no_role_is_told_and_a_note_says_so(take: Take) -> None:
    taken = take("")
    assert "role" not in taken.frame(ENTITLEMENTS)["kind"].to_list()
    assert any(note.startswith("roles: Feishu lists none") for note in taken.notes)


def test_people_have_managers_and_departments_heads(take: Take) -> None:
    taken = take("people = true\n")
    assert rows(
        taken,
        IDENTITIES,
        *("identity_id", "employment_type", "manager_id", "start_date"),
    ) == [
        ("feishu:ou_1", "employee", None, date(2020, 8, 1)),
        ("feishu:ou_2", "vendor", "feishu:ou_1", None),
        ("feishu:ou_3", "unknown", None, None),
    ]
    assert rows(
        taken, DEPARTMENTS, "department_id", "parent_id", "head_identity_id"
    ) == [
        ("feishu:department:od-1", None, "feishu:ou_1"),
        ("feishu:department:od-2", "feishu:department:od-1", None),
    ]


@pytest.mark.parametrize(
    ("status", "is_enabled", "employment"),
    [
        ({}, True, "active"),
        ({"is_activated": False, "is_unjoin": True}, True, "unknown"),
        ({"is_frozen": True}, False, "unknown"),
        ({"is_resigned": True}, False, "left"),
        ({"is_exited": True}, False, "left"),
    ],
)
def test_each_status_has_its_meaning(
    take: Take,
    server: ReplayServer,
    status: dict[str, bool],
    is_enabled: bool,
    employment: str,
) -> None:
    lay_out(server, member(1, "0", status=status))
    taken = take("people = true\n")
    assert rows(taken, ACCOUNTS, "is_enabled") == [(is_enabled,)]
    assert rows(taken, IDENTITIES, "employment_status") == [(employment,)]


def test_a_member_without_status_is_not_called_enabled(
    take: Take, server: ReplayServer
) -> None:
    lay_out(server, member(1, "0") | {"status": None})
    taken = take("people = true\n")
    assert not {"accounts.is_enabled", "identities.employment_status"} & taken.facts
    assert any(note.startswith("users: status is not told") for note in taken.notes)


def test_another_id_may_name_the_members(take: Take) -> None:
    assert rows(take('id_type = "union_id"\n'), ACCOUNTS, "native_id") == [
        ("on_1",),
        ("on_2",),
        ("on_3",),
    ]
    with pytest.raises(ExtractError, match="tells no user_id"):
        take('id_type = "user_id"\n')


def test_what_feishu_cannot_tell_is_not_claimed(take: Take) -> None:
    facts = take("people = true\n").facts
    assert not facts & {
        "accounts.mfa_state",
        "accounts.last_login_at",
        "accounts.never_logged_in",
        "accounts.account_type",
        "accounts.created_at",
        "login_events",
    }


@pytest.mark.parametrize(
    "reply", [refused(99991672), refused(40004, 200), Reply(status=403, body={})]
)
@pytest.mark.parametrize(
    ("path", "part", "accounts"),
    [
        (CHILDREN, "departments", 1),
        (GROUPS, "groups", 3),
        (MEMBERS, "groups", 3),
        (ROLE, "roles", 3),
    ],
)
def test_a_refused_part_is_untold_not_empty(
    take: Take, server: ReplayServer, path: str, part: str, accounts: int, reply: Reply
) -> None:
    server.faults_at[path] = Fault(reply=reply)
    taken = take("people = true\n" + ROLES)
    assert taken.frame(ACCOUNTS).height == accounts
    assert taken.completeness == "scoped"
    assert any(note.startswith(f"{part}: ") for note in taken.notes)
    kinds = taken.frame(ENTITLEMENTS)["kind"].to_list()
    assert part.removesuffix("s") not in kinds
    assert (part == "departments") == ("departments" not in taken.facts)


def test_refused_members_are_an_error(take: Take, server: ReplayServer) -> None:
    server.faults_at[USERS] = Fault(reply=refused(99991672))
    with pytest.raises(ExtractError, match="code 99991672"):
        take()


def test_a_wrong_secret_is_never_shown(
    take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEISHU_SECRET", "another-secret-0006")
    with pytest.raises(ExtractError, match="mend the secret") as caught:
        take()
    assert "another-secret-0006" not in str(caught.value)


@pytest.mark.parametrize(
    "fault",
    [
        replay_server.TOO_MANY,
        replay_server.SERVER_ERROR,
        replay_server.CUT,
        Fault(reply=refused(99991663)),
        Fault(reply=refused(99991663, 200)),
    ],
    ids=["429", "500", "cut", "expired in a 400", "expired in a 200"],
)
@pytest.mark.parametrize("number", [2, 3, 5, 6, 8, 9])
def test_a_passing_fault_loses_no_row(
    take: Take, server: ReplayServer, fault: Fault, number: int
) -> None:
    whole = take("people = true\n" + ROLES)
    server.asked.clear()
    server.faults[number] = fault
    taken = take("people = true\n" + ROLES)
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
        (Fault(reply=refused(99991663)), "a fresh token is refused too"),
        (Fault(reply=refused(99991400)), "asked too often"),
    ],
)
@pytest.mark.parametrize("path", [USERS, CHILDREN, MEMBERS, ROLE])
def test_a_lasting_fault_takes_in_nothing(
    take: Take, server: ReplayServer, path: str, fault: Fault, match: str
) -> None:
    server.faults_at[path] = fault
    with pytest.raises(ExtractError, match=match) as caught:
        take()
    assert path in str(caught.value)
    assert "token-" not in str(caught.value)
