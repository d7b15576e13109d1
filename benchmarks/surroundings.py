"""Sounds that are laid over clips: other voices, rooms, noise, music."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from samaf.audio import load
from samaf.training.corpora import Clip, Corpus

KEPT_SOUNDS = 128  # decoded at a time: 128 x 10 s x 64 kB/s = 82 MB
NOT_NOISE = ("babble", "musicbed")  # folders of mixed talkers, who may be stored, and of music


class Sounds(Sequence[np.ndarray]):
    """Clips that are decoded when needed, float32 (n,) each, peak 1."""

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
    """Sounds of one split to mix in."""

    voices: Sequence[np.ndarray]
    rooms: Sequence[np.ndarray]
    noises: Sequence[np.ndarray]
    music: Sequence[np.ndarray]


def around_clip(corpus: Corpus, split: str, clip: Clip) -> Surroundings:
    """Collect all sounds of a split, and its speech without the clip's own speaker."""
    others = [
        c
        for c in corpus.select("speech", split)
        if c.path != clip.path and (not clip.speaker or c.speaker != clip.speaker)
    ]
    rest = (Sounds(corpus.select(kind, split)) for kind in ("rir", "noise", "music"))
    return Surroundings(Sounds(others), *rest)


def around_voices(corpora: Sequence[Corpus], split: str, voices: Sequence[Clip]) -> Surroundings:
    """Collect noise, music and rooms of a split beside voices of whom nothing is stored.

    Noise that is talk or music is left out.
    """

    def of(kind: str) -> list[Clip]:
        return [c for corpus in corpora for c in corpus.select(kind, split)]

    noises = [c for c in of("noise") if not set(NOT_NOISE) & set(c.path.parts)]
    return Surroundings(Sounds(voices), Sounds(of("rir")), Sounds(noises), Sounds(of("music")))
