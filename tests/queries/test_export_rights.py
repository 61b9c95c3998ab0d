"""Who can carry records out of a system."""

from typing import Any

import pytest

from tests.company import Company

CHECK = "export_rights"


def exporter(company: Company, **facts: Any) -> None:
    """Employ Ada and let her export."""
    company.employs("ada", **facts)
    company.has_account("ada")
    company.has_role("exports", abilities="create,export")
    company.grants("ada", "exports")


@pytest.mark.parametrize(
    ("facts", "answer"),
    [
        ({"job_title": "Sales Manager"}, "pass title_may_export"),
        ({"job_title": "数据分析师"}, "pass title_may_export"),
        ({"job_title": "Sales Representative"}, "fail title_may_not_export"),
        (
            {"job_title": "Data Analyst", "employment_type": "intern"},
            "fail never_exports",
        ),
        ({"job_title": None, "employment_type": "vendor"}, "fail never_exports"),
        (
            {"job_title": "Data Analyst", "employment_type": "unknown"},
            "pass title_may_export",
        ),
        ({"job_title": None}, "unknown title_not_told"),
    ],
)
def test_title_and_employment_decide_who_may_export(
    company: Company, facts: dict[str, Any], answer: str
) -> None:
    exporter(company, **facts)
    assert company.statuses(CHECK) == {"crm:ada": answer}


def test_an_exporting_account_nobody_owns_is_unknown(company: Company) -> None:
    company.has_account("sync")
    company.has_role("exports", abilities="export")
    company.grants("sync", "exports")
    assert company.statuses(CHECK) == {"crm:sync": "unknown no_owner"}


def test_an_account_that_exports_nothing_passes_whoever_owns_it(
    company: Company,
) -> None:
    company.has_account("sync")
    company.has_role("reads", abilities="create,import")
    company.grants("sync", "reads")
    company.has_account("idle")
    assert company.statuses(CHECK) == {
        "crm:sync": "pass holds_no_export",
        "crm:idle": "pass holds_no_export",
    }


def test_a_source_that_does_not_tell_abilities_is_unknown(company: Company) -> None:
    exporter(company, job_title="Cook")
    company.has_account("ada", source="desk")
    company.has_role("agent", source="desk")
    company.grants("ada", "agent", source="desk")
    assert company.statuses(CHECK) == {
        "crm:ada": "fail title_may_not_export",
        "desk:ada": "unknown abilities_not_told",
    }


def test_export_reached_through_a_nested_role_counts(company: Company) -> None:
    exporter(company, job_title="Cook")
    company.has_account("bob")
    company.has_role("team", abilities="")
    company.add(
        "entitlement_members", "crm", parent_id="crm:team", child_id="crm:exports"
    )
    company.grants("bob", "team")
    rows = company.assess(CHECK)
    by_account = dict(rows.select("account_id", "exports_by").iter_rows())
    assert by_account == {"crm:ada": "exports", "crm:bob": "team"}


def test_an_ability_that_only_sounds_like_export_is_none(company: Company) -> None:
    company.has_account("ada")
    company.has_role("odd", abilities="exportless,import")
    company.grants("ada", "odd")
    assert company.statuses(CHECK) == {"crm:ada": "pass holds_no_export"}


def test_a_disabled_account_is_outside(company: Company) -> None:
    exporter(company)
    company.rows[("crm", "accounts")][0]["is_enabled"] = False
    assert company.statuses(CHECK) == {}


def test_a_policy_that_forbids_nobody_by_employment(company: Company) -> None:
    exporter(company, job_title="Data Analyst", employment_type="intern")
    assert company.statuses(CHECK, export_never=[]) == {
        "crm:ada": "pass title_may_export"
    }


def test_a_role_whose_rights_are_not_told_is_unknown_and_no_pass(
    company: Company,
) -> None:
    """The source tells other roles' rights; that says nothing about this one's."""
    exporter(company, job_title="Sales Manager")
    company.employs("bob")
    company.has_account("bob")
    company.has_role("riddle", abilities=None)
    company.grants("bob", "riddle")
    company.employs("cy")
    company.has_account("cy")
    company.has_role("reads", abilities="")
    company.grants("cy", "reads")
    assert company.statuses(CHECK) == {
        "crm:ada": "pass title_may_export",
        "crm:bob": "unknown role_not_told",
        "crm:cy": "pass holds_no_export",
    }
