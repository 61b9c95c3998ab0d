"""The LDAP connector on a real slapd, and on LDIF of the same entries."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.conform import extract
from connectors.ldap import CONNECTOR
from governance.schema import (
    ACCOUNTS,
    DEPARTMENTS,
    ENTITLEMENT_MEMBERS,
    ENTITLEMENTS,
    GRANTS,
    IDENTITIES,
    TABLES,
    Extract,
    Table,
)
from governance.settings import Settings
from tests.connectors.ldap_company import (
    DOMAIN_SID,
    active_directory,
    dn_of,
    guid_of,
    openldap,
)
from tests.slapd import BASE, PASSWORD, READER, Slapd, slapd

Take = Callable[..., Extract]
AD = 'kind = "active_directory"'
OPEN = 'kind = "openldap"'
OPERATIONAL = ("*", "entryUUID", "createTimestamp")


@pytest.fixture
def take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Take:
    """Extract with the keys given; the reader's password is in the environment."""
    monkeypatch.setenv("LDAP_PASSWORD", PASSWORD)

    def extracted(*keys: str) -> Extract:
        config = tmp_path / "gatebook.toml"
        lines = ["[sources.dir]", 'connector = "ldap"', *keys]
        config.write_text("\n".join(lines), "utf-8")
        settings = Settings.read(config)
        context = CONNECTOR.context("dir", settings, settings.sources["dir"])
        return extract(CONNECTOR, context)

    return extracted


def live(server: Slapd) -> tuple[str, ...]:
    return (
        f'url = "{server.url}"',
        f'base = "{BASE}"',
        f'bind_dn = "{READER}"',
        'password = "env:LDAP_PASSWORD"',
    )


def saved(tmp_path: Path, ldif: str, name: str = "export.ldif") -> tuple[str, ...]:
    (tmp_path / name).write_text(ldif, "utf-8")
    return (f'files = ["{name}"]', f'base = "{BASE}"')


def without_credentials(ldif: str) -> str:
    """Return LDIF as a reader without the right to passwords would export it."""
    return "\n".join(
        line for line in ldif.split("\n") if not line.startswith("userPassword")
    )


@pytest.fixture(scope="module")
def domain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    folder = tmp_path_factory.mktemp("domain")
    with slapd(folder, active_directory(), microsoft=True) as server:
        yield server


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    folder = tmp_path_factory.mktemp("directory")
    with slapd(folder, openldap()) as server:
        yield server


def by_login(extracted: Extract) -> dict[str, dict[str, Any]]:
    return {row["login"]: row for row in extracted.frame(ACCOUNTS).to_dicts()}


def rows(extracted: Extract, table: Table, *columns: str) -> list[tuple[Any, ...]]:
    return sorted(extracted.frame(table).select(columns).rows())


def holders(extracted: Extract) -> set[tuple[str, str]]:
    """Return who is in which group, by login and name where both are known."""
    logins = dict(extracted.frame(ACCOUNTS).select("account_id", "login").iter_rows())
    names = dict(
        extracted.frame(ENTITLEMENTS).select("entitlement_id", "name").iter_rows()
    )
    return {
        (logins.get(account, account), names.get(group, group))
        for account, group in extracted.frame(GRANTS)
        .select("account_id", "entitlement_id")
        .iter_rows()
    }


# Active Directory ---------------------------------------------------------------------


def test_a_user_of_active_directory_becomes_an_account(
    take: Take, domain: Slapd
) -> None:
    account = by_login(take(AD, *live(domain)))["ada"]
    expected = {
        "account_id": f"dir:{guid_of(1)}",
        "native_id": str(guid_of(1)),
        "directory_id": str(guid_of(1)),
        "display_name": "李四",
        "email": "ada.li@example.com",
        "phone": "+86 138 0000 0001",
        "employee_number": "007",
        "department_name": "销售部",
        "job_title": "销售员",
        "account_type": "person",
        "is_enabled": True,
        "is_locked": False,
        "created_at": datetime(2024, 1, 5, 1, 2, 3, tzinfo=UTC),
        "last_login_at": datetime(2025, 6, 9, 8, tzinfo=UTC),
        "last_login_basis": "success",
        "never_logged_in": False,
        "password_changed_at": datetime(2025, 2, 6, 1, 2, 3, tzinfo=UTC),
        "is_initial_password": None,
        "mfa_state": "unknown",
        "valid_until": None,
    }
    assert {name: account[name] for name in expected} == expected


