"""What closed accounts and leavers still hold. It is 1 August 2026 in Shanghai."""

from datetime import date

import pytest

from tests.company import Company

CHECK = "leaver_grants_remaining"
GRANT = "crm:ada > crm:seller"


@pytest.fixture
def company(company: Company) -> Company:
    """Return a company where ada's account holds the role of a seller."""
    company.has_role("seller")
    company.grants("ada", "seller")
    return company


@pytest.mark.parametrize(
    ("is_enabled", "answer"),
    [
        (True, "pass in_use"),
        (False, "fail account_disabled"),
        (None, "unknown state_not_told"),
    ],
)
def test_what_a_disabled_account_holds_fails(
    company: Company, answer: str, *, is_enabled: bool | None
) -> None:
    company.employs("ada")
    company.has_account("ada", is_enabled=is_enabled)
    company.has_account("bob")
    assert company.statuses(CHECK) == {GRANT: answer}


@pytest.mark.parametrize(
    ("last_day", "answer"),
    [
        (date(2026, 7, 31), "pass in_use"),  # grace ends today
        (date(2026, 7, 30), "fail owner_left"),
        (date(2026, 12, 31), "pass in_use"),
    ],
)
def test_what_a_leaver_holds_fails_after_the_grace(
    company: Company, last_day: date, answer: str
) -> None:
    company.employs("ada", until=last_day)
    company.has_account("ada")
    assert company.statuses(CHECK, leaver_grace_days=1) == {GRANT: answer}


def test_what_somebody_holds_who_left_on_an_unknown_date_fails(
    company: Company,
) -> None:
    company.employs("ada", employment_status="left")
    company.has_account("ada")
    assert company.statuses(CHECK) == {GRANT: "fail owner_left"}


def test_what_a_leaver_holds_fails_though_nobody_told_whether_the_account_works(
    company: Company,
) -> None:
    company.employs("ada", until=date(2026, 6, 30))
    company.has_account("ada", is_enabled=None)
    assert company.statuses(CHECK) == {GRANT: "fail owner_left"}


def test_somebody_hired_again_may_hold_it(company: Company) -> None:
    company.employs("ada", until=date(2025, 1, 31), start_date=date(2026, 3, 1))
    company.has_account("ada")
    assert company.statuses(CHECK) == {GRANT: "pass in_use"}


def test_an_unowned_account_in_use_passes(company: Company) -> None:
    company.has_account("ada")
    assert company.statuses(CHECK) == {GRANT: "pass in_use"}


def test_a_role_held_twice_is_one_grant(company: Company) -> None:
    company.has_account("ada", is_enabled=False)
    company.grants("ada", "seller", via="group")
    rows = company.assess(CHECK).select("subject_id", "via")
    assert rows.rows() == [(GRANT, "direct, group")]


def test_a_grant_of_a_role_that_is_gone_remains_too(company: Company) -> None:
    company.has_account("ada", is_enabled=False)
    company.grants("ada", "gone")
    assert company.statuses(CHECK)["crm:ada > crm:gone"] == "fail account_disabled"


def test_a_grant_of_an_account_that_is_gone_is_outside_the_population(
    company: Company,
) -> None:
    company.has_account("bob")
    assert company.statuses(CHECK) == {}
