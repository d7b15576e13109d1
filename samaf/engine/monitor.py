"""Streams that are followed for months: each is connected again when it breaks off."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import datetime, timedelta, timezone
from threading import Event

from samaf.audio import Source
from samaf.audio.live import WAKE_SECONDS, Stream, connect
from samaf.engine.blas import one_blas_thread
from samaf.engine.stream_listeners import StreamListener
from samaf.errors import AudioError, StreamError
from samaf.events import StreamGap, StreamMatch, StreamStatus
from samaf.index import Index
from samaf.matching.sections import later
from samaf.records import Match
from samaf.text import escaped

FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 60.0  # between two tries, twice as long each time
STATUS_SECONDS = 1.0  # between two reports of how a stream is doing
LATE_SECONDS = 10.0  # behind a stream from which it is said, and again at twice as much

_log = logging.getLogger(__name__)


def monitor(
    sources: Sequence[tuple[str, Source]],
    new_listener: Callable[[str], StreamListener],
    index: Callable[[], Index],
    *,
    retries: int | None,
    follow: bool,
    on_status: Callable[[StreamStatus], None],
    until: Event | None,
) -> Iterator[StreamMatch | StreamGap]:
    """Yield what happens in streams; see ``Engine.monitor``."""
    stop, wake = until or Event(), Event()
    with ExitStack() as stack, one_blas_thread():
        streams = [
            stack.enter_context(
                closing(FollowedStream(name, source, new_listener, retries, follow, stop, wake))
            )
            for name, source in sources
        ]
        while any(not stream.ended for stream in streams):
            wake.clear()
            idle = True
            for stream in streams:
                if not stream.ended:
                    events = stream.step(index)
                    idle = idle and stream.is_idle
                    yield from events
                if status := stream.new_status():
                    on_status(status)
            if idle:
                wake.wait(WAKE_SECONDS)
    for stream in streams:
        if stream.error:
            raise stream.error


class FollowedStream:
    """One stream over all its connections.

    Parameters
    ----------
    name
        Of the stream; where it is empty, its address is.

    Attributes
    ----------
    ended
        Whether the stream came to its end or was given up.
    error
        Why it was given up.
    is_idle
        Whether nothing had come at the last step.
    """

    def __init__(
        self,
        name: str,
        source: Source,
        new_listener: Callable[[str], StreamListener],
        retries: int | None,
        follow: bool,
        stop: Event,
        wake: Event,
    ) -> None:
        self.ended = self.is_idle = False
        self.error: AudioError | None = None
        self._source, self._follow = source, follow
        self._new_listener = new_listener
        self._retries, self._stop, self._wake = retries, stop, wake
        self._before = 0.0  # s of sound received over the connections before this one
        self._tries = 0  # in a row that gave no sound
        self._next_try = 0.0  # on the monotonic clock
        self._gap: tuple[float, str] | None = None  # since when, and why
        self._matches = self._gaps = 0
        self._gap_seconds = 0.0
        self._late = LATE_SECONDS
        self._reported = 0.0
        self._stream: Stream | None = self._connected()
        self.name = name or self._stream.name
        self._listener: StreamListener | None = None

    def close(self) -> None:
        """End the connection."""
        if self._stream:
            self._stream.close()

    def _connected(self) -> Stream:
        return connect(self._source, self._stop, follow=self._follow, wake=self._wake)

    def step(self, index: Callable[[], Index]) -> list[StreamMatch | StreamGap]:
        """Take what has come; give what happened."""
        self.is_idle = False
        stream = self._stream
        if stream is None:
            if self._stop.is_set():
                return self._finish()
            if time.monotonic() >= self._next_try:
                self._stream = self._connected()
            else:
                self.is_idle = True
            return []
        try:
            sounds = stream.poll()
        except AudioError as error:
            return self._broken(stream, index, error)
        if sounds is None:
            self.is_idle = True
            return self._broken(stream, index, None) if stream.ended else []
        events: list[StreamMatch | StreamGap] = []
        if self._listener is None:  # the first sound of this connection
            events += self._close_gap(stream.clock.monotonic(0.0), over=True)
            self._tries = 0
            self._listener = self._new_listener(self.name)
        events += self._matches_of(stream, self._listener.feed(sounds, index()))
        self._warn_of_lag(stream)
        return events

    def _broken(
        self, stream: Stream, index: Callable[[], Index], error: AudioError | None
    ) -> list[StreamMatch | StreamGap]:
        """Give what is still open; decide whether to connect again."""
        self.is_idle = False
        events: list[StreamMatch | StreamGap] = []
        if self._listener:
            events += self._matches_of(stream, self._listener.finish(index()))
        stream.close()
        self._before += stream.seconds
        self._stream = self._listener = None
        if self._stop.is_set():
            return [*events, *self._finish()]
        if not stream.network or (error is None and (stream.complete or self._retries == 0)):
            self.error = error
            return [*events, *self._finish()]
        reason = "the stream ended"
        if error:
            given = str(error).removeprefix(f"{stream.name}: ")
            reason = error.reason if isinstance(error, StreamError) else given
        if self._retries is not None and self._tries >= self._retries:
            self.error = error or AudioError(f"{stream.name}: {reason}; check the server")
            return [*events, *self._finish()]
        if self._gap is None:
            self._gap = (stream.clock.monotonic(stream.seconds), reason)
        wait = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0**self._tries)
        if wait < LONGEST_WAIT_SECONDS:  # later it would fill the log
            _log.warning("%s: %s; connecting again in %g s", escaped(self.name), reason, wait)
        self._tries += 1
        self._next_try = time.monotonic() + wait
        return events

    def _finish(self) -> list[StreamMatch | StreamGap]:
        self.ended = True
        return self._close_gap(time.monotonic(), over=False)

    def _close_gap(self, stop: float, *, over: bool) -> list[StreamMatch | StreamGap]:
        if self._gap is None:
            return []
        start, reason = self._gap
        seconds = max(0.0, stop - start)
        self._gap = None
        self._gaps += 1
        self._gap_seconds += seconds
        if over:
            _log.warning("%s: is back after %.0f s", escaped(self.name), seconds)
        began = _utc(start)
        times = began, began + timedelta(seconds=seconds)
        return [StreamGap(self.name, self._before, seconds, reason, self._tries, over, *times)]

    def _matches_of(self, stream: Stream, matches: Sequence[Match]) -> list[StreamMatch]:
        self._matches += len(matches)
        return [self._match(stream, match) for match in matches]

    def _match(self, stream: Stream, match: Match) -> StreamMatch:
        title = stream.title((match.query_start + match.query_stop) / 2)
        placed = later(match, self._before) if self._before else match
        if not stream.live:
            return StreamMatch(self.name, placed, title)
        times = [
            _utc(stream.clock.monotonic(each)) for each in (match.query_start, match.query_stop)
        ]
        return StreamMatch(self.name, placed, title, *times)

    def _warn_of_lag(self, stream: Stream) -> None:
        if stream.lag >= self._late:
            _log.warning(
                "%s: the search is %.0f s behind the stream; a smaller store, fewer streams or a "
                "faster machine keeps up",
                escaped(self.name),
                stream.lag,
            )
            self._late = 2 * stream.lag

    def new_status(self) -> StreamStatus | None:
        """Give how the stream is doing, once a second."""
        now = time.monotonic()
        if now - self._reported < STATUS_SECONDS and not self.ended:
            return None
        self._reported = now
        stream = self._stream
        return StreamStatus(
            self.name,
            connected=self._listener is not None,
            seconds=self._before + (stream.seconds if stream else 0.0),
            matches=self._matches,
            gaps=self._gaps,
            gap_seconds=self._gap_seconds + (now - self._gap[0] if self._gap else 0.0),
            lag=stream.lag if stream else 0.0,
        )


def _utc(monotonic: float) -> datetime:
    """Give the time of the wall clock, as it goes now, for one of the monotonic clock."""
    ago = time.monotonic() - monotonic
    return datetime.now(timezone.utc) - timedelta(seconds=ago)
