"""A table of hashes of many recordings: sorted arrays, looked up by bisection."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from baselines.pairs import expand_ranges
from baselines.recognizer import RecognizerError


@dataclass(frozen=True, slots=True, eq=False)
class Prints:
    """The hashes of one piece of audio.

    Attributes
    ----------
    hashes
        int64, shape (n,).
    values
        int32, shape (n, columns): the frame where each hash starts, then whatever else
        the system stores with it.
    """

    hashes: np.ndarray
    values: np.ndarray

    def __len__(self) -> int:
        return len(self.hashes)

    @property
    def frames(self) -> np.ndarray:
        """The frame where each hash starts, int32, shape (n,)."""
        return self.values[:, 0]

    def take(self, rows: np.ndarray) -> Prints:
        """The prints of the given rows or mask."""
        return Prints(self.hashes[rows], self.values[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """Equal hashes of a query and of recordings, in the order of the query's hashes.

    Attributes
    ----------
    rows
        int64, shape (m,): which hash of the query.
    files
        int64, shape (m,): number of the recording.
    values
        int32, shape (m, columns): what is stored with the hash.
    """

    rows: np.ndarray
    files: np.ndarray
    values: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, chosen: np.ndarray) -> Hits:
        """The hits of the given positions or mask."""
        return Hits(self.rows[chosen], self.files[chosen], self.values[chosen])


class HashTable:
    """Prints of recordings, each under a key; recordings are numbered as they come.

    Parameters
    ----------
    columns
        Columns of ``Prints.values``.
    """

    def __init__(self, columns: int) -> None:
        self._numbers: dict[str, int] = {}
        self._keys: list[str] = []
        self._counts: list[int] = []
        self._hashes = np.empty(0, np.int64)
        self._files = np.empty(0, np.int32)
        self._values = np.empty((0, columns), np.int32)
        self._pending: list[tuple[int, Prints]] = []
        self._deleted: list[int] = []

    def __len__(self) -> int:
        """Number of hashes stored."""
        return sum(self._counts)

    def key(self, number: int) -> str:
        """The key of a recording."""
        return self._keys[number]

    def add(self, key: str, prints: Prints) -> int:
        """Store a recording and return its number; RecognizerError if the key is taken."""
        if key in self._numbers:
            raise RecognizerError(f"{key!r} is stored already: delete it first")
        number = self._numbers[key] = len(self._keys)
        self._keys.append(key)
        self._counts.append(len(prints))
        self._pending.append((number, prints))
        return number

    def delete(self, key: str) -> int:
        """Forget a recording and return its number; RecognizerError if there is none."""
        if key not in self._numbers:
            raise RecognizerError(f"{key!r} is not stored: nothing to delete")
        number = self._numbers.pop(key)
        self._counts[number] = 0
        self._deleted.append(number)
        return number

    def lookup(self, hashes: np.ndarray, reach: int = 0) -> Hits:
        """Stored hashes that differ by at most ``reach`` from those of the query.

        Hits of one query hash come by stored hash, then recording, then frame.
        """
        self._settle()
        first = np.searchsorted(self._hashes, hashes - reach, side="left")
        last = np.searchsorted(self._hashes, hashes + reach, side="right")
        rows, positions = expand_ranges(first, last)
        return Hits(rows, self._files[positions].astype(np.int64), self._values[positions])

    def _settle(self) -> None:
        """Merge what was added and drop what was deleted since the last lookup."""
        if not self._pending and not self._deleted:
            return
        files = [np.full(len(prints), number, np.int32) for number, prints in self._pending]
        hashes = np.concatenate([self._hashes, *(p.hashes for _, p in self._pending)])
        values = np.concatenate([self._values, *(p.values for _, p in self._pending)])
        owners = np.concatenate([self._files, *files])
        if self._deleted:
            deleted = np.zeros(len(self._keys), dtype=bool)
            deleted[self._deleted] = True
            kept = ~deleted[owners]
            hashes, values, owners = hashes[kept], values[kept], owners[kept]
        order = np.argsort(hashes, kind="stable")  # quick on runs that are sorted already
        self._hashes, self._values, self._files = hashes[order], values[order], owners[order]
        self._pending, self._deleted = [], []
