"""Statements to one ClickHouse: inside this process (chDB) or a server over HTTP."""

from __future__ import annotations

import fcntl
import logging
import os
import re
import time
from pathlib import Path
from tempfile import NamedTemporaryFile, gettempdir
from typing import Any, Protocol

import numpy as np

from samaf.errors import IndexDatabaseError, ShardAwayError
from samaf.index.cluster.urls import Address, IndexUrl

QUERY_BYTES = 1 << 28  # of a statement: those of long queries hold thousands of cells
RETRY_SECONDS = 0.5
DENIED = 497  # ClickHouse's number for ACCESS_DENIED
AWAY = ("ConnectionError", "ConnectTimeout", "NewConnectionError", "ReadTimeout", "Timeout")


class Connection(Protocol):
    """One shard's database."""

    name: str

    def query(self, sql: str, dtype: Any) -> np.ndarray:
        """Give the rows of a statement as a structured array; ``{db}`` stands for the database."""

    def execute(self, sql: str) -> None:
        """Carry out a statement that gives nothing."""

    def insert(self, table: str, rows: np.ndarray) -> None:
        """Insert a structured array, its columns in the table's order: all of it or nothing."""

    def close(self) -> None:
        """Let go of it."""


class ChdbConnection:
    """ClickHouse inside this process, over a folder; a process can use one folder only."""

    _session: Any = None
    _folder: Path | None = None

    def __init__(self, url: IndexUrl) -> None:
        assert url.folder
        self.name, self._database = str(url), url.database
        if ChdbConnection._folder == url.folder:
            return
        if ChdbConnection._folder:
            raise IndexDatabaseError(
                f"{self.name}: this process already uses the folder {ChdbConnection._folder}, and "
                "chDB takes one only; use another process"
            )
        try:
            from chdb import session
        except ImportError as error:
            raise IndexDatabaseError(f"{self.name}: {_why_no_chdb(error)}") from None
        try:
            url.folder.mkdir(parents=True, exist_ok=True)
            if _is_held(url.folder):
                raise IndexDatabaseError(
                    f"{self.name}: another process holds the folder; wait for it or name another"
                )
            opened = session.Session(str(url.folder))
            opened.query(f"SET max_query_size = {QUERY_BYTES}")
            opened.query(f"CREATE DATABASE IF NOT EXISTS {url.database}")
        except OSError as error:
            raise IndexDatabaseError(
                f"{self.name}: cannot be used ({error.strerror}); name another folder"
            ) from None
        except RuntimeError as error:
            raise _fault(self.name, error) from None
        ChdbConnection._session, ChdbConnection._folder = opened, url.folder

    def query(self, sql: str, dtype: Any) -> np.ndarray:
        """See `Connection`."""
        try:
            content = self._session.query(sql.format(db=self._database), "RowBinary").bytes()
        except RuntimeError as error:
            raise _fault(self.name, error) from None
        return np.frombuffer(content, dtype)

    def execute(self, sql: str) -> None:
        """See `Connection`."""
        try:
            self._session.query(sql.format(db=self._database))
        except RuntimeError as error:
            raise _fault(self.name, error) from None

    def insert(self, table: str, rows: np.ndarray) -> None:
        """See `Connection`.

        By way of a file: chDB's streams of rows end as if all were well on a full disk.
        """
        try:
            with NamedTemporaryFile() as file:
                file.write(rows.tobytes())
                file.flush()
                path = file.name.replace("\\", r"\\").replace("'", r"\'")
                self._session.query(
                    f"INSERT INTO {self._database}.{table} FROM INFILE '{path}' FORMAT RowBinary"
                )
        except RuntimeError as error:
            raise _fault(self.name, error) from None
        except OSError as error:
            raise IndexDatabaseError(
                f"{gettempdir()}: rows cannot be handed to chDB there ({error.strerror}); free "
                "space, or set TMPDIR to another folder"
            ) from None

    def close(self) -> None:
        """Keep the session: another index of this process may use the same folder."""


