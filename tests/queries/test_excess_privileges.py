"""Grants beyond the baseline of the job."""

from typing import Any

import pytest

from tests.company import Company

CHECK = "excess_privileges"
BASELINES = [
    {"id": "interns", "employment_types": ["intern"], "titles": ".", "allowed": "read"},
    {"id": "it", "employment_types": [], "titles": "engineer|工程师", "allowed": "."},
    {"id": "sales", "employment_types": [], "titles": "sales", "allowed": "crm|read"},
]


def answers(company: Company, **facts: Any) -> list[str]:
    """Employ Ada so, give her the CRM, and return what is said of each grant."""
    company.employs("ada", **facts)
    company.has_account("ada")
    company.has_role("crm user")
    company.grants("ada", "crm user")
    return list(company.statuses(CHECK, baselines=BASELINES).values())


@pytest.mark.parametrize(
    ("facts", "answer"),
    [
        ({"job_title": "Sales Representative"}, "pass within_baseline"),
        ({"job_title": "SALES lead"}, "pass within_baseline"),
        ({"job_title": "系统工程师"}, "pass within_baseline"),
        (
            {"job_title": "Sales Trainee", "employment_type": "intern"},
            "fail beyond_baseline",
        ),
        ({"job_title": None, "employment_type": "intern"}, "fail beyond_baseline"),
        ({"job_title": None, "employment_type": "employee"}, "unknown no_baseline"),
        ({"job_title": "Cook"}, "unknown no_baseline"),
        ({"job_title": None, "employment_type": None}, "unknown job_not_told"),
        ({"job_title": None, "employment_type": "unknown"}, "unknown job_not_told"),
        ({"job_title": "Sales", "employment_type": "unknown"}, "pass within_baseline"),
    ],
)
def test_the_first_baseline_that_fits_the_person_decides(
    company: Company, facts: dict[str, Any], answer: str
) -> None:
    assert answers(company, **facts) == [answer]


def test_the_order_of_baselines_matters(company: Company) -> None:
    company.employs("ada", job_title="Sales Engineer")
    company.has_account("ada")
    company.has_role("billing")
    company.grants("ada", "billing")
    assert list(company.statuses(CHECK, baselines=BASELINES).values()) == [
        "pass within_baseline"
    ]
    turned = BASELINES[::-1]
    assert list(company.statuses(CHECK, baselines=turned).values()) == [
        "fail beyond_baseline"
    ]


def test_an_entitlement_without_a_name_is_unknown(company: Company) -> None:
    company.employs("ada")
    company.has_account("ada")
    company.has_role("x17", name=None)
    company.grants("ada", "x17")
    assert company.statuses(CHECK) == {"crm:ada > crm:x17": "unknown name_not_told"}


def test_a_grant_held_by_two_ways_is_one_subject(company: Company) -> None:
    company.employs("ada")
    company.has_account("ada")
    company.has_role("billing")
    company.grants("ada", "billing")
    company.grants("ada", "billing", via="group")
    assert company.statuses(CHECK, baselines=BASELINES) == {
        "crm:ada > crm:billing": "fail beyond_baseline"
    }


def test_what_is_tested_is_grants_of_enabled_owned_accounts_to_known_roles(
    company: Company,
) -> None:
    company.employs("ada")
    company.has_account("ada", is_enabled=False)
    company.has_account("nobody")
    company.has_role("billing")
    company.grants("ada", "billing")
    company.grants("nobody", "billing")
    company.has_account("ada", source="desk")
    company.grants("ada", "vanished", source="desk")
    assert company.statuses(CHECK) == {}


def test_a_policy_without_baselines_leaves_everything_unknown(company: Company) -> None:
    company.employs("ada")
    company.has_account("ada")
    company.has_role("billing")
    company.grants("ada", "billing")
    assert list(company.statuses(CHECK, baselines=[]).values()) == [
        "unknown no_baseline"
    ]


def test_two_roles_of_one_name_are_two_subjects(company: Company) -> None:
    company.employs("ada")
    company.has_account("ada")
    for native in ("r1", "r2"):
        company.has_role(native, name="billing")
        company.grants("ada", native)
    assert len(company.statuses(CHECK, baselines=BASELINES)) == 2


def test_the_products_own_policy_knows_chinese_jobs(company: Company) -> None:
    company.employs("li", job_title="销售代表")
    company.has_account("li")
    for name in ("销售员", "超级管理员"):
        company.has_role(name)
        company.grants("li", name)
    assert company.statuses(CHECK) == {
        "crm:li > crm:销售员": "pass within_baseline",
        "crm:li > crm:超级管理员": "fail beyond_baseline",
    }
