"""Writers and servers of an index are ended at random moments in the middle of their work.

Afterwards the index must be complete or say that it is not, and the next writer must leave what
an index has that was built at once: the same rows, each once.
"""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.cluster.servers import ShardServer, new_url
from benchmarks.errors import BenchmarkError
from benchmarks.stores import made
from benchmarks.stores.torture import Child, Place, Tally, Verb, killed
from samaf.index.cluster import Identity, Shard, catch_up, connections, following, resolve
from samaf.records import Hashes, Recording
from samaf.store import Store

RECORDINGS, MORE = 60, 10
HASHES = 700  # a recording: 3 min
WIDTH = 8  # bytes of a hash
BATCH_HASHES = 4_000  # so that there are many moments between two statements
SERVER_WAIT = 120  # s that a writer waits for a server that is started again
CODEBOOK = np.random.default_rng(5).integers(0, 256, (256, WIDTH), np.uint8)
FINGERPRINTER = made.fingerprinter(8 * WIDTH)
TABLES = (
    ("SELECT cell, toUInt64(r) FROM {db}.cells FINAL ORDER BY cell, r", "<u4,<u8"),
    ("SELECT r, h FROM {db}.hashes FINAL ORDER BY r", "<u8,V{width}"),
    ("SELECT stream, hashes FROM {db}.streams FINAL WHERE hashes > 0 ORDER BY 1", "<u8,<u4"),
)


def shards_of(url: str, store: Store, digest: str, width: int) -> list[Shard]:
    """Connect to an index of a store; the digest of the model stands for that of its codebook."""
    opened = connections(resolve(url))
    return [
        Shard(
            connection,
            Identity(store.store_id, digest, digest, number, len(opened)),
            width,
        )
        for number, connection in enumerate(opened)
    ]


def contents(shards: Sequence[Shard]) -> list[bytes]:
    """Give all rows of all tables, as ClickHouse counts them."""
    return [
        shard.connection.query(sql, np.dtype(columns.format(width=shard.width))).tobytes()
        for shard in shards
        for sql, columns in TABLES
    ]


@dataclass(frozen=True, slots=True)
class Stores:
    """A store, the same after changes, and what an index of each holds."""

    before: Path
    after: Path

    @classmethod
    def made(cls, folder: Path) -> Stores:
        """Fill one; delete every third recording of its copy and add some."""
        both = cls(folder / "before.db", folder / "after.db")
        with Store.open(str(both.before)) as store:
            store.bind(FINGERPRINTER)
            store.add_many(_recording(number) for number in range(RECORDINGS))
        shutil.copy(both.before, both.after)
        with Store.open(str(both.after)) as store:
            store.delete_many(range(1, RECORDINGS, 3))
            store.add_many(_recording(number) for number in range(RECORDINGS, RECORDINGS + MORE))
        return both


def _recording(number: int) -> tuple[Recording, Hashes]:
    rng = np.random.default_rng(number)
    return made.recording(number, rng.integers(0, 256, (HASHES, WIDTH), np.uint8))


def write(store: Path, url: str) -> None:
    """Bring an index to a store's version."""
    following.BATCH_HASHES = BATCH_HASHES
    with Store.open(str(store), create=False) as opened:
        catch_up(shards_of(url, opened, FINGERPRINTER.digest, WIDTH), opened, CODEBOOK)


def state(store: Path, url: str) -> tuple[bool, list[bytes]]:
    """Tell whether an index says that it is complete, and what it holds."""
    with Store.open(str(store), create=False) as opened:
        shards = shards_of(url, opened, FINGERPRINTER.digest, WIDTH)
        states = [shard.state() for shard in shards]
        complete = all(each is not None and opened.is_at(each.done) for each in states)
        return complete, contents(shards) if all(states) else []


def _verb(store: Path) -> Verb:
    """Give the work of a writer; the place's URL is that of the index."""

    def nothing(*_: object) -> str:
        return ""

    return Verb("write", nothing, lambda place, _: write(store, place.url), nothing, nothing)


Accident = Callable[[Place, Verb, float, Sequence[ShardServer]], bool]


def _writer(place: Place, verb: Verb, pause: float, _: Sequence[ShardServer]) -> bool:
    """Kill a writer; tell whether it was still at work."""
    return not killed(verb, place, pause)[1]


def _one_of_two(place: Place, verb: Verb, pause: float, _: Sequence[ShardServer]) -> bool:
    """Kill one of two writers; the other comes to its end."""
    other = Child(verb, place)
    amid = _writer(place, verb, pause, ())
    if not other.end()[1]:
        raise BenchmarkError("torture: the other writer did not come to its end")
    return amid


def _server(place: Place, verb: Verb, pause: float, servers: Sequence[ShardServer]) -> bool:
    """Kill a server while a writer is at work, and start it again."""
    child = Child(verb, Place(f"{place.url}?wait={SERVER_WAIT}", place.folder))
    time.sleep(pause)
    servers[-1].kill()
    amid = child.is_alive()
    servers[-1].start()
    child.end()
    return amid


WORK: dict[str, tuple[Accident, bool]] = {  # what is ended, and whether the index was filled before
    "writer, empty index": (_writer, False),
    "writer, changes": (_writer, True),
    "one of two writers": (_one_of_two, False),
    "server": (_server, True),
}


def torture(
    work: str, servers: Sequence[ShardServer], kills: int, folder: Path, chance: random.Random
) -> Tally:
    """End one kind of work so many times."""
    accident, was_filled = WORK[work]
    stores = Stores.made(folder)
    verb = _verb(stores.after)

    def prepared() -> Place:
        place = Place(new_url(*servers), folder)
        if was_filled:
            write(stores.before, place.url)
        return place

    place = prepared()
    started = time.monotonic()
    write(stores.after, place.url)
    longest, wanted = time.monotonic() - started, state(stores.after, place.url)[1]
    amid, failures = 0, []
    for number in range(kills):
        place = prepared()
        amid += accident(place, verb, chance.uniform(0, longest), servers)
        complete, rows = state(stores.after, place.url)
        if complete and rows != wanted:
            failures.append(f"kill {number + 1}: an index that says it is complete is not")
        write(stores.after, place.url)
        if state(stores.after, place.url) != (True, wanted):
            failures.append(f"kill {number + 1}: is not what an index built at once is")
    return Tally("ClickHouse", work, kills, amid, tuple(failures))


def run(
    kills: int, servers: Sequence[ShardServer], folder: Path, chance: random.Random
) -> Iterator[Tally]:
    """Spread kills over all kinds of work."""
    for number, work in enumerate(WORK):
        own = folder / str(number)
        own.mkdir()
        yield torture(work, servers, -(-kills // len(WORK)), own, chance)
