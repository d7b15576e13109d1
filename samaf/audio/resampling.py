"""From frames of any format and any number of channels to mono samples at one rate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from samaf.audio.channels import ALL, ChannelStatistics, Mix
from samaf.audio.highpass import HighPass
from samaf.audio.tracks import Pause
from samaf.errors import AudioError

BATCH_SECONDS = 1.0  # handled at once: a call for each frame of a codec costs more than it does


class Mixer:
    """Mixes frames into one or more streams of mono samples, and keeps the statistics.

    Parameters
    ----------
    mixes
        One for each stream; by default all channels are averaged.
    high_pass
        Take out what lies below speech.
    sample_rate
        Of the streams, in Hz.
    name
        Of the file, for messages.
    """

    def __init__(
        self, sample_rate: int, name: str, mixes: Sequence[Mix] = (ALL,), high_pass: bool = False
    ) -> None:
        self._mixes = mixes
        self._high_pass = high_pass
        self._streams = [MonoStream(sample_rate, name, high_pass) for _ in mixes]
        self._converter: _Converter | None = None
        self._statistics: dict[int, ChannelStatistics] = {}

    @property
    def statistics(self) -> ChannelStatistics | None:
        """Those of the channels that most of the sound has; none for mono."""
        return max(self._statistics.values(), key=lambda each: each.frames, default=None)

    def mixed(self, frames: Iterable[Any]) -> Iterator[tuple[int, np.ndarray]]:
        """Yield position of the stream and samples, float32 (n,), of frames and pauses.

        Their format may change midway. Where they break off, what came before is given first.
        """
        import av

        batched = _batched(frames)
        broken: Exception | None = None
        while True:
            try:
                batch = next(batched, None)
            except (av.error.FFmpegError, OSError) as error:
                broken, batch = error, None
            if batch is None:
                break
            yield from self._mixed(batch)
        yield from self._last()
        for index, stream in enumerate(self._streams):
            yield from ((index, samples) for samples in stream.rest())
        if broken:
            raise broken

    def _mixed(self, batch: Any) -> Iterator[tuple[int, np.ndarray]]:
        if isinstance(batch, Pause):
            for index, stream in enumerate(self._streams):
                yield from ((index, samples) for samples in stream.pause(batch))
            return
        if batch.layout.nb_channels == 1 and len(self._streams) == 1 and not self._high_pass:
            yield from ((0, samples) for samples in self._streams[0].frame(batch))
            return
        samples = self._channels(batch)
        count, rate = len(samples), batch.sample_rate
        if count > 1:
            statistics = self._statistics.setdefault(count, ChannelStatistics(count))
            statistics.add(samples, self._mixes[0].weights(count), rate)
        yield from self._taken(samples, rate)

    def _taken(self, samples: np.ndarray, rate: int) -> Iterator[tuple[int, np.ndarray]]:
        """Mix the samples of all channels, float32 (channels, n), for each stream."""
        for index, (mix, stream) in enumerate(zip(self._mixes, self._streams, strict=True)):
            mono = mix.weights(len(samples)) @ samples
            yield from ((index, each) for each in stream.samples(mono, rate))

    def _last(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield what the end of all frames decides."""
        yield from ()

    def _channels(self, frame: Any) -> np.ndarray:
        """Give the samples of a frame, float32 (channels, n), full scale 1."""
        if self._converter is None or not self._converter.fits(frame):
            self._converter = _Converter(frame)
        packed = self._converter.converted(frame).to_ndarray()
        return np.ascontiguousarray(packed.reshape(-1, frame.layout.nb_channels).T)


class _Converter:
    """Converts frames of one format to packed float32.

    Packed, since PyAV reads past the end of a frame of more than eight planes.
    """

    def __init__(self, frame: Any) -> None:
        import av

        self._setup = _setup(frame)
        self._resampler = av.AudioResampler("flt", frame.layout, frame.sample_rate)

    def fits(self, frame: Any) -> bool:
        """Whether it can convert this frame."""
        return _setup(frame) == self._setup

    def converted(self, frame: Any) -> Any:
        """Convert a frame whole."""
        frame.pts = None
        (converted,) = self._resampler.resample(frame)
        return converted


