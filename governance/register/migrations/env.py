"""Runs migrations on the connection that the register hands over."""

from alembic import context

from governance.register.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA
)
with context.begin_transaction():
    context.run_migrations()
