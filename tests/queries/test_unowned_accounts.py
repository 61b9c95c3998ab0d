"""Enabled accounts that nobody answers for. It is 1 August 2026 in Shanghai."""

from datetime import date

import pytest

from tests.company import Company

CHECK = "unowned_accounts"


@pytest.mark.parametrize(
    ("account_type", "answer"),
    [
        ("person", "fail no_owner"),
        ("shared", "fail no_owner"),
        ("unknown", "fail no_owner"),
        ("service", "fail service_without_sponsor"),
        ("guest", "fail guest_without_sponsor"),
    ],
)
def test_an_account_without_an_owner_fails(
    company: Company, account_type: str, answer: str
) -> None:
    company.employs("ada")
    company.has_account("stray", account_type=account_type)
    assert company.statuses(CHECK) == {"crm:stray": answer}


@pytest.mark.parametrize("account_type", ["person", "shared", "guest", "unknown"])
def test_an_account_with_an_owner_passes(company: Company, account_type: str) -> None:
    company.employs("ada")
    company.has_account("ada", account_type=account_type)
    assert company.statuses(CHECK) == {"crm:ada": "pass owned"}


def test_a_service_account_with_an_owner_needs_no_sponsor(company: Company) -> None:
    company.employs("ada", employee_number="1")
    company.has_account("sync", account_type="service", employee_number="1")
    assert company.statuses(CHECK) == {"crm:sync": "pass owned"}


@pytest.mark.parametrize("account_type", ["service", "guest"])
def test_a_sponsor_who_works_here_answers_for_services_and_guests(
    company: Company, account_type: str
) -> None:
    company.employs("ada")
    company.has_account("sync", account_type=account_type, sponsor_identity_id="hr:ada")
    rows = company.assess(CHECK).select("status", "reason", "sponsor_name")
    assert rows.rows() == [("pass", "sponsored", "Ada")]


def test_a_sponsor_does_not_own_a_persons_account(company: Company) -> None:
    company.employs("ada")
    company.has_account("stray", sponsor_identity_id="hr:ada")
    assert company.statuses(CHECK) == {"crm:stray": "fail no_owner"}


def test_a_sponsor_nobody_knows_is_none(company: Company) -> None:
    company.employs("ada")
    company.has_account("sync", account_type="service", sponsor_identity_id="hr:eve")
    assert company.statuses(CHECK) == {"crm:sync": "fail service_without_sponsor"}


@pytest.mark.parametrize(
    ("last_day", "answer"),
    [
        (date(2026, 7, 31), "pass sponsored"),  # grace ends today
        (date(2026, 7, 30), "fail guest_without_sponsor"),
        (date(2026, 12, 31), "pass sponsored"),
    ],
)
def test_a_sponsor_who_left_answers_for_nothing(
    company: Company, last_day: date, answer: str
) -> None:
    company.employs("ada", until=last_day)
    company.has_account("visitor", account_type="guest", sponsor_identity_id="hr:ada")
    assert company.statuses(CHECK, leaver_grace_days=1) == {"crm:visitor": answer}


def test_a_sponsor_who_left_on_an_unknown_date_answers_for_nothing(
    company: Company,
) -> None:
    company.employs("ada", employment_status="left")
    company.has_account("visitor", account_type="guest", sponsor_identity_id="hr:ada")
    assert company.statuses(CHECK) == {"crm:visitor": "fail guest_without_sponsor"}


def test_a_sponsor_hired_again_answers(company: Company) -> None:
    company.employs("ada", until=date(2025, 1, 31), start_date=date(2026, 3, 1))
    company.has_account("visitor", account_type="guest", sponsor_identity_id="hr:ada")
    assert company.statuses(CHECK) == {"crm:visitor": "pass sponsored"}


def test_without_any_identities_ownership_is_unknown(company: Company) -> None:
    company.has_account("ada")
    assert company.statuses(CHECK) == {"crm:ada": "unknown no_identities"}


def test_builtin_and_disabled_accounts_are_outside_the_population(
    company: Company,
) -> None:
    company.employs("ada")
    company.has_account("admin", account_type="builtin")
    company.has_account("stray", is_enabled=False)
    assert company.statuses(CHECK) == {}
