"""How long an administrator's commands take, and what a store weighs, for 1,000 hours of audio.

    python -m benchmarks.upkeep [--server mysql://USER@HOST/EMPTY-DATABASE] [--hours H]

Fills a store with random hashes of 256 bits in recordings of one minute, runs each command
on it, and gives seconds and bytes for 1,000 hours, by rule of three from the hours that were
stored. The peak of this process's memory stands below: it does not grow with the hours.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.options import friendly
from benchmarks.storage import LENGTHS, recordings
from samaf import db
from samaf.store import Store, StoredFingerprinter, downgrade
from samaf.store.maintenance.dialects import maintenance_of
from samaf.store.maintenance.merging import batches
from samaf.store.maintenance.opening import opened

BITS = 256
HASHES_AN_HOUR = 14_400  # four a second
LENGTH = "1 min"
PER = 1000  # hours that the figures are for


def filled(url: str, hashes: int) -> None:
    """Store random hashes."""
    with Store.open(url) as store:
        store.bind(StoredFingerprinter("ab" * 32, f"random {BITS}", BITS, "random", {}))
        for batch in batches(recordings(hashes, BITS, LENGTHS[LENGTH])):
            store.add_many(batch)


def timed(url: str, hashes: int, folder: Path) -> Iterator[tuple[str, float, int]]:
    """Run each command; yield its name, seconds, and bytes of what it wrote."""
    other = str(folder / "other.db")

    def size(of: str) -> int:
        with opened(of) as database:
            return maintenance_of(database).size()

    commands: list[tuple[str, Callable[[], object], Callable[[], int]]] = [
        ("store hashes", lambda: filled(url, hashes), lambda: size(url)),
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


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--server", metavar="URL", help="An empty database of a server, instead of a file.")
@click.option("--hours", type=click.FloatRange(0, min_open=True), default=100.0, show_default=True)
@friendly
def main(server: str | None, hours: float) -> None:
    """Time the commands of an administrator."""
    hashes = round(hours * HASHES_AN_HOUR)
    engine = "server" if server else "SQLite"
    table = Table(title=f"{engine}, per {PER:,} h (measured: {hours:g} h, {hashes:,} hashes)")
    table.add_column("command")
    table.add_column("s", justify="right")
    table.add_column("MB", justify="right")
    with tempfile.TemporaryDirectory() as folder:
        url = server or str(Path(folder) / "store.db")
        for name, seconds, size in timed(url, hashes, Path(folder)):
            written = f"{size * PER / hours / 1e6:,.0f}" if size else ""
            table.add_row(name, f"{seconds * PER / hours:,.0f}", written)
        if server:
            downgrade(server, "base")
    console = Console()
    console.print(table)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    console.print(f"peak memory of the process: {peak:,.0f} MB")


if __name__ == "__main__":
    main()
