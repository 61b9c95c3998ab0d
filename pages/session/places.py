"""The pages this person may open, and ways from one to another."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

_KEPT = "pages_of_this_person"
Pages = Mapping[str, Any]


def remember(pages: Pages) -> None:
    """Keep the pages offered in this run, by name."""
    st.session_state[_KEPT] = dict(pages)


def exists(name: str) -> bool:
    """Return whether this person has a page of that name."""
    return name in st.session_state.get(_KEPT, {})


def go(name: str, **parameters: str | None) -> None:
    """Open another page; one the person does not have is not opened."""
    if exists(name):
        st.switch_page(st.session_state[_KEPT][name], query_params=_told(parameters))


def link(label: str, name: str, **parameters: str | None) -> None:
    """Write a link to another page; plain words where the person does not have it."""
    if exists(name):
        st.page_link(
            st.session_state[_KEPT][name], label=label, query_params=_told(parameters)
        )
    else:
        st.markdown(label)


def _told(parameters: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in parameters.items() if value}
