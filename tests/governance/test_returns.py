"""Returned workbooks: honest ones are taken however saved, hostile ones refused."""

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook as Book
from openpyxl.worksheet.worksheet import Worksheet

from governance import attestations, audit_trail, campaigns
from governance.app_roles import Actor, AppRole, NotAllowedError
from governance.attestations import (
    DecisionError,
    Return,
    ReturnError,
    files,
    keys,
    reading,
)
from governance.attestations.problems import SENTENCES
from governance.model import Decision, Language
from tests.review import (
    ALL,
    BOSS,
    CEO,
    MANAGER,
    NOW,
    Review,
    fill,
    load,
    review_sheet,
    save,
    saved_by_libreoffice,
)


def codes(returned: Return) -> list[str]:
    return [problem.code for problem in returned.problems]


def outcomes(returned: Return) -> dict[str, str]:
    return dict(returned.preview.select("login", "outcome").iter_rows())


def edited(content: bytes, edit: Callable[[Worksheet], object]) -> bytes:
    book = load(content)
    edit(review_sheet(book))
    return save(book)


# Honest files -------------------------------------------------------------------------


def test_a_campaign_goes_from_opening_to_closing_through_libreoffice(
    review: Review, tmp_path: Path
) -> None:
    answers = {
        "ada": ("Keep until", date(2026, 12, 31), "Project ends then"),
        "bob": ("Change", None, "只读即可 = read only"),
        "eve": ("Revoke",),
    }
    filled = fill(review.issue().content, answers, name="Boss")
    content = saved_by_libreoffice(filled, tmp_path)
    assert content != filled
    returned = review.receive(content)
    assert returned.problems == ()
    assert returned.notices == ()
    assert outcomes(returned) == {"eve": "record", "ada": "record", "bob": "record"}
    assert (
        campaigns.items(review.register, review.campaign_id)["decision"].is_null().all()
    )
    confirmed = review.confirm(returned)
    assert confirmed.confirmed_at == NOW
    rows = {login: review.row(login) for login in answers}
    assert {login: row["decision"] for login, row in rows.items()} == {
        "ada": "keep_until",
        "bob": "change",
        "eve": "revoke",
    }
    assert rows["ada"]["keep_until"] == date(2026, 12, 31)
    assert rows["bob"]["comment"] == "只读即可 = read only"
    assert {row["channel"] for row in rows.values()} == {"workbook"}
    assert {row["attested_at"] for row in rows.values()} == {NOW}
    review.decide(review.answer("boss", Decision.KEEP), actor=CEO)
    attestations.attest(review.register, CEO, review.campaign_id, NOW)
    closed = campaigns.close_campaign(review.register, MANAGER, review.campaign_id, NOW)
    assert not closed.is_open
    assert audit_trail.verify_chain(review.register) > 0
    kept = attestations.returned_file(review.register, returned.return_id)
    assert kept == ("answers.xlsx", content)


def test_an_untouched_workbook_from_libreoffice_records_nothing(
    review: Review, tmp_path: Path
) -> None:
    content = saved_by_libreoffice(review.issue(Language.CHINESE).content, tmp_path)
    returned = review.receive(content)
    assert returned.problems == ()
    assert set(outcomes(returned).values()) == {"blank"}
    assert returned.counts["undecided"] == 3


@pytest.mark.parametrize("issued_in", list(Language))
@pytest.mark.parametrize(
    ("word", "decision"),
    [
        ("Keep", "keep"),
        (" KEEP ", "keep"),
        ("保留", "keep"),
        ("revoke", "revoke"),
        ("撤销", "revoke"),
        ("非我负责", "not_mine"),
        ("Not  mine", "not_mine"),
        ("keep_until", "keep_until"),
    ],
)
def test_decisions_are_taken_in_either_language(
    review: Review, issued_in: Language, word: str, decision: str
) -> None:
    until = date(2026, 12, 31) if decision == "keep_until" else None
    content = fill(review.issue(issued_in).content, {"ada": (word, until)})
    told = review.receive(content)
    assert told.problems == ()
    assert "".join(told.preview["decision"].drop_nulls()) == decision


