"""The rules of the comparison: what is stored, what is queried, what an answer holds.

References are all speech originals of the corpus. A query is a window of 1-6 s of a
transformed clip; windows start every 0.25 s, as the hashes of the paper do (SAMAF,
section 4.3: a clip of 10.015 s gives 37, 33, 29 ... windows).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.errors import BenchmarkError
from benchmarks.sampling import generator
from samaf.audio import SAMPLE_RATE

HOP = 0.25  # s between windows
TAIL = 0.015  # s that the last frame of a window of whole seconds reaches beyond it
GRANULARITIES = (1, 2, 3, 4, 5, 6)  # s


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a system answers to the windows of one clip: the best answer, with its ties.

    One entry an answer; a window without answer has none, equally good answers of one
    window follow each other.

    Attributes
    ----------
    window
        int32 (k,): position of the window among those queried.
    reference
        int32 (k,): position of the recording among the references.
    score
        float32 (k,): higher is better, comparable between queries.
    offset
        float32 (k,): where the window begins in the recording, s; nan if not reported.
    """

    window: np.ndarray
    reference: np.ndarray
    score: np.ndarray
    offset: np.ndarray

    @classmethod
    def of(cls, entries: Iterable[tuple[int, int, float, float]]) -> Answers:
        """Make answers of (window, reference, score, offset) in order of windows."""
        listed = list(entries)
        return cls.joined(*(np.array([e[part] for e in listed]) for part in range(4)))

    @classmethod
    def joined(
        cls, window: np.ndarray, reference: np.ndarray, score: np.ndarray, offset: np.ndarray
    ) -> Answers:
        """Make answers of columns of any type."""
        return cls(
            window.astype(np.int32),
            reference.astype(np.int32),
            score.astype(np.float32),
            offset.astype(np.float32),
        )


class System(ABC):
    """A recognizer as the benchmark sees it.

    Attributes
    ----------
    name
        Kind and model or settings, with a colon between.
    parallel
        Number of clips that may be queried at the same time.
    sampled
        Whether a sample of the windows is queried where one is wished for: each costs
        like a clip of its own.
    shortest
        Shortest windows that it can be queried with, s.
    """

    name: str
    parallel = 1
    sampled = True
    shortest = 1

    @abstractmethod
    def parameters(self) -> Mapping[str, object]:
        """Everything that its answers depend on."""

    @abstractmethod
    def add(self, reference: int, samples: np.ndarray) -> None:
        """Store a reference under its position; float32 (n,), 16 kHz, peak 1."""

    @abstractmethod
    def delete(self, reference: int) -> None:
        """Forget a reference."""

    @abstractmethod
    def query(
        self, samples: np.ndarray, windows: Mapping[int, np.ndarray]
    ) -> Mapping[int, Answers]:
        """Answer windows of a clip.

        Parameters
        ----------
        samples
            The transformed clip, float32 (n,), 16 kHz, peak 1.
        windows
            By length in seconds, which windows to query: int (w,), window k starts at
            k x 0.25 s.
        """

    @abstractmethod
    def stored_bits(self) -> int:
        """Bits of all stored hashes."""


def hashes_of(seconds: int) -> int:
    """Tell how many hashes a window of 1-6 s has: 1, 5, 9, 13, 17, 21."""
    return round((seconds - 1) / HOP) + 1


def window_count(samples: int, seconds: int) -> int:
    """Count the windows of a clip that has ``samples`` samples."""
    spare = samples - round((seconds + TAIL) * SAMPLE_RATE)
    return max(0, spare // round(HOP * SAMPLE_RATE) + 1)


def window_samples(samples: np.ndarray, window: int, seconds: int) -> np.ndarray:
    """Cut one window out of a clip, with the tail of its last frame."""
    first = round(window * HOP * SAMPLE_RATE)
    return samples[first : first + round((seconds + TAIL) * SAMPLE_RATE)]


def choose_windows(counts: Sequence[int], limit: int | None, seed: str) -> list[np.ndarray]:
    """Choose windows of several clips, int (w,) a clip.

    Without a limit every window is queried. With one, as many as possible of the clips
    have a window, and no clip has two more than another that has windows left.

    Parameters
    ----------
    counts
        Windows of each clip.
    limit
        Windows in all.
    seed
        The choice depends on it alone.
    """
    if limit is None or limit >= sum(counts):
        return [np.arange(count) for count in counts]
    rng = generator(seed)
    orders = [rng.permutation(count) for count in counts]
    turns = sorted(
        (turn, place, clip)
        for place, clip in enumerate(rng.permutation(len(counts)))
        for turn in range(counts[clip])
    )[:limit]
    taken = np.bincount([clip for _, _, clip in turns], minlength=len(counts))
    return [np.sort(order[:count]) for order, count in zip(orders, taken, strict=True)]


def left_out(references: int) -> np.ndarray:
    """Draw the half of the references that the open set leaves out of the store.

    Returns
    -------
    bool (references,); always the same for the same number.
    """
    out = np.zeros(references, bool)
    out[generator("left out").permutation(references)[: references // 2]] = True
    return out


def parse_granularities(text: str) -> list[int]:
    """Read ``1,2,3,6`` or ``1-6``.

    Raises
    ------
    BenchmarkError
        It holds anything but whole seconds from 1 to 6.
    """
    chosen: set[int] = set()
    try:
        for part in text.split(","):
            first, _, last = part.partition("-")
            chosen.update(range(int(first), int(last or first) + 1))
    except ValueError:
        chosen = set()
    if not chosen or not chosen <= set(GRANULARITIES):
        raise BenchmarkError(
            f"--granularity {text}: write whole seconds from 1 to 6, e.g. 1,2,3,6 or 1-6"
        )
    return sorted(chosen)
