"""A store changes to another fingerprinter all at once, and only when nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from filling import content, run

from samaf.errors import StoreError
from samaf.records import Hashes, Recording
from samaf.store import Store, StoredFingerprinter
from samaf.store.maintenance.copying import copy
from samaf.store.maintenance.opening import opened
from samaf.store.maintenance.rehashing import begin, finish, put, waiting
from samaf.store.maintenance.verification import verify

Make = Callable[..., tuple[Recording, Hashes]]


@pytest.fixture
def better(fingerprinter: StoredFingerprinter) -> StoredFingerprinter:
    return replace(fingerprinter, digest="cd" * 32, name="2LST64C", bits=64)


def longer(recording: Recording) -> Hashes:
    """Hashes of 64 bits, one more than there were."""
    count = round((recording.duration - 1) * 4) + 1
    rng = np.random.default_rng(recording.recording_id)
    return Hashes(rng.integers(0, 256, (count, 8), np.uint8), np.ones(count, bool))


def test_a_store_is_taken_over_when_all_have_new_hashes(
    store: Store, database_url: str, make: Make, better: StoredFingerprinter
) -> None:
    store.add_many([make(number) for number in range(3)])
    with opened(database_url) as database:
        number = begin(database, better)
        (page,) = waiting(database, number)
        put(database, number, [(each, longer(each)) for each in page[:2]], 4096)
        assert [r.recording_id for r in finish(database, number, forget=False)] == [3]
        # Until then everything is as it was, and the work goes on where it was.
        assert store.hashes(1).bits == 32
        assert begin(database, better) == number
        (rest,) = waiting(database, number)
        put(database, number, [(each, longer(each)) for each in (*page[:1], *rest)], 4096)
        assert finish(database, number, forget=False) == []
        assert list(verify(database)) == []
    with Store.open(database_url) as again:
        assert again.fingerprinter() == better
        assert again.stats().hashes == 18
        for recording in again.recordings():
            new = again.hashes(recording.recording_id)
            assert np.array_equal(new.packed, longer(recording).packed)
        assert [e.act for e in again.audit()] == ["add"] * 3 + ["rehash"]
        assert again.changes(0).since_revision == 0
    assert len(content(database_url)["fingerprinters"]) == 1


def test_a_stopped_rehash_is_no_damage(
    store: Store, database_url: str, other_url: str, make: Make, better: StoredFingerprinter
) -> None:
    store.add_many([make(number) for number in range(3)])
    with opened(database_url) as database:
        number = begin(database, better)
        (page,) = waiting(database, number)
        put(database, number, [(each, longer(each)) for each in page[:2]], 4096)
        assert list(verify(database)) == []
    assert copy(database_url, other_url, blocks_per_row=2).recordings == 3
    with opened(other_url) as database:
        assert list(verify(database)) == []
        assert [each.recording_id for each in finish(database, number, forget=True)] == [3]
        assert list(verify(database)) == []
    run(database_url, f"UPDATE hash_rows SET crc32 = 0 WHERE fingerprinter_id = {number}")
    with opened(database_url) as database:
        assert [fault.where for fault in verify(database)] == ["recording 1", "recording 2"]


def test_recordings_without_audio_are_deleted_only_when_told(
    store: Store, database_url: str, make: Make, better: StoredFingerprinter
) -> None:
    store.add_many([make(number) for number in range(3)])
    with opened(database_url) as database:
        number = begin(database, better)
        (page,) = waiting(database, number)
        put(database, number, [(page[1], longer(page[1]))], 2)
        gone = finish(database, number, forget=True)
        assert [each.recording_id for each in gone] == [1, 3]
        assert list(verify(database)) == []
    with Store.open(database_url) as again:
        assert [r.recording_id for r in again.recordings()] == [2]
        assert sorted(again.changes(1).deleted) == [1, 3]


def test_a_process_that_has_the_old_model_open_neither_adds_nor_reads(
    store: Store, database_url: str, make: Make, better: StoredFingerprinter
) -> None:
    store.add(*make(1))
    with opened(database_url) as database:
        number = begin(database, better)
        (page,) = waiting(database, number)
        put(database, number, [(page[0], longer(page[0]))], 4096)
        finish(database, number, forget=False)
    with pytest.raises(StoreError, match="was rehashed and belongs to 2LST64C cdcd"):
        store.add(*make(2))
    with pytest.raises(StoreError, match="was rehashed"):
        store.changes(0)


def test_what_cannot_be_rehashed_is_refused(
    store: Store, database_url: str, make: Make, better: StoredFingerprinter
) -> None:
    store.add(*make(1))
    with opened(database_url) as database:
        with pytest.raises(StoreError, match="belongs to 2LST32C already"):
            begin(database, replace(better, digest="ab" * 32, name="2LST32C"))
        begin(database, better)
        with pytest.raises(StoreError, match="is being rehashed for 2LST64C cdcd"):
            begin(database, replace(better, digest="ef" * 32))


def test_a_recording_that_was_deleted_meanwhile_gets_no_hashes(
    store: Store, database_url: str, make: Make, better: StoredFingerprinter
) -> None:
    store.add_many([make(1), make(2)])
    with opened(database_url) as database:
        number = begin(database, better)
        (page,) = waiting(database, number)
        store.delete(1)
        put(database, number, [(each, longer(each)) for each in page], 4096)
        assert finish(database, number, forget=False) == []
        assert list(verify(database)) == []
