"""Parameters drawn for one clip, and kept with its answer."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import numpy as np


class Draws:
    """A random generator that depends on some texts alone and remembers what it drew.

    Attributes
    ----------
    rng
        For noise, and for all that needs no name.
    values
        What was drawn, by name.
    """

    def __init__(self, *seeds: str) -> None:
        digest = sha256("\n".join(seeds).encode("utf-8", "backslashreplace")).digest()
        self.rng = np.random.default_rng(np.frombuffer(digest, np.uint32))
        self.values: dict[str, float] = {}

    def between(self, name: str, low: float, high: float) -> float:
        """Draw from a range, all values alike."""
        self.values[name] = float(self.rng.uniform(low, high))
        return self.values[name]

    def one_of(self, name: str, choices: Sequence[float]) -> float:
        """Draw one of some values."""
        self.values[name] = float(choices[int(self.rng.integers(len(choices)))])
        return self.values[name]
