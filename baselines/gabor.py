"""Constant-Q spectrogram by Gabor frames: a Gaussian band filter per bin, in one FFT.

The transform that Panako of 2021 takes from the Gaborator library: 85 bands per octave
tuned to 440 Hz, from 110 to 7,040 Hz, on a time grid of 128 samples.
"""

from __future__ import annotations

import numpy as np
import scipy.fft

from baselines.recognizer import SAMPLE_RATE

PER_OCTAVE = 85  # bands of 14.1 cents
LOWEST_HZ, HIGHEST_HZ = 110.0, 7040.0
BANDS = 6 * PER_OCTAVE + 1  # 511
GRID = 128  # samples, 8 ms
OVERSAMPLED = 4  # samples of a band's envelope per cell; their largest is kept
OVERLAP = 0.7  # standard deviation of a band's filter, in distances to the next band
REACH = 4.0  # standard deviations where a filter is cut
TAIL = 125  # cells of silence after the signal, 1 s: no band rings on into the start
BANDS_AT_ONCE = 64  # bounds the memory


def band_hertz() -> np.ndarray:
    """Centre frequencies of the bands in Hz, shape (511,)."""
    return LOWEST_HZ * 2.0 ** (np.arange(BANDS) / PER_OCTAVE)


def gabor_magnitudes(samples: np.ndarray) -> np.ndarray:
    """Magnitude of each band in each cell of 8 ms.

    A sine of amplitude A at the centre of a band gives A / 2 there.

    Parameters
    ----------
    samples
        float32, shape (n,), 16 kHz.

    Returns
    -------
    float32, shape (n // 128, 511): the largest magnitude of the band within the cell.
    """
    wanted = len(samples) // GRID
    cells = scipy.fft.next_fast_len(wanted + 1 + TAIL)
    spectrum = scipy.fft.rfft(samples, cells * GRID)
    per_bin = SAMPLE_RATE / (cells * GRID)  # Hz
    length = cells * OVERSAMPLED
    centres = band_hertz()
    widths = OVERLAP * centres * (2.0 ** (1.0 / PER_OCTAVE) - 1.0)
    out = np.empty((wanted, BANDS), np.float32)
    for first in range(0, BANDS, BANDS_AT_ONCE):
        part = range(first, min(first + BANDS_AT_ONCE, BANDS))
        filtered = np.zeros((len(part), length), np.complex64)
        for row, band in enumerate(part):
            reach = REACH * widths[band]
            low = int(np.ceil((centres[band] - reach) / per_bin))
            high = int((centres[band] + reach) / per_bin) + 1
            bins = np.arange(low, high)
            weights = np.exp(-0.5 * ((bins * per_bin - centres[band]) / widths[band]) ** 2)
            # The band is narrower than the envelope's rate, so folding loses nothing.
            filtered[row, bins % length] = spectrum[low:high] * weights.astype(np.float32)
        envelope = np.abs(scipy.fft.ifft(filtered, axis=1, overwrite_x=True))
        largest = envelope.reshape(len(part), cells, OVERSAMPLED).max(axis=2)
        out[:, first : part.stop] = largest[:, :wanted].T
    return out * np.float32(length / (cells * GRID))
