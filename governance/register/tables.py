"""Tables of the register. Every one is append-only: a change is a new row.

What follows from the rows (a campaign is closed, a decision is the latest, a workbook
is the newest) is asked for, never written over.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC. SQLite keeps no zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        """Return the moment in UTC; refuse one without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be recorded")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        """Return the moment with its zone."""
        if value is None:
            return None
        return (
            value.replace(tzinfo=UTC)
            if dialect.name == "sqlite"
            else (value.astimezone(UTC))
        )


METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_ID = String(128)
_SHA256 = String(64)

AUDIT_EVENTS = Table(
    "audit_events",
    METADATA,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcTime, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", Text, nullable=False),
    # The exact bytes that were hashed: nobody has to rebuild them to check.
    Column("body", LargeBinary, nullable=False),
    Column("leaf", _SHA256, nullable=False),
    Column("chain", _SHA256, nullable=False),
    Index(None, "subject"),
)

CAMPAIGNS = Table(
    "campaigns",
    METADATA,
    Column("campaign_id", _ID, primary_key=True),
    Column("title", Text, nullable=False),
    Column("organisation", Text, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("snapshot_id", String(32), nullable=False),
    Column("snapshot_as_of", UtcTime, nullable=False),
    Column("prior_snapshot_id", String(32)),
    Column("manifest_sha256", _SHA256, nullable=False),
    Column("policy_sha256", _SHA256, nullable=False),
    Column("sources", JSON, nullable=False),
    Column("reviewers", String(32), nullable=False),
    Column("fallback_reviewer", Text),
    Column("item_count", Integer, nullable=False),
    Column("items_sha256", _SHA256, nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("opened_by", Text, nullable=False),
    Column("opened_by_name", Text, nullable=False),
    Column("event_seq", ForeignKey("audit_events.seq"), nullable=False),
)

CLOSINGS = Table(
    "campaign_closings",
    METADATA,
    Column("campaign_id", ForeignKey("campaigns.campaign_id"), primary_key=True),
    Column("closed_at", UtcTime, nullable=False),
    Column("closed_by", Text, nullable=False),
    Column("closed_by_name", Text, nullable=False),
    Column("undecided", Integer, nullable=False),
    Column("decisions_sha256", _SHA256, nullable=False),
    Column("event_seq", ForeignKey("audit_events.seq"), nullable=False),
)

REVIEWERS = Table(
    "campaign_reviewers",
    METADATA,
    Column("campaign_id", ForeignKey("campaigns.campaign_id"), primary_key=True),
    Column("reviewer_id", Text, primary_key=True),
    Column("reviewer_name", Text, nullable=False),
    Column("department_name", Text),
    Column("email", Text),
)
"""Everybody who may review in a campaign: heads and managers at its opening."""

REVIEW_ITEMS = Table(
    "review_items",
    METADATA,
    Column("item_id", _ID, primary_key=True),
    Column("campaign_id", ForeignKey("campaigns.campaign_id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("reviewer_id", Text, nullable=False),
    Column("why_reviewer", String(32), nullable=False),
    Column("account_id", Text, nullable=False),
    Column("entitlement_id", Text),
    Column("source", Text, nullable=False),
    Column("login", Text),
    Column("display_name", Text),
    Column("identity_id", Text),
    Column("match_rule", Text),
    Column("department_id", Text),
    Column("department_name", Text),
    Column("job_title", Text),
    Column("employment_type", Text),
    Column("employment_status", Text),
    Column("end_date", Date),
    Column("account_type", Text),
    Column("is_enabled", Boolean),
    Column("mfa_state", Text),
    Column("account_created_at", UtcTime),
    Column("last_login_at", UtcTime),
    Column("last_login_basis", Text),
    Column("never_logged_in", Boolean),
    Column("password_changed_at", UtcTime),
    Column("entitlement_name", Text),
    Column("entitlement_kind", Text),
    Column("entitlement_description", Text),
    Column("abilities", Text),
    Column("data_scope", Text),
    Column("is_privileged", Boolean),
    Column("via", Text),
    Column("granted_at", UtcTime),
    Column("granted_by", Text),
    Column("grant_valid_until", UtcTime),
    Column("peers", Integer),
    Column("peer_holders", Integer),
    Column("change", String(16), nullable=False),
    Column("changed_fields", Text),
    Column("risk", String(16), nullable=False),
    Column("finding_ids", JSON, nullable=False),
    Column("reason_en", Text, nullable=False),
    Column("reason_zh", Text, nullable=False),
    Column("previous_decision", String(16)),
    Column("previous_campaign_id", _ID),
    Index(None, "campaign_id", "position"),
    Index(None, "campaign_id", "reviewer_id"),
    Index(None, "account_id", "entitlement_id"),
)
"""What a reviewer is asked, with the facts as they were shown. One grant, or one
account that holds none."""

EXCLUSIONS = Table(
    "campaign_exclusions",
    METADATA,
    Column("campaign_id", ForeignKey("campaigns.campaign_id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("source", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("entitlement_id", Text),
    Column("login", Text),
    Column("display_name", Text),
    Column("reason", String(64), nullable=False),
)

TIE_OUTS = Table(
    "campaign_tie_outs",
    METADATA,
    Column("campaign_id", ForeignKey("campaigns.campaign_id"), primary_key=True),
    Column("source", String(64), primary_key=True),
    Column("accepted", Integer, nullable=False),
    Column("in_review", Integer, nullable=False),
    Column("excluded", Integer, nullable=False),
)

ASSIGNMENTS = Table(
    "assignments",
    METADATA,
    Column("event_seq", ForeignKey("audit_events.seq"), primary_key=True),
    Column("item_id", ForeignKey("review_items.item_id"), primary_key=True),
    Column("campaign_id", ForeignKey("campaigns.campaign_id"), nullable=False),
    Column("reviewer_id", Text, nullable=False),
    Column("assigned_at", UtcTime, nullable=False),
    Column("assigned_by", Text, nullable=False),
    ForeignKeyConstraint(
        ["campaign_id", "reviewer_id"],
        ["campaign_reviewers.campaign_id", "campaign_reviewers.reviewer_id"],
    ),
    Index(None, "campaign_id"),
)
"""Rows handed to another reviewer; the one with the highest ``event_seq`` holds."""

WORKBOOKS = Table(
    "workbooks",
    METADATA,
    Column("campaign_id", ForeignKey("campaigns.campaign_id"), primary_key=True),
    Column("reviewer_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("language", String(16), nullable=False),
    Column("name", Text, nullable=False),
    Column("content_sha256", _SHA256, nullable=False),
    # Item id → decision version at issue: the row set a returned file must hold.
    Column("rows", JSON, nullable=False),
    Column("issued_at", UtcTime, nullable=False),
    Column("issued_by", Text, nullable=False),
    Column("event_seq", ForeignKey("audit_events.seq"), nullable=False),
)

RETURNS = Table(
    "workbook_returns",
    METADATA,
    Column("return_id", _ID, primary_key=True),
    Column("file_name", Text, nullable=False),
    Column("sha256", _SHA256, nullable=False),
    Column("size", Integer, nullable=False),
    # Kept byte for byte; null for a file that is no workbook of ours.
    Column("content", LargeBinary),
    Column("campaign_id", ForeignKey("campaigns.campaign_id")),
    Column("reviewer_id", Text),
    Column("version", Integer),
    Column("problems", JSON, nullable=False),
    Column("answers", JSON, nullable=False),
    Column("sign_off", JSON),
    Column("received_at", UtcTime, nullable=False),
    Column("received_by", Text, nullable=False),
    Column("received_by_name", Text, nullable=False),
    Column("event_seq", ForeignKey("audit_events.seq"), nullable=False),
    Index(None, "sha256"),
    Index(None, "campaign_id"),
)

CONFIRMATIONS = Table(
    "return_confirmations",
    METADATA,
    Column("return_id", ForeignKey("workbook_returns.return_id"), primary_key=True),
    Column("confirmed_at", UtcTime, nullable=False),
    Column("confirmed_by", Text, nullable=False),
    Column("confirmed_by_name", Text, nullable=False),
    Column("event_seq", ForeignKey("audit_events.seq"), nullable=False),
)

DECISIONS = Table(
    "decisions",
    METADATA,
    Column("item_id", ForeignKey("review_items.item_id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("campaign_id", ForeignKey("campaigns.campaign_id"), nullable=False),
    Column("decision", String(16), nullable=False),
    Column("comment", Text, nullable=False),
    Column("keep_until", Date),
    Column("decided_at", UtcTime, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_by_name", Text, nullable=False),
    # Who brought it in: another person than the decider only with a workbook.
    Column("recorded_by", Text, nullable=False),
    Column("recorded_by_name", Text, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("return_id", ForeignKey("workbook_returns.return_id")),
    Column("batch_size", Integer, nullable=False),
    Column("event_seq", ForeignKey("audit_events.seq"), nullable=False),
    UniqueConstraint("event_seq"),
    Index(None, "campaign_id"),
)
"""``version`` counts an item's decisions from 1; the highest is the latest."""

ATTESTATIONS = Table(
    "attestations",
    METADATA,
    Column("campaign_id", ForeignKey("campaigns.campaign_id"), primary_key=True),
    Column("reviewer_id", Text, primary_key=True),
    Column("event_seq", ForeignKey("audit_events.seq"), primary_key=True),
    Column("signed_name", Text, nullable=False),
    Column("statement", Text, nullable=False),
    Column("language", String(16), nullable=False),
    Column("attested_at", UtcTime, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Column("recorded_by_name", Text, nullable=False),
    Column("return_id", ForeignKey("workbook_returns.return_id")),
    Column("counts", JSON, nullable=False),
    Column("decisions_sha256", _SHA256, nullable=False),
)

OWNER_CONFIRMATIONS = Table(
    "owner_confirmations",
    METADATA,
    Column("event_seq", ForeignKey("audit_events.seq"), primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("identity_id", Text),
    Column("confirmed_at", UtcTime, nullable=False),
    Column("confirmed_by", Text, nullable=False),
    Column("confirmed_by_name", Text, nullable=False),
    Index(None, "account_id"),
)
"""Who owns an account, as a person said; the latest event of an account counts, and one
without an identity takes the earlier word back."""
