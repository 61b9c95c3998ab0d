"""What is wrong today, where, and what changed since the last time."""

from collections.abc import Mapping
from typing import Any

import polars as pl
import streamlit as st

from governance.app_roles import Permission
from governance.assessments import Assessment
from governance.changes import Change, finding_changes, finding_trend
from governance.model import Severity, Status
from governance.people import department_names
from governance.scope import scope_of
from governance.snapshots import Snapshot, kept_open
from governance.tallies import tally
from pages.elements import charts
from pages.elements.finding_table import finding_table
from pages.elements.tiles import Tile, tiles
from pages.session import places, visitor
from pages.session.language import moment, number, words
from pages.session.plain import plain
from pages.session.wording import severity_word, title_of

_SEVERITY = "overview_severity"
_CHANGE = "overview_change"
_UNKNOWN = "unknown"
_DEPARTMENTS_SHOWN = 12
_FEW_DEPARTMENTS = 4


def render() -> None:
    """Show the counts, the trend, the checks and the changes; each opens its rows."""
    _ = words()
    actor = visitor.require(Permission.READ_FINDINGS)
    st.title(_("Overview"))
    snapshot = visitor.snapshot_or_stop()
    scope = visitor.scope(snapshot)
    assessed = visitor.assessments()
    counted = tally(assessed, scope)
    if counted.is_empty():
        st.info(
            _(
                "Nothing in this snapshot falls into your departments. If that is "
                "wrong, ask whoever keeps the department list who heads them."
            )
        )
        return
    changes = _changes(assessed, snapshot)

    severity = _severity_tiles(counted)
    change = _change_tiles(changes)
    names = {"": _("No department")} | department_names(snapshot, scope)
    is_gap = severity == _UNKNOWN
    severity = None if is_gap else severity
    shown = _only(counted, severity=severity)
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader(_("Findings over the snapshots"))
        settings = visitor.settings()
        trend = finding_trend(settings, actor)
        st.plotly_chart(
            charts.severity_trend(trend, settings.time_zone),
            config=charts.CONFIG,
            key="overview_trend",
        )
    with right:
        st.subheader(_("Findings by department"))
        department = _bars(shown, "department_id", names, "overview_departments")
    # Beside a short chart there is room for another one.
    is_short = shown["department_id"].n_unique() <= _FEW_DEPARTMENTS
    with right if is_short else left:
        st.subheader(_("Findings by source"))
        source = _bars(shown, "source", _source_titles(snapshot), "overview_sources")

    st.subheader(_("Checks"))
    _narrowed_by(severity, source, department, names, _source_titles(snapshot))
    _check_table(
        _only(counted, severity=severity, source=source, department_id=department),
        _only(changes, severity=severity, source=source, department_id=department),
        assessed,
        source=source,
        department=department,
        is_gap=is_gap,
    )
    if change is not None:
        _changed_findings(
            _only(
                changes,
                severity=severity,
                source=source,
                department_id=department,
                change=change,
            ),
            change,
            assessed,
            snapshot,
        )


def _changes(assessed: Mapping[str, Assessment], snapshot: Snapshot) -> pl.DataFrame:
    settings, prior_id = visitor.settings(), snapshot.manifest.prior
    scope = visitor.scope(snapshot)
    if prior_id is None or not (settings.snapshots / prior_id).is_dir():
        return finding_changes(assessed, None, scope, scope)
    before = visitor.assessments(prior_id)
    prior_scope = scope_of(visitor.actor(), kept_open(settings, prior_id))
    return finding_changes(assessed, before, scope, prior_scope)


def _only(counted: pl.DataFrame, **wanted: str | None) -> pl.DataFrame:
    """Return the rows that have every value asked for; empty means no department."""
    for column, value in wanted.items():
        if value is not None:
            counted = counted.filter(pl.col(column).fill_null("") == value)
    return counted


def _severity_tiles(counted: pl.DataFrame) -> str | None:
    """Show findings per severity; return the severity chosen, if any."""
    _ = words()
    chosen = st.session_state.get(_SEVERITY)
    failed = counted.filter(pl.col("status") == Status.FAIL)
    unknown = counted.filter(pl.col("status") == Status.UNKNOWN)
    shown = [
        Tile(
            code=severity.value,
            label=severity_word(severity),
            figure=int(failed.filter(pl.col("severity") == severity)["rows"].sum()),
            tone=severity.value,
        )
        for severity in Severity
    ]
    shown.append(
        Tile(
            code=_UNKNOWN,
            label=_("Could not be judged"),
            figure=int(unknown["rows"].sum()),
            tone="unknown",
            help=_("No source tells a fact that the check needs; never a pass."),
        )
    )
    pressed = tiles("severity", shown, chosen)
    if pressed is not None:
        st.session_state[_SEVERITY] = None if pressed == chosen else pressed
        st.rerun()
    return chosen


def _change_tiles(changes: pl.DataFrame) -> str | None:
    """Show what came, stayed and went; return the change chosen, if any."""
    _ = words()
    if changes.is_empty():
        return None
    chosen = st.session_state.get(_CHANGE)
    labels = {
        Change.NEW: (_("New since the prior snapshot"), "fail"),
        Change.PERSISTING: (_("Still open"), "plain"),
        Change.RESOLVED: (_("Resolved since the prior snapshot"), "pass"),
    }
    shown = [
        Tile(
            code=change.value,
            label=label,
            figure=changes.filter(pl.col("change") == change).height,
            tone=tone,
        )
        for change, (label, tone) in labels.items()
    ]
    pressed = tiles("change", shown, chosen)
    if pressed is not None:
        st.session_state[_CHANGE] = None if pressed == chosen else pressed
        st.rerun()
    return chosen


