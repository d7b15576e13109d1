"""Events, and what several recorders make of them."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.signal import fftconvolve

from benchmarks.sampling import generator, required
from samaf.audio import SAMPLE_RATE, load
from samaf.training.corpora import Corpus

REVERBERATION = 0.5  # s in which a room's sound falls by 60 dB
DIRECT_TO_REVERBERANT = 0.0  # dB
DRIFT_PPM = 100.0  # of a clock, either side
LATE = 0.2  # share of the event that a recorder may miss at either end
CUT_SECONDS = (2.0, 30.0)  # of a pause that was cut out


@dataclass(frozen=True, slots=True)
class Device:
    """A recorder, and when and how it recorded an event.

    Attributes
    ----------
    start
        Second of the event at which it begins.
    ppm
        How much faster its clock ran.
    cut_at, cut
        Second of its recording at which a pause was cut out, and how long; 0 where none was.
    """

    path: Path
    start: float
    ppm: float
    cut_at: float = 0.0
    cut: float = 0.0


def speech(corpus: Corpus, splits: Sequence[str], seconds: float, seed: str) -> np.ndarray:
    """Put speech clips one after the other, each once, float32 (n,)."""
    clips = required(corpus, "speech", *splits)
    order = generator(seed).permutation(len(clips))
    parts: list[np.ndarray] = []
    for index in order:
        parts.append(load(clips[index].path))
        if sum(map(len, parts)) >= seconds * SAMPLE_RATE:
            break
    return np.concatenate(parts)[: round(seconds * SAMPLE_RATE)]


def record(
    event: np.ndarray, noise: np.ndarray, snr: float, path: Path, cut: bool, seed: str
) -> Device:
    """Write what a recorder in a room of its own makes of an event, as WAV of 16 bits.

    Parameters
    ----------
    noise
        float32 (n,), repeated as needed, at ``snr`` dB below the speech.
    cut
        Whether a pause is cut out of the recording.
    """
    import soxr

    rng = generator(seed)
    seconds = len(event) / SAMPLE_RATE
    start, early = rng.uniform(0, LATE * seconds, 2)
    first = round(start * SAMPLE_RATE)
    samples = event[first : len(event) - round(early * SAMPLE_RATE)]
    samples = fftconvolve(samples, room(rng))[: len(samples)].astype(np.float32)
    ppm = float(rng.uniform(-DRIFT_PPM, DRIFT_PPM))
    samples = soxr.resample(samples, SAMPLE_RATE, SAMPLE_RATE * (1 + ppm * 1e-6), "VHQ")
    around = np.resize(np.roll(noise, int(rng.integers(len(noise)))), len(samples))
    samples = samples + around * (samples.std() / around.std() * 10 ** (-snr / 20))
    cut_at = length = 0.0
    if cut:
        cut_at = float(rng.uniform(0.2, 0.8)) * len(samples) / SAMPLE_RATE
        length = float(rng.uniform(*CUT_SECONDS))
        kept = [samples[: round(cut_at * SAMPLE_RATE)]]
        samples = np.concatenate([*kept, samples[round((cut_at + length) * SAMPLE_RATE) :]])
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        gain = 32_000 * rng.uniform(0.2, 1) / np.abs(samples).max()
        file.writeframes((samples * gain).astype("<i2").tobytes())
    return Device(path, first / SAMPLE_RATE, ppm, cut_at, length)


def room(rng: np.random.Generator) -> np.ndarray:
    """Draw an impulse response: the direct sound first, then noise that dies away."""
    count = round(REVERBERATION * SAMPLE_RATE)
    tail = rng.standard_normal(count) * 10 ** (-3 * np.arange(count) / count)
    tail *= 10 ** (-DIRECT_TO_REVERBERANT / 20) / np.linalg.norm(tail)
    tail[0] = 1.0
    return tail
