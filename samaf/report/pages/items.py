"""What was examined: clips, and the recordings that were found."""

from __future__ import annotations

from collections.abc import Iterator

from samaf.report.examined import Item, Stored
from samaf.report.pages.document import Block, Facts, Heading, Paragraph, Table
from samaf.report.pages.words import NOT_AVAILABLE, decibels, labels, moment
from samaf.report.record import Examination


def items(record: Examination) -> Iterator[Block]:
    """Describe the clips of a report of one clip, and the recordings."""
    yield Heading("Items")
    for clip in record.clips:
        if clip.item is None:
            yield Paragraph(f"{clip.given} could not be used: {clip.reason}", "warning")
        else:
            yield Heading(f"The clip {clip.item.name}", 2)
            yield described(clip.item, clip.given)
    yield from recordings(record)


def recordings(record: Examination) -> Iterator[Block]:
    """List the recordings that were found, each once."""
    found = found_recordings(record)
    if found:
        yield Heading("Recordings found", 2)
        yield Table(
            (">id", "name", ">duration", "labels", "added", "SHA-256"),
            tuple(
                (
                    str(r.recording_id),
                    r.name,
                    moment(r.duration),
                    labels(r),
                    r.added_at.partition("T")[0],
                    r.sha256,
                )
                for r in found
            ),
        )


def found_recordings(record: Examination) -> list[Stored]:
    """List the recordings that were found, in the order of their ids."""
    by_id = {f.recording.recording_id: f.recording for clip in record.clips for f in clip.matches}
    return [by_id[recording_id] for recording_id in sorted(by_id)]


def described(item: Item, given: str) -> Facts:
    """Describe a file."""
    quality = item.quality
    active = NOT_AVAILABLE if quality.active_s is None else f"{quality.active_s:.1f} s"
    return Facts(
        (
            ("Path as given", given),
            ("Bytes", f"{item.bytes:,}"),
            ("SHA-256 of the bytes, before decoding", item.sha256),
            ("Container, codec", f"{item.container}, {item.codec}"),
            (
                "Sample rate, channels",
                f"{item.sample_rate:,} Hz, {item.channels} ({item.layout})",
            ),
            ("Duration", f"{moment(item.duration)} ({item.samples:,} samples at 16 kHz)"),
            ("SHA-256 of the decoded samples", item.samples_sha256),
            ("Notes on decoding", "; ".join(item.notes) or "none"),
            (
                "Level",
                f"peak {decibels(quality.peak_db)}, loud parts {decibels(quality.loud_db)} "
                "(full scale is 0 dB)",
            ),
            (
                "Clipping",
                f"{100 * quality.near_peak:.3f} % of samples within 1 % of the peak",
            ),
            ("Bandwidth", f"up to {quality.bandwidth_hz:,.0f} Hz (of 8,000 Hz at most)"),
            ("Noise, estimated", f"quiet parts at {decibels(quality.noise_db)} of the loud ones"),
            ("Speech, estimated by level alone", active),
        )
    )
