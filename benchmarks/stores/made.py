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
from benchmarks.stores.mysql import MysqlServer
from benchmarks.stores.server import DatabaseServer
from benchmarks.terminal import choose
from samaf.records import Hashes, Recording
from samaf.store import StoredFingerprinter

SQLITE, MARIADB, MYSQL = "sqlite", "mariadb", "mysql"
SERVERS: dict[str, type[DatabaseServer]] = {MARIADB: MariadbServer, MYSQL: MysqlServer}
DIALECTS = (SQLITE, *SERVERS)
MakeDatabase = Callable[[], AbstractContextManager[str]]  # gives the URL of an empty database


@contextmanager
def sqlite_database() -> Iterator[str]:
    """Give the path of an SQLite file that does not exist yet."""
    with tempfile.TemporaryDirectory(prefix="samaf-store-") as folder:
        yield str(Path(folder) / "store.db")


def parse_dialects(text: str) -> tuple[str, ...]:
    """Read ``sqlite,mariadb``; leave out the servers that this machine lacks, and say so.

    Raises
    ------
    BenchmarkError
        A dialect is not known, or none is left.
    """
    chosen = choose("--dialects", text, DIALECTS)
    lacking = [name for name in chosen if name in SERVERS and not SERVERS[name].is_installed()]
    reasons = "; ".join(SERVERS[name].ABSENT for name in lacking)
    if len(lacking) == len(chosen):
        raise BenchmarkError(f"--dialects {text}: {reasons}; install one or name {SQLITE}")
    if lacking:
        click.echo(f"{','.join(lacking)} left out: {reasons}", err=True)
    return tuple(name for name in chosen if name not in lacking)


@contextmanager
def servers(dialects: tuple[str, ...]) -> Iterator[dict[str, DatabaseServer | None]]:
    """Start the server of each dialect that has one."""
    started: dict[str, DatabaseServer | None] = {}
    try:
        for dialect in dialects:
            started[dialect] = SERVERS[dialect]() if dialect in SERVERS else None
        yield started
    finally:
        for server in filter(None, started.values()):
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
