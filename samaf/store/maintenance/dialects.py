"""What an administrator says differently to SQLite and to MySQL/MariaDB."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from samaf.store import schema
from samaf.store.audit import NO_RIGHT, REFUSAL
from samaf.store.database import Database
from samaf.store.urls import is_file

PACKET = 16 << 20  # bytes; the largest row has 0.2 MB, a statement of many about 1 MB
TABLES = (*schema.metadata.tables, schema.version.name)


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that the database should be set to.

    Attributes
    ----------
    name, value
        What it is and how it is set.
    sound
        Whether that will do.
    remedy
        What to do where it will not.
    """

    name: str
    value: str
    sound: bool
    remedy: str


class Maintenance(ABC):
    """One kind of database, for its administrator."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @abstractmethod
    def settings(self, connection: Connection) -> Iterator[Setting]:
        """Yield what matters for a store, and how it is set."""

    @abstractmethod
    def has_guard(self, connection: Connection, trigger: str) -> bool:
        """Tell whether a trigger of the audit log is there."""

    @abstractmethod
    def damages(self) -> Iterator[str]:
        """Yield what the database itself finds wrong with its tables."""

    @abstractmethod
    def size(self) -> int:
        """Return the bytes that the store takes on disk."""

    @abstractmethod
    def vacuum(self) -> None:
        """Give space that is no longer used back to the disk."""


class SqliteMaintenance(Maintenance):
    """A file."""

    def settings(self, connection: Connection) -> Iterator[Setting]:
        """Look at foreign keys, the write-ahead log, syncing and encoding."""
        for pragma, wanted, remedy in (
            ("foreign_keys", "1", "open it with this program, which switches them on"),
            ("journal_mode", "wal", "run PRAGMA journal_mode = WAL, so that readers never wait"),
            ("synchronous", "2", "open it with this program, which syncs each commit"),
            ("encoding", "UTF-8", "copy it to a new file with `samaf db copy`"),
        ):
            value = str(_value(connection, f"PRAGMA {pragma}"))
            yield Setting(pragma, value, value == wanted, remedy)

    def has_guard(self, connection: Connection, trigger: str) -> bool:
        """Read the trigger's text."""
        value = connection.execute(
            text("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = :name"),
            {"name": trigger},
        ).scalar()
        return REFUSAL in str(value)

    def damages(self) -> Iterator[str]:
        """Ask SQLite for an integrity check and for rows that refer to nothing."""
        value = self.database.read(
            lambda connection: connection.execute(text("PRAGMA integrity_check")).scalars().all()
        )
        yield from (str(line) for line in value if line != "ok")

    def size(self) -> int:
        """Add up the file and its write-ahead log."""
        path = str(self.database.url.database)
        files = (Path(path), Path(f"{path}-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def vacuum(self) -> None:
        """Write the file again without holes, and empty its write-ahead log."""
        self.database.bare("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)")


class MysqlMaintenance(Maintenance):
    """A server."""

    def settings(self, connection: Connection) -> Iterator[Setting]:
        """Look at the session, at what a power cut would cost, and at each table."""
        variables = {
            row[0]: str(row[1]).upper()
            for row in connection.execute(text("SHOW SESSION VARIABLES")).all()
        }
        yield Setting("version", variables.get("version", "").lower(), True, "")
        for name, wanted, remedy in (
            ("foreign_key_checks", "ON", "set it to ON in the server's configuration"),
            ("character_set_connection", "UTF8MB4", "leave charset out of the URL"),
            ("innodb_flush_log_at_trx_commit", "1", "set it to 1: else a power cut costs data"),
            ("innodb_doublewrite", "ON", "set it to ON: else a power cut may break pages"),
        ):
            value = variables.get(name, "")
            yield Setting(name, value.lower(), value == wanted, remedy)
        mode = variables.get("sql_mode", "")
        remedy = "put nothing in the URL that sets it; this program asks for TRADITIONAL"
        yield Setting("sql_mode", mode.lower(), "STRICT_" in mode, remedy)
        packet = int(variables.get("max_allowed_packet") or 0)
        remedy = f"set it to {PACKET:,} bytes or more in the server's configuration"
        yield Setting("max_allowed_packet", f"{packet:,} bytes", packet >= PACKET, remedy)
        for table in _tables(connection):
            value = f"{table.engine}, {table.collation}"
            sound = table.name == schema.version.name or value == "InnoDB, utf8mb4_bin"
            remedy = (
                f"run ALTER TABLE {table.name} ENGINE = InnoDB, "
                "CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
            )
            yield Setting(f"table {table.name}", value, sound, remedy)

    def has_guard(self, connection: Connection, trigger: str) -> bool:
        """Read the trigger's text, or be refused that as somebody who may not make any."""
        try:
            value = connection.execute(text(f"SHOW CREATE TRIGGER {trigger}")).all()
        except DBAPIError as error:
            # Distinguish a missing trigger from one that this user may not see.
            return bool(error.orig and error.orig.args[0] in NO_RIGHT)
        return REFUSAL in str(value)

    def damages(self) -> Iterator[str]:
        """Have the server check all tables."""
        rows = self.database.read(
            lambda connection: connection.execute(text(f"CHECK TABLE {', '.join(TABLES)}")).all()
        )
        for name, _, kind, message in rows:
            if kind == "error" or (kind == "status" and message != "OK"):
                yield f"{name}: {message}"

    def size(self) -> int:
        """Add up data, indexes and free space of all tables; the server counts them again."""
        self.database.bare(f"ANALYZE TABLE {', '.join(TABLES)}")
        return self.database.read(
            lambda connection: sum(int(table.bytes) for table in _tables(connection))
        )

    def vacuum(self) -> None:
        """Have each table rebuilt."""
        self.database.bare(*(f"OPTIMIZE TABLE {name}" for name in TABLES))


def maintenance_of(database: Database) -> Maintenance:
    """Return what speaks to this database."""
    kind = SqliteMaintenance if is_file(database.url) else MysqlMaintenance
    return kind(database)


def _value(connection: Connection, statement: str) -> Any:
    return connection.execute(text(statement)).scalar()


def _tables(connection: Connection) -> list[Any]:
    query = text(
        "SELECT table_name AS name, engine AS engine, table_collation AS collation, "
        "data_length + index_length + data_free AS bytes "
        "FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY table_name"
    )
    return [row for row in connection.execute(query) if row.name in TABLES]
