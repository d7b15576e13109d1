"""A piece that recurs, averaged over its places: where it begins, where it ends, where else it is.

Places are whitened and added up at equal times of the piece. What is the same in all of them adds
up, what lies over one of them, such as a voice, does not. So the mean is found again also where
two single places hardly agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from samaf.verification.correlation import HIGH, LOW
from samaf.verification.signals import (
    LEVEL_FRAME,
    SAMPLE_RATE,
    Signal,
    cut,
    fast_length,
    forward,
    levelled,
    smoothed,
    whitened,
)
from samaf.verification.tracking import SILENT

HOP = SAMPLE_RATE // 20  # of the windows that are compared
WINDOW_HOPS = 5  # 0.25 s
BLOCK = 160 * HOP  # 8 s of all places at once
CONTEXT = SAMPLE_RATE // 2  # on either side of a block, for an even level
MEMBERS = 24  # places that are averaged; all others are compared with their mean
LEAST_ENERGY = 1e-3  # of white sound of rms 1: below is silence
FEW = 0.06  # mean correlation of pairs that is always enough; other music reaches 0.05
LEAST_FEW = 0.02
OUTSIDE = 3.0  # times what lies beyond a piece reaches
PAIR_NOISE = 0.08  # four deviations of a window of one pair, of sounds that share nothing
HALF = 0.5  # share of the places that must go on
OWN = 0.1  # least correlation of a place with the mean of the others
# A window of 0.25 s agrees as soon as a third of it does.
EARLY = (0.5 - 1 / 3) * WINDOW_HOPS * HOP / SAMPLE_RATE
BEYOND = 4.0  # s on either side of a piece where it may go on
NEAR_END = 0.5  # s from the end of what was looked at
MOST_ROUNDS = 16  # in which a piece goes on
TEMPLATE = 8.0  # s of the middle that are searched for
SIZE = 1 << 19  # of the FFT
STEP = 100  # 10 ms of lags at 10 kHz
AROUND = 1_600  # steps of which the rms is taken: a loop is high at many of its lags
STANDS_OUT = 12.0  # rms of the lags around
NORMAL_MEDIAN = 0.455  # of the square of a normal number


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A place of a piece: the second of a signal at which the time of the piece is zero."""

    signal: int
    origin: float


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """How places agree along the time of their piece.

    Attributes
    ----------
    moments
        float64 (m,): middles of windows of 0.25 s, seconds of the piece.
    together
        float64 (m,): mean correlation of pairs of places, 0 in silence.
    each
        float64 (n, m): correlation of each place with the mean of the others, 0 in silence.
    silent
        bool (m,): where all places are silent.
    """

    moments: np.ndarray
    together: np.ndarray
    each: np.ndarray
    silent: np.ndarray


def white(signal: Signal, first: int, count: int) -> np.ndarray:
    """Give samples levelled and whitened, with rms 1, float32 (count,); zeros in silence."""
    begin = first - CONTEXT
    samples = cut(signal, begin, count + 2 * CONTEXT)
    loud = np.abs(samples).max(initial=0)
    if loud < SILENT:
        return np.zeros(count, np.float32)
    size = fast_length(len(samples))
    spectrum = whitened(levelled(samples / loud), size, LOW, HIGH)
    # What the filter rings into silence would agree wherever the same sound comes next to it.
    frames = np.pad(np.abs(samples), (0, -len(samples) % LEVEL_FRAME)).reshape(-1, LEVEL_FRAME)
    sounds = np.repeat(frames.max(axis=1) >= SILENT, LEVEL_FRAME)[: len(samples)]
    out = (np.fft.irfft(spectrum, size)[: len(samples)] * sounds)[CONTEXT : CONTEXT + count]
    return np.asarray(out / max(float(out.std()), 1e-9), np.float32)


