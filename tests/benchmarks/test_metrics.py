"""Metrics against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.metrics import (
    detection,
    mean_of_groups,
    offset_right,
    proportion,
    separation,
    threshold_at,
)


def test_proportion_weighs_queries_and_leaves_idle_clips_out() -> None:
    found = proportion(np.array([4.0, 1.0, 0.0]), np.array([4, 2, 0]))
    assert found.value == pytest.approx(5 / 6)
    assert (found.queries, found.clips) == (6, 2)
    # Two clips: 1/4 of the draws are twice the first, 1/4 twice the second.
    assert (found.low, found.high) == (0.5, 1.0)


def test_interval_of_many_clips_is_near_the_normal_one() -> None:
    right = np.repeat([0.0, 10.0], [40, 160])
    found = proportion(right, np.full(200, 10))
    half = 1.96 * np.sqrt(0.8 * 0.2 / 200)  # clips, not queries, are what is independent
    assert found.low == pytest.approx(0.8 - half, abs=0.01)
    assert found.high == pytest.approx(0.8 + half, abs=0.01)


def test_nothing_asked() -> None:
    found = proportion(np.zeros(3), np.zeros(3, int))
    assert np.isnan(found.value)
    assert found.queries == found.clips == 0


def test_rows_count_alike_whatever_their_queries() -> None:
    right = np.array([[1.0, 1.0], [0.0, 0.0], [9.0, 9.0]])
    total = np.array([[1, 1], [30, 30], [0, 0]])
    found = mean_of_groups(right, total)
    assert found.value == found.low == found.high == 0.5
    assert found.queries == 62


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=20))
def test_interval_holds_the_value(clips: list[tuple[int, int]]) -> None:
    right = np.array([min(pair) for pair in clips], float)
    total = np.array([max(pair) for pair in clips])
    found = proportion(right, total)
    if found.queries:
        assert 0 <= found.low <= found.value + 1e-9
        assert found.value - 1e-9 <= found.high <= 1


def test_offset_within_a_quarter_of_a_second() -> None:
    offset = np.array([1.0, 1.25, 1.26, 0.7, np.nan])
    assert offset_right(offset, np.full(5, 1.0)).tolist() == [True, True, False, False, False]


def test_detection_by_hand() -> None:
    right = np.array([1.0, 1.0, 0.0, 1.0])
    score = np.array([0.9, 0.7, 0.6, 0.3])
    impostor = np.array([0.5, 0.4, 0.2, -np.inf])
    curve = detection(right, score, impostor)
    assert curve.thresholds.tolist() == [np.inf, 0.9, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2]
    assert curve.false_positive.tolist() == [0, 0, 0, 0, 0.25, 0.5, 0.5, 0.75]
    assert curve.missed.tolist() == [1, 0.75, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25]
    assert curve.equal_error_rate == 0.5
    assert threshold_at(curve, 0.25, 4) == 0.5
    assert threshold_at(curve, 0.5, 4) == 0.3
    assert np.isnan(threshold_at(curve, 0.01, 4))


def test_perfect_detection_has_no_errors() -> None:
    curve = detection(np.ones(3), np.array([0.8, 0.9, 0.7]), np.array([0.1, 0.2, -np.inf]))
    assert curve.equal_error_rate == 0
    assert threshold_at(curve, 0.34, 3) == 0.2
    assert threshold_at(curve, 0.5, 3) == 0.2


def test_equal_error_rate_between_two_thresholds() -> None:
    # At 0.5: nobody passes, half is missed; at 0.4: all pass, none is missed.
    curve = detection(np.ones(2), np.array([0.5, 0.4]), np.array([0.4, 0.4]))
    assert curve.false_positive.tolist() == [0, 0, 1]
    assert curve.missed.tolist() == [1, 0.5, 0]
    assert curve.equal_error_rate == pytest.approx(1 / 3)


def test_separation_by_hand() -> None:
    found = separation(np.array([0, 0, 2, 2]), np.array([2, 4, 4, 4]), bits=8)
    assert (found.true_mean, found.impostor_mean) == (0.125, 0.4375)
    assert found.true_deviation == 0.125
    assert found.overlap == 0.25
    assert found.pairs == 4


def test_separation_of_nothing() -> None:
    assert np.isnan(separation(np.empty(0, int), np.array([1]), 8).overlap)
