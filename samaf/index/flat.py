"""FAISS ``IndexBinaryFlat`` over concatenated hashes: the reference index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from samaf.index.local import LocalIndex
from samaf.index.neighbors import NOTHING, Neighbors, nothing
from samaf.index.table import HashTable


class FlatIndex(LocalIndex):
    """Concatenates the hashes of every window, as the paper does, and searches them all.

    Takes ``hashes`` times the memory of the exact index. One FAISS index is built for each
    window length that is searched for.
    """

    def __init__(self, table: HashTable) -> None:
        self.table = table
        self._built: dict[int, tuple[Any, np.ndarray]] = {}

    def follow(self, table: HashTable) -> FlatIndex:
        """See :class:`samaf.index.neighbors.StoreIndex`."""
        return FlatIndex(table)

    def search(
        self, query: np.ndarray, hashes: int, k: int, lengths: Sequence[int] | None = None
    ) -> Neighbors:
        """See :class:`samaf.index.neighbors.Index`."""
        import faiss

        if len(query) < hashes:
            return nothing(0, k)
        faiss.omp_set_num_threads(1)  # its default threads are slower in small containers
        if hashes not in self._built:
            starts = np.flatnonzero(self.table.window_starts(hashes))
            built = faiss.IndexBinaryFlat(self.table.bits * hashes)
            if len(starts):
                built.add(concatenated(self.table.hashes, hashes)[starts])
            self._built[hashes] = (built, starts)
        index, starts = self._built[hashes]
        codes = np.ascontiguousarray(concatenated(query, hashes))
        # FAISS orders equal distances as it likes: ask for more and sort by row.
        wanted = min(len(starts), 4 * k + 16)
        if not wanted:
            return nothing(len(codes), k)
        distances, numbers = index.search(codes, wanted)
        rows = starts[numbers]
        order = np.lexsort((rows, distances))[:, :k]
        neighbors = Neighbors(
            np.take_along_axis(rows, order, 1), np.take_along_axis(distances, order, 1).astype(int)
        )
        return _padded(neighbors, k)


def concatenated(packed: np.ndarray, hashes: int) -> np.ndarray:
    """Join each hash with those after it, uint8 (m - hashes + 1, hashes x bytes)."""
    windows = np.lib.stride_tricks.sliding_window_view(packed, hashes, axis=0)
    return windows.transpose(0, 2, 1).reshape(len(windows), -1)


def _padded(neighbors: Neighbors, k: int) -> Neighbors:
    lacking = k - neighbors.rows.shape[1]
    if not lacking:
        return neighbors
    return Neighbors(
        np.pad(neighbors.rows, ((0, 0), (0, lacking)), constant_values=NOTHING),
        np.pad(
            neighbors.distances,
            ((0, 0), (0, lacking)),
            constant_values=np.iinfo(np.int64).max,
        ),
    )
