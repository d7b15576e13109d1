"""Dejavu: pairs of spectral peaks, voted into one offset.

Source of the constants: worldveil/dejavu at version 0.1.3 (September 2018), the one that
the SAMAF paper could use. ``paper`` follows it, ``best`` adapts the idea to speech at
16 kHz.

Departures of ``paper`` from the original:

- one channel is fingerprinted; two equal channels would only double the counts
- the hash is the exact integer (f1, f2, dt) in place of 80 bits of SHA-1 of its text,
  which gives the same matches
- in a tie of counts the recording added first wins, not the first row of the database
- peaks of digital silence need no background erosion, since the threshold is positive
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from baselines.landmarks import LandmarkRecognizer, last_of_each_hash, popular_offsets
from baselines.peaks import diamond_peaks, square_peaks
from baselines.recognizer import SAMPLE_RATE, Answer
from baselines.spectra import power_spectrogram, resampled
from baselines.table import Prints

FULL_SCALE = 32_768  # of 16-bit samples; the original's decibels refer to 1 step
ANSWERS = 10  # recordings that `best` returns


@dataclass(frozen=True, slots=True)
class DejavuSettings:
    """Constants of one variant.

    Attributes
    ----------
    sample_rate
        Hz.
    window, hop
        Samples.
    diamond
        Neighborhood of a peak: diamond (True) or square.
    radius
        Cells of the neighborhood.
    threshold
        dB that a peak exceeds.
    relative
        The threshold is above the recording's median level, so that loudness does not
        matter; otherwise above 0 dB of the 16-bit power density.
    successors
        Peaks that each peak is paired with.
    max_frames
        Largest time difference of a pair; 0 is allowed.
    released
        Behave as the release does: round to 16 bits, keep only the last time of each hash
        of the query, count single offsets, return one answer scored by its count.
        Otherwise all times vote, the counts of offsets d and d + 1 are added, and the score
        is the ratio of a recording's count to the largest count of any other.
    """

    sample_rate: int
    window: int
    hop: int
    diamond: bool
    radius: int
    threshold: float
    relative: bool
    successors: int
    max_frames: int
    released: bool


SETTINGS = {
    "paper": DejavuSettings(
        sample_rate=44_100,
        window=4096,  # 92.9 ms
        hop=2048,  # 46.4 ms
        diamond=True,
        radius=20,
        threshold=10.0,
        relative=False,
        successors=14,  # DEFAULT_FAN_VALUE 15, the loop ends one earlier
        max_frames=200,  # 9.3 s
        released=True,
    ),
    "best": DejavuSettings(
        sample_rate=SAMPLE_RATE,
        window=1024,  # 64 ms
        hop=256,  # 16 ms
        diamond=False,
        radius=8,
        threshold=10.0,
        relative=True,
        successors=10,
        max_frames=63,  # 1 s
        released=False,
    ),
}


def decibels(samples: np.ndarray, sample_rate: int, window: int, hop: int) -> np.ndarray:
    """Power density in dB, one-sided, as matplotlib's ``specgram`` has it.

    Parameters
    ----------
    samples
        float32, shape (n,); a signal shorter than one window is padded with zeros.
    sample_rate
        Hz; scales the density.

    Returns
    -------
    float32, shape (frames, window // 2 + 1); -inf where there is nothing.
    """
    taper = np.hanning(window).astype(np.float32)
    if len(samples) < window:
        samples = np.pad(samples, (0, window - len(samples)))
    density = power_spectrogram(samples, taper, hop) / (sample_rate * np.sum(taper**2))
    density[:, 1:-1] *= 2.0
    with np.errstate(divide="ignore"):
        return 10.0 * np.log10(density)


def peaks_of(samples: np.ndarray, settings: DejavuSettings) -> np.ndarray:
    """Peaks (frame, bin), int64, shape (n, 2), by frame, then bin."""
    samples = resampled(samples, settings.sample_rate) * np.float32(FULL_SCALE)
    if settings.released:
        samples = np.clip(np.rint(samples), -FULL_SCALE, FULL_SCALE - 1)
    levels = decibels(samples, settings.sample_rate, settings.window, settings.hop)
    audible = levels > -np.inf
    if not audible.any():
        return np.empty((0, 2), np.int64)
    threshold = settings.threshold
    if settings.relative:
        threshold += float(np.median(levels[audible]))
    else:
        levels[~audible] = 0.0  # as released: silence is louder than a quiet cell
    find = diamond_peaks if settings.diamond else square_peaks
    return find(levels, settings.radius, threshold)


def pair_hashes(peaks: np.ndarray, settings: DejavuSettings) -> Prints:
    """Hashes (f1, f2, dt) of 12 + 12 + 8 bits of each peak and its successors."""
    frames, bins = peaks[:, 0], peaks[:, 1]
    hashes, starts = [], []
    for step in range(1, min(settings.successors + 1, len(peaks))):
        apart = frames[step:] - frames[:-step]
        near = apart <= settings.max_frames
        hashes.append(((bins[:-step] << 20) + (bins[step:] << 8) + apart)[near])
        starts.append(frames[:-step][near])
    if not hashes:
        return Prints(np.empty(0, np.int64), np.empty((0, 1), np.int32))
    start = np.concatenate(starts).astype(np.int32)
    order = np.argsort(start, kind="stable")
    return Prints(np.concatenate(hashes)[order], start[order, None])


class Dejavu(LandmarkRecognizer):
    """Dejavu with the settings ``paper`` or ``best``."""

    name = "dejavu"

    def __init__(self, settings: str) -> None:
        super().__init__(settings)
        self.constants = SETTINGS[settings]
        self.hash_bits = 80 if self.constants.released else 32  # 20 hex digits; 12 + 12 + 8

    def prints(self, samples: np.ndarray) -> Prints:
        """Hashes of float32 samples, shape (n,), 16 kHz."""
        return pair_hashes(peaks_of(samples, self.constants), self.constants)

    def answers(self, query: Prints) -> list[Answer]:
        """Recordings by votes for their best offset; there is no least count."""
        released = self.constants.released
        if released:
            query = last_of_each_hash(query)
        hits = self.table.lookup(query.hashes)
        if not len(hits):
            return []
        shifts = hits.values[:, 0] - query.frames[hits.rows].astype(np.int64)
        files, offsets, counts = popular_offsets(hits, shifts, adjacent=not released)
        if released:
            files, scores = files[:1], counts[:1].astype(float)
        else:
            files = files[:ANSWERS]
            rivals = np.full(len(files), counts[0])
            rivals[0] = counts[1] if len(counts) > 1 else 1
            scores = counts[: len(files)] / rivals
        step = self.constants.hop / self.constants.sample_rate
        return [
            Answer(self.table.key(file), float(score), float(offset * step))
            for file, score, offset in zip(files, scores, offsets, strict=False)
        ]
