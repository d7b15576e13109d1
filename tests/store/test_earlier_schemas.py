"""Every migration up and down, from nothing and with data, on both engines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from filling import content, fill
from sqlalchemy import MetaData, create_engine, inspect, select

from samaf.records import Hashes, Recording
from samaf.store import Store, StoredFingerprinter, downgrade, schema, status, upgrade
from samaf.store.changes import Changes
from samaf.store.maintenance.checking import check
from samaf.store.maintenance.opening import opened
from samaf.store.maintenance.upkeep import prune
from samaf.store.maintenance.verification import verify
from samaf.store.migration import alembic_config
from samaf.store.urls import resolve

Make = Callable[..., tuple[Recording, Hashes]]

REVISIONS = sorted(
    script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()
)
EARLIER = REVISIONS[:-1]


def rows(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of all tables that are there, whatever the schema, but for its version."""
    engine = create_engine(resolve(url))
    metadata = MetaData()
    with engine.connect() as connection:
        metadata.reflect(connection)
        found = {
            name: sorted(tuple(map(str, row)) for row in connection.execute(select(table)))
            for name, table in metadata.tables.items()
            if name != schema.version.name
        }
    engine.dispose()
    return found


def ended(changes: Changes) -> Changes:
    """Read changes to their end, which ends their transaction."""
    assert list(changes.added)
    return changes


@pytest.mark.slow
@pytest.mark.parametrize("revision", EARLIER)
def test_a_filled_store_goes_down_and_up_again(filled: str, make: Make, revision: str) -> None:
    with Store.open(filled) as store:
        store.delete(5)  # the older schema has no place for its sides: see below
    before = rows(filled)
    assert downgrade(filled, revision).schema == revision
    older = rows(filled)
    # What the older schema has a place for stays; so does every column it knows.
    assert set(older) <= set(before)
    for name, lines in older.items():
        assert len(lines) == len(before[name])
    assert upgrade(filled).schema == schema.NEWEST
    after = rows(filled)
    # What was pruned before is not known, so indexes that are older are rebuilt.
    if revision < "0003":
        before["store"] = [(*row[:-1], row[2]) for row in before["store"]]
    for name in older:
        assert after[name] == before[name], name
    for name in set(before) - set(older):
        assert after[name] == [], name
    assert all(each.sound for each in check(filled))
    with opened(filled) as database:
        assert list(verify(database)) == []
    with Store.open(filled) as store:
        assert store.add(*make(99))[1]


def test_an_older_schema_keeps_the_mix_of_a_recording_with_sides(filled: str) -> None:
    with Store.open(filled) as store:
        mix = store.hashes(5)
        assert (len(mix), mix.streams) == (15, 3)
    downgrade(filled, "0003")
    upgrade(filled)
    with Store.open(filled) as store:
        kept = store.hashes(5)
        assert (kept.packed.tolist(), kept.streams) == (mix.stream(0).tolist(), 1)
        assert kept.informative.tolist() == mix.informative[:5].tolist()
        assert store.get(5).media is None
    with opened(filled) as database:
        assert list(verify(database)) == []


def test_an_empty_store_goes_through_all_revisions(database_url: str) -> None:
    Store.open(database_url).close()
    for revision in reversed(EARLIER):
        assert downgrade(database_url, revision).schema == revision
    downgrade(database_url, "base")
    engine = create_engine(resolve(database_url))
    assert inspect(engine).get_table_names() == [schema.version.name]
    engine.dispose()
    assert status(database_url).schema == ""
    upgrade(database_url)
    assert all(each.sound for each in check(database_url))
    with opened(database_url) as database:
        assert list(verify(database)) == []


def test_an_older_index_does_not_follow_what_was_pruned_before_an_upgrade(
    store: Store, database_url: str, make: Make
) -> None:
    store.add_many([make(1), make(2)])
    seen = ended(store.changes(0))
    store.delete(1)
    prune(database_url, days=0)
    assert not store.continues(seen.version)
    last = ended(store.changes(0))
    downgrade(database_url, "0002")
    upgrade(database_url)
    assert not store.continues(seen.version)
    assert ended(store.changes(seen.version.revision)).since_revision == 0
    # One that is current stays as it is.
    assert store.is_at(last.version)
    assert store.continues(last.version)


@pytest.mark.parametrize("revision", EARLIER)
def test_an_upgrade_that_was_cut_short_is_made_complete(
    database_url: str, make: Make, fingerprinter: StoredFingerprinter, revision: str
) -> None:
    fill(database_url, make, fingerprinter)
    before = content(database_url)
    # MySQL commits each change of a table at once: all of them done, the stamp not.
    engine = create_engine(resolve(database_url))
    with engine.begin() as connection:
        connection.execute(schema.version.update().values(version_num=revision))
    engine.dispose()
    assert upgrade(database_url).schema == schema.NEWEST
    if revision < "0003":
        before["store"] = [(*row[:-1], row[1]) for row in before["store"]]
    assert content(database_url) == before
    assert all(each.sound for each in check(database_url))
