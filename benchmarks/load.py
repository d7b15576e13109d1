"""``python -m benchmarks.load``: how much a store takes, from how many at once, how soon it shows.

Everything is measured as the clock goes and in processor time, of this process and, on
MariaDB, of the server: on a busy machine the second tells more.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from benchmarks.engines import ENGINES, MARIADB, parse_engines
from benchmarks.errors import BenchmarkError
from benchmarks.options import friendly
from samaf.index import ExactIndex, cache
from samaf.records import Hashes, Recording
from samaf.store import Store, StoredFingerprinter
from tests.mariadb import MariadbServer

WIDTH = 32  # bytes of a hash
FINGERPRINTER = StoredFingerprinter("ab" * 32, "2LST256C", 8 * WIDTH, "LSTM", {})
A_SECOND = 4  # hashes
BATCH = 100_000  # hashes a transaction, as `samaf add` has them
POOL = 400_000  # hashes that recordings are cut from
PEOPLE = 8  # writers, and as many readers
EACH = 40  # recordings that a writer adds, half of them also its neighbor's


@dataclass(frozen=True, slots=True)
class Ingest:
    """How fast hashes went in.

    Attributes
    ----------
    wall, program, server
        Seconds: on the clock, of this process, of the server's.
    memory
        Bytes by which this process grew between the first tenth and the end.
    """

    engine: str
    seconds: int
    recordings: int
    hashes: int
    wall: float
    program: float
    server: float
    memory: int


@dataclass(frozen=True, slots=True)
class Freshness:
    """How soon a query sees a recording that was just added to a store of so many hashes.

    Attributes
    ----------
    same_process, other_process
        Which added it: seconds on the clock, and of processor time.
    """

    engine: str
    hashes: int
    same_process: tuple[float, float]
    other_process: tuple[float, float]


def recordings(seconds: int, hashes: int, first: int = 0) -> Iterator[tuple[Recording, Hashes]]:
    """Yield recordings of one length until there are as many hashes."""
    pool = np.random.default_rng(0).integers(0, 256, (POOL, WIDTH), np.uint8)
    count = seconds * A_SECOND - 3  # a hash looks at 1 s
    useful = np.ones(count, bool)
    for number in range(first, first + -(-hashes // count)):
        sha256 = hashlib.sha256(str(number).encode()).hexdigest()
        start = number * 997 % (POOL - count)
        name = f"{number}.wav"
        found = Recording(sha256, name, f"/recordings/speaker/{name}", float(seconds))
        yield found, Hashes(pool[start : start + count], useful)


def ingest(
    engine: str, url: str, seconds: int, hashes: int, server: MariadbServer | None
) -> Ingest:
    """Store so many hashes in transactions of about `BATCH`."""
    made, stored, batch, early = 0, 0, [], 0
    wall, program, theirs = time.monotonic(), time.process_time(), _server_seconds(server)
    with Store.open(url) as store:
        store.bind(FINGERPRINTER)
        for item in recordings(seconds, hashes):
            batch.append(item)
            made += len(item[1])
            if made - stored >= BATCH:
                store.add_many(batch)
                batch, stored = [], made
            if not early and made > hashes / 10:
                early = _memory()
        store.add_many(batch)
        there = store.stats()
    if there.hashes != made:
        raise BenchmarkError(f"load: {there.hashes:,} hashes are there instead of {made:,}")
    return Ingest(
        engine,
        seconds,
        there.recordings,
        made,
        time.monotonic() - wall,
        time.process_time() - program,
        _server_seconds(server) - theirs,
        _memory() - early,
    )


def _memory() -> int:
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _server_seconds(server: MariadbServer | None) -> float:
    """Read the processor time of the server from /proc, in seconds."""
    if server is None:
        return 0.0
    pid = (server.folder / "pid").read_text().strip()
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


# --- freshness -------------------------------------------------------------------------


def freshness(engine: str, url: str, folder: Path) -> Freshness:
    """Measure from before the addition until a query has found the new recording."""
    digest = FINGERPRINTER.digest
    with Store.open(url) as store:
        total = cache.open_cached(store, digest, WIDTH, folder).total

        def seen(number: int) -> None:
            query = _newcomer(number)[1].packed
            table = cache.open_cached(store, digest, WIDTH, folder)
            best = ExactIndex(table).search(query[:9], 9, 1)
            recording, _ = table.locate(np.asarray(best.rows).ravel()[:1])
            found = store.get(int(table.recording_ids[recording[0]]))
            if found.sha256 != _newcomer(number)[0].sha256:
                raise BenchmarkError("load: the query found another recording")

        store.add(*_newcomer(1))
        seen(1)  # pages of the index are in memory from here on
        started = _clocks()
        store.add(*_newcomer(2))
        seen(2)
        same = _since(started)
        other = multiprocessing.get_context("spawn").Process(target=_add_one, args=(url, 3))
        other.start()
        other.join()
        started = _clocks()
        seen(3)
        return Freshness(engine, total, same, _since(started))


def _clocks() -> tuple[float, float]:
    return time.monotonic(), time.process_time()


def _since(started: tuple[float, float]) -> tuple[float, float]:
    wall, program = _clocks()
    return wall - started[0], program - started[1]


def _newcomer(number: int) -> tuple[Recording, Hashes]:
    packed = np.random.default_rng(1000 + number).integers(0, 256, (240, WIDTH), np.uint8)
    sha256 = hashlib.sha256(f"new {number}".encode()).hexdigest()
    return Recording(sha256, f"new-{number}.wav", "/", 60.0), Hashes(packed, np.ones(240, bool))


def _add_one(url: str, number: int) -> None:
    with Store.open(url) as store:
        store.add(*_newcomer(number))


# --- many at once ----------------------------------------------------------------------


def crowd(url: str) -> tuple[int, int, float]:
    """Let `PEOPLE` write and `PEOPLE` read at once; half of what each adds its neighbor adds too.

    Returns
    -------
    int, int
        Recordings that are there, and how often one of them was reported as new: the same.
    float
        Seconds.

    Raises
    ------
    BenchmarkError
        Something was lost, doubled, or read in pieces.
    """
    Store.open(url).close()
    context = multiprocessing.get_context("spawn")
    results = context.SimpleQueue()
    over = context.Event()
    writers = [context.Process(target=_write, args=(url, n, results)) for n in range(PEOPLE)]
    readers = [context.Process(target=_read, args=(url, over, results)) for _ in range(PEOPLE)]
    started = time.monotonic()
    for each in writers + readers:
        each.start()
    fresh = [results.get() for _ in writers]
    seconds = time.monotonic() - started
    over.set()
    faults = [results.get() for _ in readers]
    for each in writers + readers:
        each.join()
    with Store.open(url) as store:
        there = {each.sha256 for each in store.recordings()}
        whole = {number for number, _ in store.changes(0).added}
        entries = store.check_audit()
    # Neighbors share half, in a ring.
    wanted = PEOPLE * EACH // 2
    news = [sha256 for each in fresh for sha256 in each]
    if not (len(there) == len(whole) == len(news) == len(set(news)) == wanted):
        raise BenchmarkError(
            f"load: {len(there)} recordings are there, {len(news)} were new, {wanted} were given"
        )
    if any(faults) or entries.broken or entries.entries != wanted:
        raise BenchmarkError(f"load: readers met {faults}; audit: {entries}")
    return len(there), len(news), seconds


def _write(url: str, person: int, results: multiprocessing.SimpleQueue[object]) -> None:
    half = EACH // 2
    numbers = [n % (PEOPLE * half) for n in range(person * half, person * half + EACH)]
    fresh = []
    with Store.open(url) as store:
        store.bind(FINGERPRINTER)
        for number in np.random.default_rng(person).permutation(numbers).tolist():
            (item,) = recordings(60, 1, number)
            stored, is_new = store.add(*item)
            fresh += [stored.sha256] if is_new else []
    results.put(fresh)


def _read(url: str, over: object, results: multiprocessing.SimpleQueue[object]) -> None:
    """Read again and again: each state must be whole, and only grow."""
    seen, fault = 0, ""
    with Store.open(url) as store:
        while not fault and not over.is_set():  # type: ignore[attr-defined]
            changes = store.changes(0)
            added = [len(hashes) for _, hashes in changes.added]
            if len(added) < seen or any(count != 237 for count in added):
                fault = f"{len(added)} recordings after {seen}"
            seen = len(added)
    results.put(fault)


# --- the command -----------------------------------------------------------------------


@contextmanager
def _sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="samaf-load-") as folder:
        yield str(Path(folder) / "store.db")


Makes = Callable[[], AbstractContextManager[str]]


@click.command()
@click.option(
    "--hashes",
    type=click.IntRange(1),
    default=10_000_000,
    show_default=True,
    help="For each length.",
)
@click.option("--lengths", default="3600,600,10", show_default=True, help="Of recordings, in s.")
@click.option("--engines", default=",".join(ENGINES), show_default=True)
@friendly
def main(hashes: int, lengths: str, engines: str) -> None:
    """Fill stores and say how fast that was, how soon a query sees more, and what 16 at once do."""
    chosen, spans = parse_engines(engines), _lengths(lengths)
    server = MariadbServer() if MARIADB in chosen else None
    try:
        for engine in chosen:
            theirs = server if engine == MARIADB else None
            make: Makes = theirs.database if theirs else _sqlite
            for number, seconds in enumerate(spans):
                _measure(engine, make, seconds, hashes, theirs, is_first=not number)
            with make() as url:
                there, _, taken = crowd(url)
            click.echo(
                f"{engine}: {PEOPLE} writers and {PEOPLE} readers at once: {there} recordings in "
                f"{taken:.1f} s, none lost, none twice"
            )
    finally:
        if server:
            server.remove()


def _lengths(text: str) -> list[int]:
    """Read lengths of recordings in seconds."""
    longest = POOL // A_SECOND  # what the pool has hashes for
    try:
        lengths = [int(word) for word in text.split(",")]
    except ValueError:
        lengths = []
    if not lengths or not all(1 <= seconds <= longest for seconds in lengths):
        raise BenchmarkError(
            f"--lengths {text}: write whole seconds from 1 to {longest}, e.g. 3600,600,10"
        )
    return lengths


def _measure(
    engine: str,
    make: Makes,
    seconds: int,
    hashes: int,
    server: MariadbServer | None,
    is_first: bool,
) -> None:
    """Fill one store; the first of an engine is also asked how soon it shows what is new."""
    with make() as url:
        done = ingest(engine, url, seconds, hashes, server)
        processor = done.program + done.server
        click.echo(
            f"{engine}, recordings of {seconds} s: {done.hashes:,} hashes of {done.recordings:,} "
            f"recordings in {done.wall:.1f} s ({done.hashes / done.wall:,.0f}/s), processor "
            f"{done.program:.1f} s and server {done.server:.1f} s "
            f"({done.hashes / processor:,.0f}/s), grew by {done.memory / 1e6:.0f} MB"
        )
        if is_first:
            with tempfile.TemporaryDirectory(prefix="samaf-load-") as folder:
                fresh = freshness(engine, url, Path(folder))
            click.echo(
                f"{engine}, {fresh.hashes:,} hashes: a query sees a new recording after "
                "{:.3f} s (processor {:.3f} s), one of another process after "
                "{:.3f} s (processor {:.3f} s)".format(*fresh.same_process, *fresh.other_process)
            )


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.load")
