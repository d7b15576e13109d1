"""The index on disk: raw arrays beside a JSON header, never out of date.

A folder for each store and fingerprinter holds ``hashes-N.bin`` (uint8 rows, appended
to), ``table-N.bin`` (int64 rows: recording id, first row, count, side) and ``header.json``,
which names both, holds the version of the store and checksums. Rows that a header counts
are never written again, and the header is replaced last, so a reader sees the old state or the
new one. All of it can be deleted.
"""

from __future__ import annotations

import errno
import json
import os
import re
import zlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from samaf.errors import IndexCacheError
from samaf.files import atomic
from samaf.index.table import HashTable, table_of_codes
from samaf.status import StoreVersion
from samaf.store import Store

FORMAT = 4
DEAD_SHARE = 0.25  # of rows whose recording is gone; beyond that the file is rewritten
COLUMNS = 4  # of the table
TABLE_LINE = 8 * COLUMNS  # bytes
CHECK_BYTES = 8 << 20  # read at once for checksums
ATTEMPTS = 5  # to open files that another process may just be replacing
UNWRITABLE = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


@dataclass(frozen=True, slots=True)
class Header:
    """What the header file says."""

    store_id: str
    digest: str
    width: int
    revision: int
    log_entry: int
    log_hash: str
    rows: int
    hashes_file: str
    hashes_crc32: int
    hashes_mtime_ns: int
    table_file: str
    table_crc32: int
    format: int = FORMAT

    @property
    def version(self) -> StoreVersion:
        """The version of the store that the files show."""
        return StoreVersion(self.revision, (self.log_entry, self.log_hash))


def cache_folder(store: Store, digest: str, root: Path | None = None) -> Path:
    """Give the folder of one store and fingerprinter, by default in the user's cache."""
    if root is None:
        import platformdirs

        root = Path(platformdirs.user_cache_dir("samaf"))
    return root / store.store_id / digest[:16]


