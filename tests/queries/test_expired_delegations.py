"""Lent and temporary access past its end. It is 1 August 2026, 00:30 UTC."""

from datetime import datetime, timedelta

import pytest

from tests.company import AS_OF, Company

CHECK = "expired_delegations"
GRANT = "crm:ada > crm:seller"
SECOND = timedelta(seconds=1)


@pytest.fixture
def company(company: Company) -> Company:
    """Return a company where ada and bob have accounts, and there is a role."""
    company.employs("bob")
    company.has_account("ada")
    company.has_account("bob")
    company.has_role("seller", name="Seller")
    return company


@pytest.mark.parametrize(
    ("valid_until", "answer"),
    [
        (AS_OF - SECOND, "fail expired"),
        (AS_OF, "pass running"),
        (AS_OF + SECOND, "pass running"),
    ],
)
def test_a_grant_fails_once_its_end_is_over(
    company: Company, valid_until: datetime, answer: str
) -> None:
    company.grants("ada", "seller", valid_until=valid_until)
    assert company.statuses(CHECK) == {GRANT: answer}


def test_days_overdue_are_days_where_the_people_work(company: Company) -> None:
    # 30 July, 15:30 UTC is still 30 July in Shanghai; half an hour later it is not.
    half_past = AS_OF.replace(month=7, day=30, hour=15, minute=30)
    company.grants("ada", "seller", valid_until=half_past)
    company.grants("bob", "seller", valid_until=half_past + timedelta(minutes=30))
    rows = company.assess(CHECK).select("account_id", "days_over")
    assert rows.rows() == [("crm:ada", 2), ("crm:bob", 1)]


def test_access_lent_without_an_end_is_unknown(company: Company) -> None:
    company.grants("ada", "seller", delegated_from="crm:bob")
    rows = company.assess(CHECK).select("status", "reason", "delegated_by")
    assert rows.rows() == [("unknown", "no_end", "Bob")]


@pytest.mark.parametrize(
    ("lender", "name"), [("hr:bob", "Bob"), ("crm:bob", "Bob"), ("Eve", "Eve")]
)
def test_the_lender_is_named_however_the_source_names_him(
    company: Company, lender: str, name: str
) -> None:
    company.grants("ada", "seller", delegated_from=lender, valid_until=AS_OF - SECOND)
    rows = company.assess(CHECK).select("status", "delegated_by")
    assert rows.rows() == [("fail", name)]


def test_of_one_role_held_twice_the_worse_counts(company: Company) -> None:
    company.grants("ada", "seller", valid_until=AS_OF - SECOND)
    company.grants("ada", "seller", via="group", valid_until=AS_OF + SECOND)
    company.grants("bob", "seller", delegated_from="Eve")
    company.grants("bob", "seller", via="group", valid_until=AS_OF + SECOND)
    assert company.statuses(CHECK) == {
        GRANT: "fail expired",
        "crm:bob > crm:seller": "unknown no_end",
    }


def test_a_role_held_for_good_beside_a_loan_does_not_make_the_loan_endless(
    company: Company,
) -> None:
    company.grants("ada", "seller")
    company.grants("ada", "seller", via="group", valid_until=AS_OF + SECOND)
    assert company.statuses(CHECK) == {GRANT: "pass running"}


def test_lasting_grants_and_closed_accounts_are_outside_the_population(
    company: Company,
) -> None:
    company.has_account("eve", is_enabled=False)
    company.grants("ada", "seller")
    company.grants("eve", "seller", valid_until=AS_OF - SECOND)
    company.grants("gone", "seller", valid_until=AS_OF - SECOND)
    assert company.statuses(CHECK) == {}
