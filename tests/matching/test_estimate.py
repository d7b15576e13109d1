"""What an alignment says about time and pitch, without any audio."""

from __future__ import annotations

from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samaf.matching.alignment import Alignment, Segment
from samaf.matching.estimate import simplest, straight
from samaf.records import IDENTITY, Manipulation


@given(
    intercept=st.floats(-50, 50),
    slope=st.floats(0.8, 1.25),
    begin=st.floats(0, 20),
    length=st.floats(1, 40),
    tau=st.floats(0.5, 2),
)
def test_straight_line_lies_where_the_slanted_one_did(
    intercept: float, slope: float, begin: float, length: float, tau: float
) -> None:
    slanted = Segment(
        Alignment(0, intercept, slope, 0, 9), 0, 9, 0.1, 0.1, 0.25, begin, begin + length
    )
    segment, manipulation = straight(slanted, Manipulation(tau, 1.5))
    assert segment.alignment.slope == 1
    assert manipulation.rho == 1.5
    assert segment.hashes == slanted.hashes
    for old, new in ((slanted.begin, segment.begin), (slanted.end, segment.end)):
        # The same moment of the clip, and the same place in the reference.
        assert new * manipulation.tau == pytest.approx(old * tau)
        assert segment.reference(new) == pytest.approx(slanted.reference(old), abs=1e-6)


@pytest.mark.parametrize(
    ("found", "named"),
    [
        (Manipulation(1.002, 0.995), IDENTITY),
        (Manipulation(1.002, 1.003, True), Manipulation(reversed=True)),
        (Manipulation(1 / 1.1, 1.105), Manipulation(1 / 1.1, 1.1)),
        (Manipulation(1 / 1.1, 1.004), Manipulation(1 / 1.1, 1.0)),
        (Manipulation(0.998, 1.2), Manipulation(1.0, 1.2)),
        (Manipulation(0.8, 1.5), Manipulation(0.8, 1.5)),
    ],
)
def test_simplest_name_that_five_seconds_allow(found: Manipulation, named: Manipulation) -> None:
    simple = simplest(found, 5)
    assert simple.reversed == named.reversed
    for kept, wanted in ((simple.tau, named.tau), (simple.rho, named.rho)):
        # What is none is none exactly.
        assert kept == pytest.approx(wanted, rel=0 if wanted == 1 else 0.002)


def test_short_stretch_supports_no_small_change() -> None:
    found = Manipulation(exp(0.015), 1.0)
    assert simplest(found, 2) == IDENTITY
    assert simplest(found, 8) != IDENTITY
