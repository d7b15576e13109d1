"""Which files of a folder hold audio, and what of it is left out."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from samaf.audio.source import existing
from samaf.errors import AudioError
from samaf.text import printable

AUDIO_SUFFIXES = frozenset(
    # speech and music
    ".wav .bwf .rf64 .w64 .flac .mp3 .mp2 .mpga .ogg .oga .opus .spx .m4a .m4b .m4r .aac .wma .amr"
    " .awb .gsm .aif .aiff .aifc .au .snd .caf .wv .ape .tta .tak .ac3 .eac3 .dts .qcp .sph .voc"
    " .sln .al .ul .g722 .3ga .qta .mka .weba"
    # films
    " .mp4 .m4v .mov .qt .mkv .webm .avi .wmv .asf .flv .f4v .3gp .3gpp .3g2 .ts .mts .m2ts .mpg"
    " .mpeg .vob .ogv .mxf .dav".split()
)

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class LeftOut:
    """What lies below folders and is not given.

    Attributes
    ----------
    other_files
        How many files have a suffix that is not known as audio.
    suffixes
        How many of them have each suffix, in small letters; "" for none.
    broken_links
        Links with a suffix of audio that lead nowhere.
    """

    other_files: int = 0
    suffixes: dict[str, int] = field(default_factory=dict)
    broken_links: list[Path] = field(default_factory=list)


def audio_files(
    paths: Iterable[str | os.PathLike[str]], left_out: LeftOut | None = None
) -> Iterator[Path]:
    """Yield files as given, and below folders all files with a known suffix, in name order.

    Links to folders are followed; each folder is searched once. A name that differs from a
    file's in the Unicode form of its accents alone means that file. A link that leads nowhere is
    warned of. What is not given is noted in ``left_out``, complete when all have been taken.

    Raises
    ------
    AudioError
        A path does not exist, or a folder may not be read.
    """
    noted = LeftOut() if left_out is None else left_out
    for given in paths:
        path = existing(Path(given))
        if _is_folder(path):
            yield from _below(path, noted)
        else:
            yield path


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, ValueError):  # a zero byte in the name
        raise AudioError(f"{printable(path)}: no such file or folder; check the path") from None
    except OSError as error:
        raise AudioError(f"{printable(path)}: {error.strerror}; check the path") from None


def _below(top: Path, left_out: LeftOut) -> Iterator[Path]:
    for path in _files(top, _refuse):
        suffix = path.suffix.lower()
        if suffix not in AUDIO_SUFFIXES:
            left_out.other_files += 1
            left_out.suffixes[suffix] = left_out.suffixes.get(suffix, 0) + 1
        elif path.is_symlink() and not path.exists():
            left_out.broken_links.append(path)
            _log.warning("%s: a link that leads nowhere; passed over", printable(path))
        else:
            yield path


def audio_states(top: Path) -> tuple[dict[Path, tuple[int, int]], list[OSError]]:
    """Give size in bytes and time of change in ns of the files that `audio_files` gives.

    Returns
    -------
    The states, and what could not be looked into.
    """
    states: dict[Path, tuple[int, int]] = {}
    errors: list[OSError] = []
    for path in _files(top, errors.append):
        if path.suffix.lower() in AUDIO_SUFFIXES:
            try:
                state = path.stat()
            except FileNotFoundError:  # gone just now, or a link that leads nowhere
                continue
            except OSError as error:
                errors.append(error)
                continue
            if stat.S_ISREG(state.st_mode):
                states[path] = (state.st_size, state.st_mtime_ns)
    return states, errors


def _files(top: Path, on_error: Callable[[OSError], object]) -> Iterator[Path]:
    searched: set[str] = set()
    for folder, folders, names in os.walk(top, onerror=on_error, followlinks=True):
        real = os.path.realpath(folder)
        if real in searched:  # links may go round in a circle
            folders.clear()
            continue
        searched.add(real)
        folders.sort()
        for name in sorted(names):
            yield Path(folder, name)


def _refuse(error: OSError) -> NoReturn:
    raise AudioError(
        f"{printable(error.filename)}: {error.strerror}; "
        "make the folder readable or name the others"
    )
