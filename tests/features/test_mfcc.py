"""Frames: against the reference package, by hand, and warped."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import python_speech_features
from hypothesis import given, settings
from hypothesis import strategies as st

from samaf.features import FeatureParameters, mfcc
from samaf.features.mfcc import emphasise, filterbank, frame_count, liftered_dct

PLAIN = FeatureParameters()


def speechlike(seconds: float, seed: int = 0, rate: int = 16_000) -> np.ndarray:
    """Gliding harmonics whose level and colour change; float32 (n,), peak 1."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * rate)) / rate
    pitch = 150 + 40 * np.sin(2 * np.pi * 0.7 * t + seed)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    knots = np.arange(0, seconds + 0.2, 0.1)
    voice = sum(
        np.interp(t, knots, rng.uniform(0, 1, len(knots))) * np.sin(k * phase) / k
        for k in range(1, 20)
    )
    return np.asarray(voice / np.abs(voice).max(), np.float32)


def reference(samples: np.ndarray, **options: object) -> np.ndarray:
    return np.asarray(python_speech_features.mfcc(samples, 16_000, nfft=512, **options))


SIGNALS = {
    "voice": speechlike(3),
    "noise": np.random.default_rng(1).uniform(-1, 1, 40_000).astype(np.float32),
    "tone": np.sin(2 * np.pi * 440 * np.arange(20_000) / 16_000).astype(np.float32),
    "click": np.eye(1, 20_000, 9_000, dtype=np.float32)[0],
    "silence": np.zeros(20_000, np.float32),
    "one-frame": speechlike(0.02),
    "exact": speechlike((400 + 160 * 50) / 16_000),
}


@pytest.mark.parametrize("name", SIGNALS)
def test_equal_to_the_reference_package(name: str) -> None:
    frames = mfcc(SIGNALS[name], PLAIN)
    expected = reference(SIGNALS[name].astype(np.float64))
    assert frames.dtype == np.float32
    assert frames.shape == expected.shape
    assert np.abs(frames - expected).max() < tolerance(name)


def tolerance(name: str) -> float:
    # A pure tone leaves bands that hold only the rounding of float32.
    return 0.5 if name == "tone" else 1e-4


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"mel_bands": 30}, {"nfilt": 30}),
        ({"coefficients": 20}, {"numcep": 20}),
        ({"low_hz": 300.0, "high_hz": 3400.0}, {"lowfreq": 300, "highfreq": 3400}),
        ({"preemphasis": 0.0}, {"preemph": 0.0}),
        ({"lifter": 0}, {"ceplifter": 0}),
        ({"step": 200}, {"winstep": 0.0125}),
    ],
)
def test_parameters_mean_what_they_mean_there(ours: dict, theirs: dict) -> None:
    samples = SIGNALS["noise"]
    frames = mfcc(samples, replace(PLAIN, **ours))
    assert np.abs(frames - reference(samples.astype(np.float64), **theirs)).max() < 1e-4


@given(st.integers(1, 6000))
@settings(max_examples=40, deadline=None)
def test_number_of_frames_is_that_of_the_reference_package(count: int) -> None:
    samples = SIGNALS["noise"][:count]
    assert frame_count(count, PLAIN) == len(mfcc(samples, PLAIN)) == len(reference(samples))


def test_frame_count_by_hand() -> None:
    assert [frame_count(n, PLAIN) for n in (1, 400, 401, 560, 561)] == [1, 1, 2, 2, 3]
    slow = replace(PLAIN, tau=2.0)
    assert [frame_count(n, slow) for n in (400, 720, 721)] == [1, 2, 3]


def test_emphasis_by_hand() -> None:
    samples = np.array([1.0, 2.0, 4.0], np.float32)
    assert np.allclose(emphasise(samples, 0.5), [1, 1.5, 3])
    assert np.allclose(emphasise(samples, 0.5, before=2.0), [0, 1.5, 3])
    assert np.array_equal(emphasise(samples[:0], 0.5, before=2.0), samples[:0])


def test_first_coefficient_is_the_log_energy() -> None:
    # One click of height 1: every one of the 257 bins holds 1 / 512.
    samples = np.eye(1, 400, 200, dtype=np.float32)[0]
    frames = mfcc(samples, replace(PLAIN, preemphasis=0.0))
    assert frames[0, 0] == pytest.approx(np.log(257 / 512), abs=1e-6)


