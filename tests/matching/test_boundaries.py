"""Borders between hashes, on error rates made by the measured flanks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samaf.matching.boundaries import AGREEMENT, BLOCK_HOPS, SHARES, UNRELATED, boundaries


def rates(count: int, begin: float, end: float, level: float) -> np.ndarray:
    """Error rates of ``count`` hashes over sound that is shared from ``begin`` to ``end``."""
    i = np.arange(count)
    share = (np.minimum(i + BLOCK_HOPS, end) - np.maximum(i, begin)) / BLOCK_HOPS
    agreement = np.interp(share, SHARES, AGREEMENT)
    return np.asarray(UNRELATED - (UNRELATED - level) * agreement)


@settings(max_examples=60, deadline=None)
@given(
    begin=st.floats(10, 20),
    length=st.floats(8, 40),
    level=st.floats(0.0, 0.25),
    salt=st.integers(0, 2**32),
)
def test_borders_lie_where_the_sound_begins_and_ends(
    begin: float, length: float, level: float, salt: int
) -> None:
    rng = np.random.default_rng(salt)
    made = rates(75, begin, begin + length, level) + rng.normal(0, 0.01, 75)
    alike = np.flatnonzero(made < 0.42)
    found = boundaries(made, int(alike[0]), int(alike[-1]) + 1)
    # Half a second is two hops.
    assert found[0] == pytest.approx(begin, abs=1.2)
    assert found[1] == pytest.approx(begin + length, abs=1.2)


def test_a_stretch_that_goes_through_ends_with_the_query() -> None:
    made = np.full(12, 0.1)
    assert boundaries(made, 0, 12) == (0, 11 + BLOCK_HOPS)


def test_one_hash_alone_is_a_second() -> None:
    assert boundaries(np.array([0.1]), 0, 1) == (0, BLOCK_HOPS)
