"""Nearest windows against the exact engine and against loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.accuracy import nearest
from benchmarks.accuracy.nearest import NearestWindows, diagonals
from samaf.index import ExactIndex, table_of
from samaf.records import Hashes


def test_diagonals_by_hand() -> None:
    distances = np.arange(36, dtype=np.uint16).reshape(6, 6)
    one, five = diagonals(distances, [1, 5])
    assert (one == distances).all()
    # 0 + 7 + 14 + 21 + 28, then one column and one row further.
    assert five.tolist() == [[70, 75], [100, 105]]


def test_diagonals_of_too_few_hashes_are_empty() -> None:
    one, five, nine = diagonals(np.ones((3, 6), np.uint16), [1, 5, 9])
    assert one.shape == (3, 6)
    assert five.size == nine.size == 0


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    counts=st.lists(st.integers(0, 12), min_size=1, max_size=8),
    query=st.integers(1, 14),
    block=st.sampled_from([7, 30, 65_536]),
)
def test_agrees_with_the_exact_engine(seed: int, counts: list[int], query: int, block: int) -> None:
    rng = np.random.default_rng(seed)
    # Few different bytes, so that ties are common.
    parts = [(n, rng.integers(0, 3, (c, 2), dtype=np.uint8)) for n, c in enumerate(counts)]
    table = table_of(parts, 2)
    asked = rng.integers(0, 3, (query, 2), dtype=np.uint8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearest, "BLOCK", block)
        patch.setattr(nearest, "CHUNK", 5)
        found = NearestWindows(table).search(Hashes(asked, np.ones(query, bool)), [1, 5, 9])
    for length, (windows, rows, rates) in zip([1, 5, 9], found, strict=True):
        if query < length or max(counts) < length:
            assert not len(windows)
            continue
        exact = ExactIndex(table).search(asked, length, 200)
        for window in range(query - length + 1):
            tied = exact.distances[window] == exact.distances[window, 0]
            here = windows == window
            assert rows[here].tolist() == exact.rows[window, tied].tolist()
            assert np.allclose(rates[here], exact.distances[window, 0] / (16 * length))


def test_weights_choose_among_the_nearest() -> None:
    stored = np.array([[0b1111_0000], [0b0000_0111], [0b0000_1111]], np.uint8)
    table = table_of([(4, stored[:1]), (5, stored[1:])], 1)
    weights = np.array([[0, 0, 0, 0, 0, 255, 255, 255]], np.uint8)
    query = Hashes(np.array([[0b1111_0111]], np.uint8), np.ones(1, bool), weights)
    windows, rows, rates = NearestWindows(table).search(query, [1])[0]
    assert windows.tolist() == [0, 0]  # both lack only bits that nobody is sure of
    assert rows.tolist() == [1, 2]
    assert np.allclose(rates, (1 - np.sqrt(3 / 8)) / 2)
