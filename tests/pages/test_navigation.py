"""Who gets which pages, through the script that Streamlit runs."""

import pytest
from streamlit.testing.v1 import AppTest

from governance.app_roles import Actor
from governance.app_sessions import SESSIONS
from governance.settings import ROOT
from tests.company import Company
from tests.pages.conftest import AUDITOR, HEAD, MANAGER, OPERATOR, Visit, everything

FINDINGS = {"overview", "check", "people"}
RECORDS = {"snapshots", "evidence", "audit-trail"}
OFFERED = {
    MANAGER: FINDINGS | RECORDS | {"owners", "campaigns", "returned"},
    AUDITOR: FINDINGS | RECORDS | {"campaigns", "returned"},
    HEAD: FINDINGS | {"my-items", "returned"},
    OPERATOR: {"snapshots"},
}


def opened(visit: Visit, actor: Actor | None) -> AppTest:
    visit("pages.findings.overview", actor)  # signs in
    script = str(ROOT / "pages" / "main.py")
    return AppTest.from_file(script, default_timeout=60).run()


@pytest.mark.parametrize("actor", list(OFFERED), ids=lambda actor: actor.name)
def test_each_role_is_offered_its_own_pages(
    visit: Visit, staffed: Company, actor: Actor
) -> None:
    staffed.seal()
    app = opened(visit, actor)
    assert not app.exception
    assert set(app.session_state["pages_of_this_person"]) == OFFERED[actor]


def test_signed_out_is_offered_the_way_in_alone(visit: Visit, staffed: Company) -> None:
    staffed.seal()
    app = opened(visit, None)
    assert not app.exception
    assert "signed out" in app.info[0].value
    assert "pages_of_this_person" not in app.session_state
    assert "Example Trading" not in everything(app)


def test_header_says_organisation_moment_and_person(
    visit: Visit, staffed: Company
) -> None:
    staffed.seal()
    shown = everything(opened(visit, HEAD)).replace("\\", "")
    assert "**Example Trading** · Snapshot of 1 Aug 2026 08:30" in shown
    assert "Eve · Department head" in shown


def test_session_ended_elsewhere_is_over_at_the_next_click(
    visit: Visit, staffed: Company
) -> None:
    staffed.seal()
    app = opened(visit, AUDITOR)
    assert app.title[0].value == "Overview"
    SESSIONS.end_all(AUDITOR.actor_id)
    app.run()
    assert "signed out" in app.info[0].value
    assert not app.dataframe


def test_language_is_switched_for_every_page(visit: Visit, staffed: Company) -> None:
    staffed.seal()
    app = opened(visit, MANAGER)
    app.session_state["language_choice"] = "zh_CN"
    app.run()
    assert app.title[0].value == "总览"
