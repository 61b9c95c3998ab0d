"""One path per persona, in a browser, through the gate."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from playwright.sync_api import (
    Browser,
    Page,
    expect,
    sync_playwright,
)
from playwright.sync_api import (
    TimeoutError as NotInTime,
)

from governance.campaigns import Plan, open_campaign, status
from governance.personas import AUDITOR, MANAGER, personas
from governance.register import open_register
from governance.settings import Settings
from pages.session.visitor import now
from tests.demo_company import Demo
from tests.gate.conftest import Served, served

CHROMIUM = "/usr/bin/chromium"


@pytest.fixture(scope="module")
def place(demo: Demo) -> Iterator[Served]:
    with served(demo.config) as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        yield started
        started.close()


@contextmanager
def visiting(
    browser: Browser, place: Served, persona: str, locale: str = "en-GB"
) -> Iterator[Page]:
    """Give a page of a person who came through the sign-in page.

    The console must stay clean of refusals by the content policy.
    """
    context = browser.new_context(
        locale=locale, viewport={"width": 1366, "height": 900}
    )
    page = context.new_page()
    refused: list[str] = []
    page.on(
        "console",
        lambda told: (
            refused.append(told.text) if "Content Security" in told.text else None
        ),
    )
    page.goto(place.address)
    page.locator(f'button[value="{persona}"]').click()
    settle(page)
    yield page
    assert refused == []
    context.close()


def settle(page: Page) -> None:
    """Wait until the script has run and nothing of it failed."""
    app = page.get_by_test_id("stApp")
    expect(app).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=60_000
    )
    assert page.get_by_test_id("stException").count() == 0


def press_cell(page: Page, column: int, row: int, leads_to: str) -> None:
    """Press a button in the first table of the page, drawn on a canvas.

    A table is there before it listens: on a busy machine the first press may be early.
    """
    for _ in range(10):
        table = page.get_by_test_id("stDataFrame").first
        table.scroll_into_view_if_needed()
        box = table.locator("canvas").first.bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + column, box["y"] + 16 + 31 * row)
        try:
            page.wait_for_url(leads_to, timeout=3_000)
        except NotInTime:
            continue
        settle(page)
        return
    raise AssertionError(f"{page.url} did not lead to {leads_to}")


def test_security_manager_goes_from_a_number_to_a_persons_access(
    browser: Browser, place: Served
) -> None:
    with visiting(browser, place, MANAGER.actor_id) as page:
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()
        press_cell(page, 100, 1, "**/check?check=*status=fail*")
        press_cell(page, 40, 1, "**/people?*")
        expect(page.get_by_text("What they may do")).to_be_visible()


def test_department_head_decides_in_chinese_and_it_is_recorded(
    browser: Browser, place: Served, demo: Demo
) -> None:
    settings = Settings.read(demo.config)
    register = open_register(settings)
    known = personas(settings)
    plan = Plan(
        title="Golden",
        due_on=now().date() + timedelta(days=30),
        fallback_reviewer=known[1].actor.identity_id,
    )
    opened = open_campaign(register, settings, MANAGER, plan, now())
    reviewing = status(register, opened.campaign_id)["reviewer_id"].to_list()
    head = next(p.actor for p in known if p.actor.identity_id in reviewing)

    def revoked() -> int:
        counted = status(register, opened.campaign_id)
        own = counted.filter(counted["reviewer_id"] == head.identity_id)
        return int(own["revoke"].item())

    with visiting(browser, place, head.actor_id, locale="zh-CN") as page:
        page.goto(f"{place.address}/my-items?campaign={opened.campaign_id}")
        settle(page)
        expect(page.get_by_role("heading", name="待我审阅")).to_be_visible()
        table = page.get_by_test_id("stDataFrame").first
        table.scroll_into_view_if_needed()
        for _ in range(5):
            box = table.locator("canvas").first.bounding_box()
            assert box is not None
            page.mouse.dblclick(box["x"] + 40, box["y"] + 60)
            offered = page.get_by_text("撤销", exact=True)
            try:
                offered.last.click(timeout=3_000)
            except NotInTime:
                continue
            break
        expect(page.get_by_text("撤销 1")).to_be_visible(timeout=30_000)
        settle(page)
    assert revoked() == 1


def test_auditor_verifies_a_snapshot_and_takes_evidence(
    browser: Browser, place: Served
) -> None:
    with visiting(browser, place, AUDITOR.actor_id) as page:
        page.goto(f"{place.address}/snapshots")
        settle(page)
        page.get_by_role("button", name="Verify against the manifest").click()
        expect(page.get_by_text("Every file and every count")).to_be_visible(
            timeout=30_000
        )
        page.goto(f"{place.address}/evidence")
        settle(page)
        expect(page.get_by_role("heading", name="Evidence")).to_be_visible()


def test_signing_out_ends_the_session_on_the_server(
    browser: Browser, place: Served
) -> None:
    with visiting(browser, place, AUDITOR.actor_id) as page:
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_text("You are signed out")).to_be_visible()
        page.goto(f"{place.address}/overview")
        assert page.url.endswith("/sign-in")