@pytest.mark.parametrize(
    "written",
    [
        date(2026, 12, 31),
        datetime(2026, 12, 31, 0, 0),  # noqa: DTZ001 - spreadsheets know no zone
        "2026-12-31",
        "2026/12/31",
        "2026年12月31日",
        "２０２６-１２-３１",
    ],
)
def test_dates_are_taken_as_people_write_them(review: Review, written: object) -> None:
    content = fill(review.issue().content, {"ada": ("Keep until", written)})
    told = review.receive(content)
    assert told.problems == ()
    assert told.preview["keep_until"].drop_nulls().to_list() == [date(2026, 12, 31)]


def test_sorted_filtered_and_widened_is_still_good(review: Review) -> None:
    def rearrange(sheet: Worksheet) -> None:
        rows = [[cell.value for cell in sheet[line]] for line in (9, 10, 11)]
        for line, values in zip((9, 10, 11), reversed(rows), strict=True):
            for cell, value in zip(sheet[line], values, strict=True):
                cell.value = value
        sheet.column_dimensions["I"].width = 120
        sheet.row_dimensions[10].hidden = True
        sheet.auto_filter.add_filter_column(1, ["Critical"])
        sheet["I14"] = "a note of my own"

    content = edited(fill(review.issue().content, ALL), rearrange)
    returned = review.receive(content)
    assert returned.problems == ()
    assert outcomes(returned) == {"bob": "record", "ada": "record", "eve": "record"}


def test_a_blank_row_stays_undecided_and_is_never_a_keep(review: Review) -> None:
    returned = review.receive(fill(review.issue().content, {"ada": ("Keep",)}))
    review.confirm(returned)
    assert review.row("ada")["decision"] == "keep"
    assert review.row("bob")["decision"] is None


def test_the_rest_can_follow_in_the_same_workbook(review: Review) -> None:
    issued = review.issue().content
    review.confirm(review.receive(fill(issued, {"ada": ("Keep",)})))
    rest = review.receive(fill(issued, ALL, name="Boss"))
    assert outcomes(rest) == {"eve": "record", "ada": "same", "bob": "record"}
    review.confirm(rest)
    status = campaigns.status(review.register, review.campaign_id).to_dicts()
    assert next(one for one in status if one["reviewer_id"] == "hr:boss")["attested_at"]


def test_nothing_is_recorded_before_it_is_confirmed(review: Review) -> None:
    returned = review.receive(fill(review.issue().content, ALL))
    assert review.row("ada")["decision"] is None
    again = attestations.returned(review.register, returned.return_id)
    assert again.preview.equals(returned.preview)
    assert again.can_be_confirmed
    assert returned.counts == {
        "keep": 2,
        "revoke": 1,
        "change": 0,
        "keep_until": 0,
        "not_mine": 0,
        "undecided": 0,
        "unchanged": 0,
        "left_out": 0,
    }


def test_confirming_twice_records_once(review: Review) -> None:
    returned = review.receive(fill(review.issue().content, ALL))
    first = review.confirm(returned)
    count = audit_trail.count(review.register)
    assert review.confirm(returned).confirmed_at == first.confirmed_at
    assert audit_trail.count(review.register) == count


def test_a_decision_made_on_the_page_meanwhile_stands(review: Review) -> None:
    issued = review.issue().content
    review.decide(review.answer("ada", Decision.REVOKE))
    returned = review.receive(fill(issued, ALL))
    assert outcomes(returned)["ada"] == "conflict"
    assert [notice.code for notice in returned.notices] == ["ALREADY_DECIDED"]
    review.confirm(returned)
    assert review.row("ada")["decision"] == "revoke"
    assert review.row("bob")["decision"] == "keep"


def test_a_decision_made_between_preview_and_confirming_stops_it_all(
    review: Review,
) -> None:
    returned = review.receive(fill(review.issue().content, ALL))
    review.decide(review.answer("ada", Decision.REVOKE))
    with pytest.raises(DecisionError) as error:
        review.confirm(returned)
    assert [one.code for one in error.value.problems] == ["ALREADY_DECIDED"]
    assert review.row("bob")["decision"] is None
    assert attestations.returned(review.register, returned.return_id).can_be_confirmed


