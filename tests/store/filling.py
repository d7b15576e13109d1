"""A store with all that is awkward in it, and all rows of a store for comparison."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sqlalchemy import create_engine, select, text

from samaf.media import MediaInfo
from samaf.records import Codes, Hashes, Recording
from samaf.store import Store, StoredFingerprinter, schema
from samaf.store.urls import resolve

Make = Callable[..., tuple[Recording, Hashes]]

HOSTILE = {
    "quotes ' \" `": "Robert'); DROP TABLE recordings;--",
    "lines": "one\ntwo\r\nthree\ttab",
    "formula": "=cmd|' /C calc'!A0",
    "plus": "+1",
    "quoted": "'=1",
    "terminal": "\x1b[2J\x07",
    "wide": "\U0001f3b5 \u202e evil",
    "surrogate": "caf\udce9 \\udce9 \\\\udce9",
    "blank ": " ",
    "long": "x" * 16_000,
    "empty": "",
}


def fill(url: str, make: Make, fingerprinter: StoredFingerprinter, **options: Any) -> None:
    """Add seven recordings, delete one of them and relabel another."""
    with Store.open(url, **options) as store:
        store.bind(fingerprinter)
        store.add(*make(1, labels=HOSTILE, name="=evil\udce9.wav", path="-1+1/\n.wav"))
        store.add_many([make(2, 10_000), make(3)])
        recording, hashes = make(4, 9)
        flags = np.arange(9) % 3 > 0
        store.add(recording, Hashes(hashes.packed, flags))
        store.add_many([apart(make), make(6), make(7, duration=0.1 + 0.2)])
        store.delete(6)
        store.relabel(3, {"speaker": "Bo"})


def apart(make: Make) -> tuple[Recording, Codes]:
    """A recording of 5 hashes whose two sides are hashed as well."""
    media = MediaInfo(
        *("wav", "pcm_s16le", 8000, 2, "stereo", "apart", (1, 2)),
        sides=((1,), (2,)),
        samples=32_000,
        informative=0.8,
    )
    recording, hashes = make(5, 15, name="'quoted.wav", duration=2.25, media=media)
    return recording, Codes(hashes.packed, np.arange(15) % 4 > 0, streams=3)


def run(url: str, *statements: str) -> None:
    """Run statements past the store; SQLite does not guard its foreign keys then."""
    engine = create_engine(resolve(url))
    with engine.begin() as connection:
        if engine.dialect.name == "mysql":
            connection.execute(text("SET SESSION foreign_key_checks = 0"))
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def content(url: str, *left_out: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of all tables, but for some tables and the store's id."""
    engine = create_engine(resolve(url))
    with engine.connect() as connection:
        found = {
            name: sorted(tuple(row) for row in connection.execute(select(table)))
            for name, table in schema.metadata.tables.items()
            if name not in left_out
        }
    engine.dispose()
    if "store" in found:
        found["store"] = [(row[0], *row[2:]) for row in found["store"]]
    return found
