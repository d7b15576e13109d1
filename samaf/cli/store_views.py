"""How stores, their indexes and their models are printed; see ``samaf.cli.render.View``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from samaf.cli.recording_views import DIGITS
from samaf.cli.render import Lines, View, shown_path
from samaf.cli.text import clock
from samaf.json_records import Record, stats_record
from samaf.records import RehashResult
from samaf.status import IndexStatus, StoreStats

if TYPE_CHECKING:
    from samaf.engine.models import Card


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


STATS: View[StoreStats] = View(
    (), _stats_lines, stats_record, tuple(StoreStats.__dataclass_fields__)
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
    right = card.figures.get("validation", {}).get("on_grid")
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
