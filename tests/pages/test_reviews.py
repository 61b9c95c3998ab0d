"""Reviews on the pages: planned, decided, signed; the editor is not believed."""

from datetime import timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from governance.app_roles import NotAllowedError
from governance.app_sessions import SESSIONS
from governance.attestations import ItemDecision, decide
from governance.audit_trail import count
from governance.campaigns import Plan, items, list_campaigns, open_campaign
from governance.model import Decision
from governance.register import Register, open_register
from governance.settings import Settings
from pages.session.visitor import now
from tests.company import Company
from tests.pages.conftest import AUDITOR, HEAD, MANAGER, STRANGER, Visit, everything

MINE = "pages.reviews.my_items"
CAMPAIGNS = "pages.reviews.campaigns"
RETURNED = "pages.reviews.returned"


@pytest.fixture
def register(visit: Visit) -> Register:
    return open_register(Settings.read())


@pytest.fixture
def campaign_id(visit: Visit, register: Register, staffed: Company) -> str:
    """Return a campaign in which Eve reviews Ada's two rows and Bob Zoe's one."""
    staffed.employs("ada")
    staffed.employs("zoe", department_id="hr:finance")
    staffed.has_account("ada")
    staffed.has_account("zoe")
    staffed.has_role("Sales")
    staffed.has_role("Export", abilities="export")
    staffed.grants("ada", "Sales")
    staffed.grants("ada", "Export")
    staffed.grants("zoe", "Sales")
    staffed.seal()
    plan = Plan(title="Quarter", due_on=now().date() + timedelta(days=10))
    opened = open_campaign(register, Settings.read(), MANAGER, plan, now())
    return opened.campaign_id


def browser_says(
    visit: Visit, register: Register, campaign_id: str, state: dict[str, Any]
) -> AppTest:
    """Send what a browser could send for Eve's editor, honest or not."""

    def page(campaign_id: str, state: dict[str, object]) -> None:
        import streamlit as st

        from governance.campaigns import items
        from pages.reviews import my_items
        from pages.session import visitor

        rows = items(visitor.register(), campaign_id, reviewer_id="hr:eve")
        ids = rows["item_id"].to_list()
        st.session_state["editor"] = state
        my_items._save(
            campaign_id,
            ids,
            dict(rows.select("item_id", "version").iter_rows()),
            dict.fromkeys(ids, (None, "", None)),
            "editor",
        )

    visit(MINE, HEAD)  # signs Eve in
    app = AppTest.from_function(page, args=(campaign_id, state), default_timeout=60)
    return app.run()


def decided(register: Register, campaign_id: str) -> dict[str, str | None]:
    rows = items(register, campaign_id)
    return {
        f"{login} {name}": decision
        for login, name, decision in rows.select(
            "login", "entitlement_name", "decision"
        ).iter_rows()
    }


@pytest.mark.parametrize("module", [MINE, CAMPAIGNS, RETURNED])
def test_signed_out_sees_no_review(visit: Visit, campaign_id: str, module: str) -> None:
    app = visit(module, None, campaign=campaign_id)
    assert not app.exception
    assert not app.dataframe
    assert "Ada" not in everything(app)


def test_reviewer_may_not_open_the_campaigns_page(
    visit: Visit, campaign_id: str
) -> None:
    app = visit(CAMPAIGNS, HEAD, campaign=campaign_id)
    assert app.error[0].value == "Your role does not open this page."
    assert not app.dataframe


def test_reviewer_sees_the_own_rows_only(visit: Visit, campaign_id: str) -> None:
    app = visit(MINE, HEAD)
    assert not app.exception
    assert "**2** All rows" in [button.label for button in app.button]
    assert "Zoe" not in everything(app)
    assert "Nothing to review" in visit(MINE, STRANGER).info[0].value
    assert "暂无待审阅内容" in visit(MINE, STRANGER, locale="zh-CN").info[0].value


def test_plan_is_previewed_before_anything_is_recorded(
    visit: Visit, register: Register, staffed: Company
) -> None:
    staffed.has_account("eve")
    staffed.seal()
    app = visit(CAMPAIGNS, MANAGER)
    app.text_input(key="plan_title").input("Quarter")
    app.button[-1].click().run()
    assert not app.exception
    assert "1 rows for 1 reviewers" in everything(app)
    assert list_campaigns(register) == []


def test_auditor_plans_nothing(visit: Visit, campaign_id: str) -> None:
    app = visit(CAMPAIGNS, AUDITOR)
    assert not app.exception
    assert "Open a review" not in everything(app)
    followed = visit(CAMPAIGNS, AUDITOR, campaign=campaign_id)
    assert not followed.exception
    labels = [button.label for button in followed.button]
    assert not [label for label in labels if "Close" in label or "Hand" in label]


