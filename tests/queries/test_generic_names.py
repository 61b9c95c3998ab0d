"""Accounts named after a job, a place or a purpose instead of a person."""

import pytest

from tests.company import Company

CHECK = "generic_names"
NAMELESS = {"account_id": "crm:x", "native_id": "x", "is_enabled": True}


@pytest.mark.parametrize(
    "login",
    [
        "sales",
        "Sales01",
        "frontdesk@example.com",
        "demo-2",
        "公用",
        "客服3",
        "财务部",
    ],
)
def test_a_login_named_after_a_purpose_fails(company: Company, login: str) -> None:
    company.has_account(login, display_name="Ada")
    assert company.statuses(CHECK) == {f"crm:{login}": "fail generic_login"}


@pytest.mark.parametrize(
    "login", ["salesman.jo", "ada", "testa", "crmichael@example.com", "13800138000"]
)
def test_a_login_that_only_begins_like_one_passes(company: Company, login: str) -> None:
    company.has_account(login, display_name="Ada")
    assert company.statuses(CHECK) == {f"crm:{login}": "pass personal"}


def test_a_generic_account_name_fails_though_the_login_is_a_number(
    company: Company,
) -> None:
    company.has_account("13800138000", display_name="销售公用")
    rows = company.assess(CHECK)
    assert rows.select("status", "reason").row(0) == ("fail", "generic_name")


def test_a_generic_name_fails_even_where_somebody_owns_the_account(
    company: Company,
) -> None:
    company.employs("ada")
    company.has_account("reception", email="ada@example.com")
    rows = company.assess(CHECK).select("status", "identity_id")
    assert rows.rows() == [("fail", "hr:ada")]


def test_the_name_of_the_owner_is_not_the_name_of_the_account(
    company: Company,
) -> None:
    company.employs("ada", display_name="Demo")
    company.has_account("ada")
    assert company.statuses(CHECK) == {"crm:ada": "pass personal"}


def test_the_pattern_is_the_organisations_own(company: Company) -> None:
    company.has_account("hotline")
    assert company.statuses(CHECK, generic_names="^hotline$") == {
        "crm:hotline": "fail generic_login"
    }
    assert company.statuses(CHECK, generic_names="^nobody$") == {
        "crm:hotline": "pass personal"
    }


def test_an_account_without_login_and_name_is_unknown(company: Company) -> None:
    company.add("accounts", "crm", **NAMELESS)
    assert company.statuses(CHECK) == {"crm:x": "unknown no_name"}


def test_one_of_login_and_name_is_enough_to_pass(company: Company) -> None:
    company.add("accounts", "crm", **NAMELESS, display_name="Ada")
    company.has_account("ada")
    assert company.statuses(CHECK) == {
        "crm:x": "pass personal",
        "crm:ada": "pass personal",
    }


def test_service_builtin_and_disabled_accounts_are_outside_the_population(
    company: Company,
) -> None:
    company.has_account("service", account_type="service")
    company.has_account("admin", account_type="builtin")
    company.has_account("sales", is_enabled=False)
    assert company.statuses(CHECK) == {}


@pytest.mark.parametrize("account_type", ["person", "shared", "guest", "unknown"])
def test_every_type_that_people_sign_in_with_is_tested(
    company: Company, account_type: str
) -> None:
    company.has_account("sales", account_type=account_type)
    assert company.statuses(CHECK) == {"crm:sales": "fail generic_login"}
