"""Enabled accounts that a password alone opens."""

import pytest

from tests.company import Company

CHECK = "accounts_without_mfa"


@pytest.mark.parametrize(
    ("state", "answer"),
    [
        ("enabled", "pass enrolled"),
        ("disabled", "fail not_enrolled"),
        ("unknown", "unknown not_told"),
        (None, "unknown not_told"),
    ],
)
def test_only_a_second_factor_the_source_tells_of_passes(
    company: Company, state: str | None, answer: str
) -> None:
    company.has_account("ada", mfa_state=state)
    assert company.statuses(CHECK) == {"crm:ada": answer}


def test_a_source_without_the_field_is_unknown_and_no_finding(company: Company) -> None:
    company.has_account("ada")
    assert company.statuses(CHECK) == {"crm:ada": "unknown not_told"}


@pytest.mark.parametrize("kind", ["service", "builtin"])
def test_accounts_nobody_signs_in_with_are_outside(company: Company, kind: str) -> None:
    company.has_account("sync", account_type=kind, mfa_state="disabled")
    assert company.statuses(CHECK) == {}


@pytest.mark.parametrize("kind", ["person", "shared", "guest", "unknown"])
def test_every_account_a_person_signs_in_with_is_tested(
    company: Company, kind: str
) -> None:
    company.has_account("desk", account_type=kind, mfa_state="disabled")
    assert company.statuses(CHECK) == {"crm:desk": "fail not_enrolled"}


@pytest.mark.parametrize("is_enabled", [False, None])
def test_an_account_not_known_to_be_enabled_is_outside(
    company: Company, is_enabled: bool | None
) -> None:
    company.has_account("ada", mfa_state="disabled", is_enabled=is_enabled)
    company.has_account("bob", mfa_state="enabled")
    assert company.statuses(CHECK) == {"crm:bob": "pass enrolled"}
