"""The length that a file's own header announces: a file that is cut off falls short of it.

A WAV header may also state less than there is: what lies behind the stated end, and is no chunk,
is counted and kept from FFmpeg, which would look for chunks in it eight bytes at a time.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

# Formats whose header counts samples and whose count FFmpeg hands on.
COUNTED = frozenset({"aiff", "caf", "flac", "mov", "w64"})
# Codes of constant byte rate: PCM, float, A-law, mu-law, GSM, extensible.
WAV_UNIFORM = frozenset({0x01, 0x03, 0x06, 0x07, 0x31, 0xFFFE})
# Sizes that programs write into pipes where they cannot know one; many round them to frames.
UNKNOWN_BYTES = (0x7F00_0000, 1 << 31, 1 << 32)
UNKNOWN_WITHIN = 1 << 16  # bytes
ID3_HEADER = 10  # bytes
CHUNKS_BEHIND = 1000  # after the sound of a wav; more are no header of anything
MP3_TAG_WITHIN = 4096  # bytes after the ID3 tag that hold the first frame


def announced_seconds(file: BinaryIO, container, stream) -> float:  # type: ignore[no-untyped-def]
    """Read the announced length; 0 where the header makes no exact statement.

    ``container`` and ``stream`` are PyAV's, opened on ``file``. Where a header has no count,
    FFmpeg estimates one from bit rate and file size, which may be far off.
    """
    formats = set(container.format.name.split(","))
    with _kept_position(file):
        if "wav" in formats:
            return _wav_seconds(file)
        if "mp3" in formats:
            return _mp3_seconds(file, stream.codec_context.sample_rate)
        counted = COUNTED & formats and not ("aiff" in formats and _aiff_is_open(file))
    if not counted or stream.duration is None or stream.time_base is None:
        return 0.0
    return float(stream.duration * stream.time_base)


@contextmanager
def _kept_position(file: BinaryIO) -> Iterator[None]:
    position = file.tell()
    try:
        yield
    finally:
        file.seek(position)


def _chunks(file: BinaryIO, order: str) -> Iterator[tuple[bytes, int]]:
    """Yield kind and size of each chunk of a RIFF or IFF file, which stands at its content."""
    file.seek(12)
    while len(head := file.read(8)) == 8:
        kind, size = struct.unpack(f"{order}4sI", head)
        start = file.tell()
        yield kind, size
        file.seek(start + size + size % 2)


def _is_unknown(size: int) -> bool:
    return not size or any(abs(size - each) <= UNKNOWN_WITHIN for each in UNKNOWN_BYTES)


def _wav_seconds(file: BinaryIO) -> float:
    """Divide the size of the ``data`` chunk by the byte rate of the ``fmt`` chunk."""
    bytes_per_second = 0
    for kind, size in _chunks(file, "<"):
        if kind == b"data":
            return size / bytes_per_second if bytes_per_second and not _is_unknown(size) else 0.0
        if kind == b"fmt ":
            code, _, _, rate = struct.unpack("<HHII", file.read(12).ljust(12, b"\0"))
            bytes_per_second = rate if code in WAV_UNIFORM else 0
    return 0.0


class Beginning:
    """A binary file that ends sooner than the one it reads from."""

    def __init__(self, file: BinaryIO, end: int) -> None:
        self._file = file
        self._end = end
        self.name = getattr(file, "name", "")

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes."""
        left = max(0, self._end - self._file.tell())
        return self._file.read(left if size < 0 else min(size, left))

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to another byte."""
        if whence == io.SEEK_END:
            offset, whence = self._end + offset, io.SEEK_SET
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Give the position."""
        return self._file.tell()

    def seekable(self) -> bool:
        """Whether it can go to another byte: always."""
        return True


def stated_part(file: BinaryIO) -> tuple[BinaryIO | Beginning, int]:
    """Give what the header of a wav covers, and how many bytes of content lie behind it.

    Chunks behind the sound, such as tags, belong to the file, and zeros behind it are no content.
    Any other file is given as it is.
    """
    with _kept_position(file):
        size = file.seek(0, os.SEEK_END)
        end = _wav_end(file)
        if end is None or end >= size:
            return file, 0
        behind = _behind(file, end, size)
    return (file, 0) if behind is None else (Beginning(file, end), behind)


def _wav_end(file: BinaryIO) -> int | None:
    """Give where the sound of a wav ends by its header; none where that says nothing."""
    file.seek(0)
    head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        return None
    for kind, size in _chunks(file, "<"):
        if kind == b"data":
            return None if _is_unknown(size) else file.tell() + size
    return None


def _behind(file: BinaryIO, end: int, size: int) -> int | None:
    """Count the bytes from ``end`` to the last one that is not zero; none where all are chunks."""
    for start in (end + end % 2, end):
        if _are_chunks(file, start, size):
            return None
    file.seek(end)
    last = position = end
    while block := file.read(1 << 20):
        if content := len(block.rstrip(b"\0")):
            last = position + content
        position += len(block)
    return last - end


def _are_chunks(file: BinaryIO, start: int, size: int) -> bool:
    position = start
    for _ in range(CHUNKS_BEHIND):
        if size - position <= 1:  # the byte that makes the length even
            return True
        file.seek(position)
        head = file.read(8)
        kind, length = head[:4], int.from_bytes(head[4:], "little")
        if len(head) < 8 or not kind.isascii() or not kind.decode().isprintable():
            return False
        if kind == b"RIFF" or position + 8 + length > size:
            return False
        position += 8 + length + length % 2
    return False


def _aiff_is_open(file: BinaryIO) -> bool:
    """Tell whether the size of the sound was unknown when the header was written."""
    return any(kind == b"SSND" and _is_unknown(size) for kind, size in _chunks(file, ">"))


def id3_bytes(head: bytes) -> int:
    """Give the length of the ID3 tag that begins here; 0 where none does."""
    if head[:3] != b"ID3" or len(head) < ID3_HEADER:
        return 0
    a, b, c, d = head[6:ID3_HEADER]  # seven bits a byte
    return ID3_HEADER + (a << 21 | b << 14 | c << 7 | d)


def _mp3_seconds(file: BinaryIO, rate: int) -> float:
    """Multiply the count of frames in the first one (a Xing, Info or VBRI tag) by their length.

    FFmpeg drops a count that does not fit the size of the file, and estimates.
    """
    file.seek(0)
    file.seek(id3_bytes(file.read(ID3_HEADER)))
    first = file.read(MP3_TAG_WITHIN)
    samples = 1152 if rate >= 32_000 else 576  # of a frame, MPEG-1 or MPEG-2 layer III
    return _mp3_frames(first) * samples / rate if rate else 0.0


def _mp3_frames(first: bytes) -> int:
    for tag, before in ((b"Xing", 4), (b"Info", 4), (b"VBRI", 10)):
        start = first.find(tag) + len(tag)
        fields = first[start : start + before + 4]
        if start < len(tag) or len(fields) < before + 4:
            continue
        # VBRI always has the count, the others where the lowest bit of their flags says so.
        if tag == b"VBRI" or fields[3] & 1:
            return int.from_bytes(fields[before:], "big")
    return 0