def _bars(
    counted: pl.DataFrame, column: str, names: dict[str, str], key: str
) -> str | None:
    """Show findings per group as bars; return the group of the bar pressed, if any."""
    _ = words()
    grouped = (
        counted.filter(pl.col("status") == Status.FAIL)
        .with_columns(group=pl.col(column).fill_null(""))
        .group_by("group", "severity")
        .agg(pl.col("rows").sum())
        .filter(pl.col("rows") > 0)
    )
    if grouped.is_empty():
        st.caption(_("No findings."))
        return None
    largest = (
        grouped.group_by("group")
        .agg(pl.col("rows").sum())
        .sort("rows", "group", descending=[True, False])
    )
    kept = largest["group"].head(_DEPARTMENTS_SHOWN).to_list()
    event: Any = st.plotly_chart(
        charts.severity_bars(grouped.filter(pl.col("group").is_in(kept)), names),
        config=charts.CONFIG,
        key=key,
        on_select="rerun",
        selection_mode="points",
    )
    hidden = largest.height - len(kept)
    st.caption(
        _("Press a bar to narrow the checks below to it.")
        if hidden <= 0
        else _(
            "The {shown} with the most, of {all}. Press a bar to narrow the checks."
        ).format(shown=len(kept), all=largest.height)
    )
    points = event.selection.points if event and event.selection else []
    if not points:
        return None
    chosen = points[0].get("customdata")
    chosen = chosen[0] if isinstance(chosen, list) else chosen
    return chosen if chosen in kept else None


def _narrowed_by(
    severity: str | None,
    source: str | None,
    department: str | None,
    departments: Mapping[str, str],
    sources: Mapping[str, str],
) -> None:
    _ = words()
    told = [
        *([severity_word(severity)] if severity else []),
        *([sources.get(source, source)] if source else []),
        *([departments.get(department, department)] if department is not None else []),
    ]
    if told:
        st.caption(
            _("Narrowed to {what}. Press again to show everything.").format(
                what=" · ".join(plain(part) for part in told)
            )
        )


def _check_table(
    counted: pl.DataFrame,
    changes: pl.DataFrame,
    assessed: Mapping[str, Assessment],
    *,
    source: str | None,
    department: str | None,
    is_gap: bool,
) -> None:
    """Show one line per check; its button opens the check with the same filters.

    ``is_gap``: only checks that could not judge something, opening those rows.
    """
    _ = words()
    rows = []
    for check_id, assessment in assessed.items():
        here = counted.filter(pl.col("check_id") == check_id)
        if here.is_empty():
            continue
        moved = changes.filter(pl.col("check_id") == check_id)["change"].to_list()
        by_status: dict[str, int] = dict(
            here.group_by("status").agg(pl.col("rows").sum()).iter_rows()
        )
        if is_gap and not by_status.get(Status.UNKNOWN):
            continue
        rows.append(
            {
                "open": title_of(assessment.check),
                "severity": severity_word(assessment.check.severity),
                "failed": by_status.get(Status.FAIL, 0),
                "unknown": by_status.get(Status.UNKNOWN, 0),
                "tested": int(here["rows"].sum()),
                "new": moved.count(Change.NEW),
                "resolved": moved.count(Change.RESOLVED),
                "check_id": check_id,
            }
        )
    if not rows:
        st.caption(_("No check has rows here."))
        return
    table = pl.DataFrame(rows)

    def open_check() -> None:
        row = st.session_state["overview_checks_open"].row
        if 0 <= row < table.height:
            places.go(
                "check",
                check=table["check_id"][row],
                status=Status.UNKNOWN
                if is_gap
                else Status.FAIL
                if table["failed"][row]
                else None,
                source=source,
                department=department,
            )

    st.dataframe(
        table.drop("check_id"),
        hide_index=True,
        placeholder="—",
        key="overview_checks",
        height="content",
        column_config={
            "open": st.column_config.ButtonColumn(
                _("Check"),
                width="large",
                type="tertiary",
                alignment="left",
                key="overview_checks_open",
                on_click=open_check,
            ),
            "severity": st.column_config.TextColumn(_("Severity")),
            "failed": st.column_config.NumberColumn(_("Failed"), format="localized"),
            "unknown": st.column_config.NumberColumn(_("Unknown"), format="localized"),
            "tested": st.column_config.NumberColumn(_("Tested"), format="localized"),
            "new": st.column_config.NumberColumn(_("New"), format="localized"),
            "resolved": st.column_config.NumberColumn(
                _("Resolved"), format="localized"
            ),
        },
    )


def _changed_findings(
    changes: pl.DataFrame,
    change: str,
    assessed: Mapping[str, Assessment],
    snapshot: Snapshot,
) -> None:
    _ = words()
    prior = snapshot.manifest.prior
    titles = {
        Change.NEW: _("New findings"),
        Change.PERSISTING: _("Findings still open"),
        Change.RESOLVED: _("Resolved findings"),
    }
    st.subheader(titles[Change(change)])
    settings = visitor.settings()
    before = kept_open(settings, prior).as_of if prior else None
    st.caption(
        _("{count} findings; compared with the snapshot of {moment}.").format(
            count=number(changes.height), moment=moment(before, settings)
        )
    )
    checks = {check_id: assessment.check for check_id, assessment in assessed.items()}
    finding_table(changes, checks, key=f"overview_{change}")


def _source_titles(snapshot: Snapshot) -> dict[str, str]:
    return {
        str(source["source"]): str(source["title"])
        for source in snapshot.manifest.sources
    }
