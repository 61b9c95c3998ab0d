"""One person's access, never beyond the reader's scope."""

from governance.people import grants_of, holder_of, search_people
from governance.scope import NOTHING, Scope
from tests.company import Company

ALL = Scope(None)
SALES = Scope(frozenset({"hr:sales"}))


def test_search_looks_in_names_logins_and_numbers_without_case(
    company: Company,
) -> None:
    company.employs("ada", employee_number="E-77")
    company.employs("kim")
    company.has_account("ada_l", email="ada@example.com")
    company.seal()
    for wanted in ("ADA", "ada_l", "e-77", "hr:ada"):
        found = search_people(company.open(), ALL, wanted)
        assert found["identity_id"].to_list() == ["hr:ada"], wanted
    for pattern in ("%", "_l%", ".*", "' or 1=1"):
        assert search_people(company.open(), ALL, pattern).is_empty(), pattern


def test_search_counts_what_it_does_not_show(company: Company) -> None:
    for name in ("ada", "kim", "leo"):
        company.employs(name)
    company.seal()
    found = search_people(company.open(), ALL, "", limit=2)
    assert found.height == 2
    assert found["found"][0] == 3


def test_scope_bounds_search_and_count(company: Company) -> None:
    company.employs("ada")
    company.employs("zoe", department_id="hr:finance")
    company.seal()
    found = search_people(company.open(), SALES, "")
    assert found["display_name"].to_list() == ["Ada"]
    assert found["found"].to_list() == [1]
    assert search_people(company.open(), NOTHING, "").is_empty()


def test_holder_outside_the_scope_is_none(company: Company) -> None:
    company.employs("zoe", department_id="hr:finance")
    company.has_account("zoe")
    company.seal()
    snapshot = company.open()
    assert holder_of(snapshot, SALES, identity_id="hr:zoe") is None
    assert holder_of(snapshot, SALES, account_id="crm:zoe") is None
    assert holder_of(snapshot, ALL, identity_id="hr:zoe") is not None


def test_account_leads_to_its_owner_and_all_their_accounts(company: Company) -> None:
    company.employs("ada")
    company.has_account("ada")
    company.has_account("ada", source="old")
    company.seal()
    holder = holder_of(company.open(), ALL, account_id="crm:ada")
    assert holder is not None
    assert holder.identity_id == "hr:ada"
    assert sorted(holder.account_ids) == ["crm:ada", "old:ada"]


def test_abilities_are_effective_and_unknown_where_nobody_told(
    company: Company,
) -> None:
    company.employs("ada")
    company.has_account("ada")
    company.has_role("Bundle", abilities="create")
    company.has_role("Export", abilities="export")
    company.has_role("Silent")
    company.add(
        "entitlement_members", "crm", parent_id="crm:Bundle", child_id="crm:Export"
    )
    company.grants("ada", "Bundle")
    company.grants("ada", "Silent")
    company.seal()
    holder = holder_of(company.open(), ALL, identity_id="hr:ada")
    assert holder is not None
    told = grants_of(company.open(), holder)
    assert dict(told.select("entitlement_name", "abilities").iter_rows()) == {
        "Bundle": "create,export",
        "Silent": None,
    }
