"""The Entra ID connector, on invented pages."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from connectors import connector_named
from connectors.conform import extract
from governance.schema import (
    ACCOUNTS,
    DEPARTMENTS,
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

Take = Callable[..., Extract]

ADA = {"id": "u1", "userPrincipalName": "ada@example.com", "accountEnabled": True}
BOB = {"id": "u2", "userPrincipalName": "bob@example.com", "accountEnabled": False}
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
USER, GROUP, APPLICATION, DEVICE = (
    {"@odata.type": f"#microsoft.graph.{kind}"}
    for kind in ("user", "group", "servicePrincipal", "device")
)


def page(*things: Any, **envelope: Any) -> dict[str, Any]:
    return {"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users"} | {
        "value": list(things),
        **{f"@odata.{name}": value for name, value in envelope.items()},
    }


NEXT = "https://graph.microsoft.com/v1.0/users?$skiptoken=abc"


@pytest.fixture
def take(tmp_path: Path) -> Take:
    """Save pages and extract them; ``users`` is Ada and Bob if not given."""

    def extracted(told: str = "", **pages: Any) -> Extract:
        folder = tmp_path / "entra"
        folder.mkdir(exist_ok=True)
        for name, content in ({"users": page(ADA, BOB)} | pages).items():
            if content is None:
                continue
            text = content if isinstance(content, str) else json.dumps(content)
            path = folder / f"{name.replace('_', '-')}.json"
            path.write_text(text, "utf-8")
        config = tmp_path / "gatebook.toml"
        config.write_text(
            f'[sources.entra]\nconnector = "entra_id"\nfolder = "entra"\n{told}',
            "utf-8",
        )
        settings = Settings.read(config)
        source = settings.sources["entra"]
        connector = connector_named(source.connector)
        return extract(connector, connector.context("entra", settings, source))

    return extracted


def rows(extract: Extract, table: Table, *columns: str) -> list[tuple[Any, ...]]:
    return extract.frame(table).select(columns).rows()


def user(**properties: Any) -> dict[str, Any]:
    return page(ADA | properties)


# Users --------------------------------------------------------------------------------


def test_a_user_becomes_an_account_with_every_fact_graph_tells(take: Take) -> None:
    told = user(
        displayName="李四",
        mail="ada.li@example.com",
        mobilePhone="+86 138 0000 0001",
        employeeId="007",
        department="销售部",
        jobTitle="销售员",
        userType="Member",
        createdDateTime="2024-01-05T01:02:03Z",
        lastPasswordChangeDateTime="2025-02-06T01:02:03.4567891Z",
    )
    (account,) = take(users=told).frame(ACCOUNTS).to_dicts()
    expected = {
        "account_id": "entra:u1",
        "native_id": "u1",
        "login": "ada@example.com",
        "display_name": "李四",
        "email": "ada.li@example.com",
        "phone": "+86 138 0000 0001",
        "employee_number": "007",
        "directory_id": "u1",
        "department_name": "销售部",
        "job_title": "销售员",
        "account_type": "person",
        "is_enabled": True,
        "created_at": datetime(2024, 1, 5, 1, 2, 3, tzinfo=UTC),
        "password_changed_at": datetime(2025, 2, 6, 1, 2, 3, 456789, tzinfo=UTC),
        "mfa_state": "unknown",
        "source_file": "entra/users.json",
        "source_row": 1,
    }
    assert {name: account[name] for name in expected} == expected


def test_a_property_no_page_has_is_a_fact_not_told(take: Take) -> None:
    extracted = take(users=page({"id": "u1"}))
    assert not extracted.facts & {
        "accounts.is_enabled",
        "accounts.last_login_at",
        "accounts.mfa_state",
        "accounts.password_changed_at",
        "login_events",
        "grants",
    }
    assert rows(extracted, ACCOUNTS, "is_enabled", "account_type") == [
        (None, "unknown")
    ]
    assert "userRegistrationDetails: no page is here; second factors are unknown." in (
        extracted.notes
    )


@pytest.mark.parametrize(
    ("user_type", "expected"),
    [("Member", "person"), ("Guest", "guest"), ("guest", "guest"), (None, "person")],
)
def test_a_guest_is_told_from_a_member(
    take: Take, user_type: str | None, expected: str
) -> None:
    extracted = take(users=user(userType=user_type))
    assert rows(extracted, ACCOUNTS, "account_type") == [(expected,)]


def test_a_service_account_is_one_only_if_the_operator_says_so(take: Take) -> None:
    users = page({"id": "u1", "userPrincipalName": "SVC-mail@x.test", "userType": None})
    assert rows(take(users=users), ACCOUNTS, "account_type") == [("person",)]
    told = take('service_accounts = "^svc-"', users=users)
    assert rows(told, ACCOUNTS, "account_type") == [("service",)]


NEVER = "0001-01-01T00:00:00Z"
EARLIER, LATER = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"


@pytest.mark.parametrize(
    ("activity", "month", "basis", "never"),
    [
        ({"lastSuccessfulSignInDateTime": EARLIER}, 1, "success", False),
        (
            {"lastSuccessfulSignInDateTime": EARLIER, "lastSignInDateTime": LATER},
            1,
            "success",
            False,
        ),
        ({"lastSignInDateTime": LATER}, 2, "attempt", False),
        (
            {
                "lastSignInDateTime": EARLIER,
                "lastNonInteractiveSignInDateTime": LATER,
                "lastSuccessfulSignInDateTime": None,
            },
            2,
            "attempt",
            False,
        ),
        ({"lastNonInteractiveSignInDateTime": LATER}, 2, "attempt", False),
        ({"lastSignInDateTime": NEVER}, None, "unknown", True),
        (
            {"lastSignInDateTime": None, "lastSuccessfulSignInDateTime": NEVER},
            None,
            "unknown",
            True,
        ),
        ({}, None, "unknown", None),
        (None, None, "unknown", None),
    ],
)
def test_a_failed_attempt_is_no_success_and_silence_is_not_never(
    take: Take, activity: Any, month: int | None, basis: str, never: bool | None
) -> None:
    extracted = take(users=user(signInActivity=activity))
    ((at, told_basis, told_never),) = rows(
        extracted, ACCOUNTS, "last_login_at", "last_login_basis", "never_logged_in"
    )
    assert (at and at.month, told_basis, told_never) == (month, basis, never)


def test_never_is_told_user_by_user(take: Take) -> None:
    users = page(ADA | {"signInActivity": {"lastSignInDateTime": NEVER}}, BOB)
    told = rows(take(users=users), ACCOUNTS, "account_id", "never_logged_in")
    assert told == [("entra:u1", True), ("entra:u2", None)]


def registration(**facts: Any) -> dict[str, Any]:
    return page({"id": "u1"} | facts)


@pytest.mark.parametrize(
    ("is_registered", "is_capable", "expected"),
    [
        (True, True, "enabled"),
        (True, False, "disabled"),
        (False, False, "disabled"),
        (False, None, "disabled"),
        (True, None, "unknown"),
        (None, None, "unknown"),
    ],
)
def test_a_second_factor_counts_if_it_is_registered_and_allowed(
    take: Take, is_registered: bool | None, is_capable: bool | None, expected: str
) -> None:
    report = registration(isMfaRegistered=is_registered, isMfaCapable=is_capable)
    extracted = take(userRegistrationDetails=report)
    assert rows(extracted, ACCOUNTS, "mfa_state") == [(expected,), ("unknown",)]


def test_methods_are_listed_and_a_row_for_nobody_is_counted(take: Take) -> None:
    report = page(
        {"id": "u1", "isMfaRegistered": True, "methodsRegistered": ["sms", "fido2"]},
        {"id": "gone", "isMfaRegistered": True, "methodsRegistered": []},
    )
    extracted = take(userRegistrationDetails=report)
    assert rows(extracted, ACCOUNTS, "mfa_methods") == [("fido2,sms",), (None,)]
    assert "userRegistrationDetails: 1 rows name no user of these pages." in (
        extracted.notes
    )


def test_two_reports_that_differ_about_a_user_leave_it_unknown(take: Take) -> None:
    report = page(
        {"id": "u1", "isMfaRegistered": True, "isMfaCapable": True},
        {"id": "u1", "isMfaRegistered": False, "isMfaCapable": False},
    )
    extracted = take(userRegistrationDetails=report)
    assert rows(extracted, ACCOUNTS, "mfa_state")[0] == ("unknown",)


# Roles and groups ---------------------------------------------------------------------


def role(identifier: str = "r1", **properties: Any) -> dict[str, Any]:
    return {"id": identifier, "displayName": "A role"} | properties


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"isPrivileged": True}, True),
        ({"isPrivileged": False, "templateId": GLOBAL_ADMINISTRATOR}, False),
        ({"templateId": GLOBAL_ADMINISTRATOR, "isBuiltIn": True}, True),
        ({"templateId": "another", "isBuiltIn": True}, False),
        ({"templateId": "another", "isBuiltIn": False}, None),
        ({}, None),
    ],
)
def test_a_role_is_privileged_by_the_tenant_else_by_microsofts_label(
    take: Take, properties: dict[str, Any], expected: bool | None
) -> None:
    extracted = take(roleDefinitions=page(role(**properties)))
    assert rows(extracted, ENTITLEMENTS, "entitlement_id", "kind", "is_privileged") == [
        ("entra:role:r1", "directory_role", expected)
    ]


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"isAssignableToRole": True}, True),
        ({"isAssignableToRole": None}, False),
        ({}, None),
    ],
)
def test_a_group_that_may_hold_roles_is_privileged(
    take: Take, properties: dict[str, Any], expected: bool | None
) -> None:
    groups = page({"id": "g1", "displayName": "Admins", "members": []} | properties)
    extracted = take(groups=groups)
    assert rows(extracted, ENTITLEMENTS, "entitlement_id", "kind", "is_privileged") == [
        ("entra:group:g1", "group", expected)
    ]


def assignment(principal: str, expanded: Any = None, **more: Any) -> dict[str, Any]:
    told = {"id": f"a-{principal}", "principalId": principal, "roleDefinitionId": "r1"}
    return told | ({} if expanded is None else {"principal": expanded}) | more


def test_a_role_is_held_by_a_user_directly_and_by_a_group_through_nesting(
    take: Take,
) -> None:
    extracted = take(
        roleDefinitions=page(role()),
        groups=page({"id": "g1", "members": []}),
        roleAssignments=page(assignment("u1"), assignment("g1")),
    )
    assert rows(extracted, GRANTS, "account_id", "entitlement_id", "via") == [
        ("entra:u1", "entra:role:r1", "direct")
    ]
    assert rows(extracted, ENTITLEMENT_MEMBERS, "parent_id", "child_id") == [
        ("entra:group:g1", "entra:role:r1")
    ]


def test_a_member_of_the_inner_group_is_one_of_the_outer(take: Take) -> None:
    groups = page(
        {"id": "outer", "members": [{"id": "inner"} | GROUP, {"id": "u2"} | USER]},
        {"id": "inner", "members": [{"id": "u1"} | USER]},
    )
    extracted = take(groups=groups)
    assert rows(extracted, ENTITLEMENT_MEMBERS, "parent_id", "child_id") == [
        ("entra:group:inner", "entra:group:outer")
    ]
    assert rows(extracted, GRANTS, "account_id", "entitlement_id", "source_row") == [
        ("entra:u2", "entra:group:outer", 1),
        ("entra:u1", "entra:group:inner", 2),
    ]


def test_members_that_a_rule_chooses_are_held_by_rule(take: Take) -> None:
    members = [{"id": "u1"} | USER]
    groups = page(
        {"id": "g1", "groupTypes": ["DynamicMembership"], "members": members},
        {"id": "g2", "groupTypes": [], "members": members},
    )
    assert rows(take(groups=groups), GRANTS, "via") == [("rule",), ("direct",)]


def test_a_holder_nobody_knows_stays_a_grant(take: Take) -> None:
    extracted = take(
        roleAssignments=page(assignment("gone")), groups=page({"id": "g1"})
    )
    assert rows(extracted, GRANTS, "account_id") == [("entra:gone",)]


def test_a_holder_that_may_be_an_unread_group_is_no_grant_but_a_note(
    take: Take,
) -> None:
    extracted = take(roleAssignments=page(assignment("gone"), assignment("u1")))
    assert rows(extracted, GRANTS, "account_id") == [("entra:u1",)]
    assert any("1 name something that is no user" in note for note in extracted.notes)


def test_an_application_that_holds_something_is_a_service_account(take: Take) -> None:
    application = APPLICATION | {"displayName": "Sync", "appId": "app", "id": "s1"}
    extracted = take(
        roleAssignments=page(assignment("s1", application | {"accountEnabled": True})),
        groups=page({"id": "g1", "members": [application]}),
    )
    accounts = rows(
        extracted, ACCOUNTS, "account_id", "login", "account_type", "is_enabled"
    )
    assert accounts[2:] == [("entra:s1", "app", "service", True)]
    assert rows(extracted, GRANTS, "account_id", "entitlement_id") == [
        ("entra:s1", "entra:role:r1"),
        ("entra:s1", "entra:group:g1"),
    ]


def test_a_device_in_a_group_is_neither_account_nor_grant(take: Take) -> None:
    groups = page({"id": "g1", "members": [{"id": "d1"} | DEVICE]})
    extracted = take(groups=groups)
    assert extracted.frame(GRANTS).is_empty()
    assert "groups.members: 1 name devices or contacts, which do not sign in." in (
        extracted.notes
    )


def test_roles_that_are_assigned_exist_even_without_definitions(take: Take) -> None:
    named = {"roleDefinition": {"displayName": "Global Administrator"}}
    extracted = take(
        roleAssignments=page(assignment("u1", **named), assignment("u2", **named))
    )
    assert rows(extracted, ENTITLEMENTS, "entitlement_id", "name") == [
        ("entra:role:r1", "Global Administrator")
    ]
    assert "entitlements.is_privileged" not in extracted.facts


def test_a_role_limited_to_a_part_of_the_directory_is_noted(take: Take) -> None:
    scoped = assignment("u1", directoryScopeId="/administrativeUnits/1")
    whole = assignment("u2", directoryScopeId="/")
    notes = take(roleAssignments=page(scoped, whole)).notes
    assert any("roleAssignments: 1 hold only in a part" in note for note in notes)


# Sign-ins -----------------------------------------------------------------------------


def sign_in(**properties: Any) -> dict[str, Any]:
    told = {"createdDateTime": "2026-03-13T19:15:41.6195833Z", "userId": "u1"}
    return page(told | properties)


def test_a_sign_in_becomes_an_event(take: Take) -> None:
    told = sign_in(
        userPrincipalName="ada@example.com",
        ipAddress="192.0.2.1",
        clientAppUsed="Browser",
        isInteractive=True,
        status={"errorCode": 0, "failureReason": "Other."},
        deviceDetail={"displayName": "", "operatingSystem": "OS 10", "browser": "Edge"},
        location={"city": "Shanghai", "countryOrRegion": "CN"},
    )
    (event,) = take(signIns=told).frame(LOGIN_EVENTS).to_dicts()
    expected = {
        "account_id": "entra:u1",
        "login": "ada@example.com",
        "at": datetime(2026, 3, 13, 19, 15, 41, 619583, tzinfo=UTC),
        "ip": "192.0.2.1",
        "country": "CN",
        "city": "Shanghai",
        "device": "OS 10 / Edge",
        "user_agent": "Browser",
        "is_interactive": True,
        "outcome": "success",
        "failure_reason": None,
    }
    assert {name: event[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("status", "outcome", "reason"),
    [
        ({"errorCode": 0}, "success", None),
        (
            {"errorCode": 50126, "failureReason": "Bad password"},
            "failure",
            "Bad password",
        ),
        ({"errorCode": 50126}, "failure", "50126"),
        ({}, "unknown", None),
        (None, "unknown", None),
    ],
)
def test_only_error_code_zero_is_a_success(
    take: Take, status: Any, outcome: str, reason: str | None
) -> None:
    extracted = take(signIns=sign_in(status=status))
    assert rows(extracted, LOGIN_EVENTS, "outcome", "failure_reason") == [
        (outcome, reason)
    ]


def test_a_sign_in_of_nobody_known_has_no_account(take: Take) -> None:
    nobody = "00000000-0000-0000-0000-000000000000"
    extracted = take(signIns=sign_in(userId=nobody))
    assert rows(extracted, LOGIN_EVENTS, "account_id") == [(None,)]


def test_places_nobody_told_are_not_claimed(take: Take) -> None:
    facts = take(signIns=sign_in()).facts
    assert "login_events" in facts
    assert "login_events.city" not in facts


# People -------------------------------------------------------------------------------


def people(take: Take, *users: dict[str, Any], told: str = "people = true") -> Extract:
    return take(told, users=page(*users))


def test_users_are_identities_only_if_asked_for(take: Take) -> None:
    assert take().frame(IDENTITIES).is_empty()
    assert people(take, ADA).frame(IDENTITIES).height == 1


def test_a_member_becomes_an_identity_with_department_and_manager(take: Take) -> None:
    told = people(
        take,
        ADA
        | {
            "displayName": "李四",
            "mail": "ada@example.com",
            "employeeId": "007",
            "department": "销售部",
            "employeeType": "Contractor",
            "employeeHireDate": "2024-01-04T16:00:00Z",
            "manager": {"id": "u2"},
        },
        BOB | {"employeeType": "Consultant"},
    )
    identity, other = told.frame(IDENTITIES).to_dicts()
    expected = {
        "identity_id": "entra:u1",
        "employee_number": "007",
        "directory_id": "u1",
        "display_name": "李四",
        "email": "ada@example.com",
        "department_id": "entra:department:销售部",
        "employment_type": "contractor",
        "employment_status": "unknown",
        "manager_id": "entra:u2",
        "start_date": date(2024, 1, 5),
        "end_date": None,
    }
    assert {name: identity[name] for name in expected} == expected
    assert other["employment_type"] == "unknown"
    assert rows(told, DEPARTMENTS, "department_id", "name") == [
        ("entra:department:销售部", "销售部")
    ]


@pytest.mark.parametrize(
    ("leaves", "status", "day"),
    [
        ("2020-10-31T15:59:59Z", "left", date(2020, 10, 31)),
        ("2020-10-31T16:00:00Z", "left", date(2020, 11, 1)),
        ("2999-10-31T00:00:00Z", "notice", date(2999, 10, 31)),
        (None, "unknown", None),
    ],
)
def test_only_a_leave_date_says_that_somebody_leaves(
    take: Take, leaves: str | None, status: str, day: date | None
) -> None:
    told = people(take, ADA | {"employeeLeaveDateTime": leaves})
    assert rows(told, IDENTITIES, "employment_status", "end_date") == [(status, day)]


def test_guests_and_service_accounts_are_nobody_who_works_here(take: Take) -> None:
    told = people(
        take,
        ADA | {"userType": "Guest"},
        BOB | {"userType": "Member"},
        told='people = true\nservice_accounts = "^bob"',
    )
    assert told.frame(IDENTITIES).is_empty()
    assert told.frame(ACCOUNTS).height == 2


# Pages --------------------------------------------------------------------------------


def test_pages_are_read_in_order_and_tied_out_with_the_stated_total(
    take: Take,
) -> None:
    extracted = take(
        users=None,
        users_1=page(ADA, nextLink=NEXT, count=3),
        users_2=page(BOB, nextLink=NEXT),
        users_10=page({"id": "u3"}),
    )
    assert rows(extracted, ACCOUNTS, "native_id", "source_file", "source_row") == [
        ("u1", "entra/users-1.json", 1),
        ("u2", "entra/users-2.json", 1),
        ("u3", "entra/users-10.json", 1),
    ]
    assert [(tie.stated, tie.read) for tie in extracted.tie_outs] == [
        (None, 1),
        (None, 1),
        (1, 1),
    ]
    assert all(tie.is_balanced for tie in extracted.tie_outs)
    assert extracted.completeness == "full"


def test_a_last_page_that_names_a_next_one_makes_the_source_scoped(take: Take) -> None:
    extracted = take(users=page(ADA, nextLink=NEXT))
    assert extracted.completeness == "scoped"
    assert any("users: the last page saved" in note for note in extracted.notes)


def test_a_total_that_is_not_met_makes_the_source_scoped_and_unbalanced(
    take: Take,
) -> None:
    extracted = take(users=page(ADA, count=7))
    assert extracted.completeness == "scoped"
    assert not all(tie.is_balanced for tie in extracted.tie_outs)
    assert any("Graph stated 7 rows and the pages hold 1" in n for n in extracted.notes)


def test_two_lists_in_one_folder_prove_nothing(take: Take) -> None:
    extracted = take(users=page(ADA), users_2=page(BOB))
    assert extracted.completeness == "unknown"
    assert extracted.frame(ACCOUNTS).height == 2


@pytest.mark.parametrize(
    ("members", "completeness"), [(19, "full"), (20, "unknown"), (21, "full")]
)
def test_twenty_members_are_where_expand_stops(
    take: Take, members: int, completeness: str
) -> None:
    told = [{"id": f"u{number}"} | USER for number in range(members)]
    extracted = take(groups=page({"id": "g1", "members": told}))
    assert extracted.completeness == completeness


def test_members_that_go_on_elsewhere_make_the_source_scoped(take: Take) -> None:
    group = {"id": "g1", "members": [], "members@odata.nextLink": NEXT}
    assert take(groups=page(group)).completeness == "scoped"


def test_a_file_of_another_name_is_noted_and_not_read(take: Take) -> None:
    extracted = take(usersBackup="not JSON")
    assert any("entra/usersBackup.json was not read" in n for n in extracted.notes)


def test_the_same_user_twice_is_a_duplicate_and_a_differing_one_rejected(
    take: Take,
) -> None:
    extracted = take(users=page(ADA, ADA, ADA | {"accountEnabled": False}))
    (tie,) = extracted.tie_outs
    assert (tie.read, tie.accepted, tie.duplicate, tie.rejected) == (3, 1, 1, 1)


def test_a_value_that_is_not_what_graph_writes_is_rejected_with_its_row(
    take: Take,
) -> None:
    extracted = take(users=page(ADA, BOB | {"accountEnabled": "perhaps"}))
    assert extracted.rejected.select("file", "row", "column", "value").rows() == [
        ("entra/users.json", 2, "accountEnabled", "perhaps")
    ]


def test_a_page_that_powershell_wrote_is_read(take: Take, tmp_path: Path) -> None:
    (tmp_path / "entra").mkdir()
    path = tmp_path / "entra" / "users.json"
    path.write_bytes(json.dumps(page(ADA)).encode("utf-16"))
    assert take(users=None).frame(ACCOUNTS).height == 1


@pytest.mark.parametrize(
    ("pages", "said"),
    [
        ({"users": None}, r"entra: holds no users\*\.json"),
        ({"users": ""}, r"entra/users\.json: is empty"),
        ({"users": '{"value": [{"id": "u1"'}, r"entra/users\.json: line 1, .* cut off"),
        ({"users": {"value": {}}}, r"entra/users\.json: is not a page of Graph"),
        ({"users": "[]"}, r"entra/users\.json: is not a page of Graph"),
        ({"users": page("u1")}, r"entra/users\.json, row 1: is not an object"),
        ({"users": page(ADA, count="few")}, r"@odata\.count is 'few'"),
        ({"users": page({"displayName": "x"})}, r"none of its objects has id"),
        ({"users": page()}, r"entra: the pages of users hold not one object"),
        (
            {"users": user(signInActivity="@{lastSignInDateTime=...}")},
            r"users\.json, row 1: signInActivity is not of the shape",
        ),
        (
            {"groups": page({"id": "g1", "members": "@{id=u1}"})},
            r"groups\.json, row 1: members is not of the shape",
        ),
        (
            {"groups": page({"id": "g1", "groupTypes": "Unified"})},
            r"groups\.json, row 1: groupTypes is not of the shape",
        ),
        (
            {
                "signIns": {
                    "error": {
                        "code": "Authentication_RequestFromNonPremiumTenant",
                        "message": "Neither tenant is B2C nor tenant has premium.",
                    }
                }
            },
            r"entra/signIns\.json: is not a page but an error of Graph, Auth",
        ),
        (
            {"users": user(passwordProfile={"password": "Winter-2026!"})},
            r"entra/users\.json: the column 'passwordProfile/password'",
        ),
        ({"users": user(displayName="\ud800")}, r"displayName holds half a character"),
    ],
)
def test_a_page_that_cannot_be_read_is_refused_in_a_sentence(
    take: Take, pages: dict[str, Any], said: str
) -> None:
    with pytest.raises(ExtractError, match=said) as refused:
        take(**pages)
    assert str(refused.value).startswith("source entra: ")


def test_a_missing_folder_and_a_broken_pattern_are_refused(
    take: Take, tmp_path: Path
) -> None:
    with pytest.raises(ExtractError, match="elsewhere: no such folder of saved pages"):
        config = tmp_path / "gatebook.toml"
        config.write_text(
            '[sources.entra]\nconnector = "entra_id"\nfolder = "elsewhere"\n', "utf-8"
        )
        settings = Settings.read(config)
        connector = connector_named("entra_id")
        source = settings.sources["entra"]
        extract(connector, connector.context("entra", settings, source))
    with pytest.raises(ExtractError, match="service_accounts"):
        take('service_accounts = "("')


def test_three_hundred_users_are_read_over_three_pages(take: Take) -> None:
    users = [{"id": f"u{number:03}", "accountEnabled": True} for number in range(300)]
    extracted = take(
        users=None,
        users_1=page(*users[:100], nextLink=NEXT, count=300),
        users_2=page(*users[100:200], nextLink=NEXT),
        users_3=page(*users[200:]),
    )
    assert extracted.frame(ACCOUNTS)["account_id"].n_unique() == 300
    assert extracted.frame(ACCOUNTS).schema["created_at"] == pl.Datetime("us", "UTC")
