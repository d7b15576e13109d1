"""What an index has to catch up on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from samaf.records import Codes
from samaf.status import StoreVersion


@dataclass(frozen=True, slots=True)
class Changes:
    """What became of a store since one of its revisions.

    Attributes
    ----------
    version
        The version of the store that this leads to.
    added
        Recordings added since and still there, as (recording id, hashes) in the order of
        their ids, which is that of their revisions. Read while iterating, once.
    deleted
        Ids of the recordings deleted since, also of such as were added since.
    since_revision
        The revision that it leads from: the one asked for, or 0 (from nothing) where not
        all changes since that one are known any more.
    """

    version: StoreVersion
    added: Iterator[tuple[int, Codes]]
    deleted: list[int]
    since_revision: int = 0
