"""A decoded recording: peak-normalised samples, in chunks or all at once."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import IO

import numpy as np

from samaf.audio.decode import SAMPLE_RATE, Restart, Samples
from samaf.audio.sandbox import decode_apart
from samaf.audio.source import Identity, Source, opened, room_for, sha256
from samaf.errors import AudioError
from samaf.media import MediaInfo, joined

MEMORY_BYTES = 64 << 20  # 17 minutes of float32 at 16 kHz; longer audio waits on disk
CHUNK_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Audio:
    """Decoded audio, valid inside the ``with`` of :func:`read`.

    Attributes
    ----------
    name, path, sha256
        File name, where it was, and the identity of its bytes.
    sample_rate
        Hz.
    count
        Number of samples.
    peak
        Largest magnitude before normalisation; 0 for digital silence.
    media
        What was decoded, and what became of tracks and channels.
    sides
        Of a recording whose channels differ, such as a call with one speaker on each: the
        audio of each side, with the channels in its ``media.used_channels``. Empty for others.
        The samples of the recording itself are all channels mixed.
    """

    name: str
    path: str
    sha256: str
    sample_rate: int
    count: int
    peak: float
    media: MediaInfo
    _file: IO[bytes]
    sides: tuple[Audio, ...] = ()

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.count / self.sample_rate

    def chunks(self, seconds: float = CHUNK_SECONDS) -> Iterator[np.ndarray]:
        """Yield peak-normalised samples, float32 (n,), in order (SAMAF eq. 1)."""
        self._file.seek(0)
        gain = np.float32(1 / self.peak if self.peak else 1)
        while block := self._file.read(4 * int(seconds * self.sample_rate)):
            yield np.frombuffer(block, np.float32) * gain

    def part(self, first: int, count: int, *, normalised: bool = True) -> np.ndarray:
        """Give up to ``count`` samples from ``first`` on, float32 (n,).

        They are peak-normalised, or as they were decoded.
        """
        self._file.seek(4 * first)
        samples = np.frombuffer(self._file.read(4 * count), np.float32)
        return samples * np.float32(1 / self.peak) if normalised and self.peak else samples

    def side(self, channel: str) -> Audio:
        """Give the side with these channels, such as "2" or "1+3"; the mix for "".

        Raises
        ------
        AudioError
            There is no such side.
        """
        for side in self.sides:
            if joined(side.media.used_channels) == channel:
                return side
        if channel:
            raise AudioError(f"{self.path or self.name}: its channel {channel} is no longer apart")
        return self

    def samples(self) -> np.ndarray:
        """Give all of them at once, float32 (count,)."""
        return np.concatenate([np.empty(0, np.float32), *self.chunks()])


class _Spool:
    """The samples of one stream, in memory or on disk, until ``stack`` is closed."""

    def __init__(self, stack: ExitStack) -> None:
        self.file: IO[bytes] = tempfile.SpooledTemporaryFile(MEMORY_BYTES)  # noqa: SIM115
        stack.enter_context(self.file)
        self.count = 0
        self.peak = 0.0
        self._digest = hashlib.sha256()

    def write(self, samples: np.ndarray) -> None:
        """Append float32 (n,)."""
        self.file.write(samples.data)
        self.file.flush()  # here, where an error is reported, and not at the next seek
        self._digest.update(samples.data)
        self.count += len(samples)
        self.peak = max(self.peak, float(np.abs(samples).max(initial=0)))

    @property
    def digest(self) -> str:
        """SHA-256 of all samples."""
        return self._digest.hexdigest()


@contextmanager
def read(
    source: Source,
    sample_rate: int = SAMPLE_RATE,
    *,
    track: int | None = None,
    channel: int | str | None = None,
    identity: Identity | None = None,
    on_samples: Callable[[np.ndarray | None], None] = lambda _samples: None,
) -> Iterator[Audio]:
    """Decode a source and keep the samples: in memory, or on disk when long.

    Parameters
    ----------
    sample_rate
        Of the samples, in Hz.
    track
        Number of the sound track, from 1; by default the one that the file marks as default,
        or else the first, that holds sound.
    channel
        Number of the only channel to decode, from 1; "apart" to give each as a side; by default
        all are averaged, with sides where they differ.
    identity
        Of the file's bytes, where it is known; they are not hashed again unless they changed.
    on_samples
        Called with the mixed samples as they are decoded, float32 (n,), at their level in the
        file; with None where the file is decoded once more, and what came before does not count.

    Raises
    ------
    AudioError
        The source gives no usable audio, there is no such track or channel, or the temporary
        folder is full.
    """
    with opened(source) as file, ExitStack() as stack:
        name = file.path or file.name
        known = identity and identity.sha256_of(file.file)
        digest = known or sha256(file.file)
        spools: list[_Spool] = []
        media: MediaInfo | None = None
        for event in decode_apart(file, sample_rate, track=track, channel=channel):
            if isinstance(event, Samples):
                with room_for(f"{name}: decoded audio"):
                    spools[event.stream].write(event.samples)
                if not event.stream:
                    on_samples(event.samples)
            elif isinstance(event, Restart):
                for spool in spools:
                    spool.file.close()
                spools = [_Spool(stack) for _ in range(event.streams)]
                on_samples(None)
            else:
                media = event
        if media is None:
            raise AudioError(f"{name}: decoding ended early")

        def audio(spool: _Spool, info: MediaInfo, sides: tuple[Audio, ...] = ()) -> Audio:
            info = replace(info, samples=spool.count, samples_sha256=spool.digest)
            about = (file.name, file.path, digest, sample_rate, spool.count, spool.peak)
            return Audio(*about, info, spool.file, sides)

        sides = tuple(
            audio(spool, replace(media, mixing="chosen", used_channels=side, sides=()))
            for spool, side in zip(spools[1:], media.sides, strict=True)
        )
        yield audio(spools[0], media, sides)


def load(
    source: Source,
    sample_rate: int = SAMPLE_RATE,
    *,
    track: int | None = None,
    channel: int | str | None = None,
) -> np.ndarray:
    """Decode a whole source into memory: float32 (n,), mono, peak 1; see :func:`read`."""
    with read(source, sample_rate, track=track, channel=channel) as audio:
        return audio.samples()
