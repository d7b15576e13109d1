"""The store's statements go through indexes, not through whole tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from samaf.records import Hashes, Recording
from samaf.store import Store
from samaf.store.maintenance import transfer
from samaf.store.maintenance.opening import opened

Make = Callable[..., tuple[Recording, Hashes]]

# Statements that read whole tables on purpose: one row each, or all there is.
WHOLE_TABLES = {"store", "fingerprinters"}


def scanned(connection: Connection, statement: str, values: Any) -> list[str]:
    """Return the tables that a statement would read row by row, intermediate ones left out."""
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
        return [row.detail.split()[1] for row in rows if row.detail.startswith("SCAN")]
    rows = connection.exec_driver_sql(f"EXPLAIN FORMAT=TRADITIONAL {statement}", values).all()
    return [row.table for row in rows if row.type == "ALL" and row.table[0] != "<"]


def copied(store: Store, after: int) -> None:
    """Copy the recordings after one, as a copy that goes on does."""
    with opened("copy.db", create=True) as target, store._database.snapshot() as source:
        pages = list(transfer.pages(source, after))
        target.write(lambda to: transfer.put_fingerprinters(source, to))
        for page in pages:
            target.write(lambda to, page=page: transfer.put_recordings(source, to, page))


@pytest.mark.slow
@pytest.mark.parametrize(
    "act",
    [
        lambda store: store.get(7),
        lambda store: store.get_many(range(1, 9)),
        lambda store: store.find("ab" * 32),
        lambda store: store.resolve("7.wav"),
        lambda store: store.resolve("6b51d4"),
        lambda store: list(store.recordings({"speaker": "3"})),
        lambda store: store.page(590, 5),
        lambda store: store.page(5, 5, labels={"speaker": "7"}),
        lambda store: store.audit_page(590, 5),
        lambda store: store.hashes(7),
        lambda store: (store.changes(595).deleted, list(store.changes(595).added)),
        lambda store: store.relabel(7, {"speaker": "x"}),
        lambda store: store.delete(7),
        lambda store: copied(store, 590),
    ],
)
def test_statements_use_indexes(
    store: Store,
    make: Make,
    act: Callable[[Store], object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    store.add_many([make(number, 2, labels={"speaker": str(number)}) for number in range(600)])
    engine = store._database._readers
    if engine.dialect.name == "mysql":
        with engine.connect() as connection:
            for table in ("recordings", "labels", "hash_rows", "deletions"):
                connection.execute(text(f"ANALYZE TABLE {table}"))
    seen: list[tuple[str, Any]] = []
    listen = ("before_cursor_execute", lambda *call: seen.append((call[2], call[3])))
    event.listen(engine, *listen)
    act(store)
    event.remove(engine, *listen)
    statements = [(sql, values) for sql, values in seen if sql.startswith(("SELECT", "DELETE"))]
    assert statements
    with engine.connect() as connection:
        for sql, values in statements:
            assert set(scanned(connection, sql, values)) <= WHOLE_TABLES, sql
