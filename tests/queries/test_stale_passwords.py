"""Passwords never changed. It is 1 August 2026, 08:30 in Shanghai."""

from datetime import datetime, timedelta

import pytest

from tests.company import AS_OF, Company

CHECK = "stale_passwords"
LIMIT = AS_OF - timedelta(days=365)


@pytest.mark.parametrize(
    ("changed", "answer"),
    [
        (LIMIT, "pass recent"),
        (LIMIT - timedelta(seconds=1), "fail too_old"),
        (None, "unknown not_told"),
    ],
)
def test_a_password_older_than_the_policy_allows_fails(
    company: Company, changed: datetime | None, answer: str
) -> None:
    company.has_account("ada", password_changed_at=changed)
    assert company.statuses(CHECK, password_days=365) == {"crm:ada": answer}


def test_the_policy_sets_the_age(company: Company) -> None:
    company.has_account("ada", password_changed_at=LIMIT)
    assert company.statuses(CHECK, password_days=364) == {"crm:ada": "fail too_old"}


def test_a_source_without_the_field_is_unknown(company: Company) -> None:
    company.has_account("ada")
    assert company.statuses(CHECK) == {"crm:ada": "unknown not_told"}


def test_service_accounts_have_passwords_too(company: Company) -> None:
    old = LIMIT - timedelta(days=1000)
    company.has_account("sync", account_type="service", password_changed_at=old)
    assert company.statuses(CHECK) == {"crm:sync": "fail too_old"}


def test_a_disabled_account_is_outside(company: Company) -> None:
    company.has_account("ada", is_enabled=False, password_changed_at=LIMIT)
    assert company.statuses(CHECK, password_days=1) == {}


def test_the_row_says_since_when(company: Company) -> None:
    company.has_account("ada", password_changed_at=LIMIT, mfa_state="enabled")
    row = company.assess(CHECK).row(0, named=True)
    assert str(row["password_changed_on"]) == "2025-08-01"
    assert (row["password_age"], row["mfa_state"]) == (365, "enabled")
