"""What was decoded of a recording, and how many streams of hashes it has."""

from __future__ import annotations

from typing import Literal
from zlib import crc32

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0004"
down_revision = "0003"

SMALL = sa.SmallInteger().with_variant(mysql.SMALLINT(unsigned=True), "mysql")


def upgrade() -> None:
    """Add the columns to the table ``recordings`` that a run that was cut short did not."""
    columns = (
        sa.Column("streams", SMALL, nullable=False, server_default=sa.text("1")),
        sa.Column("media", sa.Text(), nullable=True),
    )
    present = _columns()
    if missing := [column for column in columns if column.name not in present]:
        with op.batch_alter_table("recordings", recreate=_recreate()) as table:
            for column in missing:
                table.add_column(column)


def downgrade() -> None:
    """Drop the columns, and the hashes of sides, which an older program takes for the sound."""
    present = [name for name in ("streams", "media") if name in _columns()]
    if "streams" in present:
        _drop_sides()
    if present:
        with op.batch_alter_table("recordings", recreate=_recreate()) as table:
            for name in present:
                table.drop_column(name)


def _columns() -> set[str]:
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns("recordings")}


def _recreate() -> Literal["always", "never"]:
    # SQLite's own ALTER TABLE leaves another text of the table than making it does.
    return "always" if op.get_bind().dialect.name == "sqlite" else "never"


def _drop_sides() -> None:
    """Keep the hashes of the mix alone; their last row may hold some of a side."""
    connection = op.get_bind()
    metadata = sa.MetaData()
    recordings, rows = (
        sa.Table(name, metadata, autoload_with=connection, resolve_fks=False)
        for name in ("recordings", "hash_rows")
    )
    apart = sa.select(recordings.c.id, recordings.c.streams).where(recordings.c.streams > 1)
    for recording_id, streams in connection.execute(apart).all():
        of_recording = rows.c.recording_id == recording_id
        totals = sa.select(rows.c.fingerprinter_id, sa.func.sum(rows.c.count))
        counts = connection.execute(
            totals.where(of_recording).group_by(rows.c.fingerprinter_id)
        ).all()
        for fingerprinter_id, total in counts:
            kept = int(total) // int(streams)
            mine = sa.and_(of_recording, rows.c.fingerprinter_id == fingerprinter_id)
            connection.execute(sa.delete(rows).where(mine, rows.c.first_block_id >= kept))
            last = sa.select(rows).where(mine).order_by(rows.c.first_block_id.desc()).limit(1)
            if row := connection.execute(last).first():
                count = kept - int(row.first_block_id)
                hashes = row.hashes[: len(row.hashes) // int(row._mapping["count"]) * count]
                flags = row.informative
                if flags is not None:
                    flags = flags[: -(-count // 8)]
                    flags = flags[:-1] + bytes([flags[-1] & 0xFF << -count % 8 & 0xFF])
                values = {
                    "count": count,
                    "hashes": hashes,
                    "informative": flags,
                    "crc32": crc32(flags or b"", crc32(hashes)),
                }
                same = rows.c.first_block_id == row.first_block_id
                connection.execute(sa.update(rows).where(mine, same).values(values))
        connection.execute(
            sa.update(recordings)
            .where(recordings.c.id == recording_id)
            .values(streams=1, hash_count=recordings.c.hash_count / streams)
        )
