"""Whether the live database is what the program was made for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection

from samaf.store import schema
from samaf.store.database import Database
from samaf.store.maintenance.dialects import Maintenance, Setting, maintenance_of
from samaf.store.migration import current_schema, refuse_absent
from samaf.store.urls import resolve

ALTERED = "somebody altered the table; copy the store to a new one with `samaf db copy`"

UNGUARDED = (
    "run `samaf db upgrade`, which makes the triggers again, and `samaf db audit --verify`, which "
    "tells what was changed"
)
VERBS = ("update", "delete")


def check(url: str | None) -> list[Setting]:
    """Compare a store's tables and its database's settings with what this program needs.

    Raises
    ------
    StoreError
        There is no store, or it cannot be reached.
    """
    database = Database(resolve(url))
    try:
        refuse_absent(database)
        current = database.read(current_schema(database))
        ways_out = {True: "run `samaf db upgrade`", False: "update samaf"}
        remedy = ways_out[current < schema.NEWEST] if current else "`samaf add` makes a store"
        settings = [Setting("schema", current or "none", current == schema.NEWEST, remedy)]
        if current == schema.NEWEST:
            settings += database.read(lambda connection: list(_differences(connection)))
            settings += database.read(
                lambda connection: [_guarded(maintenance_of(database), connection)]
            )
        settings += database.read(
            lambda connection: list(maintenance_of(database).settings(connection))
        )
        return settings
    finally:
        database.close()


def _differences(connection: Connection) -> Iterator[Setting]:
    """Compare the tables with the program's, as alembic sees them."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True}
    )
    differences = [*_flat(compare_metadata(context, schema.metadata))]
    for difference in differences:
        yield Setting("tables", _told(difference), False, ALTERED)
    if not differences:
        yield Setting("tables", "as this program makes them", True, "")


def _guarded(maintenance: Maintenance, connection: Connection) -> Setting:
    """Tell whether the database refuses to change or remove entries of the audit log."""
    sound = all(maintenance.has_guard(connection, f"audit_no_{verb}") for verb in VERBS)
    return Setting("audit log", "guarded" if sound else "open to changes", sound, UNGUARDED)


def _flat(differences: list[Any]) -> Iterator[tuple[Any, ...]]:
    for difference in differences:
        if isinstance(difference, list):
            yield from _flat(difference)
        else:
            yield difference


def _told(difference: tuple[Any, ...]) -> str:
    """Write a difference as alembic gives it: what would have to be done, to what."""
    verb, *about = difference
    names = [str(getattr(each, "name", each)) for each in about if each is not None]
    return f"{verb.replace('_', ' ')}: {' '.join(names[:3])}"
