"""Candidates in a stream: each is given when it has ended, in constant memory.

The last half minute of hashes is looked at again and again, with the neighbors of each
window searched for once. A segment has ended when the stream went on for 6 s without it. One
that is longer than what is kept goes on as the segment that continues it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from samaf.fingerprinters import ScoreCalibration
from samaf.index import HashTable, Index, Neighbors
from samaf.matching.alignment import GAP_HASHES, Alignment, Segment, moved
from samaf.matching.hypotheses import PLAIN
from samaf.matching.search import (
    MAX_OVERLAP,
    NEIGHBORS,
    SLOPES_TRIED,
    Candidate,
    candidates,
    log10_evalues,
    overlap,
    resolve,
)
from samaf.records import Hashes

KEPT_HASHES = 120  # 30 s
HOUR_HASHES = 14_400  # 3600 s / 0.25 s
SAME_LINE = 2.0  # hops that two segments of one alignment may lie apart


class Follower:
    """Follows one stream of hashes.

    Parameters
    ----------
    window_hashes
        Hashes that are searched for at once.
    max_false_matches
        Maximum expected false matches in an hour.
    k
        Candidates to give at most for one segment of the stream.
    """

    def __init__(
        self, window_hashes: int, calibration: ScoreCalibration, max_false_matches: float, k: int
    ) -> None:
        self._window_hashes = window_hashes
        self._calibration = calibration
        self._max_false_matches = max_false_matches
        self._k = k
        self._start = 0  # of what is kept, in hashes of the stream
        self._kept: Hashes | None = None
        self._neighbors: Neighbors | None = None
        self._table: HashTable | None = None
        self._open: list[Candidate] = []  # begun before what is kept
        self._given: list[Candidate] = []  # ended, but still among what is kept

    def feed(self, hashes: Hashes, index: Index) -> list[Candidate]:
        """Take the next hashes; give the candidates that have ended, in the stream's hops."""
        if not len(hashes):
            return []
        self._remember(hashes, index)
        return self._ended(index, GAP_HASHES)

    def finish(self, index: Index) -> list[Candidate]:
        """Give what is still open, since the stream has ended."""
        if self._kept is None:
            return []
        # All of the stream may be shorter than a window.
        self._search(self._kept, index, min(self._window_hashes, len(self._kept)))
        return self._ended(index, 0)

    def _remember(self, hashes: Hashes, index: Index) -> None:
        if self._kept is not None:
            hashes = self._kept.followed_by(hashes)
        self._kept = hashes
        self._search(hashes, index, self._window_hashes)

    def _search(self, kept: Hashes, index: Index, window_hashes: int) -> None:
        """Look for the windows of what is kept that were not looked for in this index yet."""
        if self._table is not index.table:
            self._turn_to(index.table)
        searched = 0 if self._neighbors is None else len(self._neighbors.rows)
        if len(kept) - window_hashes + 1 <= searched:
            return
        new = index.search(kept.packed[searched:], window_hashes, NEIGHBORS)
        if self._neighbors is None:
            self._neighbors = new
        else:
            self._neighbors = Neighbors(
                np.concatenate([self._neighbors.rows, new.rows]),
                np.concatenate([self._neighbors.distances, new.distances]),
            )

    def _turn_to(self, table: HashTable) -> None:
        """Go on with another state of the store: search anew, find what is open there."""
        if self._table is not None:
            place = {int(number): at for at, number in enumerate(table.recording_ids)}
            ids = self._table.recording_ids
            for candidates in (self._open, self._given):
                candidates[:] = [
                    replace(f, recording_index=place[int(ids[f.recording_index])])
                    for f in candidates
                    if int(ids[f.recording_index]) in place
                ]
        self._table, self._neighbors = table, None

    def _ended(self, index: Index, settled: int) -> list[Candidate]:
        """Look at all that is kept; give what ended ``settled`` hashes before now."""
        kept, neighbors, table = self._kept, self._neighbors, index.table
        if kept is None or neighbors is None or not kept.informative.any():
            found = list(self._open)
        else:
            comparisons = float(table.total) * HOUR_HASHES * SLOPES_TRIED
            seen = candidates(
                PLAIN,
                kept,
                neighbors,
                table,
                comparisons,
                self._calibration,
                self._max_false_matches,
            )
            found = self._continued([_later(f, self._start) for f in seen], comparisons)
        again = [f for f in found if not any(_is_same(g, f) for g in self._given)]
        pool = resolve([*self._given, *again], self._k)
        now = self._start + (len(kept) if kept else 0)
        fresh = [f for f in pool if not any(f is g for g in self._given)]
        ended = [f for f in fresh if f.segment.stop <= now - settled]
        self._given += ended
        self._forget(now, [f for f in fresh if f.segment.stop > now - settled])
        return sorted(ended, key=lambda f: f.span)

    def _continued(self, found: list[Candidate], comparisons: float) -> list[Candidate]:
        """Join what was open with what continues it."""
        found = resolve(found, self._k)
        for before in self._open:
            after = next((f for f in found if _continues(before, f)), None)
            if after is None:
                found.append(before)
                continue
            found.remove(after)
            whole = joined(before, after)
            chance, weighted_log10_evalue = log10_evalues(
                whole.segment, comparisons, self._calibration
            )
            found.append(
                replace(whole, log10_evalue=chance, weighted_log10_evalue=weighted_log10_evalue)
            )
        return found

    def _forget(self, now: int, unended: list[Candidate]) -> None:
        start = max(self._start, now - KEPT_HASHES)
        gone = start - self._start
        if self._kept is not None:
            self._kept = self._kept.cut(slice(gone, None))
        if self._neighbors is not None:
            self._neighbors = Neighbors(
                self._neighbors.rows[gone:], self._neighbors.distances[gone:]
            )
        self._start = start
        self._open = [f for f in unended if f.segment.first < start]
        self._given = [f for f in self._given if f.segment.stop > start]


def _later(candidate: Candidate, hops: int) -> Candidate:
    """Give the same candidate in a query that began ``hops`` hashes earlier."""
    span = (candidate.span[0] + hops, candidate.span[1] + hops)
    return replace(candidate, segment=moved(candidate.segment, hops), span=span)


def joined(before: Candidate, after: Candidate) -> Candidate:
    """Make one candidate of two of the same alignment; the later one counts where both are."""
    a, b = before.segment, after.segment
    if b.first <= a.first:
        return after
    if b.stop <= a.stop:
        return before
    early = b.first - a.first
    there, until = a.reference(a.first), b.reference(b.stop)
    slope = (until - there) / (b.stop - a.first)
    alignment = Alignment(
        b.alignment.recording_index, there - slope * a.first, slope, a.first, b.stop
    )
    ber, weighted_ber = (
        (before * early + after * b.hashes) / (early + b.hashes)
        for before, after in ((a.ber, b.ber), (a.weighted_ber, b.weighted_ber))
    )
    segment = Segment(alignment, a.first, b.stop, ber, weighted_ber, 0.0, a.begin, b.end)
    return replace(after, segment=segment, span=(before.span[0], after.span[1]))


def _continues(before: Candidate, after: Candidate) -> bool:
    a, b = before.segment, after.segment
    if (
        before.recording_index != after.recording_index
        or b.first > a.stop + GAP_HASHES
        or b.stop < a.first
    ):
        return False
    at = max(a.first, min(a.stop, b.first))
    return abs(a.reference(at) - b.reference(at)) <= SAME_LINE + GAP_HASHES / KEPT_HASHES


def _is_same(given: Candidate, found: Candidate) -> bool:
    return given.recording_index == found.recording_index and overlap(given, found) > MAX_OVERLAP