def test_a_row_handed_on_meanwhile_is_left_out(review: Review) -> None:
    content = fill(review.issue().content, ALL)
    item_ids = [review.row("ada")["item_id"]]
    campaigns.assign(
        review.register, MANAGER, review.campaign_id, item_ids, "hr:ceo", NOW
    )
    returned = review.receive(content)
    assert outcomes(returned)["ada"] == "not_yours"
    assert [notice.code for notice in returned.notices] == ["NOT_YOURS"]
    review.confirm(returned)
    assert review.row("ada")["decision"] is None


def test_a_signature_before_the_last_row_is_not_taken(review: Review) -> None:
    content = fill(review.issue().content, {"ada": ("Keep",)}, name="Boss")
    returned = review.receive(content)
    assert [notice.code for notice in returned.notices] == ["SIGN_OFF_INCOMPLETE"]
    assert not returned.signs
    review.confirm(returned)
    assert attestations.attestations(review.register, review.campaign_id).is_empty()


def test_brought_in_for_the_reviewer_both_are_named(review: Review) -> None:
    content = fill(review.issue().content, ALL, name="Boss")
    returned = review.receive(content, MANAGER)
    review.confirm(returned, MANAGER)
    row = review.row("ada")
    assert (row["decided_by"], row["recorded_by"]) == ("hr:boss", "hr:sam")
    signed = attestations.attestations(review.register, review.campaign_id).to_dicts()
    assert (signed[0]["reviewer_id"], signed[0]["recorded_by"]) == ("hr:boss", "hr:sam")
    events = audit_trail.events(review.register, limit=10).to_dicts()
    confirmed = next(one for one in events if one["action"] == "return.confirm")
    assert confirmed["actor_id"] == "hr:sam"
    assert '"reviewer_id": "hr:boss"' in confirmed["details"]


def test_who_brings_it_in_gains_no_say_over_their_own_access(review: Review) -> None:
    ada = Actor(
        actor_id="hr:ada",
        name="Ada",
        role=AppRole.SECURITY_MANAGER,
        identity_id="hr:ada",
    )
    returned = review.receive(fill(review.issue().content, ALL), ada)
    assert codes(returned) == ["SELF_REVIEW"]


# Hostile and mistaken files -----------------------------------------------------------


def set_cell(place: str, value: str | int | None) -> Callable[[Worksheet], object]:
    return lambda sheet: sheet.__setitem__(place, value)


def swap_ids(sheet: Worksheet) -> None:
    for column in "NOP":
        first, second = sheet[f"{column}9"].value, sheet[f"{column}10"].value
        sheet[f"{column}9"], sheet[f"{column}10"] = second, first


def copy_row(sheet: Worksheet) -> None:
    for column in "ABCDEFGHIJKLMNOP":
        sheet[f"{column}12"] = sheet[f"{column}9"].value


def rename(sheet: Worksheet) -> None:
    sheet.title = "Mine"


