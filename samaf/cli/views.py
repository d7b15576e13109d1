"""How each kind of record is printed; see ``samaf.cli.render.View``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from samaf.cli.render import Lines, Record, View, labelled, shown_path
from samaf.cli.text import clock
from samaf.records import (
    AddResult,
    Comparison,
    CopiesResult,
    Duplicate,
    Fingerprint,
    Match,
    QueryResult,
    Recording,
    RehashResult,
    RepeatedSegment,
)
from samaf.status import IndexStatus, StoreStats

if TYPE_CHECKING:
    from samaf.engine.models import Card

DIGITS = 12  # of a digest, for people
SHOWN_HASH = 64  # digits, 256 bits; vectors have many more


def match_record(match: Match) -> Record:
    """Give the JSON object of a match: times to 1 ms, rates to 4 digits."""
    manipulation = match.manipulation
    return {
        "reference_id": match.recording.recording_id,
        "reference": match.recording.name,
        "labels": dict(match.recording.labels),
        "query_start": round(match.query_start, 3),
        "query_stop": round(match.query_stop, 3),
        "reference_start": round(match.reference_start, 3),
        "reference_stop": round(match.reference_stop, 3),
        "ber": round(match.ber, 4),
        "score": round(match.score, 2),
        "log10_lr": round(match.log10_lr, 2),
        "manipulation": {
            "tau": round(manipulation.tau, 4),
            "rho": round(manipulation.rho, 4),
            "reversed": manipulation.reversed,
        },
    }


MATCH_FIELDS = (
    "reference_id",
    "reference",
    "labels",
    "query_start",
    "query_stop",
    "reference_start",
    "reference_stop",
    "ber",
    "score",
    "log10_lr",
    "manipulation",
)
MATCH_TITLES = (
    *(">from", ">to", "recording", ">from", ">to"),
    *("altered", ">BER", ">score", ">log10 LR"),
)


def match_cells(match: Match) -> tuple[str, ...]:
    """Give the cells of a table for `MATCH_TITLES`."""
    return (
        clock(match.query_start),
        clock(match.query_stop),
        match.recording.name,
        clock(match.reference_start),
        clock(match.reference_stop),
        str(match.manipulation) or "-",
        f"{match.ber:.3f}",
        f"{match.score:.1f}",
        f"{match.log10_lr:.1f}",
    )


def _query_record(result: QueryResult) -> Record:
    return {
        "query": result.query,
        "duration": round(result.duration, 3),
        "sha256": result.sha256,
        "matches": [match_record(match) for match in result.matches],
    }


def _query_lines(result: QueryResult) -> Lines:
    name = shown_path(result.query)
    for match in result.matches:
        yield (name, *match_cells(match), labelled(match.recording.labels))
    if not result.matches:
        unknown = f"unknown: {result.reason}" if result.reason else "unknown"
        yield (name, "", "", unknown, *[""] * 7)


QUERY: View[QueryResult] = View(
    ("clip", *MATCH_TITLES, "labels"),
    _query_lines,
    _query_record,
    ("query", "duration", "sha256", *MATCH_FIELDS),
)


def _recording_record(recording: Recording) -> Record:
    return {
        "recording_id": recording.recording_id,
        "name": recording.name,
        "duration": round(recording.duration, 3),
        "labels": dict(recording.labels),
        "sha256": recording.sha256,
        "path": recording.path,
        "added_at": recording.added_at,
        "revision": recording.revision,
    }


RECORDING_FIELDS = (
    "recording_id",
    "name",
    "duration",
    "labels",
    "sha256",
    "path",
    "added_at",
    "revision",
)


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
    yield from recording.labels.items()


RECORDINGS: View[Recording] = View(
    (">id", "name", ">duration", "sha256", "added", "labels"),
    _recording_lines,
    _recording_record,
    RECORDING_FIELDS,
)
RECORDING: View[Recording] = View((), _recording_details, _recording_record, RECORDING_FIELDS)


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
    }


ADDED: View[AddResult] = View(
    (),
    lambda _: (),  # people get a progress and a summary
    _add_record,
    ("path", "status", "recording_id", "sha256", "duration", "hashes", "message"),
)


def _stats_lines(stats: StoreStats) -> Lines:
    yield "store", stats.url
    yield "recordings", f"{stats.recordings:,}"
    yield "audio", clock(3600 * stats.hours)
    yield "hashes", f"{stats.hashes:,} ({stats.hash_bytes:,} bytes)"
    yield "database", f"{stats.database_bytes:,} bytes"
    model = f"{stats.fingerprinter} {stats.digest[:DIGITS]}, {stats.bits} bits"
    yield "model", model if stats.fingerprinter else "none yet"
    added = f"{stats.day_recordings:,} recordings, {clock(3600 * stats.day_hours)} of audio"
    yield "last 24 hours", added
    yield "index", stats.index
    yield "revision", str(stats.revision)
    yield "schema", stats.schema
    for name, count in stats.labels.items():
        audio = clock(3600 * stats.label_hours[name])
        values = f"{stats.label_values[name]:,} different values"
        yield f"label {name}", f"{count:,} of {stats.recordings:,}, {audio}, {values}"


def _stats_record(stats: StoreStats) -> Record:
    return {
        **asdict(stats),
        "hours": round(stats.hours, 4),
        "day_hours": round(stats.day_hours, 4),
        "label_hours": {name: round(hours, 4) for name, hours in stats.label_hours.items()},
    }


STATS: View[StoreStats] = View(
    (), _stats_lines, _stats_record, tuple(StoreStats.__dataclass_fields__)
)


def _stretch_record(match: Match) -> Record:
    """Give a match without its recording, for those where that is known."""
    left_out = {"reference_id", "reference", "labels"}
    return {name: value for name, value in match_record(match).items() if name not in left_out}


def _stretch_cells(match: Match) -> tuple[str, ...]:
    start, stop, _, *others = match_cells(match)
    return (start, stop, *others)


STRETCH_TITLES = (">A from", ">to", ">B from", ">to", "altered", ">BER", ">score", ">log10 LR")
STRETCH_FIELDS = MATCH_FIELDS[3:]


def _comparison_record(comparison: Comparison) -> Record:
    return {
        "first": comparison.first,
        "second": comparison.second,
        # Nobody knows where nothing could be compared.
        "common": None if comparison.reason else bool(comparison.matches),
        "reason": comparison.reason,
        "matches": [_stretch_record(match) for match in comparison.matches],
    }


def _comparison_lines(comparison: Comparison) -> Lines:
    names = shown_path(comparison.first), shown_path(comparison.second)
    for match in comparison.matches:
        yield (*names, "same speech", *_stretch_cells(match))
    if not comparison.matches:
        reason = comparison.reason
        answer = f"not compared: {reason}" if reason else "nothing in common"
        yield (*names, answer, *[""] * len(STRETCH_TITLES))


COMPARISON: View[Comparison] = View(
    ("A", "B", "", *STRETCH_TITLES),
    _comparison_lines,
    _comparison_record,
    ("first", "second", "common", "reason", *STRETCH_FIELDS),
)


def _duplicate_record(pair: Duplicate) -> Record:
    return {
        "first_id": pair.first.recording_id,
        "first": pair.first.name,
        "second_id": pair.second.recording_id,
        "second": pair.second.name,
        "matches": [_stretch_record(match) for match in pair.matches],
    }


def _duplicate_lines(pair: Duplicate) -> Lines:
    for match in pair.matches:
        seconds = f"{match.query_stop - match.query_start:.1f} s"
        start, stop, begin, end, _, *others = _stretch_cells(match)
        yield (pair.first.name, pair.second.name, seconds, start, stop, begin, end, *others[:2])


DUPLICATES: View[Duplicate] = View(
    ("A", "B", ">shared", ">A from", ">to", ">B from", ">to", ">BER", ">score"),
    _duplicate_lines,
    _duplicate_record,
    ("first_id", "first", "second_id", "second", *STRETCH_FIELDS),
)


def _copies_record(result: CopiesResult) -> Record:
    return {
        "path": result.path,
        "duration": round(result.duration, 3),
        "sha256": result.sha256,
        "reason": result.reason,
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
        yield (name, "none" + (f": {result.reason}" if result.reason else ""), *[""] * 7)


COPIES: View[CopiesResult] = View(
    ("file", "copied", ">from", ">to", ">again from", ">to", ">BER", ">correlation", ">score"),
    _copies_lines,
    _copies_record,
    ("path", "duration", "sha256", "reason", *RepeatedSegment.__dataclass_fields__),
)


def _fingerprint_record(fingerprint: Fingerprint) -> Record:
    hashes = fingerprint.hashes
    return {
        "path": fingerprint.path,
        "sha256": fingerprint.sha256,
        "duration": round(fingerprint.duration, 3),
        "model": fingerprint.model,
        "digest": fingerprint.digest,
        "hashes": [
            {
                "block_id": number,
                "start": round(number * fingerprint.hop, 3),
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
        yield str(row["block_id"]), clock(row["start"]), shown, said


FINGERPRINT: View[Fingerprint] = View(
    (">block", ">start", "hash", ""),
    _fingerprint_lines,
    _fingerprint_record,
    ("path", "sha256", "duration", "model", "digest", "block_id", "start", "hash", "informative"),
)


def _model_record(card: Card) -> Record:
    return {
        "name": card.name,
        "family": card.family,
        "bits": card.bits,
        "digest": card.digest,
        "features": card.features.as_dict(),
        "calibration": asdict(card.calibration) if card.calibration else None,
        "training": dict(card.training),
        "figures": dict(card.figures),
    }


def _model_lines(card: Card) -> Lines:
    minutes = card.training.get("minutes")
    right = card.figures.get("validation", {}).get("mean_accuracy")
    yield (
        card.name,
        card.family,
        str(card.bits),
        card.digest[:DIGITS],
        "" if minutes is None else f"{minutes:.0f} min",
        "" if right is None else f"{right:.1%}",
        card.training.get("note", "") if card.calibration else "ranks, decides nothing",
    )


MODELS: View[Card] = View(
    ("name", "family", ">bits", "digest", ">last training", ">right at 1 s", ""),
    _model_lines,
    _model_record,
    (
        "name",
        "family",
        "bits",
        "digest",
        "features",
        "calibration",
        "training",
        "figures",
    ),
)


def _index_lines(status: IndexStatus) -> Lines:
    meaning = {
        "current": "current",
        "behind": "behind the store; the next query catches up",
        "absent": "absent; the next query makes it",
        "damaged": "damaged; the next change or `samaf index rebuild` rebuilds it",
    }
    yield "folder", status.folder
    yield "state", meaning[status.state]
    yield "revision", f"{status.revision} (store: {status.store_revision})"
    yield "hashes", f"{status.hashes:,} ({status.hash_bytes:,} bytes)"


INDEX: View[IndexStatus] = View(
    (),
    _index_lines,
    asdict,
    ("folder", "state", "revision", "store_revision", "hashes", "hash_bytes"),
)


def _rehashed_lines(result: RehashResult) -> Lines:
    yield "store", result.url
    yield "model", f"{result.name} {result.digest[:12]}"
    new = result.recordings - len(result.missing)
    yield "rehashed", f"{new:,} of {result.recordings:,} recordings"
    for recording in result.missing:
        lost = "deleted" if result.forgotten else "not found, not what it was, or not to be decoded"
        yield f"recording {recording.recording_id}", f"{shown_path(recording.path)}: {lost}"
    if not result.done:
        yield "not done", "the old model stays; bring the files, or give --forget-missing"


def _rehashed_record(result: RehashResult) -> Record:
    record = asdict(result)
    record["missing"] = [
        {"recording": recording.recording_id, "path": recording.path}
        for recording in result.missing
    ]
    return {**record, "done": result.done}


REHASHED: View[RehashResult] = View(
    (),
    _rehashed_lines,
    _rehashed_record,
    ("url", "name", "digest", "recordings", "recording", "path", "forgotten", "done"),
)
