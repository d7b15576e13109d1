"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from samaf.errors import StoreError


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Give a temporary name beside a file to come; what was written there gets its name.

    Raises
    ------
    StoreError
        The file exists already, or its folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if path.exists():
            raise StoreError(f"{path}: exists already; give another name")
        with _removed(temporary):
            temporary.touch(exist_ok=False)
            yield temporary
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be written ({error.strerror}); name a file in a folder with room "
            "that you may write to"
        ) from error


@contextmanager
def _removed(path: Path) -> Iterator[None]:
    """Remove a file, and what SQLite may have left beside it, if it is still there."""
    try:
        yield
    finally:
        for companion in ("", "-journal", "-wal", "-shm"):
            path.with_name(path.name + companion).unlink(missing_ok=True)
