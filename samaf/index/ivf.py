"""Approximate search on this machine for stores that are too large to be compared as a whole.

The cells of ``samaf.index.cells`` list the rows by the model's codebook, beside the hashes on
disk. How they are searched is written in ``samaf.index.candidates``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from samaf.index.candidates import Effort, Piece, count_votes, effort, nearest, pieces_of
from samaf.index.cells import HAMMING, Cells, nearest_centres, open_cells
from samaf.index.exact import ExactIndex
from samaf.index.local import LocalIndex, behind
from samaf.index.neighbors import NOTHING, Index, Neighbors
from samaf.index.table import HashTable

RECENT = 65_536  # rows in no list, which are searched exhaustively: a few milliseconds


class IvfIndex(LocalIndex):
    """Compares those diagonals that the cells vote for; misses some of what is barely similar.

    Up to 65,536 rows that are in no list yet are searched exactly, so a small store is searched
    exactly.

    Parameters
    ----------
    codebook
        uint8 (cells, bits / 8): the centres of the model's cells.
    cells
        Those of the table's rows where they are known; opened or made by default.
    """

    def __init__(self, table: HashTable, codebook: np.ndarray, cells: Cells | None = None) -> None:
        self.table = table
        self._codebook = codebook
        if cells is None and len(table.hashes) > RECENT:
            cells = open_cells(table.hashes, HAMMING, RECENT, codebook)
        self._cells = cells
        self._lists = _Lists(table, cells) if cells else None
        listed = len(cells.rows) if cells else 0
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
        return IvfIndex(table, self._codebook)

    def after(self, recording_index: int, without: Collection[int] = ()) -> Index:
        """See :class:`samaf.index.neighbors.Index`; the part is searched by the same cells."""
        if self._cells is None:
            return super().after(recording_index, without)
        kept = np.arange(len(self.table.counts)) >= behind(self.table, recording_index)
        kept[list(without)] = False
        return IvfIndex(self.table.only(kept), self._codebook, self._cells)

    def rows_in(self, cells: np.ndarray) -> int:
        """Count the listed rows of some cells."""
        lists = self._lists
        return sum(lists.size(cell) for cell in cells.ravel().tolist()) if lists else 0

    def search(
        self, query: np.ndarray, hashes: int, k: int, lengths: Sequence[int] | None = None
    ) -> Neighbors:
        """See :class:`samaf.index.neighbors.Index`."""
        recent = self._recent.search(query, hashes, k)
        pieces = pieces_of(lengths or [len(query)], hashes)
        if not self._lists or not pieces:
            return recent
        rows = np.where(recent.rows < 0, recent.rows, recent.rows + self._listed)
        looked = effort(self._listed, pieces, len(self._codebook))
        cells = nearest_centres(self._codebook, query, looked.probes)
        diagonals = self._lists.diagonals(cells, pieces, looked)
        found = nearest(query, hashes, k, pieces, diagonals, self._lists.stored)
        # Recent rows stand after all others, which decides between equal distances.
        both = np.concatenate([found.rows, rows], axis=1)
        distances = np.concatenate([found.distances, recent.distances], axis=1)
        order = np.argsort(distances, axis=1, kind="stable")[:, :k]
        return Neighbors(
            np.take_along_axis(both, order, 1), np.take_along_axis(distances, order, 1)
        )


class _Lists:
    """The listed rows of a table."""

    def __init__(self, table: HashTable, cells: Cells) -> None:
        self._cells, self._hashes = cells, table.hashes[: len(cells.rows)]
        listed = np.flatnonzero((table.counts > 0) & (table.starts < len(self._hashes)))
        order = listed[np.argsort(table.starts[listed], kind="stable")]
        self._starts, self._counts, self._order = table.starts[order], table.counts[order], order
        self._first = int(self._starts[0]) if len(order) else len(self._hashes)

    def size(self, cell: int) -> int:
        """Count the rows of a cell."""
        return len(self._cells.of(cell))

    def _rows(self, cell: int) -> np.ndarray:
        """Give the rows of a cell from the first recording on; they ascend."""
        rows = self._cells.of(cell)
        return rows[np.searchsorted(rows, self._first) :] if self._first else rows

    def diagonals(
        self, cells: np.ndarray, pieces: Sequence[Piece], looked: Effort
    ) -> list[np.ndarray]:
        """Count the votes of the rows in some cells, int64 (m, probes); see `count_votes`."""
        chosen = []
        for piece in pieces:
            lists = [self._rows(c) for c in cells[piece.first : piece.stop].ravel().tolist()]
            rows = np.concatenate(lists).astype(np.int64)
            sizes = np.array([len(rows) for rows in lists])
            hash_of_list = np.arange(piece.first, piece.stop).repeat(cells.shape[1])
            chosen.append(count_votes(rows, hash_of_list.repeat(sizes), piece, looked))
        return chosen

    def stored(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `samaf.index.candidates.Stored`."""
        at = np.searchsorted(self._starts, rows, "right") - 1
        inside = at >= 0
        inside[inside] = (rows - self._starts[at])[inside] < self._counts[at[inside]]
        hashes = self._hashes[np.clip(rows, 0, len(self._hashes) - 1)]
        return hashes, np.where(inside, self._order[at], NOTHING)