class MonoStream:
    """Mono samples of one mix on their way to their rate."""

    def __init__(self, sample_rate: int, name: str, high_pass: bool) -> None:
        self._sample_rate = sample_rate
        self._name = name
        self._high_pass = HighPass() if high_pass else None
        self._resampler: Any = None
        self._setup: tuple[str, str, int] | None = None

    def frame(self, frame: Any) -> Iterator[np.ndarray]:
        """Take a mono frame of any format; yield what is ready, float32 (n,)."""
        import av

        setup = _setup(frame)
        if setup != self._setup:
            yield from self._flushed()
            # One frame a second out: fewer and larger arrays.
            self._resampler = av.AudioResampler(
                "flt", "mono", self._sample_rate, frame_size=self._sample_rate
            )
            self._setup = setup
        frame.pts = None
        for each in self._resampler.resample(frame):
            yield _finite_samples(each, self._name)

    def samples(self, samples: np.ndarray, rate: int) -> Iterator[np.ndarray]:
        """Take samples, float32 (n,), at a rate."""
        if self._high_pass:
            for passed, of_rate in self._high_pass.filtered(samples, rate):
                yield from self._plain(passed, of_rate)
        else:
            yield from self._plain(samples, rate)

    def pause(self, pause: Pause) -> Iterator[np.ndarray]:
        """Take a pause, which no filter smears."""
        yield from self._passed_rest()
        rate = pause.sample_rate
        for start in range(0, count := round(pause.seconds * rate), rate):
            yield from self._plain(np.zeros(min(rate, count - start), np.float32), rate)

    def rest(self) -> Iterator[np.ndarray]:
        """Yield all that is still to come."""
        yield from self._passed_rest()
        yield from self._flushed()

    def _passed_rest(self) -> Iterator[np.ndarray]:
        if self._high_pass:
            for passed, rate in self._high_pass.rest():
                yield from self._plain(passed, rate)

    def _plain(self, samples: np.ndarray, rate: int) -> Iterator[np.ndarray]:
        import av

        if not len(samples):
            return
        frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
        frame.sample_rate = rate
        yield from self.frame(frame)

    def _flushed(self) -> Iterator[np.ndarray]:
        for each in self._resampler.resample(None) if self._resampler else ():
            yield _finite_samples(each, self._name)
        self._resampler = self._setup = None


def _setup(frame: Any) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate


def _batched(frames: Iterable[Any]) -> Iterator[Any]:
    """Yield fewer and larger frames, and pauses as they come.

    Where frames break off, what came before is given first.
    """
    import av

    fifo: Any = None
    setup: tuple[Any, ...] | None = None
    broken: Exception | None = None
    source = iter(frames)
    while True:
        try:
            frame = next(source, None)
        except (av.error.FFmpegError, OSError) as error:
            broken, frame = error, None
        present = None
        if frame is not None and not isinstance(frame, Pause):
            present = (frame.format.name, frame.layout.nb_channels, frame.sample_rate)
        if present != setup:
            if fifo and (rest := fifo.read(0, partial=True)):
                yield rest
            fifo = av.AudioFifo() if present else None
            setup = present
        if frame is None:
            break
        if isinstance(frame, Pause):
            yield frame
            continue
        frame.pts = None
        fifo.write(frame)
        size = max(1, round(frame.sample_rate * BATCH_SECONDS))
        while fifo.samples >= size:
            yield fifo.read(size)
    if broken:
        raise broken


def _finite_samples(frame: Any, name: str) -> np.ndarray:
    """Take the samples out of a frame, float32 (n,); `AudioError` when some are no numbers."""
    samples: np.ndarray = frame.to_ndarray().reshape(-1)
    if not np.isfinite(samples).all():
        raise AudioError(
            f"{name}: holds samples that are not finite numbers; export it again as 16-bit wav"
        )
    return samples
