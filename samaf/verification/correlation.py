"""The first statistic: does the whole waveform agree at one lag and one speed?

The clip and the recording are levelled and whitened (Knapp and Carter 1976, the generalised
cross-correlation), and correlated. The peak near the place that the hashes name, divided by
the rms over the other lags of the same recording, is z: each pair brings its own null.
Where two voices hold a vowel at one pitch, many lags are high, above all those beside the peak.
The clutter says how far above noise of that rms the tail of all other lags lies, and the highest
lag beside the peak. What proves is z over the clutter, as a radar sets its threshold by what
surrounds a target (CFAR).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from samaf.verification.signals import (
    SAMPLE_RATE,
    Signal,
    cut,
    fast_length,
    forward,
    from_spectrum,
    interpolated,
    kept,
    levelled,
    whitened,
)

LOW, HIGH = 150.0, 5_000.0  # Hz
NEAR = 3 * SAMPLE_RATE // 10  # samples: the hashes are this far off at most
SEGMENT = SAMPLE_RATE // 2
COARSE = 6e-4  # a segment's ends are then at most 1.2 samples off
FINE = 1.5e-4
KEPT = 48  # coarse steps of a clip whose segments are kept: 1.6 MB each for 10 s
PEAK = SAMPLE_RATE // 20  # 50 ms around the peak do not count as other lags
OUTLIER = 5.0  # rms: beyond, a lag is another true place, as in a loop
BIN = SAMPLE_RATE // 100  # samples of one step of the curve
TAIL = 0.99  # quantile of the curve
NOISE_TAIL = 3.9  # rms: where noise has it, whose band gives 97 independent lags a step
BESIDE = SAMPLE_RATE // 500  # samples: 2 ms from the peak, beyond its own width
REPEAT = 0.5  # of the peak's height: where the recording holds the clip once more
LEAST_REPEAT = 12.0  # rms: higher than most lags of wrong places get
APART = 10  # steps of the curve between two repeats


@dataclass(frozen=True, slots=True)
class SampleAlignment:
    """Where the clip lies in the recording: sample ``middle + k`` of the clip is at
    ``place + k * step`` of the recording."""

    middle: float
    place: float
    step: float


@dataclass(frozen=True, slots=True, eq=False)
class Correlation:
    """How the clip correlates with the recording at every lag.

    Attributes
    ----------
    line
        Of the highest peak near the place that was given.
    z
        Its height over the rms of all other lags; 0 where either side is silent.
    clutter
        1 or more: how many times as high as noise the other lags reach, but for true repeats.
    repeated
        The same of other lags that may be true repeats, as in a loop; 0 without any.
    inverted
        Whether the polarity differs.
    curve
        float32 (m,): largest z of every 10 ms of lags.
    first_lag
        Samples: the recording's place of the clip's first sample at the curve's start.
    """

    line: SampleAlignment
    z: float
    clutter: float
    repeated: float
    inverted: bool
    curve: np.ndarray
    first_lag: int

    @property
    def contrast(self) -> float:
        """Give z over the clutter."""
        return self.z / self.clutter

    @property
    def alone(self) -> float:
        """Give z over the clutter with the repeats: a loop has them, and a clock that ticks."""
        return self.z / max(self.clutter, self.repeated)


class WhiteClip:
    """A clip, levelled, whitened, and readable between its samples."""

    def __init__(self, samples: np.ndarray) -> None:
        self.count = len(samples)
        size = fast_length(len(samples) + SAMPLE_RATE // 10)
        spectrum = whitened(levelled(samples), size, LOW, HIGH)
        self._fine = from_spectrum(spectrum / np.float32(size), size)[: 4 * self.count]
        self._segments: dict[tuple[float, float, int, int, int], np.ndarray] = {}

    def along(self, line: SampleAlignment, first: int, count: int) -> np.ndarray:
        """Give it as it plays at samples ``first`` and on of the recording."""
        places = line.middle + (np.arange(first, first + count) - line.place) / line.step
        return interpolated(self._fine, places)

    def segments(self, line: SampleAlignment, first: int, count: int, size: int) -> np.ndarray:
        """Give the conjugate spectra of ``count`` segments from ``first`` on.

        They are kept: other candidates ask for the same, counted from their own place.

        Parameters
        ----------
        line
            Its place is a whole number.
        size
            Of the FFT.

        Returns
        -------
        complex64 (count, size // 2 + 1)
        """
        key = line.middle, line.step, first - round(line.place), count, size
        if key not in self._segments:
            parts = self.along(line, first, count * SEGMENT).reshape(count, SEGMENT)
            if len(self._segments) >= KEPT:
                self._segments.clear()
            self._segments[key] = np.conj(forward(parts, size))
        return self._segments[key]


def correlate(
    clip: WhiteClip, recording: Signal, line: SampleAlignment, reach: float
) -> Correlation:
    """Search the line around a first guess, then compare its peak with all other lags.

    Parameters
    ----------
    clip
        The stretch that is to agree, speed restored, level about 1.
    line
        The guess, its lag within 0.3 s.
    reach
        How far ``step`` may be off, as a share of it.
    """
    best = search(clip, recording, line, reach)
    return against_all_lags(clip, recording, best)


def search(
    clip: WhiteClip, recording: Signal, line: SampleAlignment, reach: float
) -> SampleAlignment:
    """Find lag and step with the highest correlation.

    The clip is cut into segments of 0.5 s. A small change of the step shifts whole segments;
    only every 0.06 % is the clip resampled.
    """
    line = replace(line, place=float(round(line.place)))
    spread = int(0.5 * clip.count * COARSE) + 2  # the most that a fine step shifts a segment
    lags = 2 * (NEAR + spread) + 1
    segments = max(1, -(-int(clip.count * line.step) // SEGMENT))
    span = segments * SEGMENT
    first = round(line.place - line.middle * line.step + (clip.count * line.step - span) / 2)
    size = fast_length(SEGMENT + lags)
    begin = first - NEAR - spread
    length = span - SEGMENT + size
    whole = fast_length(length)
    spectrum = whitened(levelled(cut(recording, begin, length)), whole, LOW, HIGH)
    white = np.fft.irfft(spectrum, whole)[:length]
    # No padding: the lags that wrap round the end are none of those that are looked at.
    views = np.lib.stride_tricks.sliding_window_view(white, size)[::SEGMENT]
    views = forward(views, size)
    offsets = first + SEGMENT * (np.arange(segments) + 0.5) - line.place
    highest, best = -1.0, line
    steps = np.arange(-round(reach / COARSE), round(reach / COARSE) + 1) * COARSE
    for coarse in line.step * (1 + steps):
        tried = SampleAlignment(line.middle, line.place, float(coarse))
        parts = clip.segments(tried, first, segments, size)
        products = np.fft.irfft(views * parts, size)[:, :lags]
        for fine in (np.arange(4) - 1.5) * FINE:  # together with the coarse steps one even grid
            total = _shifted(products, offsets * fine, spread)
            k = int(np.abs(total).argmax())
            if abs(total[k]) > highest:
                highest = float(abs(total[k]))
                best = SampleAlignment(
                    line.middle, line.place + k - NEAR, float(coarse * (1 + fine))
                )
                nearest, shifts = products, np.rint(offsets * fine).astype(int)
                base = replace(best, step=float(coarse))
    if highest <= 0:
        return line
    peak = round(base.place - line.place) + NEAR + spread
    polished = _polished(nearest, offsets, peak, shifts, base)
    # Once more at the better step, where no segment is smeared.
    lag = round(polished.place - line.place)
    parts = clip.along(replace(polished, place=line.place), first, span).reshape(segments, SEGMENT)
    products = np.fft.irfft(views * np.conj(forward(parts, size)), size)[:, :lags]
    centre = int(np.clip(lag + NEAR + spread, 1, lags - 2))
    total = np.abs(products[:, centre - 1 : centre + 2].sum(axis=0))
    if total.max() < 0.98 * highest:  # weak peaks of single segments lead astray
        return best
    base = replace(polished, place=line.place + lag)
    return _polished(products, offsets, centre, np.zeros(segments, int), base)


def _shifted(products: np.ndarray, shifts: np.ndarray, spread: int) -> np.ndarray:
    """Add up the segments' correlations, each moved by its own shift."""
    total = np.zeros(2 * NEAR + 1, np.float32)
    for row, shift in zip(products, np.rint(shifts).astype(int), strict=True):
        total += row[spread + shift : spread + shift + len(total)]
    return total


def _polished(
    products: np.ndarray, offsets: np.ndarray, peak: int, shifts: np.ndarray, base: SampleAlignment
) -> SampleAlignment:
    """Fit a line to the peaks of the segments, between samples and between steps.

    Parameters
    ----------
    products
        Correlations of the segments along ``base``, (segments, lags).
    offsets
        Their middles, samples from the line's place.
    peak, shifts
        The lag of ``base``, and how far the peak of each segment is from it, about.
    """
    rows = np.arange(len(offsets))[:, None]
    at = np.clip(peak + shifts[:, None] + np.arange(-4, 5), 0, products.shape[1] - 1)
    nearby = products[rows, at]
    nearby = nearby * (np.sign(nearby.sum(axis=0)[4]) or 1)
    k = np.clip(nearby.argmax(axis=1), 1, 7)
    left, top, right = (nearby[rows[:, 0], k + i] for i in (-1, 0, 1))
    curvature = 2 * top - left - right
    inside = (curvature > 0) & (top > 0)
    if not inside.any():
        return base
    between = 0.5 * (right[inside] - left[inside]) / curvature[inside]
    lag = shifts[inside] + k[inside] - 4 + np.clip(between, -1, 1)
    weight = np.square(top[inside])
    x = offsets[inside]
    centre, mean = np.average(x, weights=weight), np.average(lag, weights=weight)
    spread = np.average(np.square(x - centre), weights=weight)
    slope = np.average((x - centre) * lag, weights=weight) / spread if spread else 0.0
    slope = float(np.clip(slope, -COARSE, COARSE))
    place = base.place + float(mean - slope * centre)
    return SampleAlignment(base.middle, place, base.step * (1 + slope))


def against_all_lags(clip: WhiteClip, recording: Signal, line: SampleAlignment) -> Correlation:
    """Compare the peak of a line with the correlation at all lags of the recording.

    Blockwise: memory does not grow with the recording, but for 4 bytes every 10 ms.
    """
    length = max(1, round(clip.count * line.step))
    start = round(line.place - line.middle * line.step)
    template = clip.along(line, start, length)
    first_lag = -(length // 2)  # at least half of the clip lies in the recording
    lags = max(1, recording.count - length + 1 + 2 * (length // 2))
    tops, squares, counts = [], 0.0, 0
    peak, at, beside = 0.0, start, 0.0
    for lag, values in _blocks(template, recording, first_lag, lags):
        values = values * _overlap(lag, len(values), length, recording.count)
        near = slice(max(0, start - 3 - lag), max(0, start + 4 - lag))
        for k in range(*near.indices(len(values))):
            if abs(values[k]) > abs(peak):
                peak, at = float(values[k]), lag + k
        for side in ((start - PEAK, start - BESIDE), (start + BESIDE + 1, start + PEAK + 1)):
            near = slice(*(max(0, edge - lag) for edge in side))
            beside = max(beside, float(np.abs(values[near]).max(initial=0)))
        power = np.square(values)
        tops.append(_tops(power))
        around = slice(max(0, start - PEAK - lag), max(0, start + PEAK + 1 - lag))
        total, count = _null(np.delete(power, around) if around.stop else power)
        squares, counts = squares + total, counts + count
    rms = np.sqrt(squares / counts) if counts else 0.0
    curve = np.sqrt(np.concatenate(tops)) / (rms or 1)
    tail, repeated = _tail(curve, abs(peak) / (rms or 1), start - first_lag)
    clutter = max(1.0, tail, beside / NOISE_TAIL / (rms or 1))
    moved = at - start if abs(at - start) > 1 else 0  # the line is exacter than a sample
    placed = SampleAlignment(line.middle, line.place + moved, line.step)
    z = float(abs(peak) / rms) if rms else 0.0
    return Correlation(placed, z, clutter, repeated, peak < 0, curve, first_lag)


def _blocks(
    template: np.ndarray, recording: Signal, first_lag: int, lags: int
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the first lag and the correlations of one block of lags after the other."""
    size = fast_length(min(len(template) + lags, 1 << (19 if len(template) > 1 << 16 else 18)))
    hop = (size - len(template) + 1) // BIN * BIN
    conjugate = np.conj(forward(template, size))
    for done in range(0, lags, hop):
        count = min(hop, lags - done)
        begin = first_lag + done
        length = count + len(template) - 1
        make = partial(_white_block, recording, begin, length, size)
        spectrum = kept(recording, (begin, length, size), make)
        yield begin, np.fft.irfft(spectrum * conjugate, size)[:count]


def _white_block(recording: Signal, begin: int, length: int, size: int) -> np.ndarray:
    samples = cut(recording, begin, length)
    filled = min(begin + length, recording.count) - max(begin, 0)
    return whitened(levelled(samples), size, LOW, HIGH, max(filled, 1))


def _overlap(lag: int, count: int, length: int, recording: int) -> np.ndarray | np.float32:
    """Raise lags where the clip lies over the recording's ends to the others' variance."""
    if lag >= 0 and lag + count - 1 + length <= recording:
        return np.float32(1)
    begin = np.arange(lag, lag + count, dtype=np.float32)
    inside = np.minimum(begin + length, recording) - np.maximum(begin, 0)
    return np.sqrt(np.float32(min(length, recording)) / np.maximum(inside, np.float32(1)))


def _null(power: np.ndarray) -> tuple[float, int]:
    """Sum and count the squares that are no peaks of their own."""
    limit = np.inf
    for _ in range(3):
        kept = power[power <= limit] if np.isfinite(limit) else power
        if not len(kept):
            return 0.0, 0
        mean = float(kept.mean())
        limit = OUTLIER**2 * mean
    return mean * len(kept), len(kept)


def _tail(curve: np.ndarray, peak: float, at: int) -> tuple[float, float]:
    """Give the rms that noise with the curve's tail would have, apart from true places, and theirs.

    Parameters
    ----------
    curve
        float32 (m,): the highest correlation of every step of lags, over the rms.
    peak, at
        Height and lag, from the curve's start, of the place that is judged.
    """
    others = curve[np.abs(np.arange(len(curve)) - at / BIN) > APART]
    true = others >= max(REPEAT * peak, LEAST_REPEAT)
    repeated = float(others[true].max(initial=0)) / NOISE_TAIL
    others = others[~true]
    return (float(np.quantile(others, TAIL)) / NOISE_TAIL if len(others) else 0.0), repeated


def _tops(power: np.ndarray) -> np.ndarray:
    whole = len(power) // BIN * BIN
    tops = power[:whole].reshape(-1, BIN).max(axis=1)
    return tops if whole == len(power) else np.append(tops, power[whole:].max())
