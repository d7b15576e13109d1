"""The hashes of a recording as rows of packed blobs, and back.

A row holds up to `LARGEST_ROW` consecutive hashes, their informative flags (one bit a hash,
None when all are set) and a CRC-32 over both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from samaf.records import Codes

LARGEST_ROW = 4096  # hashes; 131,072 bytes of 256 bits, 17 min of audio


@dataclass(frozen=True, slots=True)
class HashRow:
    """Consecutive hashes as one row of the table.

    Attributes
    ----------
    first_block_id
        Position of the first hash in its recording.
    count
        Number of hashes.
    hashes
        ``count`` x bits / 8 bytes.
    informative
        ``numpy.packbits`` of the flags; None when all are set.
    crc32
        CRC-32 of the hashes, continued over the flags.
    """

    first_block_id: int
    count: int
    hashes: bytes
    informative: bytes | None
    crc32: int


class DamagedRowError(ValueError):
    """Rows that do not give the hashes they were made of."""


def pack(hashes: Codes, blocks_per_row: int) -> Iterator[HashRow]:
    """Cut hashes into rows of at most ``blocks_per_row``."""
    for first in range(0, len(hashes), blocks_per_row):
        packed = np.ascontiguousarray(hashes.packed[first : first + blocks_per_row]).tobytes()
        flags = hashes.informative[first : first + blocks_per_row]
        informative = None if flags.all() else np.packbits(flags).tobytes()
        yield HashRow(first, len(flags), packed, informative, _checksum(packed, informative))


def unpack(rows: Sequence[HashRow], count: int, bits: int, streams: int = 1) -> Codes:
    """Join the rows of one recording.

    Parameters
    ----------
    rows
        All its rows, in order.
    count
        Number of hashes that the recording has.
    bits
        Bits of one hash.
    streams
        Equally long streams that the hashes are of.

    Raises
    ------
    DamagedRowError
        A checksum is wrong, or rows are missing or too many.
    """
    parts, flags, expected = [], [], 0
    for row in rows:
        if _checksum(row.hashes, row.informative) != row.crc32:
            raise DamagedRowError(f"the checksum of block {row.first_block_id} is wrong")
        if row.first_block_id != expected or len(row.hashes) * 8 != row.count * bits:
            raise DamagedRowError(f"block {expected} is missing")
        parts.append(np.frombuffer(row.hashes, np.uint8).reshape(row.count, bits // 8))
        flags.append(_flags(row))
        expected += row.count
    if expected != count:
        raise DamagedRowError(f"there are {expected} hashes instead of {count}")
    if not streams or count % streams:
        raise DamagedRowError(f"{count} hashes are not those of {streams} streams")
    if len(parts) == 1:
        return Codes(parts[0], flags[0], streams=streams)
    if not parts:
        return Codes(np.empty((0, bits // 8), np.uint8), np.empty(0, bool), streams=streams)
    return Codes(np.concatenate(parts), np.concatenate(flags), streams=streams)


def _flags(row: HashRow) -> np.ndarray:
    if row.informative is None:
        return np.ones(row.count, bool)
    return np.unpackbits(np.frombuffer(row.informative, np.uint8), count=row.count).astype(bool)


def _checksum(hashes: bytes, informative: bytes | None) -> int:
    return crc32(informative or b"", crc32(hashes))
