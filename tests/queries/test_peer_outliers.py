"""Access that hardly any colleague has. It is 1 August 2026, 08:30 in Shanghai."""

from datetime import date
from typing import Any

import pytest

from tests.company import Company

CHECK = "peer_outliers"
KEY = "crm:p0 > crm:key"


def team(company: Company, size: int, *, holders: int = 1, **facts: Any) -> None:
    """Employ people of one department and title, some of whom hold a key."""
    company.has_role("key")
    for number in range(size):
        company.employs(f"p{number}", **facts)
        company.has_account(f"p{number}")
        if number < holders:
            company.grants(f"p{number}", "key")


@pytest.mark.parametrize(
    ("size", "holders", "answer"),
    [
        (4, 1, "unknown too_few_peers"),
        (5, 1, "pass usual"),  # exactly a fifth
        (6, 1, "fail unusual"),
        (10, 2, "pass usual"),
        (11, 2, "fail unusual"),
    ],
)
def test_share_and_number_of_peers_decide(
    company: Company, size: int, holders: int, answer: str
) -> None:
    team(company, size, holders=holders)
    found = company.statuses(CHECK, peer_minimum=5, peer_share=0.2)
    assert found[KEY] == answer
    assert len(found) == holders


def test_the_row_says_how_many_of_how_many(company: Company) -> None:
    team(company, 6)
    row = company.assess(CHECK).row(0, named=True)
    assert (row["holders"], row["peers"]) == (1, 6)


@pytest.mark.parametrize("facts", [{"job_title": None}, {"department_id": None}])
def test_without_title_or_department_there_are_no_peers(
    company: Company, facts: dict[str, Any]
) -> None:
    team(company, 6, **facts)
    assert company.statuses(CHECK)[KEY] == "unknown no_peer_group"


def test_other_departments_and_titles_are_no_peers(company: Company) -> None:
    team(company, 3)
    for number in range(3, 6):
        company.employs(f"p{number}", department_id="hr:finance")
        company.has_account(f"p{number}")
    for number in range(6, 9):
        company.employs(f"p{number}", job_title="Cook")
        company.has_account(f"p{number}")
    row = company.assess(CHECK).row(0, named=True)
    assert (row["status"], row["peers"]) == ("unknown", 3)


def test_a_person_with_two_accounts_is_one_peer_and_one_holder(
    company: Company,
) -> None:
    team(company, 6)
    company.has_account("p0-second", email="p0@example.com")
    company.grants("p0-second", "key")
    rows = company.assess(CHECK)
    assert rows.select("holders", "peers").unique().rows() == [(1, 6)]
    assert rows["status"].to_list() == ["fail", "fail"]


def test_colleagues_without_an_account_in_that_source_do_not_count(
    company: Company,
) -> None:
    team(company, 5)
    company.employs("elsewhere")
    company.has_account("elsewhere", source="desk")
    company.employs("shut")
    company.has_account("shut", is_enabled=False)
    assert company.assess(CHECK)["peers"].to_list() == [5]


@pytest.mark.parametrize(
    "facts",
    [
        {"employment_status": "left"},
        {"employment_status": "on_leave"},
        {"employment_status": "unknown"},
        {"until": date(2026, 7, 1), "employment_status": "active"},
    ],
)
def test_only_people_who_work_here_now_are_peers_and_subjects(
    company: Company, facts: dict[str, Any]
) -> None:
    team(company, 5)
    company.employs("away", **facts)
    company.has_account("away")
    company.grants("away", "key")
    rows = company.assess(CHECK)
    assert rows["subject_id"].to_list() == [KEY]
    assert rows["peers"].to_list() == [5]


def test_a_rehire_and_a_future_last_day_still_count(company: Company) -> None:
    team(company, 4)
    company.employs("soon", until=date(2026, 12, 31))
    company.employs(
        "back",
        until=date(2025, 1, 31),
        start_date=date(2026, 3, 1),
        employment_status="active",
    )
    for name in ("soon", "back"):
        company.has_account(name)
    assert company.assess(CHECK)["peers"].to_list() == [6]


def test_unowned_accounts_and_disabled_ones_are_outside(company: Company) -> None:
    team(company, 6, holders=0)
    company.has_account("nobody")
    company.grants("nobody", "key")
    company.rows[("crm", "accounts")][0]["is_enabled"] = False
    company.grants("p0", "key")
    assert company.statuses(CHECK) == {}


def test_a_grant_held_by_two_ways_is_one_subject(company: Company) -> None:
    team(company, 6)
    company.grants("p0", "key", via="group")
    assert company.statuses(CHECK) == {KEY: "fail unusual"}
