"""Where two places of one sound begin and end to agree."""

from __future__ import annotations

import numpy as np
import pytest
from verification.sounds import RATE, noise, voice

from samaf.verification.boundaries import boundaries
from samaf.verification.signals import Samples

JINGLE = voice(4, 5)


def broadcast(seed: int, level: float = 1.0) -> np.ndarray:
    """Other sound, with the jingle from second 5 to 9."""
    out = voice(14, seed)
    out[5 * RATE : 9 * RATE] = level * JINGLE + noise(4 * RATE, seed, 0.02)
    return out


@pytest.mark.parametrize("off", [-0.4, 0.0, 0.4])
def test_borders_are_found_to_a_tenth_of_a_second(off: float) -> None:
    first, second = Samples(broadcast(1)), Samples(broadcast(2, 0.4)[RATE:])
    found = boundaries(first, second, 5.0 + off, 9.0 - off, -1.0)
    assert found.start == pytest.approx(5, abs=0.12)
    assert found.stop == pytest.approx(9, abs=0.12)


def test_nothing_is_said_where_more_agrees_or_nothing() -> None:
    first, other = broadcast(1), Samples(voice(14, 3))
    assert np.isnan(boundaries(Samples(first), Samples(first), 6.0, 8.0, 0.0).start)
    assert np.isnan(boundaries(Samples(first), other, 5.0, 9.0, 0.0).stop)
    assert np.isnan(boundaries(Samples(first), Samples(np.zeros(14 * RATE)), 5.0, 9.0, 0.0).start)
