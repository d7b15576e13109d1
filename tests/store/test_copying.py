"""Copies are equal to their source, go on where they were stopped, and follow it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from filling import content, fill

from samaf.errors import StoreError
from samaf.records import Hashes, Recording
from samaf.store import Store, StoredFingerprinter
from samaf.store.maintenance import transfer
from samaf.store.maintenance.copying import copy
from samaf.store.maintenance.opening import opened
from samaf.store.maintenance.rehashing import begin, finish, put, waiting
from samaf.store.maintenance.verification import verify

Make = Callable[..., tuple[Recording, Hashes]]


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction for each revision of the source."""
    monkeypatch.setattr(transfer, "PAGE_HASHES", 1)


def test_a_copy_is_equal(filled: str, other_url: str) -> None:
    told: list[tuple[int, int]] = []
    copied = copy(filled, other_url, on_progress=lambda *call: told.append(call))
    assert (copied.recordings, copied.hashes, copied.present) == (6, 10_039, 0)
    assert told[-1] == (10_039, 10_039)
    assert content(other_url) == content(filled)
    with Store.open(filled) as source, Store.open(other_url) as target:
        assert source.store_id != target.store_id
        assert target.check_audit().broken == 0
    again = copy(filled, other_url)
    assert (again.recordings, again.present) == (0, 6)
    assert content(other_url) == content(filled)


@pytest.mark.usefixtures("small_pages")
def test_a_stopped_copy_goes_on_and_follows_the_source(
    filled: str, other_url: str, make: Make
) -> None:
    def stop(done: int, total: int) -> None:
        if done > 10_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy(filled, other_url, on_progress=stop)
    with opened(other_url) as database:
        # A part of a copy is a store like any other.
        assert list(verify(database)) == []
    with Store.open(filled) as store, Store.open(other_url) as target:
        seen = target.changes(0)
        index = {recording_id: hashes.packed for recording_id, hashes in seen.added}
        assert sorted(index) == [1, 2, 3]
        store.delete(2)
        store.relabel(1, {"speaker": "Cy"})
        store.add(*make(8))
        copied = copy(filled, other_url)
        assert (copied.recordings, copied.present) == (4, 3)
        assert content(other_url) == content(filled)
        # An index that followed the first part can follow the rest.
        changes = target.changes(seen.version.revision)
        assert changes.since_revision == seen.version.revision
        index |= {recording_id: hashes.packed for recording_id, hashes in changes.added}
        for recording_id in changes.deleted:
            index.pop(recording_id, None)
        assert sorted(index) == [1, 3, 4, 5, 7, 8]


@pytest.mark.usefixtures("small_pages")
def test_an_index_may_follow_while_a_copy_is_brought_up_to_date(
    filled: str, other_url: str, make: Make
) -> None:
    copy(filled, other_url)
    with Store.open(filled) as store, Store.open(other_url) as target:
        index: set[int] = set()
        revision = 0

        def follow(*_: int) -> None:
            nonlocal revision
            changes = target.changes(revision)
            if changes.since_revision != revision:
                index.clear()
            index.update(recording_id for recording_id, _ in changes.added)
            index.difference_update(changes.deleted)
            revision = changes.version.revision
            with opened(other_url) as database:
                assert list(verify(database)) == []

        follow()
        store.delete(2)
        store.add(*make(8))
        store.delete(3)
        store.delete_many([store.add(*make(9))[0].recording_id, 4])
        store.add(*make(10))
        store.delete(5)
        copy(filled, other_url, on_progress=follow)
        assert index == {1, 5, 7, 8, 10}
        follow()
        assert index == {each.recording_id for each in store.recordings()} == {1, 7, 8, 10}
        assert content(other_url) == content(filled)


