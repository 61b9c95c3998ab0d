"""Owners that a person confirmed, so that the next snapshot matches them."""

import sqlalchemy as sa
from alembic import op

from governance.register.tables import UtcTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLE = "owner_confirmations"


def upgrade() -> None:
    """Make the table, append-only as every other."""
    op.create_table(
        TABLE,
        sa.Column("event_seq", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("identity_id", sa.Text(), nullable=True),
        sa.Column("confirmed_at", UtcTime(), nullable=False),
        sa.Column("confirmed_by", sa.Text(), nullable=False),
        sa.Column("confirmed_by_name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_seq"],
            ["audit_events.seq"],
            name=op.f("fk_owner_confirmations_event_seq_audit_events"),
        ),
        sa.PrimaryKeyConstraint("event_seq", name=op.f("pk_owner_confirmations")),
    )
    op.create_index(
        op.f("ix_owner_confirmations_account_id"), TABLE, ["account_id"], unique=False
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"create trigger {TABLE}_append_only before update or delete or truncate "
            f"on {TABLE} for each statement execute function refuse_change()"
        )
        return
    for change in ("update", "delete"):
        op.execute(
            f"create trigger {TABLE}_no_{change} before {change} on {TABLE} "
            f"begin select raise(abort, '{TABLE} is append-only'); end"
        )
