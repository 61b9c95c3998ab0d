"""The Okta connector, against a server on loopback that answers as Okta does."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from connectors.conform import extract
from connectors.okta import CONNECTOR
from governance.schema import (
    ACCOUNTS,
    ENTITLEMENT_MEMBERS,
    ENTITLEMENTS,
    GRANTS,
    IDENTITIES,
    LOGIN_EVENTS,
    Extract,
    ExtractError,
    Table,
)
from governance.settings import Settings
from tests.replay_server import (
    BAD_GATEWAY,
    CUT,
    EXPIRED,
    FORBIDDEN,
    MALFORMED,
    SERVER_ERROR,
    TOO_MANY,
    Asked,
    Fault,
    ReplayServer,
    Reply,
    pages,
    replay_server,
)

TOKEN = "00invented-token"


def user(identifier: str, **told: Any) -> dict[str, Any]:
    """Return a user in the shape Okta gives; ``profile`` is added to the usual one."""
    profile = {
        "firstName": "Ada",
        "lastName": identifier,
        "login": f"{identifier}@example.com",
        "email": f"{identifier}@example.com",
        "mobilePhone": None,
        **told.pop("profile", {}),
    }
    return {
        "id": f"00u{identifier}",
        "status": "ACTIVE",
        "created": "2024-01-15T10:00:00.000Z",
        "lastLogin": "2026-05-20T08:30:00.000Z",
        "passwordChanged": "2025-02-06T01:02:03.000Z",
        "type": {"id": "otyexample"},
        "profile": profile,
        "credentials": {"password": {}, "provider": {"type": "OKTA", "name": "OKTA"}},
        "_links": {"self": {"href": "https://example.test/api/v1/users/x"}},
        **told,
    }


def factor(kind: str, status: str = "ACTIVE") -> dict[str, Any]:
    return {
        "id": f"id-{kind}",
        "factorType": kind,
        "provider": "OKTA",
        "status": status,
        "profile": {"phoneNumber": "+86 138 0000 0001"},
        "_embedded": {"activation": {"sharedSecret": "HE64TMLL2IUZW2ZLB"}},
    }


def event(**told: Any) -> dict[str, Any]:
    return {
        "uuid": "dc9fd3c0",
        "eventType": "user.session.start",
        "published": "2026-11-13T15:58:20.353Z",
        "actor": {
            "id": "00uada",
            "type": "User",
            "alternateId": "ada@example.com",
            "displayName": "Ada",
        },
        "client": {
            "userAgent": {"rawUserAgent": "Mozilla/5.0", "os": "Mac OS X"},
            "device": "Computer",
            "ipAddress": "192.0.2.7",
            "geographicalContext": {"city": "Shanghai", "country": "China"},
        },
        "outcome": {"result": "SUCCESS", "reason": None},
        **told,
    }


ADA = user(
    "ada",
    profile={
        "displayName": "李四",
        "mobilePhone": "+86 138 0000 0001",
        "employeeNumber": "007",
        "department": "销售部",
        "title": "销售员",
        "managerId": "bob@example.com",
    },
)
BOB = user("bob", status="LOCKED_OUT", lastLogin=None)
CAROL = user("carol", status="STAGED", lastLogin=None, passwordChanged=None)
GONE = user("gone", status="DEPROVISIONED")


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplayServer]:
    with replay_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def server(started: ReplayServer) -> ReplayServer:
    """Return an organisation of four, on several pages."""
    for kept in (started.routes, started.faults, started.faults_at, started.asked):
        kept.clear()
    listed = pages([ADA, BOB], [CAROL])
    left = pages([GONE])

    def users(asked: Asked) -> Reply:
        is_left = asked.query.get("filter") == 'status eq "DEPROVISIONED"'
        return (left if is_left else listed)(asked)  # type: ignore[operator]

    routes: dict[str, Any] = {
        "/api/v1/users": users,
        "/api/v1/users/00uada/factors": pages([factor("push")], [factor("sms")]),
        "/api/v1/users/00ubob/factors": Reply(body=[]),
        "/api/v1/users/00ucarol/factors": Reply(body=[]),
        "/api/v1/groups": pages(
            [{"id": "g1", "type": "OKTA_GROUP", "profile": {"name": "Sales"}}],
            [{"id": "g2", "type": "OKTA_GROUP", "profile": {"name": "IT"}}],
        ),
        "/api/v1/groups/g1/users": pages([ADA], [BOB]),
        "/api/v1/groups/g2/users": Reply(body=[BOB]),
        "/api/v1/groups/g1/roles": Reply(body=[]),
        "/api/v1/groups/g2/roles": Reply(body=[role("APP_ADMIN")]),
        "/api/v1/iam/assignees/users": assignees("00ubob", "00uada"),
        "/api/v1/users/00uada/roles": Reply(body=[role("SUPER_ADMIN")]),
        "/api/v1/users/00ubob/roles": Reply(
            body=[role("APP_ADMIN", assignmentType="GROUP")]
        ),
        "/api/v1/logs": pages([event()], [event()]),
    }
    started.routes.update(routes)
    return started


def role(kind: str, **told: Any) -> dict[str, Any]:
    return {
        "id": f"ra-{kind}",
        "label": kind.replace("_", " ").title(),
        "type": kind,
        "status": "ACTIVE",
        "created": "2025-01-02T03:04:05.000Z",
        "assignmentType": "USER",
        **told,
    }


def assignees(*users: str) -> Callable[[Asked], Reply]:
    """Return a route of pages of one administrator, linked in the body as Okta does."""

    def answer(asked: Asked) -> Reply:
        number = int(asked.query.get("after", "0"))
        body: dict[str, Any] = {"value": [{"id": users[number]}], "_links": {}}
        if number + 1 < len(users):
            host = asked.headers["host"]
            link = f"https://{host}{asked.path}?after={number + 1}"
            body["_links"] = {"next": {"href": link}}
        return Reply(body=body)

    return answer


Take = Callable[..., Extract]
PATHS = {
    "users": "/api/v1/users",
    "factors": "/api/v1/users/00uada/factors",
    "roles": "/api/v1/users/00uada/roles",
    "logs": "/api/v1/logs",
}


def unless_filtered(body: Any, asked: Asked) -> Reply:
    return Reply(body=[] if "filter" in asked.query else body)


@pytest.fixture
def take(server: ReplayServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Take:
    """Extract the organisation; arguments are routes to replace and keys to add."""
    monkeypatch.setenv("OKTA_TOKEN", TOKEN)

    def extracted(told: str = "", **routes: Any) -> Extract:
        for name, body in routes.items():
            path = PATHS[name]
            if name == "users":
                for one in body:
                    server.routes[f"{path}/{one['id']}/factors"] = Reply(body=[])
                server.routes[path] = partial(unless_filtered, body)
            else:
                server.routes[path] = Reply(body=body)
        config = tmp_path / "gatebook.toml"
        config.write_text(
            f'[sources.okta]\nconnector = "okta"\naddress = "{server.address}"\n'
            f'token = "env:OKTA_TOKEN"\nca_file = "{server.ca_file}"\n{told}',
            "utf-8",
        )
        settings = Settings.read(config)
        source = settings.sources["okta"]
        return extract(CONNECTOR, CONNECTOR.context("okta", settings, source))

    return extracted


def rows(extract: Extract, table: Table, *columns: str) -> list[tuple[Any, ...]]:
    return extract.frame(table).select(columns).rows()


def only(extract: Extract, column: str) -> Any:
    (value,) = extract.frame(ACCOUNTS)[column].to_list()
    return value


# Users --------------------------------------------------------------------------------


def test_a_user_becomes_an_account_with_every_fact_okta_tells(take: Take) -> None:
    account = take().frame(ACCOUNTS).row(0, named=True)
    expected = {
        "account_id": "okta:00uada",
        "native_id": "00uada",
        "login": "ada@example.com",
        "display_name": "李四",
        "email": "ada@example.com",
        "phone": "+86 138 0000 0001",
        "employee_number": "007",
        "directory_id": "00uada",
        "department_name": "销售部",
        "job_title": "销售员",
        "account_type": "person",
        "is_enabled": True,
        "is_locked": False,
        "created_at": datetime(2024, 1, 15, 10, tzinfo=UTC),
        "last_login_at": datetime(2026, 5, 20, 8, 30, tzinfo=UTC),
        "last_login_basis": "success",
        "never_logged_in": False,
        "password_changed_at": datetime(2025, 2, 6, 1, 2, 3, tzinfo=UTC),
        "mfa_state": "enabled",
        "mfa_methods": "push,sms",
        "source_row": 1,
    }
    assert {name: account[name] for name in expected} == expected


def test_deprovisioned_users_are_asked_for_apart_and_counted(take: Take) -> None:
    taken = take()
    assert rows(taken, ACCOUNTS, "native_id", "is_enabled", "mfa_state") == [
        ("00uada", True, "enabled"),
        ("00ubob", True, "disabled"),
        ("00ucarol", False, "disabled"),
        ("00ugone", False, "unknown"),
    ]
    assert taken.completeness == "full"
    assert taken.method == "API"
    assert all(tie_out.is_balanced and tie_out.sha256 for tie_out in taken.tie_outs)


@pytest.mark.parametrize(
    ("status", "is_enabled", "is_locked"),
    [
        ("ACTIVE", True, False),
        ("PASSWORD_EXPIRED", True, False),
        ("RECOVERY", True, False),
        ("LOCKED_OUT", True, True),
        ("PROVISIONED", True, False),
        ("STAGED", False, False),
        ("SUSPENDED", False, False),
        ("DEPROVISIONED", False, False),
    ],
)
def test_a_status_says_who_may_log_in(
    take: Take, status: str, *, is_enabled: bool, is_locked: bool
) -> None:
    taken = take(users=[user("x", status=status)])
    assert only(taken, "is_enabled") is is_enabled
    assert only(taken, "is_locked") is is_locked


def test_a_status_okta_does_not_document_is_rejected_not_guessed(take: Take) -> None:
    taken = take(users=[user("x"), user("y", status="HIBERNATING")])
    assert rows(taken, ACCOUNTS, "native_id") == [("00ux",)]
    (rejected,) = taken.rejected.to_dicts()
    assert (rejected["code"], rejected["value"]) == ("not_a_flag", "HIBERNATING")


def test_a_user_who_never_logged_in_is_told_from_one_who_did(take: Take) -> None:
    taken = take(users=[user("x"), user("y", lastLogin=None)])
    assert rows(taken, ACCOUNTS, "never_logged_in", "last_login_basis") == [
        (False, "success"),
        (True, "unknown"),
    ]


def test_a_user_without_a_display_name_has_both_names(take: Take) -> None:
    assert only(take(users=[user("x")]), "display_name") == "Ada x"


def test_a_pattern_tells_service_accounts(take: Take) -> None:
    taken = take('service_accounts = "^svc-"', users=[user("SVC-a"), user("a-svc-")])
    assert rows(taken, ACCOUNTS, "account_type") == [("service",), ("person",)]


def test_an_organisation_without_users_is_refused(take: Take) -> None:
    with pytest.raises(ExtractError, match="lists not one user"):
        take(users=[])


# Second factors -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("factors", "state", "methods"),
    [
        ([], "disabled", None),
        ([factor("question")], "disabled", None),
        ([factor("token:software:totp", "PENDING_ACTIVATION")], "disabled", None),
        ([factor("webauthn", "INACTIVE")], "disabled", None),
        ([factor("question"), factor("sms")], "enabled", "sms"),
        (
            [factor("webauthn"), factor("push"), factor("push")],
            "enabled",
            "push,webauthn",
        ),
    ],
)
def test_only_an_active_factor_that_is_more_than_a_question_counts(
    take: Take, factors: list[dict[str, Any]], state: str, methods: str | None
) -> None:
    account = take(factors=factors).frame(ACCOUNTS).row(0, named=True)
    assert account["mfa_state"] == state
    assert account["mfa_methods"] == methods


def test_factors_that_may_not_be_read_are_not_told(
    server: ReplayServer, take: Take
) -> None:
    for name in ("ada", "bob", "carol"):
        server.faults_at[f"/api/v1/users/00u{name}/factors"] = FORBIDDEN
    taken = take()
    assert set(taken.frame(ACCOUNTS)["mfa_state"]) == {"unknown"}
    assert taken.frame(ACCOUNTS).height == 4
    assert "accounts.mfa_state" not in taken.facts
    assert taken.completeness == "scoped"
    assert any(note.startswith("factors are not told: ") for note in taken.notes)


def test_factors_of_one_user_that_may_not_be_read_leave_that_one_unknown(
    server: ReplayServer, take: Take
) -> None:
    server.faults_at["/api/v1/users/00uada/factors"] = FORBIDDEN
    taken = take()
    assert taken.frame(ACCOUNTS)["mfa_state"].to_list() == [
        "unknown",
        "disabled",
        "disabled",
        "unknown",
    ]
    assert taken.completeness == "scoped"


def test_a_user_deleted_meanwhile_is_unknown(server: ReplayServer, take: Take) -> None:
    del server.routes["/api/v1/users/00uada/factors"]
    assert take().frame(ACCOUNTS)["mfa_state"][0] == "unknown"


def test_the_secret_of_an_enrolment_is_not_taken_in(take: Take) -> None:
    taken = take(factors=[factor("token:software:totp", "PENDING_ACTIVATION")])
    assert "HE64" not in str([frame.to_dicts() for frame in taken.frames.values()])


# Groups and administrators ------------------------------------------------------------


def test_groups_and_roles_are_granted_to_those_who_hold_them(take: Take) -> None:
    taken = take()
    assert rows(taken, GRANTS, "account_id", "entitlement_id", "via") == [
        ("okta:00uada", "okta:group:g1", "direct"),
        ("okta:00ubob", "okta:group:g1", "direct"),
        ("okta:00ubob", "okta:group:g2", "direct"),
        ("okta:00ubob", "okta:role:APP_ADMIN", "group"),
        ("okta:00uada", "okta:role:SUPER_ADMIN", "direct"),
    ]
    assert rows(taken, ENTITLEMENT_MEMBERS, "parent_id", "child_id") == [
        ("okta:group:g2", "okta:role:APP_ADMIN")
    ]
    assert rows(
        taken, ENTITLEMENTS, "entitlement_id", "name", "is_privileged", "abilities"
    ) == [
        ("okta:group:g1", "Sales", None, None),
        ("okta:group:g2", "IT", None, None),
        ("okta:role:APP_ADMIN", "App Admin", True, None),
        ("okta:role:SUPER_ADMIN", "Super Admin", True, "administer,security"),
    ]


def test_custom_roles_are_told_from_each_other(take: Take) -> None:
    taken = take(
        roles=[
            role("CUSTOM", label="Reports", role="cr1"),
            role("CUSTOM", label="Keys", role="cr2"),
        ]
    )
    held = taken.frame(GRANTS)["entitlement_id"].to_list()
    assert {"okta:role:cr1", "okta:role:cr2"} < set(held)


def test_a_role_that_is_switched_off_is_granted_to_nobody(take: Take) -> None:
    taken = take(roles=[role("SUPER_ADMIN", status="INACTIVE")])
    assert "okta:role:SUPER_ADMIN" not in taken.frame(GRANTS)["entitlement_id"]
    assert "okta:role:SUPER_ADMIN" in taken.frame(ENTITLEMENTS)["entitlement_id"]


@pytest.mark.parametrize(
    ("path", "part", "lost"),
    [
        ("/api/v1/groups", "groups", 3),
        ("/api/v1/groups/g2/users", "members", 3),
        ("/api/v1/iam/assignees/users", "roles", 2),
        ("/api/v1/users/00uada/roles", "roles", 2),
        ("/api/v1/logs", "logins", 0),
    ],
)
def test_a_part_that_may_not_be_read_is_not_told_and_the_rest_is(
    server: ReplayServer, take: Take, path: str, part: str, lost: int
) -> None:
    server.faults_at[path] = FORBIDDEN
    taken = take()
    assert taken.frame(ACCOUNTS).height == 4
    assert taken.frame(GRANTS).height == 5 - lost
    assert ("login_events" in taken.facts) == (part != "logins")
    assert taken.completeness == "scoped"
    assert any(
        note.startswith(f"{part} are not told: ") and "answered 403" in note
        for note in taken.notes
    )


# Sign-ins -----------------------------------------------------------------------------


def test_a_sign_in_is_told_with_where_and_how(take: Take) -> None:
    (login,) = take(logs=[event()]).frame(LOGIN_EVENTS).to_dicts()
    expected = {
        "account_id": "okta:00uada",
        "login": "ada@example.com",
        "at": datetime(2026, 11, 13, 15, 58, 20, 353000, tzinfo=UTC),
        "ip": "192.0.2.7",
        "country": "China",
        "city": "Shanghai",
        "device": "Computer",
        "user_agent": "Mozilla/5.0",
        "is_interactive": True,
        "outcome": "success",
        "failure_reason": None,
    }
    assert {name: login[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("result", "reason", "outcome", "why"),
    [
        ("FAILURE", "INVALID_CREDENTIALS", "failure", "INVALID_CREDENTIALS"),
        ("DENY", None, "failure", "DENY"),
        ("ALLOW", None, "success", None),
        ("CHALLENGE", None, "unknown", None),
    ],
)
def test_an_outcome_is_a_success_a_failure_or_unknown(
    take: Take, result: str, reason: str | None, outcome: str, why: str | None
) -> None:
    taken = take(logs=[event(outcome={"result": result, "reason": reason})])
    assert rows(taken, LOGIN_EVENTS, "outcome", "failure_reason") == [(outcome, why)]


def test_an_attempt_on_a_login_that_is_none_has_no_account(take: Take) -> None:
    actor = {"id": "unknown", "type": "User", "alternateId": "nobody@example.com"}
    taken = take(logs=[event(actor=actor)])
    assert rows(taken, LOGIN_EVENTS, "account_id", "login") == [
        (None, "nobody@example.com")
    ]


def test_sign_ins_are_asked_for_in_a_window_with_an_end(
    server: ReplayServer, take: Take
) -> None:
    taken = take("login_days = 7")
    query = next(a.query for a in server.asked if a.path == "/api/v1/logs")
    assert query["filter"] == 'eventType eq "user.session.start"'
    since, until = (datetime.fromisoformat(query[name]) for name in ("since", "until"))
    assert until - since == timedelta(days=7)
    assert abs(until - taken.extracted_at) < timedelta(seconds=1)


def test_no_days_are_no_sign_ins_and_no_fact(server: ReplayServer, take: Take) -> None:
    taken = take("login_days = 0")
    assert "/api/v1/logs" not in server.paths()
    assert "login_events" not in taken.facts
    assert taken.completeness == "full"


# People -------------------------------------------------------------------------------


def test_users_are_people_only_where_asked_for(take: Take) -> None:
    assert take().frame(IDENTITIES).height == 0
    people = take("people = true")
    assert rows(people, IDENTITIES, "identity_id", "manager_id")[:2] == [
        ("okta:00uada", "okta:00ubob"),
        ("okta:00ubob", None),
    ]
    assert "identities.employment_status" not in people.facts


def test_a_manager_whom_two_users_could_be_is_nobody(take: Take) -> None:
    named = {"managerId": "boss"}
    taken = take(
        "people = true",
        users=[
            user("x", profile=named),
            user("y", profile={"employeeNumber": "BOSS"}),
            user("z", profile={"employeeNumber": "boss"}),
        ],
    )
    assert taken.frame(IDENTITIES)["manager_id"].to_list() == [None, None, None]


# Faults -------------------------------------------------------------------------------


REQUESTS = 20
"""Requests of one pull of the organisation."""


@pytest.fixture
def whole(take: Take, server: ReplayServer) -> Extract:
    """Return what a pull without faults gives, and forget its requests."""
    taken = take()
    assert len(server.asked) == REQUESTS
    server.asked.clear()
    return taken


@pytest.mark.parametrize("number", [1, 4, 9, 13, REQUESTS])
@pytest.mark.parametrize(
    "fault", [TOO_MANY, SERVER_ERROR, BAD_GATEWAY, CUT, Fault(seconds=0.2)]
)
def test_a_passing_fault_loses_no_row(
    server: ReplayServer, take: Take, whole: Extract, fault: Fault, number: int
) -> None:
    server.faults[number] = fault
    taken = take()
    for name, frame in whole.frames.items():
        assert taken.frames[name].equals(frame), name
    assert taken.facts == whole.facts
    assert taken.completeness == "full"


@pytest.mark.parametrize("number", [1, 4, 9, 13, REQUESTS])
@pytest.mark.parametrize(
    ("fault", "said"),
    [(MALFORMED, "is not JSON"), (EXPIRED, "does not accept the credentials")],
)
def test_a_fault_that_stays_ends_the_pull_with_its_endpoint(
    server: ReplayServer, take: Take, fault: Fault, said: str, number: int
) -> None:
    server.faults[number] = fault
    with pytest.raises(ExtractError, match=said) as caught:
        take()
    path = server.asked[-1].path
    assert f"source okta: {server.address.removeprefix('https://')}{path}" in str(
        caught.value
    )


def test_users_that_may_not_be_read_end_the_pull(
    server: ReplayServer, take: Take
) -> None:
    server.faults_at["/api/v1/users"] = FORBIDDEN
    with pytest.raises(ExtractError, match="answered 403"):
        take()


# Keys ---------------------------------------------------------------------------------


def test_the_token_goes_to_okta_and_nowhere_else(
    server: ReplayServer, take: Take
) -> None:
    taken = take()
    sent = {asked.headers["authorization"] for asked in server.asked}
    assert sent == {f"SSWS {TOKEN}"}
    assert TOKEN not in str(taken)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ('address = "http://example.okta.com"\ntoken = "env:T"', "https only"),
        ('address = "https://example.okta.com"\ntoken = "00hunter2"', "credentials"),
        ('address = "https://example.okta.com"', r"okta\.token"),
        (
            'address = "https://example.okta.com"\ntoken = "env:T"\nlogin_days = 91',
            "login_days",
        ),
        (
            'address = "https://example.okta.com"\ntoken = "env:T"\n'
            'service_accounts = "("',
            "not a regular expression",
        ),
    ],
)
def test_keys_that_cannot_be_meant_are_refused(
    tmp_path: Path, told: str, said: str
) -> None:
    config = tmp_path / "gatebook.toml"
    config.write_text(f'[sources.okta]\nconnector = "okta"\n{told}', "utf-8")
    settings = Settings.read(config)
    with pytest.raises(ExtractError, match=said) as caught:
        CONNECTOR.context("okta", settings, settings.sources["okta"])
    assert "hunter2" not in str(caught.value)
