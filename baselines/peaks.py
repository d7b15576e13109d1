"""Local maxima of spectrograms, by filters whose cost does not grow with the window."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import maximum_filter1d, minimum_filter1d

DIAMOND_CANDIDATES = 2048  # candidates tested at once: bounds the memory


def _centred(before: int, after: int) -> tuple[int, int]:
    """Size and origin with which a one-dimensional filter spans -before .. +after."""
    size = before + after + 1
    return size, before - size // 2


def box_maximum(values: np.ndarray, rows: tuple[int, int], columns: tuple[int, int]) -> np.ndarray:
    """Largest value of the box around each cell; cells outside the array do not count.

    Parameters
    ----------
    values
        Shape (n, m).
    rows, columns
        Cells (before, after) the centre that belong to the box.
    """
    for axis, (before, after) in enumerate((rows, columns)):
        size, origin = _centred(before, after)
        values = maximum_filter1d(values, size, axis=axis, mode="nearest", origin=origin)
    return values


def box_minimum(values: np.ndarray, rows: tuple[int, int], columns: tuple[int, int]) -> np.ndarray:
    """Smallest value of the box around each cell; see ``box_maximum``."""
    for axis, (before, after) in enumerate((rows, columns)):
        size, origin = _centred(before, after)
        values = minimum_filter1d(values, size, axis=axis, mode="nearest", origin=origin)
    return values


def square_peaks(values: np.ndarray, radius: int, threshold: float) -> np.ndarray:
    """Cells above the threshold that are the maximum of the square around them.

    Ties give several peaks. Returns indices (row, column), shape (peaks, 2), row-major.
    """
    reach = (radius, radius)
    return np.argwhere((values == box_maximum(values, reach, reach)) & (values > threshold))


def diamond_peaks(values: np.ndarray, radius: int, threshold: float) -> np.ndarray:
    """Cells above the threshold that are the maximum of the diamond around them.

    The diamond holds all cells at a Manhattan distance of up to ``radius``. Each of its
    maxima is one of the inscribed square as well, so only those few are tested cell by cell.
    """
    candidates = square_peaks(values, radius // 2, threshold)
    steps = np.arange(-radius, radius + 1)
    rows, columns = np.nonzero(np.abs(steps)[:, None] + np.abs(steps) <= radius)
    padded = np.pad(values, radius, constant_values=-np.inf)
    width = padded.shape[1]
    flat, reach = padded.ravel(), rows * width + columns
    kept = np.empty(len(candidates), dtype=bool)
    for first in range(0, len(candidates), DIAMOND_CANDIDATES):
        row, column = candidates[first : first + DIAMOND_CANDIDATES].T
        around = flat[(row * width + column)[:, None] + reach]
        kept[first : first + DIAMOND_CANDIDATES] = around.max(axis=1) == values[row, column]
    return candidates[kept]
