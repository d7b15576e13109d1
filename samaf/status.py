"""What is reported about a store: its totals, its audit log, and its index on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class StoreVersion:
    """A state of one store's contents: what an index was made from.

    Attributes
    ----------
    revision
        The store's revision.
    log_head
        Number and hash of the newest entry of its audit log then; 0 and "" before the first.
        Copies of a store that diverged reach the same revisions with other entries.
    """

    revision: int = 0
    log_head: tuple[int, str] = (0, "")


@dataclass(frozen=True, slots=True)
class StoreStats:
    """Totals of one store.

    Attributes
    ----------
    hash_bytes, database_bytes
        Of the hashes alone; of all that the database takes on disk.
    labels, label_values, label_hours
        By label name: recordings that have it, different values, hours.
    digest, bits
        Of the fingerprinter.
    day_recordings, day_hours
        What was added during the last 24 hours and is still there.
    index
        Whether the cached index is "current", "behind" or "absent"; empty when not requested.
    """

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
    label_values: Mapping[str, int] = field(default_factory=dict)
    label_hours: Mapping[str, float] = field(default_factory=dict)
    digest: str = ""
    bits: int = 0
    database_bytes: int = 0
    day_recordings: int = 0
    day_hours: float = 0.0
    index: str = ""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to which recording, and when.

    Attributes
    ----------
    entry_id
        1, 2, 3 ... without gaps.
    happened_at
        UTC time in ISO 8601.
    act
        "add", "delete", "relabel", "import", "merge", "restore", "rehash", "query", "report" or
        "decision".
    sha256, path
        Of the recording, or the clip of a query; where the file was.
    database_user, os_user
        Who: as the server knows him (empty for a file), and his name @ machine.
    program, fingerprinter
        Name and version; the digest of the store's fingerprinter.
    details
        Labels before and after, a query's answer, what was decided about a match.
    hash
        SHA-256 over all of this and the hash of the entry before.
    """

    entry_id: int
    happened_at: str
    act: str
    sha256: str
    path: str
    database_user: str
    os_user: str
    program: str
    fingerprinter: str
    details: Mapping[str, Any]
    hash: str


@dataclass(frozen=True, slots=True)
class AuditCheck:
    """Whether the audit log is what was written.

    Attributes
    ----------
    entries
        How many are sound, from the first on.
    head
        Hash of the last of them: kept elsewhere, it proves all up to it.
    broken
        The first entry that is missing or changed; 0 where none is.
    reason
        What is wrong with it.
    """

    entries: int
    head: str
    broken: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """Where the cached index of a store lies, what it holds, and whether it can be trusted.

    ``state`` is "current", "behind" (the next query reads what is newer), "absent" or
    "damaged" (the next change rebuilds it, or `Engine.index_rebuild`).
    """

    folder: str
    state: str
    revision: int
    store_revision: int
    hashes: int
    hash_bytes: int
