"""What all indexes over a table in memory share: its shortest recordings, and parts of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from samaf.index.neighbors import NOTHING, Index, Neighbors, Sweep
from samaf.index.table import HashTable


class LocalIndex:
    """A part of the interface `samaf.index.neighbors.Index`, for indexes over a `HashTable`."""

    table: HashTable

    def short_sweeps(self, window_hashes: int) -> Sequence[Sweep]:
        """See :class:`samaf.index.neighbors.Index`."""
        return _short_sweeps(self.table, window_hashes)

    def after(self, recording_index: int, without: Collection[int] = ()) -> Index:
        """See :class:`samaf.index.neighbors.Index`; the part is searched exactly."""
        from samaf.index.exact import PAIRS_TO_COMPILED, ExactIndex

        part = rows_after(self.table, recording_index)
        counts = part.counts.copy()
        first = behind(self.table, recording_index)
        counts[[other - first for other in without]] = 0
        # Each part has an index of its own, too small to change over to the compiled one itself.
        pays = self.table.total**2 / 2 > PAIRS_TO_COMPILED
        return ExactIndex(replace(part, counts=counts), "compiled" if pays else None)


def rows_after(table: HashTable, recording_index: int) -> HashTable:
    """Give the part of a table behind one recording and its sides."""
    first = behind(table, recording_index)
    cut = int(table.starts[first - 1] + table.counts[first - 1])
    kept = slice(first, None)
    return replace(
        table,
        hashes=table.hashes[cut:],
        recording_ids=table.recording_ids[kept],
        starts=table.starts[kept] - cut,
        counts=table.counts[kept],
        sides=None if table.sides is None else table.sides[kept],
    )


def behind(table: HashTable, recording_index: int) -> int:
    """Give the position of the first recording behind one and its sides."""
    position = recording_index
    while position < len(table.counts) and (
        table.recording_ids[position] == table.recording_ids[recording_index]
    ):
        position += 1
    return position


@lru_cache(maxsize=8)
def _short_sweeps(table: HashTable, window_hashes: int) -> tuple[Sweep, ...]:
    made = []
    short = (table.counts > 0) & (table.counts < window_hashes)
    lengths = 2 ** np.floor(np.log2(np.maximum(table.counts, 1))).astype(np.int64)
    for length in np.unique(lengths[short])[::-1].tolist():
        made.append(_sweep(table, np.flatnonzero(short & (lengths == length)), length))
    return tuple(made)


def _sweep(table: HashTable, positions: np.ndarray, length: int) -> Sweep:
    """Copy some recordings into a table of their own, and search that."""
    from samaf.index.exact import ExactIndex

    counts = table.counts[positions]
    starts = np.cumsum(counts) - counts
    rows = np.repeat(table.starts[positions] - starts, counts) + np.arange(counts.sum())
    part = HashTable(
        np.ascontiguousarray(table.hashes[rows]), table.recording_ids[positions], starts, counts
    )
    index = ExactIndex(part)

    def search(query: np.ndarray, k: int, lengths: Sequence[int] | None = None) -> Neighbors:
        neighbors = index.search(query, length, k, lengths)
        found = neighbors.rows != NOTHING
        return Neighbors(
            np.where(found, rows[np.where(found, neighbors.rows, 0)], NOTHING), neighbors.distances
        )

    return Sweep(length, search)
