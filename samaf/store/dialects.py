"""What differs between SQLite and MySQL/MariaDB, and nothing else."""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, select
from sqlalchemy.exc import DBAPIError, DisconnectionError

from samaf.errors import StoreError
from samaf.store.urls import TLS_ARGUMENTS, is_file, redacted

LOCK_WAIT = 30  # s; how long a writer waits for others
LOCK_PAUSE = 0.02  # s; between two tries where the database does not wait by itself
CONNECT_WAIT = 10  # s

# Connection options: this transaction will write; these statements stand in none.
WRITES = "samaf_writes"
BARE = "samaf_bare"


class Dialect(ABC):
    """One kind of database."""

    @abstractmethod
    def engine(self, url: URL) -> Engine:
        """Return an engine whose transactions suit the store."""

    @abstractmethod
    def is_absent(self, url: URL) -> bool:
        """Whether connecting would make a new database."""

    @abstractmethod
    @contextmanager
    def schema_change(self, engine: Engine, new: bool) -> Iterator[Connection]:
        """Open a connection, alone in changing the schema; ``new``: of an empty database."""
        yield NotImplemented

    @abstractmethod
    def user(self, connection: Connection) -> str:
        """Return who we are to the database; empty where it knows no users."""

    @abstractmethod
    def size(self, connection: Connection) -> int:
        """Return the bytes that the database takes on disk."""

    @abstractmethod
    def is_transient(self, error: DBAPIError) -> bool:
        """Whether the transaction was rolled back and can be tried again as it was."""

    @abstractmethod
    def is_absence(self, error: DBAPIError) -> bool:
        """Whether nobody answered, so nothing was done."""

    @abstractmethod
    def reason(self, error: DBAPIError) -> str:
        """Say in one line what went wrong and the way out."""