def test_the_flags_and_times_of_active_directory_are_read(
    take: Take, domain: Slapd
) -> None:
    accounts = by_login(take(AD, *live(domain)))
    bob, cleo = accounts["bob"], accounts["cleo"]
    assert (bob["is_enabled"], bob["is_locked"]) == (False, True)
    assert bob["valid_until"] == datetime(2025, 12, 31, tzinfo=UTC)
    assert (bob["is_initial_password"], bob["password_changed_at"]) == (True, None)
    assert (cleo["is_enabled"], cleo["valid_until"]) == (True, None)
    assert (cleo["never_logged_in"], cleo["last_login_at"]) == (True, None)
    assert accounts["Administrator"]["account_type"] == "builtin"
    assert accounts["gmsa-web$"]["account_type"] == "service"


def test_computers_are_set_aside_with_the_reason_and_counted(
    take: Take, domain: Slapd
) -> None:
    extracted = take(AD, *live(domain))
    assert "PC-1$" not in by_login(extracted)
    (refused,) = extracted.rejected.to_dicts()
    assert refused["code"] == "not_an_account"
    assert refused["reason"].startswith(f"{dn_of('PC-1')} is a computer")
    (accounted,) = [
        one for one in extracted.tie_outs if one.table_name == ACCOUNTS.name
    ]
    assert (accounted.read, accounted.accepted, accounted.rejected) == (6, 5, 1)


def test_groups_nest_and_the_primary_group_counts(take: Take, domain: Slapd) -> None:
    extracted = take(AD, *live(domain))
    assert holders(extracted) == {
        ("Administrator", "Domain Admins"),
        ("bob", "Domain Admins"),
        ("ada", "Sales"),
        ("bob", "Sales"),
        (f"dir:{dn_of('Gone')}", "Letters"),
        *(
            (login, "Domain Users")
            for login in ("ada", "bob", "cleo", "Administrator", "gmsa-web$")
        ),
    }
    assert rows(extracted, ENTITLEMENT_MEMBERS, "parent_id", "child_id") == [
        (f"dir:group:{guid_of(12)}", f"dir:group:{guid_of(11)}")
    ]
    assert any(
        note.startswith("groups: 1 members are computers") for note in extracted.notes
    )


def test_privileged_groups_are_told_by_identifier_and_own_ones_are_not_judged(
    take: Take, domain: Slapd
) -> None:
    told = rows(take(AD, *live(domain)), ENTITLEMENTS, "name", "kind", "is_privileged")
    assert told == [
        ("Domain Admins", "group", True),
        ("Domain Users", "group", False),
        ("Letters", "distribution_group", None),
        ("Sales", "group", None),
    ]


@pytest.mark.parametrize("kind", [AD, OPEN])
def test_ldif_and_live_give_the_same_frames(
    take: Take, tmp_path: Path, domain: Slapd, directory: Slapd, kind: str
) -> None:
    server = domain if kind == AD else directory
    answered = take(kind, *live(server), "people = true")
    printed = without_credentials(
        server.search("(objectClass=*)", *OPERATIONAL, page=3)
    )
    read = take(kind, *saved(tmp_path, printed), "people = true")
    for table in TABLES.values():
        columns = list(table.columns)
        expected = answered.frame(table).select(columns).sort(columns)
        assert read.frame(table).select(columns).sort(columns).equals(expected), table
    assert answered.facts == read.facts
    assert answered.completeness == "unknown"
    assert read.completeness == "full"


def test_csvde_gives_the_same_accounts_as_ldif(take: Take, tmp_path: Path) -> None:
    guid = guid_of(1).bytes_le.hex()
    text = (
        "DN,objectClass,cn,sAMAccountName,objectGUID,userAccountControl,memberOf,"
        "accountExpires\r\n"
        f"\"CN=李四,OU=people,{BASE}\",top;person;user,李四,ada,X'{guid}',514,"
        f'"CN=Sales,OU=groups,{BASE};CN=Domain Admins,OU=groups,{BASE}",{"9" * 3}\r\n'
        f"\"CN=Bob,OU=people,{BASE}\",top;person;user,X'426f62',bob,,512,"
        f'"CN=Sales,OU=groups,{BASE}",0\r\n'
    )
    (tmp_path / "users.csv").write_text(text, "utf-16")
    extracted = take(AD, 'files = ["users.csv"]')
    accounts = by_login(extracted)
    assert accounts["ada"]["native_id"] == str(guid_of(1))
    assert accounts["ada"]["is_enabled"] is False
    assert accounts["ada"]["source_row"] == 2
    assert accounts["bob"]["display_name"] == "Bob"
    assert accounts["bob"]["valid_until"] is None
    assert holders(extracted) == {
        ("ada", "Sales"),
        ("ada", "Domain Admins"),
        ("bob", "Sales"),
    }
    assert rows(extracted, ENTITLEMENTS, "name", "is_privileged") == [
        ("Domain Admins", True),
        ("Sales", None),
    ]


