"""Files that are there in full or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.errors import BenchmarkError


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Give a temporary path that becomes ``path`` when all goes well.

    Folders are made as needed.

    Raises
    ------
    BenchmarkError
        The file cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        reason = error.strerror or error  # NumPy's short writes have no strerror
        raise BenchmarkError(
            f"{path}: cannot be written ({reason}); free space or name another folder"
        ) from None
