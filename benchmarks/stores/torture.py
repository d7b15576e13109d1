"""The program and the server are ended at random moments, and nothing may be lost.

A process that adds, deletes, imports, migrates or builds an index is ended by SIGKILL after
a random part of the time that it takes, as by a power cut. Then the store must verify clean,
all that was reported as done must be so, and the same command must finish the work. The
same holds when the MariaDB server is ended in the middle of adding and started again.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.errors import BenchmarkError
from benchmarks.stores import made
from benchmarks.stores.made import MakeDatabase, servers, sqlite_database
from benchmarks.stores.server import DatabaseServer
from benchmarks.tables import Table
from samaf import db
from samaf.index import cache
from samaf.records import Codes, Recording
from samaf.store import Store

COUNT = 60  # recordings
BATCH = 3  # recordings a transaction
HASHES = 700  # a recording: 3 min
WIDTH = 8  # bytes of a hash
FINGERPRINTER = made.fingerprinter(8 * WIDTH)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Place:
    """A store, and a folder for what else is needed."""

    url: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Verb:
    """Something that is interrupted.

    Attributes
    ----------
    prepare
        Makes what it starts from.
    work
        Does it, and says what is done; done again, it finishes the work.
    broken
        Given what was said, tells what is not so: lost recordings, deleted ones that are back.
    unfinished
        Tells what is missing once the work was done to its end.
    """

    name: str
    prepare: Callable[[Place], object]
    work: Callable[[Place, Say], None]
    broken: Callable[[Place, set[str]], str]
    unfinished: Callable[[Place], str]


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of one verb on one dialect: ``kills`` of which ``amid`` hit work not yet done."""

    dialect: str
    verb: str
    kills: int = 0
    amid: int = 0
    failures: tuple[str, ...] = ()


# --- what is done ----------------------------------------------------------------------


def recording(number: int) -> tuple[Recording, Codes]:
    """Give a recording: same number, same recording."""
    packed = np.random.default_rng(number).integers(0, 256, (HASHES, WIDTH), np.uint8)
    return made.recording(number, packed, {"number": str(number)})


def _add(place: Place, say: Say) -> None:
    with Store.open(place.url) as store:
        store.bind(FINGERPRINTER)
        for first in range(0, COUNT, BATCH):
            items = [recording(number) for number in range(first, first + BATCH)]
            for stored, _ in store.add_many(items):
                say(stored.sha256)


def _fill(place: Place) -> None:
    with Store.open(place.url) as store:
        store.bind(FINGERPRINTER)
        store.add_many(recording(number) for number in range(COUNT))


def _delete(place: Place, say: Say) -> None:
    with Store.open(place.url) as store:
        for number in range(0, COUNT, 2):
            sha256 = recording(number)[0].sha256
            if found := store.find(sha256):
                store.delete(found.recording_id)
            say(sha256)


def _export(place: Place) -> None:
    other = replace(place, url=str(place.folder / "other.db"))
    _fill(other)
    db.export(other.url, place.folder / "all.csv")
    Store.open(place.url).close()


def _import(place: Place, _: Say) -> None:
    db.import_(place.url, place.folder / "all.csv")


def _go_back(place: Place) -> None:
    _fill(place)
    db.downgrade(place.url, "0001")


def _migrate(place: Place, _: Say) -> None:
    db.upgrade(place.url)


def _build(place: Place, say: Say) -> None:
    with Store.open(place.url) as store:
        table = cache.open_cached(store, FINGERPRINTER.digest, WIDTH, place.folder / "cache")
        say(str(table.total))


def _shas(place: Place) -> dict[str, Codes]:
    with Store.open(place.url) as store:
        stored = store.get_many(range(1, 10 * COUNT)).values()
        return {each.sha256: store.hashes(each.recording_id) for each in stored}


def _lost(place: Place, said: set[str]) -> str:
    gone = said - _shas(place).keys()
    return f"{len(gone)} reported recordings are lost" if gone else ""


def _back(place: Place, said: set[str]) -> str:
    back = said & _shas(place).keys()
    return f"{len(back)} deleted recordings are back" if back else ""


def _nothing(place: Place, said: set[str]) -> str:
    return ""


def _incomplete(place: Place, numbers: Sequence[int] = range(COUNT)) -> str:
    stored = _shas(place)
    whole = {each.sha256: hashes for each, hashes in map(recording, numbers)}
    if stored.keys() != whole.keys():
        return f"{len(stored)} recordings are stored instead of {len(whole)}"
    wrong = sum(not np.array_equal(stored[key].packed, whole[key].packed) for key in whole)
    return f"{wrong} recordings have other hashes" if wrong else ""


def _half(place: Place) -> str:
    return _incomplete(place, range(1, COUNT, 2))


def _other_index(place: Place) -> str:
    with Store.open(place.url) as store:
        root = place.folder / "cache"
        table = cache.open_cached(store, FINGERPRINTER.digest, WIDTH, root)
        folder = cache.cache_folder(store, FINGERPRINTER.digest, root)
        header = cache.read_header(folder)
        if header is None or not cache.verify(folder, header) or table.total != COUNT * HASHES:
            return "the index is damaged or not whole"
        for row, recording_id in enumerate(table.recording_ids.tolist()):
            if not np.array_equal(table.rows(row), store.hashes(recording_id).packed):
                return f"the index holds other hashes of recording {recording_id}"
    return ""


