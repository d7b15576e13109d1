"""What is set differently from what a store needs is told, with the way out."""

from __future__ import annotations

import pytest
from filling import run

from benchmarks.stores.server import DatabaseServer
from samaf.errors import StoreError
from samaf.store import Store, schema, upgrade
from samaf.store.maintenance.checking import check
from samaf.store.maintenance.dialects import PACKET


def unsound(url: str) -> dict[str, tuple[str, str]]:
    return {each.name: (each.value, each.remedy) for each in check(url) if not each.sound}


def test_a_new_store_is_as_it_should_be(database_url: str) -> None:
    Store.open(database_url).close()
    assert unsound(database_url) == {}
    names = {each.name for each in check(database_url)}
    assert {"schema", "tables"} < names
    server = {"sql_mode", "max_allowed_packet", "foreign_key_checks", "table hash_rows"}
    assert (server if database_url.startswith("mysql") else {"journal_mode"}) < names


@pytest.mark.parametrize(
    "change, told",
    [
        ("DROP INDEX ix_recordings_revision", "add index: ix_recordings_revision"),
        ("ALTER TABLE labels ADD COLUMN colour INTEGER", "remove column: labels colour"),
        ("DROP TABLE labels", "add table: labels"),
    ],
)
def test_altered_tables_are_told(database_url: str, change: str, told: str) -> None:
    Store.open(database_url).close()
    if database_url.startswith("mysql") and "DROP INDEX" in change:
        change += " ON recordings"
    run(database_url, change)
    found, remedy = unsound(database_url)["tables"]
    assert found == told or told.startswith("add table")
    assert "samaf db copy" in remedy


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["update", "delete"])
def test_a_missing_or_empty_guard_of_the_audit_log_is_told(database_url: str, verb: str) -> None:
    Store.open(database_url).close()
    changes = [f"DROP TRIGGER audit_no_{verb}"]
    if database_url.startswith("sqlite"):
        changes.append(f"CREATE TRIGGER audit_no_{verb} BEFORE {verb} ON audit BEGIN SELECT 1; END")
    for change in changes:
        run(database_url, change)
        found, remedy = unsound(database_url)["audit log"]
        assert found == "open to changes"
        assert "run `samaf db upgrade`" in remedy
    run(database_url, f"DROP TRIGGER IF EXISTS audit_no_{verb}")
    upgrade(database_url)
    assert unsound(database_url) == {}


def test_another_schema_is_told(database_url: str) -> None:
    Store.open(database_url).close()
    for revision, remedy in (("0001", "run `samaf db upgrade`"), ("9999", "update samaf")):
        run(database_url, f"UPDATE alembic_version SET version_num = '{revision}'")
        assert unsound(database_url)["schema"] == (revision, remedy)
    assert schema.NEWEST != "0001"


def test_a_database_without_a_store_is_told(database_url: str) -> None:
    if database_url.startswith("sqlite"):
        with pytest.raises(StoreError, match="no such store"):
            check(database_url)
    else:
        assert unsound(database_url)["schema"] == ("none", "`samaf add` makes a store")


@pytest.mark.slow
def test_a_server_that_is_set_up_badly_is_told(database_server: DatabaseServer) -> None:
    with database_server.database() as url:
        Store.open(url).close()
        run(
            url,
            "SET GLOBAL max_allowed_packet = 1048576",
            "SET GLOBAL innodb_flush_log_at_trx_commit = 2",
            "ALTER TABLE labels CONVERT TO CHARACTER SET latin1 COLLATE latin1_swedish_ci",
            "ALTER TABLE deletions ENGINE = MyISAM",
        )
        try:
            found = unsound(url)
        finally:
            run(
                url,
                f"SET GLOBAL max_allowed_packet = {PACKET}",
                "SET GLOBAL innodb_flush_log_at_trx_commit = 1",
            )
        assert found["max_allowed_packet"][0] == "1,048,576 bytes"
        assert found["innodb_flush_log_at_trx_commit"][0] == "2"
        assert found["table labels"][0] == "InnoDB, latin1_swedish_ci"
        assert found["table deletions"][0].startswith("MyISAM")
        run(url, *(found[f"table {name}"][1].removeprefix("run ") for name in ("labels",)))
        assert "table labels" not in unsound(url)
