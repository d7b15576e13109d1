"""The SQL of the administrator's page, run on the paper's table, agrees with our own search."""

from __future__ import annotations

import hashlib
import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import create_engine

from samaf.index import ExactIndex, table_of
from samaf.records import Hashes, Recording
from samaf.store import Store, StoredFingerprinter
from samaf.store.urls import resolve

PAGE = Path(__file__).parents[2] / "docs" / "administration.md"
PAPERS_TABLE, SERVER, FILE = re.findall(r"^```sql\n(.*?)^```", PAGE.read_text(), re.M | re.S)
(SHORTER,) = re.findall(r"`(BIT_COUNT\(.*\)) AS distance`", PAGE.read_text())
SPEAKERS = ("ann", "bo", "cy")


@pytest.fixture
def papers_table(database_url: str) -> tuple[str, list[tuple[int, np.ndarray]]]:
    """The URL of a store of one hash a row, and what it holds by recording."""
    rng = np.random.default_rng(0)
    with Store.open(database_url, blocks_per_row=1) as store:
        store.bind(StoredFingerprinter("ab" * 32, "2LST256C", 256, "LSTM", {}))
        for number, speaker in enumerate(SPEAKERS, 1):
            packed = rng.integers(0, 256, (20 * number, 32), np.uint8)
            sha256 = hashlib.sha256(speaker.encode()).hexdigest()
            recording = Recording(sha256, f"{number}.wav", "", 6.0, {"speaker": speaker})
            store.add(recording, Hashes(packed, np.ones(len(packed), bool)))
        return database_url, [(each, hashes.packed) for each, hashes in store.changes(0).added]


def answers(url: str, statement: str) -> list[tuple[object, ...]]:
    engine = create_engine(resolve(url))
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.exec_driver_sql(statement)]
    engine.dispose()
    return found


def test_the_papers_table(papers_table: tuple[str, list[tuple[int, np.ndarray]]]) -> None:
    url, content = papers_table
    assert answers(url, PAPERS_TABLE) == [
        (SPEAKERS[recording - 1], block, row.tobytes())
        for recording, packed in content
        for block, row in enumerate(packed)
    ]


def test_the_nearest_hash(papers_table: tuple[str, list[tuple[int, np.ndarray]]]) -> None:
    url, content = papers_table
    statements = [FILE if url.startswith("sqlite") else SERVER]
    if statements == [SERVER] and "MariaDB" not in str(answers(url, "SELECT VERSION()")):
        shorter = re.sub(r"BIT_COUNT.* AS distance", f"{SHORTER} AS distance", SERVER, flags=re.S)
        statements.append(shorter)
    table = table_of(content, 32)
    rng = np.random.default_rng(1)
    stored = table.hashes[rng.integers(0, len(table.hashes), 3)]
    # Hashes with 0, 70 and 110 of 256 bits flipped, random ones, and the two extremes.
    flips = [np.packbits(rng.permutation(256) < count) for count in (0, 70, 110)]
    queries = [
        *(stored ^ np.stack(flips)),
        *rng.integers(0, 256, (2, 32), np.uint8),
        np.zeros(32, np.uint8),
        np.full(32, 255, np.uint8),
    ]
    for query, statement in itertools.product(queries, statements):
        asked, count = re.subn(r"x'0+'", f"x'{query.tobytes().hex()}'", statement)
        assert count == 1
        ((name, block, distance),) = answers(url, asked)
        nearest = ExactIndex(table).search(query[None], 1, 1)
        position, row = table.locate(nearest.rows[0])
        assert (name, block) == (f"{position[0] + 1}.wav", row[0])
        assert int(distance) == nearest.distances[0, 0]  # type: ignore[call-overload]
