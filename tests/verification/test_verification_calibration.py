"""Scores and likelihood ratios, by hand."""

from __future__ import annotations

from math import exp, log, log10, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samaf.verification.calibration import LR_LIMIT, Tail, log10_lr_of, score_of


def test_a_tail_gives_its_own_probability() -> None:
    tail = Tail(3.0, 1.5)
    assert tail.score(3.0 + 1.5 * log(1_000)) == pytest.approx(3)
    assert tail.score(9.0) == pytest.approx(-log10(exp(-(9.0 - 3.0) / 1.5)))
    assert tail.score(1.0) == 0
    assert tail.score(nan) == 0


z = st.floats(-5, 300)


@given(z, z, st.floats(0, 50), st.booleans())
def test_more_agreement_never_counts_less(
    one: float, two: float, more: float, altered: bool
) -> None:
    score = score_of(one, two, altered)
    assert score_of(one + more, two, altered) >= score
    assert score_of(one, two + more, altered) >= score
    assert 0 <= log10_lr_of(score) <= log10_lr_of(score + more) <= LR_LIMIT


def test_either_statistic_may_be_missing() -> None:
    assert score_of(nan, nan, False) == 0
    assert score_of(nan, 60.0, True) > 4
    assert score_of(60.0, nan, True) > 4
