"""Cells of similar rows: inverted lists over the hashes or vectors of an index.

Each row belongs to the cell whose centre is nearest, by the metric of its kind: Hamming distance
over packed bits, Euclidean distance over float32 values. A similar row is most likely in one of
the cells nearest to it, so a search can leave out the others. The centres of hashes are the
model's codebook, the same for every store; those of vectors are learned from the rows. The lists
hold row numbers only; the rows stay where they are. They are kept on disk beside the rows, because
the search for the nearest centre of each row takes time.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from samaf.files import save_arrays
from samaf.index.exact import compiled_backend

FORMAT = 3
GROWTH = 4  # times the square of the number of cells; beyond that the centres are learned again
WITNESSES = 1_024  # rows that tell whether lists belong to these rows
CHUNK_ROWS = 16_384  # 0.5 MB of 256 bits, 20 MB of 320 values


@dataclass(frozen=True, slots=True)
class Metric:
    """What similar means for rows of one kind, each row given as its bytes.

    Attributes
    ----------
    nearest
        Takes centres, rows uint8 (m, bytes), and n; gives the n nearest centres of each row,
        int64 (m, n).
    """

    nearest: Callable[[np.ndarray, np.ndarray, int], np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The first rows of an index by cell.

    Attributes
    ----------
    metric
        Of the rows and the centres.
    centres
        uint8 (cells, bytes), like the rows.
    ends
        int64 (cells,): where the rows of each cell end in ``rows``.
    rows
        uint32 (n,): all rows from 0 to n - 1, cell after cell, ascending within.
    """

    metric: Metric
    centres: np.ndarray
    ends: np.ndarray
    rows: np.ndarray

    def of(self, cell: int) -> np.ndarray:
        """Give the rows of one cell."""
        return self.rows[self.ends[cell - 1] if cell else 0 : self.ends[cell]]

    def by_row(self) -> np.ndarray:
        """Give the cell of each row, int64 (n,)."""
        cells = np.zeros(len(self.rows), np.int64)
        for cell in range(len(self.ends)):
            cells[self.of(cell)] = cell
        return cells


def open_cells(
    rows: np.ndarray, metric: Metric, unlisted: int = 0, codebook: np.ndarray | None = None
) -> Cells:
    """Give the cells of rows: read from beside them, extended, or listed from the first row on.

    Where the rows are memory-mapped, cells that are not on disk yet are written there, and those
    of rows that are gone are removed.

    Parameters
    ----------
    rows
        uint8 (n, bytes), n > 0.
    unlisted
        So many of the last rows may be in no list.
    codebook
        uint8 (cells, bytes): the centres; without it they are learned from the rows, and again
        when those have become many.
    """
    path = None
    if isinstance(rows, np.memmap) and rows.filename:
        path = Path(rows.filename).with_suffix(".cells")
    cells = load(path, rows, metric) if path else None
    if cells and codebook is not None and not np.array_equal(cells.centres, codebook):
        cells = None
    if cells and len(rows) - len(cells.rows) <= unlisted:
        return cells
    if codebook is not None:
        cells = extend(cells or no_rows(metric, codebook), rows)
    elif cells and len(rows) <= GROWTH * len(cells.ends) ** 2:
        cells = extend(cells, rows)
    else:
        cells = extend(no_rows(metric, learn_values(rows)), rows)
    if path:
        with suppress(OSError):  # a cache that may only be read: the cells serve this process
            save(cells, path, rows)
            for old in path.parent.glob("*.cells"):
                if not old.with_suffix(".bin").exists():
                    old.unlink(missing_ok=True)
    return cells


def no_rows(metric: Metric, centres: np.ndarray) -> Cells:
    """Give cells that list nothing yet."""
    return Cells(metric, centres, np.zeros(len(centres), np.int64), np.empty(0, np.uint32))


def extend(cells: Cells, rows: np.ndarray) -> Cells:
    """List the rows that came after those listed; the centres stay."""
    first = len(cells.rows)

    def assigned(start: int) -> np.ndarray:
        return cells.metric.nearest(cells.centres, rows[start : start + CHUNK_ROWS], 1)[:, 0]

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        chunks = list(pool.map(assigned, range(first, len(rows), CHUNK_ROWS)))
    new = np.concatenate([np.empty(0, np.int64), *chunks])
    order = np.argsort(new, kind="stable")
    listed = np.insert(cells.rows, cells.ends[new[order]], (first + order).astype(np.uint32))
    ends = cells.ends + np.cumsum(np.bincount(new, minlength=len(cells.ends)))
    return replace(cells, ends=ends, rows=listed)


