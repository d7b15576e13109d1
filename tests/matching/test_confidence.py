"""Tails and deviations against exact values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from samaf.fingerprinters import Confidence
from samaf.matching.confidence import log10_false, log10_tail, mean_deviation


@given(st.floats(-8, 60))
def test_tail_is_that_of_the_normal_distribution(z: float) -> None:
    exact = norm.logsf(z) / np.log(10)
    assert float(log10_tail(np.array(z))) == pytest.approx(exact, abs=0.002)


def test_independent_hashes_average_out() -> None:
    independent = Confidence(deviation=0.06, correlation=(0.0,))
    assert mean_deviation(np.array([1, 4, 9]), independent) == pytest.approx([0.06, 0.03, 0.02])


def test_correlated_hashes_average_out_more_slowly() -> None:
    # Two hashes with correlation r: variance (1 + r) / 2 of one.
    pair = Confidence(deviation=0.06, correlation=(0.5, 0.0))
    assert mean_deviation(np.array(2), pair) == pytest.approx(0.06 * np.sqrt(0.75))


def test_expectation_grows_with_the_places_tried() -> None:
    confidence = Confidence(mean=0.5, deviation=0.05, correlation=(0.0,))
    one = log10_false(np.array(0.25), np.array(1), 1, confidence)
    assert float(one) == pytest.approx(norm.logsf(5) / np.log(10), abs=0.002)
    many = log10_false(np.array(0.25), np.array(1), 1e6, confidence)
    assert float(many - one) == pytest.approx(6)


def test_calibration_is_a_line_and_never_claims_more_than_certainty() -> None:
    corrected = Confidence(0.5, 0.05, (0.0,), offset=1.0, slope=0.5)
    raw = norm.logsf(5) / np.log(10)
    found = log10_false(np.array([0.25, 0.5]), np.array([1, 1]), 1, corrected)
    assert found == pytest.approx([1 + 0.5 * raw, 0], abs=0.002)
