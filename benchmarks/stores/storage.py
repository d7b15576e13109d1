"""What a hash takes on disk: the paper's table and packed rows, in SQLite and in InnoDB.

The paper's table holds 176,717 hashes, one a row: 2.70 MB at 128 bits and 5.39 MB at 256
(MB = 2^20 bytes here, as there), which are the bytes of the hashes alone. Beside them stand
what each dialect really takes for the table of hashes and for the whole store, after it gave
unused space back. Hashes are random, so nothing can be compressed away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from benchmarks.stores.made import fingerprinter, recording
from benchmarks.tables import Table
from samaf.records import Hashes, Recording
from samaf.store import Store, downgrade
from samaf.store.database import Database
from samaf.store.maintenance.dialects import maintenance_of
from samaf.store.maintenance.merging import batches
from samaf.store.maintenance.opening import opened
from samaf.store.urls import is_file

HASHES = 176_717  # of the paper's table
MB = 1 << 20  # bytes; what the paper's 2.70 and 5.39 MB are made of
BITS = (128, 256)
LENGTHS = {"10 s": 37, "1 min": 237, "1 h": 14_397}  # hashes of a recording: 4 s - 3
PACKED = 4096  # the default
ONE_A_ROW = 1  # the paper's


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes that a store takes.

    Attributes
    ----------
    dialect
        "SQLite" or "InnoDB".
    bits
        Of a hash.
    blocks_per_row
        Hashes a row.
    length
        Of each recording.
    raw
        Bytes of the hashes alone.
    table
        Bytes of the table of hashes with its indexes; None where the dialect cannot tell.
    store
        Bytes of all tables.
    """

    dialect: str
    bits: int
    blocks_per_row: int
    length: str
    raw: int
    table: int | None
    store: int


def measure(url: str, hashes: int, bits: int, blocks_per_row: int, length: str) -> Size:
    """Fill an empty database, measure it, and empty it again."""
    fill(url, hashes, bits, length, blocks_per_row)
    with opened(url) as database:
        administration = maintenance_of(database)
        administration.vacuum()
        sizes = _table_size(database), administration.size()
        dialect = "SQLite" if is_file(database.url) else "InnoDB"
    downgrade(url, "base")
    return Size(dialect, bits, blocks_per_row, length, hashes * bits // 8, *sizes)


def fill(url: str, hashes: int, bits: int, length: str, blocks_per_row: int = PACKED) -> None:
    """Store random hashes in recordings of one length."""
    with Store.open(url, blocks_per_row=blocks_per_row) as store:
        store.bind(fingerprinter(bits))
        for batch in batches(recordings(hashes, bits, LENGTHS[length])):
            store.add_many(batch)


def recordings(hashes: int, bits: int, each: int) -> Iterator[tuple[Recording, Hashes]]:
    """Yield recordings of random hashes; the last one takes what is left."""
    rng = np.random.default_rng(0)
    for number, first in enumerate(range(0, hashes, each)):
        count = min(each, hashes - first)
        yield recording(number, rng.integers(0, 256, (count, bits // 8), np.uint8))


def _table_size(database: Database) -> int | None:
    if is_file(database.url):
        # The table itself and the indexes that begin with its name.
        query = (
            "SELECT sum(pgsize) FROM dbstat WHERE name = 'hash_rows' OR name IN "
            "(SELECT name FROM sqlite_master WHERE tbl_name = 'hash_rows')"
        )
    else:
        query = (
            "SELECT data_length + index_length FROM information_schema.tables "
            "WHERE table_schema = DATABASE() AND table_name = 'hash_rows'"
        )
    with database.snapshot() as connection:
        try:
            return int(connection.execute(text(query)).scalar_one())
        except SQLAlchemyError:
            return None  # an SQLite without dbstat


def sizes(urls: Sequence[str], hashes: int) -> Iterator[Size]:
    """Measure every case: one hash a row for 10 s, packed rows for all lengths."""
    for url in urls:
        for bits in BITS:
            yield measure(url, hashes, bits, ONE_A_ROW, "10 s")
            for length in LENGTHS:
                yield measure(url, hashes, bits, PACKED, length)


def table(measured: Sequence[Size], hashes: int) -> Table:
    """Show sizes in MB of 2^20 bytes."""
    return Table(
        "storage",
        "Storage",
        f"{hashes:,} hashes; MB = 2^20 bytes.",
        (
            *("dialect", "bits", "hashes a row", "recordings of"),
            *("raw MB", "hash table MB", "x raw", "bytes a hash", "store MB", "x raw"),
        ),
        tuple(
            (
                *(size.dialect, size.bits, f"up to {size.blocks_per_row:,}", size.length),
                size.raw / MB,
                *_shares(size, hashes),
                size.store / MB,
                f"{size.store / size.raw:.3f}",
            )
            for size in measured
        ),
    )


def _shares(size: Size, hashes: int) -> tuple[float | str, ...]:
    if size.table is None:
        return nan, nan, nan
    return size.table / MB, f"{size.table / size.raw:.3f}", f"{size.table / hashes:.1f}"
