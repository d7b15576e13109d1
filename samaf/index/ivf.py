"""Approximate search for stores that are too large to be compared with as a whole.

The lists of ``samaf.index.cells`` propose, the exact sum decides: each hash of the query
proposes the diagonals of the hashes most like it, and every window is compared with all that
any of them proposed. So a window is found when one hash around it is.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np

from samaf.index import cells as lists
from samaf.index.cells import Cells
from samaf.index.exact import ExactIndex
from samaf.index.neighbors import Neighbors, nothing
from samaf.index.table import HashTable

PROBES = 4  # cells looked into for each hash of the query
PROPOSED = 64  # hashes of these that propose their diagonal
RECENT = 65_536  # rows beyond the lists that are searched as a whole: a few milliseconds
GROWTH = 4  # times the square of the number of cells; beyond that the centres are learned anew
WINDOWS = 48  # of a long query that share what is proposed
BEYOND = np.iinfo(np.int32).max


class IvfIndex:
    """Looks into the cells where similar hashes lie; misses some of what is barely similar.

    The lists are kept beside the packed hashes of the cached index and follow it. Up to
    65,536 rows that they do not hold yet are searched as the exact engine does, so a small
    store is searched exactly.
    """

    def __init__(self, table: HashTable) -> None:
        self.table = table
        self._cells = _lists(table.hashes)
        listed = len(self._cells.rows) if self._cells else 0
        late = table.starts >= listed
        recent = HashTable(
            table.hashes[listed:],
            table.recording_ids[late],
            table.starts[late] - listed,
            table.counts[late],
        )
        self._recent, self._listed = ExactIndex(recent), listed

    def follow(self, table: HashTable) -> IvfIndex:
        """See :class:`samaf.index.neighbors.StoreIndex`."""
        return IvfIndex(table)

    def search(self, query: np.ndarray, hashes: int, k: int) -> Neighbors:
        """See :class:`samaf.index.neighbors.Index`."""
        found = self._recent.search(query, hashes, k)
        if not self._cells or not len(found.rows):
            return found
        rows = np.where(found.rows < 0, found.rows, found.rows + self._listed)
        parts = [
            self._proposed(query[a : min(a + WINDOWS, len(rows)) + hashes - 1], hashes, k)
            for a in range(0, len(rows), WINDOWS)
        ]
        # Recent rows stand after all others, which decides between equal distances.
        both = np.concatenate([np.concatenate([p.rows for p in parts]), rows], axis=1)
        distances = np.concatenate(
            [np.concatenate([p.distances for p in parts]), found.distances], axis=1
        )
        order = np.argsort(distances, axis=1, kind="stable")[:, :k]
        return Neighbors(
            np.take_along_axis(both, order, 1), np.take_along_axis(distances, order, 1)
        )

    def _proposed(self, query: np.ndarray, hashes: int, k: int) -> Neighbors:
        """Compare every window with what stands on the proposed diagonals of the listed rows."""
        own = np.ascontiguousarray(query).view(np.uint64)
        diagonals = self._diagonals(query, own)
        starts = diagonals[:, None] + np.arange(len(query) - hashes + 1)
        sums = _sums(self.table.words, own, diagonals, hashes)
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


def _lists(hashes: np.ndarray) -> Cells | None:
    """Give lists that all but the most recent rows are in; none for a small table.

    Lists of hashes on disk are read from beside them, and written there when they grew.
    """
    path = None
    if isinstance(hashes, np.memmap) and hashes.filename:
        path = Path(hashes.filename).with_suffix(".cells")
    if len(hashes) <= RECENT:
        return None
    cells = lists.load(path, hashes) if path else None
    if cells and len(hashes) - len(cells.rows) <= RECENT:
        return cells
    if cells and len(hashes) <= GROWTH * len(cells.ends) ** 2:
        cells = lists.extend(cells, hashes)
    else:
        cells = lists.group(hashes)
    if path:
        with suppress(OSError):  # a cache that may only be read: the lists serve this process
            lists.save(cells, path, hashes)
            for old in path.parent.glob("*.cells"):
                if not old.with_suffix(".bin").exists():
                    old.unlink(missing_ok=True)
    return cells
