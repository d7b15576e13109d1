"""Same sound? Two spectrograms on one time axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from samaf.report.pictures.style import ORANGE, drawing, name, svg

WINDOW_S, STEPS = 0.025, 640  # of a spectrum; columns in a picture
FFT = 1024
GREYS = 24  # levels of a picture: more are not seen in print, and make it large
FLOOR_DB = -60.0  # below the loudest: black
HIGH_HZ = 8000.0


@dataclass(frozen=True, slots=True, eq=False)
class Excerpt:
    """A piece of sound and where it lies.

    Attributes
    ----------
    title
        What it is.
    samples
        float32 (n,).
    sample_rate
        Hz.
    origin
        Seconds of the file before the first sample.
    start, stop
        Seconds of the file: the stretch that matches.
    """

    title: str
    samples: np.ndarray
    sample_rate: int
    origin: float
    start: float
    stop: float


def spectrogram_pair(
    clip: Excerpt, recording: Excerpt, tau: float = 1.0, *, is_reversed: bool = False
) -> bytes:
    """Draw two spectrograms so that what matches lies above each other.

    Parameters
    ----------
    tau
        Duration of the clip's stretch / duration of the recording's: the clip is drawn
        narrower or wider by it.
    is_reversed
        Whether the clip runs backwards: its time axis is turned round.
    """
    centre = (clip.start + clip.stop) / 2
    length = len(clip.samples) / clip.sample_rate
    window = np.array([clip.origin, clip.origin + length])
    there_centre = (recording.start + recording.stop) / 2
    there = there_centre + (window - centre) / tau * (-1 if is_reversed else 1)
    with drawing(4.3) as figure:
        above, below = figure.subplots(2, 1)
        _draw(above, clip, window, "time in the clip, s")
        _draw(below, recording, there, "time in the recording, s")
        return svg(figure)


def _draw(axes: Any, excerpt: Excerpt, window: np.ndarray, label: str) -> None:
    image = spectrogram(excerpt.samples, excerpt.sample_rate)
    levels = np.rint(np.clip(image / FLOOR_DB, 0, 1) * (GREYS - 1)) / (GREYS - 1)
    end = excerpt.origin + len(excerpt.samples) / excerpt.sample_rate
    high = min(HIGH_HZ, excerpt.sample_rate / 2) / 1000
    axes.imshow(
        1 - levels,
        origin="lower",
        aspect="auto",
        extent=(excerpt.origin, end, 0, high),
        cmap="gray_r",
        vmin=0,
        vmax=1,
        interpolation="none",
    )
    for edge in (excerpt.start, excerpt.stop):
        axes.axvline(edge, color=ORANGE, linestyle="--", linewidth=1.2)
    axes.set_xlim(*window)
    axes.set_title(name(excerpt.title), loc="left")
    axes.set_xlabel(label)
    axes.set_ylabel("frequency, kHz")


def spectrogram(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """Give levels in dB below the loudest, float32 (bins, frames), for a picture.

    At most `STEPS` frames, and the lowest ``HIGH_HZ``.
    """
    size = round(WINDOW_S * sample_rate)
    padded = np.pad(samples, (0, max(0, size - len(samples))))
    step = max(size // 5, (len(padded) - size) // STEPS + 1)
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::step]
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(size).astype(np.float32), FFT))
    bins = round(FFT * min(HIGH_HZ, sample_rate / 2) / sample_rate)
    # Two bins in one: a picture of print size shows no more.
    power = np.square(spectrum[:, : bins // 2 * 2]).reshape(len(frames), -1, 2).mean(axis=2)
    decibels = 10 * np.log10(np.maximum(power, 1e-12)).T
    return np.asarray(decibels - decibels.max(), np.float32)
