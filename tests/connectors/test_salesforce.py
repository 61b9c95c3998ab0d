"""The Salesforce connector, on an invented organisation: exported and over HTTPS."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import stamina

from connectors.conform import extract
from connectors.salesforce import CONNECTOR
from connectors.salesforce_objects import CORE_FLAGS
from governance.schema import (
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
    replay_server,
)

Rows = list[dict[str, Any]]
Take = Callable[..., Extract]

OFF = dict.fromkeys(CORE_FLAGS, False)
ADA = {
    "Id": "005A",
    "Username": "ada@example.com",
    "Name": "Ada Li",
    "Email": "ada.li@example.com",
    "EmployeeNumber": "007",
    "Department": "Sales",
    "Title": "Manager",
    "UserType": "Standard",
    "IsActive": True,
    "ProfileId": "00eADMIN",
    "UserRoleId": "00ESALES",
    "CreatedDate": "2024-01-05T01:02:03.000+0000",
    "LastLoginDate": "2026-11-20T08:00:00.000Z",
    "LastPasswordChangeDate": "2025-02-06T01:02:03.000+0000",
}
BOB = ADA | {
    "Id": "005B",
    "Username": "bob@example.com",
    "Name": "Bob Wang",
    "ProfileId": "00eSTD",
    "UserRoleId": None,
    "LastLoginDate": None,
}
ROBOT = BOB | {"Id": "005R", "Username": "robot@example.com", "ProfileId": "00eAPI"}
VISITOR = BOB | {"Id": "005G", "Username": "site@example.com", "UserType": "Guest"}
NO_FACTOR = {
    "HasTotp": False,
    "HasU2F": False,
    "HasSecurityKey": False,
    "HasBuiltInAuthenticator": False,
    "HasSalesforceAuthenticator": False,
    "HasTempCode": True,
    "HasUserVerifiedEmailAddress": True,
    "HasUserVerifiedMobileNumber": True,
}


def own_set(profile: str, **flags: bool) -> dict[str, Any]:
    """Return the permission set that a profile has of its own."""
    return OFF | {
        "Id": f"0PS{profile}",
        "Name": "X00ex00000018ozT",
        "Label": "00ex00000018ozT",
        "IsOwnedByProfile": True,
        "ProfileId": profile,
        "PermissionSetGroupId": None,
        **flags,
    }


def profile(native_id: str, name: str, **flags: bool) -> dict[str, Any]:
    return (
        OFF | {"Id": native_id, "Name": name, "PermissionsApiUserOnly": False} | flags
    )


EXPORTERS = own_set("x") | {
    "Id": "0PSEXP",
    "Label": "Exporters",
    "IsOwnedByProfile": False,
    "ProfileId": None,
    "PermissionsExportReport": True,
}
OF_GROUP = EXPORTERS | {
    "Id": "0PSGRP",
    "Label": "Sales Operations",
    "PermissionSetGroupId": "0PGOPS",
}
ORGANISATION: dict[str, Rows] = {
    "User": [ADA, BOB, ROBOT, VISITOR],
    "UserLogin": [
        {"UserId": "005A", "IsFrozen": False, "IsPasswordLocked": False},
        {"UserId": "005B", "IsFrozen": True, "IsPasswordLocked": False},
    ],
    "Profile": [
        profile("00eADMIN", "System Administrator", PermissionsManageUsers=True),
        profile("00eSTD", "Standard User"),
        profile("00eAPI", "Integration", PermissionsApiUserOnly=True),
    ],
    "PermissionSet": [
        own_set("00eADMIN", PermissionsModifyAllData=True, PermissionsViewAllData=True),
        own_set("00eSTD"),
        own_set("00eAPI"),
        EXPORTERS,
        OF_GROUP,
    ],
    "PermissionSetAssignment": [
        {"AssigneeId": "005A", "PermissionSetId": "0PS00eADMIN"},
        {
            "AssigneeId": "005A",
            "PermissionSetId": "0PSEXP",
            "ExpirationDate": "2026-12-31T00:00:00.000+0000",
        },
        {
            "AssigneeId": "005B",
            "PermissionSetId": "0PSGRP",
            "PermissionSetGroupId": "0PGOPS",
        },
    ],
    "PermissionSetGroup": [
        {"Id": "0PGOPS", "DeveloperName": "Ops", "MasterLabel": "Sales Operations"}
    ],
    "PermissionSetGroupComponent": [
        {"PermissionSetGroupId": "0PGOPS", "PermissionSetId": "0PSEXP"},
        {"PermissionSetGroupId": "0PGOPS", "PermissionSetId": "0QMMUTE"},
    ],
    "ObjectPermissions": [
        {
            "ParentId": "0PS00eSTD",
            "SobjectType": "Account",
            "PermissionsCreate": True,
            "PermissionsDelete": False,
            "PermissionsModifyAllRecords": False,
        },
        {
            "ParentId": "0PSEXP",
            "SobjectType": "Contact",
            "PermissionsCreate": False,
            "PermissionsDelete": True,
            "PermissionsModifyAllRecords": False,
        },
    ],
    "UserRole": [{"Id": "00ESALES", "Name": "Sales Director"}],
    "TwoFactorMethodsInfo": [
        NO_FACTOR | {"UserId": "005A", "HasTotp": True, "HasSecurityKey": True},
        NO_FACTOR | {"UserId": "005B"},
    ],
    "LoginHistory": [
        {
            "UserId": "005A",
            "LoginTime": "2026-11-20T08:00:00.000+0000",
            "SourceIp": "192.0.2.7",
            "Browser": "Firefox",
            "Platform": "Linux",
            "Status": "Success",
            "CountryIso": "CN",
            "LoginGeoId": "04FSZ",
        },
        {
            "UserId": "005B",
            "LoginTime": "2026-11-20T09:00:00.000+0000",
            "SourceIp": "192.0.2.8",
            "Browser": "Firefox",
            "Platform": "Linux",
            "Status": "Failed: Computer activation required",
            "CountryIso": "CN",
            "LoginGeoId": None,
        },
        {
            "UserId": "005B",
            "LoginTime": "2026-11-20T09:05:00.000+0000",
            "Status": "Invalid Password",
        },
    ],
    "LoginGeo": [{"Id": "04FSZ", "City": "Shenzhen"}],
    "SetupAuditTrail": [
        {
            "Action": "PermSetAssign",
            "Section": "Manage Users",
            "CreatedById": "005A",
            "CreatedDate": "2026-11-19T00:00:00.000+0000",
        }
    ],
}


def organisation(**changed: Rows | None) -> dict[str, Rows]:
    """Return the organisation with other rows; None: an object that is not there."""
    return {k: v for k, v in (ORGANISATION | changed).items() if v is not None}


def rows(extract: Extract, table: Table, *columns: str) -> list[tuple[Any, ...]]:
    return extract.frame(table).select(columns).rows()


def settings(tmp_path: Path, told: str) -> Settings:
    config = tmp_path / "gatebook.toml"
    config.write_text(f'[sources.sf]\nconnector = "salesforce"\n{told}', "utf-8")
    return Settings.read(config)


def taken(settings: Settings) -> Extract:
    context = CONNECTOR.context("sf", settings, settings.sources["sf"])
    return extract(CONNECTOR, context)


# Exports ------------------------------------------------------------------------------


@pytest.fixture
def take(tmp_path: Path) -> Take:
    """Write an organisation's exports as Data Loader does, and extract them."""

    def extracted(told: str = "", **changed: Rows | None) -> Extract:
        folder = tmp_path / "sf"
        folder.mkdir(exist_ok=True)
        for name, found in organisation(**changed).items():
            text = pl.DataFrame(
                [{k: _cell(v) for k, v in row.items()} for row in found],
                infer_schema_length=None,
            ).write_csv(quote_style="always")
            (folder / f"{name}.csv").write_text(text, "utf-8")
        return taken(settings(tmp_path, f'folder = "sf"\n{told}'))

    return extracted


