"""Recordings that are shorter than what is searched for at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from samaf.index.exact import ExactIndex
from samaf.index.neighbors import NOTHING, Index, Neighbors
from samaf.index.table import HashTable


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """One search of an index, or of a copy of its shortest recordings, by one length of window.

    Attributes
    ----------
    search
        Given query hashes and k, gives neighbors by row of the whole table.
    """

    window_hashes: int
    search: Callable[[np.ndarray, int], Neighbors]


def sweeps(index: Index, window_hashes: int) -> list[Sweep]:
    """List the searches that reach all recordings of an index.

    The whole index is searched by windows of ``window_hashes``. Recordings with fewer hashes
    hold no such window: they are searched by windows of 8, 4, 2 or 1, as long as they allow.
    """

    def whole(query: np.ndarray, k: int) -> Neighbors:
        return index.search(query, window_hashes, k)

    return [Sweep(window_hashes, whole), *_short_sweeps(index.table, window_hashes)]


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
    counts = table.counts[positions]
    starts = np.cumsum(counts) - counts
    rows = np.repeat(table.starts[positions] - starts, counts) + np.arange(counts.sum())
    part = HashTable(
        np.ascontiguousarray(table.hashes[rows]), table.recording_ids[positions], starts, counts
    )
    index = ExactIndex(part)

    def search(query: np.ndarray, k: int) -> Neighbors:
        neighbors = index.search(query, length, k)
        found = neighbors.rows != NOTHING
        return Neighbors(
            np.where(found, rows[np.where(found, neighbors.rows, 0)], NOTHING), neighbors.distances
        )

    return Sweep(length, search)
