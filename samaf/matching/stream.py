"""Candidates in a stream: each is given when it has ended, in constant memory.

The last half minute of hashes is looked at every 4 s, with the neighbors of each window searched
for once. A segment has ended when the stream went on for 6 s without it. One that is longer than
what is kept goes on as the segment that continues it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from samaf.index import Index, Neighbors, Table, sweeps
from samaf.index.neighbors import nothing
from samaf.matching.alignment import GAP_HASHES, moved
from samaf.matching.candidates import Candidate
from samaf.matching.hypotheses import PLAIN
from samaf.matching.matcher import Matcher
from samaf.matching.merging import (
    candidate_place,
    is_continued,
    is_same,
    joined_candidates,
    resolve,
)
from samaf.matching.search import NEIGHBORS, SLOPES_TRIED
from samaf.records import Hashes

KEPT_HASHES = 120  # 30 s
LOOK_HASHES = 16  # 4 s: what comes between two looks
HOUR_HASHES = 14_400  # 3600 s / 0.25 s


class Follower:
    """Follows one stream of hashes.

    Parameters
    ----------
    matcher
        Its maximum of false matches is that of an hour; its index may be another one later.
    """

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher
        self._start = 0  # of what is kept, in hashes of the stream
        self._new = 0  # hashes since the last look
        self._kept: Hashes | None = None
        self._neighbors: list[Neighbors] = []  # of what is kept, by sweep
        self._window_hashes = 0  # that they were searched for by
        self._table: Table | None = None
        self._open: list[Candidate] = []  # begun before what is kept
        self._given: list[Candidate] = []  # ended, but still among what is kept

    def feed(self, hashes: Hashes, index: Index) -> list[Candidate]:
        """Take the next hashes; give the candidates that have ended, in the stream's hops."""
        if not len(hashes):
            return []
        self._remember(hashes, index)
        self._new += len(hashes)
        if self._new < LOOK_HASHES:
            return []
        self._new = 0
        return self._ended(index, GAP_HASHES)

    def finish(self, index: Index) -> list[Candidate]:
        """Give what is still open, since the stream has ended."""
        if self._kept is None:
            return []
        # All of the stream may be shorter than a window.
        self._search(self._kept, index, min(self._matcher.window_hashes, len(self._kept)))
        return self._ended(index, 0)

    def _remember(self, hashes: Hashes, index: Index) -> None:
        if self._kept is not None:
            hashes = self._kept.followed_by(hashes)
        self._kept = hashes
        self._search(hashes, index, self._matcher.window_hashes)

    def _search(self, kept: Hashes, index: Index, window_hashes: int) -> None:
        """Look for the windows of what is kept that were not looked for in this index yet."""
        if self._table is not index.table:
            self._turn_to(index)
        if self._window_hashes != window_hashes:
            self._neighbors, self._window_hashes = [], window_hashes
        k = max(NEIGHBORS, self._matcher.k)
        for number, sweep in enumerate(sweeps(index, window_hashes)):
            if number == len(self._neighbors):
                self._neighbors.append(nothing(0, k))
            known = self._neighbors[number]
            if len(kept) - sweep.window_hashes + 1 > len(known.rows):
                new = sweep.search(kept.packed[len(known.rows) :], k)
                self._neighbors[number] = Neighbors(
                    np.concatenate([known.rows, new.rows]),
                    np.concatenate([known.distances, new.distances]),
                )

    def _turn_to(self, index: Index) -> None:
        """Go on with another state of the store: search again, find what is open there."""
        table = index.table
        if self._table is not None:
            for candidates in (self._open, self._given):
                places = [
                    table.find(f.recording_id, self._table.side(f.recording_index))
                    for f in candidates
                ]
                candidates[:] = [
                    replace(f, recording_index=place)
                    for f, place in zip(candidates, places, strict=True)
                    if place is not None
                ]
        self._table, self._neighbors = table, []
        self._matcher = replace(self._matcher, index=index)

    def _ended(self, index: Index, settled: int) -> list[Candidate]:
        """Look at all that is kept; give what ended ``settled`` hashes before now."""
        kept, table = self._kept, index.table
        comparisons = float(table.total) * HOUR_HASHES * SLOPES_TRIED
        if kept is None or not kept.informative.any():
            found = list(self._open)
        else:
            aligned = [
                segment
                for neighbors in self._neighbors
                if len(neighbors.rows)
                for segment in self._matcher.aligned((PLAIN, kept), neighbors, comparisons)
            ]
            candidates = self._matcher.candidates(aligned)
            found = self._continued([_later(c, self._start) for c in candidates])
        again = [
            f
            for f in found
            if not any(is_same(candidate_place(g), candidate_place(f)) for g in self._given)
        ]
        pool = resolve([*self._given, *again], self._matcher.k)
        now = self._start + (len(kept) if kept else 0)
        fresh = [f for f in pool if not any(f is g for g in self._given)]
        ended = [f for f in fresh if f.segment.stop <= now - settled]
        self._given += ended
        self._forget(now, [f for f in fresh if f.segment.stop > now - settled])
        return sorted(ended, key=lambda f: f.span)

    def _continued(self, found: list[Candidate]) -> list[Candidate]:
        """Join what was open with what continues it."""
        found = resolve(found, self._matcher.k)
        for before in self._open:
            after = next((f for f in found if is_continued(before, f)), None)
            if after is None:
                found.append(before)
                continue
            found.remove(after)
            found.append(joined_candidates(before, after))
        return found

    def _forget(self, now: int, unended: list[Candidate]) -> None:
        start = max(self._start, now - KEPT_HASHES)
        gone = start - self._start
        if self._kept is not None:
            self._kept = self._kept.cut(slice(gone, None))
        self._neighbors = [Neighbors(n.rows[gone:], n.distances[gone:]) for n in self._neighbors]
        self._start = start
        self._open = [f for f in unended if f.segment.first < start]
        self._given = [f for f in self._given if f.segment.stop > start]


def _later(candidate: Candidate, hops: int) -> Candidate:
    """Give the same candidate in a query that began ``hops`` hashes earlier."""
    span = (candidate.span[0] + hops, candidate.span[1] + hops)
    return replace(candidate, segment=moved(candidate.segment, hops), span=span)
