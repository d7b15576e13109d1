"""How a time line of recordings is printed, and given to editors of sound and film."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from samaf.cli.render import Lines, View, shown_path
from samaf.cli.text import clock
from samaf.errors import SamafError
from samaf.json_records import SYNCED_FIELDS, synced_record
from samaf.records import SyncedRecording

RATE = 48_000  # of times in an OpenTimelineIO file: exact to a sample


def _lines(result: SyncedRecording) -> Lines:
    name = shown_path(result.path)
    if not result.group:
        yield ("-", name, *[""] * 5, result.reason)
        return
    yield (
        str(result.group),
        name,
        f"{result.offset:.4f} s",
        f"{1000 * result.offset_error:.2f} ms",
        f"{result.drift_ppm:+.1f} ppm",
        f"{1000 * result.residual:.2f} ms",
        str(result.moments),
        "; ".join(_jumps(result)),
    )


def _jumps(result: SyncedRecording) -> Iterator[str]:
    for jump in result.jumps:
        what = "missing" if jump.seconds > 0 else "inserted"
        yield f"{abs(jump.seconds):.3f} s {what} at {clock(jump.at)}"


SYNC: View[SyncedRecording] = View(
    (">group", "recording", ">offset", ">error", ">drift", ">residual", ">moments", "jumps"),
    _lines,
    synced_record,
    SYNCED_FIELDS,
)


def audacity(results: Sequence[SyncedRecording]) -> str:
    """Write a list of files for Audacity (.lof): each a track that starts at its offset."""
    lines = []
    for group in sorted({result.group for result in results if result.group}):
        lines.append("window\n")
        for result in results:
            if result.group == group:
                path = os.path.abspath(result.path)
                if '"' in path or not path.isprintable():
                    raise SamafError(
                        f"{path!r}: Audacity's lists cannot hold this name; rename the file"
                    )
                lines.append(f'file "{path}" offset {result.offset:.6f}\n')
    return "".join(lines)


def otio(results: Sequence[SyncedRecording]) -> str:
    """Write an OpenTimelineIO time line: a track for each recording, a clip for each piece.

    The drift is the clip's LinearTimeWarp.
    """
    try:
        import opentimelineio as opentime
    except ImportError:
        raise SamafError(
            "--format otio needs the library OpenTimelineIO: pip install 'samaf[sync]'"
        ) from None
    schema = opentime.schema

    def span(start: float, seconds: float) -> opentime.opentime.TimeRange:
        begin, end = round(start * RATE), round((start + seconds) * RATE)
        return opentime.opentime.TimeRange(
            opentime.opentime.RationalTime(begin, RATE),
            opentime.opentime.RationalTime(end - begin, RATE),
        )

    collection = schema.SerializableCollection("samaf sync")
    for group in sorted({result.group for result in results if result.group}):
        timeline = schema.Timeline(f"group {group}")
        for result in results:
            if result.group != group:
                continue
            name = os.path.basename(result.path)
            track = schema.Track(name, kind=schema.TrackKind.Audio)
            reference = schema.ExternalReference(
                os.path.abspath(result.path), span(0, result.duration)
            )
            done = 0.0
            edges = [0.0, *(jump.at for jump in result.jumps), result.duration]
            for begin, end in zip(edges[:-1], edges[1:], strict=True):
                start = result.place(begin)
                if start > done:
                    track.append(schema.Gap(source_range=span(done, start - done)))
                    done = start
                speed = 1 + result.drift_ppm * 1e-6
                # What was inserted is left out, from the start of the piece behind it.
                early = (done - start) * speed
                if end - begin > early:
                    clip = schema.Clip(name, reference, span(begin + early, end - begin - early))
                    clip.effects.append(schema.LinearTimeWarp(time_scalar=speed))
                    track.append(clip)
                    done += (end - begin - early) / speed
            timeline.tracks.append(track)
        collection.append(timeline)
    return str(opentime.adapters.write_to_string(collection, "otio_json")) + "\n"
