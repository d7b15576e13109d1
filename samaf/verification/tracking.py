"""How the lag of two recordings of one event goes on in time: offset, drift and jumps.

Windows of a few seconds of one recording are correlated with the other around the place that
is expected there. Each peak that stands out is an anchor. Clocks of recorders run at constant
speeds, so anchors lie on lines of one slope; where a recording was paused or cut, the line
jumps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from samaf.verification.correlation import (
    SampleAlignment,
    WhiteClip,
    against_all_lags,
    search,
)
from samaf.verification.signals import SAMPLE_RATE, Samples, Signal, cut

WINDOW = 4.0  # s of an anchor; shorter where little is shared
LEAST_WINDOW = 1.5
AROUND = 1.0  # s on either side of the place that is expected: the null of an anchor
STANDS_OUT = 7.0  # z of an anchor; 40,000 lags of noise reach 4.5
SPACING = 30.0  # s between anchors, closer where little is shared
LEAST_ANCHORS = 8  # wanted of a shared stretch
SILENT = 1e-4  # of full scale
SAME_LINE = 0.010  # s: anchors nearer lie on one line; rooms move the peak by less
SAME_SLOPE = 2e-4  # beyond, windows are compared once more at the slope that was found
WIDE = 0.0045  # of the slope, where the hashes' slope is not good enough
NEIGHBORS = 3  # anchors behind each that a slope is taken from: few are behind a jump
ASIDE = 0.5  # s beside the place expected, where the line may have jumped to
JUMP_PLACED = 0.5  # s: how exactly the place of a jump is looked for
FEWEST = 3  # anchors that make a line


@dataclass(frozen=True, slots=True)
class Guess:
    """A stretch that two recordings seem to share: ``first`` + t is at ``second`` + ``slope`` t.

    Seconds; ``length`` is that of the stretch in the first recording. Right to 0.3 s.
    """

    first: float
    second: float
    length: float
    slope: float = 1.0

    def place(self, moment: float) -> float:
        """Give where a moment of the first recording is in the second."""
        return self.second + (moment - self.first) * self.slope


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """Where moments of one recording are in another.

    Attributes
    ----------
    first, second
        float64 (n,): seconds, ascending.
    z
        float64 (n,): how far the peak of the correlation stands out.
    piece
        int64 (n,): from 0 on, one more behind each jump.
    tried
        Windows that held sound on both sides.
    """

    first: np.ndarray
    second: np.ndarray
    z: np.ndarray
    piece: np.ndarray
    tried: int

    def __len__(self) -> int:
        return len(self.first)


def track(first: Signal, second: Signal, guesses: Sequence[Guess]) -> Track:
    """Find anchors along guesses, which are in the order of time in both recordings.

    The first and the last guess are followed to the ends of the recordings. Only anchors that
    lie on lines of one slope are given.
    """
    stretches = _stretches(guesses, first.count / SAMPLE_RATE, second.count / SAMPLE_RATE)
    length = sum(stop - start for start, stop in stretches)
    window = float(np.clip(length / 4, LEAST_WINDOW, WINDOW))
    tracker = _Tracker(first, second, window)
    spacing = float(np.clip(length / LEAST_ANCHORS, window / 2, SPACING))
    anchors: list[_Anchor] = []
    for guess, stretch in zip(guesses, stretches, strict=True):
        anchors += tracker.along(guess, stretch, spacing)
    found = _on_lines(anchors, window)
    if len(found) >= FEWEST:
        found = tracker.with_jumps(found)
    return Track(
        np.array([anchor.first for anchor in found]),
        np.array([anchor.second for anchor in found]),
        np.array([anchor.z for anchor in found]),
        np.array([anchor.piece for anchor in found], np.int64),
        tracker.tried,
    )


def _stretches(guesses: Sequence[Guess], first: float, second: float) -> list[tuple[float, float]]:
    """Give start and stop in the first recording of each guess, those at the ends prolonged.

    ``first`` and ``second`` are the lengths of the recordings in seconds.
    """
    stretches = [[guess.first, guess.first + guess.length] for guess in guesses]
    start, end = guesses[0], guesses[-1]
    stretches[0][0] = min(start.first, max(0.0, start.first - start.second / start.slope))
    last = min(first, end.first + (second - end.second) / end.slope)
    stretches[-1][1] = max(end.first + end.length, last)
    return [(start, stop) for start, stop in stretches]


@dataclass(frozen=True, slots=True)
class _Anchor:
    first: float
    second: float
    z: float
    piece: int = 0


class _Tracker:
    """Two recordings that are compared at one moment after the other."""

    def __init__(self, first: Signal, second: Signal, window: float) -> None:
        self._first, self._second, self._window = first, second, window
        self._slope = 1.0
        self.tried = 0

    def along(self, guess: Guess, stretch: tuple[float, float], spacing: float) -> list[_Anchor]:
        """Find anchors along a guess, each looked for where the last one leads."""
        margin = min(self._window, stretch[1] - stretch[0]) / 2
        start, stop = stretch[0] + margin, max(stretch[0] + margin, stretch[1] - margin)
        moments = np.linspace(start, stop, max(1, round((stop - start) / spacing) + 1))
        found = self._follow(moments, guess)
        if len(found) >= FEWEST and abs(_slope(found) - guess.slope) > SAME_SLOPE:
            found = self._follow(moments, replace(guess, slope=_slope(found)))
        if len(found) < FEWEST <= len(moments):
            inside = guess.first + guess.length * (np.arange(LEAST_ANCHORS) + 0.5) / LEAST_ANCHORS
            seeds = [self._anchor(m, guess.place(m), guess.slope, WIDE) for m in inside.tolist()]
            slopes = [seed[1] for seed in seeds if seed and seed[0].z >= STANDS_OUT]
            if len(slopes) >= FEWEST:
                found = self._follow(moments, replace(guess, slope=float(np.median(slopes))))
        return found

    def _follow(self, moments: np.ndarray, guess: Guess) -> list[_Anchor]:
        """Look for anchors from the middle of a guess, where it is exactest, outwards."""
        found: list[_Anchor] = []
        split = int(np.searchsorted(moments, guess.first + guess.length / 2))
        for direction in (moments[split:], moments[:split][::-1]):
            off, on_line = 0.0, False
            for moment in direction.tolist():
                # Just behind the last anchor, the line may have jumped.
                aside = (0.0, -ASIDE, ASIDE) if on_line else (0.0,)
                on_line = tried = False
                for shift in aside:
                    expected = guess.place(moment) + off + shift
                    at = self._anchor(moment, expected, guess.slope, 0.0)
                    tried = tried or at is not None
                    if at and at[0].z >= STANDS_OUT:
                        found.append(at[0])
                        off = at[0].second - guess.place(at[0].first)
                        on_line = True
                        break
                self.tried += tried
        return sorted(found, key=lambda anchor: anchor.first)

    def _anchor(
        self, moment: float, expected: float, slope: float, reach: float
    ) -> tuple[_Anchor, float] | None:
        """Compare a window around a moment; give the anchor and the slope in it."""
        found = _compared(self._first, self._second, moment, expected, self._window, slope, reach)
        return found and (_Anchor(moment, found[0], found[1]), found[2])

    def with_jumps(self, anchors: list[_Anchor]) -> list[_Anchor]:
        """Add anchors around each jump, so that its place is known."""
        slope = _slope(anchors)
        found = list(anchors)
        for left, right in zip(anchors[:-1], anchors[1:], strict=True):
            if left.piece == right.piece:
                continue
            before, after = left, right
            while after.first - before.first > self._window / 2 + JUMP_PLACED:
                moment = (before.first + after.first) / 2
                # A window across the jump may show either line, whichever is looked at.
                places = [a.second + (moment - a.first) * slope for a in (before, after)]
                ats = [self._anchor(moment, place, slope, 0.0) for place in places]
                tries = [
                    replace(at[0], piece=anchor.piece)
                    for at in filter(None, ats)
                    for place, anchor in zip(places, (before, after), strict=True)
                    if abs(at[0].second - place) < SAME_LINE
                ]
                best = max(tries, key=lambda each: each.z, default=None)
                if best is None or best.z < STANDS_OUT:
                    break
                found.append(best)
                if best.piece == before.piece:
                    before = best
                else:
                    after = best
        return sorted(found, key=lambda anchor: anchor.first)


def lag_at(
    first: Signal, second: Signal, moment: float, expected: float, window: float, slope: float = 1.0
) -> tuple[float, float, float] | None:
    """Compare a window around a moment of one signal with what is around a place of another.

    Parameters
    ----------
    moment, expected, window
        Seconds; the place may be off by 0.3 s.
    slope
        Seconds of the second signal for each of the first.

    Returns
    -------
    Where the moment is in the second signal, in seconds, how many rms of the lags around its
    correlation stands out, and the slope in it. None where either side is silent or over.
    """
    return _compared(first, second, moment, expected, window, slope, 0.0)


def _compared(
    first: Signal,
    second: Signal,
    moment: float,
    expected: float,
    window: float,
    slope: float,
    reach: float,
) -> tuple[float, float, float] | None:
    around = AROUND + window / 2
    begin = round((moment - window / 2) * SAMPLE_RATE)
    count = round(window * SAMPLE_RATE)
    there = round((expected - around) * SAMPLE_RATE)
    clip = cut(first, begin, count)
    other = cut(second, there, round(2 * around * SAMPLE_RATE))
    loud, loud_there = np.abs(clip).max(initial=0), np.abs(other).max(initial=0)
    if min(loud, loud_there) < SILENT:
        return None
    white, signal = WhiteClip(clip / loud), Samples(other / loud_there)
    line = SampleAlignment(count / 2, expected * SAMPLE_RATE - there, slope)
    best = search(white, signal, line, reach)
    correlation = against_all_lags(white, signal, best)
    off = moment - (begin + count / 2) / SAMPLE_RATE  # of rounding to samples
    place = float((there + correlation.line.place) / SAMPLE_RATE + off)
    return place, correlation.z, correlation.line.step


def _slope(anchors: Sequence[_Anchor]) -> float:
    """Give the median slope between anchors that are close to each other (Theil and Sen)."""
    x = np.array([anchor.first for anchor in anchors])
    y = np.array([anchor.second for anchor in anchors])
    slopes, weights = [], []
    for apart in range(1, min(NEIGHBORS, len(x) - 1) + 1):
        run, rise = x[apart:] - x[:-apart], (y - x)[apart:] - (y - x)[:-apart]
        near = (run > 0) & (np.abs(rise) < WIDE * run + SAME_LINE / 2)
        slopes += (rise[near] / run[near]).tolist()
        weights += run[near].tolist()
    if not slopes:
        return 1.0
    order = np.argsort(slopes)
    heavy = np.cumsum(np.array(weights)[order])
    return 1.0 + float(np.array(slopes)[order][np.searchsorted(heavy, heavy[-1] / 2)])


def _on_lines(anchors: Sequence[_Anchor], window: float) -> list[_Anchor]:
    """Keep anchors that lie with others on lines of one slope, and number the lines.

    A line takes over where two anchors in a row agree on it; one alone is no line. Nor are those
    whose windows of ``window`` seconds all overlap, where there are others: they show one sound.
    """
    if len(anchors) < FEWEST:
        return []
    slope = _slope(anchors)
    level = [anchor.second - slope * anchor.first for anchor in anchors]
    found: list[_Anchor] = []
    now: float | None = None
    piece = -1
    for i, anchor in enumerate(anchors):
        if now is not None and abs(level[i] - now) < SAME_LINE:
            now += 0.2 * (level[i] - now)
        elif i + 1 < len(anchors) and abs(level[i + 1] - level[i]) < SAME_LINE:
            now, piece = level[i], piece + 1
        else:
            continue
        found.append(replace(anchor, piece=piece))
    long = [line for line in range(piece + 1) if _length(found, line) >= window]
    if long:
        found = [replace(a, piece=long.index(a.piece)) for a in found if a.piece in long]
    return found if len(found) >= FEWEST else []


def _length(anchors: Sequence[_Anchor], piece: int) -> float:
    moments = [anchor.first for anchor in anchors if anchor.piece == piece]
    return moments[-1] - moments[0]
