"""From files to the store: hash, commit in batches."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from samaf.audio import LeftOut, audio_files
from samaf.audio.source import Identity, opened
from samaf.engine.notices import notice
from samaf.engine.worker_tasks import FINGERPRINT, Request
from samaf.engine.workers import in_order
from samaf.errors import AudioError
from samaf.fingerprinters import AnyFingerprinter
from samaf.media import Selection
from samaf.records import NO_LABELS, AddResult, Codes, Fingerprint, Recording
from samaf.store import Store
from samaf.text import printable

__all__ = ["LeftOut", "add", "audio_files"]

COMMIT_HASHES = 100_000  # a transaction holds about this many: 3.2 MB
COMMIT_FILES = 64
COMMIT_SECONDS = 2.0  # work that Ctrl-C may lose

_log = logging.getLogger(__name__)

Labels = Mapping[str, Mapping[str, str]]


def add(
    store: Store,
    fingerprinter: AnyFingerprinter,
    files: Sequence[Path],
    labels: Labels,
    jobs: int | None,
    selection: Selection,
) -> Iterator[AddResult]:
    """Store files and yield what became of each; see ``Engine.add``."""
    made: list[_Made] = []
    committed = time.monotonic()
    make = partial(_make, store, fingerprinter, selection)
    for each in in_order(make, files, fingerprinter, FINGERPRINT, jobs):
        made.append(each)
        if _is_batch(made) or time.monotonic() - committed > COMMIT_SECONDS:
            yield from _commit(store, made, labels)
            made, committed = [], time.monotonic()
    yield from _commit(store, made, labels)


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """One file between hashing and storing: known before, hashed now, or of no use."""

    path: str
    known: Recording | None = None
    fingerprint: Fingerprint | None = None
    message: str = ""


def _make(
    store: Store,
    fingerprinter: AnyFingerprinter,
    selection: Selection,
    path: Path,
    hashed: Callable[[Request], Fingerprint],
) -> _Made:
    """Hash one file, unless its bytes are stored already."""
    name = printable(path)
    try:
        if path.exists() and not path.is_file():  # it is read twice
            raise AudioError(f"{name}: is a pipe or a device; save its sound as a file first")
        with opened(path) as file:
            identity = Identity.of(file.file)
        if known := store.find(identity.sha256):
            return _Made(name, known)
        found = hashed(Request(path, selection, identity))
    except AudioError as error:
        return _Made(name, message=str(error))
    if not len(found.hashes):
        reason = f"{name}: shorter than {fingerprinter.block:g} s; nothing to recognise it by"
        return _Made(name, message=reason)
    return _Made(name, fingerprint=found)


def _commit(store: Store, made: Sequence[_Made], labels: Labels) -> Iterator[AddResult]:
    """Store a batch in one transaction, then tell what became of it."""
    new = [_new(m.path, m.fingerprint, labels) for m in made if m.fingerprint]
    started = time.monotonic()
    stored = iter(store.add_many(new))
    if new:
        count, seconds = sum(len(hashes) for _, hashes in new), time.monotonic() - started
        _log.info(
            "stored %d recordings with %d hashes in %.3f s",
            *(len(new), count, seconds),
            extra={"fields": {"recordings": len(new), "hashes": count, "seconds": seconds}},
        )
    for m in made:
        if m.fingerprint:
            recording, fresh = next(stored)
            status, hashes = ("added", len(m.fingerprint.hashes)) if fresh else ("present", 0)
            message = ""
            if fresh:
                notice(m.path, m.fingerprint.media)
                if not m.fingerprint.hashes.informative.any():
                    message = f"{m.path}: cannot be found: silence, or a steady tone"
            yield AddResult(m.path, status, recording, hashes, message)
        elif m.known:
            yield AddResult(m.path, "present", m.known)
        else:
            yield AddResult(m.path, "failed", message=m.message)


def _new(given: str, found: Fingerprint, labels: Labels) -> tuple[Recording, Codes]:
    name = Path(found.path).name
    own = next((labels[key] for key in (given, found.path, name) if key in labels), NO_LABELS)
    about = found.sha256, name, found.path, found.duration, own
    return Recording(*about, media=found.media), found.hashes


def _is_batch(made: Sequence[_Made]) -> bool:
    total = sum(len(m.fingerprint.hashes) for m in made if m.fingerprint)
    return len(made) >= COMMIT_FILES or total >= COMMIT_HASHES
