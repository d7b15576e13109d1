"""Samples are read, levelled, whitened and resampled as said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from verification.sounds import RATE, noise, voice

from samaf.verification.signals import (
    Samples,
    cut,
    fast_length,
    levelled,
    resampled,
    smoothed,
    whitened,
)


def strongest(samples: np.ndarray) -> float:
    """Give the frequency of the largest bin in Hz."""
    return float(np.abs(np.fft.rfft(samples)).argmax() * RATE / len(samples))


def tone(frequency: float, count: int) -> np.ndarray:
    return np.sin(2 * np.pi * frequency * np.arange(count) / RATE).astype(np.float32)


def test_beyond_the_ends_are_zeros() -> None:
    signal = Samples(np.arange(1, 6))
    assert cut(signal, -2, 4).tolist() == [0, 0, 1, 2]
    assert cut(signal, 3, 4).tolist() == [4, 5, 0, 0]
    assert cut(signal, 9, 2).tolist() == [0, 0]
    assert cut(signal, -9, 2).tolist() == [0, 0]


def test_what_is_no_number_is_silence() -> None:
    assert Samples(np.array([np.nan, np.inf, -np.inf, 0.5])).part(0, 4).tolist() == [0, 0, 0, 0.5]


@given(st.integers(17, 1 << 22))
def test_fft_lengths_are_even_quarters_and_little_longer(count: int) -> None:
    length = fast_length(count)
    assert count <= length <= 1.25 * count + 4
    assert length % 4 == 0


def test_smoothing_keeps_a_constant_and_spreads_a_peak() -> None:
    np.testing.assert_allclose(smoothed(np.full(9, 3.0), 5), 3.0)
    np.testing.assert_allclose(smoothed(np.array([0.0, 0, 3, 0, 0]), 3), [0, 1, 1, 1, 0])


def test_levels_are_evened_out_half_way() -> None:
    loud, soft = noise(RATE, 1, 0.1), noise(RATE, 2, 0.001)  # 40 dB apart
    out = levelled(np.concatenate([loud, soft]))
    ratio = out[4_000:12_000].std() / out[-12_000:-4_000].std()
    assert ratio == pytest.approx(10, rel=0.05)
    assert not levelled(np.zeros(500, np.float32)).any()


@pytest.mark.parametrize("factor", [0.7, 0.93, 1.26])
def test_resampling_divides_frequencies(factor: float) -> None:
    out = resampled(tone(1_000, RATE), factor)
    assert len(out) == round(RATE * factor)
    assert strongest(out[1_000:-1_000]) == pytest.approx(1_000 / factor, abs=2)


def test_a_steady_line_is_taken_out_and_the_rest_is_flat() -> None:
    samples = noise(RATE, 3) + tone(1_000, RATE)
    size = fast_length(RATE)
    spectrum = np.abs(whitened(samples, size, 150, 5_000))
    bins = size / RATE
    assert spectrum[round(1_000 * bins)] == 0
    assert not spectrum[: int(140 * bins)].any()
    assert not spectrum[round(5_010 * bins) :].any()
    low, high = (spectrum[round(f * bins) : round((f + 500) * bins)].mean() for f in (300, 4_000))
    assert low == pytest.approx(high, rel=0.1)


def test_the_scale_does_not_depend_on_the_fft() -> None:
    samples = voice(2, 4)
    one, two = (
        np.fft.irfft(whitened(samples, size, 150, 5_000))[:32_000] for size in (1 << 15, 1 << 17)
    )
    assert one.std() == pytest.approx(two.std(), rel=0.05)
