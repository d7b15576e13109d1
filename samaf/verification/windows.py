"""The second statistic: do short windows of the clip recur along the line?

It needs no exact speed: each window of 0.1 s is looked for within 50 ms of the line, and
the mean likeness is compared with that at random places of the same recording that are as loud:
sound is nothing like a pause, whatever it is.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import numpy as np

from samaf.verification.correlation import SampleAlignment
from samaf.verification.signals import (
    SAMPLE_RATE,
    SHORT,
    Signal,
    cut,
    fast_length,
    forward,
    kept,
)

LOW, HIGH = 200.0, 3_500.0  # Hz
RATE = 8_000  # Hz, half of the sample rate: enough for the band
WINDOW = RATE // 10
HOP = RATE // 20
MOST = 120  # windows: 6 s; longer clips take them farther apart
AROUND = RATE // 20  # 50 ms
SPAN = WINDOW + 2 * AROUND
LEAST_WINDOWS = 5  # 0.3 s of sound
QUIET = 0.03  # of the loudest window, -30 dB: quieter ones are pauses, and prove nothing
PLACES = 24
DRAWN = 72  # of which the first that are loud enough are taken, and else the loudest
LOUD = 0.1  # of the energy along the line
APART = 0.5  # s between the line and a random place
SEED = 26
OUTLIER = 6.0  # spreads
LEAST_SPREAD = 1e-3  # of a correlation: silence and pure tones have none


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """How the windows of a clip recur along a line.

    Attributes
    ----------
    z
        Mean likeness along the line, less that at random places as loud, over its spread there; 0
        where clip or recording holds too little.
    middles
        float64 (n,): samples of the clip.
    offsets
        float64 (n,): seconds that each window lies behind the line in the recording.
    likeness
        float32 (n,): each window's best normalised correlation.
    """

    z: float
    middles: np.ndarray
    offsets: np.ndarray
    likeness: np.ndarray


NOTHING = Windows(0.0, np.empty(0), np.empty(0), np.empty(0, np.float32))


class ClipWindows:
    """The windows of a clip, prepared once for many recordings.

    Parameters
    ----------
    clip
        float32 (n,) at 16 kHz: the stretch that is to agree, pitch restored.

    Attributes
    ----------
    middles
        float64 (n,): samples of the clip. There are fewer than `LEAST_WINDOWS` where it holds too
        little.
    norms, spectra
        float32 (n,), complex64 (n, 801): lengths of the windows as vectors, and their conjugate
        spectra.
    """

    def __init__(self, clip: np.ndarray) -> None:
        own = _narrow(clip)
        last = max(0, len(own) - WINDOW)
        starts = np.unique(np.linspace(0, last, min(MOST, 1 + last // HOP)).astype(int))
        cuts = np.pad(own, (0, WINDOW))[starts[:, None] + np.arange(WINDOW)]
        norms = np.sqrt(np.einsum("ij,ij->i", cuts, cuts))
        audible = norms > QUIET * norms.max(initial=0)
        if len(own) < WINDOW + HOP:
            audible[:] = False
        self.middles = 2.0 * (starts[audible] + WINDOW / 2)
        self.norms = norms[audible]
        self.spectra = np.conj(forward(cuts[audible], SPAN)) * np.float32(SPAN**2)

    def some(self, chosen: np.ndarray) -> ClipWindows:
        """Give some of the windows, by their numbers."""
        part = copy(self)
        part.middles, part.norms = self.middles[chosen], self.norms[chosen]
        part.spectra = self.spectra[chosen]
        return part


def compare_windows(clip: ClipWindows, recording: Signal, line: SampleAlignment) -> Windows:
    """Compare a clip's windows along a line with 24 random places of the recording.

    Parameters
    ----------
    line
        ``step`` may be far from 1: the tempo.
    """
    if len(clip.middles) < LEAST_WINDOWS:
        return NOTHING
    places = line.place + (clip.middles - line.middle) * line.step
    narrow = kept(recording, "narrow", lambda: _Narrowed(recording))
    likeness, offsets, loud = _likeness(clip, narrow, places)
    here = float(likeness.mean())
    if not loud:
        return NOTHING
    null = np.sort(_null(clip, narrow, _others(places, recording.count), LOUD * loud))
    # The repeats of a loop lie far above the other places, and are no null.
    middle = null[len(null) // 2]
    below = np.sqrt(np.mean(np.square(null[: len(null) // 2 + 1] - middle)))
    null = null[null <= max(middle + OUTLIER * below, (here + middle) / 2)]
    z = (here - null.mean()) / max(float(null.std()), LEAST_SPREAD)
    return Windows(float(z), clip.middles, offsets / RATE, likeness)


def offsets_along(
    clip: ClipWindows, recording: Signal, places: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Give how far behind its place each window fits best, within 50 ms, and how well.

    Parameters
    ----------
    places
        float64 (n,): samples of the recording, at 16 kHz, one for each window.

    Returns
    -------
    Seconds (n,), and float32 (n,): the correlation there.
    """
    narrow = kept(recording, "narrow", lambda: _Narrowed(recording))
    likeness, offsets, _ = _likeness(clip, narrow, places)
    return offsets / RATE, likeness


