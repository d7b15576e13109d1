"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def atomic(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """Give a temporary path beside a file; what was written there takes the file's place.

    A reader sees the old file or the new one. Where the ``with`` is left by an exception, the
    temporary file goes and the old one stays. Errors of the system (`OSError`) pass through: the
    caller knows what to advise.

    Parameters
    ----------
    durable
        Have the bytes on the disk before the file has its name: a power cut may come.

    Examples
    --------
    >>> with atomic(Path("picture.png")) as temporary:  # doctest: +SKIP
    ...     temporary.write_bytes(image)
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield temporary
        if durable:
            _sync(temporary)
        temporary.replace(path)
        if durable:
            _sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def save_arrays(path: Path, **arrays: Any) -> None:
    """Write an npz archive of arrays, whole or not at all; see `atomic`."""
    import numpy as np

    with atomic(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)


def _sync(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
