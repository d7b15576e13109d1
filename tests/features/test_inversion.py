from __future__ import annotations

import numpy as np
import pytest
from mel_reference import signal

from samaf.features.inversion import audio, griffin_lim, istft, spectrum
from samaf.features.melspectrogram import MelParameters, filterbank, mel_spectrogram, stft

RAW = MelParameters(normalised=False)
SHORT = MelParameters(normalised=False, segment_seconds=0.5, hop_seconds=0.5)


def test_istft_undoes_stft() -> None:
    samples = signal()[: 512 * 40]
    assert np.abs(istft(stft(samples, RAW), RAW) - samples).max() < 1e-4


@pytest.mark.slow
def test_the_spectrum_behind_bands_gives_these_bands_again() -> None:
    power = np.abs(stft(signal()[:24_000], RAW)).astype(np.float64) ** 2
    banded = power @ filterbank(RAW)
    found = spectrum(banded, RAW)
    assert found.shape == power.shape
    assert found.min() >= 0
    apart = np.abs(found @ filterbank(RAW) - banded).sum(axis=1)
    assert (apart / banded.sum(axis=1)).mean() < 0.05


def test_griffin_lim_finds_samples_of_this_magnitude() -> None:
    magnitude = np.abs(stft(signal()[: 512 * 46], RAW))
    found = np.abs(stft(griffin_lim(magnitude, RAW), RAW))
    apart = np.linalg.norm(found - magnitude) / np.linalg.norm(magnitude)
    assert apart < 0.15
    assert np.array_equal(griffin_lim(magnitude, RAW), griffin_lim(magnitude, RAW))


@pytest.mark.slow
def test_audio_has_the_spectrogram_it_was_made_from() -> None:
    cut = signal()[None, :24_000]
    wanted = mel_spectrogram(cut, SHORT)
    made = audio(wanted[0], SHORT)
    assert len(made) == (wanted.shape[2] - 1) * 512
    again = mel_spectrogram(np.pad(made, (0, 24_000 - len(made)))[None], SHORT)
    loud = wanted > wanted.max() - 7  # within 30 dB of the loudest
    assert np.abs(again - wanted)[loud].mean() < 0.6  # natural units; 2.6 dB
