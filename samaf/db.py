"""The verbs of ``samaf db`` as plain Python: what an administrator does with a whole store.

>>> from samaf import db
>>> db.backup("evidence.db", "evidence.backup")  # doctest: +SKIP
>>> list(db.verify("evidence.db"))  # doctest: +SKIP
[]

All raise `samaf.errors.StoreError`, one line with the way out. ``url`` is a file, a
``mysql://`` or ``mariadb://`` URL, or None for SAMAF_DB or the user's own store;
``on_progress`` is called with what is done and what there is to do.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Generator, Iterator
from pathlib import Path

from samaf.audio import audio_files
from samaf.audio.source import opened as opened_file
from samaf.audio.source import sha256
from samaf.engine.engine import Engine
from samaf.engine.engine import open as open_engine
from samaf.engine.fingerprint import hash_file
from samaf.errors import AudioError, StoreError
from samaf.media import DEFAULT
from samaf.records import Codes, Recording
from samaf.status import AuditCheck, AuditEntry
from samaf.store import SchemaStatus, Store, status, upgrade
from samaf.store import downgrade as downgrade_schema
from samaf.store.maintenance.backup import Backup, restore
from samaf.store.maintenance.backup import back_up as backup
from samaf.store.maintenance.checking import check
from samaf.store.maintenance.copying import CopyResult, copy
from samaf.store.maintenance.dialects import Setting
from samaf.store.maintenance.exchange import ExportResult, export, import_
from samaf.store.maintenance.grants import grant_sql
from samaf.store.maintenance.merging import MergeResult, merge
from samaf.store.maintenance.opening import opened
from samaf.store.maintenance.transfer import Progress, no_progress
from samaf.store.maintenance.upkeep import PruneResult, VacuumResult, prune, vacuum
from samaf.store.maintenance.verification import Fault
from samaf.store.maintenance.verification import verify as verify_store
from samaf.text import printable

__all__ = [
    "Backup",
    "CopyResult",
    "ExportResult",
    "Fault",
    "MergeResult",
    "PruneResult",
    "SchemaStatus",
    "Setting",
    "VacuumResult",
    "audit",
    "audit_verify",
    "backup",
    "check",
    "copy",
    "downgrade",
    "export",
    "grant_sql",
    "import_",
    "merge",
    "prune",
    "restore",
    "status",
    "upgrade",
    "vacuum",
    "verify",
]


def downgrade(url: str | None, revision: str) -> SchemaStatus:
    """Take a store back to an older schema, for an older samaf.

    What the older schema has no place for is dropped; see ``migrations/versions``.

    Raises
    ------
    StoreError
        The revision is unknown or newer than the store's.
    """
    current = status(url)
    if not revision.isdecimal() or revision > current.schema:
        raise StoreError(
            f"{current.url}: is of schema {current.schema or 'none'} and cannot go back to "
            f"{revision!a}; give an older one, four digits"
        )
    return downgrade_schema(url, revision)


def audit(url: str | None = None) -> Iterator[AuditEntry]:
    """Yield all entries of a store's audit log, the oldest first."""
    with Store.open(url, create=False) as store:
        yield from store.audit()


def audit_verify(url: str | None = None) -> AuditCheck:
    """Compute the hashes of a store's audit log again, and tell the first broken entry."""
    with Store.open(url, create=False) as store:
        return store.check_audit()


def verify(
    url: str | None = None,
    *,
    audio: Path | None = None,
    model: str | None = None,
    on_progress: Progress = no_progress,
) -> Generator[Fault, None, int]:
    """Yield everything that is wrong with a store; see
    `samaf.store.maintenance.verification.verify`.

    Parameters
    ----------
    audio
        A folder: its files must still be what was stored, byte for byte and hash for hash.
    model
        Name or file of the store's model, where it is not one of this program.

    Returns
    -------
    int
        How many recordings were compared with their files.

    Raises
    ------
    StoreError, AudioError, FingerprinterError
        There is no such store, folder or model.
    """
    if audio is None:
        with opened(url) as database:
            yield from verify_store(database, on_progress)
        return 0
    files = list(audio_files([audio]))
    with open_engine(url, model=model, create=False) as engine:
        _ = engine.fingerprinter  # a model that does not fit is refused at once
        with opened(url) as database:
            yield from verify_store(database, on_progress)
        return (yield from _audio(engine, audio, files, on_progress))


