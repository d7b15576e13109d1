"""Level, clipping, bandwidth, noise and activity of sounds whose values are known."""

from __future__ import annotations

import numpy as np
import pytest

from samaf.report.quality import quality

RATE = 16_000


def tone(hertz: float, seconds: float, size: float = 1.0) -> np.ndarray:
    return (size * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)).astype("f4")


def test_a_tone_with_pauses_is_measured() -> None:
    sound = np.concatenate([tone(1000, 1.0), tone(1000, 3.0, 0.01)])
    measured = quality([sound], 0.5, RATE)
    assert measured.peak_db == pytest.approx(-6.02, abs=0.01)
    assert measured.loud_db == pytest.approx(-6.02 - 3.01, abs=0.1)  # rms of a sine
    assert measured.noise_db == pytest.approx(-40, abs=0.1)
    assert measured.active_s == pytest.approx(1.0, abs=0.02)
    assert measured.bandwidth_hz == pytest.approx(1000, abs=260)  # and the edges


def test_clipped_sound_has_more_samples_near_the_peak() -> None:
    clipped = np.clip(2 * tone(501, 1.0), -1, 1)
    plain = quality([tone(501, 1.0)], 1.0, RATE).near_peak
    # A sine is above 0.99 for arccos(0.99) / (pi / 2) of the time, one at half height above 0.495.
    assert plain == pytest.approx(np.arccos(0.99) / (np.pi / 2), abs=0.01)
    assert quality([clipped], 1.0, RATE).near_peak == pytest.approx(2 / 3, abs=0.02)


def test_chunks_make_no_difference() -> None:
    rng = np.random.default_rng(1)
    sound = rng.normal(0, 0.1, 5 * RATE).astype("f4")
    whole = quality([sound], 1.0, RATE)
    parts = quality(np.split(sound, 5), 1.0, RATE)
    assert parts.loud_db == pytest.approx(whole.loud_db, abs=0.1)
    assert parts.near_peak == whole.near_peak
    assert whole.active_s is None  # steady noise has no pauses


def test_silence_and_nothing_have_no_levels() -> None:
    for chunks in ([], [np.zeros(RATE, "f4")], [np.zeros(3, "f4")]):
        measured = quality(chunks, 0.0, RATE)
        assert (measured.peak_db, measured.loud_db, measured.active_s) == (None, None, None)
