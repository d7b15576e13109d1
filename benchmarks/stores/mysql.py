"""A MySQL server on a private socket and folder, run from where ``mysql.sh`` unpacked it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from benchmarks.stores.server import DatabaseServer

FOLDER_VARIABLE = "SAMAF_MYSQL"
LIBRARIES = ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib/mysql/private")


class MysqlServer(DatabaseServer):
    """Start a server, make databases on it, stop it."""

    NAME = "MySQL"
    ABSENT = "no MySQL server is unpacked (benchmarks/stores/mysql.sh .venv/mysql)"

    @staticmethod
    def is_installed() -> bool:
        """Whether a server was unpacked here."""
        return (_server() / "usr/sbin/mysqld").is_file()

    def _install(self) -> None:
        """Make the data folder."""
        subprocess.run([*self._program(), "--initialize-insecure"], check=True, capture_output=True)

    def _command(self) -> list[str]:
        """Give the program with its options."""
        return [
            *self._program(),
            f"--socket={self.socket}",
            f"--pid-file={self.folder / 'pid'}",
            f"--log-error={self.folder / 'log'}",
            "--mysqlx=OFF",
            # The owner of a store may create its triggers while changes are logged.
            "--log-bin-trust-function-creators=ON",
            # Processes are killed, never the machine, so nothing need reach the disk.
            "--innodb-flush-method=nosync",
            "--sync-binlog=0",
            "--performance-schema=OFF",
            *(self.options or ["--skip-networking"]),
        ]

    def _program(self) -> list[str]:
        """Give the server with the loader and libraries that it was built for."""
        server = _server()
        return [
            str(server / "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"),
            "--library-path",
            ":".join(str(server / path) for path in LIBRARIES),
            str(server / "usr/sbin/mysqld"),
            "--no-defaults",
            f"--basedir={server / 'usr'}",
            f"--datadir={self.data}",
            f"--lc-messages-dir={server / 'usr/share/mysql'}",
            f"--plugin-dir={server / 'usr/lib/mysql/plugin'}",
            "--secure-file-priv=",
            "--auto-generate-certs=OFF",
            *(["--user=root"] if os.geteuid() == 0 else []),
        ]


def _server() -> Path:
    """Give the folder that a server was unpacked into: of SAMAF_MYSQL, or of `make test`."""
    here = Path(__file__).parents[2] / ".venv" / "mysql"
    return Path(os.environ.get(FOLDER_VARIABLE, here)).absolute() / "server"
