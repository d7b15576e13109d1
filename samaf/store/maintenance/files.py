"""New files of an administrator: backups and exports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from samaf.errors import StoreError
from samaf.files import atomic


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Give a temporary name beside a file to come; what was written there gets its name.

    Raises
    ------
    StoreError
        The file exists already, or its folder cannot be written.
    """
    try:
        if path.exists():
            raise StoreError(f"{path}: exists already; give another name")
        with atomic(path, durable=True) as temporary:
            temporary.touch(exist_ok=False)
            try:
                yield temporary
            finally:
                for left in ("-journal", "-wal", "-shm"):  # by SQLite
                    temporary.with_name(temporary.name + left).unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be written ({error.strerror}); name a file in a folder with room "
            "that you may write to"
        ) from error