def profile(
    signals: Sequence[Signal], places: Sequence[Occurrence], start: float, stop: float
) -> Profile:
    """Compare all places from ``start`` to ``stop``, seconds of the piece."""
    hops = max(WINDOW_HOPS, round((stop - start) * SAMPLE_RATE / HOP))
    members = _members(len(places))
    energy, product, own = (np.empty((n, hops)) for n in (1, len(places), len(places)))
    for begin in range(0, hops * HOP, BLOCK):
        count = min(BLOCK, hops * HOP - begin)

        def read(place: Occurrence, begin: int = begin, count: int = count) -> np.ndarray:
            first = round((place.origin + start) * SAMPLE_RATE) + begin
            return white(signals[place.signal], first, count).reshape(-1, HOP)

        averaged = {n: read(places[n]) for n in members}
        total = np.sum(list(averaged.values()), axis=0)
        at = slice(begin // HOP, (begin + count) // HOP)
        energy[0, at] = np.square(total).sum(axis=1)
        for n, place in enumerate(places):
            rows = averaged[n] if n in averaged else read(place)
            product[n, at] = (rows * total).sum(axis=1)
            own[n, at] = np.square(rows).sum(axis=1)
    energy, product, own = (_windows(values) for values in (energy, product, own))
    least = LEAST_ENERGY * WINDOW_HOPS * HOP
    among = own[members].sum(axis=0)
    silent = among < least
    together = (energy[0] - among) / np.maximum((len(members) - 1) * among, least)
    is_member = np.isin(np.arange(len(places)), members)[:, None]
    others = np.where(is_member, energy - 2 * product + own, energy)
    norm = np.sqrt(np.maximum(others, 0) * own)
    each = np.where(is_member, product - own, product) / np.maximum(norm, least)
    moments = start + (np.arange(len(silent)) + WINDOW_HOPS / 2) * HOP / SAMPLE_RATE
    return Profile(moments, together, each, silent)


def _members(count: int) -> np.ndarray:
    """Choose the places that are averaged, evenly among all."""
    return np.unique(np.linspace(0, count - 1, min(count, MEMBERS)).round().astype(int))


def _windows(values: np.ndarray) -> np.ndarray:
    sums = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
    return sums[:, WINDOW_HOPS:] - sums[:, :-WINDOW_HOPS]


def extent(
    signals: Sequence[Signal], places: Sequence[Occurrence], start: float, stop: float
) -> tuple[float, float] | None:
    """Find where about half of the places or more begin and end to agree.

    Parameters
    ----------
    start, stop
        Seconds of the piece where places agree; it may go on.

    Returns
    -------
    Seconds of the piece; None where the places do not agree.
    """
    for _ in range(MOST_ROUNDS):
        found = profile(signals, places, start - BEYOND, stop + BEYOND)
        if not (found.together > FEW).any():
            return None
        few = found.together > _few(found, start, stop)
        most = (found.each > OWN).mean(axis=0) >= HALF
        begin, end = agreeing(found, np.where(few & most, 1, np.where(few, 0, -1)))
        first, last = found.moments[0] + NEAR_END, found.moments[-1] - NEAR_END
        if (begin > first and end < last) or not begin < end:
            break
        start, stop = min(start, begin), max(stop, end)
    return (begin, end) if begin < end else None


def _few(found: Profile, start: float, stop: float) -> float:
    """Give the mean correlation that tells that places agree, by what lies beyond the piece."""
    far = BEYOND / 2
    beyond = found.moments < start - far, found.moments > stop + far
    background = max(float(np.median(found.together[side])) for side in beyond)
    members = len(_members(len(found.each)))
    noise = PAIR_NOISE / np.sqrt(members * (members - 1) / 2)
    return float(np.clip(max(OUTSIDE * background, noise), LEAST_FEW, FEW))


def agreeing(found: Profile, gains: np.ndarray) -> tuple[float, float]:
    """Give start and stop of the stretch that most windows fit.

    Parameters
    ----------
    gains
        int64 (m,): 1 where a window agrees, -1 where it does not, 0 where neither is sure. Silent
        ones do not count.

    Returns
    -------
    Seconds of the piece, the same twice where nothing agrees.
    """
    gains = np.where(found.silent, 0, gains)
    sums = np.concatenate([[0], np.cumsum(gains)])
    lowest = np.minimum.accumulate(sums)
    stop = int(np.argmax(sums - lowest))
    if sums[stop] <= lowest[stop]:
        return float(found.moments[0]), float(found.moments[0])
    # The last of the lowest: no windows that do not agree before the first that does.
    start = int(np.flatnonzero(sums[:stop] == lowest[stop])[-1])
    return float(found.moments[start]) + EARLY, float(found.moments[stop - 1]) - EARLY


def template(
    signals: Sequence[Signal], places: Sequence[Occurrence], start: float, stop: float
) -> tuple[float, np.ndarray]:
    """Average the middle of a piece.

    Returns
    -------
    Its first second of the piece, and float32 (n,) of length 1.
    """
    seconds = min(TEMPLATE, stop - start)
    begin = (start + stop - seconds) / 2
    count = round(seconds * SAMPLE_RATE)
    total = np.zeros(count, np.float32)
    for n in _members(len(places)):
        place = places[n]
        first = round((place.origin + begin) * SAMPLE_RATE)
        total += white(signals[place.signal], first, count)
    return begin, total / np.float32(max(float(np.linalg.norm(total)), 1e-9))


def search(
    signal: Signal, templates: Sequence[np.ndarray], least: float
) -> Iterator[tuple[int, float, float]]:
    """Find all places of a signal where a template stands out.

    Parameters
    ----------
    templates
        Of up to 8 s and of length 1.
    least
        Least correlation with a place.

    Yields
    ------
    The number of the template, the second of its start, and the correlation: several near each
    other where more than one lag has it.
    """
    kept = round(HIGH / SAMPLE_RATE * SIZE)  # bins; the rest is zero
    rate = 2 * kept / SIZE * SAMPLE_RATE  # of the lags
    scale = np.float32(SIZE)
    spectra = [scale * np.conj(forward(each, SIZE)[: kept + 1]) for each in templates]
    longest = max(map(len, templates), default=0)
    hop = SIZE - 2 * CONTEXT - longest
    for begin in range(-longest, signal.count, hop):  # a place may have begun before the signal
        samples = white(signal, begin, SIZE - 2 * CONTEXT)
        if not samples.any():
            continue
        spectrum = forward(samples, SIZE)[: kept + 1] * np.float32(2 * kept)
        energy = np.concatenate([[0.0], np.cumsum(np.square(samples), dtype=np.float64)])
        for number, each in enumerate(spectra):
            lags = np.fft.irfft(spectrum * each, 2 * kept)[: round(hop * rate / SAMPLE_RATE)]
            length = len(templates[number])
            starts = (np.arange(0, len(lags), STEP) * SAMPLE_RATE / rate).astype(int)
            there = energy[starts + length] - energy[starts]
            norm = np.sqrt(np.maximum(there, LEAST_ENERGY * length))
            for at, correlation in _peaks(lags, norm, least):
                yield number, begin / SAMPLE_RATE + at / rate, correlation


def _peaks(lags: np.ndarray, norm: np.ndarray, least: float) -> Iterator[tuple[float, float]]:
    """Yield places between lags, and the correlation there.

    Parameters
    ----------
    lags
        float32 (n,): products of the template with the signal.
    norm
        float64 (n // STEP,): norms of the signal that lies under the template.
    """
    steps = np.abs(np.pad(lags, (0, -len(lags) % STEP))).reshape(-1, STEP)
    # The rms as the median has it, which true places do not raise.
    squares = np.median(np.square(steps[:, ::10]), axis=1)
    rms = np.sqrt(np.maximum(smoothed(squares, AROUND), np.float32(1e-6)) / NORMAL_MEDIAN)
    heights = steps.max(axis=1)
    for step in np.flatnonzero((heights >= least * norm) & (heights >= STANDS_OUT * rms)):
        at = int(np.clip(step * STEP + steps[step].argmax(), 1, len(lags) - 2))
        left, top, right = np.abs(lags[at - 1 : at + 2])
        curvature = 2 * top - left - right
        between = 0.5 * (right - left) / curvature if curvature > 0 else 0.0
        yield at + float(np.clip(between, -1, 1)), float(heights[step] / norm[step])
