"""How pieces that recur are printed."""

from __future__ import annotations

from samaf.cli.render import Lines, View
from samaf.cli.text import clock
from samaf.json_records import REPEATS_FIELDS, repeats_record
from samaf.records import RepeatCluster


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
