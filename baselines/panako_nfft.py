"""Panako 1.6, strategy NFFT: pairs of spectral peaks, a handful a second (Wang 2003).

The default of Panako 1.6 (2017) and very likely the "Panako" of the SAMAF paper: only
this strategy has the keys for window and step that the paper changed. It has no tolerance
of time or pitch. ``paper`` is that configuration; ``best`` requires fewer hits (see
``SETTINGS``), since a speech clip of 3 s has about 17 prints.

Departures from the original: of two points of equal magnitude that are too near, the older
stays; spectra are kept in memory, so a file is not streamed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from baselines.landmarks import LandmarkRecognizer, popular_offsets
from baselines.pairs import pairs_within
from baselines.peaks import box_maximum, box_minimum
from baselines.recognizer import SAMPLE_RATE, Answer, checked
from baselines.spectra import frames_of, power_spectrogram
from baselines.table import Hits, Prints

WINDOW = 256  # samples, 16 ms
HOP = 64  # samples, 4 ms
REFERENCE_HZ = 8.17579892  # 0 cents

# Event points
LARGEST = (7, 7), (7, 6)  # bins, frames before and after: 15 bins x 14 frames
SMALLEST = (3, 3), (3, 2)  # 7 bins x 6 frames
CONTEXT = 7  # frames needed on either side
PER_FRAME = 3  # event points
RECENT = 25  # points that a new one is compared with
LEAST_DISTANCE = 600.0  # sqrt(ms^2 + cents^2)

# Prints
LEAST_STEP_MS, MOST_STEP_MS = 60.0, 2000.0  # both exclusive
MOST_CENTS = 1800.0  # exclusive
PER_POINT = 2  # prints in which a point may serve
MERGED = 100  # frames within which equal hashes of a recording are stored once

ANSWERS = 3  # recordings returned


@dataclass(frozen=True, slots=True)
class Points:
    """Event points by time, then bin.

    Attributes
    ----------
    frames, bins
        int64, shape (n,).
    magnitudes
        float32, shape (n,).
    """

    frames: np.ndarray
    bins: np.ndarray
    magnitudes: np.ndarray


@dataclass(frozen=True, slots=True)
class NfftSettings:
    """Hits that a recording needs: in all, at one offset, and distinct query times there."""

    hits: int
    aligned: int
    times: int


SETTINGS = {
    "paper": NfftSettings(hits=3, aligned=5, times=5),
    "best": NfftSettings(hits=3, aligned=3, times=3),
}


def magnitudes(samples: np.ndarray) -> np.ndarray:
    """Magnitude spectrogram, float32, shape (frames, 128); Hamming window, no padding.

    Bin 0 holds minus the real part of its value, as in the original.
    """
    taper = np.hamming(WINDOW).astype(np.float32)
    spectrum = np.sqrt(power_spectrogram(samples, taper, HOP)[:, : WINDOW // 2])
    spectrum[:, 0] = -(frames_of(samples, WINDOW, HOP) @ taper)
    return spectrum


def cents_of(bins: np.ndarray) -> np.ndarray:
    """Pitch of bin centres in cents; bin 0 lies far below all others."""
    return 1200.0 * np.log2(np.maximum(bins, 1e-9) * (SAMPLE_RATE / WINDOW) / REFERENCE_HZ)


def raw_maxima(spectrum: np.ndarray) -> Points:
    """Cells equal to the maximum around them where neither extreme is 0."""
    (bins_most, frames_most), (bins_least, frames_least) = LARGEST, SMALLEST
    peak = spectrum == box_maximum(spectrum, frames_most, bins_most)
    peak &= (spectrum != 0) & (box_minimum(spectrum, frames_least, bins_least) != 0)
    peak[:CONTEXT] = False
    peak[max(len(peak) - CONTEXT, 0) :] = False
    frames, bins = np.nonzero(peak)
    return Points(frames, bins, spectrum[frames, bins])


def thinned(points: Points) -> Points:
    """Points left by the filter that runs after every new point.

    Of more than 3 in one frame the weakest goes; of two of the last 25 points nearer than
    600 in the mixed distance of milliseconds and cents the weaker goes.
    """
    millis = (points.frames * (1000.0 * HOP / SAMPLE_RATE)).tolist()
    cents = cents_of(points.bins).tolist()
    energy = points.magnitudes.tolist()
    frames = points.frames.tolist()
    kept: list[int] = []
    for new in range(len(frames)):
        kept.append(new)
        same_frame = [old for old in kept[-PER_FRAME - 1 :] if frames[old] == frames[new]]
        if len(same_frame) > PER_FRAME:
            weakest = min(reversed(same_frame), key=energy.__getitem__)
            kept.remove(weakest)
            if weakest == new:
                continue
        weaker = set()
        for old in reversed(kept[-RECENT:-1]):
            if millis[new] - millis[old] >= LEAST_DISTANCE:
                break
            if np.hypot(millis[new] - millis[old], cents[new] - cents[old]) < LEAST_DISTANCE:
                weaker.add(old if energy[old] < energy[new] else new)
        if weaker:
            kept = kept[:-RECENT] + [point for point in kept[-RECENT:] if point not in weaker]
    return Points(points.frames[kept], points.bins[kept], points.magnitudes[kept])


def strongest_pairs(points: Points) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (i, j) in time order of the first point, chosen from the strongest down.

    A greedy choice over the whole signal, so an excerpt gets other pairs than the whole.
    """
    milli = 1000.0 * HOP / SAMPLE_RATE
    least, most = int(LEAST_STEP_MS / milli) + 1, int(np.ceil(MOST_STEP_MS / milli)) - 1
    first, second = pairs_within(points.frames, least, most)
    cents = cents_of(points.bins)
    bins = points.bins
    near = np.abs(cents[first] - cents[second]) < MOST_CENTS
    near &= bins[first] != bins[second]
    first, second = first[near], second[near]
    strength = points.magnitudes[first] + points.magnitudes[second]
    order = np.argsort(-strength, kind="stable")
    # Equal sums overwrite each other in the original's map: the last of them stays.
    order = order[np.append(np.diff(strength[order]) != 0, True)[: len(order)]]
    served: Counter[int] = Counter()
    chosen = []
    for pair in order.tolist():
        ends = int(first[pair]), int(second[pair])
        if served[ends[0]] < PER_POINT and served[ends[1]] < PER_POINT:
            served.update(ends)
            chosen.append(pair)
    chosen.sort()
    return first[chosen], second[chosen]


