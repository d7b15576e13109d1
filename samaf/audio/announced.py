"""The length that a file's own header announces: a file that is cut off falls short of it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

# Formats whose header counts samples and whose count FFmpeg hands on.
COUNTED = frozenset({"aiff", "caf", "flac", "mov", "w64"})
# Codes of constant byte rate: PCM, float, A-law, mu-law, GSM, extensible.
WAV_UNIFORM = frozenset({0x01, 0x03, 0x06, 0x07, 0x31, 0xFFFE})
WAV_UNKNOWN = frozenset({0, 0xFFFF_FFFF, 0x7FFF_FFFF, 0x7FFF_F000})  # written into pipes
ID3_HEADER = 10  # bytes
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
        counted = COUNTED & formats or ("mp3" in formats and _mp3_has_count(file))
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


def _wav_seconds(file: BinaryIO) -> float:
    """Divide the size of the ``data`` chunk by the byte rate of the ``fmt`` chunk."""
    file.seek(12)
    bytes_per_second = 0
    while len(head := file.read(8)) == 8:
        kind, size = struct.unpack("<4sI", head)
        if kind == b"data":
            return size / bytes_per_second if bytes_per_second and size not in WAV_UNKNOWN else 0.0
        start = file.tell()
        if kind == b"fmt ":
            code, _, _, rate = struct.unpack("<HHII", file.read(12).ljust(12, b"\0"))
            bytes_per_second = rate if code in WAV_UNIFORM else 0
        file.seek(start + size + size % 2)
    return 0.0


def _mp3_has_count(file: BinaryIO) -> bool:
    """Tell whether the first frame counts the frames (a Xing, Info or VBRI tag)."""
    file.seek(0)
    head = file.read(ID3_HEADER)
    start = 0
    if head[:3] == b"ID3" and len(head) == ID3_HEADER:
        a, b, c, d = head[6:]  # seven bits a byte
        start = ID3_HEADER + (a << 21 | b << 14 | c << 7 | d)
    file.seek(start)
    first = file.read(MP3_TAG_WITHIN)
    return any(tag in first for tag in (b"Xing", b"Info", b"VBRI"))
