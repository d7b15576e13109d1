"""What recordings share: one time line, repeated segments, groups."""

from __future__ import annotations

from dataclasses import dataclass

from samaf.records.answers import Duplicate
from samaf.records.recordings import Recording


@dataclass(frozen=True, slots=True)
class Jump:
    """A moment at which a recording leaves the time line of its event.

    Attributes
    ----------
    at
        Seconds of the recording.
    seconds
        What is missing there; negative where something was put in.
    """

    at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class SyncedRecording:
    """Where a recording lies on the time line of an event that others recorded too.

    Attributes
    ----------
    group
        Recordings of one event have the same number, from 1 on; 0 where it goes with no other.
    offset
        Seconds from the start of the time line, where its earliest recording begins.
    drift_ppm
        How much faster its clock ran than that of the group's first recording, in millionths:
        the recording is longer by so much.
    offset_error, drift_error_ppm
        Half of the 95 % interval of both.
    residual
        Root mean square of the moments that were measured from the time line, in seconds.
    moments
        How many were measured.
    jumps
        Where it was paused or cut, in the order of time.
    reason
        Why it is in no group.
    """

    path: str
    sha256: str
    duration: float
    group: int = 0
    offset: float = 0.0
    drift_ppm: float = 0.0
    offset_error: float = 0.0
    drift_error_ppm: float = 0.0
    residual: float = 0.0
    moments: int = 0
    jumps: tuple[Jump, ...] = ()
    reason: str = ""

    @property
    def end(self) -> float:
        """Where it ends on the time line, in seconds."""
        return self.place(self.duration)

    def place(self, moment: float) -> float:
        """Give where a moment of it lies on the time line, both in seconds."""
        missing = sum(jump.seconds for jump in self.jumps if jump.at <= moment)
        return self.offset + missing + moment / (1 + self.drift_ppm * 1e-6)


@dataclass(frozen=True, slots=True)
class RepeatPlace:
    """One place of a piece that recurs: where in which recording, in seconds."""

    recording: Recording
    start: float
    stop: float


@dataclass(frozen=True, slots=True)
class RepeatCluster:
    """A piece that recurs, and all its places in the order of recordings and time.

    ``seconds`` is its usual length, the median of its places.
    """

    number: int
    seconds: float
    places: tuple[RepeatPlace, ...]


@dataclass(frozen=True, slots=True)
class RecordingGroup:
    """Recordings that share audio with each other, directly or through others of the group.

    Attributes
    ----------
    number
        From 1 on; groups with most recordings come first.
    recordings
        In the order of their ids.
    seconds
        Of each recording, what it shares with the one that it shares most with, in seconds,
        besides common pieces.
    """

    number: int
    recordings: tuple[Recording, ...]
    seconds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class RecordingGroups:
    """Groups of recordings, and the common pieces that joined none."""

    groups: tuple[RecordingGroup, ...]
    common: tuple[RepeatCluster, ...]


@dataclass(frozen=True, slots=True)
class Overlap:
    """What two collections share.

    Attributes
    ----------
    pairs
        The first recording of each is of the first collection, the second of the second.
    common
        Pieces that many recordings hold, such as a jingle: no overlap by themselves.
    compared
        Recordings of the first and of the second collection.
    passed_over
        Files that could not be compared, and why.
    """

    pairs: tuple[Duplicate, ...]
    common: tuple[RepeatCluster, ...]
    compared: tuple[int, int]
    passed_over: tuple[tuple[str, str], ...] = ()
