"""Vectors, searchable by Euclidean distance: FAISS over all of them, or over the likeliest cells.

Each stored segment has an id of its own, made of its recording and its position in it, so
that a neighbor tells both. The paper gives one id to all segments of a song (Figure 8), which
can say which song it is, not where.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from samaf.index.neighbors import NOTHING
from samaf.index.table import HashTable
from samaf.index.vectorcells import (
    UNKNOWN,
    VectorCells,
    assign,
    cell_count,
    learn,
    load,
    save,
)

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
        self._faiss = self._made()
        self._add(table, range(len(table.recording_ids)))

    @property
    def size(self) -> int:
        """Vectors that are searched."""
        return int(self._faiss.ntotal)

    def follow(self, table: HashTable) -> VectorIndex:
        """Take over a later state of the same store: only what changed is added or removed."""
        old, new = _contents(self.table), _contents(table)
        gone = [each for each in old if each not in new]
        if gone:
            ids = [_ids(recording, count) for recording, count in gone]
            self._faiss.remove_ids(np.concatenate(ids))
        self.table = table
        self._add(table, [new[each] for each in new if each not in old])
        return self

    def search(self, vectors: np.ndarray, k: int) -> VectorNeighbors:
        """Find the k nearest stored segments of each vector, float32 (m, values)."""
        import faiss

        faiss.omp_set_num_threads(1)  # its default threads are slower in small containers
        k = min(k, self.size)
        # FAISS orders equal distances as it likes: ask for more and sort.
        asked = max(1, min(self.size, 2 * k + 8))
        squares, ids = self._faiss.search(np.ascontiguousarray(vectors, np.float32), asked)
        squares[ids == NOTHING] = np.inf
        order = np.lexsort((ids, squares))[:, :k]
        ids, squares = (np.take_along_axis(each, order, 1) for each in (ids, squares))
        there = ids != NOTHING
        return VectorNeighbors(
            np.where(there, ids // SEGMENTS, NOTHING),
            np.where(there, ids % SEGMENTS, NOTHING),
            # Rounding may leave less than nothing between equal vectors.
            np.sqrt(np.maximum(squares, 0)),
        )

    def _made(self) -> Any:
        import faiss

        return faiss.IndexIDMap(faiss.IndexFlatL2(self.table.hashes.shape[1] // 4))

    def _add(self, table: HashTable, positions: range | list[int]) -> None:
        for vectors, ids, _ in _parts(table, positions):
            self._faiss.add_with_ids(vectors, ids)


class CellsIndex(VectorIndex):
    """``IndexIVFFlat``: looks into the cells where near vectors lie, for large stores.

    The cells are kept beside the cached index; a small store is searched as a whole.

    Parameters
    ----------
    probes
        Cells looked into for each vector: more find more of the true neighbors.
    """

    def __init__(self, table: HashTable, probes: int = PROBES) -> None:
        self._cells: VectorCells | None = None
        self._probes = probes
        if cell_count(table) >= LEAST_CELLS:
            self._cells = load(table) or learn(table)
        super().__init__(table)
        if self._cells:
            save(self._cells, table)

    def follow(self, table: HashTable) -> VectorIndex:
        """See `VectorIndex.follow`; the centres stay until the store is opened anew."""
        if self._cells:
            # Rows may have moved, so their cells are looked for anew.
            self._cells = VectorCells(self._cells.centres, np.full(len(table.hashes), UNKNOWN))
        return super().follow(table)

    def _made(self) -> Any:
        if not self._cells:
            return super()._made()
        import faiss

        count, width = self._cells.centres.shape
        quantizer = faiss.IndexFlatL2(width)
        quantizer.add(self._cells.centres)
        made = faiss.IndexIVFFlat(quantizer, width, count)
        made.nprobe = self._probes
        return made

    def _add(self, table: HashTable, positions: range | list[int]) -> None:
        if not self._cells:
            super()._add(table, positions)
            return
        import faiss

        for vectors, ids, rows in _parts(table, positions):
            own = assign(self._cells, vectors, rows)
            pointers = (faiss.swig_ptr(each) for each in (vectors, ids, own))
            self._faiss.add_core(len(vectors), *pointers)


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