def _audio(
    engine: Engine, folder: Path, files: list[Path], on_progress: Progress
) -> Generator[Fault, None, int]:
    """Compare files with what is stored of them; files that never were are passed over."""
    stored = _stored_below(engine.store, folder)
    checked = {_real(file): file for file in files}
    # Files with an unknown suffix were added by name.
    checked |= {path: Path(path) for path in stored if path not in checked and os.path.exists(path)}
    digests: dict[str, str] = {}
    seen: set[int] = set()
    for number, (path, file) in enumerate(checked.items(), 1):
        try:
            with opened_file(file) as source:
                digests[path] = sha256(source.file)
            if recording := engine.store.find(digests[path]):
                seen.add(recording.recording_id)
                if what := _difference(engine, file, recording):
                    remedy = f"run `samaf delete {recording.recording_id}` and `samaf add {path}`"
                    yield Fault("file", path, what, remedy)
        except AudioError as error:
            # An empty file that no recording was made of is none of the store's.
            if path in stored or not _is_empty(file):
                yield Fault("file", path, str(error), "bring the file back from a copy")
        on_progress(number, len(checked))
    for path, recordings in stored.items():
        for recording in recordings:
            which = f"recording {recording.recording_id}"
            if recording.recording_id in seen:
                continue
            if path not in checked:
                what = f"is gone; {which} was made of it"
                yield Fault("file", path, what, "bring it back; its hashes still serve")
            elif path in digests:
                what = f"is not what {which} was made of: its SHA-256 is {digests[path]}"
                yield Fault("file", path, what, "bring the file back, or add it as another one")
    return len(seen)


def _stored_below(store: Store, folder: Path) -> dict[str, list[Recording]]:
    """Return the recordings whose files lie, or lay, below a folder, by path."""
    stored: dict[str, list[Recording]] = defaultdict(list)
    given, real = printable(os.path.abspath(folder)), _real(folder)
    for recording in store.recordings():
        path = _real(recording.path) if os.path.isabs(recording.path) else ""
        if _is_below(path, real) or _is_below(recording.path, given):
            stored[path].append(recording)
    return stored


def _is_empty(file: Path) -> bool:
    try:
        return not file.stat().st_size
    except OSError:
        return False


def _is_below(path: str, folder: str) -> bool:
    return os.path.join(path, "").startswith(os.path.join(folder, ""))


def _real(path: str | os.PathLike[str]) -> str:
    """Give the one path of a file to which symbolic links may lead on others."""
    try:
        return printable(os.path.realpath(path))
    except ValueError:  # a zero byte, say: no file can have this name
        return str(path)


def _difference(engine: Engine, file: Path, recording: Recording) -> str:
    """Hash a file again and say how that differs from what is stored; nothing when alike."""
    fingerprinter = engine.fingerprinter
    media = recording.media
    fresh = hash_file(file, fingerprinter, media.selection if media else DEFAULT).hashes
    try:
        old = engine.store.hashes(recording.recording_id)
    except StoreError as error:
        return f"cannot be compared ({error})"
    if media is None and old.streams < fresh.streams:  # sides were not hashed once
        size = len(fresh) // fresh.streams
        fresh = Codes(fresh.packed[:size], fresh.informative[:size])
    if len(fresh) != len(old):
        return f"gives {len(fresh)} hashes, and {len(old)} are stored"
    what = fingerprinter.difference(fresh, old)
    return f"{what} from what is stored" if what else ""
