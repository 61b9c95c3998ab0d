"""The WeCom connector, against a loopback HTTPS server of invented answers."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from connectors import answer_codes, web, wecom
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
SECRET = "not-a-real-secret-0001"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture
def server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ReplayServer]:
    monkeypatch.setattr(web, "LIMITS", web.Limits(first_wait=0.01, tries=3))
    monkeypatch.setattr(answer_codes, "_WAITS", ())
    with replay_server.replay_server(folder) as running:
        wecom_answers(running)
        yield running


@pytest.fixture
def take(server: ReplayServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Take:
    """Extract from the server; ``told`` is added to gatebook.toml."""
    monkeypatch.setenv("WECOM_SECRET", SECRET)

    def extracted(told: str = "") -> Extract:
        config = tmp_path / "gatebook.toml"
        config.write_text(
            f'[sources.wecom]\nconnector = "wecom"\ncorpid = "ww0001"\n'
            f'secret = "env:WECOM_SECRET"\naddress = "{server.address}"\n'
            f'ca_file = "{server.ca_file.as_posix()}"\n{told}',
            "utf-8",
        )
        settings = Settings.read(config)
        source = settings.sources["wecom"]
        return extract(
            wecom.CONNECTOR,
            wecom.CONNECTOR.context("wecom", settings, source),
        )

    return extracted


def told(**answer: Any) -> Reply:
    return Reply(body={"errcode": 0, "errmsg": "ok", **answer})


def refused(code: int) -> Reply:
    return Reply(body={"errcode": code, "errmsg": "no privilege, hint: [1]"})


def member(userid: str, *departments: int, **properties: Any) -> dict[str, Any]:
    return {
        "userid": userid,
        "name": f"{userid} 示例",
        "department": list(departments),
        "main_department": departments[0],
        "is_leader_in_dept": [0] * len(departments),
        "direct_leader": [],
        "status": 1,
    } | properties


ADA = member("ada", 1, mobile="13900000001", email="ada@example.cn", position="主管")
BOB = member("bob", 2, 3, biz_mail="bob@example.cn", direct_leader=["ada"])
EVE = member("eve", 3, status=5)


def wecom_answers(server: ReplayServer, *members: Mapping[str, Any]) -> None:
    """Lay out a company of three, or of those given."""
    people = members or (ADA, BOB, EVE)

    def users(asked: Asked) -> Reply:
        here = int(asked.query["department_id"])
        return told(userlist=[one for one in people if here in one["department"]])

    def user(asked: Asked) -> Reply:
        return told(
            **next(one for one in people if one["userid"] == asked.query["userid"])
        )

    def ids(asked: Asked) -> Reply:
        pairs = [
            {"userid": one["userid"], "department": number}
            for one in people
            for number in one["department"]
        ]
        start = int(asked.json["cursor"] or 0)
        rest = {"next_cursor": str(start + 2)} if start + 2 < len(pairs) else {}
        return told(dept_user=pairs[start : start + 2], **rest)

    def token(asked: Asked) -> Reply:
        if asked.query != {"corpid": "ww0001", "corpsecret": SECRET}:
            return refused(40001)
        return told(access_token=f"token-{len(server.asked)}", expires_in=7200)

    server.routes |= {
        "/cgi-bin/gettoken": token,
        "/cgi-bin/department/list": told(
            department=[
                {"id": 1, "name": "示例贸易", "parentid": 0},
                {
                    "id": 2,
                    "name": "销售部",
                    "parentid": 1,
                    "department_leader": ["ada"],
                },
                {"id": 3, "name": "华东组", "parentid": 2, "department_leader": []},
            ]
        ),
        "/cgi-bin/user/list": users,
        "/cgi-bin/user/get": user,
        "/cgi-bin/user/list_id": ids,
        "/cgi-bin/tag/list": told(
            taglist=[{"tagid": 1, "tagname": "可导出"}, {"tagid": 2, "tagname": "空"}]
        ),
        "/cgi-bin/tag/get": lambda asked: told(
            userlist=[{"userid": "ada"}] if asked.query["tagid"] == "1" else [],
            partylist=[2] if asked.query["tagid"] == "1" else [],
        ),
    }


def rows(extract: Extract, table: Table, *columns: str) -> list[tuple[Any, ...]]:
    return extract.frame(table).select(columns).rows()


def test_members_become_accounts(take: Take) -> None:
    assert rows(
        take(),
        ACCOUNTS,
        "account_id",
        "email",
        "phone",
        "is_enabled",
        "department_name",
    ) == [
        ("wecom:ada", "ada@example.cn", "13900000001", True, "示例贸易"),
        ("wecom:bob", "bob@example.cn", None, True, "销售部"),
        ("wecom:eve", None, None, False, "华东组"),
    ]


@pytest.mark.parametrize(
    ("status", "is_enabled", "employment"),
    [
        (1, True, "active"),
        (2, False, "unknown"),
        (4, True, "unknown"),
        (5, False, "left"),
    ],
)
def test_each_status_has_its_meaning(
    take: Take, server: ReplayServer, status: int, is_enabled: bool, employment: str
) -> None:
    wecom_answers(server, member("ada", 1, status=status))
    taken = take("people = true")
    assert rows(taken, ACCOUNTS, "is_enabled") == [(is_enabled,)]
    assert rows(taken, IDENTITIES, "employment_status") == [(employment,)]


def test_a_status_nobody_knows_is_rejected_with_its_value(
    take: Take, server: ReplayServer
) -> None:
    wecom_answers(server, ADA, member("bob", 1, status=9))
    taken = take()
    assert taken.rejected.select("column", "value", "code").rows() == [
        ("status", "9", "not_a_flag")
    ]


def test_a_member_of_two_departments_is_one_account(take: Take) -> None:
    taken = take()
    tie = next(tie for tie in taken.tie_outs if tie.table_name == "accounts")
    assert (tie.read, tie.accepted, tie.duplicate, tie.rejected) == (4, 3, 1, 0)


def test_what_wecom_cannot_tell_is_not_claimed(take: Take) -> None:
    facts = take("people = true").facts
    assert not facts & {
        "accounts.mfa_state",
        "accounts.last_login_at",
        "accounts.never_logged_in",
        "accounts.account_type",
        "accounts.password_changed_at",
        "accounts.created_at",
        "login_events",
    }
    assert {"accounts.is_enabled", "identities.manager_id", "grants"} <= facts


def test_an_app_that_is_told_no_mobile_or_mail_says_so(
    take: Take, server: ReplayServer
) -> None:
    wecom_answers(server, member("ada", 1), member("bob", 1))
    taken = take()
    assert not taken.facts & {"accounts.phone", "accounts.email"}
    assert sum("is not told, as to every app" in note for note in taken.notes) == 2


def test_people_have_managers_and_departments_heads(take: Take) -> None:
    taken = take("people = true")
    assert rows(taken, IDENTITIES, "identity_id", "manager_id", "department_id") == [
        ("wecom:ada", None, "wecom:department:1"),
        ("wecom:bob", "wecom:ada", "wecom:department:2"),
        ("wecom:eve", None, "wecom:department:3"),
    ]
    assert rows(
        taken, DEPARTMENTS, "department_id", "parent_id", "head_identity_id"
    ) == [
        ("wecom:department:1", None, None),
        ("wecom:department:2", "wecom:department:1", "wecom:ada"),
        ("wecom:department:3", "wecom:department:2", None),
    ]


def test_without_people_nobody_is_an_identity(take: Take) -> None:
    assert not {"identities", "departments"} & take().facts


def test_a_leader_flag_makes_a_head_where_departments_name_none(
    take: Take, server: ReplayServer
) -> None:
    wecom_answers(
        server, ADA, member("bob", 2, 1, is_leader_in_dept=[1, 0]), member("eve", 2)
    )
    server.routes["/cgi-bin/department/list"] = told(
        department=[{"id": 1, "name": "a", "parentid": 0}, {"id": 2, "parentid": 1}]
    )
    heads = dict(
        rows(take("people = true"), DEPARTMENTS, "department_id", "head_identity_id")
    )
    assert heads == {"wecom:department:1": None, "wecom:department:2": "wecom:bob"}


def test_two_leaders_are_no_head(take: Take, server: ReplayServer) -> None:
    server.routes["/cgi-bin/department/list"] = told(
        department=[{"id": 1, "parentid": 0, "department_leader": ["ada", "bob"]}]
    )
    wecom_answers_of_one = member("ada", 1)
    server.routes["/cgi-bin/user/list"] = told(userlist=[wecom_answers_of_one])
    taken = take("people = true")
    assert rows(taken, DEPARTMENTS, "head_identity_id") == [(None,)]


def test_tags_are_granted_directly_and_through_departments(take: Take) -> None:
    taken = take()
    assert rows(taken, ENTITLEMENTS, "entitlement_id", "name", "kind") == [
        ("wecom:tag:1", "可导出", "tag"),
        ("wecom:tag:2", "空", "tag"),
    ]
    grants = taken.frame(GRANTS).select("account_id", "entitlement_id", "via")
    assert sorted(grants.rows()) == [
        ("wecom:ada", "wecom:tag:1", "direct"),
        ("wecom:bob", "wecom:tag:1", "group"),
        ("wecom:eve", "wecom:tag:1", "group"),
    ]
    assert any("a whole department has a tag" in note for note in taken.notes)


@pytest.mark.parametrize("code", [60011, 48009, 48002])
def test_a_refused_user_list_is_read_by_id(
    take: Take, server: ReplayServer, code: int
) -> None:
    before = take().frame(ACCOUNTS).drop("source_file", "source_row")
    server.routes["/cgi-bin/user/list"] = refused(code)
    taken = take()
    after = taken.frame(ACCOUNTS).drop("source_file", "source_row")
    assert after.equals(before)
    assert taken.completeness == "unknown"


def test_a_member_removed_while_reading_is_still_accounted_for(
    take: Take, server: ReplayServer
) -> None:
    server.routes["/cgi-bin/user/list"] = refused(48009)
    everybody = server.routes["/cgi-bin/user/get"]

    def user(asked: Asked) -> Reply:
        assert callable(everybody)
        return refused(60111) if asked.query["userid"] == "bob" else everybody(asked)

    server.routes["/cgi-bin/user/get"] = user
    assert rows(take(), ACCOUNTS, "account_id", "is_enabled") == [
        ("wecom:ada", True),
        ("wecom:bob", None),
        ("wecom:eve", False),
    ]


def test_ids_alone_leave_every_other_fact_untold(
    take: Take, server: ReplayServer
) -> None:
    server.routes["/cgi-bin/user/list"] = refused(48009)
    server.routes["/cgi-bin/user/get"] = refused(48009)
    taken = take()
    assert rows(taken, ACCOUNTS, "account_id") == [
        ("wecom:ada",),
        ("wecom:bob",),
        ("wecom:eve",),
    ]
    assert "accounts.is_enabled" not in taken.facts
    assert taken.completeness == "scoped"


def test_neither_list_is_an_error(take: Take, server: ReplayServer) -> None:
    server.routes["/cgi-bin/user/list"] = refused(60011)
    server.routes["/cgi-bin/user/list_id"] = refused(48002)
    with pytest.raises(ExtractError, match="neither user/list nor user/list_id"):
        take()


def test_a_company_that_shows_nobody_is_an_error(
    take: Take, server: ReplayServer
) -> None:
    server.routes["/cgi-bin/user/list"] = told(userlist=[])
    with pytest.raises(ExtractError, match="可见范围"):
        take()


def test_a_wrong_secret_is_named_and_never_shown(
    take: Take, server: ReplayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WECOM_SECRET", "another-secret-0002")
    server.routes["/cgi-bin/gettoken"] = lambda asked: Reply(
        body={"errcode": 40001, "errmsg": f"bad {asked.query['corpsecret']}"}
    )
    with pytest.raises(ExtractError) as caught:
        take()
    assert "source wecom" in str(caught.value)
    assert "code 40001" in str(caught.value)
    assert "another-secret-0002" not in str(caught.value)


def test_a_literal_secret_is_refused(take: Take, tmp_path: Path) -> None:
    config = tmp_path / "gatebook.toml"
    config.write_text(
        f'[sources.w]\nconnector = "wecom"\ncorpid = "ww1"\nsecret = "{SECRET}"\n'
    )
    settings = Settings.read(config)
    with pytest.raises(ExtractError) as caught:
        wecom.CONNECTOR.context("w", settings, settings.sources["w"])
    assert SECRET not in str(caught.value)


PASSING_FAULTS = {
    "429": replay_server.TOO_MANY,
    "500": replay_server.SERVER_ERROR,
    "cut": replay_server.CUT,
    "expired token": Fault(reply=refused(42001)),
    "invalid token": Fault(reply=refused(40014)),
}


@pytest.mark.parametrize("fault", PASSING_FAULTS)
@pytest.mark.parametrize("number", [2, 3, 5, 6, 7])
def test_a_passing_fault_loses_no_row(
    take: Take, server: ReplayServer, fault: str, number: int
) -> None:
    whole = take("people = true")
    server.asked.clear()
    server.faults[number] = PASSING_FAULTS[fault]
    taken = take("people = true")
    for name, frame in whole.frames.items():
        assert taken.frames[name].equals(frame)
    assert taken.completeness == whole.completeness


@pytest.mark.parametrize(
    ("fault", "match"),
    [
        (replay_server.TOO_MANY, "429"),
        (replay_server.SERVER_ERROR, "500"),
        (replay_server.CUT, "connection broke"),
        (replay_server.MALFORMED, "not JSON"),
        (Fault(reply=refused(42001)), "a fresh token is refused too"),
        (Fault(reply=refused(45009)), "asked too often"),
        (Fault(reply=Reply(body={"userlist": []})), "without errcode"),
    ],
)
@pytest.mark.parametrize(
    "path", ["/cgi-bin/user/list", "/cgi-bin/department/list", "/cgi-bin/tag/get"]
)
def test_a_lasting_fault_takes_in_nothing(
    take: Take, server: ReplayServer, path: str, fault: Fault, match: str
) -> None:
    server.faults_at[path] = fault
    with pytest.raises(ExtractError, match=match) as caught:
        take()
    assert path in str(caught.value)
    assert "token-" not in str(caught.value)


@pytest.mark.parametrize(
    "fault",
    [replay_server.FORBIDDEN, Fault(reply=refused(60011))],
    ids=["403", "60011"],
)
@pytest.mark.parametrize("path", ["/cgi-bin/tag/list", "/cgi-bin/tag/get"])
def test_refused_tags_are_untold_not_empty(
    take: Take, server: ReplayServer, path: str, fault: Fault
) -> None:
    server.faults_at[path] = fault
    taken = take()
    assert taken.frame(ACCOUNTS).height == 3
    assert not {"entitlements", "grants"} & taken.facts
    assert taken.completeness == "scoped"
    assert any(note.startswith("tags: ") for note in taken.notes)


def test_refused_departments_leave_the_members(
    take: Take, server: ReplayServer
) -> None:
    server.faults_at["/cgi-bin/department/list"] = Fault(reply=refused(60011))
    taken = take("people = true")
    assert taken.frame(IDENTITIES).height == 3
    assert not {"departments", "accounts.department_name"} & taken.facts
    assert taken.completeness == "scoped"


def test_pages_that_lead_back_are_an_error(take: Take, server: ReplayServer) -> None:
    server.routes["/cgi-bin/user/list"] = refused(48009)
    server.routes["/cgi-bin/user/list_id"] = told(
        dept_user=[{"userid": "ada", "department": 1}], next_cursor="again"
    )
    with pytest.raises(ExtractError, match="lead back"):
        take()


def test_every_row_leads_back_to_its_endpoint(take: Take, server: ReplayServer) -> None:
    host = server.address.removeprefix("https://")
    files = take().frame(ACCOUNTS)["source_file"].unique().to_list()
    assert files == [f"{host}/cgi-bin/user/list"]


def test_no_frame_holds_a_token(take: Take) -> None:
    for frame in take("people = true").frames.values():
        texts = frame.select(pl.col(pl.String)).to_dicts()
        assert SECRET not in str(texts)
        assert "token-" not in str(texts)