@pytest.mark.parametrize(
    ("edit", "code", "cell"),
    [
        (set_cell("D9", "Somebody Else"), "ROW_TAMPERED", "Review!D9"),
        (set_cell("B9", "Low"), "ROW_TAMPERED", "Review!B9"),
        (set_cell("H10", "Nothing"), "ROW_TAMPERED", "Review!H10"),
        (set_cell("I9", None), "ROW_TAMPERED", "Review!I9"),
        (set_cell("A9", 7), "ROW_TAMPERED", "Review!P9"),
        (set_cell("O9", "5"), "ROW_TAMPERED", "Review!P9"),
        (set_cell("P9", "0" * 32), "ROW_TAMPERED", "Review!P9"),
        (set_cell("N9", "0" * 24), "ROW_TAMPERED", "Review!N9"),
        (swap_ids, "ROW_TAMPERED", "Review!B9"),
        (copy_row, "DUPLICATE_ROW", "Review!N12"),
        (lambda sheet: sheet.delete_rows(10), "ROWS_MISSING", None),
        (set_cell("K13", "Keep"), "UNKNOWN_ROW", "Review!A13"),
        (set_cell("K10", '=IF(1,"Keep","")'), "FORMULA", "Review!K10"),
        (set_cell("M10", "=1+1"), "FORMULA", "Review!M10"),
        (set_cell("D10", "=D9"), "FORMULA", "Review!D10"),
        (set_cell("N3", "=N2"), "FORMULA", "Review!N3"),
        (set_cell("K10", "Maybe"), "BAD_DECISION", "Review!K10"),
        (set_cell("L10", "soon"), "BAD_DATE", "Review!L10"),
        (set_cell("L10", "31/12/2026"), "BAD_DATE", "Review!L10"),
        (set_cell("L10", "2026-02-30"), "BAD_DATE", "Review!L10"),
        (set_cell("M10", "a comment"), "ANSWER_WITHOUT_DECISION", "Review!K10"),
        (set_cell("K10", "Keep until"), "DATE_MISSING", "Review!L10"),
        (set_cell("K10", "Change"), "REASON_MISSING", "Review!M10"),
        (set_cell("K9", "Keep"), "REASON_MISSING", "Review!M9"),
        (set_cell("N3", "hr:ceo"), "WB_TAMPERED", "Review!D2"),
        (set_cell("N4", "2"), "WB_TAMPERED", "Review!D5"),
        (set_cell("N4", "two"), "WB_TAMPERED", None),
        (set_cell("N5", "2"), "WB_TAMPERED", "Review!D5"),
        (set_cell("N7", "zh_CN"), "WB_TAMPERED", "Review!A1"),
        (set_cell("N7", "fr"), "WB_TAMPERED", None),
        (set_cell("D4", "2027-01-01"), "WB_TAMPERED", "Review!D4"),
        (set_cell("A1", "Another review"), "WB_TAMPERED", "Review!A1"),
        (set_cell("P1", "0" * 32), "WB_TAMPERED", "Review!P1"),
        (set_cell("K8", "Comment"), "WB_TAMPERED", "Review!K8"),
        (rename, "WB_TAMPERED", None),
        (set_cell("N2", "review-2026-01-01-00000000"), "UNKNOWN_CAMPAIGN", "Review!N2"),
        (set_cell("N1", "x"), "NOT_A_WORKBOOK", None),
    ],
)
def test_an_edited_workbook_is_refused_by_name_and_cell(
    review: Review, edit: Callable[[Worksheet], object], code: str, cell: str | None
) -> None:
    returned = review.receive(edited(review.issue().content, edit))
    assert code in codes(returned)
    problem = next(one for one in returned.problems if one.code == code)
    assert problem.cell == cell
    assert returned.preview.is_empty()
    with pytest.raises(ReturnError):
        review.confirm(returned)
    assert (
        campaigns.items(review.register, review.campaign_id)["decision"].is_null().all()
    )
    for language in Language:
        assert "{" not in problem.sentence(language)


@pytest.mark.parametrize(
    ("place", "value", "code"),
    [
        ("B7", "Perhaps", "BAD_SIGN_OFF"),
        ("B5", None, "NAME_MISSING"),
        ("B5", "=A1", "FORMULA"),
        ("A3", "I have reviewed nothing.", "WB_TAMPERED"),
    ],
)
def test_a_signature_block_that_was_meddled_with_is_refused(
    review: Review, place: str, value: str | None, code: str
) -> None:
    book = load(fill(review.issue().content, ALL, name="Boss"))
    book.worksheets[2][place] = value
    assert codes(review.receive(save(book))) == [code]


@pytest.mark.parametrize("sign", ["No", "否", ""])
def test_a_signature_that_says_no_is_none(review: Review, sign: str) -> None:
    content = fill(review.issue().content, ALL, name="Boss", sign=sign)
    returned = review.receive(content)
    assert returned.problems == ()
    assert not returned.signs


def test_the_chinese_yes_signs_an_english_workbook(review: Review) -> None:
    content = fill(review.issue().content, ALL, name="Boss", sign="是")
    assert review.receive(content).signs


def test_an_older_version_is_stale(review: Review) -> None:
    older = fill(review.issue().content, ALL)
    review.decide(review.answer("bob", Decision.KEEP))
    review.issue()
    returned = review.receive(older)
    assert codes(returned) == ["STALE_WORKBOOK"]
    assert "version 2" in returned.problems[0].sentence()


def test_a_version_issued_between_preview_and_confirming_supersedes(
    review: Review,
) -> None:
    returned = review.receive(fill(review.issue().content, ALL))
    review.issue(Language.CHINESE)
    with pytest.raises(ReturnError) as error:
        review.confirm(returned)
    assert error.value.problems[0].code == "STALE_WORKBOOK"


