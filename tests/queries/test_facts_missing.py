"""What a source does not tell."""

from datetime import date

import pytest

from governance.schema import REVIEW_FACTS
from tests.company import AS_OF, Company

CHECK = "facts_missing"


def enable(company: Company, told: int, rows: int) -> None:
    """Add accounts of which only the first are told to be enabled."""
    for number in range(rows):
        is_enabled = True if number < told else None
        company.has_account(f"a{number}", is_enabled=is_enabled)


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        (20, "pass told"),
        (19, "pass told"),  # exactly 95 %
        (18, "fail partly_told"),
        (0, "fail partly_told"),
    ],
)
def test_a_fact_must_be_told_of_nearly_every_row(
    company: Company, told: int, answer: str
) -> None:
    enable(company, told, 20)
    found = company.statuses(CHECK, fact_share=0.95)
    assert found["crm > accounts.is_enabled"] == answer


def test_a_column_the_source_has_not_got_is_not_told(company: Company) -> None:
    company.has_account("ada")
    found = company.statuses(CHECK)
    assert found["crm > accounts.is_enabled"] == "pass told"
    assert found["crm > accounts.mfa_state"] == "fail not_told"
    assert found["crm > login_events"] == "fail not_told"


def test_the_word_unknown_tells_nothing(company: Company) -> None:
    company.has_account("ada", mfa_state="unknown")
    assert company.statuses(CHECK)["crm > accounts.mfa_state"] == "fail partly_told"


def test_only_tables_the_source_has_rows_for_are_asked_about(company: Company) -> None:
    company.employs("ada")
    facts = {subject.removeprefix("hr > ") for subject in company.statuses(CHECK)}
    assert facts == {
        "identities.end_date",
        "identities.employment_status",
        "identities.manager_id",
    }


@pytest.mark.parametrize(
    ("last_day", "answer"),
    [(date(2026, 6, 30), "pass told"), (None, "fail partly_told")],
)
def test_a_last_day_is_owed_for_people_who_left(
    company: Company, last_day: date | None, answer: str
) -> None:
    company.employs("ada", employment_status="left", until=last_day)
    assert company.statuses(CHECK)["hr > identities.end_date"] == answer


def test_without_leavers_no_last_day_is_owed(company: Company) -> None:
    company.employs("ada")
    assert company.statuses(CHECK)["hr > identities.end_date"] == "pass told"


def test_never_logged_in_tells_of_the_last_login(company: Company) -> None:
    company.has_account("ada", last_login_at=AS_OF)
    company.has_account("bob", never_logged_in=True)
    assert company.statuses(CHECK)["crm > accounts.last_login_at"] == "pass told"


def test_every_fact_a_review_leans_on_is_asked_about(company: Company) -> None:
    company.employs("ada", email="ada@example.com")
    company.add("identities", "crm", identity_id="crm:i", employment_status="active")
    company.has_account("ada")
    company.has_role("key")
    company.grants("ada", "key")
    company.logs_in("ada", AS_OF)
    asked = {
        subject.removeprefix("crm > ")
        for subject in company.statuses(CHECK)
        if subject.startswith("crm > ")
    }
    assert asked == set(REVIEW_FACTS)


def test_the_sentence_speaks_of_the_fact_in_words(company: Company) -> None:
    enable(company, 1, 3)
    rows = company.assess(CHECK).rows_by_key("fact", named=True, unique=True)
    row = rows["accounts.is_enabled"]
    assert (row["fact_en"], row["fact_zh"]) == (
        "whether accounts are enabled",
        "账号启用状态",
    )
    assert (row["known_count"], row["row_count"], row["known_percent"]) == (1, 3, 33)
