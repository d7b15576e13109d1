"""Peaks and spectrograms of a sound in tiles: each costs the same, however long the sound is."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from samaf.engine.playback import HEADER_BYTES, PEAKS_STEP, peaks

SAMPLE_RATE = 16_000  # Hz, of a playable sound
COLUMN = 160  # samples of a column at level 0, 10 ms; twice as many at each further level
COLUMNS = 512  # of a tile
PEAKS_LEVEL = 4  # from here on the peaks are read that were kept with the sound
HIGHEST_LEVEL = 20
WINDOW = 512  # samples of a spectrum, 32 ms
BANDS = 128  # of 62.5 Hz
SPECTRA = 4  # of a column at most
LOWEST_DB = -90.0  # against a full-scale sine: black

assert PEAKS_STEP == COLUMN << PEAKS_LEVEL


def open_pcm(path: Path) -> np.ndarray:
    """Map the samples of a playable WAV file, which may still grow: int16 (n,)."""
    count = (path.stat().st_size - HEADER_BYTES) // 2
    return np.memmap(path, "<i2", "r", HEADER_BYTES, count) if count > 0 else np.empty(0, "<i2")


def peak_tile(pcm: np.ndarray, kept: Path, level: int, tile: int) -> np.ndarray:
    """Give one tile of a waveform: least and largest of each column, int8 (n, 2), n <= 512.

    Parameters
    ----------
    kept
        The peaks of `samaf.engine.playback.playable`.
    level
        A column is 10 ms x 2 to this power.
    tile
        Its number, from 0.
    """
    if level <= PEAKS_LEVEL:
        width = COLUMN << level
        first = tile * COLUMNS * width
        return peaks(np.asarray(pcm[first : first + COLUMNS * width]), width)
    group = 1 << (level - PEAKS_LEVEL)
    with kept.open("rb") as file:
        file.seek(2 * tile * COLUMNS * group)
        read = file.read(2 * COLUMNS * group)
    content = np.frombuffer(read, np.int8, len(read) // 2 * 2).reshape(-1, 2)
    if not len(content):
        return np.empty((0, 2), np.int8)
    starts = np.arange(0, len(content), group)
    low, high = content[:, 0], content[:, 1]
    return np.stack([np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)], axis=1)


def spectrogram_tile(pcm: np.ndarray, level: int, tile: int) -> np.ndarray:
    """Give one tile of a spectrogram: uint8 (n, 128), n <= 512 columns, band 0 is the lowest.

    0 is `LOWEST_DB` or less, 255 full scale. A column of a high level is the largest of a few
    spectra within it.
    """
    width = COLUMN << level
    first = tile * COLUMNS * width
    count = min(COLUMNS, -(-max(0, len(pcm) - first) // width))
    spectra = min(SPECTRA, 1 << level)
    if not count:
        return np.empty((0, BANDS), np.uint8)
    # Centres of the spectra of all columns, in samples.
    centres = first + (np.arange(count * spectra) + 0.5) * (width / spectra)
    starts = centres.astype(np.int64) - WINDOW // 2
    at = starts[:, None] + np.arange(WINDOW)
    inside = (at >= 0) & (at < len(pcm))
    windows = np.where(inside, pcm[np.clip(at, 0, len(pcm) - 1)], 0).astype(np.float32)
    windows *= np.hanning(WINDOW).astype(np.float32) * (4 / WINDOW / 32768)
    power = np.abs(np.fft.rfft(windows)[:, 1:]) ** 2
    bands = power.reshape(len(power), BANDS, -1).max(axis=2)
    columns = bands.reshape(count, spectra, BANDS).max(axis=1)
    decibels = 10 * np.log10(np.maximum(columns, 1e-12))
    return np.clip(255 * (1 - decibels / LOWEST_DB), 0, 255).round().astype(np.uint8)
