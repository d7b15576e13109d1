"""Which files of a folder hold audio."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

from samaf.errors import AudioError
from samaf.text import printable

AUDIO_SUFFIXES = frozenset(
    ".wav .flac .mp3 .ogg .oga .opus .m4a .aac .mp4 .m4v .mov .mkv .mka .webm .avi .amr .3gp .gsm"
    " .wma .aif .aiff .au .caf .w64".split()
)


def audio_files(paths: Iterable[str | os.PathLike[str]]) -> Iterator[Path]:
    """Yield files as named, and below folders all files with a known suffix, in name order.

    Links to folders are followed; each folder is searched once.

    Raises
    ------
    AudioError
        A path does not exist, or a folder may not be read.
    """
    for given in paths:
        path = Path(given)
        if _is_folder(path):
            yield from _below(path)
        else:
            yield path


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, ValueError):  # a zero byte in the name
        raise AudioError(f"{printable(path)}: no such file or folder; check the path") from None
    except OSError as error:
        raise AudioError(f"{printable(path)}: {error.strerror}; check the path") from None


def _below(top: Path) -> Iterator[Path]:
    searched: set[str] = set()
    for folder, folders, names in os.walk(top, onerror=_refuse, followlinks=True):
        real = os.path.realpath(folder)
        if real in searched:  # links may go round in a circle
            folders.clear()
            continue
        searched.add(real)
        folders.sort()
        for name in sorted(names):
            if os.path.splitext(name)[1].lower() in AUDIO_SUFFIXES:
                yield Path(folder, name)


def _refuse(error: OSError) -> NoReturn:
    raise AudioError(
        f"{printable(error.filename)}: {error.strerror}; "
        "make the folder readable or name the others"
    )
