"""Sound as it comes: standard input, a network stream or a file, in constant memory.

A thread of its own reads, so that a slow search does not make a sender wait or lose packets at
once. What it has read waits in a queue of bounded length; when that is full, the thread waits,
and with it whoever writes into the pipe or the connection.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from samaf.audio import incoming
from samaf.audio.decode import SAMPLE_RATE
from samaf.audio.incoming import Incoming
from samaf.audio.source import Source
from samaf.audio.stream_decode import Sound
from samaf.errors import StreamError

WAITING_PARTS = 200  # of about 0.3 s that may wait in memory: a minute, 4 MB
WAKE_SECONDS = 0.2  # after which a wait looks whether it is still wanted
LAST_SECONDS = 1.0  # at most, to take what is on its way when listening is to end
TITLES_KEPT = 100
EARLIEST_SECONDS = 60.0  # over which the earliest receipt is looked for


class ReceiptClock:
    """When each second of a stream was received.

    Sound comes in bursts and late, never early, so the earliest of the last one or two minutes
    says when the rest was played. That follows a sender whose clock runs at another rate, too.
    """

    def __init__(self) -> None:
        self._started = 0.0
        self._last: float | None = None  # earliest receipt minus place, of the minute before
        self._now: float | None = None  # and of this one

    def received(self, seconds: float, at: float) -> None:
        """Note that the stream up to ``seconds`` has come by ``at``, on the monotonic clock."""
        if self._now is None or at - self._started > EARLIEST_SECONDS:
            self._last, self._now, self._started = self._now, at - seconds, at
        self._now = min(self._now, at - seconds)

    def monotonic(self, seconds: float) -> float:
        """Give when this second came, on the monotonic clock; now where nothing came."""
        known = [offset for offset in (self._last, self._now) if offset is not None]
        return min(known) + seconds if known else time.monotonic()


class Stream:
    """Sound that is being listened to; made by :func:`listen`.

    Attributes
    ----------
    name
        What is listened to, without user names and passwords.
    network
        Whether it comes from a network.
    live
        Whether it may come as it is played, not from a file.
    clock
        When its sound was received.
    ended
        Whether all of it was taken.
    """

    def __init__(
        self,
        source: Incoming,
        until: threading.Event | None = None,
        wake: threading.Event | None = None,
    ) -> None:
        self.name, self.network, self.live = source.name, source.network, source.live
        self.clock = ReceiptClock()
        self.ended = False
        self._source = source
        self._until = until or threading.Event()
        self._wake = wake or threading.Event()
        self._waiting: queue.Queue[Sound | Exception | None] = queue.Queue(WAITING_PARTS)
        self._closed = threading.Event()
        self._taken = 0
        self._last: tuple[Exception | None] | None = None  # how it ended, once that is known
        self._titles: deque[tuple[float, str]] = deque(maxlen=TITLES_KEPT)
        self._empty_since: float | None = None
        self._stopped: float | None = None  # since when listening is to end
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
        passed, received = time.monotonic() - since, (self._taken - taken) / SAMPLE_RATE
        return max(0.0, passed - received) if self.network else 0.0

    @property
    def complete(self) -> bool:
        """Whether the sound came to its end, as a file does and a live stream never."""
        return self.ended and self._source.complete

    def title(self, seconds: float) -> str:
        """Give what the sender said that it played when this second came."""
        titles = [title for since, title in self._titles if since <= seconds]
        return titles[-1] if titles else ""

    def poll(self) -> list[Sound] | None:
        """Take the sound that has come, of the mix and of sides; none where nothing has.

        Raises
        ------
        AudioError
            There is no sound, or it broke off. All samples before have been given by then.
        """
        idle = self._waiting.empty()
        parts: list[Sound] = []
        while self._last is None and len(parts) < WAITING_PARTS:
            try:
                part = self._waiting.get_nowait()
            except queue.Empty:
                break
            if isinstance(part, Sound):
                parts.append(part)
            else:
                self._last = (part,)
        now = time.monotonic()
        if idle:
            self._level = (now, self._taken)
        if self._until.is_set():
            self._stopped = self._stopped or now
            if now - self._stopped > LAST_SECONDS and self._last is None:
                self._last = (None,)
        if parts:
            self._empty_since = None
            self._taken += sum(len(part.samples) for part in parts if not part.channel)
            return parts
        self._empty_since = self._empty_since or now
        quiet = now - max(self._empty_since, self._stopped or now)
        if self._last or quiet > WAKE_SECONDS:
            self.ended = True
            if self._last and self._last[0]:
                raise self._last[0]
            return None
        if self.network and now - self._empty_since > incoming.ANSWER_SECONDS:
            self.ended = True
            reason = f"no sound came for {incoming.ANSWER_SECONDS:g} s"
            raise StreamError(f"{self.name}: {reason}; check what is sent", reason)
        return None

    def chunks(self) -> Iterator[np.ndarray]:
        """Yield the samples of the mix, float32 (n,), until the stream ends, as they come.

        Raises
        ------
        AudioError
            See `poll`.
        """
        while not self.ended:
            self._wake.clear()
            parts = self.poll()
            if parts is not None:
                if mixed := [part.samples for part in parts if not part.channel]:
                    yield np.concatenate(mixed)
            elif not self.ended:
                self._wake.wait(WAKE_SECONDS)

    def fill(self) -> None:
        """Put the samples into the queue until they end or nobody listens any more."""
        try:
            for part in self._source.sounds():
                if not part.channel:
                    self._received(part.start, len(part.samples))
                if not self._put(part):
                    return
            self._put(None)
        except Exception as error:  # whoever takes the sound would wait for its end for ever
            self._put(error)

    def _received(self, first: int, count: int) -> None:
        """Note when and under which title so many samples came, from ``first`` on."""
        self.clock.received((first + count) / SAMPLE_RATE, time.monotonic())
        start = first / SAMPLE_RATE
        title = self._source.title(start)
        if title != (self._titles[-1][1] if self._titles else ""):
            self._titles.append((start, title))

    def _put(self, part: Sound | Exception | None) -> bool:
        while not self._closed.is_set():
            try:
                self._waiting.put(part, timeout=WAKE_SECONDS)
            except queue.Full:
                continue
            self._wake.set()
            return True
        return False

    def close(self) -> None:
        """Let the reading thread end."""
        self._closed.set()
        self._source.abandon()


def connect(
    source: Source,
    until: threading.Event | None = None,
    *,
    follow: bool = False,
    wake: threading.Event | None = None,
) -> Stream:
    """Begin to listen; see `listen`. Close the stream at last.

    Parameters
    ----------
    wake
        Set when something has come, for whoever listens to several streams.
    """
    stream = Stream(incoming.incoming(source, follow), until, wake)
    # A daemon: nothing can wake it from a read that gets no data.
    threading.Thread(target=stream.fill, daemon=True).start()
    return stream


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
        Go to other servers where the one of the URL leads there: by a redirection, or by a
        playlist.

    Raises
    ------
    AudioError
        The URL names no server. What else goes wrong is raised by ``Stream.chunks``.
    """
    stream = connect(source, until, follow=follow)
    try:
        yield stream
    finally:
        stream.close()
