"""The language of this session: the browser's, until the person chooses."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import streamlit as st
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, format_percent

from governance.language import Translate, translator
from governance.model import Language
from governance.settings import Settings

CHOICE = "language_choice"
NAMES = {Language.ENGLISH: "English", Language.CHINESE: "中文"}


def language() -> Language:
    """Return the language chosen in the sidebar, else the browser's, else English."""
    chosen = st.session_state.get(CHOICE)
    if chosen in set(Language):
        return Language(chosen)
    told = (st.context.locale or "").lower()
    return Language.CHINESE if told.startswith("zh") else Language.ENGLISH


def words() -> Translate:
    """Return the translator of this session; pages call it ``_``."""
    return translator(language())


def number(value: int) -> str:
    """Return a whole number as the language writes it."""
    return str(format_decimal(value, locale=language().value))


def share(value: float) -> str:
    """Return a share of one as a percentage."""
    return str(format_percent(value, format="#,##0%", locale=language().value))


def moment(value: datetime | None, settings: Settings) -> str:
    """Return a moment in the organisation's own time zone; unknown is a dash."""
    if value is None:
        return "—"
    return str(
        format_datetime(
            value,
            "y年M月d日 HH:mm" if language() is Language.CHINESE else "d MMM y HH:mm",
            tzinfo=ZoneInfo(settings.time_zone),
            locale=language().value,
        )
    )


def day(value: date | None) -> str:
    """Return a date as the language writes it; unknown is a dash."""
    if value is None:
        return "—"
    form = "y年M月d日" if language() is Language.CHINESE else "d MMM y"
    return str(format_date(value, form, locale=language().value))