def open_cached(store: Store, digest: str, width: int, root: Path | None = None) -> HashTable:
    """Open the index of a store at its newest revision, catching up first if needed.

    Where the cache folder cannot be written, the index is built in memory.

    Parameters
    ----------
    width
        Bytes of a hash.
    root
        Folder of all indexes; by default the user's cache folder.

    Raises
    ------
    IndexCacheError
        The cache lies on a full disk.
    """
    folder = cache_folder(store, digest, root)
    empty = Header(store.store_id, digest, width, 0, 0, "", 0, "", 0, 0, "", 0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for attempt in range(ATTEMPTS):
            try:
                return _open(folder, _current(store, folder, empty))
            except FileNotFoundError:
                # Another process brought the cache to a newer revision in between.
                if attempt == ATTEMPTS - 1:
                    raise
    except OSError as error:
        if error.errno in UNWRITABLE:
            return _in_memory(store, width)
        raise _fault(folder, error) from None
    raise AssertionError("the last attempt returns or raises")


def rebuild(store: Store, digest: str, width: int, root: Path | None = None) -> HashTable:
    """Delete the cache of a store and rebuild it.

    Raises
    ------
    IndexCacheError
        The cache cannot be written.
    """
    folder = cache_folder(store, digest, root)
    try:
        (folder / "header.json").unlink(missing_ok=True)
    except OSError as error:
        raise _fault(folder, error) from None
    return open_cached(store, digest, width, root)


def read_header(folder: Path) -> Header | None:
    """Read the header; none when there is no cache, a damaged one or one of another format."""
    try:
        header = Header(**json.loads((folder / "header.json").read_text()))
    except (FileNotFoundError, PermissionError, ValueError, TypeError, RecursionError):
        return None
    numbers = (header.width, header.revision, header.log_entry, header.rows, header.hashes_mtime_ns)
    names = (header.hashes_file, header.table_file)
    sound = (
        header.format == FORMAT
        and all(type(number) is int and 0 <= number < 1 << 62 for number in numbers)
        and type(header.log_hash) is str
        and all(re.fullmatch(r"(hashes|table)-\d+\.bin", str(name)) for name in names)
    )
    return header if sound else None


def verify(folder: Path, header: Header) -> bool:
    """Tell whether both files are what the header says, byte for byte."""
    try:
        crc = _crc32(folder / header.hashes_file, header.rows * header.width)
        return crc == header.hashes_crc32 and _table_fits(folder / header.table_file, header)
    except OSError:
        return False


def _current(store: Store, folder: Path, empty: Header) -> Header:
    """Give the header at the store's newest revision, updating the files if needed."""
    import filelock

    header = read_header(folder)
    if (
        header is None
        or not _belongs(header, empty)
        or not store.is_at(header.version)
        or not _plausible(folder, header)
    ):
        with filelock.FileLock(folder / "lock"):
            header = _catch_up(store, folder, empty)
    return header


def _belongs(header: Header, empty: Header) -> bool:
    """Check that a header is of the wanted store, fingerprinter and hash length."""
    return (header.store_id, header.digest, header.width) == (
        empty.store_id,
        empty.digest,
        empty.width,
    )


def _plausible(folder: Path, header: Header) -> bool:
    """Check the table, and the hashes if they were written to since the header was."""
    hashes, table = folder / header.hashes_file, folder / header.table_file
    if not hashes.is_file() or not table.is_file():
        return False
    status = hashes.stat()
    if status.st_mtime_ns != header.hashes_mtime_ns:
        return verify(folder, header)
    return status.st_size >= header.rows * header.width and _table_fits(table, header)


def _table_fits(path: Path, header: Header) -> bool:
    """Check that a table is the header's, and that its lines point to rows that are there."""
    if path.stat().st_size % TABLE_LINE or _crc32(path, None) != header.table_crc32:
        return False
    _, starts, counts, _ = np.fromfile(path, np.int64).reshape(-1, COLUMNS).T
    return bool(((starts >= 0) & (counts >= 0) & (starts <= header.rows - counts)).all())


def _open(folder: Path, header: Header) -> HashTable:
    table = np.fromfile(folder / header.table_file, np.int64).reshape(-1, COLUMNS)
    shape = (header.rows, header.width)
    hashes: np.ndarray = np.empty(shape, np.uint8)
    if header.rows:
        hashes = np.memmap(folder / header.hashes_file, np.uint8, "r", shape=shape)
    ids, starts, counts, sides = table.T
    return HashTable(hashes, ids, starts, counts, header.version, sides)


def _catch_up(store: Store, folder: Path, empty: Header) -> Header:
    """Bring the files to the store's newest revision; the lock is held."""
    header = read_header(folder)
    if (
        header is None
        or not _belongs(header, empty)
        or not store.continues(header.version)
        or not verify(folder, header)
    ):
        header = empty
    changes = store.changes(header.revision)
    if not changes.since_revision:
        header = replace(empty, hashes_file=_fresh(folder, "hashes"))
        (folder / header.hashes_file).touch()
        table = np.empty((0, COLUMNS), np.int64)
    else:
        table = np.fromfile(folder / header.table_file, np.int64).reshape(-1, COLUMNS)
    table = table[~np.isin(table[:, 0], changes.deleted)]
    if table[:, 2].sum() < (1 - DEAD_SHARE) * header.rows:
        header, table = _compacted(folder, header, table)
    rows, crc = header.rows, header.hashes_crc32
    added = []
    with (folder / header.hashes_file).open("r+b") as file:
        # A killed process may have written beyond the rows that its header counts.
        file.truncate(rows * header.width)
        file.seek(0, os.SEEK_END)
        for recording_id, hashes in changes.added:
            packed = np.ascontiguousarray(hashes.packed)
            file.write(packed.data)
            crc = zlib.crc32(packed.data, crc)
            size = len(packed) // hashes.streams
            for side in range(hashes.streams):
                added.append((recording_id, rows, size, side))
                rows += size
        _write_through(file)
        written = os.fstat(file.fileno()).st_mtime_ns
    content = np.concatenate([table, np.array(added, np.int64).reshape(-1, COLUMNS)]).tobytes()
    new = replace(
        header,
        revision=changes.version.revision,
        log_entry=changes.version.log_head[0],
        log_hash=changes.version.log_head[1],
        rows=rows,
        hashes_crc32=crc,
        hashes_mtime_ns=written,
        table_file=_fresh(folder, "table"),
        table_crc32=zlib.crc32(content),
    )
    with (folder / new.table_file).open("wb") as file:
        file.write(content)
        _write_through(file)
    with atomic(folder / "header.json") as temporary:
        temporary.write_text(json.dumps(asdict(new), indent=1))
    for old in folder.glob("*-*.bin"):
        if old.name not in {new.hashes_file, new.table_file}:
            old.unlink(missing_ok=True)
    return new


def _write_through(file: BinaryIO) -> None:
    """Have the bytes on the disk before a header counts them, in case of a power cut."""
    file.flush()
    os.fsync(file.fileno())


def _compacted(folder: Path, header: Header, table: np.ndarray) -> tuple[Header, np.ndarray]:
    """Write the rows that are still in use to a new file."""
    name = _fresh(folder, "hashes")
    shape = (header.rows, header.width)
    old = np.memmap(folder / header.hashes_file, np.uint8, "r", shape=shape)
    crc, rows, moved = 0, 0, table.copy()
    with (folder / name).open("wb") as file:
        for line, (_, start, count, _) in enumerate(table.tolist()):
            part = np.ascontiguousarray(old[start : start + count])
            file.write(part.data)
            crc = zlib.crc32(part.data, crc)
            moved[line, 1] = rows
            rows += count
    return replace(header, hashes_file=name, hashes_crc32=crc, rows=rows), moved


def _fresh(folder: Path, kind: str) -> str:
    """Give a file name that is not taken: others may still be reading the old files."""
    taken = (re.fullmatch(rf"{kind}-(\d+)\.bin", path.name) for path in folder.iterdir())
    return f"{kind}-{max((int(match[1]) for match in taken if match), default=0) + 1}.bin"


def _in_memory(store: Store, width: int) -> HashTable:
    changes = store.changes(0)
    return table_of_codes(changes.added, width, changes.version)


def _crc32(path: Path, length: int | None) -> int:
    crc, left = 0, path.stat().st_size if length is None else length
    with path.open("rb") as file:
        while left and (block := file.read(min(CHECK_BYTES, left))):
            crc = zlib.crc32(block, crc)
            left -= len(block)
    return crc if not left else -1


def _fault(folder: Path, error: OSError) -> IndexCacheError:
    return IndexCacheError(
        f"{folder}: the index cannot be written ({error.strerror}); free space or set "
        "XDG_CACHE_HOME to another folder"
    )