def _cell(value: Any) -> str | None:
    return str(value).lower() if isinstance(value, bool) else value


def test_a_user_becomes_an_account_with_every_fact_salesforce_tells(take: Take) -> None:
    account = take().frame(ACCOUNTS).row(0, named=True)
    expected = {
        "account_id": "sf:005A",
        "login": "ada@example.com",
        "display_name": "Ada Li",
        "email": "ada.li@example.com",
        "employee_number": "007",
        "department_name": "Sales",
        "job_title": "Manager",
        "account_type": "person",
        "is_enabled": True,
        "is_locked": False,
        "created_at": datetime(2024, 1, 5, 1, 2, 3, tzinfo=UTC),
        "last_login_at": datetime(2026, 11, 20, 8, tzinfo=UTC),
        "last_login_basis": "success",
        "never_logged_in": False,
        "password_changed_at": datetime(2025, 2, 6, 1, 2, 3, tzinfo=UTC),
        "mfa_state": "enabled",
        "mfa_methods": "totp,security_key",
        "source_file": "sf/User.csv",
        "source_row": 2,
    }
    assert {name: account[name] for name in expected} == expected


def test_a_frozen_user_is_locked_and_not_enabled_though_salesforce_calls_it_active(
    take: Take,
) -> None:
    found = take()
    states = rows(found, ACCOUNTS, "login", "is_enabled", "is_locked")
    assert states[1] == ("bob@example.com", False, True)
    assert any(note.startswith("1 users are frozen") for note in found.notes)


