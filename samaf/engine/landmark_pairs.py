"""Pairs of segments of files that hold the same sound: landmarks propose, the waveform decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from samaf.audio import Audio
from samaf.matching.pieces import Pair, Place
from samaf.matching.repeats import RepeatPair
from samaf.verification.lags import lag_between
from samaf.verification.landmarks import (
    APART,
    FRAME_SECONDS,
    Agreement,
    agreements,
    landmarks,
    on_one_axis,
)

AGREES = 30.0  # z of windows; what one voice says twice reaches 16, rarely 28
# Other sounds have up to 13 equal landmarks at one lag. Where there are more, and the lag that the
# waveform shows is the same, a lower z is enough.
MANY, AGREES_TOO = 20, 8.0
ENOUGH = 8  # pairs that a moment is in: more tell nothing new
MOMENT = 0.5  # s
IN_LOOP = 0.9  # share of what is in one loop


def landmark_pairs(
    audios: Sequence[Audio], on_progress: Callable[[int, int], None]
) -> list[RepeatPair]:
    """Find pairs of segments that hold the same sound, in one file or two.

    Of a sound that recurs many times not all pairs are given, see `ENOUGH`.
    """
    marks = []
    for audio in audios:
        marks.append(landmarks(audio))
        on_progress(len(marks), len(audios))
    durations = [audio.duration for audio in audios]
    together, origins = on_one_axis(marks, durations)
    starts = origins * FRAME_SECONDS
    pairs: list[RepeatPair] = []
    seen = _Seen(sum(durations) + (len(durations) + 1) * APART)
    for found in sorted(agreements(together), key=_order):
        if seen.in_loop(found):
            continue
        rounds = [both for both in _rounds(found) if not all(map(seen.enough, both))]
        decided = [_decided(both, found.votes >= MANY, starts, audios) for both in rounds]
        for both, pair in zip(rounds, decided, strict=True):
            if pair:
                pairs.append(pair)
                seen.add(both)
        if found.loops and any(decided):
            seen.add_loop(found)
    return sorted(pairs, key=lambda p: (p.first_recording, p.pair.first, p.second_recording))


def _order(found: Agreement) -> tuple[bool, float, int]:
    """Sort loops first, by their periods; then what most landmarks agree on."""
    return not found.loops, found.lag if found.loops else 0.0, -found.votes


def _rounds(found: Agreement) -> list[tuple[Place, Place]]:
    """Give a place and its repeat, round by round in a loop, in seconds."""
    start, lag = found.start * FRAME_SECONDS, found.lag * FRAME_SECONDS
    stop = start + lag if found.loops else found.stop * FRAME_SECONDS
    count = round((found.stop - found.start) / found.lag) if found.loops else 1
    places = [(start + n * lag, stop + n * lag) for n in range(count + 1)]
    return list(zip(places[:-1], places[1:], strict=True))


class _Seen:
    """What is known of each moment of the common axis: how many pairs, and which loop, it is in."""

    def __init__(self, seconds: float) -> None:
        self._counts, self._loops = np.zeros((2, int(seconds / MOMENT) + 2), np.int32)
        self._number = 0

    def enough(self, place: Place) -> bool:
        """Whether each moment of a place is in enough pairs."""
        return bool(self._counts[_moments(place)].min() >= ENOUGH)

    def add(self, both: tuple[Place, Place]) -> None:
        """Count the places of a pair."""
        for place in both:
            self._counts[_moments(place)] += 1

    def in_loop(self, found: Agreement) -> bool:
        """Whether both places are in one loop, which agrees with itself at several lags."""
        loops = self._loops[_moments(_whole(found))]
        middle = loops[len(loops) // 2]
        return bool(middle and (loops == middle).mean() >= IN_LOOP)

    def add_loop(self, found: Agreement) -> None:
        """Note the place of a loop."""
        self._number += 1
        self._loops[_moments(_whole(found))] = self._number


def _moments(place: Place) -> slice:
    return slice(int(place[0] / MOMENT), int(place[1] / MOMENT) + 1)


def _whole(found: Agreement) -> Place:
    return found.start * FRAME_SECONDS, (found.stop + found.lag) * FRAME_SECONDS


def _decided(
    both: tuple[Place, Place], is_likely: bool, starts: np.ndarray, audios: Sequence[Audio]
) -> RepeatPair | None:
    """Let the waveform decide on two places of the common axis; the lag is right to a sample."""
    one, other = (int(np.searchsorted(starts, start, "right")) - 1 for start, _ in both)
    a, b = (float(t - starts[one]) for t in both[0])
    expected = float(both[1][0] - starts[other]) - a
    least = AGREES_TOO if is_likely else AGREES
    lag = lag_between(audios[one], audios[other], (a, b), expected, least)
    if lag is None or (is_likely and abs(lag - expected) > FRAME_SECONDS):
        return None
    return RepeatPair(one, other, Pair((a, b), (a + lag, b + lag)))
