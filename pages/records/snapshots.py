"""Snapshots: what was read, how every row was accounted for, what nobody could tell."""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go
import polars as pl
import streamlit as st

from governance.app_roles import Permission
from governance.model import GovernanceError
from governance.rejections import in_words
from governance.reports import report
from governance.snapshots import (
    Manifest,
    Snapshot,
    current_id,
    kept_open,
    list_snapshots,
    verify,
)
from pages.elements import charts
from pages.elements.paging import page_number
from pages.session import places, visitor
from pages.session.language import language, moment, number, share, words
from pages.session.plain import plain
from pages.session.wording import value_word

_ROWS_PER_PAGE = 50


def render() -> None:
    """Show the sealed snapshots and, of the chosen one, everything that was read."""
    _ = words()
    visitor.require(Permission.READ_SNAPSHOTS)
    st.title(_("Snapshots and data quality"))
    visitor.snapshot_or_stop()
    settings = visitor.settings()
    manifests = list_snapshots(settings)
    current = current_id(settings)
    _list(manifests, current)
    by_id = {manifest.snapshot_id: manifest for manifest in manifests}
    asked = st.query_params.get("snapshot")
    wanted = asked if asked in by_id else current
    if st.session_state.get("snapshot_choice") not in by_id or (
        st.session_state.get("snapshot_asked") != asked
    ):
        st.session_state["snapshot_choice"] = wanted
        st.session_state["snapshot_asked"] = asked
    chosen = st.selectbox(
        _("Snapshot"),
        list(by_id),
        key="snapshot_choice",
        format_func=lambda name: (
            moment(by_id[name].as_of, settings)
            + (" · " + _("in force") if name == current else "")
        ),
    )
    snapshot = kept_open(settings, chosen)
    _manifest(by_id[chosen])
    _sources(snapshot)
    _tie_outs(snapshot)
    _coverage(snapshot)
    _rejected(snapshot)


def _list(manifests: list[Manifest], current: str | None) -> None:
    _ = words()
    st.dataframe(
        pl.DataFrame(
            [
                {
                    "as_of": manifest.as_of,
                    "state": _("In force") if manifest.snapshot_id == current else "",
                    "snapshot_id": manifest.snapshot_id,
                    "sealed_at": manifest.sealed_at,
                    "identities": manifest.counts.get("identities", 0),
                    "accounts": manifest.counts.get("accounts", 0),
                    "grants": manifest.counts.get("grants", 0),
                    "login_events": manifest.counts.get("login_events", 0),
                    "rejected": manifest.counts.get("rejected_rows", 0),
                    "sources": _("All accounted for")
                    if all(source["is_balanced"] for source in manifest.sources)
                    else _("Not accounted for"),
                }
                for manifest in manifests
            ]
        ),
        hide_index=True,
        placeholder="—",
        key="snapshots_list",
        height="content" if len(manifests) <= 12 else 430,
        column_config={
            "as_of": _moments(_("As of")),
            "state": st.column_config.TextColumn(_("State")),
            "snapshot_id": st.column_config.TextColumn(_("Snapshot")),
            "sealed_at": _moments(_("Sealed")),
            "identities": _count(_("People")),
            "accounts": _count(_("Accounts")),
            "grants": _count(_("Grants")),
            "login_events": _count(_("Logins")),
            "rejected": _count(_("Rejected rows")),
            "sources": st.column_config.TextColumn(_("Rows read")),
        },
    )


def _manifest(manifest: Manifest) -> None:
    _ = words()
    settings = visitor.settings()
    told, proof = st.columns([3, 1], vertical_alignment="center")
    before = _("none") if manifest.prior is None else manifest.prior
    told.caption(
        _(
            "Sealed {moment} · compared with {prior} · {count} files in the manifest"
        ).format(
            moment=moment(manifest.sealed_at, settings),
            prior=plain(before),
            count=number(len(manifest.files)),
        )
    )
    if proof.button(
        _("Verify against the manifest"),
        icon=":material/verified:",
        width="stretch",
        key="snapshot_verify",
    ):
        visitor.require(Permission.READ_SNAPSHOTS)
        try:
            with st.spinner(_("Reading every file")):
                verify(settings, manifest.snapshot_id)
        except GovernanceError as error:
            st.error(plain(error))
        else:
            st.success(_("Every file and every count is as it was when it was sealed."))
    with st.expander(_("The manifest: digests and row counts")):
        st.dataframe(
            pl.DataFrame(
                [
                    {"file": name, "sha256": digest}
                    for name, digest in manifest.files.items()
                ]
            ),
            hide_index=True,
            placeholder="—",
            key="snapshot_files",
            column_config={
                "file": st.column_config.TextColumn(_("File"), width=260),
                "sha256": st.column_config.TextColumn("SHA-256"),
            },
        )