def test_a_gain_moves_the_first_coefficient_only() -> None:
    quiet = mfcc(SIGNALS["noise"] / 10, PLAIN)
    loud = mfcc(SIGNALS["noise"], PLAIN)
    assert np.allclose(quiet[:, 0] - loud[:, 0], 2 * np.log(0.1), atol=1e-4)
    assert np.allclose(quiet[:, 1:], loud[:, 1:], atol=1e-3)


def test_silence_is_the_floor() -> None:
    frames = mfcc(SIGNALS["silence"], PLAIN)
    assert np.allclose(frames[:, 0], np.log(np.finfo(np.float64).eps))
    assert np.allclose(frames[:, 1:], 0, atol=1e-3)
    raised = mfcc(SIGNALS["silence"], replace(PLAIN, floor=1e-3))
    assert np.allclose(raised[:, 0], np.log(1e-3))


def test_the_cosines_are_orthonormal() -> None:
    cosines = liftered_dct(replace(PLAIN, lifter=0, coefficients=26)).astype(np.float64)
    assert np.allclose(cosines.T @ cosines, np.eye(26), atol=1e-6)


def test_neighboring_bands_add_up_to_one() -> None:
    bank = filterbank(PLAIN)
    assert bank.shape == (257, 27)
    assert np.array_equal(bank[:, -1], np.ones(257))
    middle = bank[10:200, :-1].sum(axis=1)
    assert np.allclose(middle, 1, atol=1e-6)


@pytest.mark.parametrize("rho", [0.5, 0.9, 1.1, 1.9])
def test_a_warped_bank_reads_the_band_where_it_went(rho: float) -> None:
    # A line at bin k is what lay at k / rho before the pitch changed by rho.
    k = 90
    warped = filterbank(replace(PLAIN, rho=rho))[k, :-1]
    plain = filterbank(PLAIN)[:, :-1]
    low, high = plain[int(k / rho)], plain[int(k / rho) + 1]
    centre = (warped * np.arange(26)).sum() / warped.sum()
    bounds = sorted((x * np.arange(26)).sum() / x.sum() for x in (low, high))
    assert bounds[0] - 0.2 <= centre <= bounds[1] + 0.2


def resampled(samples: np.ndarray, factor: float) -> np.ndarray:
    """Play a signal ``factor`` times as fast, by Fourier interpolation on a fine grid."""
    fine = 8
    spectrum = np.fft.rfft(samples)
    dense = np.fft.irfft(spectrum, fine * len(samples)) * fine
    at = np.arange(int(len(samples) / factor)) * factor * fine
    return np.interp(at, np.arange(len(dense)), dense).astype(np.float32)


@pytest.mark.parametrize("speed", [0.8, 0.9, 1.1, 1.25])
def test_frames_of_a_faster_copy_undo_the_speed(speed: float) -> None:
    # Flat noise as background, so that no band is empty.
    original = speechlike(4) + 0.01 * np.random.default_rng(3).normal(size=64_000).astype("f4")
    copy = resampled(original, speed)
    ours = replace(PLAIN, preemphasis=0.0)
    wanted = mfcc(original, ours)
    undone = mfcc(copy, replace(ours, tau=1 / speed, rho=speed))
    as_is = mfcc(copy, ours)
    count = min(len(wanted), len(undone), len(as_is)) - 5
    error = deviation(undone[:count], wanted[:count])
    assert error < 0.5 * deviation(as_is[:count], wanted[:count])
    shifted = deviation(undone[:count], np.roll(wanted, 25, axis=0)[:count])
    assert error < 0.5 * shifted


def deviation(a: np.ndarray, b: np.ndarray) -> float:
    """Root mean square over the spread of each coefficient, constants left out."""
    difference = (a - a.mean(0)) - (b - b.mean(0))
    return float(np.sqrt(np.mean((difference[:, 1:] / b[:, 1:].std(0)) ** 2)))


def test_a_time_factor_takes_frames_further_apart() -> None:
    samples = SIGNALS["voice"]
    every = mfcc(samples, PLAIN)
    second = mfcc(samples, replace(PLAIN, tau=2.0))
    assert np.allclose(second, every[::2][: len(second)], atol=1e-4)
