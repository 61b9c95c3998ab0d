"""The audit trail: who did what, when, and that nothing of it was altered."""

import polars as pl
import streamlit as st

from governance.app_roles import Permission
from governance.audit_trail import count, events, verify_chain
from governance.model import GovernanceError
from pages.elements.paging import page_number
from pages.session import visitor
from pages.session.language import number, words
from pages.session.plain import plain

_ROWS_PER_PAGE = 50


def render() -> None:
    """Show the events, newest first, and recompute the chain when asked."""
    _ = words()
    visitor.require(Permission.READ_AUDIT_TRAIL)
    st.title(_("Audit trail"))
    register = visitor.register()
    subject_side, proof = st.columns([3, 1], vertical_alignment="bottom")
    subject = subject_side.text_input(
        _("Concerning"),
        key="trail_subject",
        placeholder=_("Campaign id; empty shows all"),
    ).strip()
    if proof.button(_("Verify the chain"), icon=":material/verified:", width="stretch"):
        try:
            verified = verify_chain(register)
        except GovernanceError as error:
            st.error(plain(error))
        else:
            st.success(
                _("All {count} events hang together; none was altered.").format(
                    count=number(verified)
                )
            )
    total = count(register, subject=subject or None)
    if total == 0:
        st.info(
            _("Nothing has been recorded for that subject.")
            if subject
            else _(
                "Nothing has been recorded yet. Opening a review is the first event."
            )
        )
        return
    page = page_number(total, _ROWS_PER_PAGE, key="trail")
    rows = events(
        register,
        limit=_ROWS_PER_PAGE,
        offset=page * _ROWS_PER_PAGE,
        subject=subject or None,
    )
    st.dataframe(
        rows.select(
            "seq",
            "at",
            "actor_name",
            pl.Series(
                "action", [action_word(a) for a in rows["action"]], dtype=pl.String
            ),
            "subject",
            "details",
            "actor_id",
            "chain",
        ),
        hide_index=True,
        placeholder="—",
        key="trail_rows",
        height="content",
        column_config={
            "seq": st.column_config.NumberColumn(_("No.")),
            "at": st.column_config.DatetimeColumn(
                _("When"),
                format="YYYY-MM-DD HH:mm:ss",
                timezone=visitor.settings().time_zone,
            ),
            "actor_name": st.column_config.TextColumn(_("By whom")),
            "action": st.column_config.TextColumn(_("What")),
            "subject": st.column_config.TextColumn(_("Concerning")),
            "details": st.column_config.TextColumn(_("Details"), width=420),
            "actor_id": st.column_config.TextColumn(_("Actor id")),
            "chain": st.column_config.TextColumn(_("Chain value"), width=140),
        },
    )


def action_word(action: str) -> str:
    """Return an event's action as the screen says it; an unknown one as it is."""
    _ = words()
    return {
        "campaign.open": _("Review opened"),
        "campaign.close": _("Review closed"),
        "item.assign": _("Rows handed on"),
        "decision.record": _("Decision recorded"),
        "attestation.sign": _("Attestation signed"),
        "workbook.issue": _("Workbook issued"),
        "return.receive": _("Workbook returned"),
        "return.confirm": _("Returned workbook recorded"),
        "snapshot.seal": _("Snapshot sealed"),
        "owner.confirm": _("Owner confirmed"),
        "evidence.export": _("Evidence taken"),
    }.get(action, action)
