"""Recordings, their labels and hashes, fingerprinters, the revision log."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None

OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_row_format": "DYNAMIC",
    "mysql_default_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}
COUNTER = sa.Integer().with_variant(mysql.BIGINT(unsigned=True), "mysql")
UNSIGNED = sa.Integer().with_variant(mysql.INTEGER(unsigned=True), "mysql")
SHA256 = sa.LargeBinary(32).with_variant(mysql.BINARY(32), "mysql")
SMALL = sa.SmallInteger().with_variant(mysql.SMALLINT(unsigned=True), "mysql")


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "store",
        sa.Column("id", SMALL, autoincrement=False, nullable=False),
        sa.Column("store_id", sa.CHAR(36), nullable=False),
        sa.Column("revision", COUNTER, nullable=False),
        sa.Column("last_recording_id", COUNTER, nullable=False),
        sa.Column("blocks_per_row", SMALL, nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_store"),
        **OPTIONS,
    )
    op.create_table(
        "fingerprinters",
        sa.Column("id", UNSIGNED, autoincrement=False, nullable=False),
        sa.Column("digest", sa.CHAR(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("bits", SMALL, nullable=False),
        sa.Column("family", sa.String(255), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_fingerprinters"),
        sa.UniqueConstraint("digest", name="uq_fingerprinters_digest"),
        **OPTIONS,
    )
    op.create_table(
        "recordings",
        sa.Column("id", COUNTER, autoincrement=False, nullable=False),
        sa.Column("sha256", SHA256, nullable=False),
        sa.Column("name", sa.String(1536), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("duration", sa.Double(), nullable=False),
        sa.Column("hash_count", UNSIGNED, nullable=False),
        sa.Column("added_at", sa.DateTime(), nullable=False),
        sa.Column("revision", COUNTER, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_recordings"),
        sa.UniqueConstraint("sha256", name="uq_recordings_sha256"),
        **OPTIONS,
    )
    op.create_index("ix_recordings_name", "recordings", ["name"], mysql_length=191)
    op.create_index("ix_recordings_revision", "recordings", ["revision"])
    op.create_table(
        "deletions",
        sa.Column("recording_id", COUNTER, autoincrement=False, nullable=False),
        sa.Column("sha256", SHA256, nullable=False),
        sa.Column("revision", COUNTER, nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("recording_id", name="pk_deletions"),
        **OPTIONS,
    )
    op.create_index("ix_deletions_revision", "deletions", ["revision"])
    op.create_table(
        "labels",
        sa.Column("recording_id", COUNTER, autoincrement=False, nullable=False),
        sa.Column("position", SMALL, autoincrement=False, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("recording_id", "position", name="pk_labels"),
        sa.ForeignKeyConstraint(
            ["recording_id"],
            ["recordings.id"],
            name="fk_labels_recording_id",
            ondelete="CASCADE",
        ),
        **OPTIONS,
    )
    op.create_index(
        "ix_labels_name_value", "labels", ["name", "value"], mysql_length={"value": 191}
    )
    op.create_table(
        "hash_rows",
        sa.Column("fingerprinter_id", UNSIGNED, autoincrement=False, nullable=False),
        sa.Column("recording_id", COUNTER, autoincrement=False, nullable=False),
        sa.Column("first_block_id", UNSIGNED, autoincrement=False, nullable=False),
        sa.Column("count", SMALL, nullable=False),
        sa.Column(
            "hashes", sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql"), nullable=False
        ),
        sa.Column("informative", sa.LargeBinary().with_variant(mysql.VARBINARY(512), "mysql")),
        sa.Column("crc32", UNSIGNED, nullable=False),
        sa.PrimaryKeyConstraint(
            "fingerprinter_id", "recording_id", "first_block_id", name="pk_hash_rows"
        ),
        sa.ForeignKeyConstraint(
            ["fingerprinter_id"],
            ["fingerprinters.id"],
            name="fk_hash_rows_fingerprinter_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["recording_id"],
            ["recordings.id"],
            name="fk_hash_rows_recording_id",
            ondelete="CASCADE",
        ),
        **OPTIONS,
    )
    op.create_index("ix_hash_rows_recording_id", "hash_rows", ["recording_id"])


def downgrade() -> None:
    """Drop all tables."""
    for table in ("hash_rows", "labels", "deletions", "recordings", "fingerprinters", "store"):
        op.drop_table(table)
