"""Approximate search for stores that are too large to be compared with as a whole.

The cells of ``samaf.index.cells`` propose, the exact sum decides: each hash of the query
proposes the diagonals of the hashes most similar to it, and every window is compared along all
proposed diagonals. So a window is found when one hash around it is.
"""

from __future__ import annotations

import numpy as np

from samaf.index.cells import HAMMING, open_cells
from samaf.index.exact import ExactIndex
from samaf.index.neighbors import Neighbors, nothing
from samaf.index.table import HashTable

PROBES = 4  # cells looked into for each hash of the query
PROPOSED = 64  # hashes of these that propose their diagonal
RECENT = 65_536  # rows in no list, which are searched exhaustively: a few milliseconds
WINDOWS = 48  # of a long query that share what is proposed
BEYOND = np.iinfo(np.int32).max


class IvfIndex:
    """Looks into the cells where similar hashes lie; misses some of what is barely similar.

    Up to 65,536 rows that are in no list yet are searched exactly, so a small store is searched
    exactly.
    """

    def __init__(self, table: HashTable) -> None:
        self.table = table
        is_small = len(table.hashes) <= RECENT
        self._cells = None if is_small else open_cells(table.hashes, HAMMING, unlisted=RECENT)
        listed = len(self._cells.rows) if self._cells else 0
        unlisted = table.starts >= listed
        recent = HashTable(
            table.hashes[listed:],
            table.recording_ids[unlisted],
            table.starts[unlisted] - listed,
            table.counts[unlisted],
        )
        self._recent, self._listed = ExactIndex(recent), listed

    def follow(self, table: HashTable) -> IvfIndex:
        """See :class:`samaf.index.neighbors.StoreIndex`."""
        return IvfIndex(table)

    def search(self, query: np.ndarray, hashes: int, k: int) -> Neighbors:
        """See :class:`samaf.index.neighbors.Index`."""
        recent = self._recent.search(query, hashes, k)
        if not self._cells or not len(recent.rows):
            return recent
        rows = np.where(recent.rows < 0, recent.rows, recent.rows + self._listed)
        parts = [
            self._proposed(query[a : min(a + WINDOWS, len(rows)) + hashes - 1], hashes, k)
            for a in range(0, len(rows), WINDOWS)
        ]
        # Recent rows stand after all others, which decides between equal distances.
        both = np.concatenate([np.concatenate([p.rows for p in parts]), rows], axis=1)
        distances = np.concatenate(
            [np.concatenate([p.distances for p in parts]), recent.distances], axis=1
        )
        order = np.argsort(distances, axis=1, kind="stable")[:, :k]
        return Neighbors(
            np.take_along_axis(both, order, 1), np.take_along_axis(distances, order, 1)
        )

    def _proposed(self, query: np.ndarray, hashes: int, k: int) -> Neighbors:
        """Compare every window with what stands on the proposed diagonals of the listed rows."""
        words = np.ascontiguousarray(query).view(np.uint64)
        diagonals = self._diagonals(query, words)
        starts = diagonals[:, None] + np.arange(len(query) - hashes + 1)
        sums = _sums(self.table.words, words, diagonals, hashes)
        recording, block = self.table.locate(starts)
        fits = (starts >= 0) & (starts < self._listed) & (block >= 0)
        fits &= block + hashes <= self.table.counts[recording]
        # One number for distance and diagonal: equal distances go by row.
        keys = np.where(fits, sums, BEYOND).T * len(diagonals) + np.arange(len(diagonals))
        best = np.sort(np.partition(keys, min(k, len(diagonals)) - 1, axis=1)[:, :k], axis=1)
        distances, which = np.divmod(best, len(diagonals))
        rows = diagonals[which] + np.arange(len(best))[:, None]
        known = distances < BEYOND
        answer = nothing(len(best), k)
        answer.rows[:, : best.shape[1]][known] = rows[known]
        answer.distances[:, : best.shape[1]][known] = distances[known]
        return answer

    def _diagonals(self, query: np.ndarray, words: np.ndarray) -> np.ndarray:
        """Give the rows at which the query would start, ascending, of all that is proposed."""
        assert self._cells is not None
        proposed = []
        for step, probed in enumerate(self._cells.nearest(query, PROBES)):
            rows = np.concatenate([self._cells.of(cell) for cell in probed]).astype(np.int64)
            distances = np.bitwise_count(self.table.words[rows] ^ words[step]).sum(1, np.int32)
            if len(rows) > PROPOSED:
                rows = rows[np.argpartition(distances, PROPOSED)[:PROPOSED]]
            proposed.append(rows - step)
        return np.unique(np.concatenate(proposed))


def _sums(words: np.ndarray, query: np.ndarray, diagonals: np.ndarray, hashes: int) -> np.ndarray:
    """Sum distances along diagonals, int64 (diagonals, windows); anything outside the table."""
    rows = diagonals[:, None] + np.arange(len(query))
    differing = np.bitwise_count(words[np.clip(rows, 0, len(words) - 1)] ^ query)
    running = np.zeros((len(diagonals), len(query) + 1), np.int64)
    np.cumsum(differing.sum(axis=2, dtype=np.int64), axis=1, out=running[:, 1:])
    return np.asarray(running[:, hashes:] - running[:, :-hashes])
