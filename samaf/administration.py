"""The verbs of ``samaf db`` as plain Python: what an administrator does with a whole store.

>>> from samaf import administration
>>> administration.db_backup("evidence.db", "evidence.backup")  # doctest: +SKIP
>>> list(administration.db_verify("evidence.db"))  # doctest: +SKIP
[]

All raise `samaf.errors.StoreError`, one line with the way out. ``url`` is a file, a
``mysql://`` or ``mariadb://`` URL, or None for SAMAF_DB or the user's own store;
``progress`` is called with what is done and what there is to do.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from samaf import engine as engines
from samaf.audio import audio_files, printable, read
from samaf.audio.source import opened as opened_file
from samaf.audio.source import sha256
from samaf.engine import Engine
from samaf.errors import AudioError, StoreError
from samaf.records import AuditCheck, AuditEntry, Recording
from samaf.store import SchemaStatus, Store, downgrade
from samaf.store import status as db_status
from samaf.store import upgrade as db_upgrade
from samaf.store.administration.backup import Backup
from samaf.store.administration.backup import back_up as db_backup
from samaf.store.administration.backup import restore as db_restore
from samaf.store.administration.checking import check as db_check
from samaf.store.administration.copying import Copied
from samaf.store.administration.copying import copy as db_copy
from samaf.store.administration.engines import Setting
from samaf.store.administration.exchange import Exported
from samaf.store.administration.exchange import export as db_export
from samaf.store.administration.exchange import import_ as db_import
from samaf.store.administration.grants import grant_sql as db_grant_sql
from samaf.store.administration.merging import Taken
from samaf.store.administration.merging import merge as db_merge
from samaf.store.administration.opening import opened
from samaf.store.administration.transfer import Progress, no_progress
from samaf.store.administration.upkeep import Pruned, Vacuumed
from samaf.store.administration.upkeep import prune as db_prune
from samaf.store.administration.upkeep import vacuum as db_vacuum
from samaf.store.administration.verification import Fault, verify

__all__ = [
    "Backup",
    "Copied",
    "Exported",
    "Fault",
    "Pruned",
    "SchemaStatus",
    "Setting",
    "Taken",
    "Vacuumed",
    "db_audit",
    "db_audit_verify",
    "db_backup",
    "db_check",
    "db_copy",
    "db_downgrade",
    "db_export",
    "db_grant_sql",
    "db_import",
    "db_merge",
    "db_prune",
    "db_restore",
    "db_status",
    "db_upgrade",
    "db_vacuum",
    "db_verify",
]


def db_downgrade(url: str | None, revision: str) -> SchemaStatus:
    """Take a store back to an older schema, for an older samaf.

    What the older schema has no place for is dropped; see ``migrations/versions``.

    Raises
    ------
    StoreError
        The revision is unknown or newer than the store's.
    """
    found = db_status(url)
    if not revision.isdecimal() or revision > found.found:
        raise StoreError(
            f"{found.url}: is of schema {found.found or 'none'} and cannot go back to "
            f"{revision!a}; give an older one, four digits"
        )
    return downgrade(url, revision)


def db_audit(url: str | None = None) -> Iterator[AuditEntry]:
    """Yield all entries of a store's audit log, the oldest first."""
    with Store.open(url, create=False) as store:
        yield from store.audit()


def db_audit_verify(url: str | None = None) -> AuditCheck:
    """Compute the hashes of a store's audit log again, and tell the first broken entry."""
    with Store.open(url, create=False) as store:
        return store.check_audit()


def db_verify(
    url: str | None = None,
    *,
    audio: Path | None = None,
    model: str | None = None,
    progress: Progress = no_progress,
) -> Iterator[Fault]:
    """Yield everything that is wrong with a store; see `samaf.store.administration.verify`.

    Parameters
    ----------
    audio
        A folder: its files must still be what was stored, byte for byte and hash for hash.
    model
        Name or file of the store's model, where it is not one of this program.

    Raises
    ------
    StoreError, AudioError, FingerprinterError
        There is no such store, folder or model.
    """
    files = list(audio_files([audio])) if audio else []
    with opened(url) as database:
        yield from verify(database, progress)
    if audio:
        with engines.open(url, model=model, create=False) as engine:
            yield from _audio(engine, audio, files, progress)


def _audio(engine: Engine, folder: Path, files: list[Path], progress: Progress) -> Iterator[Fault]:
    """Compare files with what is stored of them; files that never were are passed over."""
    root = os.path.join(printable(folder.absolute()), "")
    stored = {
        each.path: each.recording_id
        for each in engine.store.recordings()
        if each.path.startswith(root)
    }
    found = {printable(file.absolute()): file for file in files}
    # Files with an unknown suffix were added by name.
    found |= {path: Path(path) for path in stored if path not in found and os.path.exists(path)}
    seen = set()
    for number, (path, file) in enumerate(found.items(), 1):
        try:
            with opened_file(file) as source:
                digest = sha256(source.file)
            if recording := engine.store.find(digest):
                seen.add(recording.recording_id)
                if what := _difference(engine, file, recording):
                    remedy = f"run `samaf delete {recording.recording_id}` and `samaf add {path}`"
                    yield Fault("file", path, what, remedy)
            elif path in stored:
                what = f"is not what recording {stored[path]} was made of: its SHA-256 is {digest}"
                yield Fault("file", path, what, "bring the file back, or add it as another one")
        except AudioError as error:
            yield Fault("file", path, str(error), "bring the file back from a copy")
        progress(number, len(found))
    for path, recording_id in stored.items():
        if path not in found and recording_id not in seen:
            what = f"is gone; recording {recording_id} was made of it"
            yield Fault("file", path, what, "bring it back; its hashes still serve")


def _difference(engine: Engine, file: Path, recording: Recording) -> str:
    """Hash a file again and say how that differs from what is stored; nothing when alike."""
    fingerprinter = engine.fingerprinter
    with read(file, fingerprinter.rate) as audio:
        fresh = fingerprinter.hashes(audio.chunks(), audio.sha256)
    old = engine.store.hashes(recording.recording_id)
    if len(fresh) != len(old):
        return f"gives {len(fresh)} hashes, and {len(old)} are stored"
    what = fingerprinter.difference(fresh, old)
    return f"{what} from what is stored" if what else ""
