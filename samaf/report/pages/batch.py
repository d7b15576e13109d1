"""A report of many clips: counts, one line a clip, maps, half a page a clip."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from samaf.report.drawn import MAP, course_name, timeline_name
from samaf.report.examined import Examined
from samaf.report.pages.document import Block, Facts, Heading, Paragraph, Picture, Table
from samaf.report.pages.items import found_recordings, recordings
from samaf.report.pages.results import (
    MATCH_TITLES,
    agreement,
    course_words,
    judgements,
    match_row,
    outcome,
)
from samaf.report.pages.weighing import bounds, scale, weights
from samaf.report.pages.words import log10_lr, moment, span
from samaf.report.record import Examination


def overview(record: Examination) -> Iterator[Block]:
    """Write counts, the list of clips, the map and the recordings."""
    yield Heading("Overview")
    outcomes = Counter(clip.outcome for clip in record.clips)
    yield Facts(
        (
            ("Clips", f"{len(record.clips):,}"),
            ("Found", f"{outcomes['found']:,}"),
            ("Unknown", f"{outcomes['unknown']:,}"),
            ("Failed", f"{outcomes['failed']:,}"),
            (
                "Expected false matches over the batch",
                f"{record.expected_false:.3g} at most: the limit of "
                f"{record.settings.max_false_matches:g} for each clip searched for, summed",
            ),
        )
    )
    yield Table(
        (">no.", "clip", "outcome", "recording", "place", ">score", ">log10 LR"),
        tuple(_line(number, clip) for number, clip in enumerate(record.clips, 1)),
    )
    found = found_recordings(record)
    if found:
        yield Picture(
            MAP,
            "Which clip was found in which recording?",
            f"A map of {len(record.clips)} clips and {len(found)} recordings.",
        )
        for recording in found:
            clips = _clips_on(record, recording.sha256)
            yield Picture(
                timeline_name(recording.recording_id),
                f"Where? All clips on the recording {recording.name}.",
                f"The recording {recording.name}, {len(clips)} stretches: {', '.join(clips[:20])}",
            )
    yield from recordings(record)


def _line(number: int, clip: Examined) -> tuple[str, ...]:
    if not clip.matches:
        return (f"{number}", clip.given, clip.outcome, clip.reason, "", "", "")
    best = clip.matches[0]
    more = f" and {len(clip.matches) - 1} more" if len(clip.matches) > 1 else ""
    return (
        f"{number}",
        clip.given,
        clip.outcome,
        best.recording.name + more,
        moment(best.reference_start),
        f"{best.score:.1f}",
        log10_lr(best),
    )


def _clips_on(record: Examination, sha256: str) -> list[str]:
    return [
        clip.given for clip in record.clips for f in clip.matches if f.recording.sha256 == sha256
    ]


def clips(record: Examination) -> Iterator[Block]:
    """Write half a page for each clip."""
    yield Heading("Clips")
    for number, clip in enumerate(record.clips, 1):
        yield Heading(f"{number}. {clip.given}", 2)
        yield Paragraph(outcome(record, clip))
        if clip.item is None:
            continue
        item = clip.item
        yield Facts(
            (
                ("SHA-256 of the bytes, before decoding", item.sha256),
                ("SHA-256 of the decoded samples", item.samples_sha256),
                (
                    "Decoded",
                    f"{item.container}, {item.codec}, {item.sample_rate:,} Hz, "
                    f"{item.channels} channels, {moment(item.duration)}"
                    + "".join(f"; {note}" for note in item.notes),
                ),
            )
        )
        if clip.matches:
            rows = (match_row(rank, found) for rank, found in enumerate(clip.matches, 1))
            yield Table(MATCH_TITLES, tuple(rows))
            best = clip.matches[0]
            yield Paragraph(agreement(best))
            for found in clip.matches:
                yield from judgements(found)
            yield Picture(
                course_name(number, 1),
                "Bit error rate of each block of the clip.",
                f"Bit error rate along the clip: {course_words(best)}",
            )
            yield weights(record, best)
            for found in clip.matches:
                if found.same_text:
                    yield Paragraph(
                        f"{span(found.query_start, found.query_stop)}: another voice with the same "
                        f"words may agree as well (BER {found.ber:.3f}). Listen first.",
                        "warning",
                    )


def words(record: Examination) -> Iterator[Block]:
    """Write the verbal scale once."""
    if any(each.calibrated for each in record.model.alternatives):
        yield Heading("How to read the evaluation")
        yield from bounds(record)
        yield from scale()
