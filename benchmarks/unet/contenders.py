"""Where vectors can be kept and looked for: two relational tables, and the index.

The tables are those that the paper weighs and leaves (section 3.7.2.1).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from samaf.index import CellsIndex, VectorIndex, table_of

TOP = 5  # largest values whose places are kept; also the answers to a query
SUMMARY = ("mean", "median", "quarter", "half", "three_quarters")
PLACES = tuple(f"place{n}" for n in range(TOP))


class Contender(Protocol):
    """Something that holds the vectors of songs and names those nearest to a vector."""

    def ask(self, vector: np.ndarray) -> list[int]:
        """Give the songs of the five segments that fit float32 (values,) best, best first."""


class Serialised:
    """One row a segment, its vector as bytes; every row is read and compared in Python."""

    def __init__(self, stored: np.ndarray) -> None:
        self._database = sqlite3.connect("")
        self._database.execute("CREATE TABLE segments (song INT, segment INT, vector BLOB)")
        rows = ((song, segment, row.tobytes()) for song, segment, row in _segments(stored))
        self._database.executemany("INSERT INTO segments VALUES (?, ?, ?)", rows)
        self._database.commit()

    def ask(self, vector: np.ndarray) -> list[int]:
        """See `Contender`."""
        found = []
        for song, content in self._database.execute("SELECT song, vector FROM segments"):
            apart = np.frombuffer(content, np.float32) - vector
            found.append((float(apart @ apart), song))
        return [song for _, song in sorted(found)[:TOP]]


class Summary:
    """One row a segment, of its five-number summary and the places of its five largest values.

    No threshold tells what fits, which the paper names as the difficulty, so all rows are
    ranked: by how many of the places they share, then by how near the summaries are.
    """

    def __init__(self, stored: np.ndarray) -> None:
        self._database = sqlite3.connect("")
        columns = ", ".join((*SUMMARY, *PLACES))
        self._database.execute(f"CREATE TABLE segments (song, {columns})")
        rows = ((song, *summary(row)) for song, _, row in _segments(stored))
        marks = ", ".join("?" * (1 + len(SUMMARY) + TOP))
        self._database.executemany(f"INSERT INTO segments VALUES ({marks})", rows)
        self._database.commit()
        wanted = ", ".join(f":{name}" for name in PLACES)
        shared = " + ".join(f"({name} IN ({wanted}))" for name in PLACES)
        apart = " + ".join(f"ABS({name} - :{name})" for name in SUMMARY)
        self._query = f"SELECT song FROM segments ORDER BY {shared} DESC, {apart} LIMIT {TOP}"

    def ask(self, vector: np.ndarray) -> list[int]:
        """See `Contender`."""
        values = dict(zip((*SUMMARY, *PLACES), summary(vector), strict=True))
        return [song for (song,) in self._database.execute(self._query, values)]


class Index:
    """The index of samaf, in memory."""

    def __init__(self, stored: np.ndarray, kind: type[VectorIndex]) -> None:
        parts = ((song, rows.view(np.uint8)) for song, rows in enumerate(stored))
        self._index = kind(table_of(parts, 4 * stored.shape[2]))

    def ask(self, vector: np.ndarray) -> list[int]:
        """See `Contender`."""
        found = self._index.search(vector[None], TOP).recording_ids[0]
        return [int(song) for song in found if song >= 0]


CONTENDERS: dict[str, Callable[[np.ndarray], Contender]] = {
    "serialised rows": Serialised,
    "summary and places": Summary,
    "IndexFlatL2": lambda stored: Index(stored, VectorIndex),
    "IndexIVFFlat": lambda stored: Index(stored, CellsIndex),
}


def summary(vector: np.ndarray) -> tuple[float | int, ...]:
    """Sum a vector up: mean, median, quartiles, and the places of its five largest values."""
    quarters = np.percentile(vector, (25, 50, 75))
    numbers = (vector.mean(), np.median(vector), *quarters)
    places = np.argsort(-vector, kind="stable")[:TOP]
    return (*(float(n) for n in numbers), *(int(p) for p in places))


def _segments(stored: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield song, segment and vector of everything but silence."""
    for song, rows in enumerate(stored):
        for segment, row in enumerate(rows):
            if not np.isnan(row[0]):
                yield song, segment, row
