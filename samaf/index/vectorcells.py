"""Vectors grouped by likeness, kept beside the cached index: the centres, and whose cell a row is.

Most of the time goes into learning the centres and finding the nearest one of each vector; with
both on disk, a FAISS index with inverted lists is filled as fast as memory is copied.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from samaf.files import save_arrays
from samaf.index.cells import witness
from samaf.index.table import HashTable

FORMAT = 1
SAMPLE_PER_CELL = 64  # vectors that the centres are learned from
ROUNDS = 10  # of k-means
UNKNOWN = -1
GROWTH = 2  # times as many cells as there are; beyond that the centres are learned anew


@dataclass(frozen=True, slots=True, eq=False)
class VectorCells:
    """Centres, and the nearest one of each row of a table.

    Attributes
    ----------
    centres
        float32 (cells, values).
    own
        int64 (rows,): the cell of each row, ``UNKNOWN`` until it is asked for; filled in place.
    listed
        Rows that were read from disk.
    """

    centres: np.ndarray
    own: np.ndarray
    listed: int = 0


def cell_count(table: HashTable) -> int:
    """Give the number of cells for a table: the square root of its number of vectors."""
    return int(table.total**0.5)


def learn(table: HashTable) -> VectorCells:
    """Learn centres from some of the rows; silence has no part in it."""
    import faiss

    faiss.omp_set_num_threads(1)  # others wait busily, which on a loaded machine takes minutes
    rng, cells = np.random.default_rng(0), cell_count(table)
    rows = np.flatnonzero(table.window_starts(1))
    rows = rng.choice(rows, min(len(rows), cells * SAMPLE_PER_CELL), replace=False)
    sample = np.ascontiguousarray(table.hashes[np.sort(rows)].view("<f4"), np.float32)
    sample = sample[~np.isnan(sample[:, 0])]
    means: Any = faiss.Kmeans(sample.shape[1], min(cells, len(sample)), niter=ROUNDS, seed=0)
    means.cp.min_points_per_centroid = 1
    means.train(sample)
    return VectorCells(means.centroids, np.full(len(table.hashes), UNKNOWN))


def assign(cells: VectorCells, vectors: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Give the cell of each vector float32 (m, values), int64 (m,), looking up known ones."""
    import faiss

    own = cells.own[rows]
    new = own == UNKNOWN
    if new.any():
        faiss.omp_set_num_threads(1)
        index: Any = faiss.IndexFlatL2(cells.centres.shape[1])
        index.add(cells.centres)
        own[new] = index.search(np.ascontiguousarray(vectors[new]), 1)[1][:, 0]
        cells.own[rows] = own
    return own


def save(cells: VectorCells, table: HashTable) -> None:
    """Write the cells beside the rows, if these are on disk and not all of them were listed."""
    path = _path(table)
    if path is None or cells.listed == len(cells.own):
        return
    with suppress(OSError):  # a cache that may only be read: the cells serve this process
        save_arrays(
            path,
            format=FORMAT,
            witness=witness(table.hashes, len(cells.own)),
            centres=cells.centres,
            own=cells.own,
        )
        for old in path.parent.glob("*.cells"):
            if not old.with_suffix(".bin").exists():
                old.unlink(missing_ok=True)


def load(table: HashTable) -> VectorCells | None:
    """Read cells; none where there are none, damaged, too few, or those of other rows.

    The file is an npz archive of plain arrays, so each carries a CRC-32 that reading checks.
    """
    path = _path(table)
    try:
        if path is None:
            return None
        with np.load(path, allow_pickle=False) as file:
            known, stored_witness = int(file["format"]), int(file["witness"])
            centres, own = file["centres"], file["own"]
        sound = (
            known == FORMAT
            and centres.ndim == 2
            and 4 * centres.shape[1] == table.hashes.shape[1]
            and centres.dtype == np.float32
            and np.isfinite(centres).all()
            and own.dtype == np.int64
            and own.ndim == 1
            and len(own) <= len(table.hashes)
            and bool(((own >= UNKNOWN) & (own < len(centres))).all())
            and stored_witness == witness(table.hashes, len(own))
            and cell_count(table) <= GROWTH * len(centres)
        )
    except Exception:  # whatever a damaged archive makes zipfile and NumPy raise
        return None
    if not sound:
        return None
    grown = np.full(len(table.hashes) - len(own), UNKNOWN)
    return VectorCells(centres, np.concatenate([own, grown]), len(own))


def _path(table: HashTable) -> Path | None:
    if isinstance(table.hashes, np.memmap) and table.hashes.filename:
        return Path(table.hashes.filename).with_suffix(".cells")
    return None
