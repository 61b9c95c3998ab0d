"""Grants whose account or role is gone or switched off."""

import pytest

from tests.company import Company

CHECK = "ghost_grants"


@pytest.mark.parametrize(
    ("is_enabled", "answer"),
    [
        (True, "pass both_exist"),
        (None, "pass both_exist"),
        (False, "fail entitlement_disabled"),
    ],
)
def test_a_grant_of_a_role_that_is_switched_off_fails(
    company: Company, answer: str, *, is_enabled: bool | None
) -> None:
    company.has_account("ada")
    company.has_role("seller", is_enabled=is_enabled)
    company.grants("ada", "seller")
    assert company.statuses(CHECK) == {"crm:ada > crm:seller": answer}


def test_a_grant_of_a_role_that_is_gone_fails(company: Company) -> None:
    company.has_account("ada")
    company.grants("ada", "seller")
    assert company.statuses(CHECK) == {
        "crm:ada > crm:seller": "fail entitlement_missing"
    }


def test_a_grant_to_an_account_that_is_gone_fails(company: Company) -> None:
    company.has_role("seller")
    company.grants("ada", "seller")
    rows = company.assess(CHECK)
    assert rows.select("subject_id", "source", "account_id", "reason").rows() == [
        ("crm:ada > crm:seller", "crm", "crm:ada", "account_missing")
    ]


def test_a_grant_between_nothing_and_nothing_names_the_account_first(
    company: Company,
) -> None:
    company.has_account("bob")
    company.grants("ada", "seller")
    assert company.statuses(CHECK) == {"crm:ada > crm:seller": "fail account_missing"}


def test_a_disabled_account_is_no_ghost(company: Company) -> None:
    company.has_account("ada", is_enabled=False)
    company.has_role("seller")
    company.grants("ada", "seller")
    assert company.statuses(CHECK) == {"crm:ada > crm:seller": "pass both_exist"}


def test_a_role_granted_twice_is_one_subject(company: Company) -> None:
    company.has_role("seller")
    company.grants("ada", "seller")
    company.grants("ada", "seller", via="group")
    rows = company.assess(CHECK).select("subject_id", "via")
    assert rows.rows() == [("crm:ada > crm:seller", "direct, group")]


def test_a_role_of_another_system_does_not_fill_the_gap(company: Company) -> None:
    company.has_account("ada")
    company.has_role("seller", source="erp")
    company.grants("ada", "seller")
    assert company.statuses(CHECK) == {
        "crm:ada > crm:seller": "fail entitlement_missing"
    }
