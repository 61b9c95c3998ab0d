"""The workbook a reviewer gets: their rows alone, plain words, nothing live in it."""

import io
import re
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl.worksheet.worksheet import Worksheet

from governance import attestations, audit_trail, campaigns
from governance.app_roles import NotAllowedError
from governance.attestations import DecisionError, keys, layout
from governance.attestations.decisions import STATEMENT
from governance.attestations.problems import SENTENCES
from governance.campaigns import CampaignError
from governance.campaigns.plan import EXCLUSIONS
from governance.campaigns.reasons import FIELDS
from governance.language import translator
from governance.model import Decision, Language
from tests.company import Company, settings
from tests.review import (
    BOSS,
    CEO,
    MANAGER,
    NOW,
    Review,
    line_of,
    load,
    opened,
    review_sheet,
    reviewer,
    saved_by_libreoffice,
    staff,
)

HOSTILE = (
    '=HYPERLINK("http://example.com","x")',
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "＝1+1",
    "http://example.com",
    "mailto:ada@example.com",
    "a\x00b\x07c",
    "line\r\nbreak",
    "_x0041_",
    "\ufffe",
    "𠮷王伟",
)


def logins(sheet: Worksheet) -> list[str]:
    return [str(sheet[f"G{line}"].value) for line in range(9, sheet.max_row + 1)]


def texts(content: bytes) -> Iterator[str]:
    for sheet in load(content).worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if isinstance(cell.value, str):
                    yield cell.value


def test_it_holds_the_reviewers_rows_and_no_others(review: Review) -> None:
    content = review.issue().content
    assert logins(review_sheet(load(content))) == ["eve", "ada", "bob"]
    assert "Ceo" not in " ".join(texts(content))


def test_its_header_says_whose_it_is_and_until_when(review: Review) -> None:
    sheet = review_sheet(load(review.issue().content))
    assert sheet["A1"].value == "Access review: Third quarter"
    assert [sheet[f"D{row}"].value for row in range(2, 6)] == [
        "Boss",
        "2026-08-01 08:30 Asia/Shanghai (2026-08-01T003000Z)",
        "2026-08-20",
        "1, with 3 rows",
    ]


def test_each_row_says_why_in_plain_words(review: Review) -> None:
    sheet = review_sheet(load(review.issue().content))
    line = line_of(sheet, "eve")
    assert sheet[f"B{line}"].value == "Critical"
    assert str(sheet[f"I{line}"].value).startswith("Eve left on 2026-06-01")


def test_in_chinese_every_word_of_ours_is_chinese(review: Review) -> None:
    book = load(review.issue(Language.CHINESE).content)
    assert book.sheetnames == ["填写说明", "审阅", "签署"]
    sheet = review_sheet(book)
    assert [cell.value for cell in sheet[8]][:13] == [
        "序号",
        "风险",
        "与上次相比",
        "人员",
        "部门与职务",
        "系统",
        "登录名",
        "权限",
        "为何需要审阅",
        "上次决定",
        "决定",
        "保留至",
        "说明",
    ]
    lists = [one.formula1 for one in sheet.data_validations.dataValidation]
    assert '"保留,撤销,调整,保留至,非我负责"' in lists
    words = [
        text
        for sheet in (book.worksheets[0], book.worksheets[2])
        for row in sheet.iter_rows()
        for cell in row
        if isinstance(text := cell.value, str)
    ]
    assert [word for word in words if re.search(r"[A-Za-z]{4} [a-z]{2,} ", word)] == []


def test_facts_are_locked_and_answers_are_not(review: Review) -> None:
    sheet = review_sheet(load(review.issue().content))
    assert sheet.protection.sheet
    for column in layout.FACT_COLUMNS:
        assert sheet[f"{column}9"].protection.locked
    for column in layout.ANSWER_COLUMNS:
        assert not sheet[f"{column}9"].protection.locked
    for column in "NOP":
        assert sheet.column_dimensions[column].hidden


def test_it_is_pleasant_to_read_and_print(review: Review) -> None:
    sheet = review_sheet(load(review.issue().content))
    assert sheet.freeze_panes == "E9"
    assert sheet.auto_filter.ref == "A8:P11"
    assert sheet.print_title_rows == "$8:$8"
    assert sheet.page_setup.orientation == "landscape"
    assert sheet.page_setup.fitToWidth == 1
    assert sheet["I9"].alignment.wrap_text
    assert sheet.conditional_formatting


def test_foreign_text_is_never_a_formula_nor_a_link(
    company: Company, tmp_path: Path
) -> None:
    staff(company)
    for number, text in enumerate(HOSTILE):
        company.has_role(f"r{number}", name=text, description=text)
        company.grants("ada", f"r{number}")
    review = opened(company)
    content = review.issue().content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = [archive.read(name) for name in archive.namelist()]
    assert not any(b"<f>" in part or b"<hyperlink" in part for part in parts)
    assert any(b'quotePrefix="1"' in part for part in parts)
    assert review.receive(content).problems == ()
    assert review.receive(saved_by_libreoffice(content, tmp_path)).problems == ()


