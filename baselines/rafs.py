"""RAFS: the Philips system of Haitsma and Kalker (ISMIR 2002), and Panako 1.6's version.

Each frame gives 32 bits, the signs of energy differences along frequency and time; a block
of 256 frames is compared bit by bit where single frames agree.

``paper`` follows the strategy RAFS of Panako 1.6 at the sample rate of the SAMAF paper, its bugs
included, each of which is a constant of its own:

- ``band_rate`` 5,500 Hz is written into the extractor, so that at 16 kHz the bands are
  859-6,445 Hz, not 300-2,000 Hz
- ``shift`` 1: a block is compared with the recording one frame late
- ``weak_bits`` "inverse": the list of bits by reliability is read as the rank of each bit,
  and clearing a bit clears bit 31 as well
- the first candidate under the threshold is the answer, not the best one

Departures of ``paper`` from the original: the limit of 15 s of wall clock is a limit of
200,000 compared blocks; the keys of a frame are tried in the order of their toggles, not in
the order of a hash set. ``best`` follows the paper of 2002 at 16 kHz with a telephone band.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from baselines.recognizer import SAMPLE_RATE, Answer, checked
from baselines.subfingerprints import (
    BITS,
    HOP,
    band_levels,
    differences,
    flipped_bits,
    packed,
    toggled,
)
from baselines.table import HashTable, Prints

BLOCK = 256  # frames, 1.024 s at 16 kHz
ANSWERS = 10  # recordings that `best` returns
COMPARED_AT_ONCE = 4096  # blocks: bounds the memory

# Panako 1.6
LAST_SEEN = 125  # frames, 0.5 s: the last equal value this near is taken
CANDIDATES = 200_000  # compared blocks
FRAMES_AT_ONCE = 16  # query frames looked up together


@dataclass(frozen=True, slots=True)
class RafsSettings:
    """Constants of one variant.

    Attributes
    ----------
    band_rate
        Hz, of the band map with magnitudes and a Hamming window as in Panako 1.6; 0 for
        energies, a Hann window and 33 logarithmic bands from 300 to 3,400 Hz.
    flipped
        Bits toggled in every combination.
    weak_bits
        "true": the bits of smallest difference; "inverse": Panako's mistake.
    shift
        Frames by which the compared block is late.
    threshold
        Largest share of different bits, exclusive.
    stride
        Every how many frames of the query are looked up.
    first_hit
        Stop at the first block under the threshold, compared by Panako's rules;
        otherwise compare every block of the query and sort by the least distance.
    """

    band_rate: int
    flipped: int
    weak_bits: str
    shift: int
    threshold: float
    stride: int
    first_hit: bool


SETTINGS = {
    "paper": RafsSettings(
        band_rate=5_500,
        flipped=9,
        weak_bits="inverse",
        shift=1,
        threshold=2867 / 8192,
        stride=1,
        first_hit=True,
    ),
    "best": RafsSettings(
        band_rate=0,
        flipped=5,
        weak_bits="true",
        shift=0,
        threshold=0.38,
        stride=4,
        first_hit=False,
    ),
}


class Rafs:
    """Haitsma-Kalker with the settings ``paper`` or ``best``.

    ``constants`` may be replaced by others to show the cost of each bug alone.
    """

    name = "rafs"

    def __init__(self, settings: str, constants: RafsSettings | None = None) -> None:
        self.settings = settings
        self.constants = constants or SETTINGS[settings]
        self._table = HashTable(columns=1)
        self._values: dict[int, np.ndarray] = {}
        self._flat = np.empty(0, np.uint32)
        self._starts = np.empty(0, np.int64)
        self._lengths = np.empty(0, np.int64)

    def add(self, key: str, samples: np.ndarray, sample_rate: int = SAMPLE_RATE) -> None:
        """Store a recording; see ``Recognizer``."""
        values = packed(
            differences(band_levels(checked(samples, sample_rate), self.constants.band_rate))
        )
        frames = np.arange(len(values), dtype=np.int32)[:, None]
        number = self._table.add(key, Prints(values.astype(np.int64), frames))
        self._values[number] = values
        self._flat = np.empty(0, np.uint32)

    def delete(self, key: str) -> None:
        """Forget a recording; see ``Recognizer``."""
        del self._values[self._table.delete(key)]
        self._flat = np.empty(0, np.uint32)

    def stored_bits(self) -> int:
        """Bits of all stored hashes; see ``Recognizer``."""
        return len(self._table) * BITS

    def query(self, samples: np.ndarray) -> list[Answer]:
        """Answers, best first; see ``Recognizer``."""
        steps = differences(band_levels(checked(samples), self.constants.band_rate))
        if not len(steps) or not self._values:
            return []
        if not len(self._flat):
            self._flatten()
        return self._first_hit(steps) if self.constants.first_hit else self._nearest(steps)

    def _flatten(self) -> None:
        """Lay the values of all recordings end to end."""
        numbers = list(self._values)
        lengths = np.array([len(self._values[number]) for number in numbers])
        self._starts = np.zeros(numbers[-1] + 1, np.int64)
        self._lengths = np.zeros(numbers[-1] + 1, np.int64)
        self._lengths[numbers] = lengths
        self._starts[numbers] = np.cumsum(lengths) - lengths
        self._flat = np.concatenate([self._values[number] for number in numbers])

    def _distances(
        self, values: np.ndarray, starts: np.ndarray, files: np.ndarray, at: np.ndarray
    ) -> np.ndarray:
        """Different bits of the query's blocks at ``starts`` and the stored ones at ``at``.

        A query of less than 256 frames is a block itself.
        """
        if not len(files):
            return np.empty(0, np.int64)
        length = min(len(values), BLOCK)
        queried = sliding_window_view(values, length)
        stored = sliding_window_view(self._flat, length)
        at = self._starts[files] + at
        distances = np.empty(len(files), np.int64)
        for first in range(0, len(files), COMPARED_AT_ONCE):
            part = slice(first, first + COMPARED_AT_ONCE)
            different = np.bitwise_count(stored[at[part]] ^ queried[starts[part]])
            distances[part] = different.sum(axis=1, dtype=np.int64)
        return distances

    def _candidates(
        self, steps: np.ndarray, frames: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Stored frames with a value of the query, toggled or not, in the order of lookup.

        Returns the number of the key and the query frame, recording and stored frame.
        """
        constants = self.constants
        bits = flipped_bits(steps[frames], constants.flipped, constants.weak_bits)
        keys = toggled(packed(steps[frames]), bits, constants.weak_bits == "inverse")
        hits = self._table.lookup(keys.ravel().astype(np.int64))
        return hits.rows, frames[hits.rows // keys.shape[1]], hits.files, hits.values[:, 0]

    def _nearest(self, steps: np.ndarray) -> list[Answer]:
        """Recordings under the threshold, by the nearest block of their best alignment.

        The query is cut into blocks of 256 frames; what is left over at its end is not used.
        """
        values = packed(steps)
        length = min(len(values), BLOCK)
        lookups = np.arange(0, len(values), self.constants.stride)
        _, frames, files, stored = self._candidates(steps, lookups)
        cells = np.unique((files << 32) + (stored - frames + 2**31))
        files, offsets = cells >> 32, (cells & (2**32 - 1)) - 2**31
        errors = np.ones(len(cells))  # bit error rates
        for first in range(0, len(values) - length + 1, length):
            at = offsets + first
            inside = np.flatnonzero((at >= 0) & (at + length <= self._lengths[files]))
            starts = np.full(len(inside), first)
            distances = self._distances(values, starts, files[inside], at[inside])
            errors[inside] = np.minimum(errors[inside], distances / (length * BITS))
        order = np.lexsort((files, errors))
        order = order[np.sort(np.unique(files[order], return_index=True)[1])]
        return [
            Answer(
                self._table.key(int(files[i])), 1.0 - error, float(offsets[i] * HOP / SAMPLE_RATE)
            )
            for i, error in zip(order[:ANSWERS], errors[order].tolist(), strict=False)
            if error < self.constants.threshold
        ]

    def _first_hit(self, steps: np.ndarray) -> list[Answer]:
        """Panako's search: the first block under the threshold ends it."""
        values, shift = packed(steps), self.constants.shift
        left = CANDIDATES
        for candidates in self._panako_candidates(steps):
            frames, files, stored = (column[:left] for column in candidates)
            distances = self._distances(values, frames - BLOCK, files, stored - BLOCK - shift)
            under = np.flatnonzero(distances < self.constants.threshold * BLOCK * BITS)
            if len(under):
                i = under[0]
                score = 1.0 - float(distances[i]) / (BLOCK * BITS)
                offset = float(stored[i] - frames[i]) * HOP / SAMPLE_RATE
                return [Answer(self._table.key(int(files[i])), score, offset)]
            left -= len(distances)
            if left <= 0:
                break
        return []

    def _panako_candidates(
        self, steps: np.ndarray
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Query frame, recording and stored frame of the blocks to compare, in order.

        Blocks end before a frame later than frame 256 on either side. A stored frame is
        replaced by the last one of the same value in the half second after it; less than
        half a second from the start it is passed over.
        """
        for first in range(BLOCK + 1, len(steps), FRAMES_AT_ONCE):
            rows = np.arange(first, min(first + FRAMES_AT_ONCE, len(steps)))
            keys, frames, files, stored = self._candidates(steps, rows)
            place = (keys << 50) + (files << 30) + stored  # sorted: lists hold files in order
            last = stored[np.searchsorted(place, place + LAST_SEEN, side="right") - 1]
            usable = (stored >= LAST_SEEN) & (last > BLOCK)
            frames, files, last = frames[usable], files[usable], last[usable].astype(np.int64)
            blocks = (frames - first << 50) + (files << 30) + last
            once = np.sort(np.unique(blocks, return_index=True)[1])
            yield frames[once], files[once], last[once]