def test_without_user_logins_an_active_user_is_enabled_and_its_lock_unknown(
    take: Take,
) -> None:
    found = take(UserLogin=None)
    assert rows(found, ACCOUNTS, "is_enabled", "is_locked")[1] == (True, None)
    assert "accounts.is_locked" not in found.facts
    assert any(note.startswith("UserLogin: which users") for note in found.notes)


def test_a_user_locked_out_by_wrong_passwords_is_locked_and_still_enabled(
    take: Take,
) -> None:
    locked = {"UserId": "005A", "IsFrozen": False, "IsPasswordLocked": True}
    assert rows(take(UserLogin=[locked]), ACCOUNTS, "is_enabled", "is_locked")[0] == (
        True,
        True,
    )


def test_guests_and_api_only_users_are_no_persons(take: Take) -> None:
    assert rows(take(), ACCOUNTS, "login", "account_type") == [
        ("ada@example.com", "person"),
        ("bob@example.com", "person"),
        ("robot@example.com", "service"),
        ("site@example.com", "guest"),
    ]


def test_a_profile_the_operator_names_is_of_services(take: Take) -> None:
    found = take('service_profiles = ["Standard User"]')
    assert rows(found, ACCOUNTS, "account_type")[1] == ("service",)


def test_a_user_type_nobody_knows_is_unknown(take: Take) -> None:
    found = take(User=[ADA | {"UserType": "Martian"}])
    assert rows(found, ACCOUNTS, "account_type") == [("unknown",)]


def test_a_user_who_never_logged_in_is_told_so_only_where_logins_are_told(
    take: Take,
) -> None:
    assert rows(take(), ACCOUNTS, "never_logged_in")[:2] == [(False,), (True,)]
    without = [{k: v for k, v in ADA.items() if k != "LastLoginDate"}]
    assert "accounts.last_login_at" not in take(User=without).facts


def test_headers_in_capitals_and_flags_as_numbers_are_read_all_the_same(
    take: Take,
) -> None:
    loud = {name.upper(): value for name, value in (ADA | {"IsActive": "1"}).items()}
    # In capitals that name cannot be told from one of a column of passwords.
    del loud["LASTPASSWORDCHANGEDATE"]
    assert rows(take(User=[loud]), ACCOUNTS, "login", "is_enabled") == [
        ("ada@example.com", True)
    ]


def test_a_time_without_a_zone_is_utc_as_the_weekly_export_writes_it(
    take: Take,
) -> None:
    found = take(User=[ADA | {"CreatedDate": "2024-01-05 01:02:03"}])
    assert rows(found, ACCOUNTS, "created_at") == [
        (datetime(2024, 1, 5, 1, 2, 3, tzinfo=UTC),)
    ]


# Second factors -----------------------------------------------------------------------


def test_verified_e_mail_and_phone_and_a_temporary_code_are_no_second_factor(
    take: Take,
) -> None:
    assert rows(take(), ACCOUNTS, "login", "mfa_state")[1] == (
        "bob@example.com",
        "disabled",
    )


def test_a_user_missing_from_an_export_of_factors_is_unknown(take: Take) -> None:
    assert rows(take(), ACCOUNTS, "mfa_state")[2] == ("unknown",)


def test_without_the_object_of_factors_they_are_a_fact_not_told(take: Take) -> None:
    found = take(TwoFactorMethodsInfo=None)
    assert "accounts.mfa_state" not in found.facts
    assert found.frame(ACCOUNTS)["mfa_state"].to_list() == ["unknown"] * 4


def test_no_factor_among_some_kinds_only_is_unknown(take: Take) -> None:
    some = {"UserId": "005A", "HasTotp": False}
    assert rows(take(TwoFactorMethodsInfo=[some]), ACCOUNTS, "mfa_state")[0] == (
        "unknown",
    )


# Permissions --------------------------------------------------------------------------


