"""Sound as it comes: standard input, a network stream or a file, in constant memory.

A thread of its own reads and decodes, so that a slow search does not make a sender wait or
lose packets at once. What it has read waits in a queue of bounded length; when that is full,
the thread waits, and with it whoever writes into the pipe or the connection.
"""

from __future__ import annotations

import io
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import numpy as np

from samaf.audio.announced import announced_seconds
from samaf.audio.decode import SAMPLE_RATE, TRUNCATED_SECONDS, Restart, Samples
from samaf.audio.formats import PROTOCOLS, is_playlist, open_bytes, open_playlist, open_stream
from samaf.audio.http import SCHEMES, Http, HttpFile
from samaf.audio.resampling import Mixer
from samaf.audio.sandbox import decode_apart
from samaf.audio.source import STDIN, Source, opened
from samaf.audio.tracks import Packets, candidates, length_of, start_of, with_start
from samaf.errors import AudioError
from samaf.text import printable

WAITING_SECONDS = 60  # of sound that may wait in memory: 4 MB
ANSWER_SECONDS = 30.0  # a server may take to answer, and a stream to go on
WAKE_SECONDS = 0.2  # after which a wait looks whether it is still wanted
LATE_SECONDS = 3600.0  # by which sound may start after the picture of a stream
HEAD_BYTES = 1 << 16  # of standard input, kept to see what length its header announces


class Stream:
    """Sound that is being listened to; made by :func:`listen`.

    Attributes
    ----------
    name
        What is listened to, without user names and passwords.
    """

    def __init__(self, name: str, network: bool, until: threading.Event) -> None:
        self.name = name
        self._until = until
        self._network = network
        self._waiting: queue.Queue[np.ndarray | Exception | None] = queue.Queue(WAITING_SECONDS)
        self._closed = threading.Event()
        self._taken = 0
        # When the reader last had nothing left to do, and how much it had taken by then.
        self._level = (time.monotonic(), 0)

    @property
    def seconds(self) -> float:
        """Sound taken so far."""
        return self._taken / SAMPLE_RATE

    @property
    def lag(self) -> float:
        """Seconds that whoever takes the sound is behind a network stream; 0 for others."""
        since, taken = self._level
        passed, heard = time.monotonic() - since, (self._taken - taken) / SAMPLE_RATE
        return max(0.0, passed - heard) if self._network else 0.0

    def chunks(self) -> Iterator[np.ndarray]:
        """Yield the samples, float32 (n,), 16 kHz mono: each time all that has come since.

        Raises
        ------
        AudioError
            There is no sound, or it broke off. All samples before have been given by then.
        """
        end: Exception | None = None
        ended = False
        while not ended:
            ended = self._until.is_set()  # what is waiting is still given then
            idle = self._waiting.empty()
            parts: list[np.ndarray] = []
            while len(parts) < WAITING_SECONDS:
                try:
                    part = self._waiting.get(timeout=0 if parts or ended else WAKE_SECONDS)
                except queue.Empty:
                    break
                if not isinstance(part, np.ndarray):
                    end, ended = part, True
                    break
                parts.append(part)
            if idle:
                self._level = (time.monotonic(), self._taken)
            if parts:
                samples = np.concatenate(parts)
                self._taken += len(samples)
                yield samples
        if end:
            raise end

    def fill(self, samples: Iterator[np.ndarray]) -> None:
        """Put samples into the queue until they end or nobody listens any more."""
        try:
            for part in samples:
                if not self._put(part):
                    return
            self._put(None)
        except Exception as error:  # whoever takes the sound would wait for its end for ever
            self._put(error)

    def _put(self, part: np.ndarray | Exception | None) -> bool:
        while not self._closed.is_set():
            try:
                self._waiting.put(part, timeout=WAKE_SECONDS)
                return True
            except queue.Full:
                continue
        return False

    def close(self) -> None:
        """Let the reading thread end."""
        self._closed.set()


@contextmanager
def listen(
    source: Source, until: threading.Event | None = None, *, follow: bool = False
) -> Iterator[Stream]:
    """Listen to a file, to standard input ("-") or to a URL.

    Parameters
    ----------
    until
        When it is set, the stream ends.
    follow
        Go to other servers where the one that was named leads there: by a redirection, or by
        a playlist.

    Raises
    ------
    AudioError
        The URL names no server. What else goes wrong is raised by ``Stream.chunks``.
    """
    network = isinstance(source, str) and "://" in source
    if network:
        name = _address(str(source))
        samples = _url(str(source), name, follow)
    elif source == STDIN:
        name, samples = "stdin", _standard_input()
    else:
        name, samples = _file_name(source), _file(source)
    stream = Stream(name, network, until or threading.Event())
    # A daemon: nothing can wake it from a read that gets no data.
    threading.Thread(target=stream.fill, args=(samples,), daemon=True).start()
    try:
        yield stream
    finally:
        stream.close()


