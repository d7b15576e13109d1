"""Mel-frequency cepstral coefficients, with time and pitch warping.

The definition is that of the package python_speech_features 0.6 (its defaults with
``nfft=512``), in float32 and without a Python loop over frames.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from samaf.features.parameters import FeatureParameters

CHUNK_FRAMES = 256  # power spectra held at once: 256 x 257 x 4 B = 263 kB, fits the L2 cache
EDGE_BINS = 8  # spectrum above Nyquist is taken from the mean of this many bins, 250 Hz
TINY = float(np.finfo(np.float64).eps)


def mfcc(samples: np.ndarray, parameters: FeatureParameters) -> np.ndarray:
    """Compute the frames of a signal.

    Parameters
    ----------
    samples
        float32, shape (n,), at ``parameters.sample_rate``.

    Returns
    -------
    float32, shape (frames, coefficients); frames = 1 + ceil((n - window) / step), the
    last one padded with zeros. With a time factor tau, frames lie step x tau apart.
    """
    count = frame_count(len(samples), parameters)
    return frames_from(emphasise(samples, parameters.preemphasis), 0, count, parameters)


def frame_count(samples: int, parameters: FeatureParameters) -> int:
    """Give the number of frames of a signal, the padded last one included."""
    if samples <= parameters.window:
        return 1
    return 1 + math.ceil((samples - parameters.window) / (parameters.step * parameters.tau))


def emphasise(samples: np.ndarray, weight: float, before: float = 0.0) -> np.ndarray:
    """Subtract from each sample the weighted one before it; float32, shape (n,)."""
    out = samples.astype(np.float32)
    out[1:] -= np.float32(weight) * samples[:-1]
    if len(out):
        out[0] -= np.float32(weight * before)
    return out


def frames_from(
    emphasised: np.ndarray, first: int, count: int, parameters: FeatureParameters
) -> np.ndarray:
    """Compute ``count`` frames that start at frame ``first`` of a longer signal.

    ``emphasised`` begins where frame ``first`` begins; what it lacks at its end is
    taken as zero. float32, shape (count, coefficients).
    """
    starts = _starts(first, count, parameters)
    starts -= starts[0] if count else 0
    needed = int(starts[-1]) + parameters.window if count else 0
    if needed > len(emphasised):
        emphasised = np.pad(emphasised, (0, needed - len(emphasised)))
    bands = filterbank(parameters)
    cosines = liftered_dct(parameters)
    windows = np.lib.stride_tricks.sliding_window_view(emphasised, parameters.window)
    floor = parameters.floor or TINY
    out = np.empty((count, parameters.coefficients), np.float32)
    for a in range(0, count, CHUNK_FRAMES):
        b = min(a + CHUNK_FRAMES, count)
        spectrum = np.fft.rfft(windows[starts[a:b]], parameters.fft)
        power = (spectrum.real**2 + spectrum.imag**2) * np.float32(1 / parameters.fft)
        banded = power.astype(np.float32, copy=False) @ bands
        out[a:b] = np.log(np.maximum(banded[:, :-1], floor)) @ cosines
        out[a:b, 0] = np.log(np.maximum(banded[:, -1], floor))
    return out


def _starts(first: int, count: int, parameters: FeatureParameters) -> np.ndarray:
    """Give the first sample of each frame, int64 (count,)."""
    return np.rint(np.arange(first, first + count) * (parameters.step * parameters.tau)).astype(
        np.int64
    )


@lru_cache(maxsize=256)
def filterbank(parameters: FeatureParameters) -> np.ndarray:
    """Build the map from a power spectrum to mel bands and total energy.

    float32, shape (fft / 2 + 1, mel_bands + 1); the last column sums the spectrum up.
    With a pitch factor rho, a band reads the spectrum at rho times its frequencies;
    what would lie above Nyquist is read from the mean of the uppermost bins.
    """
    bins = parameters.fft // 2 + 1
    low, high = _mel(parameters.low_hz), _mel(parameters.high_hz)
    edges_hz = _hertz(np.linspace(low, high, parameters.mel_bands + 2))
    edges = np.floor((parameters.fft + 1) * edges_hz / parameters.sample_rate)
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    k = np.arange(bins)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        rising = np.where((k >= left) & (k < centre), (k - left) / (centre - left), 0)
        falling = np.where((k >= centre) & (k < right), (right - k) / (right - centre), 0)
    bank = np.concatenate([rising + falling, np.ones((bins, 1))], axis=1)
    return (_warp(bins, parameters.rho) @ bank).astype(np.float32)


def _warp(bins: int, rho: float) -> np.ndarray:
    """Build the matrix that reads a spectrum at rho times its bins, (bins, bins)."""
    if rho == 1:
        return np.eye(bins)
    at = np.arange(bins) * rho
    inside = at <= bins - 1
    lower = np.minimum(at.astype(int), bins - 2)
    part = at - lower
    matrix = np.zeros((bins, bins))
    column = np.arange(bins)[inside]
    matrix[lower[inside], column] = 1 - part[inside]
    matrix[lower[inside] + 1, column] = part[inside]
    matrix[-EDGE_BINS:, ~inside] = 1 / EDGE_BINS
    return matrix


@lru_cache(maxsize=16)
def _liftered_dct(mel_bands: int, coefficients: int, lifter: int) -> np.ndarray:
    n = np.arange(mel_bands)[:, None] + 0.5
    q = np.arange(coefficients)[None, :]
    cosines = np.cos(np.pi * n * q / mel_bands) * np.sqrt(2 / mel_bands)
    cosines[:, 0] *= np.sqrt(0.5)
    lift = 1 + (lifter / 2) * np.sin(np.pi * q / lifter) if lifter else 1.0
    return (cosines * lift).astype(np.float32)


def liftered_dct(parameters: FeatureParameters) -> np.ndarray:
    """Build the orthonormal DCT-II with its sine lifter, (mel_bands, coefficients)."""
    return _liftered_dct(parameters.mel_bands, parameters.coefficients, parameters.lifter)


def _mel(hertz: float) -> float:
    return 2595 * math.log10(1 + hertz / 700)


def _hertz(mel: np.ndarray) -> np.ndarray:
    return 700 * (10 ** (mel / 2595) - 1)
