"""Figures that open their rows: a number one can press."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from pages.session.language import number


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One figure and what it is of."""

    code: str
    """What pressing it chooses."""
    label: str
    figure: int
    tone: str = "plain"
    """The colour of its edge: a severity, a status or plain."""
    help: str | None = None


def tiles(name: str, shown: Sequence[Tile], chosen: str | None) -> str | None:
    """Show figures side by side; return the code of the one pressed in this run."""
    pressed = None
    for column, tile in zip(st.columns(len(shown)), shown, strict=True):
        state = "chosen" if tile.code == chosen else "open"
        key = f"tile-{tile.tone}-{state}-{name}-{tile.code}"
        if column.button(
            f"**{number(tile.figure)}** {tile.label}",
            key=key,
            width="stretch",
            help=tile.help,
        ):
            pressed = tile.code
    return pressed
