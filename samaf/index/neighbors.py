"""What every index gives and takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from samaf.index.table import HashTable

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


class Index(Protocol):
    """A search over one table of hashes."""

    @property
    def table(self) -> HashTable:
        """What is searched."""
        ...

    def search(self, query: np.ndarray, hashes: int, k: int) -> Neighbors:
        """Find the k nearest windows of ``hashes`` hashes for each such window of a query.

        Parameters
        ----------
        query
            uint8 (m, bits / 8), m >= hashes; gives m - hashes + 1 windows.
        """
        ...


class StoreIndex(Index, Protocol):
    """An index that goes along with its store."""

    def follow(self, table: HashTable) -> StoreIndex:
        """Give the index of a later state of the same store."""
        ...


def nothing(windows: int, k: int) -> Neighbors:
    """Give an answer without any neighbor."""
    return Neighbors(np.full((windows, k), NOTHING), np.full((windows, k), np.iinfo(np.int64).max))
