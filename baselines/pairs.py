"""Index arithmetic on sorted arrays: ranges, pairs and triplets without loops."""

from __future__ import annotations

import numpy as np


def expand_ranges(starts: np.ndarray, stops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All positions of many ranges.

    Parameters
    ----------
    starts, stops
        int64, shape (n,): range i holds starts[i] .. stops[i] - 1; it is empty when
        stops[i] <= starts[i].

    Returns
    -------
    owner, position
        int64, shape (m,): position j belongs to range owner[j]; ranges stay in order.

    >>> owner, position = expand_ranges(np.array([0, 5, 2]), np.array([2, 5, 3]))
    >>> owner.tolist(), position.tolist()
    ([0, 0, 2], [0, 1, 2])
    """
    counts = np.maximum(stops - starts, 0)
    owner = np.repeat(np.arange(len(starts)), counts)
    ends = np.cumsum(counts)
    return owner, np.arange(len(owner)) + np.repeat(starts - (ends - counts), counts)


def pairs_within(times: np.ndarray, least: int, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices (i, j) of all pairs with least <= times[j] - times[i] <= most, least >= 1.

    ``times`` is sorted; the pairs come sorted by i, then j.
    """
    first = np.searchsorted(times, times + least, side="left")
    last = np.searchsorted(times, times + most, side="right")
    return expand_ranges(first, last)


def triplets(
    i: np.ndarray, j: np.ndarray, points: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All chains (i, j), (j, k) of two pairs; the pairs are sorted by their first index."""
    bounds = np.searchsorted(i, np.arange(points + 1))
    owner, follower = expand_ranges(bounds[j], bounds[j + 1])
    return i[owner], j[owner], j[follower]
