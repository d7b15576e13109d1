"""What the store says to its database: each function runs statements in one transaction.

Those that change something begin with `begin_change`, which holds off all other writers
until the transaction ends.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import PurePath
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, case, func, insert, select, update
from sqlalchemy import delete as delete_from

from samaf.errors import StoreError
from samaf.records import Codes, Recording
from samaf.store import schema
from samaf.store.audit import Act, Author, append
from samaf.store.blobs import HashRow, unpack
from samaf.store.bulk import insert_rows
from samaf.store.rows import (
    NewRecording,
    StoredFingerprinter,
    chunks,
    fingerprinter_of,
    fingerprinter_values,
    iso,
    label_values,
    now,
    recording_of,
    recording_values,
)

IDS_A_STATEMENT = 500  # SQLite before 3.32 takes 999 bound values

_recordings = schema.recordings.c
_labels = schema.labels.c
_hash_rows = schema.hash_rows.c


def revision(connection: Connection) -> int:
    """Return the store's revision."""
    return int(connection.execute(select(schema.store.c.revision)).scalar_one())


def log_start(connection: Connection) -> int:
    """Return the revision since which all changes are known."""
    return int(connection.execute(select(schema.store.c.log_start)).scalar_one())


def begin_change(connection: Connection) -> tuple[int, int]:
    """Take the next revision and keep other writers out.

    Returns
    -------
    int
        The revision of this transaction.
    int
        The last recording id that was given out.
    """
    table = schema.store
    connection.execute(update(table).values(revision=table.c.revision + 1))
    row = connection.execute(select(table.c.revision, table.c.last_recording_id)).one()
    return row.revision, row.last_recording_id


def keep_others_out(connection: Connection) -> None:
    """Keep other writers out without a new revision: nothing changes that an index shows."""
    table = schema.store
    connection.execute(update(table).values(revision=table.c.revision))


# --- fingerprinters --------------------------------------------------------------------


def bound(connection: Connection) -> tuple[int, StoredFingerprinter] | None:
    """Return id and record of the fingerprinter that the store belongs to, the first one."""
    table = schema.fingerprinters
    row = connection.execute(select(table).order_by(table.c.id).limit(1)).first()
    return (row.id, fingerprinter_of(row)) if row else None


def expect(connection: Connection, digest: str) -> None:
    """Refuse to go on when the store was taken over to another fingerprinter meanwhile.

    Raises
    ------
    StoreError
        It does not belong to the one of this digest.
    """
    owner = bound(connection)
    if owner and owner[1].digest != digest:
        raise StoreError(
            f"the store was rehashed and belongs to {owner[1].name} {owner[1].digest[:12]} now; "
            "open it again"
        )


def bind(connection: Connection, fingerprinter: StoredFingerprinter) -> StoredFingerprinter:
    """Insert the fingerprinter unless there is one, and return the one that is there."""
    revision, _ = begin_change(connection)
    if owner := bound(connection):
        connection.rollback()
        return owner[1]
    connection.execute(
        # A revision is at least 1 and never comes back.
        insert(schema.fingerprinters).values(id=revision, **fingerprinter_values(fingerprinter))
    )
    return fingerprinter


# --- recordings ------------------------------------------------------------------------


def with_ids(ids: Sequence[int]) -> Select[Any]:
    """Select the recordings with these ids."""
    return select(schema.recordings).where(_recordings.id.in_(ids))


def with_sha256(first: str, last: str) -> Select[Any]:
    """Select the recordings whose SHA-256 lies between two, both included."""
    return select(schema.recordings).where(_recordings.sha256.between(first, last))


def with_name(name: str) -> Select[Any]:
    """Select the recordings with this name; servers ignore trailing spaces."""
    return select(schema.recordings).where(_recordings.name == name)


def with_labels(labels: Mapping[str, str]) -> Select[Any]:
    """Select the recordings with all of these labels; servers ignore trailing spaces."""
    return select(schema.recordings).where(
        *(
            _recordings.id.in_(
                select(_labels.recording_id).where(_labels.name == name, _labels.value == value)
            )
            for name, value in labels.items()
        )
    )


def with_name_like(query: Select[Any], text: str) -> Select[Any]:
    """Select those of a query whose name holds a text; in small and capital letters alike."""
    return query.where(_recordings.name.icontains(text, autoescape=True))


def after(query: Select[Any], recording_id: int) -> Select[Any]:
    """Select what a query selects after one recording, in the order of ids."""
    return query.where(_recordings.id > recording_id).order_by(_recordings.id)


def recordings(connection: Connection, query: Select[Any]) -> list[Recording]:
    """Return the recordings that a query selects, with their labels."""
    rows = connection.execute(query).all()
    labels: dict[int, dict[str, str]] = defaultdict(dict)
    for some in chunks((row.id for row in rows), IDS_A_STATEMENT):
        for recording_id, name, value in connection.execute(
            select(_labels.recording_id, _labels.name, _labels.value)
            .where(_labels.recording_id.in_(some))
            .order_by(_labels.recording_id, _labels.position)
        ):
            labels[recording_id][name] = value
    return [recording_of(row, labels[row.id]) for row in rows]


