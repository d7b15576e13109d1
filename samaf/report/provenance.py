"""What computed a report, and with what: program, model, store, and the command."""

from __future__ import annotations

import os
import platform
import shlex
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from samaf.engine.engine import Engine
from samaf.engine.options import INDEX_TYPES, QueryOptions
from samaf.errors import ReportError
from samaf.fingerprinters import Fingerprinter, ModelCard
from samaf.fingerprinters.card import UNCALIBRATED
from samaf.report import record
from samaf.report.validation import validation_of
from samaf.text import printable
from samaf.version import __version__

UNCHANGED_ACTS = ("query", "report", "decision")  # of the audit log: they change no recording
EPOCH = "SOURCE_DATE_EPOCH"

ALTERNATIVES = {
    "speech": "the clip is other speech, which does not say what the recording says",
    "text": "the clip is other speech, or another voice that says the same text at the same pace",
}


def made_at() -> str:
    """Give the time of the report: SOURCE_DATE_EPOCH, or now; UTC, ISO 8601."""
    given = os.environ.get(EPOCH)
    try:
        moment = (
            datetime.now(timezone.utc)
            if given is None
            else datetime.fromtimestamp(int(given), timezone.utc)
        )
    except (ValueError, OverflowError, OSError):
        raise ReportError(
            f"{EPOCH}={given!a:.40}: is no number of seconds since 1970; correct or unset it"
        ) from None
    return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def program() -> record.Program:
    """Give the versions of what computes."""
    import av
    import onnxruntime

    return record.Program(
        samaf=__version__,
        python=platform.python_version(),
        numpy=np.__version__,
        onnxruntime=onnxruntime.__version__,
        av=av.__version__,
        ffmpeg=str(av.ffmpeg_version_info),
        system=f"{platform.system()} {platform.machine()}",
    )


def model(fingerprinter: Fingerprinter) -> record.Model:
    """Describe a model, the calibration of its scores, and its validation."""
    card = fingerprinter.card
    return record.Model(
        name=card.name,
        digest=card.digest,
        bits=card.bits,
        hop=fingerprinter.hop,
        block=fingerprinter.block,
        alternatives=alternatives(card),
        validation=validation_of(card.figures, card.name),
    )


def alternatives(card: ModelCard) -> tuple[record.Alternative, ...]:
    """Give the propositions against which a model weighs, each with what it was fitted on."""
    calibration, ratio = card.calibration, card.calibration.likelihood
    decision, population = calibration.decision, calibration.population
    scores = {"speech": population, "text": population}
    if decision.population != UNCALIBRATED:
        scores["speech"] = decision.population
    is_fitted = calibration.calibrated and ratio.population != UNCALIBRATED
    bounds = (ratio.lowest, ratio.highest, ratio.population if is_fitted else "")
    return tuple(
        record.Alternative(key, text, scores[key] if calibration.calibrated else "", *bounds)
        for key, text in ALTERNATIVES.items()
    )


def store_state(engine: Engine) -> record.StoreState:
    """Say what is searched: the store, its size, and the newest change of it."""
    stats = engine.store.stats()
    newest = engine.store.newest_entry(without=UNCHANGED_ACTS)
    return record.StoreState(
        store_id=stats.store_id,
        name=_store_name(stats.url),
        revision=stats.revision,
        recordings=stats.recordings,
        hours=stats.hours,
        hashes=stats.hashes,
        audit_entry=newest.entry_id if newest else 0,
        audit_hash=newest.hash if newest else "",
        audit_time=newest.happened_at if newest else "",
        audit_act=newest.act if newest else "",
    )


def _store_name(url: str) -> str:
    """Give a file's name without its folders, or a server's URL as it is."""
    return url.rpartition("/")[2] if url.startswith("sqlite:") else url


def entries(engine: Engine, digests: Sequence[str]) -> Iterator[record.LogEntry]:
    """Yield the entries of the audit log that changed something about these recordings."""
    for entry in engine.store.entries_about(digests):
        if entry.act not in UNCHANGED_ACTS:
            about = (entry.entry_id, entry.happened_at, entry.act, entry.sha256)
            yield record.LogEntry(*about, entry.program, entry.hash)


def command(engine: Engine, paths: Sequence[Path], query: QueryOptions) -> str:
    """Write the command that repeats the examination, without the folder that it writes to."""
    default = QueryOptions()
    words = ["samaf", "report", *(printable(path) for path in paths), "--out", "FOLDER"]
    words += ["--db", _store_name(engine.store.url)]
    if engine.index_name != INDEX_TYPES[0]:
        words += ["--index", engine.index_name]
    if query.search != default.search:
        words.append(f"--{query.search}")
    if query.verify:
        words.append("--verify")
    if query.population != default.population:
        words += ["--population", query.population]
    for name, value in (("track", query.track), ("channel", query.channel)):
        words += [f"--{name}", f"{value}"] if value is not None else []
    if query.granularity_s != default.granularity_s:
        words += ["--granularity", str(query.granularity_s)]
    if query.k != default.k:
        words += ["-k", str(query.k)]
    if query.max_false_matches != default.max_false_matches:
        words += ["--max-false-matches", f"{query.max_false_matches:g}"]
    return shlex.join(words)
