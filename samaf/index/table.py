"""All stored hashes in one array, recording after recording."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from samaf.records import Codes
from samaf.status import StoreVersion


class Table(Protocol):
    """The hashes of a store at one revision, wherever they lie.

    A recording has a position, or several where it has sides; a row is one hash. Positions and
    rows are numbers that only this table understands.
    """

    @property
    def version(self) -> StoreVersion:
        """The version of the store that the table was read at."""

    @property
    def bits(self) -> int:
        """Bits of one hash."""

    @property
    def away(self) -> Sequence[str]:
        """Parts of the store that cannot be searched at the moment."""

    @property
    def total(self) -> int:
        """Number of hashes that belong to a recording."""

    @property
    def recordings(self) -> int:
        """Number of recordings that have hashes, each counted once with all its sides."""

    @property
    def indices(self) -> Sequence[int]:
        """Positions of the recordings, in the order of their rows."""

    def recording_id(self, recording_index: int) -> int:
        """Give the store's number of the recording at a position."""

    def side(self, recording_index: int) -> int:
        """Give the number of the side at a position of the table; 0 for a mix."""

    def find(self, recording_id: int, side: int) -> int | None:
        """Give the position of a side of a recording; None where it is not there."""

    def count(self, recording_index: int) -> int:
        """Give the number of hashes of a recording."""

    def rows(self, recording_index: int, first: int = 0, stop: int | None = None) -> np.ndarray:
        """Give hashes of a recording, all or those of some blocks, uint8 (m, bytes)."""

    def locate(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give position of the recording and block id of each row, int64 (k,) each."""


@dataclass(frozen=True, slots=True, eq=False)
class HashTable:
    """The hashes of a store in one array, recording after recording; see `Table`.

    A recording whose channels differ is there several times, under one number: as it is mixed,
    and each side. What is called a recording below is one of these.

    Attributes
    ----------
    hashes
        uint8 (n, bits / 8), in memory or memory-mapped.
    recording_ids
        int64 (r,), the store's numbers, in the order of their rows.
    starts, counts
        int64 (r,): first row and number of rows of each recording. Rows of deleted
        recordings belong to none.
    version
        The version of the store that the table was read at.
    sides
        int64 (r,): 0 for a recording as it is mixed, 1 and so on for its sides; None where
        there are no sides.
    """

    hashes: np.ndarray
    recording_ids: np.ndarray
    starts: np.ndarray
    counts: np.ndarray
    version: StoreVersion = StoreVersion()
    sides: np.ndarray | None = None

    @property
    def away(self) -> Sequence[str]:
        """See `Table`: none."""
        return ()

    def side(self, recording_index: int) -> int:
        """Give the number of the side at a position of the table; 0 for a mix."""
        return 0 if self.sides is None else int(self.sides[recording_index])

    @property
    def bits(self) -> int:
        """Bits of one hash."""
        return 8 * self.hashes.shape[1]

    @property
    def total(self) -> int:
        """Number of hashes that belong to a recording."""
        return int(self.counts.sum())

    @property
    def recordings(self) -> int:
        """Number of recordings that have hashes, each counted once with all its sides."""
        ids = self.recording_ids[self.counts > 0]
        return int(np.count_nonzero(np.diff(ids))) + 1 if len(ids) else 0

    @property
    def words(self) -> np.ndarray:
        """The same hashes as uint64 (n, bits / 64)."""
        return self.hashes.view(np.uint64)

    @property
    def indices(self) -> Sequence[int]:
        """Positions of the recordings, in the order of their rows."""
        return range(len(self.recording_ids))

    def recording_id(self, recording_index: int) -> int:
        """Give the store's number of the recording at a position."""
        return int(self.recording_ids[recording_index])

    def find(self, recording_id: int, side: int) -> int | None:
        """Give the position of a side of a recording; None where it is not there."""
        wanted = self.recording_ids == recording_id
        (at,) = np.nonzero(wanted if self.sides is None else wanted & (self.sides == side))
        return int(at[0]) if len(at) else None

    def count(self, recording_index: int) -> int:
        """Give the number of hashes of a recording."""
        return int(self.counts[recording_index])

    def rows(self, recording_index: int, first: int = 0, stop: int | None = None) -> np.ndarray:
        """Give hashes of a recording, all or those of some blocks, uint8 (m, bytes)."""
        start, count = self.starts[recording_index], self.counts[recording_index]
        stop = count if stop is None else min(count, stop)
        return np.asarray(self.hashes)[start + first : start + stop]  # a memmap slices slowly

    def only(self, chosen: np.ndarray) -> HashTable:
        """Keep the recordings that bool (r,) chooses, over the same rows.

        An index over what is left answers as if the others had never been stored, and its
        rows are those of the full table.
        """
        return replace(
            self,
            recording_ids=self.recording_ids[chosen],
            starts=self.starts[chosen],
            counts=self.counts[chosen],
            sides=None if self.sides is None else self.sides[chosen],
        )

    def window_starts(self, hashes: int) -> np.ndarray:
        """Tell for each row whether ``hashes`` rows from it on are of one recording.

        bool (n,).
        """
        fits = self.counts >= hashes
        begin = self.starts[fits]
        length = self.counts[fits] - hashes + 1
        # Recordings do not overlap, so the sums are 0 or 1.
        steps = np.zeros(len(self.hashes) + 1, np.int8)
        np.add.at(steps, begin, 1)
        np.add.at(steps, begin + length, -1)
        return np.cumsum(steps[:-1], dtype=np.int8).view(bool)

    def locate(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give position of the recording and block id of each row, int64 (k,) each."""
        order = np.argsort(self.starts, kind="stable")
        recording_index = order[np.searchsorted(self.starts[order], rows, "right") - 1]
        return recording_index, rows - self.starts[recording_index]


def table_of(
    parts: Iterable[tuple[int, np.ndarray]],
    width: int,
    version: StoreVersion | None = None,
) -> HashTable:
    """Build a table in memory from (recording id, hashes uint8 (m, width)) pairs."""
    listed = list(parts)
    counts = np.array([len(rows) for _, rows in listed], np.int64)
    hashes = (
        np.concatenate([rows for _, rows in listed]) if listed else np.empty((0, width), np.uint8)
    )
    return HashTable(
        np.ascontiguousarray(hashes, np.uint8),
        np.array([number for number, _ in listed], np.int64),
        np.cumsum(counts) - counts,
        counts,
        version or StoreVersion(),
    )


def table_of_codes(
    parts: Iterable[tuple[int, Codes]], width: int, version: StoreVersion | None = None
) -> HashTable:
    """Build a table in memory from (recording id, codes) pairs, with their sides."""
    listed = list(parts)
    streams = [
        (number, codes.stream(side), side)
        for number, codes in listed
        for side in range(codes.streams)
    ]
    table = table_of(((number, rows) for number, rows, _ in streams), width, version)
    return replace(table, sides=np.array([side for _, _, side in streams], np.int64))