def add(
    connection: Connection, items: Sequence[NewRecording], author: Author, act: str
) -> list[tuple[Recording, bool]]:
    """Insert those recordings whose bytes are not there yet, and log it.

    Returns
    -------
    list of (Recording, bool)
        For each item what is stored, and whether it was inserted now.
    """
    revision, last_id = begin_change(connection)
    expect(connection, author.fingerprinter)
    if bound(connection) is None:
        raise StoreError("the store was pruned and belongs to no fingerprinter now; open it again")
    # Nobody else writes until the commit, so what is not there now will not be there then.
    known = _ids(connection, [item.sha256 for item in items])
    new: dict[int, NewRecording] = {}
    outcome: list[tuple[int, bool]] = []
    for item in items:
        is_new = item.sha256 not in known
        if is_new:
            last_id += 1
            known[item.sha256] = last_id
            new[last_id] = item
        outcome.append((known[item.sha256], is_new))
    added_at = now()
    shown_time = iso(added_at)
    stored = {
        recording_id: item.stored(recording_id, revision, shown_time)
        for recording_id, item in new.items()
    }
    if new:
        _insert(connection, new, revision, added_at)
        connection.execute(update(schema.store).values(last_recording_id=last_id))
        acts = (Act(act, item.sha256, item.recording["path"]) for item in new.values())
        append(connection, author, acts)
    old = (recording_id for recording_id in known.values() if recording_id not in new)
    stored |= {
        recording.recording_id: recording
        for some in chunks(old, IDS_A_STATEMENT)
        for recording in recordings(connection, with_ids(some))
    }
    if not new:
        connection.rollback()
    return [(stored[recording_id], is_new) for recording_id, is_new in outcome]


def delete(connection: Connection, ids: Sequence[int], author: Author) -> int | None:
    """Delete recordings and log it: all, or none when one is not there, whose id is returned."""
    revision, _ = begin_change(connection)
    deleted = {
        recording.recording_id: recording
        for some in chunks(ids, IDS_A_STATEMENT)
        for recording in recordings(connection, with_ids(some))
    }
    missing = next((each for each in ids if each not in deleted), None)
    if missing is not None:
        connection.rollback()
        return missing
    time = now()
    for some in chunks(deleted, IDS_A_STATEMENT):
        connection.execute(delete_from(schema.recordings).where(_recordings.id.in_(some)))
    insert_rows(
        connection,
        schema.deletions,
        [
            {"recording_id": each, "sha256": gone.sha256, "revision": revision, "deleted_at": time}
            for each, gone in deleted.items()
        ],
    )
    append(
        connection,
        author,
        (
            Act("delete", gone.sha256, gone.path, {"name": gone.name, "labels": dict(gone.labels)})
            for gone in deleted.values()
        ),
    )
    return None


def relabel(
    connection: Connection,
    recording_id: int,
    change: Callable[[Mapping[str, str]], Mapping[str, str]],
    author: Author,
) -> bool:
    """Replace the labels of a recording and log it; return whether it was there.

    Parameters
    ----------
    change
        Makes the new labels of the old ones.
    """
    begin_change(connection)
    stored = recordings(connection, with_ids([recording_id]))
    if not stored:
        connection.rollback()
        return False
    before = dict(stored[0].labels)
    after = dict(change(before))
    labels = label_values(after)
    if list(before.items()) == list(after.items()):
        connection.rollback()
        return True
    connection.execute(delete_from(schema.labels).where(_labels.recording_id == recording_id))
    if labels:
        connection.execute(
            insert(schema.labels), [{**label, "recording_id": recording_id} for label in labels]
        )
    details = {"before": before, "after": after}
    append(connection, author, [Act("relabel", stored[0].sha256, stored[0].path, details)])
    return True


def relocate(connection: Connection, paths: Mapping[int, str], author: Author) -> list[Recording]:
    """Replace the paths of recordings, and their names, and log it; return those as they are now.

    Recordings that are not there, or that have the path, are left out.
    """
    begin_change(connection)
    moved = [
        (recording, paths[recording.recording_id])
        for some in chunks(paths, IDS_A_STATEMENT)
        for recording in recordings(connection, with_ids(some))
        if recording.path != paths[recording.recording_id]
    ]
    if not moved:
        connection.rollback()
        return []
    now_there = []
    acts = []
    for before, path in moved:
        after = replace(before, path=path, name=PurePath(path).name)
        values = recording_values(after)
        changed = {"path": values["path"], "name": values["name"]}
        connection.execute(
            update(schema.recordings).where(_recordings.id == before.recording_id).values(changed)
        )
        acts.append(Act("relocate", before.sha256, path, {"before": before.path}))
        now_there.append(after)
    append(connection, author, acts)
    return now_there


def log(connection: Connection, author: Author, act: Act) -> None:
    """Log what changed nothing in the other tables."""
    keep_others_out(connection)
    append(connection, author, [act])


