"""Nearest windows of hashes, for many window lengths at once.

The distance of a window of n hashes to another is the sum of n distances down a
diagonal. Longer windows are the shorter ones plus four more hashes, so all of 1-6 s
cost seven additions a pair of hashes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from samaf.index import NOTHING, ExactIndex
from samaf.index.exact import pairwise
from samaf.index.table import HashTable
from samaf.matching.alignment import error_rates
from samaf.matching.search import MORE_NEIGHBORS
from samaf.records import Hashes

CHUNK = 4_096  # columns compared at once: 41 x 4,096 x 8 B of XOR = 1.3 MB
BLOCK = 65_536  # columns whose sums are held at once: 41 x 65,536 x 2 B = 5.4 MB
BEYOND = np.uint16(65_535)  # more than 21 hashes x 256 bits
STEP = 4  # hashes in a second


def diagonals(distances: np.ndarray, lengths: Sequence[int]) -> list[np.ndarray]:
    """Sum distances down diagonals.

    Parameters
    ----------
    distances
        uint16 (m, n).
    lengths
        Hashes summed: ascending, each 1 more than a multiple of 4.

    Returns
    -------
    One uint16 (m - length + 1, n - length + 1) a length; empty where m or n is less.
    """
    two = _plus(distances, distances, 1)
    four = _plus(two, two, 2)
    found, length, sums = [], 1, distances
    for wanted in lengths:
        while length < wanted:
            sums = _plus(sums, four, length)
            length += STEP
        found.append(sums)
    return found


def _plus(first: np.ndarray, second: np.ndarray, shift: int) -> np.ndarray:
    """Add what stands ``shift`` further down the diagonal, where both are."""
    later = second[shift:, shift:]
    rows, columns = np.minimum(first.shape, later.shape)
    return np.asarray(first[:rows, :columns] + later[:rows, :columns])


class NearestWindows:
    """Finds the stored windows at the least error rate, all that tie."""

    def __init__(self, table: HashTable) -> None:
        self.table = table
        self._barred: dict[int, np.ndarray] = {}
        self._index = ExactIndex(table)

    def search(
        self, query: Hashes, lengths: Sequence[int]
    ) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Search for every window of a query.

        Parameters
        ----------
        query
            Its bits count by their reliability where it has such.
        lengths
            Hashes of a window: ascending, each 1 more than a multiple of 4.

        Returns
        -------
        For each length: windows int (k,), ascending, the rows of the table where their
        nearest windows start int (k,), ascending for each window, and the error rates
        float (k,). A window has several entries when it ties, none when no recording is
        long enough.
        """
        if query.reliability is not None:
            return [self._by_reliability(query.packed, query.reliability, n) for n in lengths]
        found = self._by_distance(query.packed, lengths)
        return [
            (windows, rows, distances / (length * query.bits))
            for length, (windows, rows, distances) in zip(lengths, found, strict=True)
        ]

    def _by_reliability(
        self, query: np.ndarray, reliability: np.ndarray, length: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Choose among the nearest windows by the reliability of the query's bits."""
        near = self._index.search(query, length, MORE_NEIGHBORS).rows
        exists = near != NOTHING
        rates = np.zeros(near.shape)
        for step in range(length):
            hashes = slice(step, step + len(near))
            rows = self.table.hashes[np.where(exists, near + step, 0)]
            rates += error_rates(query[hashes, None] ^ rows, reliability[hashes, None])
        rates = np.where(exists, rates / length, np.inf)
        best = exists & (rates == rates.min(axis=1, keepdims=True, initial=np.inf))
        window, rank = np.nonzero(best)
        order = np.lexsort((near[window, rank], window))
        window, rank = window[order], rank[order]
        return window, near[window, rank], rates[window, rank]

    def _by_distance(
        self, query: np.ndarray, lengths: Sequence[int]
    ) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Find the least distances int (k,) of windows of hashes uint8 (m, bytes)."""
        best = [np.full(max(0, len(query) - n + 1), BEYOND) for n in lengths]
        parts: list[list[tuple[int, np.ndarray, int]]] = [[] for _ in lengths]
        overlap = lengths[-1] - 1
        for a in range(0, len(self.table.hashes), BLOCK):
            rows = self.table.hashes[a : a + BLOCK + overlap]
            distances = np.empty((len(query), len(rows)), np.uint16)
            for b in range(0, len(rows), CHUNK):
                distances[:, b : b + CHUNK] = pairwise(query, rows[b : b + CHUNK])
            for number, sums in enumerate(diagonals(distances, lengths)):
                sums = sums[:, :BLOCK]
                if not sums.size:
                    continue
                barred = self._bars(lengths[number])[a : a + sums.shape[1]]
                sums = np.maximum(sums, barred)
                minima = sums.min(axis=1)
                near = np.flatnonzero((minima <= best[number]) & (minima < BEYOND))
                for window in near:
                    found = np.flatnonzero(sums[window] == minima[window]) + a
                    parts[number].append((int(window), found, int(minima[window])))
                best[number] = np.minimum(best[number], minima)
        return [_collected(p, b) for p, b in zip(parts, best, strict=True)]

    def _bars(self, length: int) -> np.ndarray:
        """Give BEYOND where no window of one recording starts, else 0; uint16 (n,)."""
        if length not in self._barred:
            starts = self.table.window_starts(length)
            self._barred[length] = np.where(starts, np.uint16(0), BEYOND)
        return self._barred[length]


def _collected(
    parts: list[tuple[int, np.ndarray, int]], best: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keep what is as near as the best of its window, in order of windows and rows."""
    kept = [(window, rows) for window, rows, distance in parts if distance == best[window]]
    kept.sort(key=lambda part: part[0])  # stable: rows stay ascending
    windows = np.repeat([w for w, _ in kept], [len(rows) for _, rows in kept]).astype(np.int64)
    rows = np.concatenate([np.empty(0, np.int64), *(rows for _, rows in kept)])
    return windows, rows, best[windows].astype(np.int64)
