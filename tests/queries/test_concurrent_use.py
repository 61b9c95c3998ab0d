"""Accounts used from two cities at once. Days are days of Shanghai, UTC+8."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.company import Company

CHECK = "concurrent_use"
NOON = datetime(2026, 7, 6, 4, tzinfo=UTC)
NEXT_NOON = NOON + timedelta(days=1)
PASSED = {"crm:ada": "pass one_place"}


def travels(company: Company, at: datetime, minutes: float) -> None:
    """Let ada sign in in Shanghai and so many minutes later in Chengdu."""
    company.logs_in("ada", at, city="Shanghai")
    company.logs_in("ada", at + timedelta(minutes=minutes), city="Chengdu")


@pytest.mark.parametrize(
    ("minutes", "answer"),
    [
        (0, "fail two_places"),
        (30, "fail two_places"),
        (30.1, "pass one_place"),
    ],
)
def test_minutes_apart_count_up_to_the_threshold(
    company: Company, minutes: float, answer: str
) -> None:
    company.has_account("ada")
    travels(company, NOON, minutes)
    travels(company, NEXT_NOON, minutes)
    statuses = company.statuses(CHECK, concurrent_minutes=30, concurrent_days=2)
    assert statuses == {"crm:ada": answer}


@pytest.mark.parametrize(
    ("days", "answer"), [(2, "fail two_places"), (3, "pass too_few_days")]
)
def test_days_count_from_the_threshold(
    company: Company, days: int, answer: str
) -> None:
    company.has_account("ada")
    travels(company, NOON, 10)
    travels(company, NEXT_NOON, 10)
    assert company.statuses(CHECK, concurrent_days=days) == {"crm:ada": answer}


def test_two_overlaps_on_one_day_are_one_day(company: Company) -> None:
    company.has_account("ada")
    travels(company, NOON, 10)
    travels(company, NOON + timedelta(hours=3), 10)
    assert company.statuses(CHECK) == {"crm:ada": "pass too_few_days"}


def test_a_day_is_a_day_where_the_people_work(company: Company) -> None:
    company.has_account("ada")
    travels(company, datetime(2026, 7, 6, 16, 30, tzinfo=UTC), 10)  # 7 July, 00:30
    travels(company, datetime(2026, 7, 7, 1, tzinfo=UTC), 10)  # 7 July, 09:00
    assert company.statuses(CHECK) == {"crm:ada": "pass too_few_days"}


def test_the_newest_overlap_is_told(company: Company) -> None:
    company.has_account("ada")
    travels(company, NOON, 20)
    travels(company, NEXT_NOON, 5)
    rows = company.assess(CHECK).select(
        "first_city", "second_city", "minutes_apart", "day_count", "overlap_count"
    )
    assert rows.rows() == [("Shanghai", "Chengdu", 5, 2, 2)]


def test_a_failed_login_elsewhere_is_not_use(company: Company) -> None:
    company.has_account("ada")
    for noon in (NOON, NEXT_NOON):
        company.logs_in("ada", noon, city="Shanghai")
        elsewhere = noon + timedelta(minutes=5)
        company.logs_in("ada", elsewhere, city="Chengdu", outcome="failure")
    assert company.statuses(CHECK) == PASSED


def test_a_login_without_a_city_does_not_part_two_cities(company: Company) -> None:
    company.has_account("ada")
    for noon in (NOON, NEXT_NOON):
        travels(company, noon, 10)
        company.logs_in("ada", noon + timedelta(minutes=5), city=None)
    assert company.statuses(CHECK) == {"crm:ada": "fail two_places"}


def test_two_people_in_two_cities_do_not_overlap(company: Company) -> None:
    company.has_account("ada")
    company.has_account("bob")
    for noon in (NOON, NEXT_NOON):
        company.logs_in("ada", noon, city="Shanghai")
        company.logs_in("bob", noon, city="Chengdu")
    assert set(company.statuses(CHECK).values()) == {"pass one_place"}


def test_an_account_nobody_used_passes_where_logins_are_told(
    company: Company,
) -> None:
    company.has_account("ada")
    company.has_account("bob")
    company.logs_in("bob", NOON, city="Shanghai")
    assert company.statuses(CHECK)["crm:ada"] == "pass one_place"


def test_a_source_without_logins_is_unknown(company: Company) -> None:
    company.has_account("ada")
    assert company.statuses(CHECK) == {"crm:ada": "unknown no_events"}


def test_a_source_whose_logins_have_no_city_is_unknown(company: Company) -> None:
    company.has_account("ada")
    company.logs_in("ada", NOON)
    assert company.statuses(CHECK) == {"crm:ada": "unknown no_events"}


def test_an_account_whose_own_logins_have_no_city_is_unknown(
    company: Company,
) -> None:
    company.has_account("ada")
    company.has_account("bob")
    company.logs_in("ada", NOON, city=None)
    company.logs_in("bob", NOON, city="Shanghai")
    assert company.statuses(CHECK)["crm:ada"] == "unknown no_city"


def test_a_log_kept_apart_tells_of_the_accounts_it_names(company: Company) -> None:
    company.has_account("ada")
    for noon in (NOON, NEXT_NOON):
        for minutes, city in ((0, "Shanghai"), (9, "Chengdu")):
            at = noon + timedelta(minutes=minutes)
            company.logs_in("ada", at, source="log", account_id="crm:ada", city=city)
    assert company.statuses(CHECK) == {"crm:ada": "fail two_places"}


def test_a_disabled_account_is_outside_the_population(company: Company) -> None:
    company.has_account("ada", is_enabled=False)
    travels(company, NOON, 10)
    travels(company, NEXT_NOON, 10)
    assert company.statuses(CHECK) == {}