class Sqlite(Dialect):
    """A file. Writers wait for each other at BEGIN; readers see the last commit."""

    # A page of 16 kB holds 13 recordings of 10 s; one of 4 kB wastes a tenth.
    PAGE_SIZE = 16_384
    REASONS = {
        "file is not a database": "not an SQLite database; give another file",
        "unable to open database file": "cannot be opened; make its folder or fix its rights",
        "readonly database": "cannot be written; fix the rights of file, folder or disk (SQLite's "
        "readers write to the folder too: who may not reads a copy, or a read-only mount)",
        "disk is full": "the disk is full; make room and run the command again",
        "disk I/O error": "the disk refused to write or read; see whether it is full or damaged",
        "is locked": f"another program has kept it locked for {LOCK_WAIT} s; try again later",
        "malformed": "the database is damaged; restore a backup",
    }

    def engine(self, url: URL) -> Engine:
        """Return an engine that begins transactions itself and syncs each commit."""
        path, name = Path(str(url.database)).absolute(), redacted(url)
        if self._never_changes(url):
            # Without a folder to write to, SQLite reads a file only with this setting.
            address = f"file:{quote(str(url.database))}"
            url = url.set(database=address, query={"immutable": "1", "uri": "true"})
        engine = create_engine(url, connect_args={"timeout": LOCK_WAIT}, hide_parameters=True)

        opened = False

        @event.listens_for(engine, "do_connect")
        def find(_dialect: object, _record: object, _arguments: object, _named: object) -> None:
            # SQLite would make an empty database in the place of one that was moved away.
            if opened:
                self._identity(path, name)

        @event.listens_for(engine, "connect")
        def configure(connection: Any, record: Any) -> None:
            nonlocal opened
            opened = True
            record.info["is new"] = True
            # Python's driver would begin transactions late and commit them before DDL.
            connection.isolation_level = None
            connection.execute("PRAGMA foreign_keys = ON")
            # What was reported as stored survives a power cut.
            connection.execute("PRAGMA synchronous = FULL")

        @event.listens_for(engine, "checkout")
        def check(_connection: Any, record: Any, _proxy: object) -> None:
            # A connection stays with the file that it opened, also when that is deleted.
            identity = self._identity(path, name)
            if not record.info.pop("is new", False) and record.info["file"] != identity:
                raise DisconnectionError
            record.info["file"] = identity

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            # A reader that turned writer would fail when another wrote in between.
            options = connection.get_execution_options()
            if not options.get(BARE):
                connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(WRITES) else "BEGIN")

        return engine

    def is_absent(self, url: URL) -> bool:
        """Whether there is no such file."""
        path = Path(url.database or "")
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError as error:
            raise StoreError(
                f"{path}: cannot be opened ({error.strerror}); fix the path or the rights of its "
                "folders"
            ) from error
        return False

    @contextmanager
    def schema_change(self, engine: Engine, new: bool) -> Iterator[Connection]:
        """Hold the write lock, with foreign keys off: alembic recreates tables."""
        with engine.connect() as connection:
            self._set(connection, "foreign_keys = OFF")
            if new:
                self._set(connection, f"page_size = {self.PAGE_SIZE}")
                self._write_ahead(connection)
            connection.execution_options(**{WRITES: True})
            try:
                with connection.begin():
                    yield connection
            finally:
                self._set(connection, "foreign_keys = ON")

    @staticmethod
    def _identity(path: Path, name: str) -> tuple[int, int]:
        """Tell which file lies at a path; `StoreError` where none does."""
        try:
            status = path.stat()
        except OSError as error:
            raise StoreError(
                f"{name}: is no longer where it was opened ({error.strerror}); bring it back"
            ) from error
        return status.st_dev, status.st_ino

    @staticmethod
    def _never_changes(url: URL) -> bool:
        """Whether the file lies complete on a medium that can only be read."""
        path = Path(str(url.database))
        try:
            is_read_only = os.statvfs(path).f_flag & os.ST_RDONLY
        except OSError:
            return False
        return bool(is_read_only) and not path.with_name(f"{path.name}-wal").exists()

    @staticmethod
    def _set(connection: Connection, *pragmas: str) -> None:
        """Run pragmas that have no effect inside a transaction."""
        connection.execution_options(**{BARE: True})
        for pragma in pragmas:
            connection.exec_driver_sql(f"PRAGMA {pragma}")
        connection.commit()
        connection.execution_options(**{BARE: False})

    def _write_ahead(self, connection: Connection) -> None:
        """Switch to the write-ahead log; SQLite itself does not wait for others here."""
        last = time.monotonic() + LOCK_WAIT
        while True:
            try:
                self._set(connection, "journal_mode = WAL")
            except DBAPIError as error:
                if "is locked" not in str(error.orig) or time.monotonic() > last:
                    raise
                connection.rollback()
                time.sleep(LOCK_PAUSE)
            else:
                return

    def user(self, connection: Connection) -> str:
        """Return nothing: a file has no users."""
        return ""

    def size(self, connection: Connection) -> int:
        """Return the bytes of the file."""
        pages, size = (
            int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
            for name in ("page_count", "page_size")
        )
        return pages * size

    def is_transient(self, error: DBAPIError) -> bool:
        """Never: SQLite itself waits for locks as long as we are ready to wait."""
        return False

    def is_absence(self, error: DBAPIError) -> bool:
        """Never: a file that is gone does not come back."""
        return False

    def reason(self, error: DBAPIError) -> str:
        """Look the message up; Python before 3.11 has no error codes."""
        message = str(error.orig)
        return next((text for key, text in self.REASONS.items() if key in message), message)