def save(cells: Cells, path: Path, rows: np.ndarray) -> None:
    """Write cells beside their rows; a reader sees the old file or the new one."""
    save_arrays(
        path,
        format=FORMAT,
        witness=_witness(rows, len(cells.rows)),
        centres=cells.centres,
        ends=cells.ends,
        rows=cells.rows,
    )


def load(path: Path, rows: np.ndarray, metric: Metric) -> Cells | None:
    """Read cells; none where there are none, damaged ones, or ones of other rows.

    The file is an npz archive of plain arrays, so each carries a CRC-32 that reading checks.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            known, witness = int(file["format"]), int(file["witness"])
            cells = Cells(metric, file["centres"], file["ends"], file["rows"])
        sound = (
            known == FORMAT and _fits(cells, rows) and witness == _witness(rows, len(cells.rows))
        )
    except Exception:  # whatever a damaged archive makes zipfile and NumPy raise
        return None
    return cells if sound else None


def _fits(cells: Cells, rows: np.ndarray) -> bool:
    """Check shapes and ranges: FAISS would read and write wherever a wrong number points."""
    return (
        cells.centres.dtype == np.uint8
        and cells.ends.dtype == np.int64
        and cells.rows.dtype == np.uint32
        and cells.centres.shape == (len(cells.ends), rows.shape[1])
        and 0 < len(cells.rows) <= len(rows)
        and cells.ends[-1] == len(cells.rows)
        and bool((np.diff(cells.ends, prepend=0) >= 0).all())
        and int(cells.rows.max()) < len(cells.rows)
    )


def _witness(rows: np.ndarray, listed: int) -> int:
    """Checksum of some of the listed rows."""
    some = np.linspace(0, listed - 1, min(listed, WITNESSES)).astype(np.int64)
    return zlib.crc32(np.ascontiguousarray(rows[some]).data)


def _faiss() -> Any:
    import faiss

    faiss.omp_set_num_threads(1)  # others wait busily, which on a loaded machine takes minutes
    return faiss


def nearest_centres(centres: np.ndarray, rows: np.ndarray, cells: int) -> np.ndarray:
    """Give the nearest cells of hashes, all if there are fewer, int64 (m, cells)."""
    bits, cells = 8 * centres.shape[1], min(cells, len(centres))
    centres, rows = np.ascontiguousarray(centres), np.ascontiguousarray(rows)
    nearest: np.ndarray
    if compiled := compiled_backend(len(rows) * len(centres), bits):
        anywhere = np.ones(len(centres), bool)
        words = centres.view(np.uint64), anywhere, rows.view(np.uint64)
        nearest = compiled.nearest(*words, 1, cells).rows
    else:
        index = _faiss().IndexBinaryFlat(bits)
        index.add(centres)
        nearest = index.search(rows, cells)[1]
    return nearest


VALUE_ROUNDS = 10  # of k-means
SAMPLE_PER_CELL = 64  # vectors for each cell that the centres are learned from


def learn_values(rows: np.ndarray) -> np.ndarray:
    """Learn as many centres of vectors as the square root of their number, by k-means.

    Silence, which is rows of nan, has no part in it.
    """
    cells = max(1, int(len(rows) ** 0.5))
    size = min(len(rows), cells * SAMPLE_PER_CELL)
    sample = np.sort(np.random.default_rng(0).choice(len(rows), size, replace=False))
    values = _values(rows[sample])
    values = values[~np.isnan(values[:, 0])]
    if not len(values):
        return np.zeros((1, rows.shape[1]), np.uint8)
    means = _faiss().Kmeans(values.shape[1], min(cells, len(values)), niter=VALUE_ROUNDS, seed=0)
    means.cp.min_points_per_centroid = 1
    means.train(values)
    return np.ascontiguousarray(means.centroids, "<f4").view(np.uint8)


def _nearest_values(centres: np.ndarray, rows: np.ndarray, cells: int) -> np.ndarray:
    """Give the nearest centres; the first ones to silence, which no search looks for."""
    values = _values(rows)
    sound = ~np.isnan(values[:, 0])
    index = _faiss().IndexFlatL2(values.shape[1])
    index.add(_values(centres))
    nearest = np.tile(np.arange(cells), (len(values), 1))
    nearest[sound] = index.search(values[sound], cells)[1]
    return nearest


def _values(rows: np.ndarray) -> np.ndarray:
    """Give the values of vectors, float32 (n, bytes / 4)."""
    return np.ascontiguousarray(np.ascontiguousarray(rows).view("<f4"), np.float32)


HAMMING = Metric(nearest_centres)
EUCLIDEAN = Metric(_nearest_values)
