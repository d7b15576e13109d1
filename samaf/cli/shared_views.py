"""How pieces that recur are printed."""

from __future__ import annotations

from samaf.cli.render import Lines, View, shown_path
from samaf.cli.text import clock
from samaf.json_records import (
    GROUP_FIELDS,
    OVERLAP_FIELDS,
    REPEATS_FIELDS,
    group_record,
    overlap_record,
    repeats_record,
)
from samaf.records import Duplicate, RecordingGroup, RepeatCluster


def _repeats_lines(cluster: RepeatCluster) -> Lines:
    for number, place in enumerate(cluster.places):
        head = (str(cluster.number), str(len(cluster.places)), f"{cluster.seconds:.1f} s")
        yield (
            *(head if not number else ("", "", "")),
            place.recording.name,
            clock(place.start),
            clock(place.stop),
        )


REPEATS: View[RepeatCluster] = View(
    (">cluster", ">count", ">length", "recording", ">from", ">to"),
    _repeats_lines,
    repeats_record,
    REPEATS_FIELDS,
)


def _group_lines(group: RecordingGroup) -> Lines:
    for recording, seconds in zip(group.recordings, group.seconds, strict=True):
        number = str(recording.recording_id)
        yield (
            str(group.number),
            number,
            recording.name,
            clock(recording.duration),
            f"{seconds:.1f} s",
        )


GROUPS: View[RecordingGroup] = View(
    (">group", ">id", "recording", ">duration", ">shared"), _group_lines, group_record, GROUP_FIELDS
)


def _overlap_lines(pair: Duplicate) -> Lines:
    for match in pair.matches:
        yield (
            shown_path(pair.first.path),
            shown_path(pair.second.path),
            f"{match.query_stop - match.query_start:.1f} s",
            clock(match.query_start),
            clock(match.reference_start),
            f"{match.ber:.3f}",
            f"{match.score:.1f}",
        )


OVERLAP: View[Duplicate] = View(
    ("first", "second", ">shared", ">from", ">from", ">BER", ">score"),
    _overlap_lines,
    overlap_record,
    OVERLAP_FIELDS,
)
