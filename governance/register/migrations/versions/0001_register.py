"""The register as first laid: campaigns, decisions, workbooks, audit trail."""

import sqlalchemy as sa
from alembic import op

from governance.register.tables import UtcTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = (
    "audit_events",
    "campaigns",
    "campaign_closings",
    "campaign_reviewers",
    "review_items",
    "campaign_exclusions",
    "campaign_tie_outs",
    "assignments",
    "workbooks",
    "workbook_returns",
    "return_confirmations",
    "decisions",
    "attestations",
)


def upgrade() -> None:
    """Make the tables, and refuse changes to what is recorded."""
    make_tables()
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "create function refuse_change() returns trigger language plpgsql as $$ "
            "begin raise exception '% is append-only', tg_table_name; end $$"
        )
    for table in APPEND_ONLY:
        refuse_changes(table)


def refuse_changes(table: str) -> None:
    """Let rows be added and nothing else: a seat-belt, the hash chain is the proof."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"create trigger {table}_append_only before update or delete or truncate "
            f"on {table} for each statement execute function refuse_change()"
        )
        return
    for change in ("update", "delete"):
        op.execute(
            f"create trigger {table}_no_{change} before {change} on {table} "
            f"begin select raise(abort, '{table} is append-only'); end"
        )


def make_tables() -> None:
    """Make every table."""
    op.create_table(
        "audit_events",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.String(length=64), nullable=False),
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_events")),
    )
    op.create_index(
        op.f("ix_audit_events_subject"), "audit_events", ["subject"], unique=False
    )
    op.create_table(
        "campaigns",
        sa.Column("campaign_id", sa.String(length=128), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("snapshot_id", sa.String(length=32), nullable=False),
        sa.Column("snapshot_as_of", UtcTime(), nullable=False),
        sa.Column("prior_snapshot_id", sa.String(length=32), nullable=True),
        sa.Column("manifest_sha256", sa.String(length=64), nullable=False),
        sa.Column("policy_sha256", sa.String(length=64), nullable=False),
        sa.Column("sources", sa.JSON(), nullable=False),
        sa.Column("reviewers", sa.String(length=32), nullable=False),
        sa.Column("fallback_reviewer", sa.Text(), nullable=True),
        sa.Column("item_count", sa.Integer(), nullable=False),
        sa.Column("items_sha256", sa.String(length=64), nullable=False),
        sa.Column("opened_at", UtcTime(), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("opened_by_name", sa.Text(), nullable=False),
        sa.Column("event_seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_seq"],
            ["audit_events.seq"],
            name=op.f("fk_campaigns_event_seq_audit_events"),
        ),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_campaigns")),
    )
    op.create_table(
        "campaign_closings",
        sa.Column("campaign_id", sa.String(length=128), nullable=False),
        sa.Column("closed_at", UtcTime(), nullable=False),
        sa.Column("closed_by", sa.Text(), nullable=False),
        sa.Column("closed_by_name", sa.Text(), nullable=False),
        sa.Column("undecided", sa.Integer(), nullable=False),
        sa.Column("decisions_sha256", sa.String(length=64), nullable=False),
        sa.Column("event_seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaigns.campaign_id"],
            name=op.f("fk_campaign_closings_campaign_id_campaigns"),
        ),
        sa.ForeignKeyConstraint(
            ["event_seq"],
            ["audit_events.seq"],
            name=op.f("fk_campaign_closings_event_seq_audit_events"),
        ),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_campaign_closings")),
    )
    op.create_table(
        "campaign_exclusions",
        sa.Column("campaign_id", sa.String(length=128), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("entitlement_id", sa.Text(), nullable=True),
        sa.Column("login", sa.Text(), nullable=True),
        sa.Column("display_name", sa.Text(), nullable=True),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaigns.campaign_id"],
            name=op.f("fk_campaign_exclusions_campaign_id_campaigns"),
        ),
        sa.PrimaryKeyConstraint(
            "campaign_id", "number", name=op.f("pk_campaign_exclusions")
        ),
    )
    op.create_table(
        "campaign_reviewers",
        sa.Column("campaign_id", sa.String(length=128), nullable=False),
        sa.Column("reviewer_id", sa.Text(), nullable=False),
        sa.Column("reviewer_name", sa.Text(), nullable=False),
        sa.Column("department_name", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaigns.campaign_id"],
            name=op.f("fk_campaign_reviewers_campaign_id_campaigns"),
        ),
        sa.PrimaryKeyConstraint(
            "campaign_id", "reviewer_id", name=op.f("pk_campaign_reviewers")
        ),
    )
    op.create_table(
        "campaign_tie_outs",
        sa.Column("campaign_id", sa.String(length=128), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("in_review", sa.Integer(), nullable=False),
        sa.Column("excluded", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaigns.campaign_id"],
            name=op.f("fk_campaign_tie_outs_campaign_id_campaigns"),
        ),
        sa.PrimaryKeyConstraint(
            "campaign_id", "source", name=op.f("pk_campaign_tie_outs")
        ),
    )
    op.create_table(
        "review_items",
        sa.Column("item_id", sa.String(length=128), nullable=False),
        sa.Column("campaign_id", sa.String(length=128), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("reviewer_id", sa.Text(), nullable=False),
        sa.Column("why_reviewer", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("entitlement_id", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("login", sa.Text(), nullable=True),
        sa.Column("display_name", sa.Text(), nullable=True),
        sa.Column("identity_id", sa.Text(), nullable=True),
        sa.Column("match_rule", sa.Text(), nullable=True),
        sa.Column("department_id", sa.Text(), nullable=True),
        sa.Column("department_name", sa.Text(), nullable=True),
        sa.Column("job_title", sa.Text(), nullable=True),
        sa.Column("employment_type", sa.Text(), nullable=True),
        sa.Column("employment_status", sa.Text(), nullable=True),
        sa.Column("end_date", sa.Date(), nullable=True),
        sa.Column("account_type", sa.Text(), nullable=True),
        sa.Column("is_enabled", sa.Boolean(), nullable=True),
        sa.Column("mfa_state", sa.Text(), nullable=True),
        sa.Column("account_created_at", UtcTime(), nullable=True),
        sa.Column("last_login_at", UtcTime(), nullable=True),
        sa.Column("last_login_basis", sa.Text(), nullable=True),
        sa.Column("never_logged_in", sa.Boolean(), nullable=True),
        sa.Column("password_changed_at", UtcTime(), nullable=True),
        sa.Column("entitlement_name", sa.Text(), nullable=True),
        sa.Column("entitlement_kind", sa.Text(), nullable=True),
        sa.Column("entitlement_description", sa.Text(), nullable=True),
        sa.Column("abilities", sa.Text(), nullable=True),
        sa.Column("data_scope", sa.Text(), nullable=True),
        sa.Column("is_privileged", sa.Boolean(), nullable=True),
        sa.Column("via", sa.Text(), nullable=True),
        sa.Column("granted_at", UtcTime(), nullable=True),
        sa.Column("granted_by", sa.Text(), nullable=True),
        sa.Column("grant_valid_until", UtcTime(), nullable=True),
        sa.Column("peers", sa.Integer(), nullable=True),
        sa.Column("peer_holders", sa.Integer(), nullable=True),
        sa.Column("change", sa.String(length=16), nullable=False),
        sa.Column("changed_fields", sa.Text(), nullable=True),
        sa.Column("risk", sa.String(length=16), nullable=False),
        sa.Column("finding_ids", sa.JSON(), nullable=False),
        sa.Column("reason_en", sa.Text(), nullable=False),
        sa.Column("reason_zh", sa.Text(), nullable=False),
        sa.Column("previous_decision", sa.String(length=16), nullable=True),
        sa.Column("previous_campaign_id", sa.String(length=128), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaigns.campaign_id"],
            name=op.f("fk_review_items_campaign_id_campaigns"),
        ),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_review_items")),
    )
    op.create_index(
        op.f("ix_review_items_account_id_entitlement_id"),
        "review_items",
        ["account_id", "entitlement_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_review_items_campaign_id_position"),
        "review_items",
        ["campaign_id", "position"],
        unique=False,
    )
    op.create_index(
        op.f("ix_review_items_campaign_id_reviewer_id"),
        "review_items",
        ["campaign_id", "reviewer_id"],
        unique=False,
    )
    op.create_table(
        "workbook_returns",
        sa.Column("return_id", sa.String(length=128), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("campaign_id", sa.String(length=128), nullable=True),
        sa.Column("reviewer_id", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("sign_off", sa.JSON(), nullable=True),
        sa.Column("received_at", UtcTime(), nullable=False),
        sa.Column("received_by", sa.Text(), nullable=False),
        sa.Column("received_by_name", sa.Text(), nullable=False),
        sa.Column("event_seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaigns.campaign_id"],
            name=op.f("fk_workbook_returns_campaign_id_campaigns"),
        ),
        sa.ForeignKeyConstraint(
            ["event_seq"],
            ["audit_events.seq"],
            name=op.f("fk_workbook_returns_event_seq_audit_events"),
        ),
        sa.PrimaryKeyConstraint("return_id", name=op.f("pk_workbook_returns")),
    )
    op.create_index(
        op.f("ix_workbook_returns_campaign_id"),
        "workbook_returns",
        ["campaign_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_workbook_returns_sha256"), "workbook_returns", ["sha256"], unique=False
    )
    op.create_table(
        "workbooks",
        sa.Column("campaign_id", sa.String(length=128), nullable=False),
        sa.Column("reviewer_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.Column("issued_at", UtcTime(), nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.Column("event_seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaigns.campaign_id"],
            name=op.f("fk_workbooks_campaign_id_campaigns"),
        ),
        sa.ForeignKeyConstraint(
            ["event_seq"],
            ["audit_events.seq"],
            name=op.f("fk_workbooks_event_seq_audit_events"),
        ),
        sa.PrimaryKeyConstraint(
            "campaign_id", "reviewer_id", "version", name=op.f("pk_workbooks")
        ),
    )
    op.create_table(
        "assignments",
        sa.Column("event_seq", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.String(length=128), nullable=False),
        sa.Column("campaign_id", sa.String(length=128), nullable=False),
        sa.Column("reviewer_id", sa.Text(), nullable=False),
        sa.Column("assigned_at", UtcTime(), nullable=False),
        sa.Column("assigned_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id", "reviewer_id"],
            ["campaign_reviewers.campaign_id", "campaign_reviewers.reviewer_id"],
            name=op.f("fk_assignments_campaign_id_reviewer_id_campaign_reviewers"),
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaigns.campaign_id"],
            name=op.f("fk_assignments_campaign_id_campaigns"),
        ),
        sa.ForeignKeyConstraint(
            ["event_seq"],
            ["audit_events.seq"],
            name=op.f("fk_assignments_event_seq_audit_events"),
        ),
        sa.ForeignKeyConstraint(
            ["item_id"],
            ["review_items.item_id"],
            name=op.f("fk_assignments_item_id_review_items"),
        ),
        sa.PrimaryKeyConstraint("event_seq", "item_id", name=op.f("pk_assignments")),
    )
    op.create_index(
        op.f("ix_assignments_campaign_id"), "assignments", ["campaign_id"], unique=False
    )
    op.create_table(
        "attestations",
        sa.Column("campaign_id", sa.String(length=128), nullable=False),
        sa.Column("reviewer_id", sa.Text(), nullable=False),
        sa.Column("event_seq", sa.Integer(), nullable=False),
        sa.Column("signed_name", sa.Text(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("attested_at", UtcTime(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("recorded_by_name", sa.Text(), nullable=False),
        sa.Column("return_id", sa.String(length=128), nullable=True),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("decisions_sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaigns.campaign_id"],
            name=op.f("fk_attestations_campaign_id_campaigns"),
        ),
        sa.ForeignKeyConstraint(
            ["event_seq"],
            ["audit_events.seq"],
            name=op.f("fk_attestations_event_seq_audit_events"),
        ),
        sa.ForeignKeyConstraint(
            ["return_id"],
            ["workbook_returns.return_id"],
            name=op.f("fk_attestations_return_id_workbook_returns"),
        ),
        sa.PrimaryKeyConstraint(
            "campaign_id", "reviewer_id", "event_seq", name=op.f("pk_attestations")
        ),
    )
    op.create_table(
        "decisions",
        sa.Column("item_id", sa.String(length=128), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.String(length=128), nullable=False),
        sa.Column("decision", sa.String(length=16), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("keep_until", sa.Date(), nullable=True),
        sa.Column("decided_at", UtcTime(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_by_name", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("recorded_by_name", sa.Text(), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("return_id", sa.String(length=128), nullable=True),
        sa.Column("batch_size", sa.Integer(), nullable=False),
        sa.Column("event_seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaigns.campaign_id"],
            name=op.f("fk_decisions_campaign_id_campaigns"),
        ),
        sa.ForeignKeyConstraint(
            ["event_seq"],
            ["audit_events.seq"],
            name=op.f("fk_decisions_event_seq_audit_events"),
        ),
        sa.ForeignKeyConstraint(
            ["item_id"],
            ["review_items.item_id"],
            name=op.f("fk_decisions_item_id_review_items"),
        ),
        sa.ForeignKeyConstraint(
            ["return_id"],
            ["workbook_returns.return_id"],
            name=op.f("fk_decisions_return_id_workbook_returns"),
        ),
        sa.PrimaryKeyConstraint("item_id", "version", name=op.f("pk_decisions")),
        sa.UniqueConstraint("event_seq", name=op.f("uq_decisions_event_seq")),
    )
    op.create_index(
        op.f("ix_decisions_campaign_id"), "decisions", ["campaign_id"], unique=False
    )
    op.create_table(
        "return_confirmations",
        sa.Column("return_id", sa.String(length=128), nullable=False),
        sa.Column("confirmed_at", UtcTime(), nullable=False),
        sa.Column("confirmed_by", sa.Text(), nullable=False),
        sa.Column("confirmed_by_name", sa.Text(), nullable=False),
        sa.Column("event_seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_seq"],
            ["audit_events.seq"],
            name=op.f("fk_return_confirmations_event_seq_audit_events"),
        ),
        sa.ForeignKeyConstraint(
            ["return_id"],
            ["workbook_returns.return_id"],
            name=op.f("fk_return_confirmations_return_id_workbook_returns"),
        ),
        sa.PrimaryKeyConstraint("return_id", name=op.f("pk_return_confirmations")),
    )
