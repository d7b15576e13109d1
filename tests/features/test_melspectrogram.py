from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mel_reference import FRAMES, REFERENCE, signal

from samaf.errors import FingerprinterError
from samaf.features.melspectrogram import (
    MelParameters,
    filterbank,
    mel_power,
    mel_spectrogram,
    normalised,
    segment_chunks,
    segments,
)

PAPER = MelParameters()
RAW = replace(PAPER, normalised=False)
# Segments of 64 samples every 40.
SMALL = MelParameters(
    sample_rate=16, fft=16, step=8, mel_bands=4, segment_seconds=4.0, hop_seconds=2.5
)


def noise(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(count).astype(np.float32)


def test_the_papers_numbers() -> None:
    assert (PAPER.segment_samples, PAPER.hop_samples) == (192_000, 120_000)
    assert PAPER.shape == (64, 376)
    assert (PAPER.segment_samples - PAPER.fft) // PAPER.step + 1 == 374  # without padding


def test_band_powers_are_librosas() -> None:
    with np.load(REFERENCE) as reference:
        assert tuple(reference["shape"]) == PAPER.shape
        ours = mel_power(signal(), PAPER)
        assert ours.shape == PAPER.shape
        assert np.allclose(ours[:, FRAMES], reference["power"], rtol=1e-3, atol=1e-6)
        # The same logarithm, in natural units instead of decibels.
        log_power = mel_spectrogram(signal()[None], RAW)[0]
        assert np.abs(10 / np.log(10) * log_power[:, FRAMES] - reference["decibels"]).max() < 0.02


def test_a_tone_lies_in_its_band() -> None:
    t = np.arange(192_000) / 48_000
    tone = np.sin(2 * np.pi * 1000 * t).astype(np.float32)
    corners = 700 * (10 ** (np.linspace(0, np.log10(1 + 24_000 / 700), 66)) - 1)
    nearest = np.abs(corners[1:-1] - 1000).argmin()
    assert (mel_power(tone, PAPER)[:, 1:-1].argmax(axis=0) == nearest).all()


def test_every_band_has_bins() -> None:
    bank = filterbank(PAPER)
    assert bank.shape == (513, 64)
    assert (bank.sum(axis=0) > 0).all()
    assert bank.max() <= 1


def test_normalised_bands_have_mean_0_and_deviation_1_and_ignore_level_and_filters() -> None:
    cut = noise(192_000)[None]
    found = mel_spectrogram(cut)
    assert found.dtype == np.float32
    assert np.abs(found.mean(axis=2)).max() < 1e-4
    loud = np.exp(np.linspace(-1, 1, 64))[:, None] + mel_spectrogram(cut, RAW)
    assert np.abs(normalised(loud, PAPER) - found).max() < 1e-3
    assert np.abs(mel_spectrogram(cut / 8) - found).max() < 1e-3


def test_a_band_without_sound_stays_flat() -> None:
    log_power = np.zeros((1, 2, 376), np.float32)
    log_power[0, 1, ::2] = 0.01
    found = normalised(log_power, PAPER)
    assert np.abs(found[0, 0]).max() == 0
    assert np.abs(found[0, 1]).max() < 0.02


def test_silence_is_zero_and_finite() -> None:
    silence = np.zeros((1, 192_000), np.float32)
    assert np.abs(mel_spectrogram(silence)).max() < 1e-4
    assert np.allclose(mel_spectrogram(silence, RAW), np.log(1e-10))


def test_what_lies_below_the_range_is_raised() -> None:
    cut = noise(192_000)[None]
    cut[:, 96_000:] *= 1e-6
    found = mel_spectrogram(cut, RAW)
    assert found.max() - found.min() == pytest.approx(80 * np.log(10) / 10, rel=1e-5)


def test_short_audio_is_padded_and_the_rest_of_long_audio_left_out() -> None:
    cut, padded = segments(np.ones(100_000, np.float32))
    assert cut.shape == (1, 192_000)
    assert padded.tolist() == [True]
    assert cut.sum() == 100_000
    for count, expected in ((0, 0), (192_000, 1), (311_999, 1), (312_000, 2), (10 * 48_000, 3)):
        cut, padded = segments(noise(count))
        assert (len(cut), padded.any()) == (expected, False)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 90), max_size=8))
def test_chunks_give_the_segments_of_the_whole(lengths: list[int]) -> None:
    samples = noise(sum(lengths))
    chunks = np.split(samples, np.cumsum(lengths)[:-1]) if lengths else []
    whole, _ = segments(samples, SMALL)
    parts = list(segment_chunks(chunks, SMALL))
    assert np.array_equal(np.concatenate([whole[:0], *parts]), whole)
    for number, cut in enumerate(whole):
        start = number * SMALL.hop_samples
        there = samples[start : start + 64]
        assert np.array_equal(cut[: len(there)], there)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"hop_seconds": 5.0}, "a hop of 5.0 s"),
        ({"hop_seconds": 0.0}, "a hop of 0.0 s"),
        ({"step": 2048}, "a step of 2048 samples"),
        ({"segment_seconds": 0.01, "hop_seconds": 0.01}, "0.01 s is shorter"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(changes: dict[str, float], named: str) -> None:
    with pytest.raises(FingerprinterError, match=named):
        replace(PAPER, **changes)
