"""Vectors, searchable by Euclidean distance: FAISS over all of them, or over the nearest cells.

The id of a stored segment is made of its recording and its position in the recording, so a
neighbor gives both. The paper gives one id to all segments of a song (Figure 8), which
identifies the song, not the place in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from samaf.index.cells import EUCLIDEAN, open_cells
from samaf.index.neighbors import NOTHING
from samaf.index.table import HashTable

SEGMENTS = 1 << 20  # ids of a recording: 30 days of segments 2.5 s apart
PROBES = 16  # cells looked into for each vector: `benchmarks unet relational` has the recall
LEAST_CELLS = 64  # below 4,096 vectors a search of all takes under a millisecond
ROWS_AT_ONCE = 16_384  # 20 MB of 320 values


@dataclass(frozen=True, slots=True, eq=False)
class VectorNeighbors:
    """The nearest stored segments of each vector of a query.

    Attributes
    ----------
    recording_ids, segments
        int64 (m, n): the store's number of the recording and the position in it, nearest
        first, ``NOTHING`` where a search of cells met fewer; n is k, or all that there are.
        Equal distances go by both.
    distances
        float32 (m, n): Euclidean, not squared; infinite where there is no neighbor.
    """

    recording_ids: np.ndarray
    segments: np.ndarray
    distances: np.ndarray


class VectorIndex:
    """``IndexIDMap(IndexFlatL2)``: every vector is compared with every stored one.

    Rows of nan, which stand for silence, are left out.

    Parameters
    ----------
    table
        Rows hold float32 values, little-endian.
    """

    def __init__(self, table: HashTable) -> None:
        self.table = table
        self._faiss = self._filled(table)

    @property
    def size(self) -> int:
        """Vectors that are searched."""
        return int(self._faiss.ntotal)

    def follow(self, table: HashTable) -> VectorIndex:
        """Take over a later state of the same store: only what changed is added or removed."""
        old, new = _contents(self.table), _contents(table)
        removed = [_ids(*content) for content in old if content not in new]
        if removed:
            self._faiss.remove_ids(np.concatenate(removed))
        self.table = table
        added = [position for content, position in new.items() if content not in old]
        for vectors, ids, _ in _parts(table, added):
            self._faiss.add_with_ids(vectors, ids)
        return self

    def search(self, vectors: np.ndarray, k: int) -> VectorNeighbors:
        """Find the k nearest stored segments of each vector, float32 (m, values)."""
        import faiss

        faiss.omp_set_num_threads(1)  # its default threads are slower in small containers
        k = min(k, self.size)
        # FAISS orders equal distances as it likes: ask for more and sort.
        wanted = max(1, min(self.size, 2 * k + 8))
        squares, ids = self._faiss.search(np.ascontiguousarray(vectors, np.float32), wanted)
        squares[ids == NOTHING] = np.inf
        order = np.lexsort((ids, squares))[:, :k]
        ids, squares = np.take_along_axis(ids, order, 1), np.take_along_axis(squares, order, 1)
        exists = ids != NOTHING
        return VectorNeighbors(
            np.where(exists, ids // SEGMENTS, NOTHING),
            np.where(exists, ids % SEGMENTS, NOTHING),
            # Rounding may leave less than nothing between equal vectors.
            np.sqrt(np.maximum(squares, 0)),
        )

    def _filled(self, table: HashTable) -> Any:
        """Make a FAISS index of all recordings of a table."""
        import faiss

        index = faiss.IndexIDMap(faiss.IndexFlatL2(table.hashes.shape[1] // 4))
        for vectors, ids, _ in _parts(table, range(len(table.recording_ids))):
            index.add_with_ids(vectors, ids)
        return index


class CellsIndex(VectorIndex):
    """``IndexIVFFlat``: looks into the cells where near vectors lie, for large stores.

    The cells are those of `samaf.index.cells`. The centres stay until the store is opened again.
    A small store is searched exhaustively.

    Parameters
    ----------
    probes
        Cells looked into for each vector: more find more of the true neighbors.
    """

    def __init__(self, table: HashTable, probes: int = PROBES) -> None:
        self._probes = probes
        super().__init__(table)

    def _filled(self, table: HashTable) -> Any:
        if table.total < LEAST_CELLS**2:
            return super()._filled(table)
        import faiss

        cells = open_cells(table.hashes, EUCLIDEAN)
        cell_of_row = cells.by_row()
        count, width = len(cells.centres), table.hashes.shape[1] // 4
        quantizer = faiss.IndexFlatL2(width)
        quantizer.add(cells.centres.view("<f4").astype(np.float32))
        index = faiss.IndexIVFFlat(quantizer, width, count)
        index.nprobe = self._probes
        for vectors, ids, rows in _parts(table, range(len(table.recording_ids))):
            # add_with_ids would look for the nearest centre of each vector again.
            cells_of_part = cell_of_row[rows]
            pointers = map(faiss.swig_ptr, (vectors, ids, cells_of_part))
            index.add_core(len(vectors), *pointers)
        return index


def _contents(table: HashTable) -> dict[tuple[int, int], int]:
    """Give the position of each recording; one of another length is another one."""
    pairs = zip(table.recording_ids.tolist(), table.counts.tolist(), strict=True)
    return {pair: position for position, pair in enumerate(pairs)}


def _ids(recording: int, count: int) -> np.ndarray:
    return np.arange(recording * SEGMENTS, recording * SEGMENTS + count)


def _parts(
    table: HashTable, positions: range | list[int]
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield vectors, ids and rows of recordings, but for silence, some thousand at a time."""
    batch: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    total = 0
    for position in positions:
        vectors = table.rows(position).view("<f4")
        sound = ~np.isnan(vectors[:, 0])
        recording, start = int(table.recording_ids[position]), int(table.starts[position])
        rows = start + np.arange(len(vectors))
        batch.append((vectors[sound], _ids(recording, len(vectors))[sound], rows[sound]))
        total += int(sound.sum())
        if total >= ROWS_AT_ONCE:
            yield _joined(batch)
            batch, total = [], 0
    if total:
        yield _joined(batch)


def _joined(
    batch: list[tuple[np.ndarray, np.ndarray, np.ndarray]],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    vectors, ids, rows = (np.concatenate(part) for part in zip(*batch, strict=True))
    return np.ascontiguousarray(vectors, np.float32), ids, rows
