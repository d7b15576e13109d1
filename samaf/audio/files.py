"""Which files of a folder hold audio."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from samaf.audio.source import printable
from samaf.errors import AudioError

AUDIO_SUFFIXES = frozenset(
    ".wav .flac .mp3 .ogg .oga .opus .m4a .aac .mp4 .m4v .mov .mkv .mka .webm .avi .amr .3gp .gsm"
    " .wma .aif .aiff .au .caf .w64".split()
)


def audio_files(paths: Iterable[str | os.PathLike[str]]) -> Iterator[Path]:
    """Yield files as named, and below folders all files with a known suffix, in name order.

    Raises
    ------
    AudioError
        A path does not exist.
    """
    for given in paths:
        path = Path(given)
        if path.is_dir():
            for folder, folders, names in os.walk(path):
                folders.sort()
                for name in sorted(names):
                    if os.path.splitext(name)[1].lower() in AUDIO_SUFFIXES:
                        yield Path(folder, name)
        elif path.exists():
            yield path
        else:
            raise AudioError(f"{printable(path)}: no such file or folder; check the path")
