"""Made hashes of 256 random bits, for segments that are planted in them."""

from __future__ import annotations

import numpy as np

from samaf.fingerprinters import ScoreCalibration
from samaf.records import Hashes

WIDTH = 32
# Random bits are independent: their rate deviates by 1 / (2 sqrt(256)).
RANDOM = ScoreCalibration(0.5, 1 / 32, (0.0,))


def random_hashes(rng: np.random.Generator, count: int) -> np.ndarray:
    """Draw packed hashes, uint8 (count, 32)."""
    return rng.integers(0, 256, (count, WIDTH), np.uint8)


def flipped(rng: np.random.Generator, packed: np.ndarray, share: float) -> np.ndarray:
    """Flip about a share of the bits."""
    return packed ^ np.packbits(rng.random((len(packed), 8 * WIDTH)) < share, axis=1)


def known(packed: np.ndarray) -> Hashes:
    """Make hashes of which each tells something."""
    return Hashes(packed, np.ones(len(packed), bool))
