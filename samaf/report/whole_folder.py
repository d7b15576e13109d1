"""Folders that are there whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from samaf.errors import ReportError
from samaf.text import printable


def check_new(folder: Path) -> None:
    """Raise `ReportError` where there is a file, or a folder that holds something."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ReportError(
            f"{printable(folder)}: is there already; give a folder that is new or empty"
        )


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Give a temporary folder that takes the place of one that is new or empty.

    It goes where the ``with`` is left by an exception.

    Raises
    ------
    ReportError
        The folder holds something already, or cannot be written.
    """
    name = printable(folder)
    check_new(folder)
    temporary = folder.absolute().parent / f".{folder.absolute().name}.{os.getpid()}.part"
    try:
        temporary.mkdir(parents=True)
        yield temporary
        if folder.exists():
            folder.rmdir()
        temporary.rename(folder)
    except OSError as error:
        raise ReportError(
            f"{name}: the report cannot be written ({error.strerror or error}); make room for it "
            "or give another folder"
        ) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
