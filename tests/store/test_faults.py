"""Each fault of a database is one clear line, without any password."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from filling import run
from sqlalchemy import Connection, event

from benchmarks.stores.server import DatabaseServer
from samaf.errors import StoreError
from samaf.records import Hashes, Recording
from samaf.store import Store, StoredFingerprinter

Make = Callable[..., tuple[Recording, Hashes]]

OPEN = """
import sys
from samaf.errors import StoreError
from samaf.store import Store
try:
    with Store.open(sys.argv[1]) as store:
        store.relabel(1, {"speaker": "x" * 15_000})
except StoreError as error:
    print(error)
"""


@pytest.fixture
def file_store(tmp_path: Path, fingerprinter: StoredFingerprinter, make: Make) -> Iterator[Store]:
    """An SQLite store with one recording."""
    with Store.open(str(tmp_path / "store.db")) as store:
        store.bind(fingerprinter)
        store.add(*make(1))
        yield store


def fault(url: str) -> str:
    with pytest.raises(StoreError) as error:
        Store.open(url).close()
    message = str(error.value)
    assert "secret" not in message
    assert "\n" not in message
    return message


def in_child(url: str, before: str) -> str:
    """Open and relabel in a process of its own, which runs ``before`` first."""
    return subprocess.run(
        [sys.executable, "-c", before + OPEN, url], capture_output=True, text=True, check=True
    ).stdout


def test_files_that_are_no_store(tmp_path: Path) -> None:
    (tmp_path / "talk.wav").write_bytes(b"RIFF" + bytes(range(256)) * 40)
    assert "not an SQLite database" in fault(str(tmp_path / "talk.wav"))
    assert "cannot be opened" in fault(str(tmp_path))
    assert "make its folder" in fault(str(tmp_path / "missing" / "store.db"))


def test_a_cut_off_file(tmp_path: Path, fingerprinter: StoredFingerprinter, make: Make) -> None:
    path = tmp_path / "store.db"
    with Store.open(str(path)) as store:
        store.bind(fingerprinter)
        store.add(*make(1, count=40_000))
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(StoreError, match="damaged; restore a backup"), Store.open(str(path)) as s:
        s.hashes(1)


@pytest.mark.process
def moved(folder: Path, name: str, to: str) -> None:
    """Rename a database with the files beside it."""
    for path in folder.glob(f"{name}.db*"):
        path.rename(path.with_name(path.name.replace(name, to)))


def test_a_file_that_was_moved_away_is_missed(file_store: Store, tmp_path: Path) -> None:
    moved(tmp_path, "store", "away")
    for work in (lambda: file_store.relabel(1, {"a": "b"}), lambda: file_store.revision):
        with pytest.raises(StoreError, match=r"is no longer where it was opened .* bring it back"):
            work()
    assert not (tmp_path / "store.db").exists()
    moved(tmp_path, "away", "store")
    file_store.relabel(1, {"a": "b"})
    assert dict(file_store.get(1).labels)["a"] == "b"


def test_a_file_that_took_the_place_of_another_is_read(
    file_store: Store, tmp_path: Path, fingerprinter: StoredFingerprinter, make: Make
) -> None:
    with Store.open(str(tmp_path / "other.db")) as other:
        other.bind(fingerprinter)
        other.add(*make(1))
        other.add(*make(2))
    assert file_store.get_many([1, 2]).keys() == {1}
    moved(tmp_path, "store", "away")
    moved(tmp_path, "other", "store")
    assert file_store.get_many([1, 2]).keys() == {1, 2}


def test_a_disk_that_takes_no_more(file_store: Store) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))"
    assert "the disk refused to write" in in_child(file_store.url, limit)
    assert file_store.get(1).labels == {}


@pytest.mark.process
def test_a_full_disk(small_disk: Path, fingerprinter: StoredFingerprinter, make: Make) -> None:
    with Store.open(str(small_disk / "store.db")) as store:
        store.bind(fingerprinter)
        store.add(*make(1))
        with pytest.raises(StoreError, match="the disk is full; make room"):
            for number in range(2, 99):
                store.add(*make(number, count=40_000))
        there = store.stats().recordings
        assert store.check_audit().entries == there
        assert len(list(store.changes(0).added)) == there
    assert there >= 1


def test_a_file_system_that_may_only_be_read(
    small_disk: Path, fingerprinter: StoredFingerprinter, make: Make
) -> None:
    with Store.open(str(small_disk / "store.db")) as store:
        store.bind(fingerprinter)
        store.add(*make(1))
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with Store.open(str(small_disk / "store.db")) as store:
        assert store.get(1).name == "1.wav"
        with pytest.raises(StoreError, match="cannot be written; fix the rights"):
            store.add(*make(2))


def test_a_full_table_space(
    database_server: DatabaseServer, fingerprinter: StoredFingerprinter, make: Make
) -> None:
    database_server.execute("SET GLOBAL innodb_file_per_table = OFF")
    try:
        with database_server.database() as url, Store.open(url) as store:
            store.bind(fingerprinter)
            store.add(*make(1))
            with pytest.raises(StoreError, match="table space is full; make room"):
                for number in range(2, 99):
                    store.add(*make(number, count=1_000_000))
            there = store.stats().recordings
            assert 1 < there < 98
            assert store.check_audit().entries == there
    finally:
        database_server.execute("SET GLOBAL innodb_file_per_table = ON")


@pytest.mark.process
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.usefixtures("public_path")
def test_a_file_that_may_only_be_read(file_store: Store) -> None:
    nobody = "import os, sqlite3, samaf.store, sqlalchemy.dialects.sqlite; os.setuid(65534)"
    assert "cannot be written; fix the rights" in in_child(file_store.url, nobody)


@pytest.mark.process
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.usefixtures("public_path")
def test_a_reader_of_a_folder_that_he_may_not_write(file_store: Store) -> None:
    file_store.close()
    os.chmod(file_store.url.removeprefix("sqlite:///"), 0o644)
    nobody = "import os, sqlite3, samaf.store, sqlalchemy.dialects.sqlite; os.setuid(65534)"
    said = in_child(file_store.url, nobody)
    assert "readers write to the folder too: who may not reads a copy, or a read-only" in said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_folder_that_one_may_not_enter(file_store: Store, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    os.seteuid(65534)
    try:
        with pytest.raises(StoreError, match=r"store.db: cannot be opened .Permission denied."):
            Store.open(file_store.url, create=False)
    finally:
        os.seteuid(0)


def test_another_program_holds_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fingerprinter: StoredFingerprinter
) -> None:
    monkeypatch.setattr("samaf.store.dialects.LOCK_WAIT", 0.01)
    with (
        Store.open(str(tmp_path / "store.db")) as store,
        store._database.schema_change(False),
        pytest.raises(StoreError, match="another program has kept it locked"),
    ):
        store.bind(fingerprinter)


def test_a_new_file_that_another_program_writes_is_waited_for(
    tmp_path: Path, fingerprinter: StoredFingerprinter
) -> None:
    path = tmp_path / "store.db"
    writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    writer.execute("BEGIN IMMEDIATE")
    end = threading.Timer(0.5, writer.execute, ["COMMIT"])
    end.start()
    with Store.open(str(path)) as store:
        store.bind(fingerprinter)
    end.join()
    writer.close()
    with closing(sqlite3.connect(path)) as later:
        assert later.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_servers_that_do_not_let_us_in(database_server: DatabaseServer) -> None:
    assert "cannot be reached" in fault("mysql://ann:secret@127.0.0.1:1/hashes")
    assert "cannot be reached" in fault("mysql://ann:secret@/hashes?unix_socket=/missing")
    database_server.execute("CREATE USER IF NOT EXISTS ann IDENTIFIED BY 'other secret'")
    assert "password is wrong" in fault(database_server.url("hashes", "ann:secret"))
    right = database_server.url("hashes", "ann:other%20secret")
    assert "may not use the database" in fault(right)
    assert "CREATE DATABASE" in fault(database_server.url("missing"))


def test_rights_that_lack(database_server: DatabaseServer, make: Make) -> None:
    with database_server.database() as url:
        Store.open(url).close()
        name = url.partition("?")[0].rpartition("/")[2]
        database_server.execute(
            "CREATE USER IF NOT EXISTS bob IDENTIFIED BY 'secret'",
            f"GRANT SELECT ON {name}.* TO bob",
        )
        with (
            Store.open(database_server.url(name, "bob:secret")) as store,
            pytest.raises(StoreError, match="lacks a right"),
        ):
            store.relabel(1, {})


def test_a_row_too_large_for_the_server(
    database_server: DatabaseServer, fingerprinter: StoredFingerprinter, make: Make
) -> None:
    database_server.execute("SET GLOBAL max_allowed_packet = 16384")
    try:
        with database_server.database() as url, Store.open(url) as store:
            store.bind(fingerprinter)
            large = Hashes(np.zeros((4096, 4), np.uint8), np.ones(4096, bool))
            with pytest.raises(StoreError, match="max_allowed_packet"):
                store.add(make(1)[0], large)
            assert store.stats().recordings == 0
    finally:
        database_server.execute("SET GLOBAL max_allowed_packet = 16777216")


def test_a_server_that_went_away_and_came_back(
    database_server: DatabaseServer,
    fingerprinter: StoredFingerprinter,
    make: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with database_server.database() as url, Store.open(url) as store:
        store.bind(fingerprinter)
        store.add(*make(1))
        database_server.kill()
        monkeypatch.setattr("samaf.store.database.PATIENCE", 0.1)
        with pytest.raises(StoreError, match="cannot be reached"):
            store.get(1)
        database_server.start()
        assert store.get(1).name == "1.wav"
        assert store.add(*make(2))[1]


def test_a_server_that_is_started_again_is_waited_for(
    database_server: DatabaseServer, fingerprinter: StoredFingerprinter, make: Make
) -> None:
    with database_server.database() as url, Store.open(url) as store:
        store.bind(fingerprinter)
        database_server.kill()
        start = threading.Timer(0.5, database_server.start)
        start.start()
        assert store.add(*make(1))[1]
        start.join()


def test_a_commit_whose_answer_was_lost(
    database_server: DatabaseServer, fingerprinter: StoredFingerprinter, make: Make
) -> None:
    lost: list[int] = []

    def lose(connection: Connection) -> None:
        if not lost:
            lost.append(connection.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one())
            database_server.execute(f"KILL {lost[0]}")

    with database_server.database() as url, Store.open(url) as store:
        store.bind(fingerprinter)
        engine = store._database._readers
        event.listen(engine, "commit", lose)
        # What may be done twice is done again; of the rest, nobody knows whether it was done.
        assert store.add(*make(1))[1]
        lost.clear()
        with pytest.raises(StoreError, match="connection was lost"):
            store.delete(1)
        assert store.get(1)
        assert store.check_audit().entries == 1


def test_connections_that_the_server_closed(
    database_server: DatabaseServer, fingerprinter: StoredFingerprinter, make: Make
) -> None:
    with database_server.database() as url, Store.open(url) as store:
        store.bind(fingerprinter)
        # Also in the middle of a transaction, after the connection was tested.
        lost: list[int] = []

        def work(connection: Connection) -> int:
            number = connection.exec_driver_sql("SELECT CONNECTION_ID()").scalar()
            if not lost:
                lost.append(number)
                database_server.execute(f"KILL {number}")
            return connection.exec_driver_sql("SELECT revision FROM store").scalar()

        assert store._database.write(work) == store.revision
        assert len(lost) == 1


def test_deadlocks_are_tried_again(database_server: DatabaseServer) -> None:
    with database_server.database() as url, Store.open(url) as store:
        run(url, "CREATE PROCEDURE deadlock() SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213")
        tries: list[int] = []

        def work(connection: Connection) -> None:
            tries.append(1)
            if len(tries) < 3:
                connection.exec_driver_sql("CALL deadlock()")

        store._database.write(work)
        assert len(tries) == 3
