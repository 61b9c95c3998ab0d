"""Enabled accounts of people who have left. It is 1 August 2026, 08:30 in Shanghai."""

from datetime import date

import pytest

from tests.company import Company

CHECK = "leaver_accounts"


@pytest.mark.parametrize(
    ("last_day", "answer"),
    [
        (date(2026, 8, 1), "pass employed"),  # works today
        (date(2026, 7, 31), "pass employed"),  # grace ends today
        (date(2026, 7, 30), "fail owner_left"),  # grace ended yesterday
        (date(2026, 12, 31), "pass employed"),  # a contract that ends in the future
        (None, "pass employed"),
    ],
)
def test_grace_counts_whole_days(
    company: Company, last_day: date | None, answer: str
) -> None:
    company.employs("ada", until=last_day)
    company.has_account("ada")
    assert company.statuses(CHECK, leaver_grace_days=1) == {"crm:ada": answer}


def test_a_person_who_left_on_an_unknown_date_fails(company: Company) -> None:
    company.employs("ada", employment_status="left")
    company.has_account("ada")
    assert company.statuses(CHECK) == {"crm:ada": "fail left_without_date"}


def test_a_person_hired_again_passes(company: Company) -> None:
    company.employs("ada", until=date(2025, 1, 31), start_date=date(2026, 3, 1))
    company.has_account("ada")
    assert company.statuses(CHECK) == {"crm:ada": "pass employed"}


def test_employment_nobody_told_is_unknown(company: Company) -> None:
    company.employs("ada", employment_status="unknown")
    company.has_account("ada")
    assert company.statuses(CHECK) == {"crm:ada": "unknown employment_unknown"}


def test_an_unowned_account_is_unknown_and_never_a_pass(company: Company) -> None:
    company.employs("bob")
    company.has_account("integration")
    assert company.statuses(CHECK) == {"crm:integration": "unknown no_owner"}


def test_a_disabled_account_is_outside_the_population(company: Company) -> None:
    company.employs("ada", until=date(2026, 6, 30))
    company.has_account("ada", is_enabled=False)
    assert company.statuses(CHECK) == {}
