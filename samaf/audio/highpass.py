"""What lies below speech, an offset or rumble: how much of it there is, and without it.

The level of a recording is set by its peak, and its lowest band takes in all from 0 Hz on, so
an inaudible offset hides the speech. Ordinary recordings have next to none of it, and
are left as they are, to the bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

CORNER_HZ = 30  # speech starts at about 75 Hz, where the phase should stay what it is
POLES = 2
STAGES = 2  # of filters one after the other
SETTLING_SECONDS = 0.2  # after which nothing is left of the filter's start
MEAN_SECONDS = 0.02  # means over it keep what lies below some 20 Hz
SIGNIFICANT_SHARE = 0.05  # of the power; ordinary recordings have less than 0.01


class LowPower:
    """Measures the share of power below speech, block by block."""

    def __init__(self, sample_rate: int) -> None:
        self._length = max(1, round(sample_rate * MEAN_SECONDS))
        self._low = 0.0
        self._all = 0.0

    def add(self, samples: np.ndarray) -> None:
        """Take float32 (n,)."""
        count = len(samples) // self._length
        if count:
            means = samples[: count * self._length].reshape(count, self._length).mean(axis=1)
            self._low += float(means @ means) * self._length
            self._all += float(samples @ samples)

    @property
    def is_significant(self) -> bool:
        """Whether so much lies below speech that it has to be taken out."""
        return self._low > SIGNIFICANT_SHARE * self._all


class HighPass:
    """A Butterworth filter that starts without a click."""

    def __init__(self) -> None:
        self._graph: Any = None
        self._rate = 0
        self._waiting: list[np.ndarray] = []  # until there is enough to settle the filter with

    def filtered(self, samples: np.ndarray, rate: int) -> Iterator[tuple[np.ndarray, int]]:
        """Yield samples, float32 (n,), and their rate, as far as they are ready."""
        if rate != self._rate:
            yield from self.rest()
            self._rate = rate
        if self._graph:
            yield self._pass(samples), rate
            return
        self._waiting.append(samples)
        if sum(map(len, self._waiting)) > SETTLING_SECONDS * rate:
            yield self._start(), rate

    def rest(self) -> Iterator[tuple[np.ndarray, int]]:
        """Yield what is left; what comes next starts again."""
        if self._waiting:
            yield self._start(), self._rate
        self._graph, self._rate = None, 0

    def _start(self) -> np.ndarray:
        """Filter what has waited; before it runs its mirror image, turned about the first value."""
        import av.filter

        first = np.concatenate(self._waiting)
        self._waiting = []
        settling = int(SETTLING_SECONDS * self._rate)
        mirrored = (2 * first[0] - first[1 : settling + 1][::-1]).astype(np.float32)
        graph = av.filter.Graph()
        chain = [
            graph.add(
                "abuffer", sample_rate=str(self._rate), sample_fmt="flt", channel_layout="mono"
            )
        ]
        for _ in range(STAGES):
            chain.append(graph.add("highpass", f=str(CORNER_HZ), poles=str(POLES), r="f64"))
        chain.append(graph.add("abuffersink"))
        for one, next_one in zip(chain, chain[1:], strict=False):
            one.link_to(next_one)
        graph.configure()
        self._graph = graph
        return self._pass(np.concatenate([mirrored, first]))[len(mirrored) :]

    def _pass(self, samples: np.ndarray) -> np.ndarray:
        import av

        frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
        frame.sample_rate = self._rate
        frame.pts = None
        self._graph.push(frame)
        passed = []
        while True:
            try:
                passed.append(self._graph.pull().to_ndarray().reshape(-1))
            except (av.error.BlockingIOError, EOFError):
                break
        return np.concatenate([np.empty(0), *passed]).astype(np.float32)
