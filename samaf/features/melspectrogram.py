"""Segments of audio and their log mel spectrograms, the input of the U-Net (paper section 3.2).

"Paper" is D. Singh, Deep Learning-based Fingerprinting Methods for Audio Representation and
Search, IRJIET 9(3), 2025.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from samaf.errors import FingerprinterError

LEAST_POWER = 1e-10  # a band of digital silence has at least this


@dataclass(frozen=True, slots=True)
class MelParameters:
    """How samples become segments and segments become spectrograms.

    The defaults are the paper's, section 3.2; it leaves open the last four fields but one.

    Attributes
    ----------
    sample_rate
        Hz.
    fft, step
        Samples of a frame (``n_fft``) and between frames (``hop_length``).
    mel_bands
        Triangular bands from 0 Hz to half the sample rate, equally wide on the mel scale.
    segment_seconds, hop_seconds
        Length of a segment, and time from one to the next: 1.5 s of overlap.
    range_db
        Range below a segment's loudest value that values are limited to.
    normalised
        Take from each band its mean and divide it by its deviation over the segment's
        frames (``to_normalize_mel_spectrogram``).
    least_deviation
        Deviation, as a natural logarithm of power, that a band is divided by at least: a
        band without sound stays flat.
    """

    sample_rate: int = 48_000
    fft: int = 1024
    step: int = 512
    mel_bands: int = 64
    segment_seconds: float = 4.0
    hop_seconds: float = 2.5
    range_db: float = 80.0
    normalised: bool = True
    least_deviation: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.hop_seconds <= self.segment_seconds:
            raise FingerprinterError(
                f"a hop of {self.hop_seconds} s does not fit segments of {self.segment_seconds} s; "
                "take a hop above 0 and no longer than a segment"
            )
        if not 0 < self.step <= self.fft:
            raise FingerprinterError(
                f"a step of {self.step} samples does not fit {self.fft} FFT points; take a step "
                "above 0 and no longer than the FFT"
            )
        if self.segment_samples <= self.fft // 2:
            raise FingerprinterError(
                f"a segment of {self.segment_seconds} s is shorter than half of {self.fft} FFT "
                "points; take longer segments"
            )

    @property
    def segment_samples(self) -> int:
        """Samples of a segment: 192,000."""
        return round(self.segment_seconds * self.sample_rate)

    @property
    def hop_samples(self) -> int:
        """Samples from one segment to the next: 120,000."""
        return round(self.hop_seconds * self.sample_rate)

    @property
    def frames(self) -> int:
        """Frames of a segment, the first centred on its first sample: 376."""
        return 1 + self.segment_samples // self.step

    @property
    def shape(self) -> tuple[int, int]:
        """Bands and frames of a spectrogram: (64, 376)."""
        return self.mel_bands, self.frames

    def as_dict(self) -> dict[str, Any]:
        """Give all fields, for model cards."""
        return asdict(self)


def segments(
    samples: np.ndarray, parameters: MelParameters = MelParameters()
) -> tuple[np.ndarray, np.ndarray]:
    """Cut samples into overlapping segments.

    Parameters
    ----------
    samples
        float32, shape (n,), mono, at ``parameters.sample_rate``.

    Returns
    -------
    cut
        float32, shape (m, 192000); segment i starts at ``i x hop_seconds``. Samples
        after the last full one are left out (paper Figure 8).
    padded
        bool, shape (m,): True where the segment is padded with zeros (section 3.2): only
        the single segment of shorter audio is. No samples give no segment.
    """
    parts = list(segment_chunks([samples], parameters))
    cut = np.concatenate([np.empty((0, parameters.segment_samples), np.float32), *parts])
    return cut, np.full(len(cut), len(samples) < parameters.segment_samples)


def segment_chunks(
    chunks: Iterable[np.ndarray], parameters: MelParameters = MelParameters()
) -> Iterator[np.ndarray]:
    """Yield the segments of a stream, float32 (m, 192000) each: those of ``segments``.

    ``chunks`` are float32 arrays of any length that follow on each other.
    """
    size, hop = parameters.segment_samples, parameters.hop_samples
    kept, total = np.empty(0, np.float32), 0
    for chunk in chunks:
        kept = np.concatenate([kept, chunk], dtype=np.float32)
        total += len(chunk)
        if len(kept) >= size:
            cut = np.lib.stride_tricks.sliding_window_view(kept, size)[::hop]
            yield np.ascontiguousarray(cut)
            kept = kept[len(cut) * hop :]
    if 0 < total < size:
        yield np.pad(kept, (0, size - len(kept)))[None]


def mel_spectrogram(cut: np.ndarray, parameters: MelParameters = MelParameters()) -> np.ndarray:
    """Compute log mel spectrograms, float32 (m, 64, 376), from segments float32 (m, 192000).

    Values are natural logarithms of power, within ``range_db`` of the segment's largest;
    with ``normalised`` each band has mean 0 and, if it changes at all, deviation 1.

    Notes
    -----
    Frames are centred, with the segment reflected at its ends: 192000 / 512 + 1 = 376 of
    them. The paper's text counts 374, those that fit without padding; its Figure 10
    has 376.
    """
    out = np.empty((len(cut), *parameters.shape), np.float32)
    for spectrogram, samples in zip(out, cut, strict=True):
        spectrogram[:] = limited(np.log(mel_power(samples, parameters)), parameters)
    return normalised(out, parameters) if parameters.normalised else out


def mel_power(samples: np.ndarray, parameters: MelParameters) -> np.ndarray:
    """Compute the power of bands, float32 (mel_bands, 1 + n // step), at least 1e-10.

    ``samples`` are float32 (n,), more than half of ``fft``; no range is imposed yet.
    """
    return np.maximum(
        np.abs(stft(samples, parameters)) ** 2 @ filterbank(parameters), LEAST_POWER
    ).T


def limited(log_power: np.ndarray, parameters: MelParameters) -> np.ndarray:
    """Raise what lies below ``range_db`` under the largest value; (..., bands, frames)."""
    top = log_power.max(axis=(-2, -1), keepdims=True)
    return np.maximum(log_power, top - np.float32(parameters.range_db * math.log(10) / 10))


def normalised(log_power: np.ndarray, parameters: MelParameters) -> np.ndarray:
    """Bring each band to mean 0 and deviation 1 over its frames; (..., bands, frames)."""
    mean, deviation = scale(log_power, parameters)
    return (log_power - mean) / deviation


def scale(log_power: np.ndarray, parameters: MelParameters) -> tuple[np.ndarray, np.ndarray]:
    """Give what ``normalised`` takes away and divides by, each (..., bands, 1)."""
    mean = log_power.mean(axis=-1, keepdims=True)
    deviation = log_power.std(axis=-1, keepdims=True)
    return mean, np.maximum(deviation, np.float32(parameters.least_deviation))


def stft(samples: np.ndarray, parameters: MelParameters) -> np.ndarray:
    """Transform centred Hann-windowed frames; complex64 (1 + n // step, fft / 2 + 1)."""
    padded = np.pad(samples.astype(np.float32, copy=False), parameters.fft // 2, "reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, parameters.fft)[:: parameters.step]
    return np.fft.rfft(windows * hann(parameters.fft), axis=1)


@lru_cache(maxsize=8)
def hann(size: int) -> np.ndarray:
    """Build the periodic Hann window, float32 (size,)."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)).astype(np.float32)


@lru_cache(maxsize=8)
def filterbank(parameters: MelParameters) -> np.ndarray:
    """Build the map from a power spectrum to mel bands, float32 (fft / 2 + 1, mel_bands).

    Triangles of height 1 on the mel scale 2595 log10(1 + f / 700).
    """
    nyquist = parameters.sample_rate / 2
    hertz = np.linspace(0, nyquist, parameters.fft // 2 + 1)[:, None]
    edges = np.linspace(0, math.log10(1 + nyquist / 700), parameters.mel_bands + 2)
    corners = 700 * (10**edges - 1)
    rising = (hertz - corners[:-2]) / (corners[1:-1] - corners[:-2])
    falling = (corners[2:] - hertz) / (corners[2:] - corners[1:-1])
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
