"""The second statistic: do short windows of the clip recur along the line?

It needs no exact speed: each window of 0.1 s is looked for within 50 ms of the line, and
the mean likeness is compared with that at random places of the same recording.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samaf.verification.correlation import Line
from samaf.verification.signals import SAMPLE_RATE, Signal, cut, fast_length, forward

LOW, HIGH = 200.0, 3_500.0  # Hz
RATE = 8_000  # Hz, half of the sample rate: enough for the band
WINDOW = RATE // 10
HOP = RATE // 20
MOST = 120  # windows: 6 s; longer clips take them farther apart
AROUND = RATE // 20  # 50 ms
PLACES = 24
APART = 0.5  # s between the line and a random place
SHORT = 120 * SAMPLE_RATE  # samples
SEED = 26
OUTLIER = 6.0  # spreads
LEAST_SPREAD = 1e-3  # of a correlation: silence and pure tones have none


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """How the windows of a clip recur along a line.

    Attributes
    ----------
    z
        Mean likeness along the line, less that at random places, over its spread there; 0
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


def compare_windows(clip: np.ndarray, recording: Signal, line: Line) -> Windows:
    """Compare a clip's windows along a line with 24 random places of the recording.

    Parameters
    ----------
    clip
        float32 (n,) at 16 kHz: the stretch that is to agree, pitch undone.
    line
        ``step`` may be far from 1: the tempo.
    """
    own = _narrow(clip)
    last = len(own) - WINDOW
    if last < HOP:
        return NOTHING
    starts = np.unique(np.linspace(0, last, min(MOST, 1 + last // HOP)).astype(int))
    size = fast_length(WINDOW + 2 * AROUND)
    cuts = own[starts[:, None] + np.arange(WINDOW)]
    norms = np.sqrt(np.einsum("ij,ij->i", cuts, cuts))
    heard = norms > 1e-3 * norms.max(initial=0)
    if heard.sum() < 3:
        return NOTHING
    starts, norms = starts[heard], norms[heard]
    spectra = np.conj(forward(cuts[heard], size)) * np.float32(size**2)
    # Middles of the windows in samples at 16 kHz, then in the recording.
    middles = 2.0 * (starts + WINDOW / 2)
    places = line.place + (middles - line.middle) * line.step
    narrow = _Narrowed(recording)
    likeness, offsets = _likeness(spectra, norms, narrow, places, size)
    null = np.array(
        [
            _mean(_likeness(spectra, norms, narrow, other, size)[0])
            for other in _others(places, recording.count)
        ]
    )
    null = np.sort(null[np.isfinite(null)])
    here = _mean(likeness)
    if not np.isfinite(here) or len(null) < PLACES // 2:
        return NOTHING
    # The repeats of a loop lie far above the other places, and are no null.
    middle = null[len(null) // 2]
    below = np.sqrt(np.mean(np.square(null[: len(null) // 2 + 1] - middle)))
    null = null[null <= middle + OUTLIER * below]
    z = (here - null.mean()) / max(float(null.std()), LEAST_SPREAD)
    return Windows(float(z), middles, offsets / RATE, likeness)


def _others(places: np.ndarray, count: int) -> np.ndarray:
    """Draw lines of the same tempo elsewhere; what hangs over an end goes on at the other."""
    rng = np.random.default_rng(SEED)
    apart = min(APART * SAMPLE_RATE, count / 4)
    return (places + rng.uniform(apart, count - apart, (PLACES, 1))) % count


def _likeness(
    spectra: np.ndarray, norms: np.ndarray, recording: _Narrowed, places: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Best normalised correlation of each window within 50 ms of its place, and how far off.

    The correlation is nan where the recording is silent.
    """
    span = WINDOW + 2 * AROUND
    heard = recording.around(places, span)
    sums = np.cumsum(np.square(heard), axis=1)
    energy = sums[:, WINDOW - 1 :].copy()
    energy[:, 1:] -= sums[:, :-WINDOW]
    products = np.abs(np.fft.irfft(forward(heard, size) * spectra, size)[:, : 2 * AROUND + 1])
    least = max(1e-4 * float(energy.max(initial=0)), 1e-12)
    products /= np.sqrt(np.maximum(energy, least)) * norms[:, None]
    at = products.argmax(axis=1)
    best = products[np.arange(len(at)), at]
    return np.where(energy.max(axis=1) > least, best, np.float32(np.nan)), at - AROUND


def _mean(likeness: np.ndarray) -> float:
    likeness = likeness[np.isfinite(likeness)]
    return float(likeness.mean()) if len(likeness) >= 3 else np.nan


class _Narrowed:
    """A recording at 8 kHz; a short one is filtered at once, a long one where it is read."""

    def __init__(self, recording: Signal) -> None:
        self._recording = recording
        self.count = recording.count
        self._whole: np.ndarray | None = None
        if recording.count <= SHORT:
            samples = recording.part(0, recording.count)
            self._whole = np.pad(_narrow(samples), SAMPLE_RATE)

    def around(self, places: np.ndarray, span: int) -> np.ndarray:
        """Cut what lies around places (samples at 16 kHz): float32 (places, span)."""
        steps = np.arange(span)
        if self._whole is not None:
            first = np.rint(places / 2 - span / 2).astype(int) + SAMPLE_RATE
            first = np.clip(first, 0, len(self._whole) - span)
            return self._whole[first[:, None] + steps]
        out = np.empty((len(places), span), np.float32)
        jumps = np.flatnonzero(np.abs(np.diff(places)) > SAMPLE_RATE) + 1
        for part in np.split(np.arange(len(places)), jumps):
            begin = int(places[part].min()) - span - SAMPLE_RATE // 10
            end = int(places[part].max()) + span + SAMPLE_RATE // 10
            narrow = _narrow(cut(self._recording, begin, end - begin))
            first = np.rint((places[part] - begin) / 2 - span / 2).astype(int)
            out[part] = narrow[first[:, None] + steps]
        return out


def _narrow(samples: np.ndarray) -> np.ndarray:
    """Filter to 200-3,500 Hz with pre-emphasis, at 8 kHz: float32 (n // 2,)."""
    size = fast_length(len(samples) + SAMPLE_RATE // 10)
    frequencies = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    rising = np.where((frequencies >= LOW) & (frequencies <= HIGH), frequencies / HIGH, 0)
    spectrum = forward(samples, size) * rising.astype(np.float32)
    half = np.fft.irfft(spectrum[: size // 4 + 1], size // 2) * np.float32(size // 2)
    return half[: len(samples) // 2]
