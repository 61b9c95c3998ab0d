"""Enabled accounts that hold no role or group."""

import pytest

from tests.company import Company

CHECK = "accounts_without_roles"


def test_an_account_without_a_grant_fails_and_one_with_a_grant_passes(
    company: Company,
) -> None:
    company.has_account("ada")
    company.has_account("bob")
    company.has_role("seller")
    company.grants("bob", "seller")
    assert company.statuses(CHECK) == {
        "crm:ada": "fail no_roles",
        "crm:bob": "pass has_roles",
    }


def test_roles_are_counted_once_however_they_are_held(company: Company) -> None:
    company.has_account("ada")
    company.has_account("bob")
    for role in ("seller", "reader"):
        company.grants("ada", role)
    company.grants("ada", "reader", via="group")
    rows = company.assess(CHECK).select("account_id", "grant_count")
    assert rows.rows() == [("crm:ada", 2), ("crm:bob", 0)]


def test_a_source_that_tells_no_grants_is_unknown(company: Company) -> None:
    company.has_account("ada")
    company.has_account("bob", source="erp")
    company.grants("bob", "seller", source="erp")
    assert company.statuses(CHECK) == {
        "crm:ada": "unknown grants_not_told",
        "erp:bob": "pass has_roles",
    }


@pytest.mark.parametrize("account_type", ["person", "service", "builtin", "unknown"])
def test_every_type_is_tested(company: Company, account_type: str) -> None:
    company.has_account("ada", account_type=account_type)
    company.grants("bob", "seller")
    assert company.statuses(CHECK) == {"crm:ada": "fail no_roles"}


def test_a_disabled_account_is_outside_the_population(company: Company) -> None:
    company.has_account("ada", is_enabled=False)
    company.grants("bob", "seller")
    assert company.statuses(CHECK) == {}
