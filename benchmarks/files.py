"""Files that are there in full or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.errors import BenchmarkError
from samaf.files import atomic


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Give a temporary path that becomes ``path`` when all goes well.

    Folders are made as needed.

    Raises
    ------
    BenchmarkError
        The file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic(path) as temporary:
            yield temporary
    except OSError as error:
        reason = error.strerror or error  # NumPy's short writes have no strerror
        raise BenchmarkError(
            f"{path}: cannot be written ({reason}); free space or name another folder"
        ) from None
