"""Spectra and rates against direct sums."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from baselines.gabor import BANDS, band_hertz, gabor_magnitudes
from baselines.spectra import frames_of, power_spectrogram, resampled


@pytest.mark.parametrize(("samples", "frames"), [(0, 0), (7, 0), (8, 1), (10, 1), (11, 2), (14, 3)])
def test_full_frames_only(samples: int, frames: int) -> None:
    values = np.arange(samples, dtype=np.float32)
    assert frames_of(values, 8, 3).shape == (frames, 8)
    assert power_spectrogram(values, np.ones(8, np.float32), 3).shape == (frames, 5)


def test_power_is_the_squared_fourier_sum_in_every_block() -> None:
    rng = np.random.default_rng(0)
    samples = rng.standard_normal(1300).astype(np.float32)
    window = rng.random(16).astype(np.float32)
    power = power_spectrogram(samples, window, 2)  # 643 frames: two blocks
    fourier = np.exp(-2j * np.pi * np.outer(np.arange(9), np.arange(16)) / 16)
    for frame in (0, 511, 512, 642):
        direct = np.abs(fourier @ (samples[2 * frame : 2 * frame + 16] * window)) ** 2
        np.testing.assert_allclose(power[frame], direct, rtol=1e-4, atol=1e-4)
    assert power.dtype == np.float32


def test_resampled_tone_keeps_its_place(tone: Callable[..., np.ndarray]) -> None:
    high = resampled(tone(1000.0, 0.2), 44_100)
    assert len(high) == 8820
    expected = np.sin(2 * np.pi * 1000.0 * np.arange(8820) / 44_100)
    np.testing.assert_allclose(high[500:-500], expected[500:-500], atol=2e-3)
    same = tone(1000.0, 0.1)
    assert resampled(same, 16_000) is same


def test_gabor_bands_are_85_per_octave_around_440() -> None:
    hertz = band_hertz()
    assert len(hertz) == BANDS == 511
    assert hertz[[0, 85, 170, 510]] == pytest.approx([110.0, 220.0, 440.0, 7040.0])


def test_gabor_gives_half_the_amplitude_in_the_right_band_and_cell(
    tone: Callable[..., np.ndarray],
) -> None:
    samples = np.zeros(48_000, np.float32)
    samples[16_000:32_000] = tone(880.0, 1.0, 0.5)
    magnitudes = gabor_magnitudes(samples)
    assert magnitudes.shape == (375, BANDS)
    middle = magnitudes[187]
    assert middle.argmax() == 255
    assert middle[255] == pytest.approx(0.25, rel=0.01)
    assert middle[255 + 8] < 0.01
    assert np.flatnonzero(magnitudes[:, 255] > 0.125)[[0, -1]] == pytest.approx([125, 249], abs=1)
    assert magnitudes[:60].max() < 1e-4 and magnitudes[-60:].max() < 1e-4