def hash_of(f1: np.ndarray, f2: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Signed hash: 8 bits f1, 8 bits |f2 - f1|, 7 bits of the step; negative if falling.

    The step is kept modulo 128 frames, 0.512 s, although pairs reach 2 s.
    """
    value = (f1 & 255) << 15 | (np.abs(f2 - f1) & 255) << 7 | (frames & 127)
    return np.where(f1 > f2, -value, value)


def merged(prints: Prints) -> Prints:
    """Prints without those whose hash occurred in the 100 frames before."""
    order = np.lexsort((prints.frames, prints.hashes))
    hashes, frames = prints.hashes[order], prints.frames[order]
    repeated = (np.diff(hashes) == 0) & (np.diff(frames) < MERGED)
    return prints.take(np.sort(order[~np.append(False, repeated)[: len(order)]]))


def aligned_times(hits: Hits, offsets: np.ndarray, query: Prints) -> dict[tuple[int, int], int]:
    """Distinct query times among the hits of each (recording, offset)."""
    cells = np.stack([hits.files, offsets, query.frames[hits.rows].astype(np.int64)], axis=1)
    return Counter((int(file), int(offset)) for file, offset, _ in np.unique(cells, axis=0))


class PanakoNfft(LandmarkRecognizer):
    """Panako 1.6 NFFT at 16 kHz with the settings ``paper`` or ``best``."""

    name = "panako-nfft"
    hash_bits = 32

    def __init__(self, settings: str) -> None:
        super().__init__(settings)
        self.limits = SETTINGS[settings]

    def add(self, key: str, samples: np.ndarray, sample_rate: int = SAMPLE_RATE) -> None:
        """Store a recording; see ``Recognizer``."""
        self.table.add(key, merged(self.prints(checked(samples, sample_rate))))

    def prints(self, samples: np.ndarray) -> Prints:
        """Hashes of float32 samples, shape (n,), 16 kHz."""
        points = thinned(raw_maxima(magnitudes(samples)))
        first, second = strongest_pairs(points)
        step = points.frames[second] - points.frames[first]
        hashes = hash_of(points.bins[first], points.bins[second], step)
        return Prints(hashes, points.frames[first].astype(np.int32)[:, None])

    def answers(self, query: Prints) -> list[Answer]:
        """Recordings with enough hits at their best offset, by that number."""
        hits = self.table.lookup(query.hashes)
        if not len(hits):
            return []
        offsets = hits.values[:, 0] - query.frames[hits.rows].astype(np.int64)
        totals = np.bincount(hits.files)
        times = aligned_times(hits, offsets, query)
        answers = [
            Answer(self.table.key(file), float(count), offset * HOP / SAMPLE_RATE)
            for file, offset, count in zip(
                *(column.tolist() for column in popular_offsets(hits, offsets)), strict=True
            )
            if totals[file] >= self.limits.hits
            and count >= self.limits.aligned
            and times[file, offset] >= self.limits.times
        ]
        return answers[:ANSWERS]
