"""House colours and the few forms of chart the product uses."""

import plotly.graph_objects as go
import polars as pl

from governance.model import Severity
from pages.session.wording import severity_word

SEVERITY_COLOURS = {
    Severity.CRITICAL.value: "#8e1b1b",
    Severity.HIGH.value: "#d1603d",
    Severity.MEDIUM.value: "#e0b04c",
    Severity.LOW.value: "#9fb3c8",
}
_INK = "#1c2733"
_FONT = "Source Sans, Noto Sans CJK SC, PingFang SC, Microsoft YaHei, sans-serif"
_TICKS = 6
CONFIG = {"displayModeBar": False, "scrollZoom": False}


def calm(figure: go.Figure, *, height: int) -> go.Figure:
    """Return the figure in the house's look: no grid but the one that is read."""
    figure.update_layout(
        height=height,
        margin={"l": 4, "r": 8, "t": 6, "b": 4},
        font={"family": _FONT, "size": 13, "color": _INK},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "y": 1.12, "x": 0, "traceorder": "normal"},
        hoverlabel={"font": {"family": _FONT}},
        bargap=0.35,
        dragmode=False,
    )
    figure.update_xaxes(fixedrange=True)
    figure.update_yaxes(fixedrange=True)
    return figure


def severity_bars(counts: pl.DataFrame, names: dict[str, str]) -> go.Figure:
    """Return findings per group as stacked bars, the longest on top.

    ``counts`` has ``group``, ``severity`` and ``rows``; ``names`` says each group in
    words. A bar's ``customdata`` is its group, so that a click can open its rows.
    """
    order = (
        counts.group_by("group")
        .agg(pl.col("rows").sum())
        .sort("rows", "group", descending=[False, True])["group"]
        .to_list()
    )
    figure = go.Figure()
    for severity, colour in SEVERITY_COLOURS.items():
        rows = dict(
            counts.filter(pl.col("severity") == severity)
            .select("group", "rows")
            .iter_rows()
        )
        if not rows:
            continue
        figure.add_bar(
            y=order,
            x=[rows.get(group, 0) for group in order],
            customdata=order,
            hovertext=[_clean(names.get(group, group)) for group in order],
            orientation="h",
            name=severity_word(severity),
            marker={"color": colour},
            hovertemplate="%{hovertext}<br>%{x:,}<extra>"
            + severity_word(severity)
            + "</extra>",
        )
    # Two departments may bear one name: the axis goes by id and only says the name.
    figure.update_yaxes(
        type="category",
        tickvals=order,
        ticktext=[_short(names.get(group, group)) for group in order],
        ticklabelstandoff=4,
    )
    figure.update_xaxes(gridcolor="#e8ecf1", zeroline=False, tickformat=",d")
    figure.update_layout(barmode="stack", showlegend=False)
    return calm(figure, height=34 + 27 * max(len(order), 2))


def severity_trend(counts: pl.DataFrame, zone: str) -> go.Figure:
    """Return findings per snapshot as stacked areas.

    ``counts`` has ``as_of``, ``severity`` and ``rows``: every severity at every
    snapshot. Days are days of ``zone``.
    """
    figure = go.Figure()
    local = counts.with_columns(
        pl.col("as_of").dt.convert_time_zone(zone).dt.replace_time_zone(None)
    )
    moments = local["as_of"].unique().sort().to_list()
    for severity in reversed(SEVERITY_COLOURS):
        rows = local.filter(pl.col("severity") == severity).sort("as_of")
        figure.add_scatter(
            x=rows["as_of"].to_list(),
            y=rows["rows"].to_list(),
            name=severity_word(severity),
            mode="lines+markers",
            stackgroup="all",
            line={"color": SEVERITY_COLOURS[severity], "width": 1.5},
            marker={"size": 5},
            hovertemplate="%{x|%Y-%m-%d}<br>%{y:,}<extra>"
            + severity_word(severity)
            + "</extra>",
        )
    figure.update_yaxes(gridcolor="#e8ecf1", zeroline=False, tickformat=",d")
    figure.update_xaxes(
        showgrid=False,
        tickformat="%Y-%m-%d",
        tickvals=moments[:: max(1, len(moments) // _TICKS)],
    )
    if len(moments) > 1:
        margin = (moments[-1] - moments[0]) * 0.06  # room for the first and last label
        figure.update_xaxes(range=[moments[0] - margin, moments[-1] + margin])
    calm(figure, height=230)
    figure.update_layout(legend={"traceorder": "reversed"}, margin={"r": 30})
    return figure


def _short(name: str) -> str:
    """Return a name that fits beside a bar, nothing in it taken for markup."""
    clean = _clean(name)
    return clean if len(clean) <= 24 else clean[:23] + "…"


def _clean(name: str) -> str:
    return name.replace("<", "‹").replace(">", "›").replace("&", "＆")
