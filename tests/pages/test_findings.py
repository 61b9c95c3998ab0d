"""Overview, check page and people: what each person sees, and in which language."""

import re
from datetime import date
from typing import Any

import pytest

from tests.company import AS_OF, BEFORE, Company
from tests.pages.conftest import (
    AUDITOR,
    HEAD,
    MANAGER,
    OPERATOR,
    STRANGER,
    Visit,
    everything,
)

OVERVIEW = "pages.findings.overview"
CHECK = "pages.findings.check"
PEOPLE = "pages.findings.people"
LONG_AGO = date(2026, 6, 1)


def leavers(company: Company) -> None:
    """Let one person leave each department, their accounts still open."""
    company.employs("ada", until=LONG_AGO)
    company.employs("zoe", until=LONG_AGO, department_id="hr:finance")
    company.has_account("ada")
    company.has_account("zoe")


@pytest.mark.parametrize("module", [OVERVIEW, CHECK, PEOPLE])
def test_signed_out_sees_nothing(visit: Visit, staffed: Company, module: str) -> None:
    leavers(staffed)
    staffed.seal()
    app = visit(module, None)
    assert [info.value for info in app.info] == ["You are signed out."]
    assert "Ada" not in everything(app)


@pytest.mark.parametrize("module", [OVERVIEW, CHECK, PEOPLE])
def test_page_refuses_a_role_that_may_not_read_it(
    visit: Visit, staffed: Company, module: str
) -> None:
    """However it was reached: the navigation would not have offered it."""
    staffed.seal()
    app = visit(module, OPERATOR)
    assert [error.value for error in app.error] == [
        "Your role does not open this page."
    ]
    assert not app.dataframe


@pytest.mark.parametrize("module", [OVERVIEW, CHECK, PEOPLE])
def test_without_a_snapshot_a_page_says_how_to_take_one(
    visit: Visit, module: str
) -> None:
    app = visit(module, MANAGER)
    assert "snapshot take" in app.info[0].value
    assert not app.exception
    chinese = visit(module, MANAGER, locale="zh-CN")
    assert "尚未封存快照" in chinese.info[0].value


def test_overview_counts_only_what_the_head_may_see(
    visit: Visit, staffed: Company
) -> None:
    leavers(staffed)
    staffed.seal()
    critical = {
        actor.name: next(b.label for b in app.button if b.label.endswith(" Critical"))
        for actor in (MANAGER, AUDITOR, HEAD)
        if (app := visit(OVERVIEW, actor)) and not app.exception
    }
    assert critical == {
        "Mia": "**2** Critical",
        "Ann": "**2** Critical",
        "Eve": "**1** Critical",
    }


def test_head_of_nothing_is_told_so(visit: Visit, staffed: Company) -> None:
    leavers(staffed)
    staffed.seal()
    app = visit(OVERVIEW, STRANGER)
    assert "falls into your departments" in app.info[0].value
    assert not app.button


def test_overview_shows_what_came_and_went(visit: Visit, company: Company) -> None:
    company.employs("ada", until=LONG_AGO)
    company.has_account("ada")
    company.seal(BEFORE)
    company.rows[("crm", "accounts")].clear()
    company.employs("kim", until=LONG_AGO)
    company.has_account("kim")
    company.seal(AS_OF)
    app = visit(OVERVIEW, MANAGER, session={"overview_change": "resolved"})
    assert not app.exception
    shown = everything(app)
    assert "Resolved findings" in shown
    assert "Ada left on" in shown
    app = visit(OVERVIEW, MANAGER, session={"overview_change": "new"})
    assert "Kim left on" in everything(app)


def test_overview_speaks_chinese_to_a_chinese_browser(
    visit: Visit, staffed: Company
) -> None:
    leavers(staffed)
    staffed.seal()
    app = visit(OVERVIEW, MANAGER, locale="zh-CN")
    assert app.title[0].value == "总览"
    assert "**2** 严重" in [button.label for button in app.button]


# One check ----------------------------------------------------------------------------


def tiles(app: object) -> list[str]:
    return [b.label for b in app.button if b.label.startswith("**")]  # type: ignore[attr-defined]


def test_check_page_counts_and_explains_within_the_scope(
    visit: Visit, staffed: Company
) -> None:
    leavers(staffed)
    staffed.seal()
    seen = visit(CHECK, HEAD, check="leaver_accounts", status="fail")
    assert not seen.exception
    assert tiles(seen)[:2] == ["**1** Tested", "**1** Failed"]
    assert "Ada left on 2026-06-01" in everything(seen)
    assert "Zoe" not in everything(seen)
    every = visit(CHECK, MANAGER, check="leaver_accounts", status="fail")
    assert tiles(every)[:2] == ["**2** Tested", "**2** Failed"]


def test_check_page_explains_in_the_readers_language(
    visit: Visit, staffed: Company
) -> None:
    leavers(staffed)
    staffed.seal()
    app = visit(CHECK, MANAGER, locale="zh-CN", check="leaver_accounts", status="fail")
    assert app.title[0].value == "离职人员的账号仍可登录"
    assert "Ada已于2026-06-01离职" in everything(app)


def test_check_page_shows_query_digest_controls_and_thresholds(
    visit: Visit, staffed: Company
) -> None:
    leavers(staffed)
    staffed.seal()
    app = visit(CHECK, AUDITOR, check="leaver_accounts")
    shown = everything(app)
    assert "leaver_grace_days" in shown
    assert "PCI:8.2.5" in shown
    assert "from snapshot.account_people" in app.code[0].value


