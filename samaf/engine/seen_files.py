"""What is known of the files of watched folders, so that a restart does not read them again.

It is a cache: without it, or when it cannot be written, each file is read once more.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from samaf.index.cache import cache_folder
from samaf.store import Store
from samaf.text import printable

FILE = "watched.sqlite"
TABLE = """
    CREATE TABLE IF NOT EXISTS files (
        path BLOB PRIMARY KEY, size INTEGER, mtime_ns INTEGER, sha256 TEXT
    ) WITHOUT ROWID
"""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A file when it was added.

    Attributes
    ----------
    state
        Its size in bytes and its time of change in ns.
    sha256
        Of its bytes; empty where it could not be used.
    """

    state: tuple[int, int]
    sha256: str


class SeenFiles:
    """The files that are known, by path; made by `seen_files`."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.execute(TABLE)
        self._known = {
            Path(os.fsdecode(path)): SeenFile((size, mtime), digest)
            for path, size, mtime, digest in database.execute("SELECT * FROM files")
        }

    def below(self, top: Path) -> dict[Path, SeenFile]:
        """Give the files below a folder."""
        start = os.path.join(top, "")
        return {
            path: seen for path, seen in self._known.items() if os.fspath(path).startswith(start)
        }

    def get(self, path: Path) -> SeenFile | None:
        """Give a file, if it is known."""
        return self._known.get(path)

    def put(self, path: Path, seen: SeenFile) -> None:
        """Note a file."""
        self._known[path] = seen
        self._write("REPLACE INTO files VALUES (?, ?, ?, ?)", path, *seen.state, seen.sha256)

    def forget(self, path: Path) -> None:
        """Note that a file is gone."""
        self._known.pop(path, None)
        self._write("DELETE FROM files WHERE path = ?", path)

    def _write(self, statement: str, path: Path, *values: object) -> None:
        try:
            self._database.execute(statement, (os.fsencode(path), *values))
        except sqlite3.Error as error:
            _log.warning(
                "%s cannot be written (%s); files are read again after a restart", FILE, error
            )


@contextmanager
def seen_files(store: Store, root: Path | None) -> Iterator[SeenFiles]:
    """Open the files that are known of a store; in memory where the cache cannot be used.

    Parameters
    ----------
    root
        The folder of all caches; None is the one in the user's cache folder.
    """
    with closing(_opened(cache_folder(store, "", root))) as database:
        yield SeenFiles(database)


def _opened(folder: Path) -> sqlite3.Connection:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Each statement is a transaction of its own.
        database = sqlite3.connect(folder / FILE, isolation_level=None)
        try:
            database.execute("PRAGMA synchronous=OFF")  # a cache
            database.execute(TABLE)
            return database
        except sqlite3.DatabaseError:
            database.close()
            (folder / FILE).unlink()
            return sqlite3.connect(folder / FILE, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        _log.warning("%s: cannot be written (%s)", printable(folder), error)
        return sqlite3.connect(":memory:", isolation_level=None)
