"""Panako 1.6, strategy NCTEQ: triplets of constant-Q peaks (Six and Leman, ISMIR 2014).

Ratios of times and differences of constant-Q bins make the hash tolerant of tempo and
pitch. ``paper`` has the constants of Panako 1.6; at 34.8 ms per frame and 15 frames per
maximum it cannot answer 1 s, and hardly 2 s. ``best`` samples at 16 kHz and finer in time,
with shorter steps and fewer hits required, for speech clips of a few seconds.

Assumed, because the source was not available: kernels start with the first sample of the frame
and are divided by their length, spectra are not windowed otherwise. Departure: spectra are
kept in memory, so a file is not streamed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import scipy.fft
from scipy.sparse import csr_array, vstack

from baselines.landmarks import LandmarkRecognizer, last_of_each_hash, popular_offsets
from baselines.pairs import pairs_within
from baselines.peaks import box_maximum, box_minimum
from baselines.recognizer import SAMPLE_RATE, Answer
from baselines.spectra import resampled, spectra
from baselines.table import Prints

REFERENCE_HZ = 8.17579892  # 0 cents
LOWEST_CENTS, HIGHEST_CENTS = 3700, 12_200  # 69.3 Hz .. 9,397 Hz
PER_OCTAVE = 36  # bins
KERNEL_FLOOR = 0.001  # entries of the spectral kernels below it are dropped

# Event points
LARGEST = (7, 7)  # 15 bins x 15 frames
SMALLEST = (1, 1)  # 3 x 3
LEAST_CONTRAST, MOST_CONTRAST = 0.20, 0.90  # minimum / maximum, both exclusive
LEAST_LEVEL = 0.1  # of the largest value in the frame up to the bin

MOST_BINS = 30  # |f2 - f1| and |f3 - f2|: less than 31, 1,033 cents
LEAST_FACTOR, MOST_FACTOR = 0.7, 1.3  # of time and of frequency, both exclusive
OFFSET_FRAMES = 3  # width of a cell of offsets


@dataclass(frozen=True, slots=True)
class NcteqSettings:
    """Constants of one variant.

    Attributes
    ----------
    sample_rate
        Hz.
    bins
        Constant-Q bins from 69.3 Hz on.
    fft
        Samples.
    hop
        Samples.
    step
        Frames from one point of a triplet to the next, (least, most), inclusive.
    hits, aligned
        Hits that a recording needs, in all and at one offset.
    one_time
        Keep only the last time of each hash of the query, as released.
    """

    sample_rate: int
    bins: int
    fft: int
    hop: int
    step: tuple[int, int]
    hits: int
    aligned: int
    one_time: bool


SETTINGS = {
    "paper": NcteqSettings(
        sample_rate=44_100,
        bins=255,
        fft=32_768,  # 0.743 s
        hop=1536,  # 34.8 ms
        step=(8, 57),  # more than 7 frames, less than 2 s
        hits=5,
        aligned=4,
        one_time=True,
    ),
    "best": NcteqSettings(
        sample_rate=SAMPLE_RATE,
        bins=240,  # up to 7,040 Hz
        fft=8192,  # 0.512 s
        hop=256,  # 16 ms
        step=(4, 40),  # 64-640 ms
        hits=3,
        aligned=3,
        one_time=False,
    ),
}


@dataclass(frozen=True, slots=True)
class Points:
    """Event points by frame, then bin.

    Attributes
    ----------
    frames, bins
        int64, shape (n,).
    contrasts
        float32, shape (n,): minimum / maximum around the point.
    """

    frames: np.ndarray
    bins: np.ndarray
    contrasts: np.ndarray


@cache
def kernels(sample_rate: int, fft: int, bins: int) -> csr_array:
    """Spectral kernels of the constant-Q transform, complex64, (fft // 2 + 1, bins).

    Bin k lies at 69.3 Hz x 2^(k / 36), Q is 51.4; a Hann window of Q / f seconds, at most
    the whole FFT (Brown and Puckette 1992).
    """
    q = 1.0 / (2.0 ** (1.0 / PER_OCTAVE) - 1.0)
    columns = []
    for k in range(bins):
        hertz = REFERENCE_HZ * 2.0 ** (LOWEST_CENTS / 1200.0 + k / PER_OCTAVE)
        length = min(int(np.ceil(q * sample_rate / hertz)), fft)
        time = np.arange(length)
        wave = np.zeros(fft, np.complex128)
        wave[:length] = (
            np.hanning(length) / length * np.exp(2j * np.pi * hertz / sample_rate * time)
        )
        column = scipy.fft.fft(wave)[: fft // 2 + 1]
        column[np.abs(column) < KERNEL_FLOOR] = 0.0
        columns.append(csr_array((np.conj(column) / fft).astype(np.complex64)[None]))
    return csr_array(vstack(columns).T)


def event_points(levels: np.ndarray) -> Points:
    """Maxima of log(1 + magnitude), shape (frames, bins), of middling contrast."""
    top = box_maximum(levels, LARGEST, LARGEST)
    low = box_minimum(levels, SMALLEST, SMALLEST)
    loud = levels > LEAST_LEVEL * np.maximum.accumulate(levels, axis=1)
    peak = (levels == top) & loud
    peak &= (low > LEAST_CONTRAST * levels) & (low < MOST_CONTRAST * levels)
    edge = LARGEST[0]
    peak[:edge] = False
    peak[max(len(peak) - edge, 0) :] = False
    frames, bins = np.nonzero(peak)
    return Points(frames, bins, low[frames, bins] / levels[frames, bins])


def best_triplets(
    points: Points, step: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Per first point the triplet of the largest sum of contrasts.

    The sum splits: the best triplet from i goes over the j with the largest contrast plus
    that of the best follower of j.
    """
    i, j = pairs_within(points.frames, *step)
    near = np.abs(points.bins[i] - points.bins[j]) <= MOST_BINS
    i, j = i[near], j[near]
    count = len(points.frames)
    follower, gain = _best_follower(i, j, points.contrasts[j], count)
    second, _ = _best_follower(i, j, (points.contrasts + gain)[j], count)
    first = np.flatnonzero(second >= 0)
    first = first[follower[second[first]] >= 0]
    return first, second[first], follower[second[first]]


def _best_follower(
    i: np.ndarray, j: np.ndarray, worth: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """For each point the j of largest worth and that worth; -1 and -inf where there is none."""
    order = np.lexsort((-worth, i))
    owners, at = np.unique(i[order], return_index=True)
    best, value = np.full(count, -1), np.full(count, -np.inf)
    leaders = order[at]
    finite = worth[leaders] > -np.inf
    owners, leaders = owners[finite], leaders[finite]
    best[owners], value[owners] = j[leaders], worth[leaders]
    return best, value


def _rounded(numerator: np.ndarray, denominator: int | np.ndarray) -> np.ndarray:
    """The quotient, rounded half up."""
    return np.floor(numerator / denominator + 0.5).astype(np.int64)


def hash_of(f: tuple[np.ndarray, ...], t: tuple[np.ndarray, ...]) -> np.ndarray:
    """Hash of 27 bits, int64, from three bins and three frames."""
    f1, f2, f3 = f
    t1, t2, t3 = t
    value = _rounded(f1, 16) & 15
    value |= (_rounded(f3, 16) & 15) << 4
    value |= ((f2 - f1 + 31) & 63) << 8
    value |= ((f3 - f2 + 31) & 63) << 14
    value |= (_rounded(8 * (t2 - t1), t3 - t1) & 15) << 20
    value |= (t2 - t1 > t3 - t2).astype(np.int64) << 24
    return value | (_rounded(t3 - t1, 20) & 3) << 25


class PanakoNcteq(LandmarkRecognizer):
    """Panako 1.6 NCTEQ with the settings ``paper`` or ``best``."""

    name = "panako-ncteq"
    hash_bits = 27

    def __init__(self, settings: str) -> None:
        super().__init__(settings, columns=3)  # t1, f1, t3 - t1
        self.constants = SETTINGS[settings]

    def levels(self, samples: np.ndarray) -> np.ndarray:
        """log(1 + constant-Q magnitude), float32, shape (frames, bins)."""
        constants = self.constants
        samples = resampled(samples, constants.sample_rate)
        matrix = kernels(constants.sample_rate, constants.fft, constants.bins)
        open_window = np.ones(constants.fft, np.float32)
        blocks = [np.empty((0, constants.bins), np.float32)]
        for spectrum in spectra(samples, open_window, constants.hop):
            blocks.append(np.log1p(np.abs(spectrum @ matrix)))
        return np.concatenate(blocks)

    def prints(self, samples: np.ndarray) -> Prints:
        """Hashes of float32 samples, shape (n,), 16 kHz."""
        points = event_points(self.levels(samples))
        chain = best_triplets(points, self.constants.step)
        t1, t2, t3 = (points.frames[point] for point in chain)
        f1, f2, f3 = (points.bins[point] for point in chain)
        hashes = hash_of((f1, f2, f3), (t1, t2, t3))
        return Prints(hashes, np.stack([t1, f1, t3 - t1], axis=1).astype(np.int32))

    def answers(self, query: Prints) -> list[Answer]:
        """Recordings with enough hits at one offset, by that number."""
        constants = self.constants
        if constants.one_time:
            query = last_of_each_hash(query)
        hits = self.table.lookup(query.hashes)
        if len(hits):
            hits = hits.take(np.bincount(hits.files)[hits.files] >= constants.hits)
        queried, stored = query.values[hits.rows], hits.values
        stretching = stored[:, 2] / queried[:, 2]
        pitch = 2.0 ** ((queried[:, 1] - stored[:, 1]) / PER_OCTAVE)
        fitting = (np.minimum(stretching, pitch) > LEAST_FACTOR) & (
            np.maximum(stretching, pitch) < MOST_FACTOR
        )
        hits, stretching, pitch = hits.take(fitting), stretching[fitting], pitch[fitting]
        if not len(hits):
            return []
        start = hits.values[:, 0] - query.frames[hits.rows] * stretching
        cell = _rounded(start, OFFSET_FRAMES)
        answers = []
        for file, offset, count in zip(*popular_offsets(hits, cell), strict=True):
            if count < constants.aligned:
                break  # counts fall
            used = (hits.files == file) & (cell == offset)
            seconds = float(start[used].mean()) * constants.hop / constants.sample_rate
            tau, rho = float(1.0 / stretching[used].mean()), float(pitch[used].mean())
            answers.append(Answer(self.table.key(int(file)), float(count), seconds, tau, rho))
        return answers
