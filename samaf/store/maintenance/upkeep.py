"""What a store no longer needs: old logs, rows that belong to nothing, unused space."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, exists, func, or_, select, update

from samaf.errors import StoreError
from samaf.store import schema
from samaf.store.database import Database
from samaf.store.maintenance.dialects import maintenance_of
from samaf.store.maintenance.opening import opened
from samaf.store.rows import now
from samaf.store.statements import keep_others_out, log_start

DAYS = 90  # deletions that are kept

_deletions = schema.deletions.c


@dataclass(frozen=True, slots=True)
class PruneResult:
    """Rows of one kind that were removed, or would be.

    Attributes
    ----------
    what
        Which rows.
    rows
        How many.
    effect
        What comes of it.
    """

    what: str
    rows: int
    effect: str


@dataclass(frozen=True, slots=True)
class VacuumResult:
    """Bytes on disk before and after unused space was given back."""

    url: str
    before: int
    after: int


def prune(url: str | None, *, days: int = DAYS, dry_run: bool = False) -> list[PruneResult]:
    """Remove rows that nothing needs any more; no recording, label or hash of one goes.

    Those are: entries of the log of deletions older than ``days`` (an index that has not
    followed since then is rebuilt by itself; the audit log keeps all deletions), labels
    and hashes whose recording or fingerprinter is gone, and fingerprinters without hashes.

    Raises
    ------
    StoreError
        There is no store, or ``days`` is negative.
    """
    if days < 0:
        raise StoreError(f"{days} days is no age; give 0 or more")
    with opened(url) as database:
        return _prune(database, days, dry_run)


def _prune(database: Database, days: int, dry_run: bool) -> list[PruneResult]:
    rows, labels, owners = schema.hash_rows, schema.labels, schema.fingerprinters
    old = _deletions.deleted_at <= now() - timedelta(days=days)
    unused = ~exists().where(rows.c.fingerprinter_id == owners.c.id)
    kinds: list[tuple[str, Table, ColumnElement[bool], str]] = [
        (
            f"deletions logged more than {days} days ago",
            schema.deletions,
            old,
            "indexes that are older are rebuilt; the audit log keeps all deletions",
        ),
        ("labels without a recording", labels, _without(labels, "recording_id"), "none"),
        (
            "rows of hashes without a recording or fingerprinter",
            rows,
            or_(_without(rows, "recording_id"), _without(rows, "fingerprinter_id")),
            "none",
        ),
        (
            "fingerprinters without hashes",
            owners,
            unused,
            "an empty store takes recordings of any model",
        ),
    ]

    def work(connection: Connection) -> list[PruneResult]:
        if not dry_run:
            keep_others_out(connection)
            last = connection.execute(select(func.max(_deletions.revision)).where(old)).scalar()
            start = max(log_start(connection), last or 0)
            connection.execute(update(schema.store).values(log_start=start))
        return [
            PruneResult(what, _count(connection, table, which, dry_run), effect)
            for what, table, which, effect in kinds
        ]

    return database.read(work) if dry_run else database.write(work, repeatable=True)


def _without(table: Table, column: str) -> ColumnElement[bool]:
    """Select rows that refer to a row that is not there."""
    (key,) = table.c[column].foreign_keys
    return ~exists().where(key.column == table.c[column])


def _count(connection: Connection, table: Table, which: ColumnElement[Any], dry_run: bool) -> int:
    if dry_run:
        query = select(func.count()).select_from(table).where(which)
        return int(connection.execute(query).scalar_one())
    return connection.execute(delete(table).where(which)).rowcount


def vacuum(url: str | None) -> VacuumResult:
    """Give space that deleted rows took back to the disk; writers wait meanwhile.

    Raises
    ------
    StoreError
        There is no store, or no room for the second copy that this needs.
    """
    with opened(url) as database:
        administration = maintenance_of(database)
        before = administration.size()
        administration.vacuum()
        return VacuumResult(database.name, before, administration.size())
