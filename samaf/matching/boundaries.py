"""Where a segment begins and ends, finer than its hashes.

A hash covers a second. Where a segment begins, the hashes before it hold part of it and part
of something else, and their error rate falls step by step. The full flank locates the boundary
to a tenth of a second; a threshold alone would be half a second early or late.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

BLOCK_HOPS = 4  # hops that a hash covers: 1 s / 0.25 s
UNRELATED = 0.49  # bit error rate of hashes that share nothing
# How much of a hash's agreement is left when only part of its second belongs to the segment;
# measured on validation speech cut into silence, music and other speech, either flank.
SHARES = (0.0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0)
AGREEMENT = (0.0, 0.06, 0.14, 0.26, 0.37, 0.49, 0.66, 0.85, 1.0)
BEFORE, BEHIND = 6, 16  # hashes examined on either side of the first that supports a segment
FINENESS = 0.2  # hops between the boundaries that are tried
INSIDE = 8  # hashes behind a boundary that the agreement of the segment is measured on
SPREAD = (0.05, 0.08)  # deviation of error rates outside and inside
PLAUSIBLE = 0.7  # log likelihood below the best that counts as equally good


def boundaries(rates: np.ndarray, first: int, stop: int) -> tuple[float, float]:
    """Find where the sound of a segment begins and ends.

    Parameters
    ----------
    rates
        Bit error rates of hashes along the alignment, (n,), with some beyond both ends.
    first, stop
        The hashes that support the segment.

    Returns
    -------
    Hops after the start of the first hash in ``rates``. A segment that may as well
    reach the first or the last hash does so.
    """
    begin = _boundary(rates, first, stop)
    backwards = _boundary(rates[::-1], len(rates) - stop, len(rates) - first)
    end = len(rates) - 1 + BLOCK_HOPS - backwards
    return (begin, end) if begin < end else (float(first), float(stop - 1 + BLOCK_HOPS))


def _boundary(rates: np.ndarray, first: int, stop: int) -> float:
    """Find the most likely left boundary, from its flank and both sides of it."""
    a, b = max(0, first - BEFORE), min(stop, first + BEHIND)
    tried, inner, agreement, spread = _flank(a, b)
    sums = np.concatenate([[0.0], np.cumsum(rates)])
    until = np.minimum(inner + INSIDE, stop)
    level = ((sums[until] - sums[inner]) / (until - inner))[:, None]
    expected = UNRELATED - (UNRELATED - level) * agreement
    likelihood = -(((rates[a:b] - expected) / spread) ** 2 / 2 + np.log(spread)).sum(axis=1)
    through = a == 0 and likelihood[0] >= likelihood.max() - PLAUSIBLE
    return float(a if through else tried[likelihood.argmax()])


@lru_cache(maxsize=64)  # the segments of one clip have their flanks at a few places
def _flank(a: int, b: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Give what does not depend on rates for boundaries between two hashes.

    Returns
    -------
    The boundaries that are tried, float64 (n,); the first hash that lies fully behind each, int64
    (n,); the agreement expected of hashes and the spread of their rates, float64 (n, b - a).
    """
    tried = np.round(np.arange(a, b - 1 + FINENESS / 2, FINENESS), 3)
    inner = np.ceil(tried).astype(int)
    share = (np.arange(a, b) + BLOCK_HOPS - tried[:, None]) / BLOCK_HOPS
    agreement = np.interp(share, SHARES, AGREEMENT)
    return tried, inner, agreement, SPREAD[0] + (SPREAD[1] - SPREAD[0]) * agreement
