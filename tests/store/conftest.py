"""Stores and recordings to put in them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from filling import fill

from samaf.records import Hashes, Recording
from samaf.store import Store, StoredFingerprinter

FINGERPRINTER = StoredFingerprinter(
    digest="ab" * 32, name="2LST32C", bits=32, family="LSTM", parameters={"mels": 26, "high": None}
)


@pytest.fixture
def fingerprinter() -> StoredFingerprinter:
    """A fingerprinter of 32-bit hashes."""
    return FINGERPRINTER


@pytest.fixture
def store(database_url: str, fingerprinter: StoredFingerprinter) -> Iterator[Store]:
    """An empty store that belongs to a fingerprinter."""
    with Store.open(database_url) as store:
        store.bind(fingerprinter)
        yield store


@pytest.fixture(scope="session")
def make() -> Callable[..., tuple[Recording, Hashes]]:
    """Return the maker of recordings: same number, same recording."""

    def make(number: int, count: int = 5, **fields: object) -> tuple[Recording, Hashes]:
        values = {
            "sha256": hashlib.sha256(str(number).encode()).hexdigest(),
            "name": f"{number}.wav",
            "path": f"/recordings/{number}.wav",
            "duration": 1 + count / 4,
            **fields,
        }
        rng = np.random.default_rng(number)
        packed = rng.integers(0, 256, (count, 4), np.uint8)
        return Recording(**values), Hashes(packed, np.ones(count, bool))

    return make


@pytest.fixture(scope="session")
def filled_template(
    tmp_path_factory: pytest.TempPathFactory, make: Callable[..., tuple[Recording, Hashes]]
) -> Path:
    """A store with awkward recordings in it, as a file to copy."""
    path = tmp_path_factory.mktemp("filled") / "store.db"
    fill(str(path), make, FINGERPRINTER)
    return path


@pytest.fixture
def filled(
    database_url: str,
    filled_template: Path,
    make: Callable[..., tuple[Recording, Hashes]],
    fingerprinter: StoredFingerprinter,
) -> str:
    """The URL of a store with awkward recordings in it."""
    if database_url.startswith("sqlite:///"):
        shutil.copy(filled_template, database_url.removeprefix("sqlite:///"))
    else:
        fill(database_url, make, fingerprinter)
    return database_url
