"""The EspoCRM connector, against a server on loopback that plays an invented CRM."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import stamina

from connectors.conform import extract
from connectors.espocrm import CONNECTOR
from governance.schema import (
    ABILITIES,
    ACCOUNTS,
    ENTITLEMENT_MEMBERS,
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

Pull = Callable[..., Extract]
API = "/crm/api/v1"

ADA = {
    "id": "u1",
    "userName": "ada",
    "name": "Ada Li",
    "type": "admin",
    "isActive": True,
    "title": "IT",
    "emailAddress": "ada@example.com",
    "phoneNumber": "+86 138 0000 0001",
    "createdAt": "2024-01-05 01:02:03",
    "lastAccess": "2026-11-20 08:00:00",
    "auth2FA": True,
    "rolesIds": [],
    "teamsIds": [],
}
BOB = ADA | {
    "id": "u2",
    "userName": "bob",
    "name": "Bob Wang",
    "type": "regular",
    "isActive": False,
    "lastAccess": None,
    "auth2FA": False,
    "rolesIds": ["r1"],
    "teamsIds": ["t1"],
}
CYD = BOB | {"id": "u3", "userName": "cyd", "auth2FA": None, "isActive": True}
EXPORTER = {
    "id": "r1",
    "name": "Exporter",
    "exportPermission": "yes",
    "assignmentPermission": "no",
    "dataPrivacyPermission": "not-set",
    "data": {"Account": {"create": "yes", "read": "team", "edit": "own"}},
    "fieldData": [],
}
SELLER = {
    "id": "r2",
    "name": "Seller",
    "exportPermission": "not-set",
    "assignmentPermission": "team",
    "dataPrivacyPermission": "no",
    "data": {
        "Opportunity": {"read": "own", "edit": "own", "delete": "no"},
        "Import": True,
        "Calendar": False,
    },
    "fieldData": [],
}
NOTHING = SELLER | {"id": "r3", "name": "Nothing", "assignmentPermission": "no"}
NOTHING |= {"exportPermission": "no", "data": []}


def crm() -> dict[str, list[dict[str, Any]]]:
    return {
        "User": [
            ADA,
            BOB,
            CYD,
            BOB | {"id": "u4", "userName": "site", "type": "portal"},
            BOB | {"id": "u5", "userName": "robot", "type": "api"},
        ],
        "Role": [EXPORTER, SELLER, NOTHING],
        "Team": [{"id": "t1", "name": "South", "rolesIds": ["r2"]}],
        "AuthLogRecord": [
            {
                "userId": "u1",
                "username": "ada",
                "ipAddress": "192.0.2.7",
                "createdAt": "2026-11-20 08:00:00",
                "isDenied": False,
                "denialReason": None,
            },
            {
                "userId": "u2",
                "username": "bob",
                "ipAddress": "192.0.2.8",
                "createdAt": "2026-11-20 09:00:00",
                "isDenied": True,
                "denialReason": "INACTIVE_USER",
            },
            {
                "userId": None,
                "username": "nobody",
                "ipAddress": "192.0.2.8",
                "createdAt": "2026-11-20 09:01:00",
                "isDenied": True,
                "denialReason": "CREDENTIALS",
            },
        ],
        "ActionHistoryRecord": [
            {
                "userId": "u1",
                "action": "delete",
                "targetType": "Account",
                "createdAt": "2026-11-20 10:00:00",
            }
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


def play(
    server: ReplayServer,
    *,
    reader: str = "admin",
    switched_on: bool = True,
    counts: bool = True,
    **changed: list[dict[str, Any]],
) -> None:
    """Play the CRM, two records to a page, with other lists where given."""
    lists = crm() | changed

    def route(name: str) -> Route:
        def answer(asked: Asked) -> Reply:
            found = lists[name]
            at = int(asked.query["offset"])
            page = [
                {k: v for k, v in one.items() if k in asked.query["select"].split(",")}
                for one in found[at : at + 2]
            ]
            total = len(found) if counts else -1 if at + 2 < len(found) else -2
            return Reply(body={"total": total, "list": page})

        return answer

    server.routes |= {f"{API}/{name}": route(name) for name in lists}
    server.routes[f"{API}/App/user"] = Reply(
        body={"user": {"id": "u9", "type": reader}, "token": "never-kept"}
    )
    server.routes[f"{API}/Settings"] = Reply(body={"auth2FA": switched_on})


BY_PASSWORD = 'login = "auditor"\npassword = "env:ESPO_PASSWORD"\n'


@pytest.fixture
def pull(server: ReplayServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pull:
    monkeypatch.setenv("ESPO_PASSWORD", "invented-password")
    monkeypatch.setenv("ESPO_KEY", "invented-key")
    monkeypatch.setenv("ESPO_SECRET", "invented-secret")

    def pulled(told: str = BY_PASSWORD) -> Extract:
        config = tmp_path / "gatebook.toml"
        config.write_text(
            f'[sources.espo]\nconnector = "espocrm"\naddress = "{server.address}/crm"\n'
            f'ca_file = "{server.ca_file}"\n{told}',
            "utf-8",
        )
        settings = Settings.read(config)
        source = settings.sources["espo"]
        return extract(CONNECTOR, CONNECTOR.context("espo", settings, source))

    return pulled


def rows(extract: Extract, table: Table, *columns: str) -> list[tuple[Any, ...]]:
    return extract.frame(table).select(columns).rows()


# Users --------------------------------------------------------------------------------


def test_a_user_becomes_an_account_with_every_fact_espocrm_tells(pull: Pull) -> None:
    account = pull().frame(ACCOUNTS).row(0, named=True)
    expected = {
        "account_id": "espo:u1",
        "login": "ada",
        "display_name": "Ada Li",
        "email": "ada@example.com",
        "phone": "+86 138 0000 0001",
        "job_title": "IT",
        "account_type": "person",
        "is_enabled": True,
        "created_at": datetime(2024, 1, 5, 1, 2, 3, tzinfo=UTC),
        "last_login_at": datetime(2026, 11, 20, 8, tzinfo=UTC),
        "last_login_basis": "success",
        "never_logged_in": None,
        "mfa_state": "enabled",
    }
    assert {name: account[name] for name in expected} == expected


def test_every_page_is_read_and_the_totals_prove_it(pull: Pull) -> None:
    found = pull()
    assert rows(found, ACCOUNTS, "login", "account_type", "is_enabled") == [
        ("ada", "person", True),
        ("bob", "person", False),
        ("cyd", "person", True),
        ("site", "guest", False),
        ("robot", "service", False),
    ]
    assert found.completeness == "full"
    assert {tie.stated for tie in found.tie_outs if tie.table_name == "accounts"} == {5}
    assert all(tie.is_balanced for tie in found.tie_outs)


def test_a_list_that_does_not_count_is_read_to_its_end_but_not_proved(
    pull: Pull, server: ReplayServer
) -> None:
    play(server, counts=False)
    found = pull()
    assert len(rows(found, ACCOUNTS, "login")) == 5
    assert found.completeness == "unknown"


def test_a_list_that_ends_before_its_total_is_an_error(
    pull: Pull, server: ReplayServer
) -> None:
    server.routes[f"{API}/User"] = lambda asked: Reply(
        body={"total": 9, "list": [ADA] if asked.query["offset"] == "0" else []}
    )
    with pytest.raises(ExtractError, match="User: states 9 records and gave 1"):
        pull()


def test_no_list_is_asked_for_more_than_the_attributes_named(
    pull: Pull, server: ReplayServer
) -> None:
    pull()
    lists = [asked for asked in server.asked if "offset" in asked.query]
    assert all("apiKey" not in a.query["select"].split(",") for a in lists)
    logs = [a for a in lists if a.path.endswith("AuthLogRecord")]
    assert logs[0].query["where[0][type]"] == "after"


# Second factors -----------------------------------------------------------------------


def test_a_user_without_settings_of_a_second_factor_has_none(pull: Pull) -> None:
    assert rows(pull(), ACCOUNTS, "login", "mfa_state")[:3] == [
        ("ada", "enabled"),
        ("bob", "disabled"),
        ("cyd", "disabled"),
    ]


def test_a_reader_who_is_no_administrator_cannot_tell_none_from_hidden(
    pull: Pull, server: ReplayServer
) -> None:
    play(server, reader="api")
    found = pull()
    assert rows(found, ACCOUNTS, "mfa_state")[2] == ("unknown",)
    assert found.completeness == "unknown"
    assert any("is no administrator" in note for note in found.notes)


def test_factors_switched_off_for_the_crm_protect_nobody(
    pull: Pull, server: ReplayServer
) -> None:
    play(server, switched_on=False)
    assert rows(pull(), ACCOUNTS, "mfa_state")[0] == ("disabled",)


def test_factors_are_unknown_where_nobody_tells_whether_they_are_switched_on(
    pull: Pull, server: ReplayServer
) -> None:
    server.faults_at[f"{API}/Settings"] = FORBIDDEN
    assert rows(pull(), ACCOUNTS, "mfa_state")[:2] == [("unknown",), ("disabled",)]


def test_without_the_attribute_factors_are_a_fact_not_told(
    pull: Pull, server: ReplayServer
) -> None:
    play(server, User=[{k: v for k, v in ADA.items() if k != "auth2FA"}])
    assert "accounts.mfa_state" not in pull().facts


# Roles and teams ----------------------------------------------------------------------


def test_roles_are_read_into_abilities_and_the_widest_scope(pull: Pull) -> None:
    everything = ",".join(sorted(ABILITIES))
    assert rows(pull(), ENTITLEMENTS, "entitlement_id", "abilities", "data_scope") == [
        ("espo:role:r1", "create,export", "department"),
        ("espo:role:r2", "amend_amount,import,transfer", "self"),
        ("espo:role:r3", "", "unknown"),
        ("espo:team:t1", "", "unknown"),
        ("espo:administrator", everything, "all"),
    ]


def test_a_role_whose_amount_field_is_locked_does_not_amend_it(
    pull: Pull, server: ReplayServer
) -> None:
    locked = SELLER | {"fieldData": {"Opportunity": {"amount": {"edit": "no"}}}}
    play(server, Role=[locked])
    assert rows(pull(), ENTITLEMENTS, "abilities")[0] == ("import,transfer",)


def test_a_role_whose_rights_are_hidden_tells_no_abilities(
    pull: Pull, server: ReplayServer
) -> None:
    play(server, Role=[{"id": "r1", "name": "Exporter"}])
    assert rows(pull(), ENTITLEMENTS, "abilities")[0] == (None,)


def test_an_export_permission_left_unset_is_noted(pull: Pull) -> None:
    assert any(note.startswith("1 roles leave export") for note in pull().notes)


def test_teams_carry_roles_and_an_administrator_needs_none(pull: Pull) -> None:
    found = pull()
    assert rows(found, ENTITLEMENT_MEMBERS, "parent_id", "child_id") == [
        ("espo:team:t1", "espo:role:r2")
    ]
    held = rows(found, GRANTS, "account_id", "entitlement_id", "via")
    assert ("espo:u1", "espo:administrator", "rule") in held
    assert ("espo:u2", "espo:role:r1", "direct") in held
    assert ("espo:u2", "espo:team:t1", "direct") in held
    assert len(held) == 1 + 4 + 4


# Logs ---------------------------------------------------------------------------------


def test_denied_logins_are_failures_with_their_reason(pull: Pull) -> None:
    columns = ("account_id", "login", "outcome", "failure_reason", "at")
    assert rows(pull(), LOGIN_EVENTS, *columns) == [
        ("espo:u1", "ada", "success", None, datetime(2026, 11, 20, 8, tzinfo=UTC)),
        (
            *("espo:u2", "bob", "failure", "INACTIVE_USER"),
            datetime(2026, 11, 20, 9, tzinfo=UTC),
        ),
        (
            *(None, "nobody", "failure", "CREDENTIALS"),
            datetime(2026, 11, 20, 9, 1, tzinfo=UTC),
        ),
    ]


def test_deletions_are_read_only_where_asked_for(pull: Pull) -> None:
    assert "operations" not in pull().facts
    found = pull(f"{BY_PASSWORD}deletions = true\n")
    assert rows(found, OPERATIONS, "account_id", "action", "object_type") == [
        ("espo:u1", "delete", "Account")
    ]


# Signing in ---------------------------------------------------------------------------


def test_an_administrator_signs_in_by_password(
    pull: Pull, server: ReplayServer
) -> None:
    pull()
    told = server.asked[0].headers["espo-authorization"]
    assert base64.b64decode(told) == b"auditor:invented-password"


def test_an_api_user_signs_in_by_key(pull: Pull, server: ReplayServer) -> None:
    pull('api_key = "env:ESPO_KEY"\n')
    assert {a.headers["x-api-key"] for a in server.asked} == {"invented-key"}


def test_a_signed_request_is_signed_over_its_own_path(
    pull: Pull, server: ReplayServer
) -> None:
    pull('api_key = "env:ESPO_KEY"\nsecret_key = "env:ESPO_SECRET"\n')
    for asked in server.asked:
        told = base64.b64decode(asked.headers["x-hmac-authorization"])
        line = f"GET {asked.path.removeprefix(API)}".encode()
        mark = hmac.digest(b"invented-secret", line, hashlib.sha256)
        assert told == b"invented-key:" + mark


@pytest.mark.parametrize(
    "told",
    [
        "",
        'login = "a"\n',
        'secret_key = "env:ESPO_SECRET"\n',
        f'{BY_PASSWORD}api_key = "env:ESPO_KEY"\n',
        'api_key = "literal-key"\n',
    ],
)
def test_keys_that_cannot_be_meant_are_refused(pull: Pull, told: str) -> None:
    with pytest.raises(ExtractError) as refused:
        pull(told)
    assert "literal-key" not in str(refused.value)


# Faults -------------------------------------------------------------------------------


def facts(extract: Extract) -> dict[str, Any]:
    return {name: frame.rows() for name, frame in extract.frames.items()}


@pytest.mark.parametrize("request_number", [1, 3, 4, 9])
@pytest.mark.parametrize(
    "fault", [TOO_MANY, SERVER_ERROR, CUT], ids=["429", "500", "cut"]
)
def test_a_fault_that_passes_costs_no_row(
    pull: Pull, server: ReplayServer, fault: Fault, request_number: int
) -> None:
    whole = facts(pull())
    server.asked.clear()
    server.faults[request_number] = fault
    found = pull()
    assert facts(found) == whole
    assert found.completeness == "full"


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
    server.faults_at[f"{API}/AuthLogRecord"] = fault
    with pytest.raises(ExtractError, match=f"source espo: .*AuthLogRecord.*{said}"):
        pull()


@pytest.mark.parametrize(
    ("part", "untold"),
    [
        ("Role", "entitlements.abilities"),
        ("Team", "entitlement_members"),
        ("AuthLogRecord", "login_events"),
    ],
)
def test_a_list_the_user_may_not_read_is_untold_and_the_source_scoped(
    pull: Pull, server: ReplayServer, part: str, untold: str
) -> None:
    accounts = facts(pull())["accounts"]
    server.faults_at[f"{API}/{part}"] = FORBIDDEN
    found = pull()
    assert found.completeness == "scoped"
    assert untold not in found.facts
    assert facts(found)["accounts"] == accounts
    assert any(note.startswith(f"{part}: ") for note in found.notes)


def test_users_that_may_not_be_read_are_an_error(
    pull: Pull, server: ReplayServer
) -> None:
    server.faults_at[f"{API}/User"] = FORBIDDEN
    with pytest.raises(ExtractError, match="User: answered 403"):
        pull()
