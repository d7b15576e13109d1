"""How what happens in streams is printed; see ``samaf.cli.render.View``."""

from __future__ import annotations

from datetime import datetime

from samaf.cli.render import Lines, Record, View
from samaf.cli.text import clock
from samaf.cli.views import MATCH_FIELDS, MATCH_TITLES, match_cells, match_record
from samaf.events import StreamGap, StreamMatch


def event_record(event: StreamMatch | StreamGap) -> Record:
    """Give the JSON object of a match or a gap."""
    if isinstance(event, StreamMatch):
        return {
            "event": "match",
            "stream": event.stream,
            "title": event.title,
            "start_time": _time(event.start_time),
            "stop_time": _time(event.stop_time),
            **match_record(event.match),
        }
    return {
        "event": "gap",
        "stream": event.stream,
        "start_time": _time(event.start_time),
        "stop_time": _time(event.stop_time),
        "query_start": round(event.at, 3),
        "seconds": round(event.seconds, 3),
        "reason": event.reason,
        "tries": event.tries,
        "over": event.over,
    }


def _time(time: datetime | None) -> str | None:
    return time and time.isoformat(timespec="milliseconds")


def _event_lines(event: StreamMatch | StreamGap) -> Lines:
    start = event.start_time.astimezone().strftime("%H:%M:%S") if event.start_time else ""
    if isinstance(event, StreamMatch):
        yield (*match_cells(event.match), start, event.stream, event.title)
        return
    text = f"no sound for {clock(event.seconds)}: {event.reason}"
    yield (clock(event.at), "", text, *[""] * (len(MATCH_TITLES) - 3), start, event.stream, "")


MONITORED: View[StreamMatch | StreamGap] = View(
    (*MATCH_TITLES, "at", "stream", "title"),
    _event_lines,
    event_record,
    (
        *("event", "stream", "title", "start_time", "stop_time"),
        *MATCH_FIELDS,
        *("seconds", "reason", "tries", "over"),
    ),
)