VERBS = (
    Verb("add", lambda place: Store.open(place.url).close(), _add, _lost, _incomplete),
    Verb("delete", _fill, _delete, _back, _half),
    Verb("import", _export, _import, _nothing, _incomplete),
    Verb("migrate", _go_back, _migrate, _nothing, _incomplete),
    Verb("index", _fill, _build, _nothing, _other_index),
)
SERVER = "server"  # the work that ends the server instead of the program
ALL = (*(verb.name for verb in VERBS), SERVER)


# --- how it is ended -------------------------------------------------------------------


class Child:
    """A process of its own that does a verb's work and says how far it is."""

    def __init__(self, verb: Verb, place: Place) -> None:
        reading, writing = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(reading)
            _live(verb, place, writing)
        os.close(writing)
        self._said = os.fdopen(reading, "r")
        if self._said.readline() != "ready\n":
            raise BenchmarkError(f"torture: the process that should {verb.name} did not start")

    def kill(self) -> None:
        """End it as a power cut would."""
        os.kill(self.pid, signal.SIGKILL)

    def is_alive(self) -> bool:
        """Tell whether it is still at work."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None

    def end(self) -> tuple[set[str], bool]:
        """Wait for its end; give what it said was done, and whether it came to its end."""
        lines = self._said.read().split("\n")[:-1]
        self._said.close()
        os.waitpid(self.pid, 0)
        return set(lines) - {"end"}, "end" in lines


def _live(verb: Verb, place: Place, pipe: int) -> None:
    """Be the child: never return."""

    def say(text: str) -> None:
        os.write(pipe, f"{text}\n".encode())

    status = 1
    try:
        logging.disable()
        say("ready")
        verb.work(place, say)
        say("end")
        status = 0
    finally:
        os._exit(status)


def killed(verb: Verb, place: Place, pause: float) -> tuple[set[str], bool]:
    """Let a process work for some seconds and kill it; see `Child.end`."""
    child = Child(verb, place)
    time.sleep(pause)
    child.kill()
    return child.end()


def faults(verb: Verb, place: Place, said: set[str]) -> list[str]:
    """Check a store after an accident, finish the work, and check again."""
    found = []
    if verb.name != "migrate":  # its store is between two schemas
        found += [f"{fault.where}: {fault.what}" for fault in db.verify(place.url)]
        found += [wrong] if (wrong := verb.broken(place, said)) else []
    if not Child(verb, place).end()[1]:
        found.append("the same command does not finish the work")
    else:
        found += [f"{fault.where}: {fault.what}" for fault in db.verify(place.url)]
        found += [wrong] if (wrong := verb.unfinished(place)) else []
    return found


@contextmanager
def _place(make: MakeDatabase) -> Iterator[Place]:
    with tempfile.TemporaryDirectory(prefix="samaf-torture-") as folder, make() as url:
        yield Place(url, Path(folder))


def duration(verb: Verb, make: MakeDatabase) -> float:
    """Measure how long a verb takes when nobody ends it, in seconds."""
    with _place(make) as place:
        verb.prepare(place)
        child = Child(verb, place)
        started = time.monotonic()
        child.end()
        return time.monotonic() - started


def torture(
    dialect: str, verb: Verb, make: MakeDatabase, kills: int, chance: random.Random
) -> Tally:
    """Kill a verb at random moments."""
    longest, amid = duration(verb, make), 0
    failures: list[str] = []
    for _ in range(kills):
        with _place(make) as place:
            verb.prepare(place)
            started = time.monotonic()
            said, ended = killed(verb, place, chance.uniform(0, longest))
            if ended:  # quicker than measured
                longest = min(longest, time.monotonic() - started)
            amid += not ended
            failures += faults(verb, place, said)
    return Tally(dialect, verb.name, kills, amid, tuple(failures))


def torture_server(
    dialect: str, server: DatabaseServer, kills: int, chance: random.Random
) -> Tally:
    """Kill the server at random moments while a process adds."""
    verb = VERBS[0]
    longest, amid = duration(verb, server.database), 0
    failures: list[str] = []
    for _ in range(kills):
        with _place(server.database) as place:
            verb.prepare(place)
            child = Child(verb, place)
            time.sleep(chance.uniform(0, longest))
            server.kill()
            amid += child.is_alive()
            server.start()
            said, _ended = child.end()
            failures += faults(verb, place, said)
    return Tally(dialect, SERVER, kills, amid, tuple(failures))


def run(
    kills: int, server_kills: int, seed: int, dialects: tuple[str, ...], work: Sequence[str]
) -> Iterator[Tally]:
    """Kill each work on each dialect; ``kills`` in all, spread evenly."""
    chance = random.Random(seed)
    verbs = [verb for verb in VERBS if verb.name in work]
    each = -(-kills // max(1, len(verbs) * len(dialects)))
    with servers(dialects) as started:
        for dialect, server in started.items():
            for verb in verbs:
                make = server.database if server else sqlite_database
                yield torture(dialect, verb, make, each, chance)
        for dialect, server in started.items():
            if server and SERVER in work:
                yield torture_server(dialect, server, server_kills, chance)


def table(tallies: Sequence[Tally]) -> Table:
    """Show what became of each work."""
    return Table(
        "torture",
        "Torture",
        "",
        ("dialect", "work", "kills", "of these amid the work", "failures"),
        tuple((t.dialect, t.verb, t.kills, t.amid, len(t.failures)) for t in tallies),
    )