# OpenLDAP -----------------------------------------------------------------------------


def test_a_person_of_openldap_becomes_an_account_and_nothing_is_guessed(
    take: Take, directory: Slapd
) -> None:
    extracted = take(OPEN, *live(directory))
    accounts = by_login(extracted)
    ada = accounts["ada"]
    assert (ada["display_name"], ada["email"]) == ("李四", "ada.li@example.com")
    assert (ada["employee_number"], ada["department_name"]) == ("007", "销售部")
    assert ada["account_type"] == "person"
    assert ada["created_at"] is not None
    assert accounts["bob"]["department_name"] == "Finance"
    assert accounts["bob"]["phone"] == "+86 138 0000 0002"
    assert accounts["reader"]["account_type"] == "unknown"
    assert not extracted.facts & {
        "accounts.is_enabled",
        "accounts.is_locked",
        "accounts.last_login_at",
        "accounts.mfa_state",
        "accounts.password_changed_at",
        "grants.granted_at",
        "entitlements.is_privileged",
        "login_events",
    }
    assert "mail: 1 entries hold several values; the first one told was taken." in (
        extracted.notes
    )


def test_members_are_found_however_their_names_are_spelt(
    take: Take, directory: Slapd
) -> None:
    extracted = take(OPEN, *live(directory))
    assert holders(extracted) == {
        ("ada", "Sales"),
        ("王 五", "Sales"),
        (f"dir:uid=gone,ou=people,{BASE}", "Sales"),
        ("bob", "Everyone"),
        ("bob", "shell"),
    }
    (nested,) = extracted.frame(ENTITLEMENT_MEMBERS).to_dicts()
    names = dict(
        extracted.frame(ENTITLEMENTS).select("entitlement_id", "name").iter_rows()
    )
    assert (names[nested["parent_id"]], names[nested["child_id"]]) == (
        "Sales",
        "Everyone",
    )


def test_members_that_hold_nothing_are_counted_and_said(
    take: Take, directory: Slapd
) -> None:
    notes = take(OPEN, *live(directory)).notes
    for beginning in (
        "groups: 1 members are not there",
        "groups: 1 members lie outside",
        "groups: 1 members are computers, contacts or other entries",
        "groups: 2 members stand there only because",
        "groups: 1 names in memberUid",
    ):
        assert any(note.startswith(beginning) for note in notes), beginning


def test_without_a_base_no_member_of_a_file_is_missing(
    take: Take, tmp_path: Path
) -> None:
    files, _ = saved(tmp_path, without_credentials(openldap()))
    extracted = take(OPEN, files)
    assert not any("gone" in account for account, _ in holders(extracted))
    assert any(
        note.startswith("groups: 2 members lie outside") for note in extracted.notes
    )


def test_people_come_with_managers_and_departments_and_no_status(
    take: Take, directory: Slapd
) -> None:
    extracted = take(OPEN, *live(directory), "people = true")
    people = {
        row["display_name"]: row for row in extracted.frame(IDENTITIES).to_dicts()
    }
    assert set(people) == {"李四", "Bob", "王 五"}
    assert people["李四"]["manager_id"] == people["Bob"]["identity_id"]
    assert people["Bob"]["manager_id"] is None
    assert people["李四"]["department_id"] == "dir:department:销售部"
    assert people["李四"]["employment_status"] == "unknown"
    assert "identities.employment_status" not in extracted.facts
    assert rows(extracted, DEPARTMENTS, "department_id", "name") == [
        ("dir:department:Finance", "Finance"),
        ("dir:department:销售部", "销售部"),
    ]


def test_departments_can_be_the_units_of_the_tree(take: Take, directory: Slapd) -> None:
    extracted = take(OPEN, *live(directory), "people = true", 'departments = "unit"')
    assert rows(extracted, DEPARTMENTS, "department_id", "name", "parent_id") == [
        (f"dir:unit:ou=people,{BASE}", "people", None)
    ]


def test_no_directory_proves_that_it_showed_all(take: Take, directory: Slapd) -> None:
    extracted = take(OPEN, *live(directory))
    assert extracted.completeness == "unknown"
    assert any(
        note.startswith("LDAP proves no completeness") for note in extracted.notes
    )
    assert DOMAIN_SID not in str(extracted.parameters)
    assert PASSWORD not in str(extracted.parameters)
