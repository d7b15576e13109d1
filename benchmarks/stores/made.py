"""What is made for a measurement: empty databases of each dialect, and recordings."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import click
import numpy as np

from benchmarks.errors import BenchmarkError
from benchmarks.stores.mariadb import MariadbServer
from benchmarks.terminal import choose
from samaf.records import Hashes, Recording
from samaf.store import StoredFingerprinter

SQLITE, MARIADB = "sqlite", "mariadb"
DIALECTS = (SQLITE, MARIADB)
MakeDatabase = Callable[[], AbstractContextManager[str]]  # gives the URL of an empty database


@contextmanager
def sqlite_database() -> Iterator[str]:
    """Give the path of an SQLite file that does not exist yet."""
    with tempfile.TemporaryDirectory(prefix="samaf-store-") as folder:
        yield str(Path(folder) / "store.db")


def parse_dialects(text: str) -> tuple[str, ...]:
    """Read ``sqlite,mariadb``; where no MariaDB is installed, leave it out and say so.

    Raises
    ------
    BenchmarkError
        A dialect is not known, or the only one is not installed.
    """
    chosen = choose("--dialects", text, DIALECTS)
    if MARIADB not in chosen or MariadbServer.is_installed():
        return chosen
    if chosen == (MARIADB,):
        raise BenchmarkError(
            f"--dialects {text}: no MariaDB server is installed; install one or name {SQLITE}"
        )
    click.echo("no MariaDB server is installed: its half is left out", err=True)
    return (SQLITE,)


@contextmanager
def servers(dialects: tuple[str, ...]) -> Iterator[dict[str, MariadbServer | None]]:
    """Start the server of each dialect that has one."""
    server = MariadbServer() if MARIADB in dialects else None
    try:
        yield {dialect: server if dialect == MARIADB else None for dialect in dialects}
    finally:
        if server:
            server.remove()


def fingerprinter(bits: int) -> StoredFingerprinter:
    """Give the model that a store of made-up hashes belongs to."""
    return StoredFingerprinter("ab" * 32, f"random {bits}", bits, "random", {})


def recording(
    number: int, packed: np.ndarray, labels: Mapping[str, str] | None = None
) -> tuple[Recording, Hashes]:
    """Make a recording of hashes, uint8 (m, bytes); its number is its name and its SHA-256's."""
    sha256 = hashlib.sha256(str(number).encode()).hexdigest()
    name, seconds = f"{number:06d}.wav", (len(packed) + 3) / 4  # a hash looks at 1 s
    made = Recording(sha256, name, f"/recordings/{name}", seconds, labels or {})
    return made, Hashes(packed, np.ones(len(packed), bool))
