"""Short-time spectra and resampling, shared by the baselines."""

from __future__ import annotations

from collections.abc import Iterator
from math import gcd

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from scipy.signal import resample_poly

from baselines.recognizer import SAMPLE_RATE

BLOCK_FRAMES = 512  # frames transformed at once: bounds the memory


def frames_of(samples: np.ndarray, length: int, hop: int) -> np.ndarray:
    """All full frames of the samples, a view of shape (frames, length)."""
    if len(samples) < length:
        return np.empty((0, length), dtype=samples.dtype)
    return sliding_window_view(samples, length)[::hop]


def spectra(samples: np.ndarray, window: np.ndarray, hop: int) -> Iterator[np.ndarray]:
    """Complex spectra of windowed frames, in blocks of up to 512 frames.

    Parameters
    ----------
    samples
        float32, shape (n,).
    window
        float32, shape (length,).
    hop
        Samples from frame to frame.

    Yields
    ------
    complex64, shape (up to 512, length // 2 + 1)
    """
    frames = frames_of(samples, len(window), hop)
    for first in range(0, len(frames), BLOCK_FRAMES):
        yield scipy.fft.rfft(frames[first : first + BLOCK_FRAMES] * window, axis=1)


def power_spectrogram(samples: np.ndarray, window: np.ndarray, hop: int) -> np.ndarray:
    """Squared magnitudes of all full frames, float32, shape (frames, length // 2 + 1)."""
    blocks = [s.real**2 + s.imag**2 for s in spectra(samples, window, hop)]
    return np.concatenate(blocks) if blocks else np.empty((0, len(window) // 2 + 1), np.float32)


def resampled(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """Samples at 16 kHz resampled to another rate in Hz, by a polyphase filter; float32."""
    if sample_rate == SAMPLE_RATE:
        return samples
    common = gcd(sample_rate, SAMPLE_RATE)
    return resample_poly(samples, sample_rate // common, SAMPLE_RATE // common).astype(np.float32)
