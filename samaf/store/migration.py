"""A store's schema: made, recognised, and moved from one revision to another.

Alembic is imported only to move an existing schema: it costs 0.3 s. A new store is made from
`samaf.store.schema` and stamped; a test holds that and the migrations together.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, select

from samaf.errors import StoreError
from samaf.store import schema
from samaf.store.audit import protect
from samaf.store.blobs import LARGEST_ROW
from samaf.store.database import Database
from samaf.store.rows import now
from samaf.store.urls import resolve

if TYPE_CHECKING:
    from alembic.config import Config


@dataclass(frozen=True, slots=True)
class SchemaStatus:
    """Where a store's schema stands.

    Attributes
    ----------
    url
        The store, without password.
    schema
        The store's schema revision; empty when the database is empty.
    newest
        The revision that this program works with.
    """

    url: str
    schema: str
    newest: str


def status(url: str | None = None) -> SchemaStatus:
    """Tell the schema revision of a store, whether this program can use it or not."""
    database = Database(resolve(url))
    try:
        refuse_absent(database)
        return SchemaStatus(database.name, database.read(current_schema(database)), schema.NEWEST)
    finally:
        database.close()


def upgrade(url: str | None = None) -> SchemaStatus:
    """Bring a store to the newest schema, through all migrations between.

    Raises
    ------
    StoreError
        There is no store, or its schema is newer than this program.
    """
    return _move(url, "upgrade", schema.NEWEST)


def downgrade(url: str | None, revision: str) -> SchemaStatus:
    """Take a store back to an older schema; "base" drops everything in it."""
    return _move(url, "downgrade", revision)


def prepare(database: Database, create: bool, blocks_per_row: int | None) -> tuple[str, int]:
    """Make sure that the database holds a store of the newest schema.

    Parameters
    ----------
    database
        Any database.
    create
        Whether to make a store where there is none.
    blocks_per_row
        Hashes a row of a new store; None for `LARGEST_ROW`.

    Returns
    -------
    str
        The store's id.
    int
        Its ``blocks_per_row``.

    Raises
    ------
    StoreError
        There is no store, it is of another schema or another layout, or the database
        is somebody else's.
    """
    if blocks_per_row is not None and not 1 <= blocks_per_row <= LARGEST_ROW:
        raise StoreError(f"blocks_per_row {blocks_per_row} is not within 1 to {LARGEST_ROW}")
    if not create:
        refuse_absent(database)
    current = database.read(current_schema(database))
    if not current:
        if not create:
            raise StoreError(f"{database.name}: no store in this database; `samaf add` makes one")
        _create(database, blocks_per_row or LARGEST_ROW)
    elif current < schema.NEWEST:
        raise StoreError(
            f"{database.name}: its schema {current} is older than this program's {schema.NEWEST}; "
            "run `samaf db upgrade`"
        )
    elif current > schema.NEWEST:
        raise _newer(database, current)
    store_id, in_store = database.read(_store_row)
    if blocks_per_row not in (None, in_store):
        raise StoreError(
            f"{database.name}: holds {in_store} hashes a row, not {blocks_per_row}; "
            "that is fixed when a store is made"
        )
    return store_id, in_store


def _create(database: Database, blocks_per_row: int) -> None:
    """Make the tables; the stamp comes last, so what was cut short is made complete."""
    with database.schema_change(new=True) as connection:
        if current_schema(database)(connection):
            return  # another process was quicker
        schema.metadata.create_all(connection)
        schema.version.create(connection, checkfirst=True)
        protect(connection)
        _insert_store_row(connection, blocks_per_row)
        connection.execute(schema.version.insert().values(version_num=schema.NEWEST))


def _insert_store_row(connection: Connection, blocks_per_row: int) -> None:
    if connection.execute(select(schema.store.c.id)).first() is None:
        connection.execute(
            schema.store.insert().values(
                id=1,
                store_id=str(uuid.uuid4()),
                revision=0,
                last_recording_id=0,
                blocks_per_row=blocks_per_row,
                created_at=now(),
            )
        )


def _move(url: str | None, verb: str, revision: str) -> SchemaStatus:
    from alembic import command
    from alembic.util import CommandError

    database = Database(resolve(url))
    try:
        refuse_absent(database)
        current = database.read(current_schema(database))
        if current > schema.NEWEST:
            raise _newer(database, current)
        with database.schema_change(new=not current) as connection:
            config = alembic_config()
            config.attributes["connection"] = connection
            try:
                getattr(command, verb)(config, revision)
            except CommandError as error:
                raise StoreError(f"{database.name}: {error}; see `samaf db status`") from error
            if verb == "upgrade":
                _insert_store_row(connection, LARGEST_ROW)
                protect(connection)
        return SchemaStatus(database.name, database.read(current_schema(database)), schema.NEWEST)
    finally:
        database.close()


def alembic_config() -> Config:
    """Return alembic's configuration: where the migrations lie, and nothing else.

    They are the package ``samaf.migrations`` where samaf is installed, and the folder
    ``migrations`` beside the package in a source checkout.
    """
    from alembic.config import Config

    package = Path(__file__).resolve().parents[1]
    folders = (package / "migrations", package.parent / "migrations")
    config = Config()
    config.set_main_option(
        "script_location",
        # A percent sign would begin an interpolation.
        str(next(folder for folder in folders if (folder / "env.py").is_file())).replace("%", "%%"),
    )
    return config


def current_schema(database: Database) -> Callable[[Connection], str]:
    """Return what reads the schema revision; it refuses databases that hold anything else."""

    def read(connection: Connection) -> str:
        tables = set(inspect(connection).get_table_names())
        if schema.version.name in tables and schema.store.name in tables:
            return connection.execute(select(schema.version.c.version_num)).scalar() or ""
        ours = {*schema.metadata.tables, schema.version.name}
        if strange := sorted(tables - ours):
            raise StoreError(
                f"{database.name}: not a store of samaf (it holds the table {strange[0]!r}); "
                "give samaf a database of its own"
            )
        return ""

    return read


def _store_row(connection: Connection) -> tuple[str, int]:
    columns = (schema.store.c.store_id, schema.store.c.blocks_per_row)
    store_id, blocks_per_row = connection.execute(select(*columns)).one()
    return store_id, blocks_per_row


def _newer(database: Database, current: str) -> StoreError:
    return StoreError(
        f"{database.name}: its schema {current} is newer than this program's {schema.NEWEST}; "
        "update samaf"
    )


def refuse_absent(database: Database) -> None:
    if database.dialect.is_absent(database.url):
        raise StoreError(f"{database.name}: no such store; `samaf add` makes one")
