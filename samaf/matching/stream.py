"""Findings in a stream: each is given when it has ended, in constant memory.

The last half minute of hashes is looked at again and again, with the neighbours of each
window searched for once. A stretch has ended when the stream went on for 6 s without it. One
that is longer than what is kept goes on as the stretch that continues it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from samaf.fingerprinters import Confidence
from samaf.index import HashTable, Index, Nearest
from samaf.matching.alignment import GAP_HASHES, Line, Stretch, moved
from samaf.matching.hypotheses import PLAIN
from samaf.matching.search import (
    NEIGHBOURS,
    SAME_CLAIM,
    SLOPES_TRIED,
    Finding,
    chances_of,
    claims,
    overlap,
    resolve,
)
from samaf.records import Hashes

KEPT_HASHES = 120  # 30 s
HOUR_HASHES = 14_400  # 3600 s / 0.25 s
SAME_LINE = 2.0  # hops that two stretches of one alignment may lie apart


class Follower:
    """Follows one stream of hashes.

    Parameters
    ----------
    granularity
        Hashes that are searched for at once.
    rate
        Expected number of false findings to put up with in an hour.
    k
        Findings to give at most for one stretch of the stream.
    """

    def __init__(self, granularity: int, confidence: Confidence, rate: float, k: int) -> None:
        self._granularity = granularity
        self._confidence = confidence
        self._rate = rate
        self._k = k
        self._start = 0  # of what is kept, in hashes of the stream
        self._kept: Hashes | None = None
        self._nearest: Nearest | None = None
        self._table: HashTable | None = None
        self._open: list[Finding] = []  # begun before what is kept
        self._given: list[Finding] = []  # ended, but still among what is kept

    def feed(self, hashes: Hashes, index: Index) -> list[Finding]:
        """Hear the next hashes; give the findings that have ended, in the stream's hops."""
        if not len(hashes):
            return []
        self._remember(hashes, index)
        return self._ended(index, GAP_HASHES)

    def finish(self, index: Index) -> list[Finding]:
        """Give what is still open, since the stream has ended."""
        if self._kept is None:
            return []
        # All of the stream may be shorter than a window.
        self._search(self._kept, index, min(self._granularity, len(self._kept)))
        return self._ended(index, 0)

    def _remember(self, hashes: Hashes, index: Index) -> None:
        if self._kept is not None:
            hashes = self._kept.followed_by(hashes)
        self._kept = hashes
        self._search(hashes, index, self._granularity)

    def _search(self, kept: Hashes, index: Index, granularity: int) -> None:
        """Look for the windows of what is kept that were not looked for in this index yet."""
        if self._table is not index.table:
            self._turn_to(index.table)
        searched = 0 if self._nearest is None else len(self._nearest.rows)
        if len(kept) - granularity + 1 <= searched:
            return
        new = index.search(kept.packed[searched:], granularity, NEIGHBOURS)
        if self._nearest is None:
            self._nearest = new
        else:
            self._nearest = Nearest(
                np.concatenate([self._nearest.rows, new.rows]),
                np.concatenate([self._nearest.distances, new.distances]),
            )

    def _turn_to(self, table: HashTable) -> None:
        """Go on with another state of the store: search anew, find what is open there."""
        if self._table is not None:
            place = {int(number): at for at, number in enumerate(table.recording_ids)}
            ids = self._table.recording_ids
            for findings in (self._open, self._given):
                findings[:] = [
                    replace(f, recording=place[int(ids[f.recording])])
                    for f in findings
                    if int(ids[f.recording]) in place
                ]
        self._table, self._nearest = table, None

    def _ended(self, index: Index, settled: int) -> list[Finding]:
        """Look at all that is kept; give what ended ``settled`` hashes before now."""
        kept, nearest, table = self._kept, self._nearest, index.table
        if kept is None or nearest is None or not kept.informative.any():
            found = list(self._open)
        else:
            compared = float(table.total) * HOUR_HASHES * SLOPES_TRIED
            seen = claims(PLAIN, kept, nearest, table, compared, self._confidence, self._rate)
            found = self._continued([_later(f, self._start) for f in seen], compared)
        again = [f for f in found if not any(_is_same(g, f) for g in self._given)]
        pool = resolve([*self._given, *again], self._k)
        now = self._start + (len(kept) if kept else 0)
        fresh = [f for f in pool if not any(f is g for g in self._given)]
        ended = [f for f in fresh if f.stretch.stop <= now - settled]
        self._given += ended
        self._forget(now, [f for f in fresh if f.stretch.stop > now - settled])
        return sorted(ended, key=lambda f: f.span)

    def _continued(self, found: list[Finding], compared: float) -> list[Finding]:
        """Join what was open with what continues it."""
        found = resolve(found, self._k)
        for before in self._open:
            after = next((f for f in found if _continues(before, f)), None)
            if after is None:
                found.append(before)
                continue
            found.remove(after)
            whole = joined(before, after)
            chance, merit = chances_of(whole.stretch, compared, self._confidence)
            found.append(replace(whole, log10_false=chance, merit=merit))
        return found

    def _forget(self, now: int, unended: list[Finding]) -> None:
        start = max(self._start, now - KEPT_HASHES)
        gone = start - self._start
        if self._kept is not None:
            self._kept = self._kept.cut(slice(gone, None))
        if self._nearest is not None:
            self._nearest = Nearest(self._nearest.rows[gone:], self._nearest.distances[gone:])
        self._start = start
        self._open = [f for f in unended if f.stretch.first < start]
        self._given = [f for f in self._given if f.stretch.stop > start]


def _later(finding: Finding, hops: int) -> Finding:
    """Give the same finding in a query that began ``hops`` hashes earlier."""
    span = (finding.span[0] + hops, finding.span[1] + hops)
    return replace(finding, stretch=moved(finding.stretch, hops), span=span)


def joined(before: Finding, after: Finding) -> Finding:
    """Make one finding of two of the same alignment; the later one counts where both are."""
    a, b = before.stretch, after.stretch
    if b.first <= a.first:
        return after
    if b.stop <= a.stop:
        return before
    early = b.first - a.first
    there, until = a.reference(a.first), b.reference(b.stop)
    slope = (until - there) / (b.stop - a.first)
    line = Line(b.line.recording, there - slope * a.first, slope, a.first, b.stop)
    ber, rate = (
        (before * early + after * b.hashes) / (early + b.hashes)
        for before, after in ((a.ber, b.ber), (a.rate, b.rate))
    )
    stretch = Stretch(line, a.first, b.stop, ber, rate, 0.0, a.begin, b.end)
    return replace(after, stretch=stretch, span=(before.span[0], after.span[1]))


def _continues(before: Finding, after: Finding) -> bool:
    a, b = before.stretch, after.stretch
    if before.recording != after.recording or b.first > a.stop + GAP_HASHES or b.stop < a.first:
        return False
    at = max(a.first, min(a.stop, b.first))
    return abs(a.reference(at) - b.reference(at)) <= SAME_LINE + GAP_HASHES / KEPT_HASHES


def _is_same(given: Finding, found: Finding) -> bool:
    return given.recording == found.recording and overlap(given, found) > SAME_CLAIM
