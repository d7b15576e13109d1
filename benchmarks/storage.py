"""What a hash takes on disk: the paper's table and packed rows, in SQLite and in InnoDB.

    python -m benchmarks.storage [--server mysql://USER@HOST/EMPTY-DATABASE] [--hashes N]

The paper's table holds 176,717 hashes, one a row: 2.70 MB at 128 bits and 5.39 MB at 256
(MB = 2^20 bytes here, as there), which are the bytes of the hashes alone. Beside them stand
what each engine really takes for the table of hashes and for the whole store, after it gave
unused space back. Hashes are random, so nothing can be compressed away.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.table import Table
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from benchmarks.options import friendly
from samaf.records import Hashes, Recording
from samaf.store import Store, StoredFingerprinter, downgrade
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
    engine
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
        Bytes of the table of hashes with its indexes; None where the engine cannot tell.
    store
        Bytes of all tables.
    """

    engine: str
    bits: int
    blocks_per_row: int
    length: str
    raw: int
    table: int | None
    store: int


def measure(url: str, hashes: int, bits: int, blocks_per_row: int, length: str) -> Size:
    """Fill an empty database, measure it, and empty it again."""
    items = recordings(hashes, bits, LENGTHS[length])
    with Store.open(url, blocks_per_row=blocks_per_row) as store:
        store.bind(StoredFingerprinter("ab" * 32, f"random {bits}", bits, "random", {}))
        for batch in batches(items):
            store.add_many(batch)
    with opened(url) as database:
        administration = maintenance_of(database)
        administration.vacuum()
        sizes = _table_size(database), administration.size()
        engine = "SQLite" if is_file(database.url) else "InnoDB"
    downgrade(url, "base")
    return Size(engine, bits, blocks_per_row, length, hashes * bits // 8, *sizes)


def recordings(hashes: int, bits: int, each: int) -> Iterator[tuple[Recording, Hashes]]:
    """Yield recordings of random hashes; the last one takes what is left."""
    rng = np.random.default_rng(0)
    for number, first in enumerate(range(0, hashes, each)):
        count = min(each, hashes - first)
        packed = rng.integers(0, 256, (count, bits // 8), np.uint8)
        sha256 = hashlib.sha256(str(number).encode()).hexdigest()
        name = f"{number:06d}.wav"
        recording = Recording(sha256, name, f"/recordings/{name}", (count + 3) / 4)
        yield recording, Hashes(packed, np.ones(count, bool))


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


def sizes(urls: list[str], hashes: int) -> Iterator[Size]:
    """Measure every case: one hash a row for 10 s, packed rows for all lengths."""
    for url in urls:
        for bits in BITS:
            yield measure(url, hashes, bits, ONE_A_ROW, "10 s")
            for length in LENGTHS:
                yield measure(url, hashes, bits, PACKED, length)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--server", metavar="URL", help="An empty database of a server, to measure it too.")
@click.option("--hashes", type=click.IntRange(1), default=HASHES, show_default=True)
@friendly
def main(server: str | None, hashes: int) -> None:
    """Measure what stores of random hashes take on disk."""
    console = Console()
    table = Table(title=f"{hashes:,} hashes; MB = 2^20 bytes")
    for title in ("engine", "bits", "hashes a row", "recordings of"):
        table.add_column(title)
    for title in ("raw MB", "hash table MB", "x raw", "bytes a hash", "store MB", "x raw"):
        table.add_column(title, justify="right")
    with tempfile.TemporaryDirectory() as folder:
        urls = [*([server] if server else []), str(Path(folder) / "store.db")]
        for size in sizes(urls, hashes):
            table.add_row(*_cells(size, hashes))
    console.print(table)


def _cells(size: Size, hashes: int) -> Iterator[str]:
    yield from (size.engine, str(size.bits))
    yield "1" if size.blocks_per_row == 1 else f"up to {size.blocks_per_row:,}"
    yield size.length
    yield f"{size.raw / MB:.2f}"
    if size.table is None:
        yield from ("-", "-", "-")
    else:
        yield f"{size.table / MB:.2f}"
        yield f"{size.table / size.raw:.3f}"
        yield f"{size.table / hashes:.1f}"
    yield f"{size.store / MB:.2f}"
    yield f"{size.store / size.raw:.3f}"


if __name__ == "__main__":
    main()
