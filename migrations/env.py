"""Run migrations on the connection that ``samaf.store.migration`` hands over."""

from __future__ import annotations

from alembic import context

from samaf.store import schema

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema.metadata,
    # SQLite alters a table by making it again.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
