"""Streams whose channels differ: their sides are given once that has shown."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np

from samaf.audio.channels import Mix
from samaf.audio.resampling import Mixer, MonoStream
from samaf.audio.tracks import Pause
from samaf.media import joined

JUDGED_FRAMES = 100  # 10 s with sound, before channels of a stream are said to differ
KEPT_SECONDS = 30.0  # of the sides of a stream that are given from before that
KEPT_BYTES = 32 << 20  # at most, where there are many channels


class StreamMixer(Mixer):
    """Mixes a stream, and each side besides as soon as its channels differ by all that came.

    What came last before is given of the sides then. They stay apart until the end.
    """

    def __init__(self, sample_rate: int, name: str) -> None:
        super().__init__(sample_rate, name)
        self._rate, self._name = sample_rate, name
        self._kept: deque[tuple[np.ndarray, int]] = deque()
        self._before = 0.0  # s of sound before what is kept
        self.channels = [""]
        """Names of the streams: of the mix "", of sides such as "2" or "1+3"."""
        self.sides_start = 0
        """Where the sides begin, in samples."""

    def _mixed(self, batch: Any) -> Iterator[tuple[int, np.ndarray]]:
        if isinstance(batch, Pause):
            self._forget(0.0, 0)
            self._before += batch.seconds
        elif batch.layout.nb_channels == 1:
            self._forget(0.0, 0)
            self._before += batch.samples / batch.sample_rate
        yield from super()._mixed(batch)

    def _taken(self, samples: np.ndarray, rate: int) -> Iterator[tuple[int, np.ndarray]]:
        yield from super()._taken(samples, rate)
        if len(self.channels) == 1:
            self._kept.append((samples, rate))
            self._forget(KEPT_SECONDS, KEPT_BYTES)
            yield from self._judged(JUDGED_FRAMES)

    def _last(self) -> Iterator[tuple[int, np.ndarray]]:
        if len(self.channels) == 1:
            yield from self._judged(0)

    def _judged(self, least: int) -> Iterator[tuple[int, np.ndarray]]:
        """Give the sides from what is kept on where the channels differ."""
        statistics = self.statistics
        if not statistics or statistics.frames < least or not (sides := statistics.sides()):
            return
        self.channels += [_name(side) for side in sides]
        self.sides_start = round(self._before * self._rate)
        streams = [MonoStream(self._rate, self._name, high_pass=False) for _ in sides]
        for samples, rate in self._kept:
            for index, (side, stream) in enumerate(zip(sides, streams, strict=True), 1):
                mono = side.weights(len(samples)) @ samples
                yield from ((index, each) for each in stream.samples(mono, rate))
        self._kept.clear()
        self._mixes, self._streams = (*self._mixes, *sides), [*self._streams, *streams]

    def _forget(self, seconds: float, size: int) -> None:
        """Keep the last so many seconds and bytes at most."""
        lengths = [samples.shape[1] / rate for samples, rate in self._kept]
        total, used = sum(lengths), sum(samples.nbytes for samples, _ in self._kept)
        while self._kept and (total - lengths[0] >= seconds or used > size):
            samples, _ = self._kept.popleft()
            length = lengths.pop(0)
            self._before += length
            total, used = total - length, used - samples.nbytes


def _name(side: Mix) -> str:
    return joined(tuple(channel + 1 for channel in side.channels))
