"""Findings of any check in one list: what, who, why in words, and the way to both."""

import json
from collections.abc import Mapping

import polars as pl
import streamlit as st

from governance.catalog import Check
from governance.model import Status
from pages.elements.paging import page_number
from pages.session import places
from pages.session.language import language, words
from pages.session.wording import severity_word, title_of

ROWS_PER_PAGE = 50


def finding_table(
    findings: pl.DataFrame, checks: Mapping[str, Check], *, key: str
) -> None:
    """Show findings, 50 to a page; the buttons open the check and the person.

    ``findings`` is a frame of ``governance.assessments.findings``. A finding of a check
    that no longer exists shows its id.
    """
    _ = words()
    if findings.is_empty():
        st.caption(_("No findings."))
        return
    shown = findings.slice(
        page_number(findings.height, ROWS_PER_PAGE, key=key) * ROWS_PER_PAGE,
        ROWS_PER_PAGE,
    )
    told = language()
    rows = []
    for finding in shown.iter_rows(named=True):
        check = checks.get(finding["check_id"])
        rows.append(
            {
                "severity": severity_word(finding["severity"]),
                "check": finding["check_id"] if check is None else title_of(check),
                "who": finding["display_name"] or finding["subject_id"],
                "reason": finding["reason"]
                if check is None or finding["reason"] not in check.reasons
                else check.explain(json.loads(finding["row"]), told),
                "source": finding["source"],
            }
        )

    def open_check() -> None:
        finding = _pressed(shown, f"{key}_check")
        if finding is not None:
            places.go(
                "check",
                check=finding["check_id"],
                status=Status.FAIL,
                search=finding["subject_id"],
            )

    def open_person() -> None:
        finding = _pressed(shown, f"{key}_person")
        if finding is not None:
            open_holder(finding["identity_id"], finding["account_id"])

    st.dataframe(
        pl.DataFrame(rows),
        hide_index=True,
        placeholder="—",
        key=f"{key}_rows",
        height="content",
        column_config={
            "severity": st.column_config.TextColumn(_("Severity"), width=80),
            "check": st.column_config.ButtonColumn(
                _("Check"),
                width=250,
                type="tertiary",
                alignment="left",
                key=f"{key}_check",
                on_click=open_check,
            ),
            "who": st.column_config.ButtonColumn(
                _("Who"),
                width=140,
                type="tertiary",
                alignment="left",
                key=f"{key}_person",
                on_click=open_person,
            ),
            "reason": st.column_config.TextColumn(_("Reason"), width=520),
            "source": st.column_config.TextColumn(_("Source"), width=90),
        },
    )


def open_holder(identity_id: str | None, account_id: str | None) -> None:
    """Open the page of a person, or of an account nobody owns."""
    if identity_id:
        places.go("people", person=identity_id)
    elif account_id:
        places.go("people", account=account_id)


def _pressed(shown: pl.DataFrame, key: str) -> dict[str, str] | None:
    """Return the row whose button was pressed; a row that is not there is none."""
    row = st.session_state[key].row
    return shown.row(row, named=True) if 0 <= row < shown.height else None
