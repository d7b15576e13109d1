"""The interface of all indexes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from samaf.index.table import HashTable, Table

NOTHING = -1  # row of a neighbor that does not exist


@dataclass(frozen=True, slots=True, eq=False)
class Neighbors:
    """The nearest windows of the store for each window of a query.

    Attributes
    ----------
    rows
        int64 (windows, k): row in the table where the neighbor starts, nearest first,
        ``NOTHING`` where there are fewer than k. Equal distances go by row.
    distances
        int64 (windows, k): Hamming distance over the whole window, in bits.
    """

    rows: np.ndarray
    distances: np.ndarray


class Search(Protocol):
    """Finds the neighbors of windows of one length."""

    def __call__(
        self, query: np.ndarray, k: int, lengths: Sequence[int] | None = None
    ) -> Neighbors:
        """See ``Index.search``."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """One search of an index, or of its shortest recordings alone, by one length of window."""

    window_hashes: int
    search: Search


class Index(Protocol):
    """A search over one table of hashes."""

    @property
    def table(self) -> Table:
        """What is searched."""
        ...

    def search(
        self, query: np.ndarray, hashes: int, k: int, lengths: Sequence[int] | None = None
    ) -> Neighbors:
        """Find the k nearest windows of ``hashes`` hashes for each such window of a query.

        Parameters
        ----------
        query
            uint8 (m, bits / 8), m >= hashes; gives m - hashes + 1 windows.
        lengths
            Of the parts that the query is joined from, if there are several: windows over a
            seam need not be searched for.
        """
        ...

    def short_sweeps(self, window_hashes: int) -> Sequence[Sweep]:
        """List the searches of recordings that are too short to hold a window; see `sweeps`."""
        ...

    def after(self, recording_index: int, without: Collection[int] = ()) -> Index:
        """Give an index over the recordings that come after one, but for some of them.

        It may search another table: what is found there is known by the recordings' ids.
        """
        ...


class StoreIndex(Index, Protocol):
    """An index that follows its store."""

    def follow(self, table: HashTable) -> StoreIndex:
        """Give the index of a later state of the same store."""
        ...


def sweeps(index: Index, window_hashes: int) -> list[Sweep]:
    """List the searches that reach all recordings of an index.

    The whole index is searched by windows of ``window_hashes``. Recordings with fewer hashes
    hold no such window: they are searched by windows of 8, 4, 2 or 1, as long as they allow.
    """

    def whole(query: np.ndarray, k: int, lengths: Sequence[int] | None = None) -> Neighbors:
        return index.search(query, window_hashes, k, lengths)

    return [Sweep(window_hashes, whole), *index.short_sweeps(window_hashes)]


def nothing(windows: int, k: int) -> Neighbors:
    """Give an answer without any neighbor."""
    return Neighbors(np.full((windows, k), NOTHING), np.full((windows, k), np.iinfo(np.int64).max))
