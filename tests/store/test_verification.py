"""Every kind of damage is found, named, and comes with a way to fix it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from filling import fill, run

from samaf.records import Hashes, Recording
from samaf.store import Store, StoredFingerprinter
from samaf.store.maintenance.opening import opened
from samaf.store.maintenance.verification import Fault, verify

Make = Callable[..., tuple[Recording, Hashes]]


def faults(url: str) -> list[Fault]:
    with opened(url) as database:
        return list(verify(database))


def test_a_sound_store_has_no_faults(filled: str) -> None:
    told: list[tuple[int, int]] = []
    with opened(filled) as database:
        assert list(verify(database, lambda *call: told.append(call))) == []
    assert told[-1] == (10_039, 10_039)


def test_an_empty_store_has_no_faults(database_url: str) -> None:
    Store.open(database_url).close()
    assert faults(database_url) == []


@pytest.mark.parametrize(
    "damage, kind, where, what",
    [
        (
            "UPDATE hash_rows SET crc32 = crc32 - 1 WHERE recording_id = 2 AND first_block_id > 0",
            "hashes",
            "recording 2",
            "the checksum of block 4096 is wrong",
        ),
        (
            "UPDATE hash_rows SET informative = NULL WHERE recording_id = 4",
            "hashes",
            "recording 4",
            "the checksum of block 0 is wrong",
        ),
        (
            "DELETE FROM hash_rows WHERE recording_id = 2 AND first_block_id = 4096",
            "hashes",
            "recording 2",
            "block 4096 is missing",
        ),
        (
            "DELETE FROM hash_rows WHERE recording_id = 2 AND first_block_id = 8192",
            "hashes",
            "recording 2",
            "there are 8192 hashes instead of 10000",
        ),
        ("DELETE FROM hash_rows WHERE recording_id = 3", "hashes", "recording 3", "has no hashes"),
        (
            "UPDATE recordings SET hash_count = 4 WHERE id = 1",
            "hashes",
            "recording 1",
            "there are 5 hashes instead of 4",
        ),
        (
            "UPDATE hash_rows SET hashes = x'00' WHERE recording_id = 5",
            "hashes",
            "recording 5",
            "the checksum of block 0 is wrong",
        ),
        ("DELETE FROM recordings WHERE id = 7", "orphan", "recording 7", "1 rows of the table"),
        (
            "UPDATE hash_rows SET fingerprinter_id = 9 WHERE recording_id = 2",
            "fingerprinter",
            "fingerprinter 9",
            "10000 hashes belong to it, and it is not there",
        ),
        ("DELETE FROM fingerprinters", "fingerprinter", "table fingerprinters", "no fingerprinter"),
        ("UPDATE store SET revision = 3", "revision", "table store", "revision is 3, and"),
        (
            "UPDATE store SET last_recording_id = 5",
            "revision",
            "table store",
            "last_recording_id is 5, and the table recordings has 7",
        ),
        (
            "UPDATE recordings SET revision = 1 WHERE id = 4",
            "revision",
            "recording 4",
            "its revision 1 is lower than the one before",
        ),
        (
            "UPDATE deletions SET recording_id = 5",
            "revision",
            "recording 5",
            "is there and logged as deleted",
        ),
        ("DELETE FROM store", "revision", "table store", "has 0 rows instead of 1"),
    ],
)
def test_damage_is_found(filled: str, damage: str, kind: str, where: str, what: str) -> None:
    with opened(filled) as database:
        # The store is opened before: some damage would keep it from opening.
        run(filled, damage)
        found = list(verify(database))
    assert any(
        (fault.kind, fault.where) == (kind, where) and what in fault.what for fault in found
    ), found
    assert all(fault.remedy for fault in found)


def test_a_changed_audit_log_is_found(filled: str) -> None:
    run(filled, "DROP TRIGGER audit_no_update", "UPDATE audit SET path = 'x' WHERE id = 2")
    (fault,) = faults(filled)
    assert (fault.kind, fault.where) == ("audit", "entry 2")


def test_what_verify_says_mends_it(filled: str, make: Make) -> None:
    run(filled, "UPDATE hash_rows SET crc32 = 0 WHERE recording_id = 3")
    (fault,) = faults(filled)
    assert fault.remedy.startswith("run `samaf delete 3` and `samaf add /recordings/3.wav`")
    with Store.open(filled) as store:
        store.delete(3)
        assert store.add(*make(3))[1]
    assert faults(filled) == []


@pytest.fixture
def filled_file(tmp_path: Path, make: Make, fingerprinter: StoredFingerprinter) -> str:
    """A filled store in a file: SQLite takes what a server refuses."""
    url = f"sqlite:///{tmp_path / 'file.db'}"
    fill(url, make, fingerprinter)
    return url


def test_values_of_a_wrong_kind_are_found(filled_file: str) -> None:
    run(filled_file, "UPDATE hash_rows SET hashes = 'text', crc32 = 'x'")
    assert faults(filled_file)


def test_a_damaged_file_is_found(filled_file: str) -> None:
    path = filled_file.removeprefix("sqlite:///")
    run(filled_file, "PRAGMA wal_checkpoint(TRUNCATE)")
    with open(path, "r+b") as file:
        # A page in the middle: the hashes of recording 2.
        file.seek(16_384 * 20)
        file.write(b"\xff" * 16_384)
    found = faults(filled_file)
    assert {fault.kind for fault in found} >= {"database"}
