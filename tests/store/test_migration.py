"""Schemas: made, compared, moved, refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from samaf.errors import StoreError
from samaf.records import Hashes, Recording
from samaf.store import Store, StoredFingerprinter, downgrade, schema, status, upgrade
from samaf.store.migration import alembic_config
from samaf.store.urls import resolve

Make = Callable[..., tuple[Recording, Hashes]]


def run(url: str, *statements: str) -> None:
    engine = create_engine(resolve(url))
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def described(connection: Connection) -> dict[str, list[str]]:
    """Return each table's SQL as the database tells it, lines in the order of the alphabet."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("SELECT name, sql FROM sqlite_master")).all()
    else:
        names = connection.execute(text("SHOW TABLES")).scalars().all()
        rows = [connection.execute(text(f"SHOW CREATE TABLE {name}")).one() for name in names]
    # SQLite quotes the name of a table that was rebuilt to alter it.
    return {
        name: sorted(line.strip(" ,\t").replace('"', "") for line in (sql or "").splitlines())
        for name, sql in rows
    }


def test_both_ways_to_the_newest_schema_give_the_same(database_url: str) -> None:
    engine = create_engine(resolve(database_url))
    found = []
    for make in (lambda: Store.open(database_url).close(), lambda: upgrade(database_url)):
        # The second comes after "base", so it starts from nothing again.
        if found:
            downgrade(database_url, "base")
        make()
        with engine.connect() as connection:
            found.append(described(connection))
            context = MigrationContext.configure(
                connection, opts={"compare_type": True, "compare_server_default": True}
            )
            assert compare_metadata(context, schema.metadata) == []
    engine.dispose()
    assert found[0] == found[1]
    assert set(schema.metadata.tables) < set(found[0])


def test_a_store_survives_its_upgrade(database_url: str) -> None:
    with Store.open(database_url) as store:
        store_id = store.store_id
    assert upgrade(database_url).schema == schema.NEWEST
    with Store.open(database_url, create=False) as store:
        assert store.store_id == store_id


def test_a_store_made_by_migrations_works(
    database_url: str, make: Make, fingerprinter: StoredFingerprinter
) -> None:
    Store.open(database_url).close()
    downgrade(database_url, "base")
    assert status(database_url).schema == ""
    upgrade(database_url)
    with Store.open(database_url, create=False) as store:
        store.bind(fingerprinter)
        assert store.add(*make(1))[1]


def test_the_newest_migration_is_the_newest_schema() -> None:
    scripts = ScriptDirectory.from_config(alembic_config())
    assert scripts.get_current_head() == schema.NEWEST
    names = [script.revision for script in scripts.walk_revisions()]
    assert names == sorted(names, reverse=True)
    assert all(len(name) == 4 and name.isdigit() for name in names)


def test_a_new_store_needs_no_alembic_and_no_orm(tmp_path: Path) -> None:
    code = (
        "import sys; from samaf.store import Store; Store.open(sys.argv[1]).close();"
        "print(sorted({'alembic', 'sqlalchemy.orm', 'platformdirs'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "store.db")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "revision, advice", [("0000", "older.*samaf db upgrade"), ("9999", "newer.*update samaf")]
)
def test_other_schemas_are_refused(database_url: str, revision: str, advice: str) -> None:
    Store.open(database_url).close()
    run(database_url, f"UPDATE alembic_version SET version_num = '{revision}'")
    with pytest.raises(StoreError, match=advice):
        Store.open(database_url)
    assert status(database_url).schema == revision
    with pytest.raises(StoreError, match="update samaf|see `samaf db status`"):
        upgrade(database_url)


def test_a_database_of_something_else_is_left_alone(database_url: str) -> None:
    run(database_url, "CREATE TABLE cats (name VARCHAR(9))")
    for act in (Store.open, upgrade, status):
        with pytest.raises(StoreError, match="not a store of samaf.*'cats'"):
            act(database_url)


def test_a_store_is_made_only_on_purpose(database_url: str) -> None:
    with pytest.raises(StoreError, match="samaf add"):
        Store.open(database_url, create=False)
    if database_url.startswith("sqlite"):
        for act in (upgrade, status):
            with pytest.raises(StoreError, match="no such store"):
                act(database_url)
        assert not Path(resolve(database_url).database or "").exists()


def test_making_a_store_goes_on_where_it_was_cut_short(database_url: str) -> None:
    Store.open(database_url).close()
    run(database_url, "DELETE FROM alembic_version", "DELETE FROM store", "DROP TABLE hash_rows")
    with Store.open(database_url) as store:
        assert store.stats().recordings == 0


def test_rows_hold_what_was_said_when_the_store_was_made(database_url: str) -> None:
    for impossible in (0, 4097):
        with pytest.raises(StoreError, match="within 1 to 4096"):
            Store.open(database_url, blocks_per_row=impossible)
    Store.open(database_url, blocks_per_row=1).close()
    with Store.open(database_url) as store:
        assert store.blocks_per_row == 1
    with pytest.raises(StoreError, match="holds 1 hashes a row, not 7"):
        Store.open(database_url, blocks_per_row=7)