def likeness_around(clip: ClipWindows, recording: Signal, places: np.ndarray) -> np.ndarray:
    """Give how much each window is like what lies around each place.

    Parameters
    ----------
    places
        float64 (m,): samples of the recording, at 16 kHz.

    Returns
    -------
    float32 (n, m): best normalised correlation within 50 ms; 0 where the recording is silent.
    """
    narrow = kept(recording, "narrow", lambda: _Narrowed(recording))
    audible, energy = narrow.around(places)
    spectra = forward(audible, SPAN)
    highest = energy.max(axis=1)
    least = max(1e-4 * float(highest.max(initial=0)), 1e-12)
    scale = np.where(highest > least, 1, 0) / np.sqrt(np.maximum(energy, least)).T
    rows = []
    for spectrum, norm in zip(clip.spectra, clip.norms, strict=True):
        products = np.fft.irfft(spectra * spectrum, SPAN)[:, : 2 * AROUND + 1]
        rows.append((np.abs(products).T * scale).max(axis=0) / norm)
    return np.array(rows, np.float32).reshape(len(clip.norms), len(places))


def _others(places: np.ndarray, count: int) -> np.ndarray:
    """Draw lines of the same tempo elsewhere; what lies over an end goes on at the other."""
    rng = np.random.default_rng(SEED)
    apart = min(APART * SAMPLE_RATE, count / 4)
    return (places + rng.uniform(apart, count - apart, (DRAWN, 1))) % count


def _null(clip: ClipWindows, recording: _Narrowed, others: np.ndarray, least: float) -> np.ndarray:
    """Give the mean likeness at the first lines of energy ``least``, and else at the loudest."""
    means, energies = [], []
    for places in others:
        likeness, _, energy = _likeness(clip, recording, places)
        means.append(float(likeness.mean()))
        energies.append(energy)
        if sum(energy >= least for energy in energies) == PLACES:
            break
    loudest = np.argsort(-np.minimum(energies, least), kind="stable")[:PLACES]
    return np.array(means)[loudest]


def _likeness(
    clip: ClipWindows, recording: _Narrowed, places: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Best normalised correlation of each window within 50 ms of its place, how far off, and the
    mean energy there.

    The correlation is 0 where the recording is silent.
    """
    audible, energy = recording.around(places)
    # No padding: the lags that wrap round the end are not among the first 801.
    products = np.fft.irfft(forward(audible, SPAN) * clip.spectra, SPAN)[:, : 2 * AROUND + 1]
    np.abs(products, out=products)
    highest = energy.max(axis=1)
    least = max(1e-4 * float(highest.max(initial=0)), 1e-12)
    products /= np.sqrt(np.maximum(energy, least))
    at = products.argmax(axis=1)
    best = products[np.arange(len(at)), at] / clip.norms
    sounds = highest > least
    mean = float(highest[sounds].sum() / len(highest))
    return np.where(sounds, best, np.float32(0)), at - AROUND, mean


class _Narrowed:
    """A recording at 8 kHz; a short one is filtered at once, a long one where it is read."""

    def __init__(self, recording: Signal) -> None:
        self._recording = recording
        self._whole: tuple[np.ndarray, np.ndarray] | None = None
        if recording.count <= SHORT:
            samples = recording.part(0, recording.count)
            self._whole = _with_energy(np.pad(_narrow(samples), SAMPLE_RATE))

    def around(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Cut what lies around places (samples at 16 kHz).

        Returns
        -------
        float32 (places, 1600) and (places, 801): the samples, and the energy of the windows that
        begin at the first 801 of them.
        """
        if self._whole is not None:
            samples, energy = self._whole
            first = np.rint(places / 2 - SPAN / 2).astype(int) + SAMPLE_RATE
            first = np.clip(first, 0, len(samples) - SPAN)
            return _rows(samples, SPAN, first), _rows(energy, 2 * AROUND + 1, first)
        audible, energies = [], []
        jumps = np.flatnonzero(np.abs(np.diff(places)) > SAMPLE_RATE) + 1
        for part in np.split(np.arange(len(places)), jumps):
            begin = int(places[part].min()) - SPAN - SAMPLE_RATE // 10
            end = int(places[part].max()) + SPAN + SAMPLE_RATE // 10
            samples, energy = _with_energy(_narrow(cut(self._recording, begin, end - begin)))
            first = np.rint((places[part] - begin) / 2 - SPAN / 2).astype(int)
            audible.append(_rows(samples, SPAN, first))
            energies.append(_rows(energy, 2 * AROUND + 1, first))
        return np.concatenate(audible), np.concatenate(energies)


def _with_energy(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give samples (n,) with the energy of the window that begins at each: float32 (n - 799,)."""
    sums = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    return samples, np.maximum(sums[WINDOW:] - sums[:-WINDOW], 0).astype(np.float32)


def _rows(values: np.ndarray, length: int, first: np.ndarray) -> np.ndarray:
    return np.asarray(np.lib.stride_tricks.sliding_window_view(values, length)[first])


def _narrow(samples: np.ndarray) -> np.ndarray:
    """Filter to 200-3,500 Hz with pre-emphasis, at 8 kHz: float32 (n // 2,)."""
    size = fast_length(len(samples) + SAMPLE_RATE // 10)
    frequencies = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    rising = np.where((frequencies >= LOW) & (frequencies <= HIGH), frequencies / HIGH, 0)
    spectrum = forward(samples, size) * rising.astype(np.float32)
    half = np.fft.irfft(spectrum[: size // 4 + 1], size // 2) * np.float32(size // 2)
    return half[: len(samples) // 2]
