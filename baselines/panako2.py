"""Panako 2: triplets of Gabor constant-Q peaks (Six, 2021), tolerant of tempo and pitch.

``paper`` has the constants of the release: clips under 3 s are rejected, factors of time
and frequency lie within 0.8-1.2, and the coarse band in the hash limits the tolerance of
pitch. ``best`` is made for speech clips of 1 s on: no least duration, fewer hits, factors
of 0.45-2.1, and no band in the hash.

Departures from the original: one transform over the whole signal in place of blocks of
8,192 samples; points 100 dB under the loudest are rounding noise and left out; a clip whose
hits all lie at one query time has a slope of 0 with ``best`` (with ``paper`` it is rejected,
as the original's 0 / 0 does).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from baselines.gabor import GRID, PER_OCTAVE, gabor_magnitudes
from baselines.landmarks import LandmarkRecognizer, last_of_each_hash
from baselines.pairs import pairs_within, triplets
from baselines.peaks import box_maximum
from baselines.recognizer import SAMPLE_RATE, Answer
from baselines.table import Hits, Prints

# Event points
FRAME_REACH = (12, 11)  # 24 frames
BAND_REACH = (51, 51)  # 103 bands
NOISE_FLOOR = 1e-5  # of the largest magnitude

# Triplets: each step, inclusive
LEAST_FRAMES, MOST_FRAMES = 2, 33  # 16-264 ms
LEAST_BANDS, MOST_BANDS = 1, 128

HASH_REACH = 2  # +-2 / 64 in the ratio of times
PART_MOST = 250  # hits of the first or the last part
LINE_FRAMES = 2  # hits this near the line count


@dataclass(frozen=True, slots=True)
class Panako2Settings:
    """Constants of one variant.

    Attributes
    ----------
    band_in_hash
        Keep the first point's band, in cells of 32 bands, in the hash.
    one_time
        Keep only the last time of each hash of the query, as released.
    hits, aligned
        Hits that a recording needs, in all and on the line.
    part
        Share of the hits in the first and in the last part.
    part_least
        Least hits of a part.
    factors
        Allowed factors of time and of frequency, exclusive.
    duration
        Least length of the matched segment of the query, s.
    covered
        Least share of the segment's seconds that hold a hit.
    """

    band_in_hash: bool
    one_time: bool
    hits: int
    aligned: int
    part: float
    part_least: int
    factors: tuple[float, float]
    duration: float
    covered: float


SETTINGS = {
    "paper": Panako2Settings(
        band_in_hash=True,
        one_time=True,
        hits=10,
        aligned=6,
        part=0.2,
        part_least=10,
        factors=(0.8, 1.2),
        duration=3.0,  # config.properties of the release
        covered=0.2,
    ),
    "best": Panako2Settings(
        band_in_hash=False,
        one_time=False,
        hits=3,
        aligned=3,
        part=0.5,
        part_least=1,
        factors=(0.45, 2.1),
        duration=0.0,
        covered=0.0,
    ),
}


@dataclass(frozen=True, slots=True)
class Points:
    """Event points by frame, then band.

    Attributes
    ----------
    frames, bands
        int64, shape (n,).
    magnitudes
        float32, shape (n,): sum of the 3 x 3 cells around the point.
    """

    frames: np.ndarray
    bands: np.ndarray
    magnitudes: np.ndarray


def event_points(magnitudes: np.ndarray) -> Points:
    """Maxima over 24 frames x 103 bands of magnitudes, shape (frames, bands)."""
    if not magnitudes.size:
        return Points(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
    peak = magnitudes == box_maximum(magnitudes, FRAME_REACH, BAND_REACH)
    peak &= magnitudes > NOISE_FLOOR * magnitudes.max()
    frames, bands = np.nonzero(peak)
    padded = np.pad(magnitudes, 1)
    sums = sum(padded[frames + i, bands + j] for i in range(3) for j in range(3))
    return Points(frames, bands, np.asarray(sums, np.float32))


def triplet_indices(points: Points) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All triplets whose two steps are 2-33 frames and 1-128 bands."""
    i, j = pairs_within(points.frames, LEAST_FRAMES, MOST_FRAMES)
    apart = np.abs(points.bands[i] - points.bands[j])
    near = (apart >= LEAST_BANDS) & (apart <= MOST_BANDS)
    return triplets(i[near], j[near], len(points.frames))


def hash_of(
    t: tuple[np.ndarray, ...], f: tuple[np.ndarray, ...], m: tuple[np.ndarray, ...]
) -> np.ndarray:
    """Hash of 34 bits, int64, from three frames, bands and magnitudes; bits 14-21 hold f1."""
    t1, t2, t3 = t
    f1, f2, f3 = f
    m1, m2, m3 = m
    low, high = np.abs(f2 - f1), np.abs(f3 - f2)
    value = 64 * (t2 - t1) // (t3 - t1)
    flags = (
        *(f1 > f2, f2 > f3, f3 > f1),
        *(m1 > m2, m2 > m3, m3 > m1),
        *(t2 - t1 > t3 - t2, low > high),
    )
    for bit, flag in enumerate(flags, start=6):
        value |= flag.astype(np.int64) << bit
    return value | (f1 >> 5) << 14 | (low >> 2) << 22 | (high >> 2) << 28


def _first(group: np.ndarray, chosen: np.ndarray, groups: int) -> np.ndarray:
    """Index of the first chosen entry of each group; every group has one."""
    places = np.flatnonzero(chosen)[::-1]
    first = np.empty(groups, np.int64)
    first[group[places]] = places
    return first


