"""Evidence for a candidate, with hashes whose bits are counted by hand."""

import numpy as np
import pytest

from benchmarks.field.evidence import (
    HOP_MS,
    activity,
    cohort_rates,
    lag_residual,
    tried,
)
from samaf.index.table import table_of
from samaf.matching.alignment import Alignment, Segment
from samaf.records import Hashes

RNG = np.random.default_rng(3)
STORED = [RNG.integers(256, size=(30, 32), dtype=np.uint8) for _ in range(6)]
TABLE = table_of(list(enumerate(STORED)), 32)


def _query(flipped: int) -> Hashes:
    """Give hashes 10 to 17 of recording 2, each with so many of its 256 bits turned."""
    packed = STORED[2][10:18].copy()
    packed[:, : flipped // 8] ^= 255
    return Hashes(packed, np.ones(8, bool), np.full((8, 256), 255, np.uint8))


def _segment(ber: float) -> Segment:
    return Segment(Alignment(2, 10.0, 1.0, 0, 8), 0, 8, ber, ber, 0.0, 0.0, 11.0)


def test_the_evidence_of_a_right_candidate() -> None:
    found = tried(_query(64), TABLE, _segment(0.25))
    assert (found.drift, found.spread, found.worst) == (0.0, 0.0, 0.25)
    assert found.reliability == 1.0
    # Random hashes agree in half of their bits, but for chance: sqrt(1/4 / 2,048) = 0.011.
    assert found.cohort_mean == pytest.approx(0.5, abs=0.01)
    assert found.cohort_deviation == pytest.approx(0.011, abs=0.003)
    assert found.cohort_best > 0.44


def test_a_cohort_leaves_the_recording_out_and_crosses_no_border() -> None:
    two = table_of([(0, STORED[0][:4]), (1, STORED[1][:4])], 32)
    rates = cohort_rates(STORED[0][:3], two, 0)
    # Two windows of three hashes lie in recording 1.
    expected = [
        np.bitwise_count(STORED[0][:3] ^ STORED[1][at : at + 3]).sum() / (3 * 256) for at in (0, 1)
    ]
    np.testing.assert_allclose(rates, expected)
    only = table_of([(0, STORED[0])], 32)
    np.testing.assert_array_equal(cohort_rates(STORED[0][:3], only, 0), [0.5])


def _parabolas(lags: np.ndarray) -> np.ndarray:
    """Rates on the diagonals -2 to 2 whose least values lie at ``lags`` hops."""
    return np.array([0.1 + 0.05 * (shift - lags) ** 2 for shift in (-2, -1, 0, 1, 2)])


def test_a_straight_line_has_no_residual_and_a_bent_one_has() -> None:
    assert lag_residual(_parabolas(np.full(12, 0.3))) == pytest.approx(0, abs=1e-6)
    # A constant drift is a straight line too.
    assert lag_residual(_parabolas(np.linspace(-0.3, 0.3, 12))) == pytest.approx(0, abs=0.5)
    wandering = np.repeat([0.3, -0.3, 0.3], 8)
    assert lag_residual(_parabolas(wandering)) > 0.1 * HOP_MS
    assert np.isnan(lag_residual(_parabolas(np.zeros(6))))


def test_activity_is_the_change_from_hash_to_hash() -> None:
    assert activity(np.zeros((5, 32), np.uint8)) == 0
    # Turned by halves of their bits in turn: neighbors differ in half, next ones in none.
    turned = np.zeros((4, 32), np.uint8)
    turned[1::2, :16] = 255
    assert activity(turned) == pytest.approx(0.25)
    assert np.isnan(activity(turned[:2]))
