"""The audit log: what is written, in which order, and that nobody can change it unseen."""

from __future__ import annotations

import getpass
import json
import logging
from collections.abc import Callable
from hashlib import sha256

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

import samaf
from benchmarks.stores.server import DatabaseServer
from samaf.errors import StoreError
from samaf.records import Hashes, Recording
from samaf.status import AuditEntry
from samaf.store import Store, StoredFingerprinter, downgrade, upgrade
from samaf.store.urls import resolve

Make = Callable[..., tuple[Recording, Hashes]]


def tamper(url: str, *statements: str) -> None:
    engine = create_engine(resolve(url))
    try:
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))
    finally:
        engine.dispose()


def unguarded(url: str, *statements: str) -> None:
    """Tamper as somebody who may drop triggers."""
    tamper(url, "DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete", *statements)


def hash_of(entry: AuditEntry, previous: str) -> str:
    """Compute the hash of an entry from the documentation alone."""
    content = [
        entry.entry_id,
        entry.happened_at,
        entry.act,
        entry.sha256 or None,
        entry.path,
        entry.database_user,
        entry.os_user,
        entry.program,
        entry.fingerprinter or None,
        json.dumps(dict(entry.details)) if entry.details else "",
        previous,
    ]
    return sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()


def test_each_change_is_one_entry(store: Store, make: Make) -> None:
    first, second = make(1), make(2, path="/caf\udce9 \U0001f600\n.wav", labels={"a": "b"})
    store.add_many([first, second])
    store.add(*first)  # nothing new, no entry
    store.relabel(2, {"a": "c\udce9", "d": ""})
    store.relabel(2, {"a": "c\udce9", "d": ""})  # nothing new, no entry
    store.delete(2)
    store.add_many([make(3)], act="import")
    store.log("query", "ab" * 32, "/clip.wav", {"matches": []})
    found = list(store.audit())
    assert [(each.entry_id, each.act, each.sha256) for each in found] == [
        (1, "add", first[0].sha256),
        (2, "add", second[0].sha256),
        (3, "relabel", second[0].sha256),
        (4, "delete", second[0].sha256),
        (5, "import", make(3)[0].sha256),
        (6, "query", "ab" * 32),
    ]
    assert found[1].path == found[2].path == second[0].path
    assert found[2].details == {"before": {"a": "b"}, "after": {"a": "c\udce9", "d": ""}}
    assert found[3].details == {"name": "2.wav", "labels": {"a": "c\udce9", "d": ""}}
    assert found[5].details == {"matches": []}
    for entry in found:
        assert entry.happened_at.endswith("+00:00")
        assert entry.os_user.startswith(f"{getpass.getuser()}@")
        assert entry.program == f"samaf {samaf.__version__}"
        assert entry.fingerprinter == "ab" * 32
        assert entry.database_user == ("" if store.url.startswith("sqlite") else "root@localhost")


def test_the_chain_is_the_one_that_is_documented(store: Store, make: Make) -> None:
    store.add_many([make(1, path="/ä\n\udcff"), make(2)])
    store.delete(1)
    previous = "0" * 64
    for entry in store.audit():
        assert entry.hash == hash_of(entry, previous)
        previous = entry.hash
    verdict = store.check_audit()
    assert (verdict.entries, verdict.head, verdict.broken) == (3, previous, 0)


@pytest.mark.parametrize(
    "statement, broken, reason",
    [
        ("UPDATE audit SET path = '/other.wav' WHERE id = 2", 2, "not what was written"),
        ("UPDATE audit SET happened_at = '2020-01-01 00:00:00' WHERE id = 1", 1, "not what"),
        ("DELETE FROM audit WHERE id = 2", 2, "missing"),
        ("UPDATE audit SET hash = sha256 WHERE id = 3", 3, "not what was written"),
    ],
)
def test_tampering_is_found(
    store: Store, make: Make, database_url: str, statement: str, broken: int, reason: str
) -> None:
    store.add_many([make(1), make(2), make(3), make(4)])
    unguarded(database_url, statement)
    verdict = store.check_audit()
    assert (verdict.entries, verdict.broken) == (broken - 1, broken)
    assert reason in verdict.reason


@pytest.mark.parametrize("details", ["7", "[]", "{", "[" * 50_000])
def test_an_entry_with_strange_details_is_read(
    store: Store, make: Make, database_url: str, details: str
) -> None:
    store.add(*make(1))
    unguarded(database_url, f"UPDATE audit SET details = '{details}'")
    (entry,) = store.audit()
    assert entry.details == {"unreadable": details}
    assert store.check_audit().broken == 1


@pytest.mark.parametrize("statement", ["UPDATE audit SET path = ''", "DELETE FROM audit"])
def test_the_database_refuses_to_change_entries(
    store: Store, make: Make, database_url: str, statement: str
) -> None:
    store.add(*make(1))
    with pytest.raises(DBAPIError, match="only ever added to"):
        tamper(database_url, statement)
    assert store.check_audit().entries == 1


def test_what_fails_leaves_no_entry(store: Store, make: Make) -> None:
    store.add(*make(1))
    with pytest.raises(StoreError):
        store.delete(7)
    with pytest.raises(StoreError, match="no act"):
        store.log("steal")
    with pytest.raises(StoreError, match="16,000"):
        store.relabel(1, {"a": "x" * 16_001})
    assert store.check_audit().entries == 1


def test_a_logged_query_changes_no_revision(store: Store) -> None:
    before = store.revision
    store.log("query", "ab" * 32)
    assert store.revision == before


def test_a_store_from_before_the_log(
    database_url: str, fingerprinter: StoredFingerprinter, make: Make
) -> None:
    with Store.open(database_url) as store:
        store.bind(fingerprinter)
        store.add(*make(1))
    downgrade(database_url, "0001")
    upgrade(database_url)
    with Store.open(database_url) as store:
        assert store.check_audit().entries == 0
        store.delete(1)
        assert store.check_audit().entries == 1
    with pytest.raises(DBAPIError, match="only ever added to"):
        tamper(database_url, "DELETE FROM audit")


def test_a_server_that_refuses_triggers(
    database_server: DatabaseServer,
    fingerprinter: StoredFingerprinter,
    make: Make,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with database_server.database() as url:
        name = url.partition("?")[0].rpartition("/")[2]
        rights = "SELECT, INSERT, UPDATE, DELETE, CREATE, REFERENCES, INDEX"
        database_server.execute(
            "DROP USER IF EXISTS carl",
            "CREATE USER carl IDENTIFIED BY 'secret'",
            f"GRANT {rights} ON {name}.* TO carl",
        )
        with (
            caplog.at_level(logging.WARNING),
            Store.open(database_server.url(name, "carl:secret")) as store,
        ):
            store.bind(fingerprinter)
            store.add(*make(1))
            (entry,) = store.audit()
            assert entry.database_user == "carl@localhost"
        (said,) = [each.getMessage() for each in caplog.records]
        assert "grant TRIGGER" in said
        tamper(url, "UPDATE audit SET path = ''")
        with Store.open(url) as store:
            assert store.check_audit().broken == 1
