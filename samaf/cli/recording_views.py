"""How recordings and files are printed; see ``samaf.cli.render.View``."""

from __future__ import annotations

from samaf.cli.media_views import media_lines
from samaf.cli.render import Lines, View, labelled, shown_path
from samaf.cli.text import clock
from samaf.json_records import RECORDING_FIELDS, Record, media_record, recording_record
from samaf.records import (
    AddResult,
    CopiesResult,
    Fingerprint,
    Recording,
    Relocation,
    RepeatedSegment,
)

DIGITS = 12  # of a digest, for people
SHOWN_HASH = 64  # digits, 256 bits; vectors have many more


def _recording_lines(recording: Recording) -> Lines:
    yield (
        str(recording.recording_id),
        recording.name,
        clock(recording.duration),
        recording.sha256[:DIGITS],
        recording.added_at.partition("T")[0],
        labelled(recording.labels),
    )


def _recording_details(recording: Recording) -> Lines:
    yield "id", str(recording.recording_id)
    yield "name", recording.name
    yield "path", recording.path
    yield "duration", clock(recording.duration)
    yield "sha256", recording.sha256
    yield "added", f"{recording.added_at} (revision {recording.revision})"
    if recording.media:
        yield from media_lines(recording.media)
    yield from recording.labels.items()


RECORDINGS: View[Recording] = View(
    (">id", "name", ">duration", "sha256", "added", "labels"),
    _recording_lines,
    recording_record,
    RECORDING_FIELDS,
)
RECORDING: View[Recording] = View((), _recording_details, recording_record, RECORDING_FIELDS)


def _add_record(result: AddResult) -> Record:
    recording = result.recording
    return {
        "path": result.path,
        "status": result.status,
        "recording_id": recording.recording_id if recording else None,
        "sha256": recording.sha256 if recording else None,
        "duration": round(recording.duration, 3) if recording else None,
        "hashes": result.hashes,
        "message": result.message,
        "media": media_record(recording.media) if recording else None,
    }


ADDED: View[AddResult] = View(
    (),
    lambda _: (),  # people get a progress and a summary
    _add_record,
    ("path", "status", "recording_id", "sha256", "duration", "hashes", "message", "media"),
)


def _watched_lines(result: AddResult) -> Lines:
    if result.status != "present":  # after a restart without a cache, that may be all files
        yield (
            result.status,
            shown_path(result.path),
            result.message.removeprefix(f"{result.path}: "),
        )


WATCHED: View[AddResult] = View(("", "file", ""), _watched_lines, _add_record, ADDED.fields)


def _relocation_record(result: Relocation) -> Record:
    return {**recording_record(result.recording), "before": result.before, "found": result.found}


def _relocation_lines(result: Relocation) -> Lines:
    recording = result.recording
    now = shown_path(recording.path) if result.found else "not found"
    yield str(recording.recording_id), shown_path(result.before), now


RELOCATED: View[Relocation] = View(
    (">id", "before", "now"),
    _relocation_lines,
    _relocation_record,
    (*RECORDING_FIELDS, "before", "found"),
)


def _copies_record(result: CopiesResult) -> Record:
    return {
        "path": result.path,
        "duration": round(result.duration, 3),
        "sha256": result.sha256,
        "reason": result.reason,
        "tones": result.tones,
        "copies": [
            {
                **{
                    name: round(getattr(copy, name), 3)
                    for name in ("first_start", "first_stop", "second_start", "second_stop")
                },
                "ber": round(copy.ber, 4),
                "correlation": round(copy.correlation, 3),
                "score": round(copy.score, 2),
            }
            for copy in result.copies
        ],
    }


def _copies_lines(result: CopiesResult) -> Lines:
    name = shown_path(result.path)
    for copy in result.copies:
        places = (copy.first_start, copy.first_stop, copy.second_start, copy.second_stop)
        length = f"{copy.first_stop - copy.first_start:.1f} s"
        agreement = f"{copy.ber:.3f}", f"{copy.correlation:.2f}", f"{copy.score:.1f}"
        yield (name, length, *map(clock, places), *agreement)
    if not result.copies:
        why = f": {result.reason}" if result.reason else ""
        tones = f" ({result.tones} repeated tones)" if result.tones else ""
        yield (name, f"none{why}{tones}", *[""] * 7)


COPIES: View[CopiesResult] = View(
    ("file", "copied", ">from", ">to", ">again from", ">to", ">BER", ">correlation", ">score"),
    _copies_lines,
    _copies_record,
    ("path", "duration", "sha256", "reason", "tones", *RepeatedSegment.__dataclass_fields__),
)


def _fingerprint_record(fingerprint: Fingerprint) -> Record:
    hashes, media = fingerprint.hashes, fingerprint.media
    size = len(hashes) // hashes.streams
    return {
        "path": fingerprint.path,
        "sha256": fingerprint.sha256,
        "duration": round(fingerprint.duration, 3),
        "model": fingerprint.model,
        "digest": fingerprint.digest,
        "media": media_record(media),
        "hashes": [
            {
                "block_id": number,
                "channel": media.channel(number // size) if media else "",
                "start": round(number % size * fingerprint.hop, 3),
                "hash": bytes(row).hex(),
                "informative": bool(useful),
            }
            for number, (row, useful) in enumerate(
                zip(hashes.packed, hashes.informative, strict=True)
            )
        ],
    }


def _fingerprint_lines(fingerprint: Fingerprint) -> Lines:
    for row in _fingerprint_record(fingerprint)["hashes"]:
        said = "" if row["informative"] else "silence or a steady tone"
        shown = row["hash"]
        shown = shown if len(shown) <= SHOWN_HASH else f"{shown[:SHOWN_HASH]}..."
        yield str(row["block_id"]), row["channel"], clock(row["start"]), shown, said


FINGERPRINT: View[Fingerprint] = View(
    (">block", "channel", ">start", "hash", ""),
    _fingerprint_lines,
    _fingerprint_record,
    (
        *("path", "sha256", "duration", "model", "digest", "media"),
        *("block_id", "channel", "start", "hash", "informative"),
    ),
)
