"""Backups: whole, portable between engines, consistent, and refused when damaged."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from filling import content, fill
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samaf.errors import StoreError
from samaf.records import Hashes, Recording
from samaf.store import Store, StoredFingerprinter, downgrade
from samaf.store.maintenance.backup import _seal, back_up, restore
from samaf.store.maintenance.opening import opened
from samaf.store.maintenance.verification import verify

Make = Callable[..., tuple[Recording, Hashes]]


@pytest.fixture
def backup(tmp_path: Path, make: Make, fingerprinter: StoredFingerprinter) -> Path:
    """The backup of a filled store in a file."""
    fill(str(tmp_path / "source.db"), make, fingerprinter)
    back_up(str(tmp_path / "source.db"), tmp_path / "backup")
    return tmp_path / "backup"


def test_a_backup_holds_everything_and_goes_to_either_engine(
    filled: str, other_url: str, tmp_path: Path
) -> None:
    told: list[tuple[int, int]] = []
    made = back_up(filled, tmp_path / "backup", lambda *call: told.append(call))
    assert (made.recordings, made.hashes, made.revision) == (6, 10_039, 7)
    assert told[-1] == (10_039, 10_039)
    restored = restore(other_url, tmp_path / "backup")
    assert (restored.recordings, restored.hashes, restored.sha256) == (6, 10_039, made.sha256)
    assert content(other_url, "audit") == content(filled, "audit")
    assert content(other_url)["audit"][:-1] == content(filled)["audit"]
    with Store.open(filled) as source, Store.open(other_url) as target:
        # A cache of the one is never taken for one of the other.
        assert source.store_id != target.store_id
        *_, last = target.audit()
        assert (last.act, last.sha256) == ("restore", made.sha256)
    with opened(other_url) as database:
        assert list(verify(database)) == []


def test_a_backup_is_an_sqlite_file_for_anybody(backup: Path) -> None:
    with sqlite3.connect(f"file:{backup}?mode=ro", uri=True) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM recordings").fetchone() == (6,)
    assert [path.name for path in backup.parent.glob("*backup*")] == ["backup"]


@pytest.mark.slow
def test_a_backup_is_of_one_moment_while_writers_write(
    store: Store, database_url: str, make: Make, tmp_path: Path
) -> None:
    done = threading.Event()

    def write() -> None:
        number = 0
        while not done.is_set():
            # Two recordings in one transaction, so an odd number would be half of one.
            store.add_many([make(number), make(number + 1)])
            if number % 10 == 0 and number:
                store.delete(number - 5)
            number += 2

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            path = tmp_path / f"backup{number}"
            made = back_up(database_url, path)
            restore(str(tmp_path / f"{number}.db"), path)
            with opened(str(tmp_path / f"{number}.db")) as database:
                assert list(verify(database)) == []
            with Store.open(str(tmp_path / f"{number}.db")) as copy:
                gone = len(copy.changes(0).deleted)
                assert (made.recordings + gone) % 2 == 0
    finally:
        done.set()
        writer.join()


def test_a_store_with_recordings_is_replaced_on_purpose_only(
    filled: str, backup: Path, make: Make
) -> None:
    with Store.open(filled) as store:
        store.add(*make(50))
        revision, store_id = store.revision, store.store_id
    before = content(filled)
    with pytest.raises(StoreError, match="holds 7 recordings.*--replace"):
        restore(filled, backup)
    assert content(filled) == before
    restored = restore(filled, backup, replace=True)
    with Store.open(filled) as store:
        assert store.store_id == store_id
        assert len(list(store.recordings())) == 6
        # Whoever followed the old content starts anew.
        assert store.revision == restored.revision > revision
        changes = store.changes(revision)
        assert changes.since_revision == 0
        assert len(list(changes.added)) == 6
        assert store.check_audit().broken == 0
        # What the store went through stays in its own log.
        assert [entry.act for entry in store.audit()][-2:] == ["add", "restore"]


def test_restoring_is_all_or_nothing(database_url: str, backup: Path) -> None:
    def fail(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore(database_url, backup, on_progress=fail)
    with Store.open(database_url) as store:
        assert store.stats().recordings == 0
        assert store.fingerprinter() is None
    assert restore(database_url, backup).recordings == 6


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(place=st.integers(0), bit=st.integers(0, 7), kind=st.sampled_from(["flip", "cut", "longer"]))
def test_a_damaged_backup_is_refused(
    backup: Path, tmp_path: Path, place: int, bit: int, kind: str
) -> None:
    whole = backup.read_bytes()
    at = place % len(whole)
    damaged = {
        "flip": whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :],
        "cut": whole[:at],
        "longer": whole + b"\0" * (1 + bit),
    }[kind]
    (tmp_path / "damaged").write_bytes(damaged)
    with pytest.raises(StoreError, match="damaged: (no backup|was changed|a backup of format)"):
        restore(str(tmp_path / "target.db"), tmp_path / "damaged")
    assert not (tmp_path / "target.db").exists()


@pytest.mark.parametrize("revision", ["0001", "0002"])
def test_backups_of_earlier_schemas_can_be_restored(
    database_url: str, make: Make, tmp_path: Path, fingerprinter: StoredFingerprinter, revision: str
) -> None:
    fill(str(tmp_path / "old.db"), make, fingerprinter)
    downgrade(str(tmp_path / "old.db"), revision)
    # What back_up of that time wrote: the database in one file, and the seal.
    with sqlite3.connect(tmp_path / "old.db") as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    shutil.copy(tmp_path / "old.db", tmp_path / "old.backup")
    _seal(tmp_path / "old.backup")
    before = (tmp_path / "old.backup").read_bytes()
    assert restore(database_url, tmp_path / "old.backup").recordings == 6
    assert (tmp_path / "old.backup").read_bytes() == before
    with Store.open(database_url) as store:
        assert len(store.hashes(2)) == 10_000


def test_a_backup_of_a_later_schema_is_refused(backup: Path, tmp_path: Path) -> None:
    whole = backup.read_bytes()
    later = tmp_path / "later"
    later.write_bytes(whole[: whole.rindex(b"\nsamaf backup")])
    with sqlite3.connect(later) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    _seal(later)
    with pytest.raises(StoreError, match="9999 is of a newer samaf; update samaf"):
        restore(str(tmp_path / "target.db"), later)


def test_a_backup_with_values_of_a_wrong_kind_is_refused(backup: Path, tmp_path: Path) -> None:
    whole = backup.read_bytes()
    for number, damage in enumerate(
        (
            "UPDATE recordings SET sha256 = 7 WHERE id = 1",
            "UPDATE recordings SET added_at = 'yesterday'",
            "UPDATE hash_rows SET hashes = 'text'",
            "UPDATE recordings SET hash_count = 'many'",
            "DROP TABLE labels",
            "DELETE FROM store",
        )
    ):
        path = tmp_path / f"strange{number}"
        path.write_bytes(whole[: whole.rindex(b"\nsamaf backup")])
        with sqlite3.connect(path) as connection:
            connection.execute(damage)
        _seal(path)
        with pytest.raises(StoreError):
            restore(str(tmp_path / f"{number}.db"), path)


def test_files_that_cannot_be_used(backup: Path, tmp_path: Path) -> None:
    source = str(tmp_path / "source.db")
    with pytest.raises(StoreError, match="exists already"):
        back_up(source, backup)
    with pytest.raises(StoreError, match="cannot be written .No such file"):
        back_up(source, tmp_path / "gone" / "backup")
    with pytest.raises(StoreError, match="no such store"):
        back_up(str(tmp_path / "gone.db"), tmp_path / "new")
    with pytest.raises(StoreError, match="cannot be read .No such file"):
        restore(str(tmp_path / "new.db"), tmp_path / "gone")
    with pytest.raises(StoreError, match="cannot be read .Is a directory"):
        restore(str(tmp_path / "new.db"), tmp_path)
    assert not list(tmp_path.glob(".*"))
    assert not list(tmp_path.glob("new*"))
