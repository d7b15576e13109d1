"""What a person hands over: a path, bytes, a file object or standard input."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import sys
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from samaf.errors import AudioError
from samaf.text import printable

Source = str | os.PathLike[str] | bytes | BinaryIO
STDIN = "-"
MEMORY_BYTES = 64 << 20  # larger streams are kept in a temporary file


@dataclass(frozen=True, slots=True)
class Opened:
    """A file of bytes that the system knows, with its name; ``path`` is empty where it has none.

    Another process can be given the file, so nothing of it is in Python's memory alone.
    """

    file: BinaryIO
    name: str
    path: str


def existing(path: Path) -> Path:
    """Give the path under which a file exists whose name is written in another Unicode form.

    Mac keeps accents apart from their letters (NFD), keyboards give them as one (NFC). A path that
    exists, or exists in no form, is given as it is; so is one where several would fit.
    """
    if str(path).isascii() or os.path.lexists(path):
        return path
    place = Path(path.anchor)
    for part in path.parts[len(place.parts) :]:
        if not os.path.lexists(place / part):
            try:
                names = os.listdir(place)
            except OSError:
                return path
            wanted = unicodedata.normalize("NFC", part)
            same = [name for name in names if unicodedata.normalize("NFC", name) == wanted]
            if len(same) != 1:
                return path
            part = same[0]
        place /= part
    return place


@contextmanager
def opened(source: Source) -> Iterator[Opened]:
    """Open any source as a seekable binary file.

    Raises
    ------
    AudioError
        There is no such file, it is a folder, it may not be read, or it is empty.
    """
    if isinstance(source, bytes):
        with _stored(io.BytesIO(source), "bytes") as file:
            yield _checked(Opened(file, "bytes", ""))
    elif source == STDIN:
        with _stored(sys.stdin.buffer, "stdin") as file:
            yield _checked(Opened(file, "stdin", ""))
    elif isinstance(source, str | os.PathLike):
        path = existing(Path(source))
        try:
            given = path.open("rb")
        except FileNotFoundError:
            raise AudioError(f"{printable(path)}: no such file; check the path") from None
        except OSError as error:
            raise AudioError(f"{printable(path)}: {error.strerror}; give a readable file") from None
        except ValueError:  # a zero byte in the name
            raise AudioError(f"{printable(path)}: no file can have this name") from None
        with given, _seekable(given, printable(path)) as file:
            yield _checked(Opened(file, printable(path.name), printable(path.absolute())))
    else:
        # A copy: what it gives need not be what lies under its number, as with gzip.
        name = str(getattr(source, "name", "stream"))
        if source.seekable():
            source.seek(0)
        with _stored(source, name) as file:
            yield _checked(Opened(file, name, ""))


@contextmanager
def _seekable(stream: BinaryIO, name: str) -> Iterator[BinaryIO]:
    """Give the file itself, or a copy where it is a pipe."""
    if stream.seekable():
        yield stream
    else:
        with _stored(stream, name) as file:
            yield file


@contextmanager
def _stored(stream: BinaryIO, name: str) -> Iterator[BinaryIO]:
    """Copy a stream into a file in memory or, when large, on disk."""
    with ExitStack() as stack:
        file: BinaryIO = stack.enter_context(os.fdopen(os.memfd_create("samaf"), "w+b"))
        size = 0
        while block := stream.read(1 << 20):
            with room_for(f"{name}: what it gives"):
                if size <= MEMORY_BYTES < size + len(block):
                    memory, file = file, stack.enter_context(tempfile.TemporaryFile())
                    memory.seek(0)
                    shutil.copyfileobj(memory, file)
                    memory.close()
                file.write(block)
                file.flush()  # here, where an error is reported, and not at the next seek
            size += len(block)
        yield file


@contextmanager
def room_for(content: str) -> Iterator[None]:
    """Say in one line when the temporary folder is full."""
    try:
        yield
    except OSError as error:
        raise AudioError(
            f"{content} does not fit into the temporary folder ({error.strerror}); "
            "free space or set TMPDIR"
        ) from None


def _checked(source: Opened) -> Opened:
    source.file.seek(0)
    if not source.file.read(1):
        raise AudioError(f"{source.path or source.name}: the file is empty; nothing to decode")
    source.file.seek(0)
    return source


@dataclass(frozen=True, slots=True)
class Identity:
    """The SHA-256 of a file's bytes, and what shows that they are still the same."""

    sha256: str
    status: tuple[int, ...]

    @classmethod
    def of(cls, file: BinaryIO) -> Identity:
        """Hash all bytes of a seekable file and rewind it."""
        before = _status(file)
        return cls(sha256(file), before)

    def sha256_of(self, file: BinaryIO) -> str:
        """Give the SHA-256 where ``file`` has not been written to since; else nothing."""
        return self.sha256 if _status(file) == self.status else ""


def _status(file: BinaryIO) -> tuple[int, ...]:
    status = os.fstat(file.fileno())
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def sha256(file: BinaryIO) -> str:
    """Hash all bytes of a seekable file and rewind it; 64 hexadecimal digits."""
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    file.seek(0)
    return digest.hexdigest()
