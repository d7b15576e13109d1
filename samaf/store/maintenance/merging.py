"""Recordings of one store taken over into another that has recordings of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from samaf.errors import StoreError
from samaf.records import Codes, Recording
from samaf.store.maintenance.opening import refuse_same
from samaf.store.maintenance.transfer import Progress, no_progress
from samaf.store.store import Store

T = TypeVar("T")
Item = tuple[Recording, Codes]

BATCH_HASHES = 100_000  # a transaction holds about this many: 3.2 MB
BATCH_RECORDINGS = 256


@dataclass(frozen=True, slots=True)
class MergeResult:
    """What was taken over from another store or a file.

    Attributes
    ----------
    source, target
        The store or file, and the store that it went to; without passwords.
    added, hashes
        Recordings that were not here yet, and their hashes.
    present
        Recordings that were here already.
    labelled
        Those of them that got labels which they had not.
    differing
        Those of them that have another value for a label; theirs stayed as it was.
    """

    source: str
    target: str
    added: int = 0
    hashes: int = 0
    present: int = 0
    labelled: int = 0
    differing: int = 0


def merge(source_url: str, url: str | None, *, on_progress: Progress = no_progress) -> MergeResult:
    """Take over what another store has and this one has not: recordings, hashes, labels.

    A recording is the same where its bytes are (SHA-256). Each batch is one transaction, so
    the same command goes on where it was stopped.

    Raises
    ------
    StoreError
        The stores are one, or belong to different fingerprinters.
    """
    refuse_same(source_url, url)
    with Store.open(source_url, create=False) as source, Store.open(url) as target:
        if source.store_id == target.store_id:
            raise StoreError(f"{target.url}: is the same store as {source.url}; name two")
        fingerprinter = source.fingerprinter()
        taken = MergeResult(source.url, target.url)
        if fingerprinter is None:
            return taken
        target.bind(fingerprinter)
        done, total = 0, source.stats().hashes
        for batch in contents(source):
            taken = take(taken, target, batch, "merge")
            done += sum(len(hashes) for _, hashes in batch)
            on_progress(done, total)
    return taken


def contents(store: Store) -> Iterator[list[Item]]:
    """Yield all recordings with their hashes, as of one moment, in batches."""
    for batch in batches(store.changes(0).added):
        recordings = store.get_many(recording_id for recording_id, _ in batch)
        # What was deleted since that moment is left out.
        if left := [(recordings[each], hashes) for each, hashes in batch if each in recordings]:
            yield left


def take(taken: MergeResult, target: Store, batch: Sequence[Item], act: str) -> MergeResult:
    """Add a batch to what was taken; recordings that are here get the labels they lack."""
    added = hashes = present = labelled = differing = 0
    for (theirs, packed), (ours, is_new) in zip(
        batch, target.add_many(batch, act=act), strict=True
    ):
        if is_new:
            added += 1
            hashes += len(packed)
            continue
        present += 1
        both = {**theirs.labels, **ours.labels}
        differing += any(both[name] != value for name, value in theirs.labels.items())
        if len(both) > len(ours.labels):
            labelled += 1
            target.complete(ours.recording_id, theirs.labels)
    return replace(
        taken,
        added=taken.added + added,
        hashes=taken.hashes + hashes,
        present=taken.present + present,
        labelled=taken.labelled + labelled,
        differing=taken.differing + differing,
    )


def batches(items: Iterable[tuple[T, Codes]]) -> Iterator[list[tuple[T, Codes]]]:
    """Cut recordings into lists that are small enough for one transaction."""
    batch: list[tuple[T, Codes]] = []
    total = 0
    for item in items:
        batch.append(item)
        total += len(item[1])
        if total >= BATCH_HASHES or len(batch) >= BATCH_RECORDINGS:
            yield batch
            batch, total = [], 0
    if batch:
        yield batch
