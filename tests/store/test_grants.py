"""Users with the least rights can do their work and nothing more, on a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.stores.server import DatabaseServer
from samaf.errors import StoreError
from samaf.records import Hashes, Recording
from samaf.store import Store, StoredFingerprinter, downgrade, schema, upgrade
from samaf.store.maintenance.backup import back_up, restore
from samaf.store.maintenance.checking import check
from samaf.store.maintenance.copying import copy
from samaf.store.maintenance.grants import WRITER, grant_sql
from samaf.store.maintenance.opening import opened
from samaf.store.maintenance.upkeep import prune, vacuum
from samaf.store.maintenance.verification import verify

Make = Callable[..., tuple[Recording, Hashes]]


@pytest.fixture
def owner(database_server: DatabaseServer, make: Make) -> Iterator[str]:
    """The URL of a database for its owner; root grants, the owner makes the store."""
    # The name holds what stands for any character in a grant.
    database_server.execute("CREATE DATABASE `a_b%`", "CREATE DATABASE `axby`")
    database_server.execute("CREATE USER owner", *grants(database_server, "owner"))
    yield database_server.url("a_b%25", "owner")
    database_server.execute("DROP DATABASE `a_b%`", "DROP DATABASE `axby`", "DROP USER owner")


def grants(server: DatabaseServer, role: str) -> list[str]:
    return grant_sql(server.url("a_b%25"), role, role, "%")


@pytest.fixture
def filled_by_owner(owner: str, make: Make, fingerprinter: StoredFingerprinter) -> str:
    with Store.open(owner) as store:
        store.bind(fingerprinter)
        store.add_many([make(1, labels={"speaker": "Bo"}), make(2)])
    return owner


@pytest.fixture
def user(database_server: DatabaseServer, filled_by_owner: str) -> Iterator[Callable[[str], str]]:
    """Return the maker of users by role."""
    made = []

    def user(role: str) -> str:
        database_server.execute(f"CREATE USER {role}", *grants(database_server, role))
        made.append(role)
        return database_server.url("a_b%25", role)

    yield user
    for role in made:
        database_server.execute(f"DROP USER {role}")


def test_a_reader_reads_only(user: Callable[[str], str], make: Make, tmp_path: Path) -> None:
    url = user("reader")
    with Store.open(url) as store:
        assert [each.labels for each in store.recordings()] == [{"speaker": "Bo"}, {}]
        assert len(store.hashes(1)) == 5
        assert len(list(store.changes(0).added)) == 2
        assert store.stats().recordings == 2
        for act in (
            lambda: store.add(*make(3)),
            lambda: store.delete(1),
            lambda: store.relabel(1, {}),
        ):
            with pytest.raises(StoreError, match="lacks a right"):
                act()
    with opened(url) as database:
        assert list(verify(database)) == []
    assert all(each.sound for each in check(url))
    assert back_up(url, tmp_path / "backup").recordings == 2
    assert copy(url, str(tmp_path / "copy.db")).recordings == 2


def test_a_writer_writes_and_alters_nothing(
    user: Callable[[str], str], database_server: DatabaseServer, make: Make
) -> None:
    url = user("writer")
    with Store.open(url) as store:
        assert store.add(*make(3, labels={"case": "7"}))[1]
        store.relabel(3, {"case": "8"})
        (moved,) = store.relocate({3: "/elsewhere/moved.wav"})
        assert (moved.name, store.get(3)) == ("moved.wav", moved)
        store.delete(1)
        assert [each.recording_id for each in store.recordings()] == [2, 3]
    with pytest.raises(StoreError, match="lacks a right|command denied"):
        downgrade(url, "0001")
    with pytest.raises(StoreError, match="lacks a right on the tables; have it granted"):
        prune(url)
    assert all(each.sound for each in check(url))
    # The audit log can be added to, never changed.
    for statement in (
        "UPDATE audit SET path = ''",
        "DELETE FROM audit",
        "DROP TABLE audit",
        "DROP TRIGGER audit_no_update",
        "UPDATE recordings SET duration = 0",
        "UPDATE store SET store_id = ''",
    ):
        with pytest.raises(Exception, match="denied"):
            as_user(database_server, "writer", statement)


def test_an_owner_does_everything_here_and_nothing_elsewhere(
    filled_by_owner: str, database_server: DatabaseServer, tmp_path: Path
) -> None:
    assert downgrade(filled_by_owner, "0001").schema == "0001"
    assert upgrade(filled_by_owner).schema == schema.NEWEST
    prune(filled_by_owner)
    vacuum(filled_by_owner)
    back_up(filled_by_owner, tmp_path / "backup")
    assert restore(filled_by_owner, tmp_path / "backup", replace=True).recordings == 2
    with pytest.raises(Exception, match="denied"):
        as_user(database_server, "owner", "CREATE TABLE axby.t (i INT)")


def as_user(server: DatabaseServer, user: str, statement: str) -> None:
    import pymysql

    connection = pymysql.connect(unix_socket=str(server.socket), user=user, database="a_b%")
    with connection, connection.cursor() as cursor:
        cursor.execute(statement)


def test_every_table_is_thought_of() -> None:
    assert set(WRITER) == set(schema.metadata.tables)


def test_names_are_quoted(database_server: DatabaseServer) -> None:
    name = "o'Neil\\"
    database_server.execute(
        "CREATE DATABASE `x``y`",
        "CREATE USER 'o''Neil\\\\'@'10.%'",
        *grant_sql(database_server.url("x%60y"), "reader", name, "10.%"),
        "DROP USER 'o''Neil\\\\'@'10.%'",
        "DROP DATABASE `x``y`",
    )


@pytest.mark.parametrize(
    "url, role, user, reason",
    [
        ("a.db", "reader", "ann", "a file has no users.*chmod.*readers write to the folder"),
        ("mysql://h/d", "king", "ann", "'king': no such role; there are reader, writer, owner"),
        ("mysql://h/d", "reader", "", "cannot be a user's name"),
        ("mysql://h/d", "reader", "a\nb", "cannot be a user's name"),
    ],
)
def test_impossible_grants(url: str, role: str, user: str, reason: str) -> None:
    with pytest.raises(StoreError, match=reason):
        grant_sql(url, role, user)
