"""Accounts used after their owner left. It is 1 August 2026, 08:30 in Shanghai."""

from datetime import UTC, date, datetime

import pytest

from tests.company import Company

CHECK = "logins_after_leaving"
LAST_DAY = date(2026, 6, 30)
BEFORE_MIDNIGHT = datetime(2026, 6, 30, 15, 59, 59, tzinfo=UTC)
MIDNIGHT = datetime(2026, 6, 30, 16, tzinfo=UTC)  # 1 July, 00:00 in Shanghai


@pytest.mark.parametrize(
    ("at", "answer"),
    [(BEFORE_MIDNIGHT, "pass not_used"), (MIDNIGHT, "fail logged_in")],
)
def test_a_login_fails_from_the_local_midnight_that_ends_the_last_day(
    company: Company, at: datetime, answer: str
) -> None:
    company.employs("ada", until=LAST_DAY)
    company.has_account("ada")
    company.logs_in("ada", at)
    assert company.statuses(CHECK) == {"crm:ada": answer}


@pytest.mark.parametrize(
    ("at", "answer"),
    [(BEFORE_MIDNIGHT, "pass not_used"), (MIDNIGHT, "fail last_login_later")],
)
def test_a_last_successful_login_fails_from_the_same_midnight(
    company: Company, at: datetime, answer: str
) -> None:
    company.employs("ada", until=LAST_DAY)
    company.has_account("ada", last_login_at=at, last_login_basis="success")
    assert company.statuses(CHECK) == {"crm:ada": answer}


def test_logins_since_are_counted(company: Company) -> None:
    company.employs("ada", until=LAST_DAY)
    company.has_account("ada")
    for at in (BEFORE_MIDNIGHT, MIDNIGHT, datetime(2026, 7, 20, tzinfo=UTC)):
        company.logs_in("ada", at)
    rows = company.assess(CHECK)
    assert rows["login_count"].to_list() == [2]
    assert rows["last_used_at"].to_list() == [datetime(2026, 7, 20, tzinfo=UTC)]


def test_a_disabled_account_is_tested_too(company: Company) -> None:
    company.employs("ada", until=LAST_DAY)
    company.has_account("ada", is_enabled=False)
    company.logs_in("ada", MIDNIGHT)
    assert company.statuses(CHECK) == {"crm:ada": "fail logged_in"}


def test_a_failed_login_after_leaving_passes(company: Company) -> None:
    company.employs("ada", until=LAST_DAY)
    company.has_account("ada")
    company.logs_in("ada", MIDNIGHT, outcome="failure")
    assert company.statuses(CHECK) == {"crm:ada": "pass not_used"}


@pytest.mark.parametrize(
    ("last_day", "tested"), [(date(2026, 7, 31), True), (date(2026, 8, 1), False)]
)
def test_somebody_has_left_from_the_day_after_the_last_day(
    company: Company, last_day: date, *, tested: bool
) -> None:
    company.employs("ada", until=last_day, employment_status="active")
    company.has_account("ada")
    company.logs_in("ada", BEFORE_MIDNIGHT)
    assert bool(company.statuses(CHECK)) is tested


def test_an_end_date_nobody_told_is_unknown(company: Company) -> None:
    company.employs("ada", employment_status="left")
    company.has_account("ada")
    company.logs_in("ada", MIDNIGHT)
    assert company.statuses(CHECK) == {"crm:ada": "unknown no_end_date"}


def test_a_source_that_tells_no_use_is_unknown(company: Company) -> None:
    company.employs("ada", until=LAST_DAY)
    company.has_account("ada")
    assert company.statuses(CHECK) == {"crm:ada": "unknown no_logins_told"}


@pytest.mark.parametrize("basis", ["attempt", "unknown"])
@pytest.mark.parametrize(
    ("at", "answer"),
    [(BEFORE_MIDNIGHT, "unknown no_logins_told"), (MIDNIGHT, "unknown attempt_only")],
)
def test_a_last_attempt_proves_neither_use_nor_its_absence(
    company: Company, at: datetime, answer: str, basis: str
) -> None:
    company.employs("ada", until=LAST_DAY)
    company.has_account("ada", last_login_at=at, last_login_basis=basis)
    assert company.statuses(CHECK) == {"crm:ada": answer}


def test_a_last_login_that_one_account_lacks_is_unknown_for_it(
    company: Company,
) -> None:
    company.employs("ada", until=LAST_DAY)
    company.employs("bob", until=LAST_DAY)
    company.has_account("ada")
    company.has_account(
        "bob", last_login_at=BEFORE_MIDNIGHT, last_login_basis="success"
    )
    assert company.statuses(CHECK) == {
        "crm:ada": "unknown no_logins_told",
        "crm:bob": "pass not_used",
    }


def test_an_account_never_used_passes(company: Company) -> None:
    company.employs("ada", until=LAST_DAY)
    company.has_account("ada", never_logged_in=True)
    assert company.statuses(CHECK) == {"crm:ada": "pass not_used"}


def test_people_at_work_and_people_hired_again_are_outside_the_population(
    company: Company,
) -> None:
    company.employs("ada")
    company.employs("bob", until=date(2025, 1, 31), start_date=date(2026, 3, 1))
    for login in ("ada", "bob", "nobody"):
        company.has_account(login)
        company.logs_in(login, MIDNIGHT)
    assert company.statuses(CHECK) == {}
