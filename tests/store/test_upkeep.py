"""Pruning removes what nothing needs, and nothing else; unused space goes back to the disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from filling import content, run

from samaf.errors import StoreError
from samaf.index import cache
from samaf.records import Hashes, Recording
from samaf.store import Store, StoredFingerprinter
from samaf.store.maintenance.opening import opened
from samaf.store.maintenance.upkeep import prune, vacuum
from samaf.store.maintenance.verification import verify

Make = Callable[..., tuple[Recording, Hashes]]


def removed(url: str, **options: int | bool) -> list[int]:
    """Rows removed: deletions, labels, hashes, fingerprinters."""
    return [each.rows for each in prune(url, **options)]  # type: ignore[arg-type]


def test_nothing_new_is_pruned(filled: str) -> None:
    before = content(filled)
    assert removed(filled) == [0, 0, 0, 0]
    assert content(filled) == before
    with pytest.raises(StoreError, match="-1 days is no age"):
        prune(filled, days=-1)


def test_old_deletions_go_and_indexes_stay_right(
    store: Store, database_url: str, make: Make, tmp_path: Path
) -> None:
    for number in range(6):
        store.add(*make(number))

    def indexed(root: str) -> list[int]:
        table = cache.open_cached(store, "ab" * 32, 4, tmp_path / root)
        return sorted(np.asarray(table.recording_ids).tolist())

    store.delete(1)
    assert indexed("stale") == indexed("fresh") == [2, 3, 4, 5, 6]
    store.delete(2)
    assert indexed("fresh") == [3, 4, 5, 6]
    run(database_url, "UPDATE deletions SET deleted_at = '2020-01-01 00:00:00.000000'")
    store.delete(3)
    assert removed(database_url, dry_run=True) == [2, 0, 0, 0]
    assert len(content(database_url)["deletions"]) == 3
    assert removed(database_url) == [2, 0, 0, 0]
    assert len(content(database_url)["deletions"]) == 1
    # The one index missed a deletion that nobody can tell it of any more.
    assert indexed("stale") == indexed("fresh") == [4, 5, 6]
    seen = store.changes(store.revision)
    assert seen.since_revision == seen.version.revision
    # A second pruning never brings forgotten changes back.
    assert removed(database_url) == [0, 0, 0, 0]
    assert store.changes(8).since_revision == 0
    assert removed(database_url, days=0) == [1, 0, 0, 0]


def test_rows_that_belong_to_nothing_go(filled: str) -> None:
    run(
        filled,
        "DELETE FROM recordings WHERE id = 1",
        "INSERT INTO fingerprinters (id, digest, name, bits, family, parameters) "
        "VALUES (9, 'x', 'x', 32, 'x', '{}')",
        "UPDATE hash_rows SET fingerprinter_id = 8 WHERE recording_id = 5",
    )
    labels = len([row for row in content(filled)["labels"] if row[0] == 1])
    assert removed(filled, dry_run=True) == removed(filled) == [0, labels, 2, 1]
    with opened(filled) as database:
        (fault,) = verify(database)
    assert (fault.where, fault.what) == ("recording 5", "has no hashes")


def test_an_empty_store_forgets_its_fingerprinter(
    store: Store, database_url: str, fingerprinter: StoredFingerprinter
) -> None:
    assert removed(database_url) == [0, 0, 0, 1]
    with Store.open(database_url) as again:
        assert again.fingerprinter() is None


def test_a_store_that_forgot_its_fingerprinter_while_it_was_open(
    store: Store, database_url: str, make: Make
) -> None:
    store.add(*make(1))
    store.delete(1)
    prune(database_url, days=0)
    assert list(store.changes(0).added) == []
    with pytest.raises(StoreError, match="was pruned.*open it again"):
        store.add(*make(2))
    with Store.open(database_url) as again:
        assert again.stats().recordings == 0


def test_vacuum_gives_space_back(store: Store, database_url: str, make: Make) -> None:
    store.add_many([make(number, 100_000) for number in range(20)])
    for number in range(20):
        store.delete(number + 1)
    done = vacuum(database_url)
    assert done.after < done.before - 4_000_000
    with opened(database_url) as database:
        assert list(verify(database)) == []
