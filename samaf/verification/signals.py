"""Samples as the statistics need them: read in parts, levelled, whitened, resampled."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Protocol, TypeVar

import numpy as np

SAMPLE_RATE = 16_000  # Hz
SHORT = 120 * SAMPLE_RATE  # samples of a recording that is kept in memory
LEVEL_FRAME = SAMPLE_RATE // 100  # samples: 10 ms
LEVEL_FRAMES = 25  # 0.25 s: a syllable
LEVEL_FLOOR = 1e-6  # mean square, -60 dB of full scale: quieter parts are not raised further
LINE_HZ = 4.0  # a line of hum is narrower
SMOOTH_CELLS = 15  # of 4 Hz: wider than a line of hum, narrower than a formant
LINE = 9.0  # times the neighbours' power: noise of 1 s gets there in 1 of 10^8 bins
WHITENING = 0.8  # exponent: 1 raises what a codec has left out as far as the voice
OVERSAMPLING = 4  # linear interpolation between samples is then 2 % off at 5 kHz
KEPT = 32  # of about 1 MB each

Made = TypeVar("Made")


class Signal(Protocol):
    """Mono samples at 16 kHz that are read in parts, such as `samaf.audio.Audio`."""

    @property
    def count(self) -> int:
        """Number of samples."""

    def part(self, first: int, count: int) -> np.ndarray:
        """Give up to ``count`` samples from ``first`` on, float32 (n,)."""


class Samples:
    """Samples in memory, as a `Signal`."""

    def __init__(self, samples: np.ndarray) -> None:
        self._samples = np.nan_to_num(np.asarray(samples, np.float32), posinf=0, neginf=0)

    @property
    def count(self) -> int:
        """Number of samples."""
        return len(self._samples)

    def part(self, first: int, count: int) -> np.ndarray:
        """Give up to ``count`` samples from ``first`` on."""
        return self._samples[first : first + count]


class PreparedRecording:
    """A recording, as a `Signal`, of which all candidates share what a short one is turned into."""

    def __init__(self, signal: Signal) -> None:
        self._signal = signal
        self._kept: dict[Hashable, Any] = {}

    @property
    def count(self) -> int:
        """Number of samples."""
        return self._signal.count

    def part(self, first: int, count: int) -> np.ndarray:
        """Give up to ``count`` samples from ``first`` on."""
        return self._signal.part(first, count)

    def kept(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """Give what ``make`` gives, made once; every time where the recording is long."""
        if self.count > SHORT:
            return make()
        if key not in self._kept:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            self._kept[key] = make()
        made: Made = self._kept[key]
        return made


def kept(signal: Signal, key: Hashable, make: Callable[[], Made]) -> Made:
    """Give what ``make`` gives, shared by all candidates of a prepared recording."""
    return signal.kept(key, make) if isinstance(signal, PreparedRecording) else make()


def cut(signal: Signal, first: int, count: int) -> np.ndarray:
    """Give exactly ``count`` samples from ``first`` on, zeros beyond the ends."""
    begin, end = min(max(first, 0), signal.count), min(max(first + count, 0), signal.count)
    out = np.zeros(count, np.float32)
    if end > begin:
        samples = signal.part(begin, end - begin)
        out[begin - first : begin - first + len(samples)] = samples
    return out


def fast_length(count: int) -> int:
    """Give the least length of an FFT, 4 to 7 times a power of two, that holds ``count``."""
    power = max(0, (max(count, 1) - 1).bit_length() - 3)
    return next(m << power for m in (4, 5, 6, 7, 8) if m << power >= count)


def forward(samples: np.ndarray, count: int) -> np.ndarray:
    """Transform real samples along the last axis, divided by ``count``; complex64.

    NumPy keeps to float32 only where it has a factor to multiply by, and is four times as
    fast then.
    """
    return np.fft.rfft(samples, count, norm="forward")


def levelled(samples: np.ndarray) -> np.ndarray:
    """Even out the level half-way (in dB), so that no loud syllable counts for all.

    Parameters
    ----------
    samples
        float32 (n,), peak about 1.
    """
    frames = -(-len(samples) // LEVEL_FRAME)
    padded = np.pad(samples, (0, frames * LEVEL_FRAME - len(samples)))
    grid = padded.reshape(frames, LEVEL_FRAME)
    power = np.einsum("ij,ij->i", grid, grid) / LEVEL_FRAME
    gain = np.maximum(smoothed(power, LEVEL_FRAMES), LEVEL_FLOOR) ** -0.25
    return (grid * gain[:, None].astype(np.float32)).reshape(-1)[: len(samples)]


def smoothed(values: np.ndarray, width: int) -> np.ndarray:
    """Average over ``width`` neighbours; the ends are repeated."""
    width = min(width, 2 * len(values) - 1) | 1
    padded = np.pad(values, (width // 2 + 1, width // 2), mode="edge")
    sums = np.cumsum(padded, dtype=np.float64)
    return ((sums[width:] - sums[:-width]) / width).astype(values.dtype)


def whitened(
    samples: np.ndarray, count: int, low: float, high: float, filled: int = 0
) -> np.ndarray:
    """Give the spectrum of levelled samples, flattened and without steady lines.

    Parameters
    ----------
    samples
        float32 (n,), n <= count.
    count
        Of the FFT.
    low, high
        Hz: what lies outside is zero.
    filled
        How many of the samples are sound; all of them where it is 0. The scale of the
        result depends neither on ``count`` nor on it.

    Returns
    -------
    complex64 (count // 2 + 1,), for ``numpy.fft.irfft``.
    """
    spectrum = forward(samples, count)
    bins = count / SAMPLE_RATE  # per Hz
    first, last = round(low * bins), min(round(high * bins) + 1, count // 2)
    inside = spectrum[first:last]
    amplitude = np.abs(inside) * np.float32(count / np.sqrt(filled or len(samples)))
    # Cells of 4 Hz, not single bins: the spectrum of a loop is all lines, none of them alone.
    cell = max(1, round(LINE_HZ * bins))
    cells = np.pad(amplitude, (0, -len(amplitude) % cell), mode="edge").reshape(-1, cell)
    level, power = cells.mean(axis=1), np.einsum("ij,ij->i", cells, cells) / np.float32(cell)
    mean = smoothed(level, SMOOTH_CELLS)
    mean = smoothed(np.minimum(level, 2 * mean), SMOOTH_CELLS)  # lines do not count
    mean = np.maximum(mean, np.float32(1e-3) * mean.max(initial=0) + np.float32(1e-9))
    gain = np.where(power > LINE * np.square(mean), 0, mean ** np.float32(-WHITENING))
    gains = np.repeat(gain, cell)[: len(amplitude)]
    most = np.repeat(2 * mean, cell)[: len(amplitude)]
    peaks = np.flatnonzero(amplitude > most)
    gains[peaks] *= (most[peaks] / amplitude[peaks]) ** np.float32(WHITENING)
    out = np.zeros_like(spectrum)
    out[first:last] = inside * (gains * np.float32(count))
    return out


def resampled(samples: np.ndarray, factor: float) -> np.ndarray:
    """Undo a pitch factor: ``factor`` times as many samples, frequencies divided by it."""
    if factor == 1 or not len(samples):
        return samples
    count = round(len(samples) * factor)
    places = np.arange(count) / factor
    return interpolated(oversampled(samples, 7_900 * min(1.0, factor)), places)


def oversampled(samples: np.ndarray, highest: float = 7_900) -> np.ndarray:
    """Give the samples at four times the rate, without what lies above ``highest`` Hz."""
    count = fast_length(len(samples) + SAMPLE_RATE // 10)  # an FFT is circular: keep ends apart
    spectrum = forward(samples, count)
    spectrum[int(highest * count / SAMPLE_RATE) :] = 0
    return from_spectrum(spectrum, count)


def from_spectrum(spectrum: np.ndarray, count: int) -> np.ndarray:
    """Give the samples of ``forward(samples, count)`` at four times the rate."""
    wide = np.zeros(OVERSAMPLING * count // 2 + 1, np.complex64)
    wide[: len(spectrum)] = spectrum
    return np.fft.irfft(wide) * np.float32(OVERSAMPLING * count)


def interpolated(fine: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Read oversampled samples at places given in samples at 16 kHz; float32, zero outside."""
    scaled = places * OVERSAMPLING
    whole = np.floor(scaled)
    part = (scaled - whole).astype(np.float32)
    at = whole.astype(np.int64)
    inside = (at >= 0) & (at < len(fine) - 1)
    at = np.where(inside, at, 0)
    left = fine[at]
    return np.where(inside, left + part * (fine[at + 1] - left), np.float32(0))
