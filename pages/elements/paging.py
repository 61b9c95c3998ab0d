"""Which page of a long list is shown."""

import streamlit as st

from pages.session.language import number, words


def page_number(total: int, per_page: int, *, key: str) -> int:
    """Show how long the list is and its pages; return the page chosen, from 0."""
    _ = words()
    pages = max(1, -(-total // per_page))
    kept = f"{key}_page"
    chosen = st.session_state.get(kept, 1)
    if not isinstance(chosen, int) or not 1 <= chosen <= pages:
        st.session_state[kept] = chosen = 1
    if pages == 1:
        st.caption(_("{total} rows").format(total=number(total)))
        return 0
    first = (chosen - 1) * per_page + 1
    words_side, pages_side = st.columns([1, 2], vertical_alignment="center")
    words_side.caption(
        _("Rows {first} to {last} of {total}").format(
            first=number(first),
            last=number(min(total, first + per_page - 1)),
            total=number(total),
        )
    )
    with pages_side:
        return int(st.pagination(pages, key=kept, width="stretch")) - 1
