"""Databases of stores, opened for work that goes past the methods of a `Store`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from samaf.errors import StoreError
from samaf.store.database import Database
from samaf.store.migration import prepare
from samaf.store.urls import resolve


@contextmanager
def opened(
    url: str | None, *, create: bool = False, blocks_per_row: int | None = None
) -> Iterator[Database]:
    """Open the database of a store, or make the store in it; see `Store.open`."""
    database = Database(resolve(url))
    try:
        prepare(database, create, blocks_per_row)
        yield database
    finally:
        database.close()


def refuse_same(one: str | None, other: str | None) -> None:
    """Refuse work between two stores that are one."""
    first, second = resolve(one), resolve(other)
    if first == second:
        raise StoreError(f"{Database(first).name}: is both stores; name two")
