r"""A whole store in one file, and back.

A backup is an SQLite file with the tables of a store of the schema that was current, and
behind the database one line: the format and the SHA-256 of all bytes before it. SQLite
passes over that line, so any SQLite program can look into a backup, and every samaf that
can upgrade the schema can restore it, on either engine.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Connection, delete, func, select, update

from samaf.errors import StoreError
from samaf.store import schema
from samaf.store.audit import Act, append, this_author
from samaf.store.database import Database
from samaf.store.maintenance.files import new_file
from samaf.store.maintenance.opening import opened
from samaf.store.maintenance.transfer import (
    Progress,
    no_progress,
    pages,
    put_fingerprinters,
    put_log,
    put_recordings,
    store_row,
    total_hashes,
    understood,
)
from samaf.store.migration import current_schema, prepare, upgrade
from samaf.store.statements import begin_change, bound

FORMAT = 1
_SEAL = "\nsamaf backup {:>4} sha256 {}\n"
_SEAL_BYTES = len(_SEAL.format(FORMAT, "0" * 64))
_BLOCK = 1 << 20  # bytes read at once


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was written or restored.

    Attributes
    ----------
    url
        The store, without password.
    path
        The file.
    recordings, hashes
        How many it holds.
    revision
        The store's revision.
    bytes
        Size of the file.
    sha256
        SHA-256 of the file without its last line; what that line says.
    """

    url: str
    path: str
    recordings: int
    hashes: int
    revision: int
    bytes: int
    sha256: str


def back_up(url: str | None, path: Path, on_progress: Progress = no_progress) -> Backup:
    """Write a store, as it is at one moment, to a new file; others may read and write it.

    Raises
    ------
    StoreError
        The file exists or cannot be written, or the store cannot be read.
    """
    with opened(url) as source, new_file(path) as temporary, source.snapshot() as connection:
        store = store_row(connection)
        with _file(temporary) as target:
            prepare(target, create=True, blocks_per_row=store.blocks_per_row)
            # One file without companions, complete at the last commit.
            target.bare("PRAGMA journal_mode = DELETE")

            def fill(to: Connection) -> tuple[int, int]:
                to.execute(update(schema.store).values(**store._mapping))
                return _fill(connection, to, on_progress)

            recordings, hashes = target.write(fill)
        digest = _seal(temporary)
        size = temporary.stat().st_size
    return Backup(source.name, str(path), recordings, hashes, store.revision, size, digest)


def restore(
    url: str | None, path: Path, *, replace: bool = False, on_progress: Progress = no_progress
) -> Backup:
    """Fill a store with a backup: all of it or nothing.

    The store keeps its own id, so that indexes of the store that the backup is of are not
    taken for its own. The audit log of the backup is taken over where there is none yet;
    the restoring is logged in it.

    Parameters
    ----------
    replace
        Whether to throw away the recordings that the store holds.

    Raises
    ------
    StoreError
        The file is damaged or no backup, or the store is not empty.
    """
    digest = _unsealed(path)
    with _upgraded(path) as file, file.snapshot() as source:
        with understood(str(path)):
            store = store_row(source)
            totals = _totals(source)
        with opened(url, create=True) as target, understood(str(path)):
            act = Act(
                "restore",
                digest,
                str(path.absolute()),
                {"recordings": totals[0], "revision": store.revision},
            )

            def fill(to: Connection) -> int:
                revision = _empty(target, to, replace)
                to.execute(
                    update(schema.store).values(
                        # An index of what was here before is older than the log.
                        revision=max(revision, store.revision) if revision else store.revision,
                        log_start=revision or store.log_start,
                        last_recording_id=store.last_recording_id,
                        blocks_per_row=store.blocks_per_row,
                        created_at=store.created_at,
                    )
                )
                _fill(source, to, on_progress)
                owner = bound(to)
                fingerprinter = owner[1].digest if owner else ""
                append(to, this_author(target.dialect.user(to), fingerprinter), [act])
                return int(to.execute(select(schema.store.c.revision)).scalar_one())

            revision = target.write(fill)
    size = path.stat().st_size
    return Backup(target.name, str(path), *totals, revision, size, digest)


