"""Landmarks: pairs of spectral peaks, which a sound keeps under other sounds, and where they recur.

After Wang, An Industrial-Strength Audio Search Algorithm (ISMIR 2003), section 2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from samaf.verification.signals import SAMPLE_RATE, Signal, cut

WINDOW, HOP = 1_024, 256  # samples
FRAME_SECONDS = HOP / SAMPLE_RATE
LOW, HIGH = 13, 320  # bins: 200 to 5,000 Hz
ALONE_FRAMES, ALONE_BINS = 7, 9  # on either side of a peak that no cell exceeds
AROUND_FRAMES = 31  # on either side, whose mean a peak exceeds: a held tone has no peaks
EXCEEDS = 1.25
FLOOR = 1e-6  # amplitude of a full-scale sine is 0.25
LEAST_AHEAD, MOST_AHEAD = 2, 31  # frames from a peak to the ones it is paired with
MOST_APART = 31  # bins
PAIRED = 5  # pairs of a peak
FRAMES_AT_ONCE = 16_384  # 4 minutes
APART = 60.0  # s between two sounds on a common axis of time: more than any gap of landmarks
LEAST_LAG = 2.0  # s between a segment and its repeat
VOTES = 6  # equal landmarks at one lag: in other sounds 1 of 10,000 segments of 5 s has 4
GAP = 2.5  # s between two of them
OFTEN = 50  # times the mean: landmarks that are more frequent say nothing
SAME_LAG = 2  # frames
PAIRS_AT_ONCE = 4_000_000  # of equal landmarks
FRAMES_BEYOND = round(60 / FRAME_SECONDS)  # in which what begins before is followed


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """Pairs of peaks.

    Attributes
    ----------
    keys
        uint32 (n,): the bin of the first, and how many bins and frames the second is away.
    frames
        int64 (n,): of the first, ascending.
    """

    keys: np.ndarray
    frames: np.ndarray


@dataclass(frozen=True, slots=True)
class Agreement:
    """A segment and where it recurs, in the same sound or another one.

    Attributes
    ----------
    start, stop
        First and last frame that equal landmarks show.
    lag
        Frames to the repeat; in the same sound more than 0.
    votes
        Equal landmarks.
    """

    start: float
    stop: float
    lag: float
    votes: int

    @property
    def loops(self) -> bool:
        """Whether the segment overlaps its repeat for a whole round or more."""
        return self.stop - self.start >= 2 * self.lag


def landmarks(signal: Signal) -> Landmarks:
    """Find the landmarks of a signal, about 160 a second."""
    frames = max(0, (signal.count - WINDOW) // HOP + 1)
    around = AROUND_FRAMES + ALONE_FRAMES
    found = []
    for begin in range(0, frames, FRAMES_AT_ONCE):
        count = min(FRAMES_AT_ONCE, frames - begin)
        # What lies around decides on peaks at the ends, too.
        amplitudes = _amplitudes(signal, begin - around, count + 2 * around)
        frame, bin_ = np.nonzero(_is_peak(amplitudes))
        inside = (frame >= around) & (frame < around + count)
        found.append(np.stack([frame[inside] + begin - around, bin_[inside]]))
    frame, bin_ = np.concatenate([np.empty((2, 0), np.int64), *found], axis=1)
    return _paired(frame, bin_)


def _amplitudes(signal: Signal, begin: int, count: int) -> np.ndarray:
    """Give the spectra of some frames, float32 (count, bins)."""
    samples = cut(signal, begin * HOP, (count - 1) * HOP + WINDOW)
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    window = np.hanning(WINDOW).astype(np.float32)
    spectra = np.fft.rfft(frames * window, axis=1, norm="forward")[:, LOW:HIGH]
    return np.abs(spectra)


def _is_peak(amplitudes: np.ndarray) -> np.ndarray:
    """Tell which cells no cell around exceeds, and that exceed the mean of their time."""
    highest = _maximum(_maximum(amplitudes, ALONE_FRAMES, 0), ALONE_BINS, 1)
    width = 2 * AROUND_FRAMES + 1
    padded = np.pad(amplitudes, ((AROUND_FRAMES + 1, AROUND_FRAMES), (0, 0)), mode="edge")
    sums = np.cumsum(padded, axis=0, dtype=np.float64)
    mean = (sums[width:] - sums[:-width]) / width
    return (amplitudes == highest) & (amplitudes > np.maximum(EXCEEDS * mean, FLOOR))


def _maximum(values: np.ndarray, reach: int, axis: int) -> np.ndarray:
    """Give the maximum of each cell and ``reach`` cells on either side of it along an axis."""
    values = np.moveaxis(values, axis, 0)
    width, length = 2 * reach + 1, 1
    out = np.pad(values, ((reach, reach), (0, 0)), constant_values=-np.inf)
    while length < width:  # the maximum of so many cells from each on
        step = min(length, width - length)
        out = np.maximum(out[:-step], out[step:])
        length += step
    return np.moveaxis(out, 0, axis)


def _paired(frame: np.ndarray, bin_: np.ndarray) -> Landmarks:
    """Pair each peak with the next ones; peaks come in the order of time."""
    keys, firsts = [np.empty(0, np.uint32)], [np.empty(0, np.int64)]
    left = np.full(len(frame), PAIRED)
    last = np.searchsorted(frame, frame + MOST_AHEAD, "right")
    for step in range(1, int((last - np.arange(len(frame))).max(initial=1))):
        ahead = frame[step:] - frame[:-step]
        apart = bin_[step:] - bin_[:-step]
        near = (ahead >= LEAST_AHEAD) & (ahead <= MOST_AHEAD) & (np.abs(apart) <= MOST_APART)
        at = np.flatnonzero(near & (left[:-step] > 0))
        left[at] -= 1
        key = (bin_[at] << 11) | ((apart[at] + MOST_APART) << 5) | ahead[at]
        keys.append(key.astype(np.uint32))
        firsts.append(frame[at])
    order = np.argsort(np.concatenate(firsts), kind="stable")
    return Landmarks(np.concatenate(keys)[order], np.concatenate(firsts)[order])


def on_one_axis(
    several: Sequence[Landmarks], seconds: Sequence[float]
) -> tuple[Landmarks, np.ndarray]:
    """Put the landmarks of sounds, so many seconds long, one behind the other.

    Returns
    -------
    All of them, and the frame that each sound begins at, int64 (n,).
    """
    spans = np.ceil((np.asarray(seconds, float) + APART) / FRAME_SECONDS)
    origins = (np.cumsum(spans) - spans).astype(np.int64)
    keys = [np.empty(0, np.uint32), *(each.keys for each in several)]
    frames = [each.frames + origin for each, origin in zip(several, origins, strict=True)]
    return (
        Landmarks(np.concatenate(keys), np.concatenate([np.empty(0, np.int64), *frames])),
        origins,
    )


class LandmarkIndex:
    """Landmarks by their keys, in which segments of other sounds are looked for."""

    def __init__(self, found: Landmarks) -> None:
        order = np.argsort(found.keys, kind="stable")
        self._keys, self._frames = found.keys[order], found.frames[order].astype(np.int32)
        kinds = np.count_nonzero(np.diff(self._keys)) + 1
        self._most = OFTEN * max(1.0, len(self._keys) / kinds)

    def agreements(self, other: Landmarks) -> list[Agreement]:
        """Find segments of another sound that recur here: several equal landmarks at one lag."""
        first = np.searchsorted(self._keys, other.keys, "left")
        counts = np.searchsorted(self._keys, other.keys, "right") - first
        counts[counts > self._most] = 0
        ends = np.cumsum(counts)
        if not counts.any():
            return []
        last = int(other.frames[-1]) + 1
        parts = max(1, int(ends[-1] // PAIRS_AT_ONCE))
        edges = np.linspace(0, last, parts + 1).astype(int).tolist()
        groups: list[Agreement] = []
        for begin, end in pairwise(edges):
            at = slice(*np.searchsorted(other.frames, [begin, end + FRAMES_BEYOND]).tolist())
            repeated = counts[at]
            offset = np.arange(repeated.sum()) - np.repeat(np.cumsum(repeated) - repeated, repeated)
            starts = np.repeat(other.frames[at], repeated)
            there = self._frames[np.repeat(first[at], repeated) + offset]
            groups += _grouped(starts, there - starts, end)
        return _merged(groups)


def agreements(found: Landmarks) -> list[Agreement]:
    """Find segments that recur: several equal landmarks at one lag."""
    if not len(found.keys):
        return []
    together = (found.keys.astype(np.uint64) << np.uint64(32)) | found.frames.astype(np.uint64)
    together.sort()
    frames = (together & np.uint64(0xFFFFFFFF)).astype(np.int32)
    keys = (together >> np.uint64(32)).astype(np.uint32)
    del together  # the landmarks of a day are 100 MB
    first = np.flatnonzero(np.concatenate([[True], np.diff(keys) != 0]))
    counts = np.diff(np.append(first, len(keys)))
    usual = counts <= OFTEN * max(1.0, float(counts.mean()))
    behind = np.repeat(np.where(usual, first + counts, first).astype(np.int32), counts)
    behind -= np.arange(1, len(behind) + 1, dtype=np.int32)
    np.maximum(behind, 0, out=behind)
    last = int(frames.max()) + 1
    parts = max(-(-last // FRAMES_AT_ONCE), int(behind.sum(dtype=np.int64) // PAIRS_AT_ONCE))
    edges = np.linspace(0, last, parts + 1).astype(int).tolist()
    groups = [
        group for begin, end in pairwise(edges) for group in _groups(frames, behind, begin, end)
    ]
    return _merged(groups)


def _groups(frames: np.ndarray, behind: np.ndarray, begin: int, end: int) -> Iterator[Agreement]:
    """Yield groups of equal landmarks at about one lag that begin in some frames.

    Parameters
    ----------
    frames
        int32 (n,): of all landmarks, equal ones next to each other and in the order of time.
    behind
        int32 (n,): how many of the next ones are equal to each.
    """
    at = np.flatnonzero((frames >= begin) & (frames < end + FRAMES_BEYOND))
    owner = np.repeat(at, behind[at])
    offset = np.arange(len(owner)) - np.repeat(np.cumsum(behind[at]) - behind[at], behind[at])
    lags = (frames[owner + 1 + offset] - frames[owner]).astype(np.int64)
    kept = lags >= LEAST_LAG / FRAME_SECONDS
    yield from _grouped(frames[owner[kept]], lags[kept], end)


def _grouped(starts: np.ndarray, lags: np.ndarray, end: int) -> Iterator[Agreement]:
    """Yield groups of equal landmarks at about one lag that begin before a frame.

    Parameters
    ----------
    starts
        Frames of landmarks, int (n,), 0 or more.
    lags
        Frames from each to an equal one, int64 (n,).
    """
    if not len(lags):
        return
    for phase in (0, 1):  # a lag between two frames is now the one, now the other
        bins = (lags + phase) >> 1
        order = np.argsort((bins << 32) | starts)
        lag, t = lags[order], starts[order]
        breaks = (np.diff(bins[order]) != 0) | (np.diff(t) > GAP / FRAME_SECONDS)
        edges = np.flatnonzero(np.concatenate([[True], breaks, [True]]))
        many = np.flatnonzero(np.diff(edges) >= VOTES)
        for a, b in zip(edges[many].tolist(), edges[many + 1].tolist(), strict=True):
            if t[a] < end:
                stop = int(t[b - 1]) + MOST_AHEAD
                yield Agreement(int(t[a]), stop, float(lag[a:b].mean()), b - a)


def _merged(groups: list[Agreement]) -> list[Agreement]:
    """Put groups together that are one: both phases, and the parts of what is long."""
    out: list[Agreement] = []
    latest: dict[int, int] = {}
    for group in sorted(groups, key=lambda g: g.start):
        bins = range(round(group.lag) - SAME_LAG, round(group.lag) + SAME_LAG + 1)
        known = {latest[b] for b in bins if b in latest and out[latest[b]].stop >= group.start}
        if known:
            n = max(known)
            strong = max(out[n], group, key=lambda g: g.votes)
            out[n] = replace(strong, start=out[n].start, stop=max(out[n].stop, group.stop))
        else:
            n = len(out)
            out.append(group)
        latest[round(group.lag)] = n
    return out
