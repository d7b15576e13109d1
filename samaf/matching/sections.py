"""Long recordings, section by section: memory does not grow, and each is decided by itself.

Sections overlap, so that each short segment lies whole in one. What is found is joined
again where it goes on from one section to the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import inf, log, log10

import numpy as np

from samaf.matching.search import Candidate
from samaf.records import Match

SECTION_SECONDS = 16.0
STEP_SECONDS = 12.0  # segments of up to 4 s lie whole in a section
SAME_PLACE = 0.5  # s that two parts of one segment may lie apart in the reference
TOUCHING = 1.5  # s between two parts of one segment
SAME_FACTOR = 0.04  # of log factors that they may differ by
MAX_OVERLAP = 0.5  # share of a match that a better one may cover


def sections(samples: np.ndarray, sample_rate: int) -> list[tuple[float, float, np.ndarray]]:
    """Cut a recording into overlapping sections, views of its samples.

    Returns
    -------
    Start and length in seconds, and the samples, float32 (m,). What is no longer than a
    section is one.
    """
    size, step = round(SECTION_SECONDS * sample_rate), round(STEP_SECONDS * sample_rate)
    starts = range(0, max(1, len(samples) - size + step), step)
    cut = [(start, samples[start : start + size]) for start in starts]
    return [(start / sample_rate, len(part) / sample_rate, part) for start, part in cut]


class Cutter:
    """Cuts a stream into the sections that `sections` cuts a recording into, as it comes."""

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._size = round(SECTION_SECONDS * sample_rate)
        self._step = round(STEP_SECONDS * sample_rate)
        self._start = 0
        self._kept = np.empty(0, np.float32)

    def feed(self, samples: np.ndarray) -> Iterator[tuple[float, np.ndarray]]:
        """Yield start in seconds and samples of each section that samples (n,) complete."""
        self._kept = np.concatenate([self._kept, samples])
        while len(self._kept) >= self._size:
            yield self._start / self._sample_rate, self._kept[: self._size]
            self._kept = self._kept[self._step :]
            self._start += self._step

    def finish(self) -> Iterator[tuple[float, np.ndarray]]:
        """Yield what is left, unless the last section held all of it."""
        if not self._start or len(self._kept) > self._size - self._step:
            yield self._start / self._sample_rate, self._kept


class Joiner:
    """Joins what sections give as they come; each match is given when it has ended.

    Parameters
    ----------
    k
        Matches to give at most for one segment.
    """

    def __init__(self, k: int) -> None:
        self._k = k
        self._open: list[Match] = []
        self._given: list[Match] = []  # not long ago

    def add(self, matches: Sequence[Match], following: float) -> list[Match]:
        """Take what one section gave; tell what no later one can change.

        Parameters
        ----------
        matches
            In seconds of the stream.
        following
            Where the next section starts, s.
        """
        found = _resolved(_wholes([*self._open, *matches]), self._k, self._given)
        ended = [m for m in found if m.query_stop + TOUCHING < following]
        self._open = [m for m in found if m.query_stop + TOUCHING >= following]
        lately = following - SECTION_SECONDS
        self._given = [m for m in [*self._given, *ended] if m.query_stop > lately]
        return sorted(ended, key=lambda m: m.query_start)

    def finish(self) -> list[Match]:
        """Tell what is still open, since the stream has ended."""
        return self.add([], inf)


def of_many(found: Sequence[Candidate], sections: float) -> list[Candidate]:
    """Give what one of so many sections found with the false candidates to expect in all."""
    return [replace(f, log10_evalue=f.log10_evalue + log10(sections)) for f in found]


def later(match: Match, seconds: float) -> Match:
    """Give a match in a query that began so much earlier."""
    return replace(
        match, query_start=match.query_start + seconds, query_stop=match.query_stop + seconds
    )


def join(matches: Sequence[Match], k: int) -> tuple[Match, ...]:
    """Put together what sections gave: parts of one segment joined, overlaps resolved.

    Parameters
    ----------
    k
        Matches to keep at most for one segment of the query.

    Returns
    -------
    Best first. A joined match has the score of its best part, the least that it is worth.
    """
    return tuple(_resolved(_wholes(matches), k))


def _wholes(matches: Sequence[Match]) -> list[Match]:
    """Put parts of one segment together."""
    whole: list[Match] = []
    for match in sorted(matches, key=lambda m: m.query_start):
        before = next((w for w in reversed(whole) if _continues(w, match)), None)
        if before is None:
            whole.append(match)
        else:
            whole[whole.index(before)] = _joined(before, match)
    return whole


def _resolved(matches: Sequence[Match], k: int, given: Sequence[Match] = ()) -> list[Match]:
    """Keep the best of overlapping candidates, best first; what was given before stands."""
    kept = list(given)
    for match in sorted(matches, key=lambda m: (-m.score, m.query_start)):
        covering = [m for m in kept if _covered(match, m) > MAX_OVERLAP]
        again = any(m.recording == match.recording for m in covering)
        if not again and len(covering) < k:
            kept.append(match)
    return kept[len(given) :]


def _covered(worse: Match, better: Match) -> float:
    both = min(worse.query_stop, better.query_stop) - max(worse.query_start, better.query_start)
    return max(0.0, both) / (worse.query_stop - worse.query_start)


def _continues(before: Match, after: Match) -> bool:
    """Tell whether two matches are parts of one segment."""
    a, b = before.manipulation, after.manipulation
    if before.recording != after.recording or a.reversed != b.reversed:
        return False
    if max(abs(log(a.tau / b.tau)), abs(log(a.rho / b.rho))) > SAME_FACTOR:
        return False
    touching = after.query_start <= before.query_stop + TOUCHING
    there = _reference(before, (after.query_start + after.query_stop) / 2)
    middle = (after.reference_start + after.reference_stop) / 2
    return touching and abs(there - middle) <= SAME_PLACE + SAME_FACTOR * STEP_SECONDS / 2


def _reference(match: Match, moment: float) -> float:
    """Give where in the reference a moment of the query lies."""
    # From its end on: over a long segment a small error of the time factor adds up.
    backwards = match.manipulation.reversed
    there = match.reference_start if backwards else match.reference_stop
    apart = (moment - match.query_stop) / match.manipulation.tau
    return there - apart if backwards else there + apart


def _joined(before: Match, after: Match) -> Match:
    """Make one match of two; the better one tells everything but the boundaries."""
    better = max(before, after, key=lambda m: m.score)
    first, last = before.query_stop - before.query_start, after.query_stop - after.query_start
    return replace(
        better,
        query_start=before.query_start,
        query_stop=max(before.query_stop, after.query_stop),
        reference_start=min(before.reference_start, after.reference_start),
        reference_stop=max(before.reference_stop, after.reference_stop),
        ber=(before.ber * first + after.ber * last) / (first + last),
    )
