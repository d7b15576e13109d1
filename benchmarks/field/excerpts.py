"""Clips as they are queried: cut anywhere, made worse with what lay around them, written as WAV."""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.field.conditions import Condition, fits
from benchmarks.field.draws import Draws
from benchmarks.field.tools import fitted, pcm
from benchmarks.surroundings import Surroundings
from samaf.audio import SAMPLE_RATE

BEFORE_SECONDS, AFTER_SECONDS = 1.0, 0.5  # kept for rooms and codecs, then cut away
LEVEL = 0.9  # peak of what is written, of full scale


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A clip to ask about.

    Attributes
    ----------
    audio
        A WAV file of 16 bits.
    start, pace
        Second of the recording where it begins, and how many times as fast it runs.
    parameters
        What the condition drew.
    """

    audio: bytes
    start: float
    pace: float
    parameters: dict[str, float]


def excerpt(
    samples: np.ndarray,
    name: str,
    seconds: float,
    condition: Condition,
    around: Surroundings,
    seed: int,
) -> Excerpt | None:
    """Cut a clip that is ``seconds`` long as it plays, and make it worse.

    The place is drawn to the sample, from clip, length and seed; the condition's parameters
    from its name too.

    Returns
    -------
    None where the recording is too short for it.
    """
    draws = Draws(str(seed), name, f"{seconds:g}", condition.name)
    pace = fits(condition, seconds, len(samples) / SAMPLE_RATE, draws)
    if pace is None:
        return None
    count = round(seconds * SAMPLE_RATE)
    taken = int(np.ceil(count * pace)) + 2
    place = Draws(str(seed), name, f"{seconds:g}").rng.random()
    start = int(place * (len(samples) - taken + 1))
    first = max(0, start - round(BEFORE_SECONDS * SAMPLE_RATE))
    stop = min(len(samples), start + taken + round(AFTER_SECONDS * SAMPLE_RATE))
    worse = condition.apply(samples[first:stop], pace, draws, around)
    begin = round((start - first) / pace)
    cut = worse[begin : begin + count]
    if cut.ndim == 1:
        cut = fitted(cut, count)
    peak = np.abs(cut).max(initial=0)
    return Excerpt(
        wav(cut * (LEVEL / peak) if peak else cut), start / SAMPLE_RATE, pace, draws.values
    )


def wav(samples: np.ndarray) -> bytes:
    """Write samples, float (n,) or (n, channels), as a WAV file of 16 bits."""
    memory = io.BytesIO()
    with wave.open(memory, "wb") as file:
        file.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(pcm(samples).astype("<i2").tobytes())
    return memory.getvalue()


def recording_name(path: str | Path) -> str:
    """Name a recording by its file and the folder that it is in, alike on every machine."""
    return "/".join(Path(path).parts[-2:])
