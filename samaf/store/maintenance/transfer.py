"""Rows of one store written into another, verbatim: ids, revisions, times and logs too.

Pages of whole recordings bound the memory. Reading stays in one transaction, so what is
written is the source as of one moment, whoever writes to it meanwhile.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Row, Table, func, select

from samaf.errors import StoreError
from samaf.store import schema
from samaf.store.blobs import DamagedRowError, HashRow, pack, unpack
from samaf.store.bulk import insert_rows
from samaf.store.rows import Values
from samaf.store.statements import IDS_A_STATEMENT

Progress = Callable[[int, int], None]  # hashes done, hashes in all

PAGE_HASHES = 1 << 17  # 4 MB of 256 bits; a page ends with the revision that passes it

_recordings = schema.recordings.c
_hash_rows = schema.hash_rows.c


def no_progress(done: int, total: int) -> None:
    """Tell nobody."""


@contextmanager
def understood(name: str) -> Iterator[None]:
    """Turn values of a wrong kind, which SQLite would keep in any column, into one line."""
    try:
        yield
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise StoreError(
            f"{name}: holds values of a wrong kind ({error}); `samaf db verify` tells more, else "
            "take another backup"
        ) from error


def store_row(connection: Connection) -> Row[Any]:
    """Return the row of the table ``store``; in a new transaction this fixes its moment."""
    return connection.execute(select(schema.store)).one()


def total_hashes(connection: Connection) -> int:
    """Return the number of hashes that the recordings have."""
    query = select(func.coalesce(func.sum(_recordings.hash_count), 0))
    return int(connection.execute(query).scalar_one())


def pages(connection: Connection, after: int = 0) -> Iterator[list[Row[Any]]]:
    """Yield the rows of the recordings after one, in the order of ids, in pages.

    A page holds whole revisions: a store that was filled up to one is as its source was.
    """
    page: list[Row[Any]] = []
    hashes = 0
    query = select(schema.recordings).order_by(_recordings.id).limit(IDS_A_STATEMENT)
    while rows := connection.execute(query.where(_recordings.id > after)).all():
        for row in rows:
            if hashes >= PAGE_HASHES and row.revision != page[-1].revision:
                yield page
                page, hashes = [], 0
            page.append(row)
            hashes += row.hash_count
        after = rows[-1].id
    if page:
        yield page


def put(target: Connection, table: Table, rows: Sequence[Row[Any]] | Sequence[Values]) -> None:
    """Insert rows of the same table of another store."""
    insert_rows(
        target, table, [row if isinstance(row, dict) else dict(row._mapping) for row in rows]
    )


def put_fingerprinters(source: Connection, target: Connection) -> None:
    """Write all fingerprinters."""
    put(target, schema.fingerprinters, source.execute(select(schema.fingerprinters)).all())


def put_recordings(
    source: Connection,
    target: Connection,
    page: Sequence[Row[Any]],
    blocks_per_row: int | None = None,
) -> None:
    """Write a page of recordings with their labels and hashes.

    Rows that belong to no recording or no fingerprinter stay behind.

    Parameters
    ----------
    blocks_per_row
        Cut the hashes into rows of this length; None leaves the rows as they are.

    Raises
    ------
    StoreError
        Hashes that were to be cut again are damaged.
    """
    ids = {row.id: row.hash_count for row in page}
    put(target, schema.recordings, page)
    for table in (schema.labels, schema.hash_rows):
        rows: Sequence[Any] = source.execute(
            select(table)
            .where(table.c.recording_id.between(page[0].id, page[-1].id))
            .order_by(*table.primary_key.columns)
        ).all()
        rows = [row for row in rows if row.recording_id in ids]
        if table is schema.hash_rows:
            bits = fingerprinter_bits(source)
            rows = [row for row in rows if row.fingerprinter_id in bits]
            if blocks_per_row is not None:
                rows = list(_cut_anew(rows, ids, bits, blocks_per_row))
        put(target, table, rows)


def put_log(source: Connection, target: Connection, table: Table) -> None:
    """Write the entries of a log, whose numbers rise, that follow the target's last one."""
    (number,) = table.primary_key.columns
    last = target.execute(select(func.coalesce(func.max(number), 0))).scalar_one()
    query = select(table).order_by(number).limit(IDS_A_STATEMENT)
    while rows := source.execute(query.where(number > last)).all():
        put(target, table, rows)
        last = rows[-1]._mapping[number]


def fingerprinter_bits(connection: Connection) -> dict[int, int]:
    """Return the bits of a hash of each fingerprinter; the store belongs to the lowest id."""
    columns = schema.fingerprinters.c
    return {row.id: row.bits for row in connection.execute(select(columns.id, columns.bits))}


def _cut_anew(
    rows: Sequence[Row[Any]], counts: Mapping[int, int], bits: Mapping[int, int], length: int
) -> Iterator[Values]:
    of_recording: dict[tuple[int, int], list[HashRow]] = defaultdict(list)
    for row in rows:
        owner, recording_id, *columns = tuple(row)
        of_recording[owner, recording_id].append(HashRow(*columns))
    for (owner, recording_id), old in of_recording.items():
        # A fingerprinter that waits to take the store over may make more or fewer.
        waits = owner != min(bits)
        count = sum(row.count for row in old) if waits else counts[recording_id]
        try:
            hashes = unpack(old, count, bits[owner])
        except DamagedRowError as error:
            raise StoreError(
                f"the hashes of recording {recording_id} are damaged ({error}); delete it and add "
                "its file again, or restore a backup"
            ) from error
        for new in pack(hashes, length):
            yield {
                "fingerprinter_id": owner,
                "recording_id": recording_id,
                "first_block_id": new.first_block_id,
                "count": new.count,
                "hashes": new.hashes,
                "informative": new.informative,
                "crc32": new.crc32,
            }
