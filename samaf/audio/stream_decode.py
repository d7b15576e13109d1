"""Decoding of what has no known end: damaged packets are passed over.

Times follow the sound that came, without pauses, from the start of the pictures on.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from samaf.audio.announced import announced_seconds
from samaf.audio.decode import SAMPLE_RATE, TRUNCATED_SECONDS
from samaf.audio.formats import open_bytes
from samaf.audio.stream_sides import StreamMixer
from samaf.audio.tracks import Packets, candidates, length_of, start_of, with_start
from samaf.errors import AudioError, StreamError

LATE_SECONDS = 3600.0  # by which sound may start after the picture of a stream
HEAD_BYTES = 1 << 16  # kept to see what length a header announces


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """A stretch of a stream: of the mix of its channels, or of a side.

    Attributes
    ----------
    samples
        float32 (n,), 16 kHz.
    channel
        Name of the side, such as "2" or "1+3"; "" for the mix.
    start
        Where it begins in the stream, in samples.
    """

    samples: np.ndarray
    channel: str = ""
    start: int = 0


class Pipe:
    """A pipe for FFmpeg: gives what is there at once, and keeps the first bytes."""

    def __init__(self, file: BinaryIO) -> None:
        # Unbuffered: a buffer would wait for more than a slow stream has sent.
        self._file = getattr(file, "raw", file)
        self.head = b""

    def read(self, size: int) -> bytes:
        """Read what has come, at most ``size`` bytes."""
        data: bytes = self._file.read(size) or b""
        if len(self.head) < HEAD_BYTES:
            self.head += data[: HEAD_BYTES - len(self.head)]
        return data


def decode_pipe(pipe: Pipe, name: str) -> Iterator[Sound]:
    """Yield the sound of what comes through a pipe; see `decode_stream`.

    Raises
    ------
    AudioError
        Besides: there is less than a header announces, as where a sender ended too soon.
    """
    decoded = 0
    seconds = 0.0

    def announced(container: Any, track: Any) -> None:
        nonlocal seconds
        seconds = announced_seconds(io.BytesIO(pipe.head), container, track)

    for sound in decode_stream(lambda: open_bytes(pipe, name), name, announced):
        decoded += 0 if sound.channel else len(sound.samples)
        yield sound
    if seconds - decoded / SAMPLE_RATE > TRUNCATED_SECONDS:
        raise AudioError(
            f"{name}: broke off after {decoded / SAMPLE_RATE:.1f} s, its header announces "
            f"{seconds:.1f} s; what was found until then stands"
        )


def decode_stream(
    open_container: Callable[[], Any],
    name: str,
    on_open: Callable[[Any, Any], None] = lambda _container, _track: None,
) -> Iterator[Sound]:
    """Yield sound as it comes: the mix, and the sides once the channels differ.

    Parameters
    ----------
    open_container
        Opens PyAV's container.
    on_open
        Called with it, and with its track of sound.

    Raises
    ------
    AudioError
        It cannot be opened, broke off, or there was no sound.
    """
    import av

    places = [0]  # of the next sample of each stream
    try:
        with open_container() as container:
            track = container.streams.audio[candidates(container, None, name)[0]]
            on_open(container, track)
            frames = with_start(
                Packets(container, track, damaged=True).frames(),
                start_of(container),
                length_of(container) or LATE_SECONDS,
            )
            mixer = StreamMixer(SAMPLE_RATE, name)
            for index, samples in mixer.mixed(frames):
                places += [mixer.sides_start] * (len(mixer.channels) - len(places))
                yield Sound(samples, mixer.channels[index], places[index])
                places[index] += len(samples)
    except (av.error.FFmpegError, OSError) as error:
        raise stream_error(name, places[0] / SAMPLE_RATE, error) from None
    if not places[0]:
        raise AudioError(f"{name}: no sound came; check what is sent")


def stream_error(name: str, seconds: float, error: Exception) -> StreamError:
    """Say why a stream ended, after so many seconds of sound."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    if type(error).__name__ == "ExitError":  # what PyAV raises when time is up
        reason = "nothing came in time"
    if seconds:
        text = f"broke off after {seconds:.1f} s ({reason}); what was found until then stands"
    elif name == "stdin":
        text = f"cannot be decoded as audio ({reason}); send wav, mp3 or ogg"
    else:
        text = f"cannot be listened to ({reason}); check the address and the server"
    return StreamError(f"{name}: {text}", reason)
