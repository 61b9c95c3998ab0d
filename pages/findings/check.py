"""One check: what was tested, what failed, what could not be judged, and why.

Every check of the catalogue uses this page; the address says which (``?check=``).
"""

from collections.abc import Mapping
from datetime import UTC
from typing import Any

import polars as pl
import streamlit as st

from governance.app_roles import Permission
from governance.assessments import Assessment, page_of
from governance.catalog import Check
from governance.model import Status
from governance.people import department_names
from governance.policy import Policy
from governance.scope import Scope
from governance.snapshots import Snapshot
from pages.elements.finding_table import ROWS_PER_PAGE, open_holder
from pages.elements.paging import page_number
from pages.elements.tiles import Tile, tiles
from pages.session import visitor
from pages.session.language import language, moment, words
from pages.session.wording import (
    family_word,
    severity_word,
    status_word,
    title_of,
    value_word,
)

_KEPT = "check_filters"
_FILTERS = ("status", "source", "department", "search", "sort", "order")
_TESTED = "tested"
_UNSORTED = ""


def render() -> None:
    """Show one check's rows, filtered as the address and the person say."""
    _ = words()
    visitor.require(Permission.READ_FINDINGS)
    snapshot = visitor.snapshot_or_stop()
    scope = visitor.scope(snapshot)
    assessed = visitor.assessments()
    check = _chosen({check_id: a.check for check_id, a in assessed.items()})
    if check is None:
        st.title(_("Checks"))
        st.info(_("This installation has no checks: queries/checks/ is empty."))
        return
    assessment = assessed[check.id]
    st.title(title_of(check))
    st.caption(
        f"{severity_word(check.severity)} · {family_word(check.family)} · "
        f"{check.question[language()]}"
    )
    filters = _filters(check, assessment, snapshot, scope)
    _rows(check, assessment, scope, filters)
    what, proof = st.columns(2, gap="medium")
    with what:
        st.subheader(_("What to do"))
        st.markdown(check.remediation[language()])
        st.subheader(_("Maps to"))
        st.markdown(" ".join(f"`{control}`" for control in check.controls))
        st.caption(
            _("Controls this check gives evidence for. It does not prove compliance.")
        )
    with proof:
        st.subheader(_("Parameters"))
        _parameters(check, snapshot)
    with st.expander(_("The query, as it ran")):
        st.caption(
            _("SHA-256 of the file: {digest} · policy: {policy}").format(
                digest=f"`{check.sha256}`",
                policy=f"`{assessment.policy_sha256}`",
            )
        )
        st.code(check.sql.strip(), language="sql")


def _chosen(checks: Mapping[str, Check]) -> Check | None:
    """Return the check the address names, or the one chosen above the page."""
    _ = words()
    if not checks:
        return None
    asked = st.query_params.get("check")
    if asked in checks and st.session_state.get("check_asked") != asked:
        st.session_state["check_choice"] = asked
    chosen = st.selectbox(
        _("Check"),
        list(checks),
        format_func=lambda check_id: (
            f"{severity_word(checks[check_id].severity)} · {title_of(checks[check_id])}"
        ),
        key="check_choice",
        label_visibility="collapsed",
    )
    st.session_state["check_asked"] = chosen
    if asked != chosen:
        # Another check: the filters of the one before have no meaning here.
        st.query_params.from_dict({"check": chosen})
    return checks[chosen]


def _filters(
    check: Check, assessment: Assessment, snapshot: Snapshot, scope: Scope
) -> dict[str, str]:
    """Show the filters, set as the address says; return what is chosen.

    The address follows what is chosen, so that a view can be sent to a colleague.
    """
    _ = words()
    counted = assessment.counts.filter(scope.of())
    names = department_names(snapshot, scope)
    sources = sorted(counted["source"].drop_nulls().unique())
    departments = sorted(
        counted["department_id"].fill_null("").unique(),
        key=lambda name: names.get(name, name),
    )
    sortable = [name for name in check.result_columns if name not in ("reason",)]
    allowed = {
        "status": {status.value for status in Status},
        "source": set(sources),
        "department": set(departments) - {""} | {"-"},
        "sort": set(sortable),
        "order": {"descending"},
    }
    asked = {
        name: value
        for name in _FILTERS
        if (value := st.query_params.get(name))
        and (name == "search" or value in allowed[name])
    }
    if st.session_state.get(_KEPT) != (check.id, asked):
        for name in _FILTERS:
            st.session_state[f"check_{name}"] = asked.get(name, "")
        st.session_state["check_order"] = asked.get("order") == "descending"
        st.session_state.pop("check_rows_page", None)

    shown = [
        Tile(code=_TESTED, label=_("Tested"), figure=assessment.count(scope=scope))
    ]
    shown += [
        Tile(
            code=status.value,
            label=status_word(status),
            figure=assessment.count(status, scope),
            tone=status.value,
        )
        for status in (Status.FAIL, Status.UNKNOWN, Status.PASS)
    ]
    status = st.session_state["check_status"]
    pressed = tiles("status", shown, status or _TESTED)
    if pressed is not None:
        st.session_state["check_status"] = "" if pressed == _TESTED else pressed
        status = st.session_state["check_status"]

    search, source, department, sort, order = st.columns(
        [3, 2, 2.4, 2, 1.2], vertical_alignment="bottom"
    )
    search.text_input(
        _("Search"),
        key="check_search",
        placeholder=_("Name, login or id"),
    )
    source.selectbox(
        _("Source"),
        ["", *sources],
        key="check_source",
        format_func=lambda name: name or _("All sources"),
    )
    department.selectbox(
        _("Department"),
        ["", *[name or "-" for name in departments]],
        key="check_department",
        format_func=lambda name: (
            _("All departments")
            if not name
            else _("No department")
            if name == "-"
            else names.get(name, name)
        ),
    )
    sort.selectbox(
        _("Sort by"),
        [_UNSORTED, *sortable],
        key="check_sort",
        format_func=lambda name: (
            _column_label(check, name) if name else _("The query’s order")
        ),
    )
    order.toggle(_("Descending"), key="check_order")
    chosen = {
        "status": status,
        "source": st.session_state["check_source"],
        "department": st.session_state["check_department"],
        "search": st.session_state["check_search"],
        "sort": st.session_state["check_sort"],
        "order": "descending" if st.session_state["check_order"] else "",
    }
    told = {name: value for name, value in chosen.items() if value}
    st.query_params.from_dict({"check": check.id, **told})
    if st.session_state.get(_KEPT, ("", {}))[1] != told:
        st.session_state.pop("check_rows_page", None)
    st.session_state[_KEPT] = (check.id, told)
    if pressed is not None:
        st.rerun()
    return chosen


