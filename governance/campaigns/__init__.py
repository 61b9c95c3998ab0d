"""Campaigns: who is asked about which access, from the plan to the closing."""

from governance.campaigns.items import (
    ITEMS,
    STATUS,
    effective_decisions,
    excluded,
    items,
    status,
    tie_out,
)
from governance.campaigns.lifecycle import (
    Campaign,
    CampaignError,
    assign,
    campaign,
    close_campaign,
    list_campaigns,
    open_campaign,
    possible_reviewers,
)
from governance.campaigns.plan import Plan, Preview, preview

__all__ = [
    "ITEMS",
    "STATUS",
    "Campaign",
    "CampaignError",
    "Plan",
    "Preview",
    "assign",
    "campaign",
    "close_campaign",
    "effective_decisions",
    "excluded",
    "items",
    "list_campaigns",
    "open_campaign",
    "possible_reviewers",
    "preview",
    "status",
    "tie_out",
]
