"""Everything that can be wrong inside a store, found by reading all of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, exists, func, select

from samaf.errors import StoreError
from samaf.store import schema
from samaf.store.audit import check
from samaf.store.blobs import DamagedRowError, HashRow, unpack
from samaf.store.database import Database
from samaf.store.maintenance.dialects import maintenance_of
from samaf.store.maintenance.transfer import (
    Progress,
    fingerprinter_bits,
    no_progress,
    pages,
    total_hashes,
)
from samaf.store.rows import media_of
from samaf.store.statements import bound

_recordings = schema.recordings.c
_hash_rows = schema.hash_rows.c

RESTORE = "restore a backup"
PRUNE = "run `samaf db prune`, which removes them"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong.

    Attributes
    ----------
    kind
        "database", "revision", "hashes", "fingerprinter", "orphan", "audit"; with a folder
        of audio also "file".
    where
        The recording, row or file.
    what
        What is wrong with it.
    remedy
        How to fix it.
    """

    kind: str
    where: str
    what: str
    remedy: str


def verify(database: Database, on_progress: Progress = no_progress) -> Iterator[Fault]:
    """Yield all faults of a store; it is read as of one moment.

    Each checksum is computed again; hashes must follow one another without gaps, as many
    as their recording says, of a fingerprinter that is known; revisions must rise with ids;
    the audit log must be as it was written; and the database must find its own files sound.
    """
    try:
        for damage in maintenance_of(database).damages():
            yield Fault("database", database.name, damage, RESTORE)
        with database.snapshot() as connection:
            yield from _counters(connection)
            yield from _orphans(connection)
            yield from _hashes(connection, on_progress)
            yield from _audit(connection)
    except StoreError as error:
        # What can still be read was reported before.
        yield Fault("database", database.name, str(error), RESTORE)


def _counters(connection: Connection) -> Iterator[Fault]:
    """Revisions rise with ids, and neither passes what the table ``store`` says."""
    stores = connection.execute(select(schema.store)).all()
    if len(stores) != 1:
        yield Fault("revision", "table store", f"has {len(stores)} rows instead of 1", RESTORE)
        return
    (store,) = stores
    deletions = schema.deletions.c
    for what, limit, columns in (
        ("revision", store.revision, (_recordings.revision, deletions.revision)),
        ("last_recording_id", store.last_recording_id, (_recordings.id, deletions.recording_id)),
    ):
        for column in columns:
            highest = connection.execute(select(func.max(column))).scalar() or 0
            if highest > limit:
                yield Fault(
                    "revision",
                    "table store",
                    f"{what} is {limit}, and the table {column.table.name} has {highest}",
                    "copy the store to a new one with `samaf db merge`",
                )
    both = select(_recordings.id).where(exists().where(deletions.recording_id == _recordings.id))
    for recording_id in connection.execute(both).scalars():
        where = f"recording {recording_id}"
        yield Fault("revision", where, "is there and logged as deleted", RESTORE)


def _orphans(connection: Connection) -> Iterator[Fault]:
    """Rows whose recording or fingerprinter is not there."""
    for table in (schema.labels, schema.hash_rows):
        column = table.c.recording_id
        rows = connection.execute(
            select(column, func.count())
            .where(~exists().where(_recordings.id == column))
            .group_by(column)
            .order_by(column)
        )
        for recording_id, count in rows:
            what = f"{count} rows of the table {table.name} belong to it, and it is not there"
            yield Fault("orphan", f"recording {recording_id}", what, PRUNE)
    owner = _hash_rows.fingerprinter_id
    for number, count in connection.execute(
        select(owner, func.sum(_hash_rows.count))
        .where(~exists().where(schema.fingerprinters.c.id == owner))
        .group_by(owner)
    ):
        what = f"{count} hashes belong to it, and it is not there"
        yield Fault("fingerprinter", f"fingerprinter {number}", what, PRUNE)
    recordings = connection.execute(select(func.count()).select_from(schema.recordings)).scalar()
    if recordings and bound(connection) is None:
        what = f"there are {recordings} recordings and no fingerprinter"
        yield Fault("fingerprinter", "table fingerprinters", what, RESTORE)


def _audit(connection: Connection) -> Iterator[Fault]:
    verdict = check(connection)
    if verdict.broken:
        remedy = f"compare it with that of a backup; entries up to {verdict.entries} hold"
        yield Fault("audit", f"entry {verdict.broken}", verdict.reason, remedy)


def _hashes(connection: Connection, on_progress: Progress) -> Iterator[Fault]:
    bits = fingerprinter_bits(connection)
    owner = min(bits, default=None)
    done, total, revision = 0, total_hashes(connection), 0
    for page in pages(connection):
        rows = _rows(connection, page[0].id, page[-1].id)
        for recording in page:
            where = f"recording {recording.id}"
            if recording.revision < revision:
                what = f"its revision {recording.revision} is lower than the one before"
                yield Fault("revision", where, what, RESTORE)
            revision = recording.revision
            if owner is not None and (owner, recording.id) not in rows:
                yield Fault("hashes", where, "has no hashes", _add_again(recording))
            for fingerprinter, width in bits.items():
                stored = rows.get((fingerprinter, recording.id))
                # A fingerprinter that waits to take the store over may make more or fewer.
                of_owner = fingerprinter == owner
                count = recording.hash_count if of_owner else None
                streams = recording.streams if of_owner else 1
                if stored and (what := _fault_of(stored, count, width, streams)):
                    yield Fault("hashes", where, what, _add_again(recording))
            if what := _fault_of_media(recording):
                yield Fault("hashes", where, what, _add_again(recording))
            done += recording.hash_count
        on_progress(done, total)


def _rows(connection: Connection, first: int, last: int) -> dict[tuple[int, int], list[HashRow]]:
    rows: dict[tuple[int, int], list[HashRow]] = defaultdict(list)
    for owner, recording_id, *columns in connection.execute(
        select(schema.hash_rows)
        .where(_hash_rows.recording_id.between(first, last))
        .order_by(_hash_rows.recording_id, _hash_rows.first_block_id)
    ):
        rows[owner, recording_id].append(HashRow(*columns))
    return rows


def _fault_of(rows: Sequence[HashRow], count: int | None, bits: int, streams: int) -> str:
    """Say what is wrong with the hashes of one recording; nothing when all is well."""
    try:
        count = sum(row.count for row in rows) if count is None else count
        unpack(rows, count, bits, streams)
    except DamagedRowError as error:
        return str(error)
    except (TypeError, ValueError) as error:
        return f"a row holds values of a wrong kind ({error})"
    return ""


def _fault_of_media(recording: Row[Any]) -> str:
    """Say whether the streams are not those of what was decoded."""
    try:
        media = media_of(recording.media)
    except (TypeError, ValueError):
        return "what is written of its decoding cannot be read"
    if recording.streams not in (1, 1 + len(media.sides) if media else 1):
        return f"has hashes of {recording.streams} streams, other than its channels"
    return ""


def _add_again(recording: Row[Any]) -> str:
    return (
        f"run `samaf delete {recording.id}` and `samaf add {recording.path}`, or restore a backup"
    )
