"""A store rebuilt with another model, from the audio files of its recordings."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from samaf.audio import audio_files
from samaf.audio.source import Identity
from samaf.audio.source import opened as opened_file
from samaf.engine.add import COMMIT_FILES, COMMIT_SECONDS
from samaf.engine.models import stored_fingerprinter
from samaf.engine.worker_tasks import FINGERPRINT, Request
from samaf.engine.workers import in_order
from samaf.errors import AudioError, InterruptedHashingError
from samaf.fingerprinters import DEFAULT_MODEL, load_fingerprinter, shipped
from samaf.media import DEFAULT
from samaf.records import Fingerprint, Recording, RehashResult
from samaf.store import Store
from samaf.store.maintenance import rehashing
from samaf.store.maintenance.opening import opened


def rehash(
    url: str | None = None,
    *,
    model: str | None = None,
    audio: Path | None = None,
    forget_missing: bool = False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> RehashResult:
    """Hash all recordings of a store again with another model, which then owns the store.

    Queries find the old hashes until all recordings have new ones; then all change at once.
    Finished hashes are kept: after an interruption the same command continues.

    Parameters
    ----------
    model
        Name or file of the new model; by default the shipped one of the same name, else the
        default model.
    audio
        A folder whose files replace, by SHA-256, those that are no longer at their path.
    forget_missing
        Delete recordings whose files cannot be found or decoded. Without, the store keeps the
        old model while there are any.
    on_progress
        Called with the recordings done, and those in all.

    Raises
    ------
    StoreError, FingerprinterError, AudioError
        There is no such store, model or folder, the store belongs to that model already, or
        a process was killed over a file.
    """
    with Store.open(url, create=False) as store:
        owner, name, total = store.fingerprinter(), store.url, store.stats().recordings
        blocks_per_row = store.blocks_per_row
    known = {card.name for card in shipped()}
    same = owner.name if owner and owner.name in known else DEFAULT_MODEL
    fingerprinter = load_fingerprinter(model or same)
    folder = list(audio_files([audio])) if audio else []
    with opened(url) as database:
        number = rehashing.begin(database, stored_fingerprinter(fingerprinter))
        lacking = {r.sha256: r for page in rehashing.waiting(database, number) for r in page}
        where = {Path(r.path) for r in lacking.values()}
        files = [path for path in sorted(where) if path.is_file()]
        files += [path for path in folder if path.absolute() not in where]
        batch, committed = [], time.monotonic()
        hash_wanted = partial(_hash_wanted, lacking)
        for made in in_order(hash_wanted, files, fingerprinter, FINGERPRINT):
            if made and len(made.hashes) and (recording := lacking.pop(made.sha256, None)):
                batch.append((replace(recording, media=made.media), made.hashes))
            if len(batch) >= COMMIT_FILES or time.monotonic() - committed > COMMIT_SECONDS:
                rehashing.put(database, number, batch, blocks_per_row)
                batch, committed = [], time.monotonic()
                on_progress(total - len(lacking), total)
        rehashing.put(database, number, batch, blocks_per_row)
        on_progress(total - len(lacking), total)
        missing = rehashing.finish(
            database, number, forget=forget_missing, sides=fingerprinter.hashes_sides
        )
    return RehashResult(
        name, fingerprinter.name, fingerprinter.digest, total, tuple(missing), forget_missing
    )


def _hash_wanted(
    lacking: dict[str, Recording], path: Path, hashed: Callable[[Request], Fingerprint]
) -> Fingerprint | None:
    """Hash a file that holds the bytes of a recording; None for any other file."""
    try:
        with opened_file(path) as file:
            identity = Identity.of(file.file)
        recording = lacking.get(identity.sha256)
        if recording is None:
            return None
        selection = recording.media.selection if recording.media else DEFAULT
        return hashed(Request(path, selection, identity))
    except InterruptedHashingError:
        raise  # the file may be sound: its recording must not be deleted
    except AudioError:
        return None
