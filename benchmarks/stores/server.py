"""A database server on a private socket and folder, for measurements and tests."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from unittest.mock import patch

import pymysql

START_WAIT = 30  # s


class DatabaseServer(ABC):
    """Start a server, make databases on it, stop it."""

    NAME: str
    ABSENT: str  # what to say where there is none

    def __init__(self, *options: str) -> None:
        self.options = options
        # A socket's path holds 107 characters, so it stays short.
        self.folder = Path(tempfile.mkdtemp(prefix="samaf-db-"))
        self.socket = self.folder / "socket"
        self.data = self.folder / "data"
        self._numbers = count(1)
        self._user = ["--user=root"] if os.geteuid() == 0 else []
        self._install()
        self.start()

    @staticmethod
    @abstractmethod
    def is_installed() -> bool:
        """Whether this machine has the server's programs."""

    @abstractmethod
    def _install(self) -> None:
        """Make the data folder."""

    @abstractmethod
    def _command(self) -> list[str]:
        """Give the program with its options."""

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._process = subprocess.Popen(
            self._command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + START_WAIT
        while True:
            try:
                return self.execute("SELECT 1")
            except pymysql.err.OperationalError:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def kill(self) -> None:
        """End the server as a power cut would."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def remove(self) -> None:
        """End the server and remove its folder."""
        self.kill()
        shutil.rmtree(self.folder)

    def execute(self, *statements: str) -> None:
        """Run statements as root."""
        connection = pymysql.connect(
            unix_socket=str(self.socket), user="root", autocommit=True, ssl_disabled=True
        )
        with connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def url(self, database: str, user: str = "root") -> str:
        """Return the URL of a database; ``user`` may hold a password after a colon."""
        return f"mysql://{user}@/{database}?unix_socket={self.socket}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """Make an empty database, yield its URL, and drop it."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        # The driver loads the system's certificates at each connection, 30 ms, and uses none here.
        with patch.dict(os.environ, SSL_CERT_FILE=os.devnull):
            yield self.url(name)
        self.execute(f"DROP DATABASE {name}")
