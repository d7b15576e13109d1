"""Two relational tables against the index, while the store grows (paper section 3.7.2.1).

The tables are those that the paper weighs and leaves.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from benchmarks.metrics import Estimate, proportion
from benchmarks.tables import Table, Value
from benchmarks.unet.songs import SNR, Songs, resized
from samaf.index import CellsIndex, VectorIndex, table_of

SONGS = 235  # of the paper
FACTORS = (0.1, 1, 10)
PROBES = (1, 4, 16, 64)
TOP = 5  # largest values whose places are kept; also the answers to a query
SUMMARY = ("mean", "median", "quarter", "half", "three_quarters")
PLACES = tuple(f"place{n}" for n in range(TOP))


class Contender(Protocol):
    """Something that holds the vectors of songs and names those nearest to a vector."""

    def query(self, vector: np.ndarray) -> list[int]:
        """Give the songs of the five segments that fit float32 (values,) best, best first."""


class Serialised:
    """One row a segment, its vector as bytes; every row is read and compared in Python."""

    def __init__(self, stored: np.ndarray) -> None:
        self._database = sqlite3.connect("")
        self._database.execute("CREATE TABLE segments (song INT, segment INT, vector BLOB)")
        rows = ((song, segment, row.tobytes()) for song, segment, row in _segments(stored))
        self._database.executemany("INSERT INTO segments VALUES (?, ?, ?)", rows)
        self._database.commit()

    def query(self, vector: np.ndarray) -> list[int]:
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

    def query(self, vector: np.ndarray) -> list[int]:
        """See `Contender`."""
        values = dict(zip((*SUMMARY, *PLACES), summary(vector), strict=True))
        return [song for (song,) in self._database.execute(self._query, values)]


class Index:
    """The index of samaf, in memory."""

    def __init__(self, stored: np.ndarray, kind: type[VectorIndex]) -> None:
        parts = ((song, rows.view(np.uint8)) for song, rows in enumerate(stored))
        self._index = kind(table_of(parts, 4 * stored.shape[2]))

    def query(self, vector: np.ndarray) -> list[int]:
        """See `Contender`."""
        found = self._index.search(vector[None], TOP).recording_ids[0]
        return [int(song) for song in found if song >= 0]


CONTENDERS: dict[str, Callable[[np.ndarray], Contender]] = {
    "serialised rows": Serialised,
    "summary and places": Summary,
    "IndexFlatL2": lambda stored: Index(stored, VectorIndex),
    "IndexIVFFlat": lambda stored: Index(stored, CellsIndex),
}


def compared(songs: Songs, title: str) -> Table:
    """Query every contender at every size of the store."""
    return Table(
        "relational",
        f"Relational tables and index: {title}",
        f"Queries of 4 s from any place of a song of the store, as they are and with noise of the "
        f"corpus at {SNR:g} dB: share whose song is that of the nearest segment, or among the "
        f"nearest {TOP}, in %. Milliseconds of one processor a query, its encoding not counted. "
        f"Beyond {len(songs.stored)} songs the vectors are halfway between two drawn ones.",
        (
            *("contender", "songs", "segments", "ms a query"),
            *(f"{kind}, {which}" for kind in ("clean", "noisy") for which in ("first", "of five")),
        ),
        tuple(_lines(songs)),
    )


def _lines(songs: Songs) -> Iterator[tuple[Value, ...]]:
    for factor in FACTORS:
        count = round(factor * len(songs.stored))
        stored = resized(songs.stored, count)
        for name, make in CONTENDERS.items():
            contender = make(stored)
            stored_songs = songs.song < count
            truth, taken, shares = songs.song[stored_songs], 0.0, []
            for queries in (songs.clean[stored_songs], songs.noisy[stored_songs]):
                begun = time.process_time()
                answers = [contender.query(query) for query in queries]
                taken += time.process_time() - begun
                shares += [_share(answers, truth, places) for places in (1, TOP)]
            segments = int((~np.isnan(stored[:, :, 0])).sum())
            yield name, count, segments, 1000 * taken / max(1, 2 * len(truth)), *shares


def cells(songs: Songs, title: str) -> Table:
    """Compare the index with cells with the one that looks at everything."""
    body: list[tuple[Value, ...]] = []
    for factor in (1, FACTORS[-1]):
        count = round(factor * len(songs.stored))
        stored = resized(songs.stored, count)
        parts = ((n, rows.view(np.uint8)) for n, rows in enumerate(stored))
        table = table_of(parts, 4 * stored.shape[2])
        exact, exact_ms = _nearest(VectorIndex(table), songs.noisy)
        body.append((f"{count} songs, all", len(stored) * stored.shape[1], exact_ms, 100.0, 100.0))
        for probes in PROBES:
            found, taken = _nearest(CellsIndex(table, probes), songs.noisy)
            shared = [len({*a} & {*b}) / TOP for a, b in zip(exact, found, strict=True)]
            first = [a[0] == b[0] for a, b in zip(exact, found, strict=True)]
            shares = 100 * float(np.mean(first)), 100 * float(np.mean(shared))
            body.append((f"{count} songs, {probes} cells", "", taken, *shares))
    return Table(
        "cells",
        f"IndexIVFFlat against IndexFlatL2: {title}",
        f"Share of the nearest segment, and of the nearest {TOP}, that are found, in %; queries "
        f"of 4 s with noise at {SNR:g} dB. As many cells as the square root of the segments.",
        ("store", "segments", "ms a query", "first", "of five"),
        tuple(body),
    )


def _nearest(index: VectorIndex, queries: np.ndarray) -> tuple[list[list[tuple[int, int]]], float]:
    """Give the nearest segments of each query, and the milliseconds that one took."""
    begun = time.process_time()
    found = [index.search(query[None], TOP) for query in queries]
    taken = 1000 * (time.process_time() - begun) / len(queries)
    places = [
        list(zip(each.recording_ids[0].tolist(), each.segments[0].tolist(), strict=True))
        for each in found
    ]
    return places, taken


def _share(answers: list[list[int]], truth: np.ndarray, places: int) -> Estimate:
    right = [song in found[:places] for found, song in zip(answers, truth, strict=True)]
    return proportion(np.array(right, float), np.ones(len(right), int))


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
