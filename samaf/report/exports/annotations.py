"""Matches as labels along a file: what any label format needs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePath
from typing import Protocol

from samaf.errors import QueryError
from samaf.records import (
    Comparison,
    CopiesResult,
    Duplicate,
    QueryResult,
    RankingResult,
    Recording,
    RepeatCluster,
    SyncedRecording,
)
from samaf.report.pages.words import moment
from samaf.report.record import Examination

LEAST_S = 0.001  # of a label: formats have no points
NAME = 60  # characters of a file's name in that of a file made for it
UNSAFE = re.compile(r"[^\w.-]+", re.ASCII)


class _Recording(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def duration(self) -> float: ...


class Placed(Protocol):
    """A stretch of a clip and where it lies: a `samaf.records.Match` or one of a report."""

    @property
    def recording(self) -> _Recording: ...
    @property
    def query_start(self) -> float: ...
    @property
    def query_stop(self) -> float: ...
    @property
    def reference_start(self) -> float: ...
    @property
    def reference_stop(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Label:
    """A stretch of a file, in seconds, and its text; ``tier`` is what belongs together."""

    start: float
    stop: float
    text: str
    tier: str


@dataclass(frozen=True, slots=True)
class Annotated:
    """A file with labels in the order of their starts.

    Attributes
    ----------
    name
        File name without folders.
    duration
        Seconds; at least up to the last label.
    """

    name: str
    duration: float
    labels: tuple[Label, ...]


def annotated(path: str, duration: float, labels: Iterable[Label]) -> Annotated:
    """Label a file; labels get at least a millisecond."""
    ordered = sorted(
        (Label(x.start, max(x.stop, x.start + LEAST_S), x.text, x.tier) for x in labels),
        key=lambda label: (label.start, label.stop, label.tier),
    )
    end = max([duration, *(label.stop for label in ordered)])
    return Annotated(PurePath(path).name or path, end, tuple(ordered))


def matched(result: QueryResult | RankingResult) -> QueryResult:
    """Give an answer with matches; `QueryError` for a ranking, which says no places."""
    if isinstance(result, QueryResult):
        return result
    raise QueryError(
        "this store's model ranks recordings and finds no stretches to export; use a store of a "
        "model of hashes"
    )


def on_clip(path: str, duration: float, matches: Iterable[Placed]) -> Annotated:
    """Label a clip, or a stream of unknown duration 0, with the recordings in it."""
    return annotated(
        path,
        duration,
        (
            Label(
                match.query_start,
                match.query_stop,
                f"{match.recording.name} at {moment(match.reference_start)}",
                match.recording.name,
            )
            for match in matches
        ),
    )


def on_recordings(clips: Iterable[tuple[str, Iterable[Placed]]]) -> list[Annotated]:
    """Label each recording with all clips that come from it.

    Parameters
    ----------
    clips
        Path and matches of each.
    """
    recordings: dict[str, tuple[_Recording, list[Label]]] = {}
    for path, matches in clips:
        name = PurePath(path).name or path
        for match in matches:
            _, labels = recordings.setdefault(match.recording.sha256, (match.recording, []))
            text = f"{name} at {moment(match.query_start)}"
            labels.append(Label(match.reference_start, match.reference_stop, text, name))
    return [annotated(r.name, r.duration, labels) for r, labels in recordings.values()]


def of_record(record: Examination) -> list[Annotated]:
    """Label all clips of a report, then all recordings found."""
    clips = [(clip.item, clip.matches) for clip in record.clips if clip.item]
    on_clips = [on_clip(item.name, item.duration, matches) for item, matches in clips]
    return [*on_clips, *on_recordings((item.name, matches) for item, matches in clips)]


def of_comparison(comparison: Comparison) -> list[Annotated]:
    """Label the first of two files, then the second."""
    matches = comparison.matches
    return [
        on_clip(comparison.first, 0.0, matches),
        *on_recordings([(comparison.first, matches)]),
    ]


def of_duplicates(pairs: Iterable[Duplicate]) -> list[Annotated]:
    """Label each recording of a store with what it shares with others."""
    durations: dict[str, tuple[str, float]] = {}  # by path: two files may be the same
    labels: dict[str, list[Label]] = {}
    for pair in pairs:
        one, other = pair.first, pair.second
        for recording in (one, other):
            durations[recording.path] = (recording.name, recording.duration)
        for m in pair.matches:
            here = f"{other.name} at {moment(m.reference_start)}"
            there = f"{one.name} at {moment(m.query_start)}"
            labels.setdefault(one.path, []).append(
                Label(m.query_start, m.query_stop, here, other.name)
            )
            labels.setdefault(other.path, []).append(
                Label(m.reference_start, m.reference_stop, there, one.name)
            )
    return [annotated(*durations[path], each) for path, each in labels.items()]


def of_copies(result: CopiesResult) -> Annotated:
    """Label the stretches that a recording holds twice, each pair with its number."""
    labels = []
    for number, copy in enumerate(result.copies, 1):
        first, second = moment(copy.first_start), moment(copy.second_start)
        tier = f"copy {number}"
        labels += [
            Label(copy.first_start, copy.first_stop, f"{tier}, again at {second}", tier),
            Label(copy.second_start, copy.second_stop, f"{tier}, before at {first}", tier),
        ]
    return annotated(result.path, result.duration, labels)


def safe_name(name: str) -> str:
    """Give a name that is safe as part of a file's name on any system.

    Examples
    --------
    >>> safe_name("../b c.ogg"), safe_name("")
    ('_b_c.ogg', '_')
    """
    return UNSAFE.sub("_", name).lstrip(".")[:NAME] or "_"


def of_repeats(clusters: Iterable[RepeatCluster]) -> list[Annotated]:
    """Label each recording with the pieces in it that recur."""
    recordings: dict[str, tuple[Recording, list[Label]]] = {}
    for cluster in clusters:
        tier = f"piece {cluster.number}"
        for number, place in enumerate(cluster.places, 1):
            _, labels = recordings.setdefault(place.recording.path, (place.recording, []))
            text = f"{tier}, place {number} of {len(cluster.places)}"
            labels.append(Label(place.start, place.stop, text, tier))
    return [annotated(r.name, r.duration, labels) for r, labels in recordings.values()]


def of_synced(results: Iterable[SyncedRecording]) -> list[Annotated]:
    """Label the time line of each group with its recordings, in pieces where they jump."""
    groups: dict[int, list[Label]] = {}
    for result in results:
        if not result.group:
            continue
        name = PurePath(result.path).name
        edges = [0.0, *(jump.at for jump in result.jumps), result.duration]
        for begin, end in pairwise(edges):
            start = result.place(begin)
            stop = start + (end - begin) / (1 + result.drift_ppm * 1e-6)
            text = f"{name} from {moment(begin)}"
            groups.setdefault(result.group, []).append(Label(start, stop, text, name))
    return [annotated(f"group-{number}", 0.0, labels) for number, labels in sorted(groups.items())]
