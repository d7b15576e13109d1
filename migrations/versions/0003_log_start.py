"""From which revision on all changes are known, so that old logs can be pruned."""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0003"
down_revision = "0002"

COUNTER = sa.Integer().with_variant(mysql.BIGINT(unsigned=True), "mysql")


def upgrade() -> None:
    """Add the column to the table ``store``, unless a run that was cut short did."""
    if "log_start" not in _columns():
        with op.batch_alter_table("store", recreate=_recreate()) as table:
            table.add_column(
                sa.Column("log_start", COUNTER, nullable=False, server_default=sa.text("0"))
            )
    # A store that went down and up again may have been pruned before: nobody knows.
    op.execute("UPDATE store SET log_start = revision")


def downgrade() -> None:
    """Drop the column."""
    if "log_start" not in _columns():
        return
    with op.batch_alter_table("store", recreate=_recreate()) as table:
        table.drop_column("log_start")


def _columns() -> set[str]:
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns("store")}


def _recreate() -> Literal["always", "never"]:
    # SQLite's own ALTER TABLE leaves another text of the table than making it does.
    return "always" if op.get_bind().dialect.name == "sqlite" else "never"
