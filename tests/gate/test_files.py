"""Files in and out: a check for every request, and on record."""

import io
from collections.abc import Iterator
from datetime import timedelta

import openpyxl
import pytest

from governance.app_roles import Actor
from governance.audit_trail import events
from governance.campaigns import Plan, open_campaign, status
from governance.personas import AUDITOR, MANAGER, personas
from governance.register import open_register
from governance.settings import Settings
from pages.session.visitor import now
from tests.demo_company import Demo
from tests.gate.conftest import Served, form_token, served


@pytest.fixture(scope="module")
def settings(demo: Demo) -> Settings:
    return Settings.read(demo.config)


@pytest.fixture(scope="module")
def place(demo: Demo) -> Iterator[Served]:
    with served(demo.config) as started:
        yield started


@pytest.fixture(scope="module")
def campaign_id(settings: Settings) -> str:
    """Return the id of a campaign opened over the demo."""
    register = open_register(settings)
    boss = personas(settings)[1].actor.identity_id
    plan = Plan(
        title="Files",
        due_on=now().date() + timedelta(days=30),
        fallback_reviewer=boss,
    )
    return open_campaign(register, settings, MANAGER, plan, now()).campaign_id


@pytest.fixture(scope="module")
def heads(settings: Settings, campaign_id: str) -> list[Actor]:
    """Return two personas who review something in the campaign."""
    counted = status(open_register(settings), campaign_id)
    reviewing = set(counted["reviewer_id"])
    found = [p.actor for p in personas(settings) if p.actor.identity_id in reviewing]
    assert len(found) >= 2
    return found[:2]


def test_reviewer_takes_the_own_workbook_and_no_other(
    place: Served, campaign_id: str, heads: list[Actor]
) -> None:
    mine, other = heads
    with place.signed_in(mine.actor_id) as client:
        own = client.get(f"/download/workbook/{campaign_id}/{mine.identity_id}")
        foreign = client.get(f"/download/workbook/{campaign_id}/{other.identity_id}")
        absent = client.get(f"/download/workbook/{campaign_id}/hr:nobody")
        evidence = client.get(f"/download/evidence/{campaign_id}")
    assert own.status_code == 200
    assert openpyxl.load_workbook(io.BytesIO(own.content)).sheetnames
    assert own.headers["content-disposition"].startswith("attachment;")
    assert [foreign.status_code, absent.status_code] == [404, 404]
    assert foreign.text == absent.text
    assert evidence.status_code == 404


def test_auditor_takes_evidence_and_no_workbook_and_it_is_on_record(
    place: Served, campaign_id: str, heads: list[Actor], settings: Settings
) -> None:
    with place.signed_in(AUDITOR.actor_id) as client:
        evidence = client.get(f"/download/evidence/{campaign_id}?language=zh_CN")
        workbook = client.get(
            f"/download/workbook/{campaign_id}/{heads[0].identity_id}"
        )
    assert evidence.status_code == 200
    assert openpyxl.load_workbook(io.BytesIO(evidence.content)).sheetnames
    assert workbook.status_code == 404
    newest = events(open_register(settings), limit=1, subject=campaign_id)
    assert newest["actor_id"].item() == AUDITOR.actor_id


def test_download_asked_for_by_another_site_is_refused(
    place: Served, campaign_id: str
) -> None:
    with place.signed_in(AUDITOR.actor_id) as client:
        answer = client.get(
            f"/download/evidence/{campaign_id}",
            headers={"Sec-Fetch-Site": "cross-site"},
        )
    assert answer.status_code == 404


def test_returned_workbook_leads_to_its_preview(
    place: Served, campaign_id: str, heads: list[Actor]
) -> None:
    with place.signed_in(heads[0].actor_id) as client:
        book = client.get(
            f"/download/workbook/{campaign_id}/{heads[0].identity_id}"
        ).content
        token = form_token(client.get("/upload/workbook?language=zh_CN").text)
        answer = client.post(
            "/upload/workbook",
            data={"form_token": token},
            files={"workbook": ("book.xlsx", book)},
            headers={"Origin": place.address},
        )
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/returned?return=")


def test_upload_without_its_form_or_too_large_is_refused(
    place: Served, heads: list[Actor]
) -> None:
    with place.signed_in(heads[0].actor_id) as client:
        token = form_token(client.get("/upload/workbook").text)
        headers = {"Origin": place.address}
        forged = client.post(
            "/upload/workbook",
            data={"form_token": "x"},
            files={"workbook": ("book.xlsx", b"x")},
            headers=headers,
        )
        large = client.post(
            "/upload/workbook",
            data={"form_token": token},
            files={"workbook": ("book.xlsx", b"x" * (5 * 1024 * 1024 + 20_000))},
            headers=headers,
        )
        broken = client.post(
            "/upload/workbook",
            content=b"--x\r\nbroken",
            headers=headers | {"Content-Type": "multipart/form-data; boundary=x"},
        )
        empty = client.post(
            "/upload/workbook",
            data={"form_token": token},
            files={"workbook": ("book.xlsx", b"")},
            headers=headers,
        )
    assert [forged.status_code, large.status_code] == [403, 413]
    assert [broken.status_code, empty.status_code] == [403, 400]


def test_auditor_returns_no_workbook(place: Served) -> None:
    with place.signed_in(AUDITOR.actor_id) as client:
        assert client.get("/upload/workbook").status_code == 403