def _sources(snapshot: Snapshot) -> None:
    _ = words()
    st.subheader(_("Sources"))
    sources = report(snapshot, "sources_read")
    st.dataframe(
        sources.select(
            "title",
            "source",
            "connector",
            "operator",
            "extracted_at",
            _worded(sources, "completeness"),
            "rows_read",
            "rows_accepted",
            "rows_rejected",
            "rows_duplicate",
            _balance(sources),
        ),
        hide_index=True,
        placeholder="—",
        key="snapshot_sources",
        height="content",
        column_config={
            "title": st.column_config.TextColumn(_("System")),
            "source": st.column_config.TextColumn(_("Source")),
            "connector": st.column_config.TextColumn(_("Connector")),
            "operator": st.column_config.TextColumn(_("Extracted by")),
            "extracted_at": _moments(_("Extracted")),
            "completeness": st.column_config.TextColumn(_("Complete")),
            "rows_read": _count(_("Read")),
            "rows_accepted": _count(_("Accepted")),
            "rows_rejected": _count(_("Rejected")),
            "rows_duplicate": _count(_("Duplicates")),
            "is_balanced": st.column_config.TextColumn(_("Accounted for")),
        },
    )
    notes = [
        (title, line)
        for title, told in sources.select("title", "notes").iter_rows()
        for line in (told or "").splitlines()
    ]
    if notes:
        with st.expander(_("What the sources cannot tell") + f" · {len(notes)}"):
            for title, line in notes:
                st.markdown(f"- **{plain(title)}**: {plain(line)}")


def _tie_outs(snapshot: Snapshot) -> None:
    _ = words()
    st.subheader(_("Every row accounted for"))
    st.caption(_("Read = accepted + rejected + duplicates, file by file."))
    tie_outs = report(snapshot, "tie_outs")
    st.dataframe(
        tie_outs.select(
            "source",
            "file",
            "table_name",
            "stated",
            "read",
            "accepted",
            "rejected",
            "duplicate",
            _balance(tie_outs),
            "encoding",
            "sha256",
        ),
        hide_index=True,
        placeholder="—",
        key="snapshot_tie_outs",
        height="content" if tie_outs.height <= 15 else 520,
        column_config={
            "source": st.column_config.TextColumn(_("Source")),
            "file": st.column_config.TextColumn(_("File"), width=220),
            "table_name": st.column_config.TextColumn(_("Table")),
            "stated": _count(_("Stated")),
            "read": _count(_("Read")),
            "accepted": _count(_("Accepted")),
            "rejected": _count(_("Rejected")),
            "duplicate": _count(_("Duplicates")),
            "is_balanced": st.column_config.TextColumn(_("Accounted for")),
            "encoding": st.column_config.TextColumn(_("Encoding")),
            "sha256": st.column_config.TextColumn("SHA-256", width=160),
        },
    )


def _coverage(snapshot: Snapshot) -> None:
    _ = words()
    st.subheader(_("What the sources tell"))
    coverage = report(snapshot, "fact_coverage")
    if coverage.is_empty():
        st.caption(_("No source tells any fact."))
        return
    st.plotly_chart(
        coverage_picture(coverage), config=charts.CONFIG, key="snapshot_coverage"
    )
    st.caption(
        _(
            "Share of a source's rows for which each fact is known. Empty: the fact "
            "does not apply to that source. Checks call what is not told unknown."
        )
    )
    places.link(_("Open the facts that are missing"), "check", check="facts_missing")


