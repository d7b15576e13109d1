"""What a person hands over: a path, bytes, a file object or standard input."""

from __future__ import annotations

import hashlib
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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
    """A seekable file of bytes with its name; ``path`` is empty when there is none."""

    file: BinaryIO
    name: str
    path: str


@contextmanager
def opened(source: Source) -> Iterator[Opened]:
    """Open any source as a seekable binary file.

    Raises
    ------
    AudioError
        There is no such file, it is a folder, it may not be read, or it is empty.
    """
    if isinstance(source, bytes):
        yield _checked(Opened(io.BytesIO(source), "bytes", ""))
    elif source == STDIN:
        with _spooled(sys.stdin.buffer, "stdin") as file:
            yield _checked(Opened(file, "stdin", ""))
    elif isinstance(source, str | os.PathLike):
        path = Path(source)
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
        name = str(getattr(source, "name", "stream"))
        with _seekable(source, name) as file:
            yield _checked(Opened(file, name, ""))


@contextmanager
def _seekable(stream: BinaryIO, name: str) -> Iterator[BinaryIO]:
    """Give the stream itself, or a copy where it is a pipe."""
    if stream.seekable():
        yield stream
    else:
        with _spooled(stream, name) as file:
            yield file


@contextmanager
def _spooled(stream: BinaryIO, name: str) -> Iterator[BinaryIO]:
    """Copy a stream that cannot seek into memory or, when large, a temporary file."""
    with tempfile.SpooledTemporaryFile(MEMORY_BYTES) as file:
        while block := stream.read(1 << 20):
            with room_for(f"{name}: what it gives"):
                file.write(block)
                file.flush()  # here, where an error is told, and not at the next seek
        yield file  # type: ignore[misc]  # typeshed has it as a generic IO


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


def sha256(file: BinaryIO) -> str:
    """Hash all bytes of a seekable file and rewind it; 64 hexadecimal digits."""
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    file.seek(0)
    return digest.hexdigest()