def _fill(source: Connection, target: Connection, on_progress: Progress) -> tuple[int, int]:
    """Write everything but the table ``store``; return recordings and hashes."""
    total = total_hashes(source)
    recordings = hashes = 0
    put_fingerprinters(source, target)
    for page in pages(source):
        put_recordings(source, target, page)
        recordings += len(page)
        hashes += sum(row.hash_count for row in page)
        on_progress(hashes, total)
    put_log(source, target, schema.deletions)
    # The chain of a log that has entries cannot be joined with another.
    if target.execute(select(schema.audit.c.id).limit(1)).first() is None:
        put_log(source, target, schema.audit)
    return recordings, hashes


def _totals(connection: Connection) -> tuple[int, int]:
    count = connection.execute(select(func.count()).select_from(schema.recordings)).scalar_one()
    return int(count), total_hashes(connection)


def _empty(target: Database, connection: Connection, replace: bool) -> int:
    """Make sure that a store is empty; return its new revision, 0 for one never written to."""
    revision, last_id = begin_change(connection)
    count = connection.execute(select(func.count()).select_from(schema.recordings)).scalar_one()
    if count and not replace:
        raise StoreError(
            f"{target.name}: holds {count:,} recordings; restore into another store, or throw "
            "them away with --replace"
        )
    for table in (schema.recordings, schema.deletions, schema.fingerprinters):
        connection.execute(delete(table))
    return revision if revision > 1 else 0


# --- the file --------------------------------------------------------------------------


@contextmanager
def _file(path: Path) -> Iterator[Database]:
    database = Database(URL.create("sqlite", database=str(path)))
    try:
        yield database
    finally:
        database.close()


def _seal(path: Path) -> str:
    """Add the last line to a database file and return the digest in it."""
    digest = _digest(path, path.stat().st_size)
    with path.open("ab") as file:
        file.write(_SEAL.format(FORMAT, digest).encode())
    return digest


def _unsealed(path: Path) -> str:
    """Return the digest of a backup after having compared it with all bytes."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            file.seek(max(0, size - _SEAL_BYTES))
            seal = file.read().decode("ascii", "replace")
        match = re.fullmatch(r"\nsamaf backup +(\d+) sha256 ([0-9a-f]{64})\n", seal)
        if not match:
            raise StoreError(f"{path}: no backup of samaf, or cut off; give a whole one")
        if int(match[1]) > FORMAT:
            raise StoreError(f"{path}: a backup of format {match[1]}; update samaf")
        if _digest(path, size - _SEAL_BYTES) != match[2]:
            raise StoreError(f"{path}: was changed after it was written; take another backup")
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    return match[2]


def _digest(path: Path, length: int) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while length and (block := file.read(min(_BLOCK, length))):
            digest.update(block)
            length -= len(block)
    return digest.hexdigest()


@contextmanager
def _upgraded(path: Path) -> Iterator[Database]:
    """Open a backup; one of an older schema is upgraded in a temporary copy."""
    with _file(path.absolute()) as database:
        current = database.read(current_schema(database))
        if current > schema.NEWEST:
            raise StoreError(f"{path}: its schema {current} is of a newer samaf; update samaf")
        if current == schema.NEWEST:
            yield database
            return
    with tempfile.TemporaryDirectory() as folder:
        try:
            copy = Path(shutil.copyfile(path, Path(folder) / "backup.db"))
        except OSError as error:
            raise StoreError(
                f"{folder}: no room to upgrade {path} ({error.strerror}); set TMPDIR to a folder "
                "with room"
            ) from None
        upgrade(str(copy))
        with _file(copy) as database:
            yield database
