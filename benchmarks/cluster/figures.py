"""What the index in ClickHouse takes and finds, against the exact index and FAISS in one run.

ClickHouse runs as chDB in a process of its own, without its cache of query conditions. All times
are processor time of client and server, since others may use the machine.
"""

from __future__ import annotations

import time
import tracemalloc
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from faiss import IndexBinaryFlat

from benchmarks.cluster.recall import VOICES, damaged, gallery, is_same
from benchmarks.cluster.servers import ShardServer, new_url, shard_servers
from benchmarks.field.conditions import Condition
from benchmarks.surroundings import around_voices
from benchmarks.tables import Line
from samaf.engine.hash_query import matcher_of
from samaf.engine.options import QueryOptions
from samaf.fingerprinters import Fingerprinter, load_hash_model
from samaf.index import ExactIndex, HashTable
from samaf.index.candidates import PIECE_HASHES, Piece, effort
from samaf.index.cells import nearest_centres
from samaf.index.cluster import ClusterIndex, ClusterTable, Identity, Shard, connections, resolve
from samaf.index.cluster.index import VOTES, votes_sql
from samaf.index.cluster.schema import SIDE_BITS
from samaf.matching import PreparedQuery
from samaf.status import StoreVersion
from samaf.training.corpora import open_corpus

BATCH_HASHES = 262_144
FEW = 1_000_000  # hashes that are loaded when the client's memory is first looked at
VOTED_ROWS = 10_000_000
ROWS_OF_CELL = np.dtype([("cell", "<u4"), ("count", "<u8")])
LONG = 10.0  # s, of the clips that all engines are timed with
TIMED = 11  # of these: one of each condition


def figures(corpus: Path, folder: Path, hashes: int, recordings: int, seed: int) -> list[Line]:
    """Measure; see the module."""
    opened, fingerprinter = open_corpus(corpus), load_hash_model()
    clips = opened.select("speech", "validation")
    queried = np.arange(0, len(clips), 2)[:recordings]
    table = gallery(opened, clips, queried, hashes, fingerprinter, folder, seed)
    around = around_voices([opened], "validation", clips[1::2][:VOICES])
    with shard_servers(folder / "shards", 1) as (server,):
        measured = _Measured(table, server, fingerprinter)
        queries = damaged(clips, queried, around, fingerprinter, seed)
        return [
            ("hashes", f"{table.total:,}"),
            *measured.loaded(),
            *measured.voted(),
            *measured.found(queries),
        ]


