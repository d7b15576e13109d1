"""How much a store takes, from how many at once, and how soon a query shows it.

Everything is measured by the clock and in processor time, of this process and, on MariaDB, of
the server: on a busy machine the second says more.
"""

from __future__ import annotations

import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.errors import BenchmarkError
from benchmarks.stores.made import MakeDatabase, fingerprinter, recording
from benchmarks.stores.server import DatabaseServer
from benchmarks.tables import Line
from samaf.index import ExactIndex, cache
from samaf.records import Hashes, Recording
from samaf.store import Store

WIDTH = 32  # bytes of a hash
FINGERPRINTER = fingerprinter(8 * WIDTH)
A_SECOND = 4  # hashes
BATCH = 100_000  # hashes a transaction, as `samaf add` has them
POOL = 400_000  # hashes that recordings are cut from
NEWCOMERS = 1_000_000_000  # number from which recordings are counted that were not filled in
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

    hashes: int
    same_process: tuple[float, float]
    other_process: tuple[float, float]


def recordings(seconds: int, hashes: int, first: int = 0) -> Iterator[tuple[Recording, Hashes]]:
    """Yield recordings of one length until there are as many hashes."""
    pool = np.random.default_rng(0).integers(0, 256, (POOL, WIDTH), np.uint8)
    count = seconds * A_SECOND - 3  # a hash looks at 1 s
    for number in range(first, first + -(-hashes // count)):
        start = number * 997 % (POOL - count)
        yield recording(number, pool[start : start + count])


def ingest(url: str, seconds: int, hashes: int, server: DatabaseServer | None) -> Ingest:
    """Store so many hashes in transactions of about `BATCH`."""
    made, stored, batch, early = 0, 0, [], 0
    wall, program, used = time.monotonic(), time.process_time(), _server_seconds(server)
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
        stats = store.stats()
    if stats.hashes != made:
        raise BenchmarkError(f"load: {stats.hashes:,} hashes are stored instead of {made:,}")
    return Ingest(
        stats.recordings,
        made,
        time.monotonic() - wall,
        time.process_time() - program,
        _server_seconds(server) - used,
        _memory() - early,
    )


def _memory() -> int:
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _server_seconds(server: DatabaseServer | None) -> float:
    """Read the processor time of the server from /proc, in seconds."""
    if server is None:
        return 0.0
    pid = (server.folder / "pid").read_text().strip()
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


# --- freshness -------------------------------------------------------------------------


def freshness(url: str, folder: Path) -> Freshness:
    """Measure from before the addition until a query has found the new recording."""
    digest = FINGERPRINTER.digest
    with Store.open(url) as store:
        total = cache.open_cached(store, digest, WIDTH, folder).total

        def seen(number: int) -> None:
            query = _newcomer(number)[1].packed
            table = cache.open_cached(store, digest, WIDTH, folder)
            best = ExactIndex(table).search(query[:9], 9, 1)
            position, _ = table.locate(np.asarray(best.rows).ravel()[:1])
            found = store.get(int(table.recording_ids[position[0]]))
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
        return Freshness(total, same, _since(started))


def _clocks() -> tuple[float, float]:
    return time.monotonic(), time.process_time()


def _since(started: tuple[float, float]) -> tuple[float, float]:
    wall, program = _clocks()
    return wall - started[0], program - started[1]


def _newcomer(number: int) -> tuple[Recording, Hashes]:
    number += NEWCOMERS
    return recording(number, np.random.default_rng(number).integers(0, 256, (240, WIDTH), np.uint8))


def _add_one(url: str, number: int) -> None:
    with Store.open(url) as store:
        store.add(*_newcomer(number))


# --- many at once ----------------------------------------------------------------------


def many_at_once(url: str) -> tuple[int, int, float]:
    """Let `PEOPLE` write and `PEOPLE` read at once; half of what each adds its neighbor adds too.

    Returns
    -------
    int, int
        Recordings that are stored, and how often one of them was reported as new: the same.
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
        stored = {each.sha256 for each in store.recordings()}
        whole = {number for number, _ in store.changes(0).added}
        entries = store.check_audit()
    # Neighbors share half, in a ring.
    wanted = PEOPLE * EACH // 2
    news = [sha256 for each in fresh for sha256 in each]
    if not (len(stored) == len(whole) == len(news) == len(set(news)) == wanted):
        raise BenchmarkError(
            f"load: {len(stored)} recordings are stored, {len(news)} were new, {wanted} were given"
        )
    if any(faults) or entries.broken or entries.entries != wanted:
        raise BenchmarkError(f"load: readers met {faults}; audit: {entries}")
    return len(stored), len(news), seconds


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


# --- the lines of the table ------------------------------------------------------------


def load(
    dialect: str, make: MakeDatabase, server: DatabaseServer | None, lengths: list[int], hashes: int
) -> Iterator[Line]:
    """Measure one dialect; the first store that is filled is also queried for what is new."""
    for number, seconds in enumerate(lengths):
        with make() as url:
            done = ingest(url, seconds, hashes, server)
            processor = done.program + done.server
            yield (
                f"{dialect}, recordings of {seconds} s",
                f"{done.hashes:,} hashes of {done.recordings:,} recordings in {done.wall:.1f} s "
                f"({done.hashes / done.wall:,.0f}/s), processor {done.program:.1f} s and server "
                f"{done.server:.1f} s ({done.hashes / processor:,.0f}/s), grew by "
                f"{done.memory / 1e6:.0f} MB",
            )
            if not number:
                with tempfile.TemporaryDirectory(prefix="samaf-load-") as folder:
                    fresh = freshness(url, Path(folder))
                yield (
                    f"{dialect}, {fresh.hashes:,} hashes",
                    "a query sees a new recording after "
                    "{:.3f} s (processor {:.3f} s), one of another process after "
                    "{:.3f} s (processor {:.3f} s)".format(
                        *fresh.same_process, *fresh.other_process
                    ),
                )
    with make() as url:
        stored, _, taken = many_at_once(url)
    yield (
        f"{dialect}, {PEOPLE} writers and {PEOPLE} readers at once",
        f"{stored} recordings in {taken:.1f} s, none lost, none twice",
    )


def parse_lengths(text: str) -> list[int]:
    """Read lengths of recordings in seconds.

    Raises
    ------
    BenchmarkError
        One is no whole number from 1 to what the pool has hashes for.
    """
    longest = POOL // A_SECOND
    try:
        lengths = [int(word) for word in text.split(",")]
    except ValueError:
        lengths = []
    if not lengths or not all(1 <= seconds <= longest for seconds in lengths):
        raise BenchmarkError(
            f"--lengths {text}: write whole seconds from 1 to {longest}, e.g. 3600,600,10"
        )
    return lengths
