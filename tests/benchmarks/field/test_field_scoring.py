"""Intervals, costs of likelihood ratios, points of the detection curve: by hand."""

import numpy as np
import pytest

from benchmarks.calibration.validation import cllr, least_cllr
from benchmarks.field.scoring import by_speaker, costs, wilson


def test_wilson_by_hand() -> None:
    # z = 1.96: (p + z2/2n +- z sqrt(p(1-p)/n + z2/4n2)) / (1 + z2/n) with p = 1/2, n = 4.
    low, high = wilson(2, 4)
    assert low == pytest.approx(0.1500, abs=1e-4)
    assert high == pytest.approx(0.8500, abs=1e-4)
    assert wilson(0, 10)[0] == 0
    assert wilson(10, 10)[1] == pytest.approx(1)
    assert np.isnan(wilson(0, 0)).all()


def test_cost_of_ratios_by_hand() -> None:
    # Ratios of 1 tell nothing: log2(1 + 1) on both sides.
    assert cllr(np.zeros(3), np.zeros(2)) == 1
    # One true at 10, one false at 0.1: both cost log2(1.1).
    assert cllr(np.array([1.0]), np.array([-1.0])) == pytest.approx(np.log2(1.1))


def test_pooling_adjacent_violators_by_hand() -> None:
    # Apart: a recalibration makes it perfect. In turns: the pool in the middle costs.
    assert least_cllr(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == 0
    # Order f t f t: the middle two are pooled to a ratio of 1 (half of either side): 2 x 1/2 / 2.
    assert least_cllr(np.array([1.0, 3.0]), np.array([0.0, 2.0])) == pytest.approx(0.5)
    # The wrong way round: all are pooled, nothing is told.
    assert least_cllr(np.array([0.0]), np.array([1.0])) == 1


def test_the_interval_of_a_share_draws_speakers() -> None:
    alike = by_speaker([True, True, False, False], ["a", "a", "b", "b"])
    assert (alike.value, alike.low, alike.high) == (0.5, 0, 1)
    apart = by_speaker([True, False, True, False], ["a", "a", "b", "b"])
    assert (apart.value, apart.low, apart.high) == (0.5, 0.5, 0.5)


def test_costs_have_intervals() -> None:
    true, false = np.array([1.0, 1.0]), np.array([-1.0, -1.0])
    speakers = np.array(["a", "b"])
    whole, least = costs(true, false, speakers, speakers)
    assert whole.value == whole.low == whole.high == pytest.approx(np.log2(1.1))
    assert least.value == 0
    nothing, _ = costs(true, np.array([]), speakers, np.array([], str))
    assert np.isnan(nothing.value)
