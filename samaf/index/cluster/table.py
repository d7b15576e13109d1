"""The hashes of a store in ClickHouse, read as far as they are needed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from samaf.index.cluster.schema import BLOCK_BITS, BLOCKS, SIDE_BITS, SIDES, hash_row, listed
from samaf.index.cluster.shard import Shard
from samaf.index.neighbors import NOTHING
from samaf.status import StoreVersion

PAGE_HASHES = 128  # read and kept together: 4 kB
PAGES = 4_096  # kept: 16 MB
COUNTS = 100_000  # streams whose number of hashes is kept
COUNTED = np.dtype([("stream", "<u8"), ("hashes", "<u4")])
ID = np.dtype([("stream", "<u8")])
RUNS = (
    "SELECT arrayJoin(range(toUInt64(x), toUInt64(x + n))) "
    "FROM (SELECT {} AS xs, {} AS ns) ARRAY JOIN xs AS x, ns AS n"
)
Result = TypeVar("Result")


class ClusterTable:
    """A `samaf.index.table.Table` whose hashes stay where they are.

    The position of a recording or side is its stream. Nothing here grows with the number of hashes.

    Parameters
    ----------
    shards
        Those that answer; ``away`` names the others.
    """

    def __init__(self, shards: Sequence[Shard], version: StoreVersion, away: Sequence[str]) -> None:
        self.version = version
        self.away: Sequence[str] = tuple(away)
        self.width = shards[0].width
        self._shards = {shard.identity.shard: shard for shard in shards}
        self._count = shards[0].identity.shards
        self._counts: OrderedDict[int, int] = OrderedDict()
        self._pages: OrderedDict[int, np.ndarray] = OrderedDict()
        self.total = sum(self.of_each(lambda shard: shard.total()))
        self.recordings = sum(self.of_each(lambda shard: shard.recordings()))

    @property
    def bits(self) -> int:
        """See `Table`."""
        return 8 * self.width

    @property
    def indices(self) -> Sequence[int]:
        """See `Table`."""
        parts = self.of_each(
            lambda shard: shard.connection.query(
                "SELECT stream FROM {db}.streams FINAL WHERE hashes > 0", ID
            )["stream"]
        )
        ids: list[int] = np.sort(np.concatenate(parts)).tolist()
        return ids

    def recording_id(self, recording_index: int) -> int:
        """See `Table`."""
        return int(recording_index) >> SIDE_BITS

    def side(self, recording_index: int) -> int:
        """See `Table`."""
        return int(recording_index) & (SIDES - 1)

    def find(self, recording_id: int, side: int) -> int | None:
        """See `Table`."""
        stream = recording_id << SIDE_BITS | side
        return stream if self.count(stream) else None

    def count(self, recording_index: int) -> int:
        """See `Table`."""
        return int(self.counts(np.array([recording_index]))[0])

    def counts(self, streams: np.ndarray) -> np.ndarray:
        """Give the number of hashes of streams, int64 (k,); 0 of what is not there."""
        ids, which = np.unique(streams, return_inverse=True)
        unknown = [i for i in ids.tolist() if i not in self._counts]

        def ask(shard: Shard, own: list[int]) -> np.ndarray:
            return shard.connection.query(
                f"SELECT stream, hashes FROM {{db}}.streams FINAL WHERE stream IN {listed(own)}",
                COUNTED,
            )

        if unknown:
            self._counts.update(dict.fromkeys(unknown, 0))
            for rows in self._of_owners(unknown, lambda stream: stream, ask):
                self._counts.update(
                    zip(rows["stream"].tolist(), rows["hashes"].tolist(), strict=True)
                )
        found = np.array([self._counts[i] for i in ids.tolist()], np.int64)
        while len(self._counts) > COUNTS:
            self._counts.popitem(last=False)
        return found[which]

    def rows(self, recording_index: int, first: int = 0, stop: int | None = None) -> np.ndarray:
        """See `Table`."""
        count = self.count(recording_index)
        stop = count if stop is None else min(stop, count)
        if first >= stop:
            return np.empty((0, self.width), np.uint8)
        start = int(recording_index) * BLOCKS
        low, high = (start + first) // PAGE_HASHES, (start + stop - 1) // PAGE_HASHES
        self.prefetch(np.arange(low, high + 1))
        kept = np.concatenate([self._pages[page] for page in range(low, high + 1)])
        offset = low * PAGE_HASHES
        return kept[start + first - offset : start + stop - offset]

    def locate(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Table`."""
        return rows >> BLOCK_BITS, rows & (BLOCKS - 1)

    def prefetch(self, pages: np.ndarray) -> None:
        """Read pages that are not kept yet, all in one statement for each shard."""
        wanted = [page for page in np.unique(pages).tolist() if page not in self._pages]
        if wanted:
            rows = np.array(wanted)[:, None] * PAGE_HASHES + np.arange(PAGE_HASHES)
            hashes, _ = self.stored(rows)
            self._pages.update(zip(wanted, hashes, strict=True))
        for page in pages.tolist():
            self._pages.move_to_end(page)
        while len(self._pages) > max(PAGES, len(pages)):
            self._pages.popitem(last=False)

    def stored(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `samaf.index.candidates.Stored`; rows of any shape."""
        wanted, which = np.unique(rows, return_inverse=True)
        hashes = np.zeros((len(wanted), self.width), np.uint8)
        exists = np.zeros(len(wanted), bool)

        def ask(shard: Shard, own: list[tuple[int, int]]) -> np.ndarray:
            runs = RUNS.format(*(listed(part) for part in zip(*own, strict=True)))
            return shard.connection.query(
                f"SELECT r, h FROM {{db}}.hashes WHERE r IN ({runs})", hash_row(self.width)
            )

        runs = _runs(wanted[wanted >= 0])
        for found in self._of_owners(runs, lambda run: run[0] >> BLOCK_BITS, ask):
            at = np.searchsorted(wanted, found["r"].astype(np.int64))
            hashes[at] = np.ascontiguousarray(found["h"]).view(np.uint8).reshape(-1, self.width)
            exists[at] = True
        recording = np.where(exists, wanted >> BLOCK_BITS, NOTHING)
        # What is being loaded, or was deleted, has rows but is in no list of streams.
        real = exists.nonzero()[0]
        there = self.counts(recording[real]) > (wanted[real] & (BLOCKS - 1))
        recording[real[~there]] = NOTHING
        shape = rows.shape
        return hashes[which].reshape(*shape, self.width), recording[which].reshape(shape)

    def of_each(self, work: Callable[[Shard], Result]) -> list[Result]:
        """Do something with each shard, all at once."""
        return self._all([(shard, work) for shard in self._shards.values()])

    def _of_owners(
        self,
        items: Sequence[Result],
        stream: Callable[[Result], int],
        ask: Callable[[Shard, list[Result]], np.ndarray],
    ) -> list[np.ndarray]:
        """Ask each shard about the items whose streams it holds."""
        parts: dict[int, list[Result]] = {}
        for item in items:
            parts.setdefault((stream(item) >> SIDE_BITS) % self._count, []).append(item)
        return self._all(
            [
                (self._shards[number], lambda shard, own=own: ask(shard, own))  # type: ignore[misc]
                for number, own in parts.items()
                if number in self._shards
            ]
        )

    def _all(self, tasks: Sequence[tuple[Shard, Callable[[Shard], Result]]]) -> list[Result]:
        if len(tasks) == 1:
            return [work(shard) for shard, work in tasks]
        with ThreadPoolExecutor(max(1, len(tasks))) as pool:
            futures = [pool.submit(work, shard) for shard, work in tasks]
            return [future.result() for future in futures]


def _runs(rows: np.ndarray) -> list[tuple[int, int]]:
    """Sum up ascending rows as (first, count) of runs within one stream."""
    if not len(rows):
        return []
    breaks = np.flatnonzero((np.diff(rows) != 1) | (np.diff(rows >> BLOCK_BITS) != 0)) + 1
    firsts = rows[np.concatenate([[0], breaks])]
    counts = np.diff(np.concatenate([[0], breaks, [len(rows)]]))
    return list(zip(firsts.tolist(), counts.tolist(), strict=True))
