"""Stretches that one recording holds twice: the trace of copy-move forgery.

The hop grid hides a copy, since it seldom lies a whole number of hops away. So the second
place is hashed on four grids, and what is alike there once more in steps of a frame. Words
that a speaker says twice may be as alike as a copy by then. But nobody repeats a waveform:
at the right lag the samples of a copy correlate, also after coding and noise, and those of
a repetition do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from samaf.matching.alignment import heaviest
from samaf.matching.boundaries import BLOCK_HOPS, boundaries

LEAST_LAG = 6  # hops: nearer places share audio, or a held vowel
GRIDS = 4  # a copy lies within an eighth of a hop, 31 ms, of one of them
CANDIDATE_HASHES, CANDIDATE = 2, 0.25  # hashes in a row, and their bit error rate on a grid
COPY_HASHES, COPY = 3, 0.2  # the same at the best alignment
CORRELATION = 0.5  # of samples that makes a copy; words said twice stay below 0.45
TONES, TONE_SAMPLES, TONE_BINS = 4, 8192, 3  # tones of a signal, and their width: 12 Hz at 16 kHz
TONAL = 0.96  # share of the energy in tones from which a segment is nothing else
STEADY = 0.25  # bit error rate of hashes a second apart up to which a sound is a steady one
ALIKE = 0.3  # bit error rate up to which hashes support that the copy goes on
BEYOND = 12  # hashes that are looked at on either side of a candidate
STEP = 3  # frames between the alignments that are tried first


@dataclass(frozen=True, slots=True)
class SelfMatch:
    """A segment and its repetition, in hops, and how well they agree.

    ``ber`` is the mean bit error rate of the three hashes in a row that agree best, of
    ``hashes`` that support the copy.
    """

    first: float
    second: float
    length: float
    hashes: int
    ber: float


def self_matches(
    grids: Sequence[np.ndarray],
    informative: np.ndarray,
    hash_at: Callable[[np.ndarray], np.ndarray],
    frames: int,
    hop_frames: int,
) -> list[SelfMatch]:
    """Find what is there twice.

    Parameters
    ----------
    grids
        The hashes of the recording from frame 0, from a quarter of a hop on and so forth:
        uint8 (m, bytes), of equal length.
    informative
        bool (m,): hashes of the first grid that tell something.
    hash_at
        Hashes the blocks that start at given frames, int64 (n,), to uint8 (n, bytes).
    frames
        Frames of the recording at which a block can start.
    hop_frames
        Frames of a hop.

    Returns
    -------
    Best first; of those that overlap in both places the best.
    """
    informative = informative & distinct(grids[0])
    quarter = hop_frames / len(grids)
    found: list[SelfMatch] = []
    alike = [
        (first, round(hop_frames * lag + quarter * number), hashes)
        for number, grid in enumerate(grids)
        for first, lag, hashes in candidates(grids[0], grid, informative)
    ]
    for first, away, hashes in sorted(alike, key=lambda each: -each[2]):
        if any(_covers(r, first, away / hop_frames, hashes) for r in found):
            continue
        self_match = _refined(first, away, hashes, hash_at, frames, hop_frames)
        if self_match and not any(_is_same(r, self_match) for r in found):
            found.append(self_match)
    return sorted((r for r in found if r.ber <= COPY), key=lambda r: (r.ber, r.first))


def distinct(packed: np.ndarray) -> np.ndarray:
    """Tell which hashes differ from those of the second after or before; bool (m,).

    A hum or a held tone repeats itself all the time, and nobody copied it.
    """
    if len(packed) <= BLOCK_HOPS:
        return np.ones(len(packed), bool)
    rates = np.bitwise_count(packed[BLOCK_HOPS:] ^ packed[:-BLOCK_HOPS]).mean(axis=1) / 8
    nothing = np.ones(BLOCK_HOPS)  # before the first second and after the last
    return np.minimum(np.append(rates, nothing), np.append(nothing, rates)) > STEADY


def candidates(
    own: np.ndarray, other: np.ndarray, informative: np.ndarray
) -> Iterator[tuple[int, int, int]]:
    """Yield first hash, lag and number of hashes of segments alike on two grids."""
    bits = 8 * own.shape[1]
    left, right = (a.view(np.uint64) if bits % 64 == 0 else a for a in (own, other))
    evened = np.ones(CANDIDATE_HASHES) / CANDIDATE_HASHES
    for lag in range(LEAST_LAG, len(own) - CANDIDATE_HASHES + 1):
        differing = np.bitwise_count(left[:-lag] ^ right[lag:]).sum(axis=1)
        rates = np.where(informative[:-lag], differing / bits, 0.5)
        below = np.convolve(rates, evened, "valid") < CANDIDATE
        edges = np.flatnonzero(np.diff(np.concatenate([[False], below, [False]])))
        for a, b in edges.reshape(-1, 2).tolist():
            yield a, lag, b - a + CANDIDATE_HASHES - 1


def _refined(
    first: int,
    away: int,
    hashes: int,
    hash_at: Callable[[np.ndarray], np.ndarray],
    frames: int,
    hop_frames: int,
) -> SelfMatch | None:
    """Align a candidate to the frame, and see how far it goes."""
    here = hop_frames * np.arange(first, first + hashes)
    own = hash_at(here)

    def rate(shift: int) -> float:
        there = here + away + shift
        inside = (there >= 0) & (there < frames)
        if not inside.any():
            return 1.0
        return float(np.bitwise_count(own[inside] ^ hash_at(there[inside])).mean() / 8)

    reach = hop_frames // GRIDS
    best = min(range(-reach, reach + 1, STEP), key=rate)
    away += min(range(best - STEP + 1, best + STEP), key=rate)
    i = np.arange(max(0, first - BEYOND), first + hashes + BEYOND)
    here = hop_frames * i
    kept = (here >= 0) & (here + away < frames)
    i, here = i[kept], here[kept]
    rates = np.bitwise_count(hash_at(here) ^ hash_at(here + away)).mean(axis=1) / 8
    a, b = map(int, heaviest(ALIKE - rates))
    if b - a < COPY_HASHES:
        return None
    ber = np.convolve(rates[a:b], np.ones(COPY_HASHES) / COPY_HASHES, "valid").min()
    begin, end = boundaries(rates, a, b)
    start = int(i[0]) + begin
    return SelfMatch(start, start + away / hop_frames, end - begin, b - a, float(ber))


def correlation(first: np.ndarray, second: np.ndarray) -> tuple[float, int]:
    """Find where a segment correlates most with another of at least its length.

    Parameters
    ----------
    first, second
        float32 (n,) and (m,), m >= n.

    Returns
    -------
    The correlation, -1 to 1, 0 where one is silent; and the place in ``second``.
    """
    products = np.correlate(second.astype(np.float64), first.astype(np.float64), "valid")
    energy = np.concatenate([[0.0], np.cumsum(second.astype(np.float64) ** 2)])
    there = energy[len(first) :] - energy[: len(energy) - len(first)]
    both = np.sqrt(np.maximum(there, 0) * float(np.sum(first.astype(np.float64) ** 2)))
    likeness = np.divide(products, both, out=np.zeros_like(products), where=both > 0)
    place = int(likeness.argmax())
    return float(likeness[place]), place


def tonal_share(samples: np.ndarray) -> float:
    """Give the share of a segment's energy that its few steady tones have, 0 to 1.

    Ringing, dialling and other tones that a machine makes repeat to the sample, and nobody
    copied them. They have 0.99 and more, 1.2 s of speech or music seldom 0.9 (0.95 at most).
    """
    size = min(TONE_SAMPLES, 1 << max(1, len(samples).bit_length() - 1))
    window = np.hanning(size)
    power = np.zeros(size // 2 + 1)
    for start in range(0, len(samples) - size + 1, size // 2):
        power += np.abs(np.fft.rfft(samples[start : start + size] * window)) ** 2
    total, tones = power.sum(), 0.0
    for _ in range(TONES):
        peak = int(power.argmax())
        line = slice(max(0, peak - TONE_BINS), peak + TONE_BINS + 1)
        tones += power[line].sum()
        power[line] = 0
    return float(tones / total) if total else 0.0


def _covers(found: SelfMatch, first: int, lag: float, hashes: int) -> bool:
    """Tell whether a candidate is part of what was found, one hop off or so."""
    near = abs(found.second - found.first - lag) <= 2
    return near and found.first - 2 <= first and first + hashes <= found.first + found.length + 2


def _is_same(found: SelfMatch, other: SelfMatch) -> bool:
    near = abs((found.second - found.first) - (other.second - other.first)) < 1
    apart = abs(found.first + found.length / 2 - other.first - other.length / 2)
    return near and apart < (found.length + other.length) / 2
