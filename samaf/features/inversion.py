"""From log mel spectrograms back to audio (U-Net paper section 3.6)."""

from __future__ import annotations

import numpy as np

from samaf.features.melspectrogram import MelParameters, filterbank, hann, stft

BAND_STEPS = 60  # of the search for a spectrum with these bands
PHASE_STEPS = 60  # of Griffin and Lim's
MOMENTUM = 0.99  # of the fast variant
TINY = 1e-10


def audio(log_power: np.ndarray, parameters: MelParameters, seed: int = 0) -> np.ndarray:
    """Make samples that have about this spectrogram.

    Parameters
    ----------
    log_power
        Natural logarithms of band power, not normalised, (bands, frames).

    Returns
    -------
    float32 ((frames - 1) x step,). Phases are estimated: the sound is similar, the waveform
    is not.
    """
    power = spectrum(np.exp(log_power.astype(np.float64)).T, parameters)
    return griffin_lim(np.sqrt(power), parameters, seed)


def spectrum(banded: np.ndarray, parameters: MelParameters) -> np.ndarray:
    """Find a non-negative power spectrum, (frames, fft / 2 + 1), for bands (frames, bands).

    Multiplicative steps towards the least squares: what is positive stays positive, and
    bins of a band stay smooth, where an inverse of the filterbank would ring.
    """
    bank = filterbank(parameters).astype(np.float64)
    wanted = banded @ bank.T
    power = wanted / (bank.sum(axis=0) @ bank.T + TINY)
    for _ in range(BAND_STEPS):
        power *= wanted / (power @ bank @ bank.T + TINY)
    return power


def griffin_lim(magnitude: np.ndarray, parameters: MelParameters, seed: int = 0) -> np.ndarray:
    """Find samples whose short-time spectrum has this magnitude (Griffin and Lim 1984).

    With the momentum of Perraudin, Balazs and Sondergaard (2013).

    Parameters
    ----------
    magnitude
        (frames, fft / 2 + 1).
    seed
        Of the first phases.
    """
    rng = np.random.default_rng(seed)
    phases = np.exp(2j * np.pi * rng.random(magnitude.shape))
    before: np.ndarray | float = 0.0
    for _ in range(PHASE_STEPS):
        again = stft(istft(magnitude * phases, parameters), parameters)
        ahead = again + MOMENTUM * (again - before)
        phases, before = ahead / np.maximum(np.abs(ahead), TINY), again
    return istft(magnitude * phases, parameters)


def istft(spectra: np.ndarray, parameters: MelParameters) -> np.ndarray:
    """Overlap and add frames, the inverse of ``stft``: float32 ((frames - 1) x step,)."""
    size, step = parameters.fft, parameters.step
    window = hann(size)
    frames = np.fft.irfft(spectra, size, axis=1) * window
    total = (len(frames) - 1) * step + size
    out, weight = np.zeros(total), np.zeros(total)
    for number, frame in enumerate(frames):
        place = slice(number * step, number * step + size)
        out[place] += frame
        weight[place] += window**2
    inner = slice(size // 2, total - size // 2)
    return (out[inner] / np.maximum(weight[inner], TINY)).astype(np.float32)
