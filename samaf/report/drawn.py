"""The pictures that the record alone determines: their names, and drawing them one by one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from samaf.report.examined import Examined, Stored
from samaf.report.pictures.agreement import ber_along, time_line
from samaf.report.pictures.certainty import hit_rates, score_densities, tippett
from samaf.report.pictures.place import clip_map, recording_with_stretches
from samaf.report.record import Examination
from samaf.report.validation import nearest_length

SMALL = 1.4  # inches: half a page holds a clip
MAP, HITS, TIPPETT = "map", "hit-rates", "tippett"


def match_name(clip: int, match: int, kind: str) -> str:
    """Name a picture of a match: clip and match are counted from 1."""
    return f"clip-{clip:04d}-match-{match:02d}-{kind}"


def course_name(clip: int, match: int) -> str:
    """Name the picture of bit error rates along time."""
    return match_name(clip, match, "course")


def line_name(clip: int, match: int) -> str:
    """Name the picture of clip time against recording time."""
    return match_name(clip, match, "line")


def place_name(clip: int, match: int) -> str:
    """Name the picture of the whole recording."""
    return match_name(clip, match, "place")


def density_name(clip: int, match: int) -> str:
    """Name the picture of the validation's scores."""
    return match_name(clip, match, "scores")


def timeline_name(recording_id: int) -> str:
    """Name the picture of a recording with all clips on it."""
    return f"recording-{recording_id}"


def drawn(record: Examination) -> Iterator[tuple[str, bytes]]:
    """Draw all pictures that the pages of a record show and that need no sound: name and SVG."""
    if len(record.clips) == 1:
        yield from _of_clip(record, record.clips[0])
    else:
        yield from _of_batch(record)
    validation = record.model.validation
    if validation is None:
        return
    seconds = None
    if len(record.clips) == 1 and record.clips[0].item is not None:
        seconds = record.clips[0].item.duration
    if any(length.hit_rate is not None for length in validation.lengths):
        yield HITS, hit_rates(validation.lengths, seconds)
    if validation.true_lrs or validation.false_lrs:
        yield TIPPETT, tippett(validation)


def _of_clip(record: Examination, clip: Examined) -> Iterator[tuple[str, bytes]]:
    seen = set()
    for number, found in enumerate(clip.matches, 1):
        yield course_name(1, number), ber_along(found)
        stretch = (found.reference_start, found.reference_stop, "")
        recording = found.recording
        yield place_name(1, number), recording_with_stretches(recording.duration, [stretch])
        if recording.sha256 not in seen:
            same = [f for f in clip.matches if f.recording.sha256 == recording.sha256]
            yield line_name(1, number), time_line(same)
        seen.add(recording.sha256)
        validation = record.model.validation
        if validation is None:
            continue
        length = nearest_length(validation, found.query_stop - found.query_start)
        if length and (length.true_scores or length.false_scores):
            yield density_name(1, number), score_densities(length, found.score)


def _of_batch(record: Examination) -> Iterator[tuple[str, bytes]]:
    stretches: dict[int, list[tuple[float, float, str]]] = defaultdict(list)
    recordings: dict[int, Stored] = {}
    cells = []
    for row, clip in enumerate(record.clips):
        if clip.matches:
            yield course_name(row + 1, 1), ber_along(clip.matches[0], SMALL)
        for found in clip.matches:
            number = found.recording.recording_id
            recordings[number] = found.recording
            title = clip.item.name if clip.item else clip.given
            stretches[number].append((found.reference_start, found.reference_stop, title))
            cells.append((row, number))
    columns = {number: column for column, number in enumerate(sorted(recordings))}
    if columns:
        names = [recordings[number].name for number in columns]
        clips = [clip.item.name if clip.item else clip.given for clip in record.clips]
        yield MAP, clip_map(clips, names, [(row, columns[number]) for row, number in cells])
    for number in columns:
        recording = recordings[number]
        picture = recording_with_stretches(recording.duration, stretches[number], recording.name)
        yield timeline_name(number), picture
