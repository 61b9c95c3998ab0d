"""Two duties one person must not hold."""

from tests.company import Company

CHECK = "conflicting_entitlements"
RULES = [
    {
        "id": "pay",
        "title_en": "Orders and pays",
        "title_zh": "既下单又付款",
        "first": "order|下单",
        "second": "pay|付款",
    }
]


def ada(company: Company, *roles: str, source: str = "crm") -> None:
    """Give Ada an account with these roles."""
    company.has_account("ada", source=source)
    for role in roles:
        company.has_role(role, source=source)
        company.grants("ada", role, source=source)


def test_both_sides_in_one_account_fail(company: Company) -> None:
    company.employs("ada")
    ada(company, "Orders", "Payments", "Lunch")
    row = company.assess(CHECK, sod_rules=RULES).row(0, named=True)
    assert (row["subject_id"], row["status"]) == ("hr:ada > pay", "fail")
    assert (row["first_held"], row["second_held"]) == ("Orders", "Payments")
    assert (row["title_en"], row["title_zh"]) == ("Orders and pays", "既下单又付款")


def test_both_sides_spread_over_two_systems_fail(company: Company) -> None:
    company.employs("ada")
    ada(company, "下单")
    ada(company, "付款", source="bank")
    assert company.statuses(CHECK, sod_rules=RULES) == {
        "hr:ada > pay": "fail holds_both"
    }


def test_two_people_with_a_side_each_pass(company: Company) -> None:
    company.employs("ada")
    company.employs("bob")
    ada(company, "Orders")
    company.has_account("bob")
    company.has_role("Payments")
    company.grants("bob", "Payments")
    assert company.statuses(CHECK, sod_rules=RULES) == {
        "hr:ada > pay": "pass holds_one",
        "hr:bob > pay": "pass holds_one",
    }


def test_one_side_beside_a_system_that_tells_no_grants_is_unknown(
    company: Company,
) -> None:
    company.employs("ada")
    ada(company, "Orders")
    company.has_account("ada", source="mute")
    row = company.assess(CHECK, sod_rules=RULES).row(0, named=True)
    assert (row["status"], row["reason"]) == ("unknown", "other_account_not_told")
    assert row["untold_sources"] == "mute"


def test_both_sides_fail_whatever_else_is_unknown(company: Company) -> None:
    company.employs("ada")
    ada(company, "Orders", "Payments")
    company.has_account("ada", source="mute")
    assert company.statuses(CHECK, sod_rules=RULES) == {
        "hr:ada > pay": "fail holds_both"
    }


def test_somebody_with_neither_side_is_outside(company: Company) -> None:
    company.employs("ada")
    ada(company, "Lunch")
    company.has_account("ada", source="mute")
    assert company.statuses(CHECK, sod_rules=RULES) == {}


def test_a_disabled_account_lends_no_side(company: Company) -> None:
    company.employs("ada")
    ada(company, "Orders")
    ada(company, "Payments", source="bank")
    company.rows[("bank", "accounts")][0]["is_enabled"] = False
    assert company.statuses(CHECK, sod_rules=RULES) == {
        "hr:ada > pay": "pass holds_one"
    }


def test_an_account_nobody_owns_is_its_own_holder(company: Company) -> None:
    ada(company, "Orders", "Payments")
    assert company.statuses(CHECK, sod_rules=RULES) == {
        "crm:ada > pay": "fail holds_both"
    }


def test_a_side_held_through_a_nested_role_counts(company: Company) -> None:
    company.employs("ada")
    ada(company, "Orders", "Team")
    company.has_role("Payments")
    company.add(
        "entitlement_members", "crm", parent_id="crm:Team", child_id="crm:Payments"
    )
    row = company.assess(CHECK, sod_rules=RULES).row(0, named=True)
    assert (row["status"], row["second_held"]) == ("fail", "Payments")


def test_one_role_that_is_both_sides_conflicts_with_itself(company: Company) -> None:
    company.employs("ada")
    ada(company, "Orders and payments")
    assert company.statuses(CHECK, sod_rules=RULES) == {
        "hr:ada > pay": "fail holds_both"
    }


def test_each_rule_is_asked_of_each_person(company: Company) -> None:
    company.employs("ada")
    ada(company, "Orders", "Payments")
    other = RULES[0] | {"id": "again", "second": "lunch"}
    assert company.statuses(CHECK, sod_rules=[*RULES, other]) == {
        "hr:ada > pay": "fail holds_both",
        "hr:ada > again": "pass holds_one",
    }


def test_a_policy_without_rules_finds_nothing(company: Company) -> None:
    company.employs("ada")
    ada(company, "Orders", "Payments")
    assert company.statuses(CHECK, sod_rules=[]) == {}