def _last(group: np.ndarray, chosen: np.ndarray, groups: int) -> np.ndarray:
    """Index of the last chosen entry of each group; every group has one."""
    return len(group) - 1 - _first(group[::-1], chosen[::-1], groups)


def _modes(group: np.ndarray, values: np.ndarray, chosen: np.ndarray, groups: int) -> np.ndarray:
    """The most frequent value among the chosen entries of each group; the smallest in a tie."""
    cells, counts = np.unique((group[chosen] << 32) + values[chosen] + 2**31, return_counts=True)
    owners = cells >> 32
    order = np.lexsort((cells, -counts, owners))
    owners, at = np.unique(owners[order], return_index=True)
    modes = np.zeros(groups, np.int64)
    modes[owners] = (cells[order[at]] & (2**32 - 1)) - 2**31
    return modes


def ends_of_lines(
    group: np.ndarray, shift: np.ndarray, share: float, least: int
) -> tuple[np.ndarray, np.ndarray]:
    """Two hits per recording through which the line of its shifts runs.

    Parameters
    ----------
    group
        Number of each hit's recording from 0 on, sorted; within one by query time.
    shift
        Query frame - stored frame of each hit.
    share, least
        The first and the last part hold this share of a recording's hits, at least
        ``least`` and at most 250.

    Returns
    -------
    first, last
        Per recording the first hit of the most frequent shift in its first part, and the
        last hit of the most frequent shift in its last part.
    """
    counts = np.bincount(group)
    groups = len(counts)
    rank = np.arange(len(group)) - (np.cumsum(counts) - counts)[group]
    part = np.clip((counts * share).astype(int), least, PART_MOST)
    head, tail = rank < part[group], rank >= (counts - part)[group]
    early, late = (_modes(group, shift, chosen, groups) for chosen in (head, tail))
    first = _first(group, head & (shift == early[group]), groups)
    return first, _last(group, tail & (shift == late[group]), groups)


class Panako2(LandmarkRecognizer):
    """Panako of 2021 with the settings ``paper`` or ``best``."""

    name = "panako2"

    def __init__(self, settings: str) -> None:
        super().__init__(settings, columns=2)  # t1, f1
        self.constants = SETTINGS[settings]
        self.hash_bits = 34 if self.constants.band_in_hash else 26

    def prints(self, samples: np.ndarray) -> Prints:
        """Hashes of float32 samples, shape (n,), 16 kHz."""
        points = event_points(gabor_magnitudes(samples))
        chain = triplet_indices(points)
        t = tuple(points.frames[point] for point in chain)
        f = tuple(points.bands[point] for point in chain)
        hashes = hash_of(t, f, tuple(points.magnitudes[point] for point in chain))
        if not self.constants.band_in_hash:
            hashes &= ~(255 << 14)
        order = np.argsort(t[0], kind="stable")
        return Prints(hashes[order], np.stack([t[0], f[0]], axis=1).astype(np.int32)[order])

    def answers(self, query: Prints) -> list[Answer]:
        """Recordings whose hits lie on one line of times, by their number."""
        constants = self.constants
        if constants.one_time:
            query = last_of_each_hash(query)
        hits = self.table.lookup(query.hashes, HASH_REACH)
        if len(hits):
            hits = hits.take(np.bincount(hits.files)[hits.files] >= constants.hits)
        if not len(hits):
            return []
        return self._aligned(query, hits)

    def _aligned(self, query: Prints, hits: Hits) -> list[Answer]:
        """Recordings with enough hits on the line through their first and last part."""
        constants = self.constants
        queried = query.values[hits.rows].astype(np.int64)
        order = np.lexsort((queried[:, 0], hits.files))
        hits, queried = hits.take(order), queried[order]
        numbers, group = np.unique(hits.files, return_inverse=True)
        time, shift = queried[:, 0], queried[:, 0] - hits.values[:, 0]
        first, last = ends_of_lines(group, shift, constants.part, constants.part_least)
        run = time[last] - time[first]
        slope = (shift[last] - shift[first]) / np.maximum(run, 1)
        with np.errstate(divide="ignore"):
            tau = 1.0 / (1.0 - slope)
        rho = 2.0 ** ((queried[:, 1] - hits.values[:, 1])[first] / PER_OCTAVE)

        line = shift[first][group] + slope[group] * (time - time[first][group])
        residual = np.abs(shift - line)
        kept = residual <= LINE_FRAMES
        scores = np.bincount(group, kept)
        errors = np.bincount(group, residual * kept) / scores
        begin, end = (time[pick(group, kept, len(numbers))] for pick in (_first, _last))
        length = (end - begin) * GRID / SAMPLE_RATE
        seconds = (group[kept] << 32) + (time - begin[group])[kept] * GRID // SAMPLE_RATE
        low, high = constants.factors
        good = (scores >= constants.aligned) & (length >= constants.duration)
        good &= (np.minimum(tau, rho) > low) & (np.maximum(tau, rho) < high)
        good &= np.bincount(np.unique(seconds) >> 32) >= constants.covered * np.ceil(length)
        if constants.one_time:
            good &= run > 0
        # On the line the query's frame 0 lies at the stored frame of minus its shift.
        offset = (slope * time[first] - shift[first]) * GRID / SAMPLE_RATE
        best = np.flatnonzero(good)
        best = best[np.lexsort((numbers[best], errors[best], -scores[best]))]
        return [
            Answer(self.table.key(number), *estimates)
            for number, *estimates in zip(
                numbers[best].tolist(),
                *(values[best].tolist() for values in (scores, offset, tau, rho)),
                strict=True,
            )
        ]