def test_a_profile_and_its_own_permission_set_are_one_entitlement(take: Take) -> None:
    found = take()
    assert rows(
        found, ENTITLEMENTS, "entitlement_id", "name", "abilities", "is_privileged"
    ) == [
        (
            "sf:profile:00eADMIN",
            "System Administrator",
            "administer,delete,security,transfer",
            True,
        ),
        ("sf:profile:00eSTD", "Standard User", "create", False),
        ("sf:profile:00eAPI", "Integration", "", False),
        ("sf:permission_set_group:0PGOPS", "Sales Operations", "export", False),
        ("sf:permission_set:0PSEXP", "Exporters", "delete,export", False),
        ("sf:role:00ESALES", "Sales Director", "", False),
    ]
    assert found.frame(ENTITLEMENTS)["data_scope"][0] == "all"
    assert all(tie.is_balanced for tie in found.tie_outs)


def test_the_assignment_that_repeats_a_profile_counts_once(take: Take) -> None:
    assert rows(take(), GRANTS, "account_id", "entitlement_id", "valid_until") == [
        ("sf:005A", "sf:profile:00eADMIN", None),
        ("sf:005B", "sf:profile:00eSTD", None),
        ("sf:005R", "sf:profile:00eAPI", None),
        ("sf:005G", "sf:profile:00eSTD", None),
        ("sf:005A", "sf:role:00ESALES", None),
        ("sf:005A", "sf:permission_set:0PSEXP", datetime(2026, 12, 31, tzinfo=UTC)),
        ("sf:005B", "sf:permission_set_group:0PGOPS", None),
    ]


def test_a_muting_permission_set_gives_its_group_nothing(take: Take) -> None:
    found = take()
    assert rows(found, ENTITLEMENT_MEMBERS, "parent_id", "child_id") == [
        ("sf:permission_set_group:0PGOPS", "sf:permission_set:0PSEXP")
    ]
    assert found.rejected["code"].to_list() == ["mutes"]


def test_without_a_flag_that_matters_abilities_are_not_told(take: Take) -> None:
    silent = {k: v for k, v in EXPORTERS.items() if k != "PermissionsExportReport"}
    found = take(
        PermissionSet=[silent], PermissionSetGroup=None, Profile=None, UserRole=None
    )
    assert rows(found, ENTITLEMENTS, "abilities", "is_privileged") == [(None, None)]


@pytest.mark.parametrize("hidden", ["PermissionSet", "PermissionSetAssignment"])
def test_abilities_are_not_told_where_a_permission_set_could_give_more(
    take: Take, hidden: str
) -> None:
    found = take(**{hidden: None})
    assert "entitlements.abilities" not in found.facts
    assert found.frame(ENTITLEMENTS)["is_privileged"][0] is True
    assert any(note.startswith("What users can do") for note in found.notes)


def test_a_profile_whose_list_is_not_told_is_granted_to_nobody(take: Take) -> None:
    found = take(Profile=None, PermissionSet=None, UserRole=None)
    assert found.frame(GRANTS).is_empty()
    assert "grants" not in found.facts


# Logs ---------------------------------------------------------------------------------


def test_every_status_but_success_is_a_failure_with_its_reason(take: Take) -> None:
    found = rows(
        take(), LOGIN_EVENTS, "login", "outcome", "failure_reason", "ip", "city"
    )
    assert found == [
        ("ada@example.com", "success", None, "192.0.2.7", "Shenzhen"),
        (
            "bob@example.com",
            "failure",
            "Computer activation required",
            "192.0.2.8",
            None,
        ),
        ("bob@example.com", "failure", "Invalid Password", None, None),
    ]


def test_changes_of_the_setup_are_operations(take: Take) -> None:
    assert rows(
        take(), OPERATIONS, "account_id", "login", "action", "object_type", "at"
    ) == [
        (
            "sf:005A",
            "ada@example.com",
            "PermSetAssign",
            "Manage Users",
            datetime(2026, 11, 19, tzinfo=UTC),
        )
    ]


def test_files_prove_no_completeness(take: Take) -> None:
    assert take().completeness == "unknown"


def test_a_folder_without_users_is_refused(take: Take) -> None:
    with pytest.raises(ExtractError, match=r"sf/User\.csv: no such file"):
        take(User=None)


def test_an_export_without_a_needed_field_is_refused(take: Take) -> None:
    with pytest.raises(ExtractError, match="has no field Status"):
        take(LoginHistory=[{"UserId": "005A", "LoginTime": "2026-11-20T08:00:00Z"}])


