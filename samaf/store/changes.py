"""What an index has to catch up on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from samaf.records import Hashes
from samaf.store.audit import NO_ENTRY


@dataclass(frozen=True, slots=True)
class Changes:
    """What became of a store since one of its revisions.

    Attributes
    ----------
    revision
        The store's revision that this leads to.
    added
        Recordings added since and still there, as (recording id, hashes) in the order of
        their ids, which is that of their revisions. Read while iterating, once.
    deleted
        Ids of the recordings deleted since, also of such as were added since.
    since_revision
        The revision that it leads from: the one asked for, or 0 (from nothing) where not
        all changes since that one are known any more.
    entry
        Number and hash of the newest entry of the audit log then; 0 and "" before the first.
    """

    revision: int
    added: Iterator[tuple[int, Hashes]]
    deleted: list[int]
    since_revision: int = 0
    entry: tuple[int, str] = NO_ENTRY
