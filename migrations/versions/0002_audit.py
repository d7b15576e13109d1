"""The audit log: who changed what and when, each entry chained to the one before."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"

OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_row_format": "DYNAMIC",
    "mysql_default_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}
COUNTER = sa.Integer().with_variant(mysql.BIGINT(unsigned=True), "mysql")
SHA256 = sa.LargeBinary(32).with_variant(mysql.BINARY(32), "mysql")


def upgrade() -> None:
    """Make the table, unless a run that was cut short did; the program adds the triggers."""
    if _is_there():
        return
    op.create_table(
        "audit",
        sa.Column("id", COUNTER, autoincrement=False, nullable=False),
        sa.Column("happened_at", sa.DateTime(), nullable=False),
        sa.Column("act", sa.String(16), nullable=False),
        sa.Column("sha256", SHA256, nullable=True),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("database_user", sa.String(384), nullable=False),
        sa.Column("os_user", sa.String(384), nullable=False),
        sa.Column("program", sa.String(64), nullable=False),
        sa.Column("fingerprinter", SHA256, nullable=True),
        sa.Column("details", sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql"), nullable=False),
        sa.Column("hash", SHA256, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        **OPTIONS,
    )


def downgrade() -> None:
    """Drop the table with all entries."""
    if _is_there():
        op.drop_table("audit")


def _is_there() -> bool:
    return "audit" in sa.inspect(op.get_bind()).get_table_names()
