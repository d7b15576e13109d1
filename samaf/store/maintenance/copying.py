"""A whole store copied into another database, a transaction a page, and gone on with later."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from samaf.errors import StoreError
from samaf.store import schema
from samaf.store.audit import NO_ENTRY, has, log_head
from samaf.store.maintenance.opening import opened, refuse_same
from samaf.store.maintenance.transfer import (
    Progress,
    no_progress,
    pages,
    put,
    put_fingerprinters,
    put_log,
    put_recordings,
    store_row,
    total_hashes,
)
from samaf.store.rows import Values
from samaf.store.statements import IDS_A_STATEMENT, keep_others_out
from samaf.store.statements import revision as revision_of

_recordings = schema.recordings.c
_deletions = schema.deletions.c


@dataclass(frozen=True, slots=True)
class CopyResult:
    """What a copy did.

    Attributes
    ----------
    source, target
        The stores, without passwords.
    recordings, hashes
        How many were written now.
    present
        Recordings that an earlier, stopped copy had written.
    revision
        The revision of both stores.
    """

    source: str
    target: str
    recordings: int
    hashes: int
    present: int
    revision: int


def copy(
    source_url: str,
    target_url: str,
    *,
    blocks_per_row: int | None = None,
    on_progress: Progress = no_progress,
) -> CopyResult:
    """Make one store equal to another: ids, labels, hashes, revisions and logs.

    The target is empty or a copy of the same source that was stopped, or made before the
    source grew; then the copy goes on. The target keeps its own id. Others may read and
    write the source meanwhile; they may read the target.

    Parameters
    ----------
    blocks_per_row
        Hashes a row of the target, 1 to 4,096; None for those of the source.

    Raises
    ------
    StoreError
        The target holds something else, or one of the two cannot be used.
    """
    refuse_same(source_url, target_url)
    with opened(source_url) as source, source.snapshot() as origin:
        store = store_row(origin)
        length = blocks_per_row or store.blocks_per_row
        # None: leave the rows as they are.
        cut = None if length == store.blocks_per_row else length
        with opened(target_url, create=True, blocks_per_row=length) as target:
            begun = target.read(partial(_begun, origin, name=target.name))
            if not begun.last:
                target.write(partial(_begin, origin, before=begun.revision, name=target.name))
            recordings = hashes = 0
            revision, total = begun.revision, total_hashes(origin)
            for page in pages(origin, after=begun.last):
                target.write(
                    partial(_put, origin, page=page, cut=cut, before=revision, name=target.name)
                )
                revision = page[-1].revision
                recordings += len(page)
                hashes += sum(row.hash_count for row in page)
                on_progress(begun.hashes + hashes, total)
            target.write(partial(_end, origin, store, before=revision, name=target.name))
    present = begun.recordings
    return CopyResult(source.name, target.name, recordings, hashes, present, store.revision)


@dataclass(frozen=True, slots=True)
class _Begun:
    """What the target holds already; ``last`` is the last id that it was given."""

    recordings: int = 0
    hashes: int = 0
    last: int = 0
    revision: int = 0


def _begun(origin: Connection, target: Connection, name: str) -> _Begun:
    """See how far an earlier copy came; refuse a target that is no copy of the source.

    Each of its recordings must be in the source, or be logged there as deleted; none may be
    missing among those that were copied; its audit log must be the beginning of the source's;
    and the hashes of both must be of the same fingerprinters.
    """
    store, source = store_row(target), store_row(origin)
    if not store.last_recording_id and store.revision <= 1:
        return _Begun(revision=store.revision)
    there = recordings = hashes = last = 0
    key = (_recordings.id, _recordings.sha256, _recordings.revision)
    query = select(*key, _recordings.hash_count).order_by(_recordings.id).limit(IDS_A_STATEMENT)
    while page := target.execute(query.where(_recordings.id > last)).all():
        ids = [row.id for row in page]
        same = {tuple(row) for row in origin.execute(select(*key).where(_recordings.id.in_(ids)))}
        gone = {
            tuple(row)
            for row in origin.execute(
                select(_deletions.recording_id, _deletions.sha256).where(
                    _deletions.recording_id.in_(ids)
                )
            )
        }
        for row in page:
            if tuple(row)[:3] not in same and tuple(row)[:2] not in gone:
                raise _no_copy(name, f"its recording {row.id} is not from there")
        there += len(same)
        recordings += len(page)
        hashes += sum(row.hash_count for row in page)
        last = ids[-1]
    last = store.last_recording_id
    of_source = select(func.count()).where(_recordings.id <= last)
    if there != origin.execute(of_source).scalar_one():
        raise _no_copy(name, "recordings were deleted in it")
    entry = log_head(target)
    if store.revision > source.revision or (entry != NO_ENTRY and not has(origin, entry)):
        raise _no_copy(name, "it was changed by itself")
    if _owners(target) != _owners(origin):
        raise StoreError(
            f"{name}: its fingerprinter is not that of the source any more (a store was rehashed "
            "or pruned since); name an empty database"
        )
    return _Begun(recordings, hashes, last, store.revision)


def _owners(connection: Connection) -> set[tuple[int, str]]:
    """Return id and digest of all fingerprinters; rehashing changes both."""
    columns = schema.fingerprinters.c
    return {(row.id, row.digest) for row in connection.execute(select(columns.id, columns.digest))}


def _no_copy(name: str, why: str) -> StoreError:
    return StoreError(
        f"{name}: is no copy of that store ({why}); name an empty database, or take "
        "`samaf db merge`"
    )


def _hold(target: Connection, before: int, name: str) -> None:
    """Keep other writers out of the target; refuse to go on where one was quicker."""
    keep_others_out(target)
    if revision_of(target) != before:
        raise StoreError(f"{name}: another program writes to it; stop that and copy again")


def _begin(origin: Connection, target: Connection, before: int, name: str) -> None:
    _hold(target, before, name)
    target.execute(delete(schema.fingerprinters))
    put_fingerprinters(origin, target)
    target.execute(update(schema.store).values(created_at=store_row(origin).created_at))


def _put(
    origin: Connection,
    target: Connection,
    page: Sequence[Row[Any]],
    cut: int | None,
    before: int,
    name: str,
) -> None:
    _hold(target, before, name)
    put_recordings(origin, target, page, cut)
    # As if the source had stopped here: an index that follows the target misses nothing.
    _put_deletions(origin, target, after=before, until=page[-1].revision)
    reached = {"revision": page[-1].revision, "last_recording_id": page[-1].id}
    target.execute(update(schema.store).values(**reached))


def _end(origin: Connection, store: Row[Any], target: Connection, before: int, name: str) -> None:
    """Do what the source did to recordings after they were copied; write the logs."""
    _hold(target, before, name)
    target.execute(delete(schema.deletions).where(_deletions.revision <= store.log_start))
    _put_deletions(origin, target, after=before, until=store.revision)
    _put_labels(origin, target)
    put_log(origin, target, schema.audit)
    reached = {key: getattr(store, key) for key in ("revision", "last_recording_id", "log_start")}
    target.execute(update(schema.store).values(**reached))


def _put_deletions(origin: Connection, target: Connection, after: int, until: int) -> None:
    """Delete what the source deleted after one revision, up to another."""
    last = 0
    query = (
        select(schema.deletions)
        .where(_deletions.revision.between(after + 1, until))
        .order_by(_deletions.recording_id)
        .limit(IDS_A_STATEMENT)
    )
    while page := origin.execute(query.where(_deletions.recording_id > last)).all():
        ids = [row.recording_id for row in page]
        target.execute(delete(schema.recordings).where(_recordings.id.in_(ids)))
        put(target, schema.deletions, page)
        last = ids[-1]


def _put_labels(origin: Connection, target: Connection) -> None:
    last = 0
    query = select(_recordings.id).order_by(_recordings.id).limit(IDS_A_STATEMENT)
    while ids := target.execute(query.where(_recordings.id > last)).scalars().all():
        ours, theirs = (_labels(connection, ids) for connection in (target, origin))
        changed = [each for each in ids if ours.get(each) != theirs.get(each)]
        if changed:
            table = schema.labels
            target.execute(delete(table).where(table.c.recording_id.in_(changed)))
            put(target, table, [row for each in changed for row in theirs.get(each, [])])
        last = ids[-1]


def _labels(connection: Connection, ids: Sequence[int]) -> dict[int, list[Values]]:
    table = schema.labels
    labels: dict[int, list[Values]] = defaultdict(list)
    for row in connection.execute(
        select(table)
        .where(table.c.recording_id.in_(ids))
        .order_by(table.c.recording_id, table.c.position)
    ):
        labels[row.recording_id].append(dict(row._mapping))
    return labels