def _ids(connection: Connection, digests: Sequence[str]) -> dict[str, int]:
    """Return the ids of the recordings that are there, by SHA-256."""
    query = select(_recordings.sha256, _recordings.id)
    return {
        sha256: recording_id
        for some in chunks(digests, IDS_A_STATEMENT)
        for sha256, recording_id in connection.execute(query.where(_recordings.sha256.in_(some)))
    }


def _insert(
    connection: Connection, new: Mapping[int, NewRecording], revision: int, added_at: datetime
) -> None:
    fingerprinter_id = connection.execute(select(func.min(schema.fingerprinters.c.id))).scalar_one()
    recordings = [
        {**item.recording, "id": recording_id, "revision": revision, "added_at": added_at}
        for recording_id, item in new.items()
    ]
    labels = [
        {**label, "recording_id": recording_id}
        for recording_id, item in new.items()
        for label in item.labels
    ]
    hash_rows = [
        {
            "fingerprinter_id": fingerprinter_id,
            "recording_id": recording_id,
            "first_block_id": row.first_block_id,
            "count": row.count,
            "hashes": row.hashes,
            "informative": row.informative,
            "crc32": row.crc32,
        }
        for recording_id, item in new.items()
        for row in item.hash_rows
    ]
    insert_rows(connection, schema.recordings, recordings)
    insert_rows(connection, schema.labels, labels)
    insert_rows(connection, schema.hash_rows, hash_rows)


# --- hashes and revisions --------------------------------------------------------------


class Size(NamedTuple):
    """How many hashes a recording has, of how many streams."""

    recording_id: int
    hashes: int
    streams: int


_size = select(_recordings.id, _recordings.hash_count, _recordings.streams)


def size(connection: Connection, recording_id: int) -> Size | None:
    """Return the size of a recording; None when it is not there."""
    row = connection.execute(_size.where(_recordings.id == recording_id)).first()
    return Size(*row) if row else None


def sizes(connection: Connection, since: int) -> Iterator[list[Size]]:
    """Yield the sizes of the recordings added after a revision, in pages."""
    query = (
        select(_recordings.id)
        .where(_recordings.revision > since)
        .order_by(_recordings.revision, _recordings.id)
        .limit(1)
    )
    first = connection.execute(query).scalar()
    while first is not None:
        # Ids rise with revisions, so all that follow the first new one are new.
        page = connection.execute(
            _size.where(_recordings.id >= first).order_by(_recordings.id).limit(IDS_A_STATEMENT)
        ).all()
        if not page:
            return
        yield [Size(*row) for row in page]
        first = page[-1].id + 1


def read_hashes(connection: Connection, of: Sequence[Size]) -> Iterator[tuple[int, Codes]]:
    """Yield the hashes of recordings between which no other has its id.

    Parameters
    ----------
    of
        Their sizes, in the order of their ids.

    Raises
    ------
    DamagedRowError
        Rows of the recording that was to come next are damaged.
    """
    owner = bound(connection)
    if owner is None:
        return
    fingerprinter_id, fingerprinter = owner
    rows: dict[int, list[HashRow]] = defaultdict(list)
    for recording_id, *columns in connection.execute(
        select(
            _hash_rows.recording_id,
            _hash_rows.first_block_id,
            _hash_rows.count,
            _hash_rows.hashes,
            _hash_rows.informative,
            _hash_rows.crc32,
        )
        .where(
            _hash_rows.fingerprinter_id == fingerprinter_id,
            _hash_rows.recording_id.between(of[0].recording_id, of[-1].recording_id),
        )
        .order_by(_hash_rows.recording_id, _hash_rows.first_block_id)
    ):
        rows[recording_id].append(HashRow(*columns))
    for recording_id, count, streams in of:
        stored = rows.pop(recording_id, [])
        yield recording_id, unpack(stored, count, fingerprinter.bits, streams)


def deleted_since(connection: Connection, since: int) -> list[int]:
    """Return the ids of the recordings deleted after a revision."""
    table = schema.deletions.c
    query = select(table.recording_id).where(table.revision > since).order_by(table.revision)
    return list(connection.execute(query).scalars())


def totals(connection: Connection, since: datetime) -> Row[Any]:
    """Return recordings, seconds, hashes, and recordings and seconds added since a time."""
    is_new = _recordings.added_at >= since
    return connection.execute(
        select(
            func.count().label("recordings"),
            func.coalesce(func.sum(_recordings.duration), 0.0).label("seconds"),
            func.coalesce(func.sum(_recordings.hash_count), 0).label("hashes"),
            func.coalesce(func.sum(case((is_new, 1), else_=0)), 0).label("new"),
            func.coalesce(func.sum(case((is_new, _recordings.duration), else_=0.0)), 0.0).label(
                "new_seconds"
            ),
        ).select_from(schema.recordings)
    ).one()


def label_totals(connection: Connection) -> Sequence[Row[Any]]:
    """Return for each label name the recordings with it, its values and their seconds."""
    return connection.execute(
        select(
            _labels.name,
            func.count().label("recordings"),
            func.count(_labels.value.distinct()).label("different"),
            func.sum(_recordings.duration).label("seconds"),
        )
        .join_from(schema.labels, schema.recordings)
        .group_by(_labels.name)
        .order_by(_labels.name)
    ).all()
