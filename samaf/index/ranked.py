"""Leave-one-out: some recordings beside the others, at the ranks that a whole store gives them."""

from __future__ import annotations

import numpy as np

from samaf.index.neighbors import NOTHING, Index, Neighbors


class RankedAmong:
    """Searches some recordings, and ranks their windows among those of others.

    With ``table.only(chosen)`` and ``table.only(~chosen)`` it gives of the chosen recordings
    what a search of the whole table gives of them; at equal distances the others come first.
    A store is so queried with and without a recording: without it is the index ``others``.

    Parameters
    ----------
    chosen, others
        Indexes over parts of one table that share its rows, see `HashTable.only`.
    """

    def __init__(self, chosen: Index, others: Index) -> None:
        self.table = chosen.table
        self._chosen = chosen
        self._others = others

    def search(self, query: np.ndarray, hashes: int, k: int) -> Neighbors:
        """See :class:`samaf.index.neighbors.Index`; places of the others hold ``NOTHING``."""
        chosen = self._chosen.search(query, hashes, k)
        others = self._others.search(query, hashes, k)
        rows = np.concatenate([np.full_like(others.rows, NOTHING), chosen.rows], axis=1)
        distances = np.concatenate([others.distances, chosen.distances], axis=1)
        order = np.argsort(distances, axis=1, kind="stable")[:, :k]
        return Neighbors(
            np.take_along_axis(rows, order, 1), np.take_along_axis(distances, order, 1)
        )
