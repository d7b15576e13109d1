"""The frozen records that cross the borders between rooms.

Times are seconds, levels are relative to full scale (peak 1), hashes are packed
with ``numpy.packbits`` (big-endian bit order, +1 as 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log, log2
from types import MappingProxyType

import numpy as np

UNALTERED = 0.02  # log of a factor that is not worth naming
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
    """

    sha256: str
    name: str
    path: str
    duration: float
    labels: Mapping[str, str] = field(default_factory=lambda: NO_LABELS)
    recording_id: int = 0
    revision: int = 0
    added_at: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Hashes:
    """The hashes of one stretch of audio, one every 0.25 s.

    Attributes
    ----------
    packed
        uint8, shape (m, bits / 8). Row i starts at i x 0.25 s.
    informative
        bool, shape (m,). False where the block has nothing to recognise (digital
        silence, a steady tone): its bits are noise drawn for this recording alone.
    """

    packed: np.ndarray
    informative: np.ndarray

    def __len__(self) -> int:
        return len(self.packed)

    @property
    def bits(self) -> int:
        """Bits of one hash."""
        return 8 * self.packed.shape[1]


@dataclass(frozen=True, slots=True)
class Manipulation:
    """How a clip was altered as far as time and frequency go.

    Attributes
    ----------
    tau
        Time factor: duration of the clip / duration of the reference stretch.
    rho
        Pitch factor: frequencies of the clip / frequencies of the reference.
    reversed
        The clip runs backwards.
    """

    tau: float = 1.0
    rho: float = 1.0
    reversed: bool = False

    def __str__(self) -> str:
        """Name it as people do: "speed 0.95x", "pitch +3.9 semitones", "reversed"."""
        tempo, pitch = abs(log(self.tau)) > UNALTERED, abs(log(self.rho)) > UNALTERED
        parts = ["reversed"] if self.reversed else []
        if tempo and pitch and abs(log(self.tau * self.rho)) <= UNALTERED:
            parts.append(f"speed {1 / self.tau:.3f}x")
        else:
            parts += [f"tempo {1 / self.tau:.2f}x"] if tempo else []
            parts += [f"pitch {12 * log2(self.rho):+.1f} semitones"] if pitch else []
        return ", ".join(parts)


IDENTITY = Manipulation()


@dataclass(frozen=True, slots=True)
class Hit:
    """A stretch of the query and the stretch of one reference that it resembles.

    Attributes
    ----------
    query_block, reference_block
        Positions of the first hash of either stretch.
    recording_id
        The reference.
    hashes
        Number of hashes compared.
    distance
        Hamming distance over all of them, in bits.
    """

    query_block: int
    recording_id: int
    reference_block: int
    hashes: int
    distance: int


@dataclass(frozen=True, slots=True)
class Match:
    """One stretch of the query, found in one reference.

    ``score`` is -log10 of the expected number of false matches at least this good in
    the whole search, so 3 means one false answer in a thousand such queries.
    """

    recording: Recording
    query_start: float
    query_stop: float
    reference_start: float
    reference_stop: float
    ber: float
    score: float
    manipulation: Manipulation = IDENTITY


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The answer to one query: matches, best first; none of them means unknown.

    ``reason`` says why when the clip could not be searched for (too short, silent).
    """

    query: str
    sha256: str
    duration: float
    matches: tuple[Match, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AddResult:
    """What became of one file given to ``add``.

    ``status`` is "added", "present" (the same bytes were stored before) or "failed"
    with the reason in ``message``.
    """

    path: str
    status: str
    recording: Recording | None = None
    hashes: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True)
class StoreStats:
    """Totals of one store."""

    url: str
    store_id: str
    revision: int
    schema: str
    fingerprinter: str
    recordings: int
    hours: float
    hashes: int
    hash_bytes: int
    labels: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two pieces of audio relate: the best common stretch, if there is one."""

    first: str
    second: str
    match: Match | None


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprint:
    """The hashes of one file: hash i starts at ``i x hop`` seconds."""

    path: str
    sha256: str
    duration: float
    model: str
    digest: str
    hop: float
    hashes: Hashes


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """Where the cached index of a store lies, what it holds, and whether it can be trusted.

    ``state`` is "current", "behind" (the next query reads what is newer), "absent" or
    "damaged" (the next query makes it anew).
    """

    folder: str
    state: str
    revision: int
    store_revision: int
    hashes: int
    hash_bytes: int
