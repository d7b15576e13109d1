"""How long an administrator's commands take, and what a store weighs, for 1,000 hours of audio.

Fills a store with random hashes of 256 bits in recordings of one minute, runs each command
on it, and gives seconds and bytes for 1,000 hours, by rule of three from the hours that were
stored.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.stores.storage import fill
from benchmarks.tables import Table
from samaf import db
from samaf.store.maintenance.dialects import maintenance_of
from samaf.store.maintenance.opening import opened

BITS = 256
HASHES_AN_HOUR = 14_400  # four a second
LENGTH = "1 min"
PER = 1000  # hours that the figures are for


def timings(url: str, hashes: int, folder: Path) -> Iterator[tuple[str, float, int]]:
    """Run each command; yield its name, seconds, and bytes of what it wrote."""
    other = str(folder / "other.db")

    def size(of: str) -> int:
        with opened(of) as database:
            return maintenance_of(database).size()

    commands: list[tuple[str, Callable[[], object], Callable[[], int]]] = [
        ("store hashes", lambda: fill(url, hashes, BITS, LENGTH), lambda: size(url)),
        ("verify", lambda: list(db.verify(url)), lambda: 0),
        (
            "backup",
            lambda: db.backup(url, folder / "backup"),
            lambda: (folder / "backup").stat().st_size,
        ),
        (
            "restore --replace",
            lambda: db.restore(url, folder / "backup", replace=True),
            lambda: size(url),
        ),
        ("copy to SQLite", lambda: db.copy(url, other), lambda: size(other)),
        (
            "merge, all there",
            lambda: db.merge(other, url),
            lambda: 0,
        ),
        *(
            (
                f"export .{ending}",
                lambda path=folder / f"table.{ending}": db.export(url, path),
                lambda path=folder / f"table.{ending}": path.stat().st_size,
            )
            for ending in ("parquet", "csv")
        ),
        *(
            (
                f"import .{ending}",
                lambda ending=ending: db.import_(
                    str(folder / f"{ending}.db"), folder / f"table.{ending}"
                ),
                lambda ending=ending: size(str(folder / f"{ending}.db")),
            )
            for ending in ("parquet", "csv")
        ),
        ("vacuum", lambda: db.vacuum(url), lambda: size(url)),
    ]
    for name, act, weighed in commands:
        start = time.perf_counter()
        act()
        yield name, time.perf_counter() - start, weighed()


def table(timings: Sequence[tuple[str, float, int]], dialect: str, hours: float) -> Table:
    """Show seconds and MB of 10^6 bytes, for 1,000 hours."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Table(
        "upkeep",
        f"Upkeep: {dialect}, per {PER:,} h",
        f"Measured: {hours:g} h, {round(hours * HASHES_AN_HOUR):,} hashes. Peak memory of the "
        f"process, which does not grow with the hours: {peak:,.0f} MB.",
        ("command", "s", "MB"),
        tuple(
            (
                name,
                f"{seconds * PER / hours:,.0f}",
                f"{size * PER / hours / 1e6:,.0f}" if size else "",
            )
            for name, seconds, size in timings
        ),
    )
