"""One English text has one translation, whichever catalogue holds it."""

from babel.messages.pofile import read_po

from governance.settings import ROOT

FOLDER = ROOT / "locales" / "zh_CN" / "LC_MESSAGES"


def test_no_text_is_translated_in_two_ways() -> None:
    said: dict[str, set[str]] = {}
    for path in sorted(FOLDER.glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale="zh_CN"):
                if message.id:
                    said.setdefault(str(message.id), set()).add(str(message.string))
    assert {text: words for text, words in said.items() if len(words) > 1} == {}
