"""Accounts that administer a system and have a password alone."""

from typing import Any

import pytest

from tests.company import Company

CHECK = "privileged_accounts_without_mfa"


@pytest.mark.parametrize(
    ("state", "answer"),
    [
        ("enabled", "pass enrolled"),
        ("disabled", "fail not_enrolled"),
        ("unknown", "unknown not_told"),
    ],
)
def test_a_privileged_account_needs_a_second_factor(
    company: Company, state: str, answer: str
) -> None:
    company.has_account("root", mfa_state=state)
    company.has_role("keys", is_privileged=True)
    company.grants("root", "keys")
    assert company.statuses(CHECK) == {"crm:root": answer}


@pytest.mark.parametrize(
    "facts",
    [
        {"is_privileged": True},
        {"name": "CRM超级管理员"},
        {"name": "Domain ADMINS", "is_privileged": False},
        {"abilities": "export,security"},
        {"abilities": "administer", "is_privileged": False},
    ],
)
def test_flag_name_or_ability_makes_an_entitlement_privileged(
    company: Company, facts: dict[str, Any]
) -> None:
    company.has_account("root", mfa_state="disabled")
    company.has_role("keys", **facts)
    company.grants("root", "keys")
    assert company.statuses(CHECK) == {"crm:root": "fail not_enrolled"}


@pytest.mark.parametrize(
    "facts",
    [
        {"is_privileged": False, "name": "Sales", "abilities": "export"},
        {"name": None},
        {"name": "Sales", "abilities": ""},
    ],
)
def test_an_account_without_privilege_is_outside(
    company: Company, facts: dict[str, Any]
) -> None:
    company.has_account("ada", mfa_state="disabled")
    company.has_role("plain", **facts)
    company.grants("ada", "plain")
    assert company.statuses(CHECK) == {}


def test_privilege_reached_through_nested_groups_counts(company: Company) -> None:
    company.has_account("ada", mfa_state="disabled")
    company.has_role("team")
    company.has_role("operators")
    company.has_role("keys", is_privileged=True)
    for parent, child in [("team", "operators"), ("operators", "keys")]:
        company.add(
            "entitlement_members",
            "crm",
            parent_id=f"crm:{parent}",
            child_id=f"crm:{child}",
        )
    company.grants("ada", "team")
    rows = company.assess(CHECK)
    assert rows["reason"].to_list() == ["not_enrolled"]
    assert rows["privileges"].to_list() == ["team"]


def test_every_privilege_is_named_once(company: Company) -> None:
    company.has_account("root", mfa_state="disabled")
    for name in ("keys", "audit"):
        company.has_role(name, is_privileged=True)
        company.grants("root", name)
    company.grants("root", "keys", via="group")
    assert company.assess(CHECK)["privileges"].to_list() == ["audit / keys"]


def test_the_policy_decides_which_abilities_are_privileged(company: Company) -> None:
    company.has_account("ada", mfa_state="disabled")
    company.has_role("plain", abilities="export")
    company.grants("ada", "plain")
    assert company.statuses(CHECK, privileged_abilities=["export"]) == {
        "crm:ada": "fail not_enrolled"
    }
    assert company.statuses(CHECK, privileged_abilities=[]) == {}


def test_a_disabled_account_and_a_service_account(company: Company) -> None:
    company.has_role("keys", is_privileged=True)
    company.has_account("ada", mfa_state="disabled", is_enabled=False)
    company.has_account("sync", mfa_state="disabled", account_type="service")
    for login in ("ada", "sync"):
        company.grants(login, "keys")
    assert company.statuses(CHECK) == {"crm:sync": "fail not_enrolled"}
