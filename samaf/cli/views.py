"""How each kind of record is printed; see ``samaf.cli.render.View``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from samaf.cli.render import Record, View, here, labelled
from samaf.cli.text import clock
from samaf.records import AddResult, Match, QueryResult, Recording, StoreStats

if TYPE_CHECKING:
    from samaf.engine import Comparison, Fingerprint, IndexStatus, ModelCard, SchemaStatus

Lines = Iterator[Sequence[str]]
DIGITS = 12  # of a digest, for people


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
    "manipulation",
)
MATCH_TITLES = (">from", ">to", "recording", ">from", ">to", "altered", ">BER", ">score")


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
    )


def _query_record(result: QueryResult) -> Record:
    return {
        "query": result.query,
        "duration": round(result.duration, 3),
        "sha256": result.sha256,
        "matches": [match_record(match) for match in result.matches],
    }


def _query_lines(result: QueryResult) -> Lines:
    name = here(result.query)
    for match in result.matches:
        yield (name, *match_cells(match), labelled(match.recording.labels))
    if not result.matches:
        unknown = f"unknown: {result.reason}" if result.reason else "unknown"
        yield (name, "", "", unknown, *[""] * 6)


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
    yield "model", stats.fingerprinter or "none yet"
    yield "revision", str(stats.revision)
    yield "schema", stats.schema
    for name, count in stats.labels.items():
        yield f"label {name}", f"{count:,} of {stats.recordings:,}"


def _stats_record(stats: StoreStats) -> Record:
    return {**asdict(stats), "hours": round(stats.hours, 4), "labels": dict(stats.labels)}


STATS: View[StoreStats] = View(
    (), _stats_lines, _stats_record, tuple(StoreStats.__dataclass_fields__)
)


def _comparison_record(comparison: Comparison) -> Record:
    match = comparison.match
    found = {} if match is None else match_record(match)
    kept = [name for name in MATCH_FIELDS if name not in {"reference_id", "reference", "labels"}]
    return {
        "first": comparison.first,
        "second": comparison.second,
        "common": match is not None,
        **{name: found.get(name) for name in kept},
    }


def _comparison_lines(comparison: Comparison) -> Lines:
    names = here(comparison.first), here(comparison.second)
    if (match := comparison.match) is None:
        yield (*names, "nothing in common", *[""] * 7)
        return
    start, stop, _, *others = match_cells(match)
    yield (*names, "same speech", start, stop, *others[:2], *others[2:4], others[4])


COMPARISON: View[Comparison] = View(
    ("A", "B", "", ">A from", ">to", ">B from", ">to", "altered", ">BER", ">score"),
    _comparison_lines,
    _comparison_record,
    ("first", "second", "common", *MATCH_FIELDS[3:]),
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
    for each in _fingerprint_record(fingerprint)["hashes"]:
        said = "" if each["informative"] else "silence or a steady tone"
        yield str(each["block_id"]), clock(each["start"]), each["hash"], said


FINGERPRINT: View[Fingerprint] = View(
    (">block", ">start", "hash", ""),
    _fingerprint_lines,
    _fingerprint_record,
    ("path", "sha256", "duration", "model", "digest", "block_id", "start", "hash", "informative"),
)


def _model_record(card: ModelCard) -> Record:
    return {
        "name": card.name,
        "family": card.family,
        "bits": card.bits,
        "digest": card.digest,
        "features": card.features.as_dict(),
        "confidence": asdict(card.confidence),
        "training": dict(card.training),
        "figures": dict(card.figures),
    }


def _model_lines(card: ModelCard) -> Lines:
    calibrated = card.confidence.population
    yield card.name, card.family, str(card.bits), card.digest[:DIGITS], calibrated


MODELS: View[ModelCard] = View(
    ("name", "family", ">bits", "digest", "false matches calibrated on"),
    _model_lines,
    _model_record,
    ("name", "family", "bits", "digest", "features", "confidence", "training", "figures"),
)


def _schema_lines(status: SchemaStatus) -> Lines:
    yield "store", status.url
    yield "schema", status.found or "none: the database is empty"
    if status.found != status.newest:
        yield "newest", f"{status.newest}; `samaf db upgrade` goes there"


SCHEMA: View[SchemaStatus] = View((), _schema_lines, asdict, ("url", "found", "newest"))


def _index_lines(status: IndexStatus) -> Lines:
    meaning = {
        "current": "current",
        "behind": "behind the store; the next query catches up",
        "absent": "absent; the next query makes it",
        "damaged": "damaged; the next change or `samaf index rebuild` makes it anew",
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
