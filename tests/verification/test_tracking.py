"""The lag of two recordings of one event is followed through drift and jumps."""

from __future__ import annotations

import numpy as np
import pytest
import soxr
from verification.sounds import RATE, noise, voice

from samaf.verification.signals import Samples
from samaf.verification.tracking import Guess, track

EVENT = voice(60, 3)


def device(start: float, ppm: float, seed: int) -> np.ndarray:
    """Record the event from a moment on, with a clock that is off and some noise."""
    samples = soxr.resample(EVENT[round(start * RATE) :], RATE, RATE * (1 + ppm * 1e-6))
    return np.asarray(samples + noise(len(samples), seed, 0.03))


def test_offset_and_drift_are_those_of_the_devices() -> None:
    first, second = device(0, 0, 1), device(5.2, 120, 2)
    found = track(Samples(first), Samples(second), [Guess(20.0, 15.0, 10.0)])
    assert len(found) == found.tried > 5
    assert found.first[0] < 10  # beyond the guess, as far as both go
    assert found.first[-1] > 55
    expected = (found.first - 5.2) * (1 + 120e-6)
    np.testing.assert_allclose(found.second, expected, atol=1e-4)
    assert np.all(found.piece == 0)


@pytest.mark.parametrize("missing", [0.1, 0.6])
def test_a_jump_is_noticed_and_placed(missing: float) -> None:
    whole = device(0, 0, 1)
    second = np.concatenate([whole[: 30 * RATE], whole[round((30 + missing) * RATE) :]])
    found = track(Samples(whole), Samples(second), [Guess(1.0, 1.0, 20.0)])
    assert set(found.piece) == {0, 1}
    lag = found.first - found.second
    np.testing.assert_allclose(lag, missing * found.piece, atol=1e-4)
    behind = int(np.argmax(found.piece))
    assert found.first[behind - 1] < 30 < found.first[behind] + missing
    assert found.first[behind] - found.first[behind - 1] < 4


@pytest.mark.slow
def test_a_clock_that_is_far_off_is_followed() -> None:
    first, second = device(0, 0, 1), device(0, 3_000, 2)
    found = track(Samples(first), Samples(second), [Guess(0.0, 0.0, 60.0)])
    slope = np.polyfit(found.first, found.second, 1)[0]
    assert slope - 1 == pytest.approx(3e-3, abs=1e-5)


@pytest.mark.slow
def test_other_sound_and_silence_give_no_anchors() -> None:
    first, other = Samples(device(0, 0, 1)), Samples(voice(60, 9))
    found = track(first, other, [Guess(0.0, 0.0, 60.0)])
    assert len(found) == 0
    assert found.tried > 5
    silent = track(first, Samples(np.zeros(60 * RATE)), [Guess(0.0, 0.0, 60.0)])
    assert (len(silent), silent.tried) == (0, 0)