def test_the_same_file_again_says_when_it_was_recorded(review: Review) -> None:
    content = fill(review.issue().content, ALL)
    review.confirm(review.receive(content))
    returned = review.receive(content)
    assert codes(returned) == ["ALREADY_RECORDED"]
    assert "2026-08-03 01:00 UTC" in returned.problems[0].sentence()


def test_the_same_file_received_twice_is_recorded_once(review: Review) -> None:
    content = fill(review.issue().content, ALL)
    first, second = review.receive(content), review.receive(content)
    review.confirm(first)
    with pytest.raises(ReturnError) as error:
        review.confirm(second)
    assert error.value.problems[0].code == "ALREADY_RECORDED"


def test_somebody_elses_workbook_is_refused(review: Review) -> None:
    returned = review.receive(fill(review.issue().content, ALL), CEO)
    assert codes(returned) == ["WRONG_PERSON"]
    assert "Boss" in returned.problems[0].sentence()


def test_a_preview_is_confirmed_by_the_reviewer_or_on_their_behalf_only(
    review: Review,
) -> None:
    returned = review.receive(fill(review.issue().content, ALL))
    with pytest.raises(NotAllowedError):
        review.confirm(returned, CEO)


def test_an_auditor_returns_nothing(review: Review) -> None:
    auditor = Actor(
        actor_id="hr:boss", name="Boss", role=AppRole.AUDITOR, identity_id="hr:boss"
    )
    with pytest.raises(NotAllowedError):
        review.receive(review.issue().content, auditor)


def test_after_closing_it_is_refused(review: Review) -> None:
    content = fill(review.issue().content, ALL)
    campaigns.close_campaign(
        review.register, MANAGER, review.campaign_id, NOW, accept_undecided=True
    )
    assert codes(review.receive(content)) == ["CAMPAIGN_CLOSED"]


def test_after_the_due_date_it_is_refused(review: Review) -> None:
    content = fill(review.issue().content, ALL)
    late = NOW + timedelta(days=30)
    assert codes(review.receive(content, now=late)) == ["CAMPAIGN_OVERDUE"]


def test_a_workbook_of_another_installation_is_refused(
    review: Review,
) -> None:
    content = fill(review.issue().content, ALL)
    (review.settings.data / keys.FILE).unlink()
    assert codes(review.receive(content)) == ["WB_TAMPERED"]


# Files that are no workbooks ----------------------------------------------------------


def with_part(content: bytes, name: str, data: bytes) -> bytes:
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for part in source.infolist():
            if part.filename != name:
                archive.writestr(part, source.read(part))
        archive.writestr(name, data)
    return target.getvalue()