# Over HTTPS ---------------------------------------------------------------------------

TOKEN = "/services/oauth2/token"
QUERY = "/services/data/v62.0/query"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplayServer]:
    with replay_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def server(started: ReplayServer) -> Iterator[ReplayServer]:
    """Return a server that plays the whole organisation, two rows to a page."""
    for kept in (started.routes, started.faults, started.faults_at, started.asked):
        kept.clear()
    play(started, organisation())
    with stamina.set_testing(True, attempts=3):
        yield started


def play(server: ReplayServer, found: dict[str, Rows]) -> None:
    server.routes[TOKEN] = Reply(body={"access_token": "invented-token"})
    for name, objects in found.items():
        fields = dict.fromkeys(field for row in objects for field in row)
        server.routes[f"/services/data/v62.0/sobjects/{name}/describe"] = Reply(
            body={"name": name, "fields": [{"name": field} for field in fields]}
        )

    def page(name: str, start: int, fields: list[str]) -> Reply:
        objects = found[name]
        body: dict[str, Any] = {
            "totalSize": len(objects),
            "done": start + 2 >= len(objects),
            "records": [
                {"attributes": {"type": name}} | {f: row.get(f) for f in fields}
                for row in objects[start : start + 2]
            ],
        }
        if not body["done"]:
            more = f"{QUERY}/{name}-{start + 2}-{','.join(fields)}"
            body["nextRecordsUrl"] = more
            server.routes[more] = lambda _asked: page(name, start + 2, fields)
        return Reply(body=body)

    def query(asked: Asked) -> Reply:
        soql = re.fullmatch(r"SELECT (.+) FROM (\w+)( WHERE .+)?", asked.query["q"])
        assert soql
        return page(soql[2], 0, soql[1].split(", "))

    server.routes[QUERY] = query


@pytest.fixture
def pull(
    server: ReplayServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Extract]:
    """Extract the organisation over HTTPS with a connected app's secret."""
    monkeypatch.setenv("SF_SECRET", "invented-secret")
    told = settings(
        tmp_path,
        f'address = "{server.address}"\nca_file = "{server.ca_file}"\n'
        'client_id = "gatebook"\nclient_secret = "env:SF_SECRET"\n',
    )
    return lambda: taken(told)


def facts(extract: Extract) -> dict[str, Any]:
    """Return what was extracted, without where each row was read."""
    return {
        name: frame.drop("source_file", "source_row").rows()
        for name, frame in extract.frames.items()
    }


def test_over_https_the_organisation_is_the_same_as_exported_and_proved_whole(
    pull: Callable[[], Extract], take: Take
) -> None:
    live, exported = pull(), take()
    assert live.completeness == "full"
    assert live.frame(ACCOUNTS)["mfa_state"].to_list() == [
        *("enabled", "disabled", "disabled", "disabled")
    ]
    for name in ("entitlements", "entitlement_members", "grants", "login_events"):
        assert facts(live)[name] == facts(exported)[name]
    assert all(tie.is_balanced for tie in live.tie_outs)
    stated = {tie.file.rsplit("/")[-1]: tie.stated for tie in live.tie_outs}
    assert stated["LoginHistory"] == 3


def test_no_query_asks_for_a_secret_and_logs_are_asked_for_by_day(
    pull: Callable[[], Extract], server: ReplayServer
) -> None:
    pull()
    asked = [asked.query["q"] for asked in server.asked if asked.path == QUERY]
    assert not [soql for soql in asked if "ExternalId" in soql or "*" in soql]
    timed = [soql for soql in asked if "WHERE" in soql]
    assert len(timed) == 3
    assert all(re.search(r"WHERE \w+ >= \d{4}-\d\d-\d\dT[\d:]{8}Z$", s) for s in timed)
    assert server.asked[1].headers["authorization"] == "Bearer invented-token"
    assert server.asked[0].form["grant_type"] == "client_credentials"


FAULTS = {"429": TOO_MANY, "500": SERVER_ERROR, "cut": CUT, "expired": EXPIRED}


@pytest.mark.parametrize("request_number", [2, 3, 4, 30])
@pytest.mark.parametrize("name", ["429", "500", "cut"])
def test_a_fault_that_passes_costs_no_row(
    pull: Callable[[], Extract], server: ReplayServer, name: str, request_number: int
) -> None:
    whole = facts(pull())
    del server.asked[:]
    server.faults[request_number] = FAULTS[name]
    found = pull()
    assert facts(found) == whole
    assert found.completeness == "full"


