"""Which part of the clip agrees, at which lag each moment of it, and in which bands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samaf.records import Band
from samaf.verification.correlation import HIGH, LOW, SampleAlignment, WhiteClip
from samaf.verification.signals import (
    SAMPLE_RATE,
    Signal,
    cut,
    fast_length,
    forward,
    levelled,
    whitened,
)

WINDOW = SAMPLE_RATE // 4
HOP = SAMPLE_RATE // 20
AROUND = SAMPLE_RATE // 10  # lags on either side: the null of one window
ON_LINE = SAMPLE_RATE // 500  # 2 ms: nearer, a peak is on the line
AGREES = 5.0  # rms; the largest of 64 lags of noise passes it in 1 of 25,000 windows
COHERENT = 4.5  # the same for one band: noise passes in 1 of 25,000
EDGES = (150, 300, 600, 1_200, 2_000, 3_000, 4_000, 5_000)  # Hz


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """Moments of a clip along a line.

    Attributes
    ----------
    middles
        float64 (n,): samples of the clip, the middles of windows of 0.25 s.
    offsets
        float64 (n,): seconds that the window's peak lies behind the line in the recording.
    agree
        bool (n,): whether the window agrees on its own.
    """

    middles: np.ndarray
    offsets: np.ndarray
    agree: np.ndarray


def along(clip: np.ndarray, recording: Signal, line: SampleAlignment) -> Agreement:
    """Compare every window of 0.25 s of the clip with the recording at its place.

    Parameters
    ----------
    clip
        float32 (n,), speed restored, ``line.middle`` counted in its samples.
    """
    length = max(1, int(len(clip) * line.step))
    first = round(line.place - line.middle * line.step)
    count = 1 + max(0, -(-(length - WINDOW) // HOP))  # the last may lie over the end
    span = (count - 1) * HOP + WINDOW
    own = WhiteClip(clip).along(line, first, span)
    begin, width = first - AROUND, span + 2 * AROUND
    size = fast_length(width)
    spectrum = whitened(levelled(cut(recording, begin, width)), size, LOW, HIGH)
    other = np.fft.irfft(spectrum, size)[:width]
    windows = np.lib.stride_tricks.sliding_window_view
    wide = fast_length(WINDOW + 2 * AROUND)
    products = np.fft.irfft(
        forward(windows(other, WINDOW + 2 * AROUND)[::HOP], wide)
        * np.conj(forward(windows(own, WINDOW)[::HOP], wide)),
        wide,
    )[:, : 2 * AROUND + 1]
    products = np.abs(products)
    peaks = products.argmax(axis=1)
    on_line = products[:, AROUND - ON_LINE : AROUND + ON_LINE + 1].max(axis=1)
    off_line = np.delete(products, slice(AROUND - 2 * ON_LINE, AROUND + 2 * ON_LINE + 1), axis=1)
    rms = np.sqrt(np.mean(np.square(off_line), axis=1))
    agree = (on_line > AGREES * rms) & (rms > 0)
    at = first + HOP * np.arange(len(peaks)) + WINDOW / 2
    middles = line.middle + (at - line.place) / line.step
    return Agreement(middles, (peaks - AROUND) / SAMPLE_RATE, agree)


def coherent_bands(clip: np.ndarray, recording: Signal, line: SampleAlignment) -> tuple[Band, ...]:
    """Tell in which bands the clip agrees with the recording along a line."""
    length = max(1, round(len(clip) * line.step))
    first = round(line.place - line.middle * line.step)
    own = WhiteClip(clip).along(line, first, length)
    size = fast_length(length)
    ours = forward(own, size) * np.float32(size)
    theirs = whitened(levelled(cut(recording, first, length)), size, LOW, HIGH)
    bins = size / SAMPLE_RATE
    bands = []
    for low, high in zip(EDGES[:-1], EDGES[1:], strict=True):
        inside = slice(round(low * bins), round(high * bins))
        one, two = ours[inside], theirs[inside]
        norm = float(np.linalg.norm(one) * np.linalg.norm(two))
        coherence = float(abs(np.vdot(one, two))) / norm if norm else 0.0
        chance = 1 / np.sqrt(2 * (high - low) * length / SAMPLE_RATE)
        bands.append(Band(low, high, coherence, bool(coherence > COHERENT * chance)))
    return tuple(bands)
