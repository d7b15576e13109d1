"""Hashes grouped by likeness: inverted lists over the packed hashes of an index.

Each row belongs to the cell whose centre is nearest. A similar hash is most likely in one of
the nearest cells of its own centre, so a search need not look at the others. The lists hold
row numbers only; the hashes stay where they are.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from samaf.files import save_arrays

FORMAT = 1
SAMPLE_PER_CELL = 32  # hashes that the centres are learned from
ROUNDS = 5  # of k-means; a second at 10 million hashes
WITNESSES = 1_024  # rows that tell whether lists belong to these hashes
CHUNK_ROWS = 65_536


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The first rows of a table by cell.

    Attributes
    ----------
    centres
        uint8 (cells, bytes).
    ends
        int64 (cells,): where the rows of each cell end in ``rows``.
    rows
        uint32 (n,): all rows from 0 to n - 1, cell after cell, ascending within.
    """

    centres: np.ndarray
    ends: np.ndarray
    rows: np.ndarray

    def of(self, cell: int) -> np.ndarray:
        """Give the rows of one cell."""
        return self.rows[self.ends[cell - 1] if cell else 0 : self.ends[cell]]

    def nearest(self, hashes: np.ndarray, cells: int) -> np.ndarray:
        """Give the nearest cells of each hash, all if there are fewer, int64 (m, cells)."""
        return _nearest(self.centres, hashes, min(cells, len(self.centres)))


def group(hashes: np.ndarray) -> Cells:
    """Learn as many centres as the square root of the number of hashes; list all rows."""
    cells = max(1, int(len(hashes) ** 0.5))
    rng = np.random.default_rng(0)
    sampled = rng.choice(len(hashes), min(len(hashes), cells * SAMPLE_PER_CELL), replace=False)
    empty = Cells(
        _centres(hashes[np.sort(sampled)], cells, rng),
        np.zeros(cells, np.int64),
        np.empty(0, np.uint32),
    )
    return extend(empty, hashes)


def extend(cells: Cells, hashes: np.ndarray) -> Cells:
    """List the rows that came after those listed; the centres stay."""
    first = len(cells.rows)
    chunks = [
        _nearest(cells.centres, hashes[a : a + CHUNK_ROWS], 1)[:, 0]
        for a in range(first, len(hashes), CHUNK_ROWS)
    ]
    own = np.concatenate([np.empty(0, np.int64), *chunks])
    order = np.argsort(own, kind="stable")
    rows = np.insert(cells.rows, cells.ends[own[order]], (first + order).astype(np.uint32))
    ends = cells.ends + np.cumsum(np.bincount(own, minlength=len(cells.ends)))
    return Cells(cells.centres, ends, rows)


def save(cells: Cells, path: Path, hashes: np.ndarray) -> None:
    """Write the lists beside the hashes; a reader sees the old file or the new one."""
    save_arrays(
        path,
        format=FORMAT,
        witness=witness(hashes, len(cells.rows)),
        centres=cells.centres,
        ends=cells.ends,
        rows=cells.rows,
    )


def load(path: Path, hashes: np.ndarray) -> Cells | None:
    """Read lists; none where there are none, damaged ones, or ones of other hashes.

    The file is an npz archive of plain arrays, so each carries a CRC-32 that reading checks.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            known, stored_witness = int(file["format"]), int(file["witness"])
            cells = Cells(file["centres"], file["ends"], file["rows"])
    except Exception:  # whatever a damaged archive makes zipfile and NumPy raise
        return None
    sound = (
        known == FORMAT
        and cells.centres.shape == (len(cells.ends), hashes.shape[1])
        and len(cells.rows) <= len(hashes)
        and stored_witness == witness(hashes, len(cells.rows))
    )
    return cells if sound else None


def witness(hashes: np.ndarray, rows: int) -> int:
    """Checksum of some of the listed hashes."""
    some = np.linspace(0, rows - 1, min(rows, WITNESSES)).astype(np.int64)
    return zlib.crc32(np.ascontiguousarray(hashes[some]).data)


def _centres(hashes: np.ndarray, cells: int, rng: np.random.Generator) -> np.ndarray:
    """K-means in bits: the centre of a cell has the bits that most of its hashes have."""
    centres = hashes[rng.choice(len(hashes), cells, replace=False)]
    bits = np.unpackbits(hashes, axis=1)
    for _ in range(ROUNDS):
        own = _nearest(centres, hashes, 1)[:, 0]
        counts = np.bincount(own, minlength=cells)
        kept = counts > 0
        first = (np.cumsum(counts) - counts)[kept]
        sums = np.add.reduceat(bits[np.argsort(own, kind="stable")], first, 0, np.int32)
        centres[kept] = np.packbits(2 * sums > counts[kept, None], axis=1)
    return centres


def _nearest(centres: np.ndarray, hashes: np.ndarray, cells: int) -> np.ndarray:
    import faiss

    faiss.omp_set_num_threads(1)  # others wait busily, which on a loaded machine takes minutes
    index: Any = faiss.IndexBinaryFlat(8 * centres.shape[1])
    index.add(centres)
    nearest: np.ndarray = index.search(np.ascontiguousarray(hashes), cells)[1]
    return nearest
