"""The Google Workspace connector, against a loopback server that answers as Google."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors.conform import extract
from connectors.google_workspace import CONNECTOR
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
    MALFORMED,
    SERVER_ERROR,
    TOO_MANY,
    Asked,
    Fault,
    ReplayServer,
    Reply,
    Route,
    replay_server,
)

USERS = "/admin/directory/v1/users"
GROUPS = "/admin/directory/v1/groups"
CUSTOMER = "/admin/directory/v1/customer/my_customer"
ROLES, ASSIGNMENTS = f"{CUSTOMER}/roles", f"{CUSTOMER}/roleassignments"
LOGINS = "/admin/reports/v1/activity/users/all/applications/login"
TOKEN = "/token"
SCOPE = "https://www.googleapis.com/auth/admin."
ROBOT = "gatebook@example-project.iam.gserviceaccount.test"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE_KEY = KEY.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
).decode()


def user(identifier: str, **told: Any) -> dict[str, Any]:
    """Return a user in the shape Google gives."""
    return {
        "kind": "admin#directory#user",
        "id": f"10{identifier}",
        "primaryEmail": f"{identifier}@example.com",
        "name": {"givenName": identifier, "fullName": f"{identifier} Example"},
        "isAdmin": False,
        "lastLoginTime": "2026-03-01T21:05:54.000Z",
        "creationTime": "2025-08-12T14:19:33.000Z",
        "suspended": False,
        "archived": False,
        "emails": [{"address": f"{identifier}@example.com", "primary": True}],
        "orgUnitPath": "/",
        "isEnrolledIn2Sv": True,
        "isEnforcedIn2Sv": False,
        "isGuestUser": False,
        **told,
    }


ADA = user(
    "ada",
    name={"fullName": "李四"},
    externalIds=[
        {"value": "x", "type": "network"},
        {"value": "007", "type": "organization"},
    ],
    organizations=[
        {"title": "Old", "department": "Old"},
        {"title": "销售员", "department": "销售部", "primary": True},
    ],
    phones=[
        {"value": "021 5550 0001", "type": "work"},
        {"value": "+86 138 0000 0001", "type": "mobile"},
    ],
    relations=[
        {"value": "bob@example.com", "type": "manager"},
        {"value": "carol@example.com", "type": "assistant"},
    ],
)
BOB = user("bob", isEnrolledIn2Sv=False, orgUnitPath="/IT/Ops")
CAROL = user("carol", suspended=True, lastLoginTime="1970-01-01T00:00:00.000Z")


def role(identifier: str, *, is_super: bool = False) -> dict[str, Any]:
    return {
        "kind": "admin#directory#role",
        "roleId": identifier,
        "roleName": f"_{identifier}_ROLE",
        "isSystemRole": True,
        "isSuperAdminRole": is_super,
        "rolePrivileges": [{"privilegeName": "USERS_RETRIEVE", "serviceId": "s"}],
    }


def assignment(identifier: str, to: str, **told: Any) -> dict[str, Any]:
    return {
        "kind": "admin#directory#roleAssignment",
        "roleAssignmentId": f"a-{identifier}-{to}",
        "roleId": identifier,
        "assignedTo": to,
        "assigneeType": "user",
        "scopeType": "CUSTOMER",
        **told,
    }


def activity(name: str, *parameters: dict[str, Any], **told: Any) -> dict[str, Any]:
    return {
        "kind": "admin#reports#activity",
        "id": {"time": "2026-11-13T15:58:20.353Z", "uniqueQualifier": "-7"},
        "actor": {"email": "ada@example.com", "profileId": "10ada"},
        "ipAddress": "192.0.2.7",
        "networkInfo": {"regionCode": "CN"},
        "events": [{"type": "login", "name": name, "parameters": list(parameters)}],
        **told,
    }


def listed(key: str, *bodies: list[dict[str, Any]]) -> Route:
    """Return a route of pages by token; an empty list has no key, as at Google."""

    def answer(asked: Asked) -> Reply:
        number = int(asked.query.get("pageToken", "0"))
        body: dict[str, Any] = {"kind": "admin#directory", "etag": "x"}
        if bodies[number]:
            body[key] = bodies[number]
        if number + 1 < len(bodies):
            body["nextPageToken"] = str(number + 1)
        return Reply(body=body)

    return answer


def logins(*found: dict[str, Any]) -> Route:
    """Return a route of the log-ins whose activity holds the event asked for."""

    def answer(asked: Asked) -> Reply:
        name = asked.query["eventName"]
        items = [
            one for one in found if name in [event["name"] for event in one["events"]]
        ]
        return Reply(body={"items": items} if items else {})

    return answer


def tokens(*granted: str) -> Route:
    """Return a route that hands out a token for the scopes granted, all if none."""

    def answer(asked: Asked) -> Reply:
        form = asked.form
        claims = jwt.decode(
            form["assertion"],
            KEY.public_key(),
            algorithms=["RS256"],
            audience=f"https://{asked.headers['host']}{TOKEN}",
        )
        assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        assert (claims["iss"], claims["sub"]) == (ROBOT, "admin@example.com")
        scope = claims["scope"].removeprefix(SCOPE)
        if granted and scope not in granted:
            said = {
                "error": "unauthorized_client",
                "error_description": "Client is unauthorized to retrieve access tokens",
            }
            return Reply(status=401, body=said)
        return Reply(body={"access_token": f"ya29.{scope}", "token_type": "Bearer"})

    return answer


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplayServer]:
    with replay_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def server(started: ReplayServer) -> ReplayServer:
    """Return an organisation of three, on several pages."""
    for kept in (started.routes, started.faults, started.faults_at, started.asked):
        kept.clear()
    failed = {"name": "login_failure_type", "value": "login_failure_invalid_password"}
    started.routes.update(
        {
            TOKEN: tokens(),
            USERS: listed("users", [ADA, BOB], [CAROL]),
            GROUPS: listed("groups", [group("g1")], [group("g2"), group("g3")]),
            f"{GROUPS}/g1/members": listed(
                "members", [member("10ada")], [member("g2", type="GROUP")]
            ),
            f"{GROUPS}/g2/members": listed(
                "members",
                [member("10bob"), member("99out", email="out@example.net")],
            ),
            f"{GROUPS}/g3/members": listed(
                "members", [member("C0", type="CUSTOMER", email=None)]
            ),
            ROLES: listed("items", [role("r1", is_super=True)], [role("r2")]),
            ASSIGNMENTS: listed(
                "items",
                [assignment("r1", "10bob")],
                [assignment("r2", "g1", assigneeType="group")],
            ),
            LOGINS: logins(
                activity("login_success"), activity("login_failure", failed)
            ),
        }
    )
    return started


def group(identifier: str) -> dict[str, Any]:
    return {"id": identifier, "email": f"{identifier}@example.com", "name": identifier}


def member(identifier: str, **told: Any) -> dict[str, Any]:
    return {
        "id": identifier,
        "email": f"{identifier}@example.com",
        "role": "MEMBER",
        "type": "USER",
        "status": "ACTIVE",
        **told,
    }


Take = Callable[..., Extract]


@pytest.fixture
def take(server: ReplayServer, tmp_path: Path) -> Take:
    """Extract the organisation, or the users given; ``told`` are keys to add."""

    def extracted(told: str = "", *users: dict[str, Any]) -> Extract:
        if users:
            server.routes[USERS] = listed("users", list(users))
        secret = tmp_path / "robot.json"
        secret.write_text(
            json.dumps(
                {
                    "type": "service_account",
                    "client_email": ROBOT,
                    "private_key_id": "k1",
                    "private_key": PRIVATE_KEY,
                }
            )
        )
        secret.chmod(0o600)
        if "access_token" not in told:
            told += (
                '\nservice_account = "file:robot.json"'
                '\nadministrator = "admin@example.com"'
            )
        config = tmp_path / "gatebook.toml"
        config.write_text(
            '[sources.google]\nconnector = "google_workspace"\n'
            f'address = "{server.address}"\n'
            f'token_address = "{server.address}{TOKEN}"\n'
            f'ca_file = "{server.ca_file}"\n{told}',
            "utf-8",
        )
        settings = Settings.read(config)
        source = settings.sources["google"]
        return extract(CONNECTOR, CONNECTOR.context("google", settings, source))

    return extracted


def rows(extract: Extract, table: Table, *columns: str) -> list[tuple[Any, ...]]:
    return extract.frame(table).select(columns).rows()


def people(extract: Extract, *columns: str) -> list[tuple[Any, ...]]:
    own = extract.frame(ACCOUNTS).filter(
        extract.frame(ACCOUNTS)["source_file"].str.ends_with(USERS)
    )
    return own.select(columns).rows()


# Users --------------------------------------------------------------------------------


def test_a_user_becomes_an_account_with_every_fact_google_tells(take: Take) -> None:
    account = take().frame(ACCOUNTS).row(0, named=True)
    expected = {
        "account_id": "google:10ada",
        "native_id": "10ada",
        "login": "ada@example.com",
        "display_name": "李四",
        "email": "ada@example.com",
        "phone": "+86 138 0000 0001",
        "employee_number": "007",
        "directory_id": "10ada",
        "department_name": "销售部",
        "job_title": "销售员",
        "account_type": "person",
        "is_enabled": True,
        "created_at": datetime(2025, 8, 12, 14, 19, 33, tzinfo=UTC),
        "last_login_at": datetime(2026, 3, 1, 21, 5, 54, tzinfo=UTC),
        "last_login_basis": "success",
        "never_logged_in": False,
        "mfa_state": "enabled",
        "mfa_methods": None,
        "source_row": 1,
    }
    assert {name: account[name] for name in expected} == expected


def test_all_pages_are_read_and_every_row_is_accounted_for(take: Take) -> None:
    taken = take()
    assert people(taken, "native_id", "mfa_state", "is_enabled") == [
        ("10ada", "enabled", True),
        ("10bob", "disabled", True),
        ("10carol", "enabled", False),
    ]
    assert taken.completeness == "full"
    assert all(tie_out.is_balanced and tie_out.sha256 for tie_out in taken.tie_outs)


def test_1970_means_never(take: Take) -> None:
    taken = take("", user("x", lastLoginTime="1970-01-01T00:00:00.000Z"), user("y"))
    assert people(taken, "never_logged_in", "last_login_basis") == [
        (True, "unknown"),
        (False, "success"),
    ]
    assert taken.frame(ACCOUNTS)["last_login_at"][0] is None


@pytest.mark.parametrize(
    ("suspended", "archived", "is_enabled"),
    [
        (False, False, True),
        (True, False, False),
        (False, True, False),
        (True, True, False),
    ],
)
def test_neither_suspended_nor_archived_users_may_log_in(
    take: Take, *, suspended: bool, archived: bool, is_enabled: bool
) -> None:
    taken = take("", user("x", suspended=suspended, archived=archived))
    assert people(taken, "is_enabled") == [(is_enabled,)]


def test_no_field_is_not_the_same_as_no_second_factor(take: Take) -> None:
    silent = {key: value for key, value in ADA.items() if key != "isEnrolledIn2Sv"}
    taken = take("", silent)
    assert people(taken, "mfa_state") == [("unknown",)]
    assert "accounts.mfa_state" not in taken.facts
    mixed = take("", silent, BOB)
    assert people(mixed, "mfa_state") == [("unknown",), ("disabled",)]


def test_a_user_without_a_department_has_the_unit_below_the_top(take: Take) -> None:
    assert people(take(), "department_name") == [("销售部",), ("IT/Ops",), (None,)]


def test_of_two_entries_that_say_they_are_the_one_neither_is(take: Take) -> None:
    twice = [{"value": one, "type": "organization"} for one in ("1", "2")]
    taken = take("", user("x", externalIds=twice), user("y", externalIds=twice[:1]))
    assert people(taken, "employee_number") == [(None,), ("1",)]


def test_guests_and_service_accounts_are_told(take: Take) -> None:
    taken = take(
        'service_accounts = "^svc-"',
        user("x", isGuestUser=True),
        user("SVC-a"),
        user("a-svc-"),
    )
    assert people(taken, "account_type") == [("guest",), ("service",), ("person",)]


def test_an_organisation_without_users_is_refused(
    server: ReplayServer, take: Take
) -> None:
    server.routes[USERS] = listed("users", [])
    with pytest.raises(ExtractError, match="lists not one user"):
        take()


# Groups and administrators ------------------------------------------------------------


def test_groups_and_roles_are_granted_to_those_who_hold_them(take: Take) -> None:
    taken = take()
    assert rows(taken, GRANTS, "account_id", "entitlement_id", "via") == [
        ("google:10ada", "google:group:g1", "direct"),
        ("google:10bob", "google:group:g2", "direct"),
        ("google:99out", "google:group:g2", "direct"),
        ("google:10ada", "google:group:g3", "rule"),
        ("google:10bob", "google:group:g3", "rule"),
        ("google:10carol", "google:group:g3", "rule"),
        ("google:10bob", "google:role:r1", "direct"),
    ]
    assert rows(taken, ENTITLEMENT_MEMBERS, "parent_id", "child_id") == [
        ("google:group:g2", "google:group:g1"),
        ("google:group:g1", "google:role:r2"),
    ]
    assert rows(
        taken, ENTITLEMENTS, "entitlement_id", "is_privileged", "abilities"
    ) == [
        ("google:group:g1", None, None),
        ("google:group:g2", None, None),
        ("google:group:g3", None, None),
        ("google:role:r1", True, "administer,security"),
        ("google:role:r2", True, None),
    ]


def test_a_member_from_outside_is_a_guest(take: Take) -> None:
    taken = take()
    outside = taken.frame(ACCOUNTS).row(-1, named=True)
    assert outside["account_id"] == "google:99out"
    assert (outside["login"], outside["account_type"]) == ("out@example.net", "guest")
    assert outside["is_enabled"] is None
    assert outside["mfa_state"] == "unknown"


def test_a_member_without_an_id_is_known_by_its_address(
    server: ReplayServer, take: Take
) -> None:
    nameless = {"email": "x@example.net", "type": "USER"}
    server.routes[f"{GROUPS}/g2/members"] = listed("members", [nameless])
    assert "google:x@example.net" in take().frame(GRANTS)["account_id"]


def test_an_assignment_that_ends_says_when(server: ReplayServer, take: Take) -> None:
    until = {"expireTime": "2026-12-31T00:00:00Z"}
    server.routes[ASSIGNMENTS] = listed(
        "items", [assignment("r1", "10bob", expirationDetails=until)]
    )
    assert datetime(2026, 12, 31, tzinfo=UTC) in take().frame(GRANTS)["valid_until"]


# Log-ins ------------------------------------------------------------------------------


def test_log_ins_are_told_with_where_and_why(take: Take) -> None:
    success, failure = take().frame(LOGIN_EVENTS).to_dicts()
    expected = {
        "account_id": "google:10ada",
        "login": "ada@example.com",
        "at": datetime(2026, 11, 13, 15, 58, 20, 353000, tzinfo=UTC),
        "ip": "192.0.2.7",
        "country": "CN",
        "outcome": "success",
        "failure_reason": None,
    }
    assert {name: success[name] for name in expected} == expected
    assert failure["outcome"] == "failure"
    assert failure["failure_reason"] == "login_failure_invalid_password"


def test_an_activity_of_several_events_counts_each_once(
    server: ReplayServer, take: Take
) -> None:
    names = ("login_challenge", "login_success", "login_failure")
    server.routes[LOGINS] = logins(
        activity("login_success", events=[{"name": name} for name in names])
    )
    assert rows(take(), LOGIN_EVENTS, "outcome") == [("success",), ("failure",)]


def test_the_placeholder_for_nobody_is_no_account(
    server: ReplayServer, take: Take
) -> None:
    nobody = {"email": "", "profileId": "105250506097979753968"}
    server.routes[LOGINS] = logins(activity("login_failure", actor=nobody))
    assert rows(take(), LOGIN_EVENTS, "account_id", "login") == [(None, None)]


def test_log_ins_are_asked_for_in_a_window(server: ReplayServer, take: Take) -> None:
    take("login_days = 7")
    query = next(asked.query for asked in server.asked if asked.path == LOGINS)
    since, until = (
        datetime.fromisoformat(query[name]) for name in ("startTime", "endTime")
    )
    assert until - since == timedelta(days=7)


def test_no_days_are_no_log_ins_and_no_fact(server: ReplayServer, take: Take) -> None:
    taken = take("login_days = 0")
    assert LOGINS not in server.paths()
    assert "login_events" not in taken.facts


# People -------------------------------------------------------------------------------


def test_users_are_people_only_where_asked_for(take: Take) -> None:
    assert take().frame(IDENTITIES).height == 0
    taken = take("people = true")
    assert rows(taken, IDENTITIES, "identity_id", "manager_id") == [
        ("google:10ada", "google:10bob"),
        ("google:10bob", None),
        ("google:10carol", None),
    ]
    assert "identities.employment_status" not in taken.facts


# Rights -------------------------------------------------------------------------------


ALL_SCOPES = (
    "directory.user.readonly",
    "directory.group.readonly",
    "directory.rolemanagement.readonly",
    "reports.audit.readonly",
)


@pytest.mark.parametrize(
    ("scope", "parts"),
    [
        ("directory.group.readonly", {"groups"}),
        ("directory.rolemanagement.readonly", {"roles", "assignments"}),
        ("reports.audit.readonly", {"logins"}),
    ],
)
def test_a_scope_nobody_granted_leaves_its_part_untold_and_the_rest_told(
    server: ReplayServer, take: Take, scope: str, parts: set[str]
) -> None:
    server.routes[TOKEN] = tokens(*(one for one in ALL_SCOPES if one != scope))
    taken = take()
    assert len(people(taken, "native_id")) == 3
    assert ("login_events" in taken.facts) == ("logins" not in parts)
    assert taken.completeness == "scoped"
    told = {note.split(" ")[0] for note in taken.notes if " are not told: " in note}
    assert told == parts
    assert any(
        f"has not been granted the scope {SCOPE}{scope}" in n for n in taken.notes
    )


@pytest.mark.parametrize(
    ("path", "part"),
    [
        (GROUPS, "groups"),
        (f"{GROUPS}/g2/members", "members"),
        (ROLES, "roles"),
        (ASSIGNMENTS, "assignments"),
        (LOGINS, "logins"),
    ],
)
def test_a_part_that_may_not_be_read_is_not_told_and_the_rest_is(
    server: ReplayServer, take: Take, path: str, part: str
) -> None:
    said = {"error": {"code": 403, "message": "Not Authorized to access this resource"}}
    server.faults_at[path] = Fault(reply=Reply(status=403, body=said))
    taken = take()
    assert len(people(taken, "native_id")) == 3
    assert taken.completeness == "scoped"
    assert any(note.startswith(f"{part} are not told: ") for note in taken.notes)


def test_users_that_may_not_be_read_end_the_pull(
    server: ReplayServer, take: Take
) -> None:
    server.routes[TOKEN] = tokens("reports.audit.readonly")
    with pytest.raises(ExtractError, match="has not been granted the scope"):
        take()


def test_every_part_is_asked_for_with_its_own_scope(
    server: ReplayServer, take: Take
) -> None:
    take()
    sent = {
        asked.path: asked.headers["authorization"]
        for asked in server.asked
        if asked.path != TOKEN
    }
    assert sent[USERS] == "Bearer ya29.directory.user.readonly"
    assert sent[f"{GROUPS}/g1/members"] == "Bearer ya29.directory.group.readonly"
    assert sent[ASSIGNMENTS] == "Bearer ya29.directory.rolemanagement.readonly"
    assert sent[LOGINS] == "Bearer ya29.reports.audit.readonly"


def test_only_what_is_reviewed_is_asked_for(server: ReplayServer, take: Take) -> None:
    take()
    fields = next(a.query["fields"] for a in server.asked if a.path == USERS)
    assert "primaryEmail" in fields
    assert "recovery" not in fields
    assert "addresses" not in fields


def test_an_access_token_may_stand_in_for_the_service_account(
    server: ReplayServer, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_TOKEN", "ya29.own-token")
    taken = take('access_token = "env:GOOGLE_TOKEN"')
    assert len(people(taken, "native_id")) == 3
    assert TOKEN not in server.paths()
    sent = {asked.headers["authorization"] for asked in server.asked}
    assert sent == {"Bearer ya29.own-token"}


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("ya29.hunter2", "is no key of a service account"),
        ('{"client_email": "x"}', "is no key of a service account"),
        ('{"client_email": "x", "private_key": "hunter2"}', "cannot sign"),
    ],
)
def test_a_secret_that_is_no_key_is_refused_and_not_repeated(
    take: Take, monkeypatch: pytest.MonkeyPatch, secret: str, said: str
) -> None:
    monkeypatch.setenv("ROBOT", secret)
    with pytest.raises(ExtractError, match=said) as caught:
        take(
            'service_account = "env:ROBOT"\nadministrator = "a@example.com"\n'
            "# access_token is not"
        )
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None or "hunter2" not in str(
        caught.value.__cause__
    )


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("", "one of the two"),
        ('access_token = "env:T"\nservice_account = "env:S"', "one of the two"),
        ('service_account = "env:S"', "administrator goes with service_account"),
        ('access_token = "ya29.hunter2"', "credentials belong"),
        ('access_token = "env:T"\naddress = "http://x.test"', "https only"),
        ('access_token = "env:T"\nlogin_days = 181', "login_days"),
    ],
)
def test_keys_that_cannot_be_meant_are_refused(
    tmp_path: Path, told: str, said: str
) -> None:
    config = tmp_path / "gatebook.toml"
    config.write_text(
        f'[sources.google]\nconnector = "google_workspace"\n{told}', "utf-8"
    )
    settings = Settings.read(config)
    with pytest.raises(ExtractError, match=said) as caught:
        CONNECTOR.context("google", settings, settings.sources["google"])
    assert "hunter2" not in str(caught.value)


# Faults -------------------------------------------------------------------------------


REQUESTS = 20
"""Requests of one pull of the organisation, tokens among them."""
LIMITED = Fault(
    reply=Reply(
        status=403,
        body={
            "error": {
                "code": 403,
                "message": "Rate Limit Exceeded",
                "errors": [{"domain": "usageLimits", "reason": "rateLimitExceeded"}],
            }
        },
    )
)
"""As Google says that too much was asked for: 403, which is no matter of rights."""


@pytest.fixture
def whole(take: Take, server: ReplayServer) -> Extract:
    """Return what a pull without faults gives, and forget its requests."""
    taken = take()
    assert len(server.asked) == REQUESTS
    server.asked.clear()
    return taken


@pytest.mark.parametrize("number", [1, 2, 7, 13, REQUESTS])
@pytest.mark.parametrize(
    "fault", [TOO_MANY, LIMITED, SERVER_ERROR, BAD_GATEWAY, CUT, Fault(seconds=0.2)]
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


@pytest.mark.parametrize("number", [2, 7, REQUESTS])
def test_a_page_that_is_not_json_ends_the_pull_with_its_endpoint(
    server: ReplayServer, take: Take, number: int
) -> None:
    server.faults[number] = MALFORMED
    with pytest.raises(ExtractError, match="is not JSON") as caught:
        take()
    path = server.asked[-1].path
    assert f"source google: {server.address.removeprefix('https://')}{path}" in str(
        caught.value
    )


def test_an_expired_token_is_exchanged_again_and_loses_no_row(
    server: ReplayServer, take: Take
) -> None:
    numbered = iter(range(100))

    def answer(asked: Asked) -> Reply:
        return Reply(body={"access_token": f"ya29.token-{next(numbered)}"})

    server.routes[TOKEN] = answer
    server.faults[3] = EXPIRED
    assert len(people(take(), "native_id")) == 3
    assert server.paths()[:5] == [TOKEN, USERS, USERS, TOKEN, USERS]
