"""The search of an index in ClickHouse: votes and hashes by SQL, everything else as in ``ivf``."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from copy import copy

import numpy as np

from samaf.index.candidates import Effort, Piece, effort, most_votes, nearest, pieces_of
from samaf.index.cells import nearest_centres
from samaf.index.cluster.schema import BLOCK_BITS, BLOCKS, SIDES, listed
from samaf.index.cluster.shard import Shard
from samaf.index.cluster.table import PAGE_HASHES, ClusterTable
from samaf.index.neighbors import NOTHING, Index, Neighbors, Sweep, nothing

VOTES = np.dtype([("piece", "<u4"), ("start", "<i8"), ("votes", "u1")])
CLASS = np.dtype([("length", "<u4")])
REACH = 64  # hashes before and behind a neighbor that are compared afterwards


class ClusterIndex:
    """Compares those diagonals that the cells vote for, in one database or in all shards at once.

    Parameters
    ----------
    codebook
        uint8 (cells, bits / 8): the centres of the model's cells.
    """

    def __init__(self, table: ClusterTable, codebook: np.ndarray) -> None:
        self.table = table
        self._codebook = codebook
        self._where = ""  # which rows may vote
        self._short: list[int] | None = None

    def search(
        self, query: np.ndarray, hashes: int, k: int, lengths: Sequence[int] | None = None
    ) -> Neighbors:
        """See :class:`samaf.index.neighbors.Index`."""
        pieces = pieces_of(lengths or [len(query)], hashes)
        if not pieces:
            return nothing(max(0, len(query) - hashes + 1), k)
        looked = effort(self.table.total, pieces, len(self._codebook))
        cells = nearest_centres(self._codebook, query, looked.probes)
        sql = votes_sql(cells, pieces, looked, self._where)
        rows = np.concatenate(self.table.of_each(lambda shard: shard.connection.query(sql, VOTES)))
        diagonals = []
        for number in range(len(pieces)):
            own = rows[rows["piece"] == number]
            diagonals.append(most_votes(own["start"], own["votes"], looked.diagonals))
        found = nearest(query, hashes, k, pieces, diagonals, self.table.stored)
        self._prefetch(found.rows)
        return found

    def short_sweeps(self, window_hashes: int) -> Sequence[Sweep]:
        """See :class:`samaf.index.neighbors.Index`."""
        if self._short is None:
            parts = self.table.of_each(self._lengths)
            self._short = np.unique(np.concatenate(parts)).tolist()
        return [
            self._sweep(length, min(2 * length, window_hashes))
            for length in reversed(self._short)
            if length < window_hashes
        ]

    def after(self, recording_index: int, without: Collection[int] = ()) -> Index:
        """See :class:`samaf.index.neighbors.Index`."""
        part = copy(self)
        part._where = f"r >= {(recording_index // SIDES + 1) * SIDES * BLOCKS}"
        if without:
            part._where += f" AND {STREAM} NOT IN {listed(without)}"
        return part

    def _sweep(self, length: int, stop: int) -> Sweep:
        """Search the streams of ``length`` to ``stop`` - 1 hashes by windows of ``length``."""
        part = copy(self)
        chosen = (
            f"{STREAM} IN (SELECT stream FROM {{db}}.streams FINAL "
            f"WHERE hashes >= {length} AND hashes < {stop})"
        )
        part._where = f"{self._where} AND {chosen}" if self._where else chosen

        def search(query: np.ndarray, k: int, lengths: Sequence[int] | None = None) -> Neighbors:
            return part.search(query, length, k, lengths)

        return Sweep(length, search)

    def _lengths(self, shard: Shard) -> np.ndarray:
        """Give the powers of two, up to 16, that are the lengths of its short streams."""
        rows = shard.connection.query(
            "SELECT DISTINCT toUInt32(exp2(floor(log2(hashes)))) FROM {db}.streams FINAL "
            "WHERE hashes > 0 AND hashes < 32",
            CLASS,
        )
        return rows["length"].astype(np.int64)

    def _prefetch(self, rows: np.ndarray) -> None:
        """Read what the neighbors are compared with next, all at once."""
        near = np.unique(rows[rows != NOTHING])
        start = near & ~(BLOCKS - 1)
        low = np.maximum(near - REACH, start) // PAGE_HASHES
        self.table.prefetch(np.unique(np.concatenate([low, (near + REACH) // PAGE_HASHES])))


STREAM = f"bitShiftRight(r, {BLOCK_BITS})"


def votes_sql(cells: np.ndarray, pieces: Sequence[Piece], looked: Effort, where: str) -> str:
    """Write the statement that counts votes; see `samaf.index.candidates.count_votes`.

    A hash of the query votes once for a diagonal, however often a row was inserted: its bit is
    set in a number of 64 bits.
    """
    sizes = [piece.stop - piece.first for piece in pieces]
    probed = np.concatenate([cells[piece.first : piece.stop] for piece in pieces])
    steps = np.concatenate([np.arange(size) for size in sizes]).repeat(cells.shape[1])
    numbers = np.arange(len(pieces)).repeat(sizes).repeat(cells.shape[1])
    # An array of numbers is one element of a statement, however long; one of tuples is many.
    columns = ", ".join(
        f"{listed(values)} AS {name}"
        for name, values in (("cs", probed.ravel()), ("ps", numbers), ("ss", steps))
    )
    return (
        "SELECT piece, start, toUInt8(bitCount(groupBitOr(bitShiftLeft(toUInt64(1), step)))) AS v "
        "FROM (SELECT cell, r FROM {db}.cells "
        f"WHERE cell IN {listed(np.unique(probed))}{' AND ' + where if where else ''}) AS c "
        "INNER JOIN (SELECT toUInt32(c) AS cell, toUInt32(p) AS piece, toUInt8(s) AS step "
        f"FROM (SELECT {columns}) ARRAY JOIN cs AS c, ps AS p, ss AS s) AS q USING (cell) "
        "GROUP BY piece, toInt64(r) - step AS start "
        f"HAVING v >= {looked.votes} "
        f"ORDER BY piece, v DESC, start LIMIT {looked.diagonals} BY piece"
    )