class Mysql(Dialect):
    """A server, MySQL or MariaDB, through PyMySQL.

    REPEATABLE READ, so that all statements of a reading transaction see one state. A writer
    first updates the row of the table ``store``: its snapshot begins when it is alone.
    """

    # Lock timeout, deadlock, row changed since the snapshot; Galera's node is not ready.
    DEADLOCKS = (1205, 1213, 1020, 1047)
    ABSENCES = (2002, 2003, 1040, 1053)  # not there, too many connections, shutting down
    REASONS = {
        1021: "the server's disk is full; make room and run the command again",
        1040: "the server has too many connections; try again later",
        1044: "this user may not use the database; have the rights granted",
        1045: "user name or password is wrong",
        1049: "the server has no such database; make it with CREATE DATABASE",
        1114: "the server's table space is full; make room and run the command again",
        1142: "this user lacks a right on the tables; have it granted",
        1143: "this user lacks a right on the tables; have it granted",  # on single columns
        1153: "a row exceeds the server's max_allowed_packet; raise it to 16 MB",
        1205: "another program keeps the store locked; try again later",
        1213: "other writers kept getting in the way; run the command again",
        1290: "the server is read-only; give the one that takes writes",
        1836: "the server is read-only; give the one that takes writes",
        2002: "the server cannot be reached; see whether it runs and the address is right",
        2003: "the server cannot be reached; see whether it runs and the address is right",
        2006: "the connection was lost (if again at once, raise max_allowed_packet to 16 MB); "
        "run the command again",
        2026: "the server offers no TLS; have it switched on, or leave ssl_ca away",
        3159: "the server takes TLS connections only; add ?ssl_ca=FILE to the URL",
        2013: "the connection was lost (if again at once, raise max_allowed_packet to 16 MB); "
        "run the command again",
    }

    def engine(self, url: URL) -> Engine:
        """Return an engine of strict sessions, each connection tested before its use."""
        return create_engine(
            url.difference_update_query(TLS_ARGUMENTS),
            isolation_level="REPEATABLE READ",
            pool_pre_ping=True,
            # The text of an error would hold names and labels otherwise.
            hide_parameters=True,
            connect_args={
                **_tls(url),
                "connect_timeout": CONNECT_WAIT,
                "binary_prefix": True,
                # What does not fit is an error on every server, never cut off.
                "init_command": "SET SESSION sql_mode = 'TRADITIONAL', "
                f"SESSION innodb_lock_wait_timeout = {LOCK_WAIT}",
            },
        )

    def is_absent(self, url: URL) -> bool:
        """Never: a server's databases are made by its administrator."""
        return False

    @contextmanager
    def schema_change(self, engine: Engine, new: bool) -> Iterator[Connection]:
        """Hold a lock by name: DDL commits at once here, so no transaction would do."""
        with engine.connect() as connection:
            # The server's names for locks hold 64 characters, as its names for databases do.
            name = str(engine.url.database)
            if not connection.execute(select(func.get_lock(name, LOCK_WAIT))).scalar():
                raise StoreError(f"{name}: another program is changing its schema; try again later")
            try:
                yield connection
                connection.commit()
            finally:
                connection.rollback()
                connection.execute(select(func.release_lock(name)))

    def user(self, connection: Connection) -> str:
        """Return user and host as the server sees them."""
        return str(connection.exec_driver_sql("SELECT USER()").scalar_one())

    def size(self, connection: Connection) -> int:
        """Return the bytes of all tables and their indexes, as the server reckons."""
        return int(
            connection.exec_driver_sql(
                "SELECT COALESCE(SUM(data_length + index_length), 0) "
                "FROM information_schema.tables WHERE table_schema = DATABASE()"
            ).scalar_one()
        )

    def is_transient(self, error: DBAPIError) -> bool:
        """Whether it was a deadlock, a lock timeout or a lost connection."""
        return error.connection_invalidated or _code(error) in self.DEADLOCKS

    def is_absence(self, error: DBAPIError) -> bool:
        """Whether the server did not let us connect for a reason that passes."""
        return _code(error) in self.ABSENCES

    def reason(self, error: DBAPIError) -> str:
        """Look the error number up."""
        message = str(error.orig.args[-1]) if error.orig and error.orig.args else str(error.orig)
        if "CERTIFICATE_VERIFY_FAILED" in message:
            return "the server's certificate is not one of this host that ssl_ca certifies"
        return self.REASONS.get(_code(error), message)


def _tls(url: URL) -> dict[str, Any]:
    """Return the driver's arguments for TLS; verified unless there is nobody to vouch."""
    given: dict[str, Any] = {
        name.removeprefix("ssl_"): value
        for name, value in url.query.items()
        if name in TLS_ARGUMENTS
    }
    for name in {"ca", "cert", "key", "capath"} & given.keys():
        given[name] = str(Path(given[name]).expanduser())
    if "check_hostname" in given:
        given["check_hostname"] = given["check_hostname"].lower() not in {"0", "false", "no"}
    return {"ssl": given} if given else {}


def dialect_of(url: URL) -> Dialect:
    """Return the dialect that speaks to this database."""
    return Sqlite() if is_file(url) else Mysql()


def _code(error: DBAPIError) -> int:
    code = error.orig.args[0] if error.orig and error.orig.args else 0
    return code if isinstance(code, int) else 0
