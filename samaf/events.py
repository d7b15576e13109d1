"""What `samaf monitor` reports of streams: matches, gaps, and how they are doing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from samaf.records import Match


@dataclass(frozen=True, slots=True)
class StreamMatch:
    """A match in a stream, given when it has ended.

    Attributes
    ----------
    stream
        Name of the stream.
    match
        Its query times are seconds of received sound since the start of the stream.
    title
        What the sender said that it played, in the middle of the match.
    start_time, stop_time
        When its sound was received, UTC; none for a file.
    """

    stream: str
    match: Match
    title: str = ""
    start_time: datetime | None = None
    stop_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class StreamGap:
    """A time without sound between two connections, given when it is over.

    Attributes
    ----------
    at
        Seconds of sound received before it.
    seconds
        How long no sound was received.
    reason
        Why the connection ended.
    tries
        How many times it was connected until there was sound again.
    over
        Whether there was sound again, or the stream ended or was given up.
    start_time, stop_time
        When it began and ended, UTC.
    """

    stream: str
    at: float
    seconds: float
    reason: str
    tries: int
    over: bool
    start_time: datetime
    stop_time: datetime


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """How a stream is doing.

    Attributes
    ----------
    connected
        Whether sound is being received.
    seconds
        Sound received in all.
    matches, gaps
        How many there were.
    gap_seconds
        Time without sound in all, with a gap that is not over.
    lag
        Seconds that the search is behind the stream.
    """

    stream: str
    connected: bool
    seconds: float
    matches: int
    gaps: int
    gap_seconds: float
    lag: float