def part_of(content: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read(name)


def twice(content: bytes) -> bytes:
    target = io.BytesIO(content)
    with (
        pytest.warns(UserWarning, match="Duplicate"),
        zipfile.ZipFile(target, "a") as archive,
    ):
        archive.writestr("xl/workbook.xml", b"<x/>")
    return target.getvalue()


def cell_twice(content: bytes) -> bytes:
    name = "xl/worksheets/sheet2.xml"
    sheet = part_of(content, name)
    start = sheet.index(b'<c r="K9"')
    again = b'<c r="K9" t="inlineStr"><is><t>Keep</t></is></c>'
    return with_part(content, name, sheet[:start] + again + sheet[start:])


def far_cells() -> bytes:
    book = Book()
    book.worksheets[0]["A1"] = 1
    book.worksheets[0]["XFD1048576"] = 1
    return save(book)


def entities(content: bytes) -> bytes:
    sheet = part_of(content, "xl/worksheets/sheet2.xml")
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
    return with_part(content, "xl/worksheets/sheet2.xml", laughs + sheet)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda _: b"", "NOT_A_WORKBOOK"),
        (lambda _: b"\xd0\xcf\x11\xe0" + b"x" * 600, "NOT_A_WORKBOOK"),
        (lambda _: b"<html><table></table></html>", "NOT_A_WORKBOOK"),
        (lambda _: b"login,decision\nada,keep\n", "NOT_A_WORKBOOK"),
        (lambda content: content[: len(content) // 2], "NOT_A_WORKBOOK"),
        (
            lambda content: content[:200] + b"\x00" * 50 + content[250:],
            "NOT_A_WORKBOOK",
        ),
        (lambda _: save(Book()), "NOT_A_WORKBOOK"),
        (
            lambda content: with_part(content, "xl/worksheets/sheet2.xml", b"<a"),
            "NOT_A_WORKBOOK",
        ),
        (lambda _: b"PK\x03\x04" + b"x" * (5 * 1024 * 1024), "TOO_LARGE"),
        (lambda content: with_part(content, "xl/vbaProject.bin", b"x"), "UNSAFE_FILE"),
        (lambda content: with_part(content, "../../evil.xml", b"x"), "UNSAFE_FILE"),
        (lambda content: with_part(content, "/etc/evil.xml", b"x"), "UNSAFE_FILE"),
        (
            lambda content: with_part(
                content, "xl/externalLinks/externalLink1.xml", b"<x/>"
            ),
            "UNSAFE_FILE",
        ),
        (
            lambda content: with_part(content, "xl/embeddings/oleObject1.bin", b"x"),
            "UNSAFE_FILE",
        ),
        (
            lambda content: with_part(
                content, "docProps/custom.xml", b" " * (60 * 1024 * 1024)
            ),
            "UNSAFE_FILE",
        ),
        (
            lambda content: with_part(
                content, "docProps/custom.xml", b" " * (2 * 1024 * 1024)
            ),
            "UNSAFE_FILE",
        ),
        (twice, "UNSAFE_FILE"),
        (cell_twice, "UNSAFE_FILE"),
        (entities, "UNSAFE_FILE"),
        (lambda _: far_cells(), "UNSAFE_FILE"),
    ],
    ids=[
        "empty",
        "old xls",
        "html",
        "csv",
        "cut off",
        "damaged",
        "another workbook",
        "broken sheet",
        "too large",
        "macro",
        "upwards",
        "absolute",
        "external link",
        "embedded",
        "bomb",
        "packed too tightly",
        "part twice",
        "cell twice",
        "entities",
        "far cells",
    ],
)
def test_what_is_no_review_workbook_is_refused(
    review: Review, spoil: Callable[[bytes], bytes], code: str
) -> None:
    returned = review.receive(spoil(review.issue().content))
    assert codes(returned) == [code]
    for language in Language:
        assert "{" not in returned.problems[0].sentence(language)
    if returned.campaign_id is None:
        with pytest.raises(ReturnError):
            attestations.returned_file(review.register, returned.return_id)


def test_a_file_that_takes_too_long_or_too_much_is_refused(
    review: Review, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    greedy = tmp_path / "greedy.py"
    greedy.write_text(
        "import sys\n"
        f"sys.path.insert(0, {str(Path(reading.__file__).parent)!r})\n"
        "import reading\n"
        "reading.limit_resources()\n"
        "held = bytearray(2 * reading.MEMORY_BYTES)\n"
    )
    monkeypatch.setattr(files, "_READER", greedy)
    assert codes(review.receive(review.issue().content)) == ["UNREADABLE"]
    slow = tmp_path / "slow.py"
    slow.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(files, "_READER", slow)
    monkeypatch.setattr(files, "_SECONDS", 0.5)
    assert codes(review.receive(review.issue().content)) == ["UNREADABLE"]


def test_the_name_of_a_file_is_a_text_and_nothing_else(review: Review) -> None:
    returned = attestations.receive(
        review.register,
        review.settings,
        BOSS,
        "../../=cmd\x00\r\n.xlsx",
        review.issue().content,
        NOW,
    )
    assert returned.file_name == "../../=cmd .xlsx"


def test_an_unknown_return_is_named(review: Review) -> None:
    with pytest.raises(ReturnError, match="return-0"):
        attestations.returned(review.register, "return-0")


def test_returns_are_listed_newest_first(review: Review) -> None:
    review.receive(fill(review.issue().content, {}))
    review.confirm(review.receive(fill(review.issue().content, ALL)))
    listed = attestations.returns(review.register, review.campaign_id)
    assert listed["confirmed_by_name"].to_list() == ["Boss", None]


def test_every_code_has_a_sentence() -> None:
    told: dict[str, Any] = dict(SENTENCES)
    assert all(sentence.endswith((".", "”")) for sentence in told.values())
