"""Which rows a person may see. The canary is a row nobody limited must ever meet."""

import pytest

from governance.app_roles import Actor, AppRole
from governance.assessments import assess_all, findings, page_of
from governance.scope import NOTHING, Scope, scope_of
from tests.company import Company

CANARY = "canary"


@pytest.fixture
def company(company: Company) -> Company:
    """Return sales (with east and west, and a stall in the east) and finance.

    Ada heads sales, Eve the east, Fay finance; the canary sits in finance.
    """
    company.has_department("sales", head_identity_id="hr:ada")
    company.has_department("east", parent_id="hr:sales", head_identity_id="hr:eve")
    company.has_department("west", parent_id="hr:sales")
    company.has_department("stall", parent_id="hr:east")
    company.has_department("finance", head_identity_id="hr:fay")
    places = {
        "ada": "sales",
        "eve": "east",
        "wim": "west",
        "sam": "stall",
        "fay": "finance",
        CANARY: "finance",
    }
    for name, place in places.items():
        company.employs(name, department_id=f"hr:{place}")
        company.has_account(name, mfa_state="disabled")
    company.has_account("nobody", email="nobody@example.net", mfa_state="disabled")
    return company


def actor(name: str | None, role: AppRole = AppRole.REVIEWER) -> Actor:
    """Return somebody signed in."""
    identity = None if name is None else f"hr:{name}"
    return Actor(actor_id=str(name), name=str(name), role=role, identity_id=identity)


def seen(company: Company, who: Actor | None) -> set[str]:
    """Return whose rows somebody finds in the check of second factors."""
    scope = scope_of(who, company.open())
    assessment = assess_all(company.settings)["accounts_without_mfa"]
    rows = page_of(assessment, scope).rows
    assert assessment.count(scope=scope) == rows.height
    return {one.removeprefix("crm:") for one in rows["account_id"]}


@pytest.mark.parametrize(
    ("head", "own"),
    [
        ("ada", {"ada", "eve", "wim", "sam"}),
        ("eve", {"eve", "sam"}),
        ("fay", {"fay", CANARY}),
        ("wim", set()),  # heads nothing
        ("stranger", set()),
        (None, set()),
    ],
)
def test_a_head_sees_what_they_head_and_all_below(
    company: Company, head: str | None, own: set[str]
) -> None:
    assert seen(company, actor(head)) == own


def test_nobody_sees_nothing(company: Company) -> None:
    assert scope_of(None, company.open()) == NOTHING
    assert seen(company, None) == set()


@pytest.mark.parametrize("role", [AppRole.SECURITY_MANAGER, AppRole.AUDITOR])
def test_who_watches_over_all_sees_rows_without_a_department_too(
    company: Company, role: AppRole
) -> None:
    assert {CANARY, "nobody"} < seen(company, actor(None, role))


def test_an_operator_sees_no_rows_unless_they_head_a_department(
    company: Company,
) -> None:
    assert seen(company, actor(None, AppRole.OPERATOR)) == set()
    assert seen(company, actor("eve", AppRole.OPERATOR)) == {"eve", "sam"}


def test_a_row_without_a_department_is_hidden_from_everybody_limited(
    company: Company,
) -> None:
    for name in ("ada", "eve", "fay"):
        assert "nobody" not in seen(company, actor(name))


def test_the_canary_is_in_no_row_of_any_check_a_stranger_to_it_can_reach(
    company: Company,
) -> None:
    scope = scope_of(actor("ada"), company.open())
    every = assess_all(company.settings)
    for assessment in every.values():
        rows = assessment.rows(scope).collect()
        assert CANARY not in str(rows.to_dicts()), assessment.check.id
        assert assessment.count(scope=scope) == rows.height
    assert CANARY not in str(findings(every, scope).to_dicts())


def test_departments_in_a_circle_end(company: Company) -> None:
    company.rows[("hr", "departments")][0]["parent_id"] = "hr:stall"
    assert seen(company, actor("eve")) == {"ada", "eve", "wim", "sam"}


def test_a_limited_scope_of_no_department_is_not_everything() -> None:
    assert Scope(frozenset()) != Scope(None)
    assert NOTHING.departments == frozenset()
