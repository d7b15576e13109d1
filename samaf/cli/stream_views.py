"""How what happens in streams is printed; see ``samaf.cli.render.View``."""

from __future__ import annotations

from samaf.cli.media_views import with_channel
from samaf.cli.render import Lines, View
from samaf.cli.text import clock
from samaf.cli.views import MATCH_TITLES, match_cells
from samaf.events import StreamGap, StreamMatch
from samaf.json_records import EVENT_FIELDS, event_record


def _event_lines(event: StreamMatch | StreamGap) -> Lines:
    start = event.start_time.astimezone().strftime("%H:%M:%S") if event.start_time else ""
    if isinstance(event, StreamMatch):
        stream = with_channel(event.stream, event.match.channel)
        yield (*match_cells(event.match), start, stream, event.title)
        return
    text = f"no sound for {clock(event.seconds)}: {event.reason}"
    yield (clock(event.at), "", text, *[""] * (len(MATCH_TITLES) - 3), start, event.stream, "")


MONITORED: View[StreamMatch | StreamGap] = View(
    (*MATCH_TITLES, "at", "stream", "title"),
    _event_lines,
    event_record,
    EVENT_FIELDS,
)