def _rows(
    check: Check, assessment: Assessment, scope: Scope, filters: Mapping[str, str]
) -> None:
    _ = words()
    wanted: dict[str, Any] = {
        "status": Status(filters["status"]) if filters["status"] else None,
        "search": filters["search"],
        "source": filters["source"] or None,
        "department_id": {"": None, "-": ""}.get(
            filters["department"], filters["department"]
        ),
        "sort": filters["sort"] or None,
        "descending": bool(filters["order"]),
    }
    page = page_of(
        assessment,
        scope,
        **wanted,
        offset=(int(st.session_state.get("check_rows_page") or 1) - 1) * ROWS_PER_PAGE,
        limit=ROWS_PER_PAGE,
    )
    if page.total == 0:
        st.info(
            _("Nothing was tested in your departments.")
            if assessment.count(scope=scope) == 0
            else _("No row matches these filters.")
        )
        return
    page_number(page.total, ROWS_PER_PAGE, key="check_rows")
    _table(check, page.rows, filters["status"])


def _table(check: Check, rows: pl.DataFrame, status: str) -> None:
    """Show up to a page of rows: who, the check's own columns, the reason in words."""
    _ = words()
    told = language()
    reasons = [check.explain(row, told) for row in rows.iter_rows(named=True)]
    own = list(check.columns)
    shown = rows.select(
        pl.coalesce("display_name", "account_id", "subject_id").alias("who"),
        *([] if status else [pl.col("status")]),
        pl.Series("reason", reasons, dtype=pl.String),
        *[pl.col(name) for name in own],
        "source",
        "subject_id",
    )
    shown = shown.with_columns(
        pl.Series(
            name,
            [
                status_word(str(value)) if name == "status" else value_word(value)
                for value in shown[name]
            ],
            dtype=pl.String,
        )
        for name, kind in shown.schema.items()
        if kind == pl.String and name not in ("who", "reason", "source", "subject_id")
    ).with_columns(
        pl.col(name).list.join(", ")
        for name, kind in shown.schema.items()
        if isinstance(kind, pl.List)
    )

    def open_person() -> None:
        row = st.session_state["check_rows_open"].row
        if 0 <= row < rows.height:
            found = rows.row(row, named=True)
            open_holder(found["identity_id"], found["account_id"])

    zone = visitor.settings().time_zone
    columns: dict[str, Any] = {
        "who": st.column_config.ButtonColumn(
            _column_label(check, "display_name"),
            width=150,
            type="tertiary",
            alignment="left",
            key="check_rows_open",
            on_click=open_person,
            pinned=True,
        ),
        "reason": st.column_config.TextColumn(_("Reason"), width=430),
    }
    for name, kind in shown.schema.items():
        if name in columns:
            continue
        label = _column_label(check, name)
        if kind.is_temporal() and kind != pl.Date:
            columns[name] = st.column_config.DatetimeColumn(
                label, format="YYYY-MM-DD HH:mm", timezone=zone
            )
        elif kind == pl.Date:
            columns[name] = st.column_config.DateColumn(label, format="YYYY-MM-DD")
        elif kind.is_numeric():
            columns[name] = st.column_config.NumberColumn(label, format="localized")
        else:
            columns[name] = st.column_config.Column(label)
    st.dataframe(
        shown,
        hide_index=True,
        placeholder="—",
        key="check_table",
        column_config=columns,
        height="content",
    )
    st.caption(_("Press a name to see everything that person or account may do."))


def _column_label(check: Check, name: str) -> str:
    _ = words()
    if name in check.columns:
        return check.columns[name][language()]
    return {
        "subject_id": _("Subject"),
        "source": _("Source"),
        "account_id": _("Account"),
        "identity_id": _("Person id"),
        "department_id": _("Department id"),
        "display_name": _("Name"),
        "status": _("Result"),
        "reason": _("Reason"),
    }.get(name, name)


def _parameters(check: Check, snapshot: Snapshot) -> None:
    _ = words()
    settings = visitor.settings()
    policy = Policy.read(settings.policy)
    values = policy.parameters(check.parameters, as_of=snapshot.as_of)
    if not values:
        st.caption(_("This check has no thresholds."))
        return
    st.dataframe(
        pl.DataFrame(
            [
                {
                    "name": name,
                    "value": moment(value.astimezone(UTC), settings)
                    if name == "as_of"
                    else str(value),
                    "meaning": check.parameters[name],
                }
                for name, value in values.items()
            ]
        ),
        hide_index=True,
        placeholder="—",
        key="check_parameters",
        column_config={
            "name": st.column_config.TextColumn(_("Threshold"), width=130),
            "value": st.column_config.TextColumn(_("Value"), width=170),
            "meaning": st.column_config.TextColumn(_("Meaning"), width=320),
        },
    )
