"""Chance level: answers with a recording drawn at random."""

from __future__ import annotations

import numpy as np

from baselines.recognizer import SAMPLE_RATE, Answer, RecognizerError, checked

SEED = 20_191_021


class Chance:
    """Answers with one stored recording, drawn by the seed and the clip's samples.

    The same clip and the same recordings give the same answer. Nothing is stored but keys.
    """

    name = "random"

    def __init__(self, settings: str) -> None:
        self.settings = settings
        self._keys: dict[str, float] = {}  # duration in seconds

    def add(self, key: str, samples: np.ndarray, sample_rate: int = SAMPLE_RATE) -> None:
        """Store a recording; see ``Recognizer``."""
        if key in self._keys:
            raise RecognizerError(f"{key!r} is stored already: delete it first")
        self._keys[key] = len(checked(samples, sample_rate)) / SAMPLE_RATE

    def query(self, samples: np.ndarray) -> list[Answer]:
        """One answer with a random offset and score, none from an empty store."""
        clip = np.ascontiguousarray(checked(samples))
        if not self._keys:
            return []
        words = np.frombuffer(clip.tobytes(), np.uint32)
        rng = np.random.default_rng([SEED, len(clip), int(words.sum(dtype=np.uint64))])
        key = list(self._keys)[rng.integers(len(self._keys))]
        longest = max(self._keys[key] - len(clip) / SAMPLE_RATE, 0.0)
        return [Answer(key, float(rng.random()), float(rng.uniform(0.0, longest)))]

    def delete(self, key: str) -> None:
        """Forget a recording; see ``Recognizer``."""
        if key not in self._keys:
            raise RecognizerError(f"{key!r} is not stored: nothing to delete")
        del self._keys[key]

    def stored_bits(self) -> int:
        """Always 0."""
        return 0
