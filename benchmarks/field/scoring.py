"""Figures of merit of answers, as pure functions of arrays.

Clips of one speaker are not independent: intervals draw speakers, or are Wilson's where a
share is so small that drawing shows nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.calibration.validation import cllr, least_cllr
from benchmarks.metrics import CONFIDENCE, SEED, Estimate, proportion

Z = 1.959964  # of the standard normal distribution: 95 % lie within
CLLR_DRAWS = 200


def wilson(hits: int, queries: int) -> tuple[float, float]:
    """Give the 95 % interval of a share by Wilson (1927).

    >>> [round(x, 3) for x in wilson(0, 100)]
    [0.0, 0.037]
    """
    if not queries:
        return float("nan"), float("nan")
    share, spread = hits / queries, Z**2 / queries
    middle = (share + spread / 2) / (1 + spread)
    half = Z * np.sqrt(share * (1 - share) / queries + spread / (4 * queries)) / (1 + spread)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def by_speaker(hits: Sequence[bool], speakers: Sequence[str]) -> Estimate:
    """Estimate a share; the bootstrap draws speakers."""
    _, which = np.unique(np.array(speakers, str), return_inverse=True)
    total = np.bincount(which)
    return proportion(np.bincount(which, np.array(hits, float), len(total)), total)


@dataclass(frozen=True, slots=True)
class Cost:
    """A cost in bits with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f}-{self.high:.3f})"


def costs(
    true: np.ndarray, false: np.ndarray, true_speakers: np.ndarray, false_speakers: np.ndarray
) -> tuple[Cost, Cost]:
    """Give Cllr and minimum Cllr of log10 likelihood ratios; the bootstrap draws speakers."""
    return (
        _bootstrapped(cllr, true, false, true_speakers, false_speakers),
        _bootstrapped(least_cllr, true, false, true_speakers, false_speakers),
    )


def _bootstrapped(
    cost: Callable[[np.ndarray, np.ndarray], float],
    true: np.ndarray,
    false: np.ndarray,
    true_speakers: np.ndarray,
    false_speakers: np.ndarray,
) -> Cost:
    if not len(true) or not len(false):
        return Cost(float("nan"), float("nan"), float("nan"))
    names = np.unique(np.concatenate([true_speakers, false_speakers]))
    rng = np.random.default_rng(SEED)
    of_true = [np.flatnonzero(true_speakers == name) for name in names]
    of_false = [np.flatnonzero(false_speakers == name) for name in names]
    drawn = []
    for _ in range(CLLR_DRAWS):
        chosen = rng.integers(len(names), size=len(names))
        some_true = np.concatenate([of_true[n] for n in chosen])
        some_false = np.concatenate([of_false[n] for n in chosen])
        if len(some_true) and len(some_false):
            drawn.append(cost(true[some_true], false[some_false]))
    edge = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn, [edge, 1 - edge])
    return Cost(cost(true, false), float(low), float(high))
