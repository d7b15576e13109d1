"""Leave-one-out: some recordings, at the ranks that a search of the full store gives them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from samaf.index.neighbors import NOTHING, Index, Neighbors, Sweep


class RankedAmong:
    """Searches some recordings, and ranks their windows among those of others.

    With ``table.only(chosen)`` and ``table.only(~chosen)`` it gives the neighbors in the chosen
    recordings that a search of the full table gives; at equal distances the others come first.
    So a store is queried with a recording, and, by the index ``others``, without it.

    Parameters
    ----------
    chosen, others
        Indexes over parts of one table that share its rows, see `HashTable.only`.
    """

    def __init__(self, chosen: Index, others: Index) -> None:
        self.table = chosen.table
        self._chosen = chosen
        self._others = others

    def short_sweeps(self, window_hashes: int) -> Sequence[Sweep]:
        """See :class:`samaf.index.neighbors.Index`."""
        return self._chosen.short_sweeps(window_hashes)

    def after(self, recording_index: int, without: Collection[int] = ()) -> Index:
        """See :class:`samaf.index.neighbors.Index`."""
        return self._chosen.after(recording_index, without)

    def search(
        self, query: np.ndarray, hashes: int, k: int, lengths: Sequence[int] | None = None
    ) -> Neighbors:
        """See :class:`samaf.index.neighbors.Index`; places of the others hold ``NOTHING``."""
        chosen = self._chosen.search(query, hashes, k, lengths)
        others = self._others.search(query, hashes, k, lengths)
        rows = np.concatenate([np.full_like(others.rows, NOTHING), chosen.rows], axis=1)
        distances = np.concatenate([others.distances, chosen.distances], axis=1)
        order = np.argsort(distances, axis=1, kind="stable")[:, :k]
        return Neighbors(
            np.take_along_axis(rows, order, 1), np.take_along_axis(distances, order, 1)
        )
