"""The 32 bits per frame of the Philips system: bands, signs, and the reliability of bits.

Haitsma and Kalker, "A Highly Robust Audio Fingerprinting System", ISMIR 2002, section 4.
``rafs`` lists the departures of Panako 1.6.
"""

from __future__ import annotations

import numpy as np

from baselines.recognizer import SAMPLE_RATE
from baselines.spectra import spectra

BITS = 32  # per frame
BANDS = BITS + 1
WINDOW = 2048  # samples, 128 ms
HOP = 64  # samples, 4 ms
BLOCK = 256  # frames, 1.024 s at 16 kHz

# Panako 1.6
REFERENCE_HZ = 8.17579892  # 0 cents
LOWEST_CENTS, SPAN_CENTS = 6200, 3500


def panako_bands(band_rate: int = 5_500) -> np.ndarray:
    """Band of each FFT bin in Panako 1.6, int64, shape (1025,); -1 for none.

    Bin i lies at i x band_rate / 2048 Hz, whatever the rate of the samples.
    """
    hertz = np.arange(WINDOW // 2 + 1) * band_rate / WINDOW
    with np.errstate(divide="ignore"):
        cents = 1200.0 * np.log2(hertz / REFERENCE_HZ)
    inside = (cents > LOWEST_CENTS) & (cents < LOWEST_CENTS + SPAN_CENTS)
    bands = np.full(len(hertz), -1)
    bands[inside] = np.floor((cents[inside] - LOWEST_CENTS) / SPAN_CENTS * BITS + 0.5)
    return bands


def speech_bands() -> np.ndarray:
    """Band of each FFT bin: 33 logarithmic bands from 300 to 3,400 Hz; -1 for none."""
    hertz = np.arange(WINDOW // 2 + 1) * SAMPLE_RATE / WINDOW
    edges = 300.0 * (3400.0 / 300.0) ** (np.arange(BANDS + 1) / BANDS)
    bands = np.searchsorted(edges, hertz, side="right") - 1
    return np.where(hertz < edges[-1], bands, -1)


def band_levels(samples: np.ndarray, band_rate: int) -> np.ndarray:
    """Sum of the magnitudes (Panako) or energies in each band, float32, (frames, 33).

    Panako's first frame ends after 64 samples, the time before the start being zero; the
    others take full frames only.
    """
    if band_rate:
        bands, taper = panako_bands(band_rate), np.hamming(WINDOW)
        samples = np.pad(samples, (WINDOW - HOP, 0))
    else:
        bands, taper = speech_bands(), np.hanning(WINDOW)
    matrix = (bands[:, None] == np.arange(BANDS)).astype(np.float32)
    blocks = [np.empty((0, BANDS), np.float32)]
    for spectrum in spectra(samples, taper.astype(np.float32), HOP):
        power = spectrum.real**2 + spectrum.imag**2
        blocks.append((np.sqrt(power) if band_rate else power) @ matrix)
    return np.concatenate(blocks)


def differences(levels: np.ndarray) -> np.ndarray:
    """E(n,m) - E(n,m+1) - (E(n-1,m) - E(n-1,m+1)), shape (n, 32); frame -1 is silent."""
    along = levels[:, :-1] - levels[:, 1:]
    return np.diff(along, axis=0, prepend=np.zeros((1, BITS), along.dtype))


def packed(steps: np.ndarray) -> np.ndarray:
    """Signs of the differences as uint32, shape (n,); bit 31 is the highest band."""
    bits = np.packbits(steps > 0, axis=1, bitorder="little")
    return bits.view("<u4").astype(np.uint32)[:, 0]


def flipped_bits(steps: np.ndarray, count: int, weak_bits: str) -> np.ndarray:
    """Which bits of each frame are toggled, ascending, int64, shape (n, count)."""
    by_reliability = np.argsort(np.abs(steps), axis=1, kind="stable")
    if weak_bits == "inverse":
        by_reliability = np.argsort(by_reliability, axis=1)
    return np.sort(by_reliability[:, :count], axis=1)


def toggled(values: np.ndarray, bits: np.ndarray, clears_top: bool) -> np.ndarray:
    """Each value with every combination of its bits toggled, the value itself first.

    Parameters
    ----------
    values
        uint32, shape (n,).
    bits
        int64, shape (n, count).
    clears_top
        Panako's mistake: clearing a bit clears bit 31 too, and bit 31 is never cleared.

    Returns
    -------
    uint32, shape (n, 2 ** count)
    """
    count = bits.shape[1]
    keys = np.repeat(values[:, None], 2**count, axis=1)
    for place in range(count):
        chosen = np.arange(2**count) >> place & 1 == 1
        bit = np.left_shift(np.uint32(1), bits[:, place].astype(np.uint32))[:, None]
        if clears_top:
            without = keys & (np.uint32(0x7FFFFFFF) ^ bit)
            changed = np.where(keys & bit, without, keys | bit)
        else:
            changed = keys ^ bit
        keys = np.where(chosen, changed, keys)
    return keys
