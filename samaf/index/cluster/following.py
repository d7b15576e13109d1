"""Brings an index to the store's newest version: what is newer is loaded, deletions follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from samaf.index.cluster.schema import DONE, LOADING, SIDE_BITS
from samaf.index.cluster.shard import Shard
from samaf.status import StoreVersion
from samaf.store import Store

BATCH_HASHES = 262_144  # inserted at once: 8 MB, one part of a table
BATCH_STREAMS = 4_096

Progress = Callable[[int], None]


def catch_up(
    shards: Sequence[Shard], store: Store, codebook: np.ndarray, progress: Progress | None = None
) -> None:
    """Bring shards to the store's newest version, and to the same one.

    It may be killed at any moment: what was loaded is complete or not searched, and the next call
    goes on. Two may run at once. Shards of a store that was replaced or restored since are emptied
    first.

    Parameters
    ----------
    progress
        Called with the hashes loaded so far.
    """
    versions = [_ready(shard, store) for shard in shards]
    if all(store.is_at(version) for version in versions):
        return
    oldest = min(version.revision for version in versions)
    changes = store.changes(oldest)
    if changes.since_revision < oldest:  # its log of changes begins later
        for shard in shards:
            shard.clear()
    for shard in shards:
        shard.note(LOADING, changes.version)
        shard.remove(changes.deleted, changes.version.revision)
    batch: list[tuple[int, np.ndarray]] = []
    loaded = held = 0
    for recording_id, codes in changes.added:
        for side in range(codes.streams):
            stream = np.ascontiguousarray(codes.stream(side))
            batch.append((recording_id << SIDE_BITS | side, stream))
        held += len(codes)
        if held >= BATCH_HASHES or len(batch) >= BATCH_STREAMS:
            _load(shards, batch, codebook, changes.version.revision)
            loaded, held, batch = loaded + held, 0, []
            if progress:
                progress(loaded)
    _load(shards, batch, codebook, changes.version.revision)
    for shard in shards:
        shard.note(DONE, changes.version)


def _ready(shard: Shard, store: Store) -> StoreVersion:
    """Give the version that a shard is complete up to, emptied if it is none of the store's."""
    state = shard.state()
    if state is None:
        shard.begin()
        return StoreVersion()
    known = {version for version in (state.done, state.loading) if version != StoreVersion()}
    if state.is_emptying or not all(map(store.continues, known)):
        shard.clear()
        return StoreVersion()
    return state.done


def _load(
    shards: Sequence[Shard],
    batch: Sequence[tuple[int, np.ndarray]],
    codebook: np.ndarray,
    revision: int,
) -> None:
    """Load what is not there yet, each recording with its sides into its shard."""
    for shard in shards:
        own, count = shard.identity.shard, shard.identity.shards
        wanted = [item for item in batch if (item[0] >> SIDE_BITS) % count == own]
        there = shard.complete([stream for stream, _ in wanted])
        if missing := [item for item in wanted if item[0] not in there]:
            shard.load(missing, codebook, revision)