def test_a_decision_made_on_the_page_is_filled_in(review: Review) -> None:
    review.decide(review.answer("ada", Decision.KEEP, "needs it"))
    sheet = review_sheet(load(review.issue(Language.CHINESE).content))
    line = line_of(sheet, "ada")
    assert (sheet[f"K{line}"].value, sheet[f"M{line}"].value) == ("保留", "needs it")


def test_issued_again_unchanged_it_keeps_its_version(review: Review) -> None:
    assert review.issue().version == 1
    assert review.issue().version == 1
    assert attestations.issued(review.register, review.campaign_id).height == 1


@pytest.mark.parametrize("what", ["decision", "language", "assignment"])
def test_after_a_change_it_is_a_new_version(review: Review, what: str) -> None:
    review.issue()
    language = Language.ENGLISH
    if what == "decision":
        review.decide(review.answer("ada", Decision.KEEP))
    elif what == "language":
        language = Language.CHINESE
    else:
        item_ids = [review.row("ada")["item_id"]]
        campaigns.assign(
            review.register, MANAGER, review.campaign_id, item_ids, "hr:ceo", NOW
        )
    assert review.issue(language).version == 2


def test_it_prints_the_head_of_the_audit_trail(review: Review) -> None:
    head = audit_trail.head(review.register)
    assert any(head.chain in text for text in texts(review.issue().content))


def test_a_security_manager_may_issue_it_too(review: Review) -> None:
    assert review.issue(actor=MANAGER).rows == 3


@pytest.mark.parametrize("actor", [CEO, reviewer("bob")])
def test_nobody_else_may_take_it(review: Review, actor: object) -> None:
    assert isinstance(actor, type(BOSS))
    with pytest.raises(NotAllowedError):
        review.issue(actor=actor)


def test_who_reviews_nothing_gets_none(review: Review) -> None:
    with pytest.raises(CampaignError, match="has no rows"):
        attestations.issue_workbook(
            review.register,
            review.settings,
            review.campaign_id,
            "hr:bob",
            Language.ENGLISH,
            MANAGER,
            NOW,
        )


def test_a_closed_campaign_issues_none(review: Review) -> None:
    campaigns.close_campaign(
        review.register, MANAGER, review.campaign_id, NOW, accept_undecided=True
    )
    with pytest.raises(DecisionError, match="closed"):
        review.issue()


def test_two_reviewers_of_one_name_get_two_files(company: Company) -> None:
    staff(company)
    for person in company.rows["hr", "identities"]:
        if person["identity_id"] in ("hr:boss", "hr:ceo"):
            person["display_name"] = "王伟/.."
    review = opened(company)
    names = {
        attestations.issue_workbook(
            review.register,
            review.settings,
            review.campaign_id,
            reviewer_id,
            Language.CHINESE,
            MANAGER,
            NOW,
        ).name
        for reviewer_id in ("hr:boss", "hr:ceo")
    }
    assert len(names) == 2
    assert all(re.fullmatch(r"[\w-]+\.xlsx", name) for name in names)


# The key ------------------------------------------------------------------------------


def test_the_key_is_the_owners_alone_and_stays(review: Review) -> None:
    path = review.settings.data / keys.FILE
    first = keys.campaign_key(review.settings, "a")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert keys.campaign_key(review.settings, "a") == first
    assert keys.campaign_key(review.settings, "b") != first


def test_a_key_that_others_can_read_is_refused(review: Review) -> None:
    keys.campaign_key(review.settings, "a")
    (review.settings.data / keys.FILE).chmod(0o640)
    with pytest.raises(keys.KeyFileError, match="chmod 600"):
        keys.campaign_key(review.settings, "a")


def test_a_damaged_key_is_refused(company: Company) -> None:
    installation = settings(company.folder)
    installation.data.mkdir()
    (installation.data / keys.FILE).touch(mode=0o600)
    with pytest.raises(keys.KeyFileError, match="damaged"):
        keys.campaign_key(installation, "a")


# Words --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    sorted(
        {
            *SENTENCES.values(),
            *FIELDS.values(),
            *EXCLUSIONS.values(),
            *layout.FACT_COLUMNS.values(),
            *layout.ANSWER_COLUMNS.values(),
            *layout.HEADER_LABELS.values(),
            *layout.DECISION_WORDS.values(),
            *layout.RISK_WORDS.values(),
            *layout.CHANGE_WORDS.values(),
            *layout.ABILITY_WORDS.values(),
            STATEMENT,
            layout.YES,
            layout.NO,
        }
        - {"—"}
    ),
)
def test_every_sentence_is_translated_with_the_same_places(said: str) -> None:
    meant = translator(Language.CHINESE)(said)
    assert meant != said
    places = re.compile(r"\{(\w+)\}")
    assert sorted(places.findall(meant)) == sorted(places.findall(said))


def test_a_text_without_translation_stays_english() -> None:
    assert translator(Language.CHINESE)("No such text") == "No such text"