@pytest.mark.parametrize(
    "asked",
    [
        {"status": "'; drop table accounts"},
        {"source": "hr' or 1=1 --"},
        {"department": "hr:finance"},
        {"sort": "secret", "order": "sideways"},
        {"check": "../../etc/passwd"},
    ],
)
def test_what_the_address_may_not_say_is_ignored(
    visit: Visit, staffed: Company, asked: dict[str, str]
) -> None:
    leavers(staffed)
    staffed.seal()
    wanted: dict[str, Any] = {"check": "leaver_accounts", **asked}
    app = visit(CHECK, HEAD, **wanted)
    assert not app.exception
    assert "Zoe" not in everything(app)


def test_search_finds_text_and_not_patterns(visit: Visit, staffed: Company) -> None:
    leavers(staffed)
    staffed.seal()
    for wanted, rows in (("ADA", 1), (".*", 0), ("%", 0), ("zoe", 1)):
        app = visit(CHECK, MANAGER, check="leaver_accounts", search=wanted)
        assert not app.exception
        found = [f for f in app.dataframe if "reason" in f.value.columns]
        assert sum(len(frame.value) for frame in found) == rows, wanted


def test_filters_of_one_check_do_not_follow_to_another(
    visit: Visit, staffed: Company
) -> None:
    leavers(staffed)
    staffed.seal()
    app = visit(CHECK, MANAGER, check="leaver_accounts", status="fail", search="ada")
    app.selectbox(key="check_choice").select("accounts_without_mfa").run()
    assert not app.exception
    assert app.text_input(key="check_search").value == ""
    assert "**Ada" not in app.title[0].value


def test_long_lists_come_in_pages_of_fifty(visit: Visit, staffed: Company) -> None:
    for number in range(60):
        staffed.employs(f"left{number:02}", until=LONG_AGO)
        staffed.has_account(f"left{number:02}")
    staffed.seal()
    app = visit(CHECK, MANAGER, check="leaver_accounts", status="fail")
    rows = next(f for f in app.dataframe if "reason" in f.value.columns)
    assert len(rows.value) == 50
    assert "Rows 1 to 50 of 60" in everything(app)


# People -------------------------------------------------------------------------------


def test_person_outside_the_scope_reads_as_one_who_is_not_there(
    visit: Visit, staffed: Company
) -> None:
    leavers(staffed)
    staffed.seal()
    outside = visit(PEOPLE, HEAD, person="hr:zoe")
    absent = visit(PEOPLE, HEAD, person="hr:nobody")
    account = visit(PEOPLE, HEAD, account="crm:zoe")
    assert everything(outside) == everything(absent) == everything(account)
    assert "not one of yours" in everything(outside)


def test_search_stays_within_the_scope(visit: Visit, staffed: Company) -> None:
    leavers(staffed)
    staffed.seal()
    shown = everything(visit(PEOPLE, HEAD))
    assert "Ada" in shown
    assert "Zoe" not in shown


def test_person_shows_accounts_effective_abilities_and_findings(
    visit: Visit, staffed: Company
) -> None:
    leavers(staffed)
    staffed.has_role("Admin", abilities="administer,export", is_privileged=True)
    staffed.has_role("Bundle")
    staffed.add(
        "entitlement_members", "crm", parent_id="crm:Bundle", child_id="crm:Admin"
    )
    staffed.grants("ada", "Bundle")
    staffed.seal()
    app = visit(PEOPLE, MANAGER, person="hr:ada")
    assert not app.exception
    shown = everything(app)
    assert "Ada left on 2026-06-01" in shown
    assert "administer, export" in shown


def test_grants_gained_and_lost_are_its_history(visit: Visit, staffed: Company) -> None:
    staffed.has_account("eve")
    staffed.has_role("Old")
    staffed.has_role("New")
    staffed.grants("eve", "Old")
    staffed.seal(BEFORE)
    staffed.rows[("crm", "grants")].clear()
    staffed.grants("eve", "New")
    staffed.seal(AS_OF)
    app = visit(PEOPLE, MANAGER, person="hr:eve", session={"person_view": "history"})
    assert not app.exception
    history = next(f for f in app.dataframe if "change" in f.value.columns).value
    assert set(zip(history["change"], history["entitlement_name"], strict=True)) == {
        ("Gained", "New"),
        ("Lost", "Old"),
    }


def test_unowned_account_is_shown_by_itself(visit: Visit, staffed: Company) -> None:
    staffed.has_account("kiosk", email=None, display_name="Kiosk")
    staffed.seal()
    app = visit(PEOPLE, MANAGER, account="crm:kiosk")
    assert not app.exception
    assert app.warning[0].value == "Nobody is known to own this account."


def test_owners_are_suggested_to_those_who_see_everybody(
    visit: Visit, staffed: Company
) -> None:
    staffed.has_account("svc", email=None, display_name="Eve")
    staffed.seal()
    for actor in (AUDITOR, MANAGER):
        app = visit(PEOPLE, actor, account="crm:svc")
        assert not app.exception
        assert "hr\\:eve · same name" in everything(app)
    assert "same name" not in everything(visit(PEOPLE, HEAD, account="crm:svc"))


def test_hostile_name_is_shown_and_not_obeyed(visit: Visit, staffed: Company) -> None:
    name = "**[x](https://evil.example.com)** <img src=x> :red[y] $z$"
    staffed.employs("eva", display_name=name)
    staffed.seal()
    title = visit(PEOPLE, MANAGER, person="hr:eva").title[0].value
    assert re.search(r"(?<!\\)[*\[\]<>$:]", title) is None
    # A word joiner keeps Markdown from making a link of the bare address.
    assert "://\N{WORD JOINER}evil" in title.replace("\\", "")
