"""Tails and deviations against exact values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from samaf.fingerprinters import LikelihoodRatio, ScoreCalibration
from samaf.matching.calibration import (
    log10_evalue,
    log10_likelihood_ratio,
    log10_tail,
    mean_deviation,
)


@given(st.floats(-8, 60))
def test_tail_is_that_of_the_normal_distribution(z: float) -> None:
    exact = norm.logsf(z) / np.log(10)
    assert float(log10_tail(np.array(z))) == pytest.approx(exact, abs=0.002)


def test_independent_hashes_average_out() -> None:
    independent = ScoreCalibration(deviation=0.06, correlation=(0.0,))
    assert mean_deviation(np.array([1, 4, 9]), independent) == pytest.approx([0.06, 0.03, 0.02])


def test_correlated_hashes_average_out_more_slowly() -> None:
    # Two hashes with correlation r: variance (1 + r) / 2 of one.
    pair = ScoreCalibration(deviation=0.06, correlation=(0.5, 0.0))
    assert mean_deviation(np.array(2), pair) == pytest.approx(0.06 * np.sqrt(0.75))


def test_expectation_grows_with_the_places_tried() -> None:
    calibration = ScoreCalibration(mean=0.5, deviation=0.05, correlation=(0.0,))
    one = log10_evalue(np.array(0.25), np.array(1), 1, calibration)
    assert float(one) == pytest.approx(norm.logsf(5) / np.log(10), abs=0.002)
    many = log10_evalue(np.array(0.25), np.array(1), 1e6, calibration)
    assert float(many - one) == pytest.approx(6)


def test_calibration_is_a_line_and_never_claims_more_than_certainty() -> None:
    corrected = ScoreCalibration(0.5, 0.05, (0.0,), offset=1.0, slope=0.5)
    raw = norm.logsf(5) / np.log(10)
    found = log10_evalue(np.array([0.25, 0.5]), np.array([1, 1]), 1, corrected)
    assert found == pytest.approx([1 + 0.5 * raw, 0], abs=0.002)


def test_same_text_are_as_many_as_places_are_compared() -> None:
    # At a BER that chance never gives, only another reading of the words is left: half of
    # them agree better than their mean.
    alike = ScoreCalibration(
        0.5, 0.05, (0.0,), same_text=0.01, same_text_mean=0.25, same_text_comparisons=1e4
    )
    ber, hashes = np.array(0.25), np.array(40)
    here = float(log10_evalue(ber, hashes, 1e4, alike))
    assert here == pytest.approx(np.log10(0.005))
    assert float(log10_evalue(ber, hashes, 1e6, alike)) == pytest.approx(here + 2)


def test_long_stretches_count_as_fewer_tries() -> None:
    plain = ScoreCalibration(0.5, 0.05, (0.0,))
    fewer = replace(plain, overlap=0.6)
    ber, hashes = np.array([0.3, 0.3, 0.3]), np.array([1, 2, 6])
    less = log10_evalue(ber, hashes, 1e3, plain) - log10_evalue(ber, hashes, 1e3, fewer)
    assert less == pytest.approx([0, 0.3, 0.5])


RATIO = ScoreCalibration(likelihood=LikelihoodRatio(-1.5, 0.75, -1.8, 2.4))


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_likelihood_ratio_grows_with_the_score_within_its_bounds(one: float, two: float) -> None:
    low, high = log10_likelihood_ratio(np.sort([one, two]), RATIO)
    assert -1.8 <= low <= high <= 2.4


def test_likelihood_ratio_is_even_where_both_sides_are_as_likely() -> None:
    assert float(log10_likelihood_ratio(2.0, RATIO)) == pytest.approx(0)


@given(st.floats(-1e6, 1e6))
def test_an_uncalibrated_model_supports_neither_side(score: float) -> None:
    assert float(log10_likelihood_ratio(score, ScoreCalibration())) == 0


def test_tails_are_normal_down_to_the_knee_and_heavier_below() -> None:
    heavy = ScoreCalibration(0.5, 0.05, (0.0,), offset=-5.0, slope=0.25, knee=-6.0)
    ber, one = np.linspace(0.1, 0.4, 7), np.ones(7)
    beyond = norm.logsf((0.5 - ber) / 0.05) / np.log(10) + 6
    wanted = -5 + np.where(beyond > 0, beyond, 0.25 * beyond)
    assert log10_evalue(ber, one, 1, heavy) == pytest.approx(np.minimum(wanted, 0), abs=0.002)
