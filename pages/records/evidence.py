"""Evidence for the auditor: one workbook per review, made when it is asked for."""

from urllib.parse import quote, urlencode

import polars as pl
import streamlit as st

from governance.app_roles import Permission
from governance.campaigns import list_campaigns
from governance.model import Language
from pages.session import visitor
from pages.session.language import day, words


def render() -> None:
    """List the reviews with a link each; taking the evidence is recorded."""
    _ = words()
    visitor.require(Permission.EXPORT_EVIDENCE)
    st.title(_("Evidence"))
    campaigns = list_campaigns(visitor.register())
    st.markdown(
        _(
            "One Excel workbook per review: the population tied out to the sources, "
            "the scope and every exclusion, every row with its facts, decision, "
            "reviewer and time, findings by control, and undecided rows by name. Each "
            "download is made afresh and recorded in the audit trail."
        )
    )
    if not campaigns:
        st.info(
            _("There is no review yet. Open one under Reviews, then come back here.")
        )
        return
    st.dataframe(
        pl.DataFrame(
            [
                {
                    "title": campaign.title,
                    "state": _("Open") if campaign.is_open else _("Closed"),
                    "items": campaign.item_count,
                    "due_on": day(campaign.due_on),
                    "opened_at": campaign.opened_at,
                    "closed_at": campaign.closed_at,
                    "english": evidence_address(campaign.campaign_id, Language.ENGLISH),
                    "chinese": evidence_address(campaign.campaign_id, Language.CHINESE),
                    "campaign_id": campaign.campaign_id,
                }
                for campaign in campaigns
            ]
        ),
        hide_index=True,
        placeholder="—",
        key="evidence_list",
        height="content",
        column_config={
            "title": st.column_config.TextColumn(_("Review"), width=240),
            "state": st.column_config.TextColumn(_("State")),
            "items": st.column_config.NumberColumn(_("Rows"), format="localized"),
            "due_on": st.column_config.TextColumn(_("Due")),
            "opened_at": st.column_config.DatetimeColumn(
                _("Opened"),
                format="YYYY-MM-DD HH:mm",
                timezone=visitor.settings().time_zone,
            ),
            "closed_at": st.column_config.DatetimeColumn(
                _("Closed on"),
                format="YYYY-MM-DD HH:mm",
                timezone=visitor.settings().time_zone,
            ),
            "english": st.column_config.LinkColumn(
                _("Evidence"), display_text="English ⤓"
            ),
            "chinese": st.column_config.LinkColumn(
                _("Evidence") + " ", display_text="中文 ⤓"
            ),
            "campaign_id": st.column_config.TextColumn("ID"),
        },
    )


def evidence_address(campaign_id: str, language: Language) -> str:
    """Return where the gate hands out a campaign's evidence."""
    asked = urlencode({"language": language.value})
    return f"/download/evidence/{quote(campaign_id)}?{asked}"
