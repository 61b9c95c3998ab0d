"""Whatever pages and gate say in English, they say in Chinese."""

from pathlib import Path
from string import Formatter

import pytest
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

from governance.language import translator
from governance.model import Language
from governance.settings import ROOT

CATALOGUES = sorted((ROOT / "locales" / "zh_CN" / "LC_MESSAGES").glob("*.po"))


def said(folder: str) -> set[str]:
    """Return every text that modules of a folder hand to the translator."""
    return {
        message
        for path in (ROOT / folder).rglob("*.py")
        for _, message, _, _ in extract_from_file("python", path, keywords={"_": None})
        if isinstance(message, str)
    }


def entries(path: Path) -> list[tuple[str, str]]:
    """Return the entries of one catalogue; a doubtful (fuzzy) one is not used."""
    with path.open("rb") as file:
        return [
            (str(message.id), str(message.string))
            for message in read_po(file, locale="zh_CN")
            if message.id and message.string and not message.fuzzy
        ]


def translated() -> dict[str, str]:
    return {
        english: chinese for path in CATALOGUES for english, chinese in entries(path)
    }


@pytest.mark.parametrize("folder", ["pages", "gate", "governance"])
def test_every_text_has_a_chinese_translation(folder: str) -> None:
    texts = said(folder)
    assert sorted(texts - set(translated())) == []


def test_pages_say_a_good_deal() -> None:
    """Guards the extraction: a renamed translator would leave nothing to compare."""
    assert len(said("pages")) > 250
    assert len(said("gate")) > 5


def test_translations_keep_the_places_for_values() -> None:
    def places(text: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    wrong = {
        english: chinese
        for english, chinese in translated().items()
        if places(english) != places(chinese)
    }
    assert wrong == {}


def test_no_text_is_translated_in_two_ways() -> None:
    """Catalogues are read one over the other: a second meaning would hide the first."""
    ways: dict[str, set[str]] = {}
    for path in CATALOGUES:
        for english, chinese in entries(path):
            ways.setdefault(english, set()).add(chinese)
    assert {text: ways[text] for text in ways if len(ways[text]) > 1} == {}


def test_no_text_of_the_pages_hides_in_a_format_string() -> None:
    """Python 3.11 keeps an f-string whole, so babel finds no text within one."""
    found = [
        (path.name, number)
        for folder in ("pages", "gate")
        for path in (ROOT / folder).rglob("*.py")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if 'f"' in line and "{_(" in line
    ]
    assert found == []


def test_english_is_the_source() -> None:
    assert translator(Language.ENGLISH)("Overview") == "Overview"
    assert translator(Language.CHINESE)("Overview") == "总览"
    assert Path(ROOT, "locales", "zh_CN", "LC_MESSAGES", "gatebook.po").exists()
