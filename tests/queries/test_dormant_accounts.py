"""Enabled accounts nobody has used for long. It is 1 August 2026, 08:30 in Shanghai."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.company import AS_OF, Company

CHECK = "dormant_accounts"
LIMIT = AS_OF - timedelta(days=90)
SECOND = timedelta(seconds=1)
RECENT = AS_OF - timedelta(days=3)
OLD = AS_OF - timedelta(days=200)


@pytest.mark.parametrize(
    ("used", "answer"),
    [
        (AS_OF, "pass in_use"),
        (LIMIT, "pass in_use"),
        (LIMIT - SECOND, "fail not_used_since"),
    ],
)
def test_more_than_the_days_of_the_policy_without_use_fail(
    company: Company, used: datetime, answer: str
) -> None:
    company.has_account("ada", last_login_at=used, last_login_basis="success")
    assert company.statuses(CHECK, dormant_days=90) == {"crm:ada": answer}


@pytest.mark.parametrize("basis", ["attempt", "unknown"])
def test_a_recent_use_nobody_proves_is_unknown_and_an_old_one_fails(
    company: Company, basis: str
) -> None:
    company.has_account("ada", last_login_at=RECENT, last_login_basis=basis)
    company.has_account("bob", last_login_at=OLD, last_login_basis=basis)
    assert company.statuses(CHECK) == {
        "crm:ada": "unknown only_attempts",
        "crm:bob": "fail not_used_since",
    }


def test_a_login_event_is_a_use(company: Company) -> None:
    company.has_account("ada", last_login_at=OLD, last_login_basis="success")
    company.logs_in("ada", RECENT)
    assert company.statuses(CHECK) == {"crm:ada": "pass in_use"}


def test_a_failed_attempt_is_no_use(company: Company) -> None:
    company.has_account("ada", last_login_at=OLD, last_login_basis="success")
    company.logs_in("ada", RECENT, outcome="failure")
    assert company.statuses(CHECK) == {"crm:ada": "fail not_used_since"}


def test_an_event_whose_outcome_nobody_told_is_unknown(company: Company) -> None:
    company.has_account("ada", last_login_at=OLD, last_login_basis="success")
    company.logs_in("ada", RECENT, outcome="unknown")
    assert company.statuses(CHECK) == {"crm:ada": "unknown only_attempts"}


def test_failures_alone_leave_the_last_use_unknown(company: Company) -> None:
    company.has_account("ada")
    company.logs_in("ada", RECENT, outcome="failure")
    assert company.statuses(CHECK) == {"crm:ada": "unknown not_told"}


@pytest.mark.parametrize(
    ("facts", "answer"),
    [
        ({"created_at": LIMIT}, "pass newly_created"),
        ({"created_at": LIMIT - SECOND}, "fail never_used"),
        ({"created_at": None}, "unknown creation_not_told"),
    ],
)
def test_a_never_used_account_is_as_idle_as_it_is_old(
    company: Company, facts: dict[str, Any], answer: str
) -> None:
    company.has_account("ada", never_logged_in=True, **facts)
    assert company.statuses(CHECK, dormant_days=90) == {"crm:ada": answer}


@pytest.mark.parametrize(
    ("created", "answer"),
    [(RECENT, "pass newly_created"), (OLD, "unknown not_told")],
)
def test_without_last_use_only_a_new_account_can_be_judged(
    company: Company, created: datetime, answer: str
) -> None:
    company.has_account("ada", created_at=created)
    assert company.statuses(CHECK) == {"crm:ada": answer}


def test_a_log_beats_a_flag_that_says_never(company: Company) -> None:
    company.has_account("ada", never_logged_in=True, created_at=OLD)
    company.logs_in("ada", RECENT)
    assert company.statuses(CHECK) == {"crm:ada": "pass in_use"}


def test_an_old_use_fails_although_the_account_was_created_anew(
    company: Company,
) -> None:
    company.has_account(
        "ada", created_at=RECENT, last_login_at=OLD, last_login_basis="success"
    )
    assert company.statuses(CHECK) == {"crm:ada": "fail not_used_since"}


def test_a_disabled_account_is_outside(company: Company) -> None:
    company.has_account("ada", is_enabled=False, last_login_at=OLD)
    assert company.statuses(CHECK) == {}


def test_the_row_says_when_and_how_long_ago(company: Company) -> None:
    company.has_account("ada", last_login_at=OLD, last_login_basis="success")
    row = company.assess(CHECK).row(0, named=True)
    assert (str(row["last_used_on"]), row["days_idle"]) == ("2026-01-13", 200)
    assert row["last_used_basis"] == "success"
