"""Exhaustive search that keeps each hash once and sums distances along diagonals.

The distance of concatenated hashes is the sum of the distances of the single ones, and
windows that overlap share most of them. So each pair of hashes is compared once, and
nothing but the hashes themselves is stored. There are two backends with the same answers to
the last row: NumPy, which always works, and one compiled with numba, the extra ``fast``.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Literal

import numpy as np

from samaf.index.local import LocalIndex
from samaf.index.neighbors import Neighbors, nothing
from samaf.index.table import HashTable

Backend = Literal["numpy", "compiled"]

BLOCK_ROWS = 16_384  # 16 k rows x 48 query hashes x 2 B = 1.6 MB, about the L2 cache
QUERY_HASHES = 48
BEYOND = np.uint16(65_535)  # more than 21 hashes x 256 bits
# Pairs of hashes that NumPy compares in the 0.6 s (CPU) that numba takes to load. After so
# many an index changes over, so it never takes twice as long as with the better choice.
PAIRS_TO_COMPILED = 150_000_000


class ExactIndex(LocalIndex):
    """The default index: always right.

    Parameters
    ----------
    backend
        "numpy" or "compiled"; by default the one that is quicker in the long run.
        "compiled" needs numba and hashes of whole 64-bit words, else it is "numpy".
    """

    def __init__(self, table: HashTable, backend: Backend | None = None) -> None:
        self.table = table
        self._valid: dict[int, np.ndarray] = {}
        self._wanted = backend
        self._compared = 0

    @property
    def backend(self) -> Backend:
        """What computes the distances."""
        return "compiled" if self._module() else "numpy"

    def follow(self, table: HashTable) -> ExactIndex:
        """See :class:`samaf.index.neighbors.StoreIndex`."""
        return ExactIndex(table, self._wanted)

    def search(
        self, query: np.ndarray, hashes: int, k: int, lengths: Sequence[int] | None = None
    ) -> Neighbors:
        """See :class:`samaf.index.neighbors.Index`."""
        windows = len(query) - hashes + 1
        if windows < 1:
            return nothing(0, k)
        if hashes not in self._valid:
            self._valid[hashes] = self.table.window_starts(hashes)
        self._compared += len(query) * len(self.table.hashes)
        compiled = self._module()
        if compiled:
            words = np.ascontiguousarray(query).view(np.uint64)
            return compiled.nearest(self.table.words, self._valid[hashes], words, hashes, k)
        parts = [
            self._search(query[a : min(a + QUERY_HASHES, windows) + hashes - 1], hashes, k)
            for a in range(0, windows, QUERY_HASHES)
        ]
        return Neighbors(
            np.concatenate([p.rows for p in parts]), np.concatenate([p.distances for p in parts])
        )

    def _module(self) -> ModuleType | None:
        """Give the compiled backend when it is wanted, worth loading, or loaded."""
        if self._wanted == "numpy":
            return None
        pairs = PAIRS_TO_COMPILED if self._wanted else self._compared
        return compiled_backend(pairs, self.table.bits)

    def _search(self, query: np.ndarray, hashes: int, k: int) -> Neighbors:
        """Search for a slice of the query that is short enough for one sweep."""
        windows = len(query) - hashes + 1
        valid = self._valid[hashes]
        best = nothing(windows, k)
        total = len(valid) - hashes + 1
        for a in range(0, total, BLOCK_ROWS):
            b = min(a + BLOCK_ROWS, total)
            distances = pairwise(query, self.table.hashes[a : b + hashes - 1])
            sums = diagonal_sums(distances, hashes)
            sums[:, ~valid[a:b]] = BEYOND
            _merge(best, sums, a)
        return best


def compiled_backend(pairs: int, bits: int) -> ModuleType | None:
    """Give the compiled backend if it is loaded, or so many pairs of hashes are worth loading it.

    It needs numba and hashes of whole 64-bit words.
    """
    pays = pairs >= PAIRS_TO_COMPILED or _compiled.cache_info().currsize
    return _compiled() if pays and bits % 64 == 0 else None


@lru_cache(maxsize=1)
def _compiled() -> ModuleType | None:
    """Load the compiled backend; none where numba is missing or cannot cache its code.

    The machine code is kept in the user's cache folder, or where NUMBA_CACHE_DIR says, and
    is rebuilt, which takes some seconds, for another processor or version.
    """
    try:
        import platformdirs
        from numba import config
    except ImportError:
        return None
    given = config.CACHE_DIR
    config.CACHE_DIR = given or str(Path(platformdirs.user_cache_dir("samaf"), "compiled"))
    try:
        for _ in range(2):
            try:
                from samaf.index import compiled

                return compiled
            except (ImportError, OSError, RuntimeError):
                return None
            except Exception:  # whatever a damaged file makes numba raise
                if not given:
                    shutil.rmtree(config.CACHE_DIR)
        return None
    finally:
        config.CACHE_DIR = given


def pairwise(query: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Compare all with all: Hamming distances, uint16 (len(query), len(rows))."""
    word = np.uint64 if query.shape[1] % 8 == 0 else np.uint8
    left = np.ascontiguousarray(query).view(word).T
    right = np.ascontiguousarray(rows.T if word == np.uint8 else rows.view(word).T)
    out = np.zeros((len(query), len(rows)), np.uint16)
    for a, b in zip(left, right, strict=True):
        out += np.bitwise_count(a[:, None] ^ b[None, :])
    return out


def diagonal_sums(distances: np.ndarray, hashes: int) -> np.ndarray:
    """Sum ``hashes`` steps down each diagonal, uint16 (m - hashes + 1, n - hashes + 1)."""
    windows = distances.shape[0] - hashes + 1
    starts = distances.shape[1] - hashes + 1
    out = distances[:windows, :starts].copy()
    for step in range(1, hashes):
        out += distances[step : step + windows, step : step + starts]
    return out


def _merge(best: Neighbors, sums: np.ndarray, first_row: int) -> None:
    """Keep the k nearest of those so far and of a block of rows, in place."""
    k = best.rows.shape[1]
    minima = sums.min(axis=1)
    for window in np.flatnonzero((minima < best.distances[:, -1]) & (minima < BEYOND)):
        row = sums[window]
        limit = min(int(best.distances[window, -1]), int(BEYOND))
        if best.rows[window, -1] < 0 and len(row) > k:  # no k neighbors yet: most rows qualify
            limit = min(limit, int(np.partition(row, k - 1)[k - 1]) + 1)
        near = np.flatnonzero(row < limit)
        distances = np.concatenate([best.distances[window], row[near]])
        rows = np.concatenate([best.rows[window], near + first_row])
        # Stable: rows that were there first are the smaller ones.
        order = np.argsort(distances, kind="stable")[:k]
        best.distances[window], best.rows[window] = distances[order], rows[order]
