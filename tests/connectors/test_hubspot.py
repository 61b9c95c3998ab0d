"""The HubSpot connector, against a server on loopback that plays an invented portal."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import stamina

from connectors.conform import extract
from connectors.hubspot import CONNECTOR
from governance.schema import (
    ACCOUNTS,
    ENTITLEMENTS,
    GRANTS,
    LOGIN_EVENTS,
    OPERATIONS,
    Extract,
    ExtractError,
    Table,
)
from governance.settings import Settings
from tests.replay_server import (
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
    Route,
    replay_server,
)

USERS = "/settings/v3/users"
ROLES = "/settings/v3/users/roles"
TEAMS = "/settings/v3/users/teams"
OWNERS = "/crm/v3/owners"
LOGINS = "/account-info/v3/activity/login"
SECURITY = "/account-info/v3/activity/security"

ADA = {
    "id": "101",
    "email": "ada@example.com",
    "firstName": "Ada",
    "lastName": "Li",
    "roleId": "7",
    "roleIds": ["7"],
    "primaryTeamId": "31",
    "secondaryTeamIds": ["32"],
    "superAdmin": True,
}
BOB = {
    "id": "102",
    "email": "bob@example.com",
    "roleIds": [],
    "superAdmin": False,
}
CYD = BOB | {"id": "103", "email": "cyd@example.com"}


def owner(user: int | None, *, archived: bool = False, **told: Any) -> dict[str, Any]:
    return {
        "id": f"owner-{user}",
        "type": "PERSON",
        "email": f"user{user}@example.com",
        "userId": None if archived else user,
        "userIdIncludingInactive": user,
        "archived": archived,
        **told,
    }


def portal() -> dict[str, list[dict[str, Any]]]:
    return {
        USERS: [ADA, BOB, CYD],
        ROLES: [{"id": "7", "name": "Sales Admin"}],
        TEAMS: [{"id": "31", "name": "South"}, {"id": "32", "name": "North"}],
        f"{OWNERS}false": [owner(101)],
        f"{OWNERS}true": [
            owner(102, archived=True),
            owner(104, archived=True, email="gone@example.com"),
            owner(None, archived=True, type="QUEUE"),
        ],
        LOGINS: [
            {
                "id": "l1",
                "userId": 101,
                "email": "ada@example.com",
                "loginAt": "2026-11-20T08:00:00.123Z",
                "loginSucceeded": True,
                "ipAddress": "192.0.2.7",
                "userAgent": "Firefox",
                "countryCode": "cn",
            },
            {
                "id": "l2",
                "userId": 102,
                "email": "bob@example.com",
                "loginAt": "2026-11-20T09:00:00Z",
                "loginSucceeded": False,
            },
        ],
        SECURITY: [
            {
                "id": "s1",
                "type": "CONTACT_DATA_EXPORT",
                "userId": 101,
                "actingUser": "ada@example.com",
                "createdAt": "2026-11-20T10:00:00Z",
            },
            {
                "id": "s2",
                "type": "REMOVE_TWO_FACTOR_AUTHENTICATION",
                "userId": 101,
                "actingUser": "ada@example.com",
                "createdAt": "2026-11-20T11:00:00Z",
            },
        ],
    }


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplayServer]:
    with replay_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def server(started: ReplayServer) -> Iterator[ReplayServer]:
    for kept in (started.routes, started.faults, started.faults_at, started.asked):
        kept.clear()
    play(started)
    with stamina.set_testing(True, attempts=3):
        yield started


def play(server: ReplayServer, **changed: list[dict[str, Any]]) -> None:
    """Play the portal, one object to a page, with other lists of users or owners."""
    names = {"users": USERS, "active": f"{OWNERS}false", "archived": f"{OWNERS}true"}
    lists = portal() | {names[name]: found for name, found in changed.items()}

    def route(path: str) -> Route:
        def answer(asked: Asked) -> Reply:
            found = lists[path + asked.query.get("archived", "")]
            at = int(asked.query.get("after", "0"))
            body: dict[str, Any] = {"results": found[at : at + 1]}
            if at + 1 < len(found):
                body["paging"] = {"next": {"after": str(at + 1)}}
            return Reply(body=body)

        return answer

    for path in (USERS, ROLES, TEAMS, OWNERS, LOGINS, SECURITY):
        server.routes[path] = route(path)


@pytest.fixture
def pull(
    server: ReplayServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Extract]:
    monkeypatch.setenv("HUBSPOT_TOKEN", "invented-token")
    config = tmp_path / "gatebook.toml"
    config.write_text(
        '[sources.hub]\nconnector = "hubspot"\naccess_token = "env:HUBSPOT_TOKEN"\n'
        f'address = "{server.address}"\nca_file = "{server.ca_file}"\n',
        "utf-8",
    )
    settings = Settings.read(config)

    def pulled() -> Extract:
        source = settings.sources["hub"]
        return extract(CONNECTOR, CONNECTOR.context("hub", settings, source))

    return pulled


Pull = Callable[[], Extract]


def rows(extract: Extract, table: Table, *columns: str) -> list[tuple[Any, ...]]:
    return extract.frame(table).select(columns).rows()


# Facts --------------------------------------------------------------------------------


def test_every_user_of_every_page_is_an_account(pull: Pull) -> None:
    found = pull()
    columns = ("account_id", "login", "display_name", "account_type")
    assert rows(found, ACCOUNTS, *columns)[:2] == [
        ("hub:101", "ada@example.com", "Ada Li", "person"),
        ("hub:102", "bob@example.com", None, "person"),
    ]
    assert found.completeness == "full"
    assert all(tie.is_balanced for tie in found.tie_outs)


def test_only_an_owner_tells_whether_a_user_is_enabled(pull: Pull) -> None:
    found = pull()
    assert rows(found, ACCOUNTS, "native_id", "is_enabled") == [
        ("101", True),
        ("102", False),
        ("103", None),
        ("104", False),
    ]
    assert any(note.startswith("1 users have no owner") for note in found.notes)


def test_a_user_who_is_an_owner_again_is_enabled(
    pull: Pull, server: ReplayServer
) -> None:
    play(server, active=[owner(102)], archived=[owner(102, archived=True)])
    assert rows(pull(), ACCOUNTS, "native_id", "is_enabled")[1] == ("102", True)


def test_an_owner_without_a_user_is_that_of_its_address_whatever_its_case(
    pull: Pull, server: ReplayServer
) -> None:
    nameless = owner(None, archived=True, email="Bob@Example.com")
    play(server, archived=[nameless])
    assert rows(pull(), ACCOUNTS, "native_id", "is_enabled")[1] == ("102", False)


def test_an_owner_of_one_user_with_the_address_of_another_tells_of_neither(
    pull: Pull, server: ReplayServer
) -> None:
    play(server, archived=[owner(999, archived=True, email="bob@example.com")])
    assert rows(pull(), ACCOUNTS, "native_id", "is_enabled") == [
        ("101", True),
        ("102", None),
        ("103", None),
    ]


def test_an_owner_that_is_a_queue_is_no_account(pull: Pull) -> None:
    assert len(rows(pull(), ACCOUNTS, "native_id")) == 4


def test_second_factors_passwords_and_abilities_are_facts_not_told(pull: Pull) -> None:
    found = pull()
    assert not found.facts & {
        "accounts.mfa_state",
        "accounts.password_changed_at",
        "accounts.last_login_at",
        "entitlements.abilities",
    }


def test_a_super_admin_is_privileged_and_a_permission_set_unknown(pull: Pull) -> None:
    found = pull()
    assert rows(found, ENTITLEMENTS, "entitlement_id", "name", "is_privileged") == [
        ("hub:role:7", "Sales Admin", None),
        ("hub:team:31", "South", False),
        ("hub:team:32", "North", False),
        ("hub:super_admin", "Super Admin", True),
    ]
    assert rows(found, GRANTS, "account_id", "entitlement_id") == [
        ("hub:101", "hub:role:7"),
        ("hub:101", "hub:team:31"),
        ("hub:101", "hub:team:32"),
        ("hub:101", "hub:super_admin"),
    ]


def test_a_portal_without_a_super_admin_among_its_users_grants_none(
    pull: Pull, server: ReplayServer
) -> None:
    play(server, users=[BOB])
    assert rows(pull(), GRANTS, "entitlement_id") == []


def test_logins_keep_their_outcome(pull: Pull) -> None:
    columns = ("account_id", "login", "at", "outcome", "ip", "country")
    assert rows(pull(), LOGIN_EVENTS, *columns) == [
        (
            *("hub:101", "ada@example.com"),
            datetime(2026, 11, 20, 8, 0, 0, 123000, tzinfo=UTC),
            *("success", "192.0.2.7", "cn"),
        ),
        (
            *("hub:102", "bob@example.com", datetime(2026, 11, 20, 9, tzinfo=UTC)),
            *("failure", None, None),
        ),
    ]


def test_exports_are_operations_and_other_activity_keeps_its_name(pull: Pull) -> None:
    assert rows(pull(), OPERATIONS, "account_id", "action", "object_type") == [
        ("hub:101", "export", "CONTACT_DATA_EXPORT"),
        ("hub:101", "REMOVE_TWO_FACTOR_AUTHENTICATION", None),
    ]


# Faults -------------------------------------------------------------------------------


def facts(extract: Extract) -> dict[str, Any]:
    return {name: frame.rows() for name, frame in extract.frames.items()}


@pytest.mark.parametrize("request_number", [1, 2, 8, 14])
@pytest.mark.parametrize(
    "fault", [TOO_MANY, SERVER_ERROR, CUT], ids=["429", "500", "cut"]
)
def test_a_fault_that_passes_costs_no_row(
    pull: Pull, server: ReplayServer, fault: Fault, request_number: int
) -> None:
    whole = facts(pull())
    server.asked.clear()
    server.faults[request_number] = fault
    assert facts(pull()) == whole


def test_a_token_renewed_while_pages_are_read_costs_no_row(
    pull: Pull, server: ReplayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = facts(pull())

    def renewing(_asked: Asked) -> Reply:
        monkeypatch.setenv("HUBSPOT_TOKEN", "renewed-token")
        play(server)
        return Reply(status=401, body={"message": "expired"})

    server.routes[TEAMS] = renewing
    assert facts(pull()) == whole
    assert server.asked[-1].headers["authorization"] == "Bearer renewed-token"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (TOO_MANY, "answered 429"),
        (SERVER_ERROR, "answered 500"),
        (CUT, "connection broke"),
        (MALFORMED, "not JSON"),
        (EXPIRED, "does not accept the credentials"),
    ],
)
def test_a_fault_that_stays_is_an_error_and_never_a_shorter_list(
    pull: Pull, server: ReplayServer, fault: Fault, said: str
) -> None:
    server.faults_at[LOGINS] = fault
    with pytest.raises(ExtractError, match=f"source hub: .*{LOGINS}.*{said}"):
        pull()


@pytest.mark.parametrize(
    ("path", "table", "note"),
    [
        (ROLES, None, "roles: permission sets"),
        (LOGINS, LOGIN_EVENTS, "logins: logins"),
        (SECURITY, OPERATIONS, "security activity: exports"),
    ],
)
def test_a_list_the_token_may_not_read_is_untold_and_the_source_scoped(
    pull: Pull, server: ReplayServer, path: str, table: Table | None, note: str
) -> None:
    accounts = facts(pull())["accounts"]
    server.faults_at[path] = FORBIDDEN
    found = pull()
    assert found.completeness == "scoped"
    assert any(line.startswith(note) for line in found.notes)
    assert facts(found)["accounts"] == accounts
    if table is None:
        assert "hub:role:7" not in found.frame(GRANTS)["entitlement_id"]
    else:
        assert table.name not in found.facts


def test_without_owners_nobody_is_said_to_be_enabled_or_not(
    pull: Pull, server: ReplayServer
) -> None:
    server.faults_at[OWNERS] = FORBIDDEN
    found = pull()
    assert "accounts.is_enabled" not in found.facts
    assert len(rows(found, ACCOUNTS, "native_id")) == 3


def test_users_that_may_not_be_read_are_an_error(
    pull: Pull, server: ReplayServer
) -> None:
    server.faults_at[USERS] = FORBIDDEN
    with pytest.raises(ExtractError, match=f"{USERS}: answered 403"):
        pull()


def test_a_portal_without_users_cannot_be(pull: Pull, server: ReplayServer) -> None:
    play(server, users=[])
    with pytest.raises(ExtractError, match="gave no user"):
        pull()
