"""Why a row was not taken in, in the reader's language."""

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from governance.language import translator
from governance.model import Language

Say = Callable[[str], str]


def _sentences(say: Say) -> Mapping[str, str]:
    """Return the sentence of each code; ``{column}`` is the source's own header."""
    return {
        "missing_value": say("{column} is empty, and the row cannot do without it."),
        "not_in_vocabulary": say(
            "{column} is '{value}', which has no meaning here; map it under values in "
            "gatebook.toml."
        ),
        "not_a_flag": say(
            "{column} is '{value}', neither true nor false; map it under values in "
            "gatebook.toml."
        ),
        "not_a_date": say("{column} is '{value}', which is not a date; mend the cell."),
        "not_a_time": say(
            "{column} is '{value}', which is not a date and time; mend the cell."
        ),
        "not_a_number": say(
            "{column} is '{value}', which is not a whole number; mend the cell."
        ),
        "repeated_key": say(
            "{column} '{value}' stands in an earlier row with other values; remove one "
            "of the two at the source."
        ),
        "deleted_at_source": say(
            "The source treats '{value}' as deleted and lets nobody log in with it; "
            "nothing to mend."
        ),
        "unknown_identity": say(
            "No source delivers the person '{value}', for whom an account is "
            "confirmed; mend the row or remove it."
        ),
    }


def in_words(rejected: pl.DataFrame, language: Language) -> pl.DataFrame:
    """Return rejected rows with ``reason`` in a language.

    A code that only one connector knows keeps the English sentence it gave.
    """
    if language is Language.ENGLISH or rejected.is_empty():
        return rejected
    known = _sentences(translator(language))

    def sentence(row: Mapping[str, Any]) -> str:
        pattern = known.get(row["code"])
        if pattern is None:
            return str(row["reason"])
        return pattern.format(column=row["column"], value=row["value"] or "")

    told = [sentence(row) for row in rejected.iter_rows(named=True)]
    return rejected.with_columns(reason=pl.Series(told, dtype=pl.String))