def test_a_token_that_expires_on_the_way_is_renewed_and_costs_no_row(
    pull: Callable[[], Extract], server: ReplayServer
) -> None:
    whole = facts(pull())
    tokens = iter(["first-token", "second-token"])
    server.routes[TOKEN] = lambda _: Reply(body={"access_token": next(tokens)})
    server.asked.clear()
    server.faults[5] = EXPIRED
    assert facts(pull()) == whole
    assert server.asked[-1].headers["authorization"] == "Bearer second-token"


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
    pull: Callable[[], Extract], server: ReplayServer, fault: Fault, said: str
) -> None:
    server.faults_at["/services/data/v62.0/sobjects/LoginHistory/describe"] = fault
    with pytest.raises(ExtractError, match=rf"source sf: .*LoginHistory.*{said}"):
        pull()


@pytest.mark.parametrize(
    "refusal",
    [
        FORBIDDEN,
        Fault(reply=Reply(status=404, body=[{"errorCode": "NOT_FOUND"}])),
        Fault(reply=Reply(status=400, body=[{"errorCode": "INVALID_TYPE"}])),
    ],
)
def test_an_object_the_user_may_not_read_is_untold_and_the_source_scoped(
    pull: Callable[[], Extract], server: ReplayServer, refusal: Fault
) -> None:
    whole = facts(pull())
    described = "/services/data/v62.0/sobjects/TwoFactorMethodsInfo/describe"
    server.faults_at[described] = refusal
    found = pull()
    assert found.completeness == "scoped"
    assert "accounts.mfa_state" not in found.facts
    assert set(found.frame(ACCOUNTS)["mfa_state"]) == {"unknown"}
    assert facts(found)["grants"] == whole["grants"]
    assert any(n.startswith("TwoFactorMethodsInfo: second") for n in found.notes)


def test_a_field_the_user_may_not_see_is_not_told(
    pull: Callable[[], Extract], server: ReplayServer
) -> None:
    hidden = {k: v for k, v in ADA.items() if k != "LastPasswordChangeDate"}
    play(server, organisation(User=[hidden]))
    assert "accounts.password_changed_at" not in pull().facts


@pytest.mark.parametrize("code", ["REQUEST_LIMIT_EXCEEDED", "API_DISABLED_FOR_ORG"])
def test_a_used_up_limit_is_an_error_and_no_want_of_rights(
    pull: Callable[[], Extract], server: ReplayServer, code: str
) -> None:
    server.faults_at["/services/data/v62.0/sobjects/UserRole/describe"] = Fault(
        reply=Reply(status=403, body=[{"errorCode": code, "message": "no more"}])
    )
    with pytest.raises(
        ExtractError, match=r"UserRole/describe: answered 403 \(no more"
    ):
        pull()


def test_users_that_may_not_be_read_are_an_error(
    pull: Callable[[], Extract], server: ReplayServer
) -> None:
    server.faults_at["/services/data/v62.0/sobjects/User/describe"] = FORBIDDEN
    with pytest.raises(ExtractError, match="User/describe: answered 403"):
        pull()


def test_fewer_rows_than_stated_are_an_error(
    pull: Callable[[], Extract], server: ReplayServer
) -> None:
    server.routes[QUERY] = Reply(
        body={"totalSize": 9, "done": True, "records": [ADA, BOB]}
    )
    with pytest.raises(ExtractError, match="User: states 9 rows and gave 2"):
        pull()


def test_an_access_token_may_be_given_instead_of_an_app(
    server: ReplayServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SF_TOKEN", "given-token")
    taken(
        settings(
            tmp_path,
            f'address = "{server.address}"\nca_file = "{server.ca_file}"\n'
            'access_token = "env:SF_TOKEN"\n',
        )
    )
    assert server.asked[0].headers["authorization"] == "Bearer given-token"


@pytest.mark.parametrize(
    "told",
    [
        "",
        'folder = "sf"\naddress = "https://example.my.salesforce.com"',
        'address = "https://example.my.salesforce.com"',
        'address = "https://example.my.salesforce.com"\nclient_id = "a"',
        'address = "http://example.my.salesforce.com"\naccess_token = "env:A"',
        'address = "https://example.my.salesforce.com"\naccess_token = "00D!literal"',
    ],
)
def test_keys_that_cannot_be_meant_are_refused(tmp_path: Path, told: str) -> None:
    with pytest.raises(ExtractError) as refused:
        taken(settings(tmp_path, told))
    assert "00D!literal" not in str(refused.value)
