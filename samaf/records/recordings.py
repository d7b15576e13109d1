"""Recordings, and the codes that a store keeps of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from samaf.media import MediaInfo

NO_LABELS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Recording:
    """A file that was added to a store.

    Attributes
    ----------
    recording_id
        The store's number for it; 0 while it is in no store.
    sha256
        SHA-256 of the file's bytes, 64 hexadecimal digits: its identity.
    name
        File name without folders.
    path
        Where the file was when it was added.
    duration
        Length of the decoded audio in seconds.
    labels
        Free text by name: speaker, video, case number.
    revision
        The store's revision that added it; 0 while it is in no store.
    added_at
        UTC time of adding in ISO 8601; empty while it is in no store.
    media
        What was decoded of the file; None where it was stored before schema 0004.
    """

    sha256: str
    name: str
    path: str
    duration: float
    labels: Mapping[str, str] = field(default_factory=lambda: NO_LABELS)
    recording_id: int = 0
    revision: int = 0
    added_at: str = ""
    media: MediaInfo | None = None

    def channel(self, side: int) -> str:
        """Write which channels a side has, such as "2"; "" for side 0, the mix of all."""
        return self.media.channel(side) if side and self.media else ""


@dataclass(frozen=True, slots=True, eq=False)
class Codes:
    """What a store keeps of one piece of audio: one code a block.

    Attributes
    ----------
    packed
        uint8, shape (m, bits / 8): hashes of 128 or 256 bits every 0.25 s, or the bytes of
        float32 vectors every 2.5 s.
    informative
        bool, shape (m,). False where the block has nothing to recognise (digital
        silence, a steady tone): the bits of a hash are noise drawn for this recording alone.
    streams
        How many equally long streams stand in them one behind the other: first the mix of all
        channels, then each side of a recording whose sides differ.
    """

    packed: np.ndarray
    informative: np.ndarray
    streams: int = field(default=1, kw_only=True)

    def __len__(self) -> int:
        return len(self.packed)

    def stream(self, number: int) -> np.ndarray:
        """Give the codes of one stream, uint8 (m / streams, bits / 8)."""
        size = len(self.packed) // self.streams
        return self.packed[number * size : (number + 1) * size]

    @property
    def bits(self) -> int:
        """Bits of one code."""
        return 8 * self.packed.shape[1]


@dataclass(frozen=True, slots=True, eq=False)
class Hashes(Codes):
    """The hashes of a query, one every 0.25 s.

    Attributes
    ----------
    reliability
        uint8, shape (m, bits), or None where only bits are known, as in a store: how reliable
        each bit is, in parts of the most reliable of its hash.
    activity
        uint8, shape (m,), or None as in a store: the share of each block that is not a pause, in
        parts of 255; 0 for steady noise.
    """

    reliability: np.ndarray | None = None
    activity: np.ndarray | None = None

    def cut(self, rows: slice) -> Hashes:
        """Give some hashes in a row."""
        reliability = None if self.reliability is None else self.reliability[rows]
        activity = None if self.activity is None else self.activity[rows]
        return Hashes(self.packed[rows], self.informative[rows], reliability, activity)

    def followed_by(self, other: Hashes) -> Hashes:
        """Give these hashes and those that come behind them."""
        return Hashes(
            np.concatenate([self.packed, other.packed]),
            np.concatenate([self.informative, other.informative]),
            _joined(self.reliability, other.reliability),
            _joined(self.activity, other.activity),
        )


def _joined(before: np.ndarray | None, after: np.ndarray | None) -> np.ndarray | None:
    return None if before is None or after is None else np.concatenate([before, after])


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprint:
    """The hashes, or vectors, of one file: number i starts at ``i x hop`` seconds."""

    path: str
    sha256: str
    duration: float
    model: str
    digest: str
    hop: float
    hashes: Codes
    media: MediaInfo | None = None