class _Measured:
    """One shard, filled with the hashes of a table."""

    def __init__(self, table: HashTable, server: ShardServer, fingerprinter: Fingerprinter) -> None:
        self._table, self._server, self._fingerprinter = table, server, fingerprinter
        self._codebook = fingerprinter.codebook()
        self._shard = self._new_shard()
        self._connection = self._shard.connection

    def _new_shard(self) -> Shard:
        (connection,) = connections(resolve(new_url(self._server)))
        card = self._fingerprinter.card
        identity = Identity("0" * 36, self._fingerprinter.digest, card.codebook_sha256)
        shard = Shard(connection, identity, card.bits // 8)
        shard.begin()
        return shard

    def _index(self) -> ClusterIndex:
        """Open the shard; nothing is kept from earlier searches."""
        return ClusterIndex(ClusterTable([self._shard], StoreVersion(), ()), self._codebook)

    def _seconds(self, work: Callable[..., object], *arguments: object) -> float:
        """Give the processor time, in s, that a call takes of client and server."""
        begun = time.process_time() + self._server.processor_seconds()
        work(*arguments)
        return time.process_time() + self._server.processor_seconds() - begun

    def loaded(self) -> Iterator[Line]:
        """Load the table; yield how fast that was and how large the shard is."""
        table, taken, loaded = self._table, 0.0, 0
        last = len(table.recording_ids) - 1
        batch: list[tuple[int, np.ndarray]] = []
        held = 0
        for position, recording in enumerate(table.recording_ids.tolist()):
            batch.append((recording << SIDE_BITS, np.ascontiguousarray(table.rows(position))))
            held += table.count(position)
            if held < BATCH_HASHES and position < last:
                continue
            taken += self._seconds(self._shard.load, batch, self._codebook, 1)
            before, loaded, batch, held = loaded, loaded + held, [], 0
            if before < FEW <= loaded or position == last:
                yield f"memory of a client, {loaded:,} hashes", f"{self._memory() / 1e6:.1f} MB"
        yield "load", f"{1e6 * taken / table.total:.1f} µs of processor time a hash"
        batch, other = [(0, np.ascontiguousarray(table.hashes[:BATCH_HASHES]))], self._new_shard()
        # With one cell only, none has to be found.
        inserted = self._seconds(other.load, batch, self._codebook[:1], 1)
        yield "load without finding cells", f"{len(batch[0][1]) / inserted:,.0f} hashes/s"
        yield "bytes a hash on disk", f"{self._shard.size() / table.total:.1f}"

    def _memory(self) -> int:
        """Give the most bytes that opening the index and a search of 10 s hold."""
        tracemalloc.start()
        try:
            self._index().search(np.ascontiguousarray(self._table.hashes[:37]), 20, 8)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def voted(self) -> Iterator[Line]:
        """Count rows in the cells of stored hashes, and time the votes of many."""
        table = self._table
        some = np.linspace(0, len(table.hashes) - 1, 512).astype(np.int64)
        read = self._rows_in(nearest_centres(self._codebook, table.hashes[some], 8)) / len(some)
        yield "rows read for a hash at 8 cells", f"{read / table.total:.2g} of all"
        number = max(1, round(VOTED_ROWS / read / PIECE_HASHES))
        firsts = np.linspace(0, len(table.hashes) - PIECE_HASHES, number).astype(np.int64)
        query = table.hashes[(firsts[:, None] + np.arange(PIECE_HASHES)).ravel()]
        pieces = [Piece(a, a + PIECE_HASHES) for a in range(0, len(query), PIECE_HASHES)]
        cells = nearest_centres(self._codebook, query, 8)
        sql = votes_sql(cells, pieces, effort(table.total, pieces, len(self._codebook)), "")
        begun = time.perf_counter()
        seconds = self._seconds(self._connection.query, sql, VOTES)
        yield (
            f"votes of {len(query):,} hashes over {self._rows_in(cells):,} rows",
            f"{seconds:.1f} s of processor time, {time.perf_counter() - begun:.1f} s by the clock",
        )

    def _rows_in(self, cells: np.ndarray) -> int:
        """Count the rows of cells, as often as each is listed."""
        numbers, times = np.unique(cells, return_counts=True)
        rows = self._connection.query(
            "SELECT cell, count() FROM {db}.cells "
            f"WHERE cell IN ({','.join(map(str, numbers.tolist()))}) GROUP BY cell",
            ROWS_OF_CELL,
        )
        return int(rows["count"] @ times[np.searchsorted(numbers, rows["cell"])])

    def found(self, clips: Iterator[tuple[int, Condition, float, PreparedQuery]]) -> Iterator[Line]:
        """Compare best places and times of the engines, by the length of the clips."""
        table, exact = self._table, ExactIndex(self._table, "compiled")
        matcher = matcher_of(self._fingerprinter, exact, QueryOptions())
        flat = IndexBinaryFlat(table.bits)
        flat.add(np.ascontiguousarray(table.hashes))
        same: dict[str, list[bool]] = defaultdict(list)
        times: dict[str, list[tuple[float, float]]] = defaultdict(list)
        against_flat: list[float] = []
        for _, condition, seconds, prepared in clips:
            hashes = len(prepared.grids[0][1])
            looked = effort(table.total, [Piece(0, hashes)], len(self._codebook))
            length = f"clips of {seconds:g} s, {looked.probes} cells, {looked.diagonals} diagonals"
            index = self._index()
            by_exact = matcher.find(prepared.grids)
            by_cells = replace(matcher, index=index).find(prepared.grids)
            if by_exact:
                is_found = bool(by_cells) and is_same(by_exact[0], by_cells[0])
                same[length].append(is_found)
                same[condition.name].append(is_found)
            query, index = prepared.grids[0][1].packed, self._index()
            window = min(matcher.window_hashes, hashes)
            taken = (
                self._seconds(exact.search, query, window, 8),
                self._seconds(index.search, query, window, 8),
            )
            times[length].append(taken)
            if seconds == LONG and len(against_flat) < TIMED:
                scanned = self._seconds(flat.search, query, 8)
                against_flat.append(taken[1] / scanned)
        for length, pairs in times.items():
            by_exact_s, by_cells_s = np.median(pairs, axis=0)
            yield (
                length,
                f"same best place in {sum(same[length])} of {len(same[length])}; "
                f"ClickHouse {1e3 * by_cells_s:,.0f} ms, exact {1e3 * by_exact_s:,.0f} ms: "
                f"{np.median([cells / whole for whole, cells in pairs]):.2f} of its time",
            )
        yield (
            f"time against IndexBinaryFlat, {len(against_flat)} clips of {LONG:g} s",
            f"{np.median(against_flat):.3f}",
        )
        for name in sorted(same.keys() - times.keys()):
            yield f"{name}, all lengths", f"{sum(same[name])} of {len(same[name])}"
