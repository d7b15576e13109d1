from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from training_data import RATE, babbling

from samaf.training import channels

SPEECH = babbling(2.0, 4)


@pytest.mark.parametrize(
    "channel",
    [
        channels.loudspeaker,
        channels.microphone,
        channels.gain_control,
        channels.denoised,
        channels.hum,
        channels.clipped,
    ],
)
def test_a_channel_keeps_length_and_depends_on_its_generator(
    channel: Callable[[np.ndarray, np.random.Generator], np.ndarray],
) -> None:
    one, same, other = (channel(SPEECH, np.random.default_rng(n)) for n in (1, 1, 2))
    assert one.shape == SPEECH.shape
    assert one.dtype == np.float32
    assert np.isfinite(one).all()
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize(
    "channel", [channels.loudspeaker, channels.gain_control, channels.denoised]
)
def test_digital_silence_stays_silent(
    channel: Callable[[np.ndarray, np.random.Generator], np.ndarray],
) -> None:
    out = channel(np.zeros(RATE, np.float32), np.random.default_rng(1))
    assert not out.any()


def test_gain_control_brings_levels_together() -> None:
    steps = np.repeat([0.05, 1.0], RATE).astype(np.float32) * np.sin(np.arange(2 * RATE))
    ratios = []
    for seed in range(8):
        out = channels.gain_control(steps, np.random.default_rng(seed))
        ratios.append(np.std(out[-RATE // 2 :]) / np.std(out[RATE // 2 : RATE]))
    assert max(ratios) < 20  # what it was before
    assert np.median(ratios) < 8


def test_the_denoiser_takes_noise_out_of_pauses() -> None:
    rng = np.random.default_rng(7)
    burst = np.repeat([0, 1, 0, 1, 0], RATE // 2) * np.sin(0.3 * np.arange(5 * RATE // 2))
    noisy = (burst + 0.1 * rng.standard_normal(len(burst))).astype(np.float32)
    pause, tone = slice(RATE, 5 * RATE // 4), slice(RATE // 2, RATE)
    left = []
    for seed in range(8):  # from mild to strong
        out = channels.denoised(noisy, np.random.default_rng(seed))
        left.append(np.std(out[pause]) / np.std(noisy[pause]))
        assert np.corrcoef(out[tone], burst[tone])[0, 1] > 0.8
    assert max(left) < 0.95
    assert np.median(left) < 0.7


def test_clipping_cuts_peaks_and_leaves_the_rest() -> None:
    out = channels.clipped(SPEECH, np.random.default_rng(3))
    changed = out != SPEECH
    assert 0 < changed.mean() < 0.7
    assert np.abs(out[changed]).max() <= np.abs(SPEECH[changed]).min() + 1e-6