def coverage_picture(coverage: pl.DataFrame) -> go.Figure:
    """Return shares of known facts as a grid: facts across, sources down."""
    facts = coverage["fact"].unique().sort().to_list()
    sources = coverage["source"].unique().sort(descending=True).to_list()
    shares: Mapping[tuple[str, str], float | None] = {
        (source, fact): told
        for source, fact, told in coverage.select("source", "fact", "share").iter_rows()
    }
    grid = [[shares.get((source, fact)) for fact in facts] for source in sources]
    figure = go.Figure(
        go.Heatmap(
            z=grid,
            x=[fact_word(fact) for fact in facts],
            y=sources,
            zmin=0,
            zmax=1,
            colorscale=[[0, "#f0d3cd"], [0.5, "#f3ead0"], [1, "#bcd9ca"]],
            showscale=False,
            xgap=3,
            ygap=3,
            text=[
                ["" if value is None else share(value) for value in line]
                for line in grid
            ],
            texttemplate="%{text}",
            hovertemplate="%{y} · %{x}<br>%{text}<extra></extra>",
        )
    )
    charts.calm(figure, height=150 + 34 * len(sources))
    figure.update_xaxes(side="top", tickangle=-35, type="category", showgrid=False)
    figure.update_yaxes(type="category", showgrid=False)
    figure.update_layout(margin={"t": 110})
    return figure


def fact_word(fact: str) -> str:
    """Return a fact as the screen says it."""
    _ = words()
    return {
        "accounts.account_type": _("Account type"),
        "accounts.created_at": _("Created"),
        "accounts.is_enabled": _("Enabled"),
        "accounts.last_login_at": _("Last login"),
        "accounts.mfa_state": _("2FA"),
        "accounts.password_changed_at": _("Password changed"),
        "entitlements.abilities": _("Abilities"),
        "entitlements.data_scope": _("Data scope"),
        "entitlements.is_privileged": _("Privileged"),
        "grants": _("Grants"),
        "grants.granted_at": _("Granted"),
        "identities.end_date": _("Last day"),
        "identities.employment_status": _("Employment"),
        "identities.manager_id": _("Manager"),
        "login_events": _("Logins"),
    }.get(fact, fact)


def _rejected(snapshot: Snapshot) -> None:
    _ = words()
    st.subheader(_("Rejected rows"))
    total = snapshot.manifest.counts.get("rejected_rows", 0)
    if total == 0:
        st.caption(_("Every row that was read could be taken in."))
        return
    page = page_number(total, _ROWS_PER_PAGE, key="rejected_rows")
    rows = report(
        snapshot,
        "rejected_rows_page",
        source=None,
        limit=_ROWS_PER_PAGE,
        offset=page * _ROWS_PER_PAGE,
    )
    rows = in_words(rows, language()).drop("found", "code")
    st.dataframe(
        rows,
        hide_index=True,
        placeholder="—",
        key="rejected_rows_table",
        height="content" if rows.height <= 15 else 520,
        column_config={
            "source": st.column_config.TextColumn(_("Source")),
            "file": st.column_config.TextColumn(_("File")),
            "row": _count(_("Row")),
            "column": st.column_config.TextColumn(_("Column")),
            "value": st.column_config.TextColumn(_("Value")),
            "reason": st.column_config.TextColumn(_("Reason"), width=420),
            "table_name": st.column_config.TextColumn(_("Table")),
        },
    )


def _balance(frame: pl.DataFrame) -> pl.Series:
    _ = words()
    return pl.Series(
        "is_balanced",
        [_("Yes") if value else _("No") for value in frame["is_balanced"]],
        dtype=pl.String,
    )


def _worded(frame: pl.DataFrame, name: str) -> pl.Series:
    return pl.Series(name, [value_word(value) for value in frame[name]], pl.String)


def _count(label: str) -> Any:  # noqa: ANN401 - Streamlit names no type for a column
    return st.column_config.NumberColumn(label, format="localized")


def _moments(label: str) -> Any:  # noqa: ANN401 - Streamlit names no type for a column
    return st.column_config.DatetimeColumn(
        label, format="YYYY-MM-DD HH:mm", timezone=visitor.settings().time_zone
    )