def test_manager_follows_a_campaign_in_both_languages(
    visit: Visit, campaign_id: str
) -> None:
    for locale, word in (("en-GB", "**3** Undecided"), ("zh-CN", "**3** 未决定")):
        app = visit(CAMPAIGNS, MANAGER, locale=locale, campaign=campaign_id)
        assert not app.exception
        assert word in [button.label for button in app.button]


def test_closing_over_undecided_rows_asks_for_consent(
    visit: Visit, register: Register, campaign_id: str
) -> None:
    app = visit(CAMPAIGNS, MANAGER, campaign=campaign_id)
    assert app.button(key="campaign_close").disabled
    app.checkbox(key="campaign_accept").check().run()
    app.button(key="campaign_close").click().run()
    assert not app.exception
    assert not list_campaigns(register)[0].is_open


# The editor ---------------------------------------------------------------------------


def test_editor_that_lies_changes_nothing_but_the_decision(
    visit: Visit, register: Register, campaign_id: str
) -> None:
    """Locked columns, foreign rows, added and deleted rows are not even looked at."""
    before = items(register, campaign_id)
    lie = {
        "edited_rows": {
            0: {"decision": "Revoke", "who": "Zoe", "risk": "None", "reason": "fine"},
            7: {"decision": "Keep"},
            -1: {"decision": "Keep"},
            "x": {"decision": "Keep"},
        },
        "added_rows": [{"decision": "Keep", "who": "Zoe"}],
        "deleted_rows": [1],
    }
    app = browser_says(visit, register, campaign_id, lie)
    assert not app.exception
    after = items(register, campaign_id)
    mine = after.filter(after["reviewer_id"] == "hr:eve")
    assert mine["decision"].to_list() == ["revoke", None]
    assert decided(register, campaign_id)["zoe Sales"] is None
    for name in ("display_name", "risk", "reason_en", "reviewer_id"):
        assert after[name].to_list() == before[name].to_list()


def test_unfinished_answer_stays_a_draft_and_is_not_recorded(
    visit: Visit, register: Register, campaign_id: str
) -> None:
    unfinished = {"edited_rows": {0: {"decision": "Change"}}}
    app = browser_says(visit, register, campaign_id, unfinished)
    assert not app.exception
    assert set(decided(register, campaign_id).values()) == {None}
    assert len(app.session_state["my_drafts"]) == 1
    finished = {"edited_rows": {0: {"decision": "Change", "comment": "Read only"}}}
    browser_says(visit, register, campaign_id, finished)
    assert "change" in decided(register, campaign_id).values()


def test_withdrawn_session_decides_nothing(
    visit: Visit, register: Register, campaign_id: str
) -> None:
    """A callback runs before the page: it asks again who is there."""
    SESSIONS.end_all(HEAD.actor_id)
    visit(MINE, None)

    def page(campaign_id: str) -> None:
        import streamlit as st

        from pages.reviews import my_items

        st.session_state["editor"] = {"edited_rows": {0: {"decision": "Keep"}}}
        my_items._save(campaign_id, ["x"], {"x": 0}, {"x": (None, "", None)}, "editor")

    app = AppTest.from_function(page, args=(campaign_id,), default_timeout=60).run()
    assert not app.exception
    assert set(decided(register, campaign_id).values()) == {None}


def test_answer_outside_the_list_is_no_answer(
    visit: Visit, register: Register, campaign_id: str
) -> None:
    from pages.reviews.my_items import _answer  # the one door for what comes in

    for word in ("HACK", "keep", "", 7, ["Keep"]):
        assert _answer("x", {"decision": word}, None, (None, "", None), 0) is None


def test_service_refuses_what_the_page_would_not_offer(
    register: Register, campaign_id: str
) -> None:
    rows = items(register, campaign_id)
    foreign = rows.filter(rows["login"] == "zoe")["item_id"].item()
    before = count(register)
    answer = ItemDecision(item_id=foreign, decision=Decision.KEEP)
    with pytest.raises(Exception, match="not yours"):
        decide(register, HEAD, campaign_id, [answer], "page", now())
    with pytest.raises(NotAllowedError):
        decide(register, AUDITOR, campaign_id, [answer], "page", now())
    assert count(register) == before


def test_return_of_somebody_else_reads_as_none(visit: Visit, campaign_id: str) -> None:
    asked: dict[str, Any] = {"return": "return-1"}
    app = visit(RETURNED, HEAD, **asked)
    assert not app.exception
    assert "There is no such returned workbook" in app.info[0].value
