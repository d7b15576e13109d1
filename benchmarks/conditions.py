"""Conditions of real life: other voices, rooms, music, telephones, poor codecs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import numpy as np

from benchmarks.errors import RowError
from samaf.audio import SAMPLE_RATE, load
from samaf.training import distortions
from samaf.training.corpora import Clip, Corpus

KEPT_SOUNDS = 64  # decoded at a time: 64 x 10.5 s x 64 kB/s = 43 MB


class Sounds(Sequence[np.ndarray]):
    """Clips that are decoded when asked for, float32 (n,) each."""

    def __init__(self, clips: Sequence[Clip]) -> None:
        self._paths = [clip.path for clip in clips]

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, number):  # type: ignore[no-untyped-def]  # numbers only, no slices
        return _decoded(self._paths[number])


@lru_cache(KEPT_SOUNDS)
def _decoded(path: Path) -> np.ndarray:
    return load(path)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What surrounds one clip: sounds of one split, without the clip's own speaker."""

    voices: Sequence[np.ndarray]
    rooms: Sequence[np.ndarray]
    noises: Sequence[np.ndarray]
    music: Sequence[np.ndarray]


def surroundings(corpus: Corpus, split: str, clip: Clip) -> Surroundings:
    """Collect the sounds of a split for a clip."""
    others = [
        c
        for c in corpus.select("speech", split)
        if c.path != clip.path and (not clip.speaker or c.speaker != clip.speaker)
    ]
    rest = (Sounds(corpus.select(kind, split)) for kind in ("rir", "noise", "music"))
    return Surroundings(Sounds(others), *rest)


def generator(*seeds: str) -> np.random.Generator:
    """Make a random generator that depends on some texts alone."""
    digest = sha256("\n".join(seeds).encode("utf-8", "backslashreplace")).digest()
    return np.random.default_rng(np.frombuffer(digest, np.uint32))


Values = Sequence[float]
Condition = Callable[[np.ndarray, Values, Surroundings, np.random.Generator], np.ndarray]


def _babble(
    samples: np.ndarray, values: Values, around: Surroundings, rng: np.random.Generator
) -> np.ndarray:
    voices, decibels = values
    sounds = _some(around.voices, "speech of other speakers")
    added = distortions.babble(sounds, int(voices), len(samples), rng)
    return distortions.mix(samples, added, decibels)


def _room(
    samples: np.ndarray, values: Values, around: Surroundings, rng: np.random.Generator
) -> np.ndarray:
    rooms = _some(around.rooms, "room responses")
    wet = distortions.reverberated(samples, rooms[int(rng.integers(len(rooms)))])
    noise = distortions.excerpt(_some(around.noises, "noise"), len(wet), rng)
    return distortions.mix(wet, noise, values[0])


def _music(
    samples: np.ndarray, values: Values, around: Surroundings, rng: np.random.Generator
) -> np.ndarray:
    added = distortions.excerpt(_some(around.music, "music"), len(samples), rng)
    return distortions.mix(samples, added, values[0])


def _telephone(coded: Callable[[np.ndarray, Values], np.ndarray]) -> Condition:
    """Change the speed by the first value, then hand the others to a codec."""

    def condition(
        samples: np.ndarray, values: Values, _: Surroundings, __: np.random.Generator
    ) -> np.ndarray:
        fast = distortions.change_speed(samples, values[0])
        return coded(distortions.normalised(fast), values[1:])

    return condition


def _codec(encoder: str, container: str) -> Condition:
    def condition(
        samples: np.ndarray, values: Values, _: Surroundings, __: np.random.Generator
    ) -> np.ndarray:
        return distortions.through_codec(samples, encoder, container, SAMPLE_RATE, int(values[0]))

    return condition


CONDITIONS: dict[str, Condition] = {
    "babble": _babble,
    "room": _room,
    "music": _music,
    "g711": _telephone(lambda samples, _: distortions.g711(samples)),
    "gsm": _telephone(lambda samples, _: distortions.gsm(samples)),
    "amr": _telephone(
        lambda samples, values: distortions.through_codec(
            samples, "libopencore_amrnb", "amr", 8_000, int(values[0])
        )
    ),
    "opus": _codec("libopus", "ogg"),
    "mp3": _codec("libmp3lame", "mp3"),
}


def _some(sounds: Sequence[np.ndarray], what: str) -> Sequence[np.ndarray]:
    if not len(sounds):
        raise RowError(f"the split holds no {what} to add")
    return sounds
