"""Fast maxima against plain loops."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.peaks import box_maximum, box_minimum, diamond_peaks, square_peaks

GRIDS = st.tuples(st.integers(1, 14), st.integers(1, 14), st.integers(0, 2**32 - 1))
REACH = st.tuples(st.integers(0, 5), st.integers(0, 5))


def grid(shape: tuple[int, int, int]) -> np.ndarray:
    """Small integers, so that ties are common."""
    rows, columns, seed = shape
    return np.random.default_rng(seed).integers(-3, 4, (rows, columns)).astype(np.float32)


@settings(max_examples=40, deadline=None)
@given(GRIDS, REACH, REACH)
def test_boxes(
    shape: tuple[int, int, int], rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    values = grid(shape)
    most, least = np.empty_like(values), np.empty_like(values)
    for i, j in np.ndindex(values.shape):
        box = values[
            max(i - rows[0], 0) : i + rows[1] + 1, max(j - columns[0], 0) : j + columns[1] + 1
        ]
        most[i, j], least[i, j] = box.max(), box.min()
    np.testing.assert_array_equal(box_maximum(values, rows, columns), most)
    np.testing.assert_array_equal(box_minimum(values, rows, columns), least)


def naive_peaks(
    values: np.ndarray, radius: int, threshold: float, diamond: bool
) -> list[list[int]]:
    found = []
    for i, j in np.ndindex(values.shape):
        around = [
            values[k, m]
            for k, m in np.ndindex(values.shape)
            if (abs(k - i) + abs(m - j) if diamond else max(abs(k - i), abs(m - j))) <= radius
        ]
        if values[i, j] > threshold and values[i, j] == max(around):
            found.append([i, j])
    return found


@settings(max_examples=40, deadline=None)
@given(GRIDS, st.integers(1, 7))
def test_diamond_and_square(shape: tuple[int, int, int], radius: int) -> None:
    values = grid(shape)
    assert diamond_peaks(values, radius, 0.0).tolist() == naive_peaks(values, radius, 0.0, True)
    assert square_peaks(values, radius, 0.0).tolist() == naive_peaks(values, radius, 0.0, False)


def test_diamond_corner_and_tie() -> None:
    values = np.zeros((9, 9))
    values[4, 4], values[6, 6] = 1.0, 2.0  # Manhattan distance 4
    assert diamond_peaks(values, 3, 0.5).tolist() == [[4, 4], [6, 6]]
    assert diamond_peaks(values, 4, 0.5).tolist() == [[6, 6]]
    values[4, 4] = 2.0
    assert diamond_peaks(values, 4, 0.5).tolist() == [[4, 4], [6, 6]]
    assert diamond_peaks(values, 4, 2.0).tolist() == []
