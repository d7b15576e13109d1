"""Where the sound of a stream comes from: a file, standard input, a web server, FFmpeg's own.

What comes over standard input or HTTP is decoded in a limited process (`samaf.audio.sandbox`),
which sees bytes only. Other protocols are FFmpeg's own, so they are decoded in this process.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Protocol
from urllib.parse import urlsplit

from samaf.audio.decode import SAMPLE_RATE, Restart, Samples
from samaf.audio.formats import PROTOCOLS, is_playlist, open_stream
from samaf.audio.hls import HlsFile
from samaf.audio.http import SCHEMES, Http, HttpFile
from samaf.audio.sandbox import decode_apart, decode_bytes_apart
from samaf.audio.source import STDIN, Opened, Source, opened
from samaf.audio.stream_decode import Pipe, Sound, decode_stream, stream_error
from samaf.errors import AudioError
from samaf.media import MediaInfo, joined
from samaf.text import printable

ANSWER_SECONDS = 30.0  # a server may take to answer, and a stream to go on


class Incoming(Protocol):
    """Sound that comes in.

    Attributes
    ----------
    name
        Where from, without user names and passwords.
    network
        Whether from a network, where it may break off and come again.
    live
        Whether it may come as it is played, not from a file.
    complete
        Whether the sound has come to its end; a live stream never does.
    """

    name: str
    network: bool
    live: bool

    def title(self, seconds: float) -> str:
        """Give what the sender says that it plays at a second; empty where it says nothing."""
        ...

    @property
    def complete(self) -> bool:
        """See the class."""
        ...

    def sounds(self) -> Iterator[Sound]:
        """Yield the sound: of the mix, and of sides; `AudioError` where it breaks off."""
        ...

    def abandon(self) -> None:
        """Let another thread's wait for samples end."""
        ...


def incoming(source: Source, follow: bool) -> Incoming:
    """Tell what kind of stream a source is; nothing is opened yet.

    Raises
    ------
    AudioError
        A URL names no server.
    """
    if isinstance(source, str) and "://" in source:
        name = _address(source)
        if urlsplit(source).scheme in SCHEMES:
            return _Web(source, name, follow)
        return _Protocol(source, name)
    return _Stdin() if source == STDIN else _File(source)


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


class _Unstoppable:
    """A stream without titles, whose wait for samples ends by itself."""

    def title(self, seconds: float) -> str:
        """Give none."""
        return ""

    def abandon(self) -> None:
        """Leave it to itself."""


class _File(_Unstoppable):
    """A file, decoded as `read` does: what comes before a restart does not count."""

    network = live = False
    complete = True

    def __init__(self, source: Source) -> None:
        is_open = isinstance(source, bytes) or hasattr(source, "read")
        self.name = "stream" if is_open else printable(source)  # type: ignore[arg-type]
        self._source = source

    def sounds(self) -> Iterator[Sound]:
        with opened(self._source) as file:
            yield from _of_file(file)


def _of_file(file: Opened) -> Iterator[Sound]:
    settled = 0
    channels = [""]
    for event in decode_apart(file):
        settled += isinstance(event, Restart)
        if isinstance(event, MediaInfo):
            channels += map(joined, event.sides)
    places = [0] * len(channels)  # of the next sample of each stream
    for event in decode_apart(file):
        settled -= isinstance(event, Restart)
        if not settled and isinstance(event, Samples):
            yield Sound(event.samples, channels[event.stream], places[event.stream])
            places[event.stream] += len(event.samples)


class _Stdin(_Unstoppable):
    """Standard input."""

    name = "stdin"
    network, live = False, True
    complete = True

    def sounds(self) -> Iterator[Sound]:
        yield from decode_bytes_apart(_StdinBytes(sys.stdin.buffer), self.name)


class _StdinBytes(Pipe):
    """The bytes of standard input, which stays open."""

    def abandon(self) -> None:
        """Nothing wakes a read of standard input."""

    def close(self) -> None:
        """Leave it open."""


class _Protocol(_Unstoppable):
    """A URL that FFmpeg opens itself."""

    def __init__(self, url: str, name: str) -> None:
        self._url, self.name = url, name
        self.complete = url.startswith("file:")
        self.network = self.live = not self.complete

    def sounds(self) -> Iterator[Sound]:
        yield from decode_stream(lambda: open_stream(self._url, ANSWER_SECONDS), self.name)


class _Web:
    """What a web server sends: a stream, a playlist, or a file."""

    network = live = True

    def __init__(self, url: str, name: str, follow: bool) -> None:
        self._url, self.name = url, name
        self._http = Http(url, ANSWER_SECONDS, follow)
        self._bytes: HttpFile | HlsFile | None = None

    def title(self, seconds: float) -> str:
        return self._bytes.title(seconds) if self._bytes else ""

    @property
    def complete(self) -> bool:
        return bool(self._bytes and self._bytes.complete)

    def abandon(self) -> None:
        if self._bytes:
            self._bytes.abandon()

    def sounds(self) -> Iterator[Sound]:
        seconds = 0.0
        try:
            file = self._http.file(self._url)
            head = file.peek(64)
            if head[4:8] == b"ftyp" and file.has_length:
                yield from self._spooled(file)
                return
            self._bytes = HlsFile(self._http, file) if is_playlist(head) else file
            for sound in decode_bytes_apart(self._bytes, self.name):
                seconds += 0 if sound.channel else len(sound.samples) / SAMPLE_RATE
                yield sound
            if fault := self._fault:
                raise ConnectionError(fault)
        except OSError as error:
            raise stream_error(self.name, seconds, error) from None
        except AudioError:
            if fault := self._fault:  # which says more than what it means to a decoder
                raise stream_error(self.name, seconds, ConnectionError(fault)) from None
            raise

    @property
    def _fault(self) -> str:
        return self._bytes.fault if isinstance(self._bytes, HttpFile) else ""

    def _spooled(self, file: HttpFile) -> Iterator[Sound]:
        """Fetch a file first whose table of contents may stand at its end."""
        self._bytes = file
        try:
            with opened(file) as spooled:  # type: ignore[arg-type]
                if file.fault:
                    raise ConnectionError(file.fault)
                yield from _of_file(spooled)
        finally:
            file.close()
