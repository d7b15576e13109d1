"""A store taken over to another fingerprinter, recording by recording.

The new hashes lie beside the old ones, under the id of their own fingerprinter, until every
recording has them. The store belongs to the fingerprinter with the lowest id, so readers see
the old hashes until the old fingerprinter is removed, in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)

from samaf.errors import StoreError
from samaf.records import Codes, Recording
from samaf.store import schema
from samaf.store.audit import Act, append, this_author
from samaf.store.blobs import pack
from samaf.store.bulk import insert_rows
from samaf.store.database import Database
from samaf.store.rows import (
    StoredFingerprinter,
    fingerprinter_values,
    media_of,
    media_text,
    now,
)
from samaf.store.statements import (
    IDS_A_STATEMENT,
    begin_change,
    bound,
    keep_others_out,
    recordings,
)

_recordings = schema.recordings.c
_owners = schema.fingerprinters.c
_rows = schema.hash_rows.c


def begin(database: Database, fingerprinter: StoredFingerprinter) -> int:
    """Give the id of a fingerprinter that waits to take a store over; make it wait.

    Raises
    ------
    StoreError
        The store belongs to it already, to none, or another one waits.
    """

    def work(connection: Connection) -> int:
        revision, _ = begin_change(connection)
        owner = bound(connection)
        if owner is None or owner[1].digest == fingerprinter.digest:
            what = "no fingerprinter yet" if owner is None else f"{fingerprinter.name} already"
            raise StoreError(f"{database.name}: belongs to {what}; there is nothing to rehash")
        waiting = connection.execute(
            select(_owners.id, _owners.digest, _owners.name).where(_owners.id > owner[0])
        ).all()
        for row in waiting:
            if row.digest == fingerprinter.digest:
                connection.rollback()
                return int(row.id)
        if waiting:
            raise StoreError(
                f"{database.name}: is being rehashed for {waiting[0].name} "
                f"{waiting[0].digest[:12]}; finish that first"
            )
        connection.execute(
            insert(schema.fingerprinters).values(id=revision, **fingerprinter_values(fingerprinter))
        )
        return revision

    return database.write(work)


def waiting(database: Database, number: int) -> Iterator[list[Recording]]:
    """Yield the recordings that a fingerprinter has no hashes of, in pages."""
    last = 0
    while page := database.read(partial(_page, number=number, after=last)):
        yield page
        last = page[-1].recording_id


def _page(connection: Connection, number: int, after: int) -> list[Recording]:
    query = select(schema.recordings).where(_without(number), _recordings.id > after)
    return recordings(connection, query.order_by(_recordings.id).limit(IDS_A_STATEMENT))


def _without(number: int) -> ColumnElement[bool]:
    return ~exists().where(_rows.fingerprinter_id == number, _rows.recording_id == _recordings.id)


def put(
    database: Database,
    number: int,
    items: Sequence[tuple[Recording, Codes]],
    blocks_per_row: int,
) -> None:
    """Write the new hashes of some recordings; those that are gone meanwhile are left out."""
    ids = [recording.recording_id for recording, _ in items]

    def work(connection: Connection) -> None:
        keep_others_out(connection)
        query = select(_recordings.id).where(_recordings.id.in_(ids), _without(number))
        wanted = set(connection.execute(query).scalars())
        for recording, _ in items:
            if recording.recording_id in wanted:
                same = _recordings.id == recording.recording_id
                media = media_text(recording.media)
                connection.execute(update(schema.recordings).where(same).values(media=media))
        insert_rows(
            connection,
            schema.hash_rows,
            [
                {
                    "fingerprinter_id": number,
                    "recording_id": recording.recording_id,
                    "first_block_id": row.first_block_id,
                    "count": row.count,
                    "hashes": row.hashes,
                    "informative": row.informative,
                    "crc32": row.crc32,
                }
                for recording, hashes in items
                if recording.recording_id in wanted
                for row in pack(hashes, blocks_per_row)
            ],
        )

    database.write(work, repeatable=True)


def finish(database: Database, number: int, *, forget: bool, sides: bool = True) -> list[Recording]:
    """Make the store belong to the fingerprinter that waited, if no recording lacks its hashes.

    Parameters
    ----------
    forget
        Delete the recordings that lack them; the deletions are logged.
    sides
        Whether the fingerprinter hashes each side of a recording whose channels differ.

    Returns
    -------
    The recordings that lack them. Unless ``forget``, any of them mean that nothing was
    changed.
    """

    def work(connection: Connection) -> list[Recording]:
        revision, _ = begin_change(connection)
        owner = bound(connection)
        lacking = recordings(connection, select(schema.recordings).where(_without(number)))
        if owner is None or owner[0] == number or (lacking and not forget):
            connection.rollback()
            return lacking
        digest = connection.execute(select(_owners.digest).where(_owners.id == number)).scalar_one()
        time = now()
        connection.execute(delete(schema.recordings).where(_without(number)))
        insert_rows(
            connection,
            schema.deletions,
            [
                {
                    "recording_id": row.recording_id,
                    "sha256": row.sha256,
                    "revision": revision,
                    "deleted_at": time,
                }
                for row in lacking
            ],
        )
        # Hashes go with their fingerprinter.
        connection.execute(delete(schema.fingerprinters).where(_owners.id < number))
        counted = select(func.sum(_rows.count)).where(_rows.recording_id == _recordings.id)
        connection.execute(update(schema.recordings).values(hash_count=counted.scalar_subquery()))
        connection.execute(update(schema.recordings).values(streams=1))
        for row in connection.execute(_with_sides()).all() if sides else ():
            media = media_of(row.media)
            streams = 1 + len(media.sides) if media else 1
            same = _recordings.id == row.id
            connection.execute(update(schema.recordings).where(same).values(streams=streams))
        author = this_author(database.user, digest)
        details = {"from": owner[1].digest, "to": digest}
        gone = [Act("delete", row.sha256, row.path) for row in lacking]
        append(connection, author, [*gone, Act("rehash", details=details)])
        return lacking

    return database.write(work)


def _with_sides() -> Select[Any]:
    """Select the few recordings whose text says that their channels were kept apart."""
    return select(_recordings.id, _recordings.media).where(_recordings.media.contains('"apart"'))
