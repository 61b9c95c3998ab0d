"""English and Simplified Chinese: English is the source, catalogues hold the rest."""

from collections.abc import Callable, Mapping
from functools import lru_cache

from babel.messages.pofile import read_po

from governance.model import Language
from governance.settings import ROOT

Translate = Callable[[str], str]
"""Takes the English text as written in the code, returns it in one language."""


def translator(language: Language) -> Translate:
    """Return the function that says an English text in a language.

    A text without a translation stays English: better read than lost.
    """
    if language is Language.ENGLISH:
        return _unchanged
    texts = _texts(language)
    return lambda text: texts.get(text, text)


def _unchanged(text: str) -> str:
    return text


@lru_cache(maxsize=len(Language))
def _texts(language: Language) -> Mapping[str, str]:
    """Read every catalogue of a language; a doubtful (fuzzy) entry is not used."""
    texts: dict[str, str] = {}
    folder = ROOT / "locales" / language.value / "LC_MESSAGES"
    for path in sorted(folder.glob("*.po")):
        with path.open("rb") as file:
            catalogue = read_po(file, locale=language.value)
        for message in catalogue:
            said, meant = message.id, message.string
            if not said or message.fuzzy:
                continue
            if isinstance(said, str) and isinstance(meant, str) and meant:
                texts[said] = meant
    return texts