class HttpConnection:
    """A ClickHouse server; of several replicas the first that answers.

    Parameters
    ----------
    replicas
        That hold the same shard.
    """

    def __init__(self, url: IndexUrl, replicas: tuple[Address, ...]) -> None:
        self.name = f"clickhouse://{url.user}@{'|'.join(map(str, replicas))}/{url.database}"
        self._url, self._replicas = url, replicas
        self._client: Any = None

    def query(self, sql: str, dtype: Any) -> np.ndarray:
        """See `Connection`."""
        text = sql.format(db=self._url.database)
        content = self._ask(lambda client: client.raw_query(text, fmt="RowBinary"))
        return np.frombuffer(content, dtype)

    def execute(self, sql: str) -> None:
        """See `Connection`."""
        text = sql.format(db=self._url.database)
        self._ask(lambda client: client.command(text))

    def insert(self, table: str, rows: np.ndarray) -> None:
        """See `Connection`."""
        assert rows.dtype.names
        self._ask(
            lambda client: client.raw_insert(
                f"{self._url.database}.{table}",
                list(rows.dtype.names),
                insert_block=rows.tobytes(),
                fmt="RowBinary",
            )
        )

    def close(self) -> None:
        """See `Connection`."""
        if self._client:
            self._client.close()
            self._client = None

    def _ask(self, work: Any) -> Any:
        """Work with a server; with the next replica, and once more, where one went away."""
        until = time.monotonic() + self._url.wait
        while True:
            for address in self._replicas:
                try:
                    if self._client is None:
                        self._client = self._connected(address)
                    return work(self._client)
                except Exception as error:  # the driver's own and those of its HTTP library
                    self.close()
                    fault = _fault(self.name, error)
                    if not isinstance(fault, ShardAwayError):
                        raise fault from None
            if time.monotonic() >= until:
                raise fault from None
            time.sleep(RETRY_SECONDS)

    def _connected(self, address: Address) -> Any:
        try:
            import clickhouse_connect
        except ImportError as error:
            raise IndexDatabaseError(
                f"{self.name}: the driver {error.name} is missing; install it with: "
                "pip install 'samaf[cluster]'"
            ) from None
        # What it would print is in the one line of `_fault`.
        logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())
        url = self._url
        return clickhouse_connect.get_client(
            host=address.host,
            port=address.port,
            username=url.user,
            password=url.password,
            secure=url.tls,
            ca_cert=url.ca or None,
            client_cert=url.cert or None,
            client_cert_key=url.key or None,
            connect_timeout=url.connect_timeout,
            send_receive_timeout=url.read_timeout,
            autogenerate_session_id=False,
            settings={"max_query_size": QUERY_BYTES},
        )


def _why_no_chdb(error: ImportError) -> str:
    zone = os.environ.get("TZ", "")
    if not error.name and zone:  # it says that it is not installed
        return f"chDB may not know the time zone TZ={zone}; set another, as Europe/Berlin or UTC"
    return f"chDB lacks {error.name or 'its engine'}; install it with: pip install 'samaf[chdb]'"


def _is_held(folder: Path) -> bool:
    """Tell whether another process uses a folder: chDB locks a file there, and says no reason."""
    file = folder / "status"
    if not file.exists():
        return False
    with open(file, "rb") as status:
        try:
            fcntl.flock(status, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def connections(url: IndexUrl) -> list[Connection]:
    """Give the connection of each shard; servers are connected to at the first statement."""
    if url.folder:
        return [ChdbConnection(url)]
    return [HttpConnection(url, replicas) for replicas in url.shards]


def _fault(name: str, error: Exception) -> IndexDatabaseError:
    """Turn whatever a driver raises into one line."""
    if isinstance(error, IndexDatabaseError):
        return error
    text = " ".join(str(error).split())
    code = re.search(r"Code: (\d+)", text)
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if not code and (isinstance(error, OSError) or kinds & {"OperationalError", *AWAY}):
        return ShardAwayError(f"{name}: the server does not answer; start it, or name another")
    reason = re.sub(r".*?DB::(?:NetException|Exception): ", "", text)[:200]
    number = int(code[1]) if code else 0
    ways = {
        60: "somebody removed a table; run `samaf index rebuild`",
        81: "create the database, or name another",
        192: "check the user name",
        241: "give the server more memory, or ask about a shorter clip",
        243: "free space on its disk",
        DENIED: "ask for the rights that `samaf index grant-sql` prints",
        516: "check the user and the password",
    }
    return IndexDatabaseError(f"{name}: {reason}; {ways.get(number, 'see the server log')}")
