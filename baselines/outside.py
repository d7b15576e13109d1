"""Third-party programs, used where they are on the PATH.

``fpcalc`` computes Chromaprint's fingerprints (Debian package libchromaprint-tools); the
comparison is ours. Audfprint, Olaf and Panako's jar are not run from here.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from baselines.landmarks import popular_offsets
from baselines.recognizer import SAMPLE_RATE, Answer, RecognizerError, UnavailableError, checked
from baselines.table import HashTable, Prints

BITS = 32  # per item
ALIGNED_BITS = 12  # highest bits of an item, which vote for the offset
SAMPLE_STEPS = 32_767  # 16-bit full scale
FFMPEG_ENDED, EMPTY = 3, 2  # exit codes: all of a pipe was read; too short for an item


@dataclass(frozen=True, slots=True)
class ChromaprintSettings:
    """Constants of one variant.

    Attributes
    ----------
    algorithm
        Number that fpcalc takes.
    item
        Seconds from item to item.
    every_offset
        Compare at every offset; otherwise at the one that most items vote for.
    threshold
        Largest mean number of different bits of 32, exclusive.
    """

    algorithm: int
    item: float
    every_offset: bool
    threshold: float


SETTINGS = {
    # 4,096 samples at 11,025 Hz, a third apart; the first item takes 2.72 s
    "paper": ChromaprintSettings(2, (4096 // 3) / 11_025, every_offset=False, threshold=10.0),
    # 2,048 samples, half apart; the first item takes 1.95 s
    "best": ChromaprintSettings(5, 1024 / 11_025, every_offset=True, threshold=12.0),
}


def fpcalc(samples: np.ndarray, algorithm: int) -> np.ndarray:
    """Chromaprint items of 16 kHz samples, uint32, shape (n,); none if they are too short."""
    pcm = np.rint(np.clip(samples, -1.0, 1.0) * SAMPLE_STEPS).astype("<i2").tobytes()
    source = ["-format", "s16le", "-rate", str(SAMPLE_RATE), "-channels", "1", "-"]
    done = subprocess.run(
        ["fpcalc", "-raw", "-plain", "-length", "0", "-algorithm", str(algorithm), *source],
        input=pcm,
        capture_output=True,
        check=False,
    )
    if done.returncode == EMPTY:
        return np.empty(0, np.uint32)
    if done.returncode not in (0, FFMPEG_ENDED):
        words = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise RecognizerError(
            f"fpcalc failed with code {done.returncode} ({words[-1]}): "
            "check the program, version 1.5 is known to work"
        )
    return np.array(done.stdout.decode().strip().split(","), dtype=np.uint32)


class Chromaprint:
    """Chromaprint by ``fpcalc`` with the settings ``paper`` or ``best``."""

    name = "chromaprint"

    def __init__(self, settings: str) -> None:
        if shutil.which("fpcalc") is None:
            raise UnavailableError(
                "chromaprint needs fpcalc, which is not on the PATH: "
                "install libchromaprint-tools, or leave it out"
            )
        self.settings = settings
        self.constants = SETTINGS[settings]
        self._table = HashTable(columns=1)
        self._items: dict[int, np.ndarray] = {}

    def add(self, key: str, samples: np.ndarray, sample_rate: int = SAMPLE_RATE) -> None:
        """Store a recording; see ``Recognizer``."""
        items = fpcalc(checked(samples, sample_rate), self.constants.algorithm)
        self._items[self._table.add(key, _voters(items))] = items

    def query(self, samples: np.ndarray) -> list[Answer]:
        """Recordings under the threshold, by mean number of different bits."""
        items = fpcalc(checked(samples), self.constants.algorithm)
        if not len(items):
            return []
        if self.constants.every_offset:
            nearest = {n: _nearest(stored, items) for n, stored in self._items.items()}
        else:
            voters = _voters(items)
            hits = self._table.lookup(voters.hashes)
            files, offsets, _ = popular_offsets(hits, hits.values[:, 0] - hits.rows)
            nearest = {
                n: (_different(self._items[n], items, offset), offset)
                for n, offset in zip(files.tolist(), offsets.tolist(), strict=True)
            }
        order = sorted(nearest, key=lambda n: (nearest[n][0], n))
        return [
            Answer(self._table.key(n), 1.0 - bits / BITS, offset * self.constants.item)
            for n in order
            for bits, offset in [nearest[n]]
            if bits < self.constants.threshold
        ]

    def delete(self, key: str) -> None:
        """Forget a recording; see ``Recognizer``."""
        del self._items[self._table.delete(key)]

    def stored_bits(self) -> int:
        """Bits of all stored hashes; see ``Recognizer``."""
        return len(self._table) * BITS


def _voters(items: np.ndarray) -> Prints:
    """The highest bits of each item with its position."""
    positions = np.arange(len(items), dtype=np.int32)[:, None]
    return Prints((items >> np.uint32(BITS - ALIGNED_BITS)).astype(np.int64), positions)


def _different(stored: np.ndarray, items: np.ndarray, offset: int) -> float:
    """Mean number of different bits where the items overlap the stored ones.

    32 if less than half of the items do.
    """
    first, last = max(offset, 0), min(offset + len(items), len(stored))
    if 2 * (last - first) < len(items):
        return float(BITS)
    bits = np.bitwise_count(stored[first:last] ^ items[first - offset : last - offset])
    return float(bits.mean())


def _nearest(stored: np.ndarray, items: np.ndarray) -> tuple[float, int]:
    """Least mean number of different bits over all full overlaps, and its offset."""
    items = items[: len(stored)]
    if not len(items):
        return float(BITS), 0
    bits = np.bitwise_count(sliding_window_view(stored, len(items)) ^ items).mean(axis=1)
    return float(bits.min()), int(bits.argmin())