def test_a_copy_of_a_store_that_was_rehashed_is_not_gone_on_with(
    filled: str, other_url: str, make: Make, fingerprinter: StoredFingerprinter
) -> None:
    copy(filled, other_url)
    before = content(other_url)
    better = replace(fingerprinter, digest="cd" * 32, name="2CBC32C")
    with opened(filled) as database:
        number = begin(database, better)
        for page in waiting(database, number):
            put(database, number, [(each, make(0)[1]) for each in page], 4096)
        # Halfway the store belongs to the old one still, with rows that the copy has no place for.
        with pytest.raises(StoreError, match="was rehashed or pruned since.*an empty database"):
            copy(filled, other_url)
        finish(database, number, forget=False)
    with Store.open(filled) as store:
        store.add(*make(8))
    with pytest.raises(StoreError, match="was rehashed or pruned since.*an empty database"):
        copy(filled, other_url)
    assert content(other_url) == before


@pytest.mark.slow
def test_a_copy_in_rows_of_another_length_and_back(
    filled: str, other_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    copy(filled, other_url, blocks_per_row=1)
    with Store.open(filled) as source, Store.open(other_url) as target:
        assert (source.blocks_per_row, target.blocks_per_row) == (4096, 1)
        for recording in source.recordings():
            one, other = (each.hashes(recording.recording_id) for each in (source, target))
            assert np.array_equal(one.packed, other.packed)
            assert np.array_equal(one.informative, other.informative)
    assert len(content(other_url)["hash_rows"]) == 10_039
    back = str(tmp_path_factory.mktemp("back") / "back.db")
    copy(other_url, back, blocks_per_row=4096)
    assert content(back) == content(filled)
    with pytest.raises(StoreError, match="holds 1 hashes a row, not 4096"):
        copy(filled, other_url)


def test_other_stores_are_no_copies(
    filled: str, other_url: str, make: Make, fingerprinter: StoredFingerprinter
) -> None:
    copy(filled, other_url)
    with Store.open(other_url) as target:
        target.relabel(1, {"speaker": "Dee"})
        with pytest.raises(StoreError, match="is no copy.*changed by itself.*samaf db merge"):
            copy(filled, other_url)
        target.delete(1)
        with pytest.raises(StoreError, match="is no copy.*were deleted"):
            copy(filled, other_url)
        target.add(*make(99))
    before = content(other_url)
    with pytest.raises(StoreError, match="is no copy.*recording 8 is not from there"):
        copy(filled, other_url)
    assert content(other_url) == before


def test_a_store_is_not_copied_to_itself(filled: str) -> None:
    with pytest.raises(StoreError, match="is both stores"):
        copy(filled, filled)


def test_damaged_hashes_are_not_cut_anew(
    tmp_path_factory: pytest.TempPathFactory, make: Make, fingerprinter: StoredFingerprinter
) -> None:
    from filling import run

    folder = tmp_path_factory.mktemp("damaged")
    fill(str(folder / "a.db"), make, fingerprinter)
    run(str(folder / "a.db"), "UPDATE hash_rows SET crc32 = 0 WHERE recording_id = 3")
    with pytest.raises(StoreError, match="hashes of recording 3 are damaged.*restore a backup"):
        copy(str(folder / "a.db"), str(folder / "b.db"), blocks_per_row=7)


COPIER = """
import sys
from samaf.store.maintenance import transfer
from samaf.store.maintenance.copying import copy
transfer.PAGE_HASHES = 1
copy(sys.argv[1], sys.argv[2], on_progress=lambda done, total: print(done, flush=True))
"""


@pytest.mark.process
def test_a_killed_copy_goes_on(
    database_url: str, other_url: str, make: Make, fingerprinter: StoredFingerprinter
) -> None:
    with Store.open(database_url) as store:
        store.bind(fingerprinter)
        for number in range(40):
            store.add(*make(number))
    for lines in (1, 9):
        process = subprocess.Popen(
            [sys.executable, "-c", COPIER, database_url, other_url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout
        for _ in range(lines):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.communicate()
        with opened(other_url) as database:
            assert list(verify(database)) == []
    copied = copy(database_url, other_url)
    assert copied.present >= 10
    assert copied.recordings + copied.present == 40
    assert content(other_url) == content(database_url)