def _file_name(source: Source) -> str:
    return "stream" if isinstance(source, bytes) or hasattr(source, "read") else printable(source)


def _address(url: str) -> str:
    """Give a URL without the user's name and password; refuse one that names no server."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError as error:
        raise AudioError(f"{printable(url)}: is no URL ({error}); check the address") from None
    if parts.scheme not in (*SCHEMES, *PROTOCOLS):
        known = ", ".join((*SCHEMES, *PROTOCOLS))
        raise AudioError(f"{printable(url)}: {parts.scheme}: Protocol not found; there are {known}")
    if not host and parts.scheme != "file":
        raise AudioError(f"{printable(url)}: names no server; write {parts.scheme}://SERVER/PATH")
    return printable(parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl())


def _file(source: Source) -> Iterator[np.ndarray]:
    """Give the samples of a file as `read` does: what comes before a restart does not count."""
    with opened(source) as file:
        settled = 0
        for event in decode_apart(file):
            settled += isinstance(event, Restart)
        for event in decode_apart(file):
            settled -= isinstance(event, Restart)
            if not settled and isinstance(event, Samples) and not event.stream:
                yield event.samples


class _Pipe:
    """Standard input for FFmpeg: gives what is there at once, and keeps the first bytes."""

    def __init__(self, file: BinaryIO) -> None:
        # Unbuffered: a buffer would wait for more than a slow stream has sent.
        self._file = getattr(file, "raw", file)
        self.head = b""

    def read(self, size: int) -> bytes:
        data: bytes = self._file.read(size) or b""
        if len(self.head) < HEAD_BYTES:
            self.head += data[: HEAD_BYTES - len(self.head)]
        return data


def _standard_input() -> Iterator[np.ndarray]:
    pipe = _Pipe(sys.stdin.buffer)
    return _live(lambda: open_bytes(pipe, "stdin"), "stdin", pipe)


def _url(url: str, name: str, follow: bool) -> Iterator[np.ndarray]:
    if urlsplit(url).scheme not in SCHEMES:
        yield from _live(lambda: open_stream(url, ANSWER_SECONDS), name)
        return
    http = Http(url, ANSWER_SECONDS, follow)
    files: list[HttpFile] = []

    def fetched() -> Any:
        file = http.file(url)
        files.append(file)
        if is_playlist(file.peek(64)):
            return open_playlist(file, http.open_part)
        return open_bytes(file, name)

    yield from _live(fetched, name, broken=lambda: any(file.broken for file in files))


def _live(
    open_container: Callable[[], Any],
    name: str,
    pipe: _Pipe | None = None,
    broken: Callable[[], bool] = lambda: False,
) -> Iterator[np.ndarray]:
    """Decode what has no known end; damaged packets are passed over.

    Times follow the sound that came, without pauses, from the start of the pictures on.
    """
    import av

    decoded = 0
    try:
        with open_container() as container:
            track = container.streams.audio[candidates(container, None, name)[0]]
            announced = 0.0
            if pipe:
                announced = announced_seconds(io.BytesIO(pipe.head), container, track)
            frames = with_start(
                Packets(container, track, damaged=True).frames(),
                start_of(container),
                length_of(container) or LATE_SECONDS,
            )
            for _, samples in Mixer(SAMPLE_RATE, name).mixed(frames):
                decoded += len(samples)
                yield samples
    except (av.error.FFmpegError, OSError) as error:
        raise _fault(name, decoded / SAMPLE_RATE, error) from None
    heard = decoded / SAMPLE_RATE
    if broken():
        raise _fault(name, heard, ConnectionError("the connection ended early"))
    if not decoded:
        raise AudioError(f"{name}: no sound came; check what is sent")
    if announced - heard > TRUNCATED_SECONDS:
        raise AudioError(
            f"{name}: broke off after {heard:.1f} s, its header announces {announced:.1f} s; "
            "what was found until then stands"
        )


def _fault(name: str, seconds: float, error: Exception) -> AudioError:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    if type(error).__name__ == "ExitError":  # what PyAV raises when time is up
        reason = f"nothing came for {ANSWER_SECONDS:.0f} s"
    if seconds:
        return AudioError(
            f"{name}: broke off after {seconds:.1f} s ({reason}); what was found until then stands"
        )
    if name == "stdin":
        return AudioError(f"{name}: cannot be decoded as audio ({reason}); send wav, mp3 or ogg")
    return AudioError(f"{name}: cannot be listened to ({reason}); check the address and the server")
