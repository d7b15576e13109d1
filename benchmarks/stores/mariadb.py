"""A MariaDB server, as the system has it."""

from __future__ import annotations

import shutil
import subprocess

from benchmarks.stores.server import DatabaseServer


class MariadbServer(DatabaseServer):
    """Start a server, make databases on it, stop it."""

    NAME = "MariaDB"
    ABSENT = "no MariaDB server is installed (Debian: mariadb-server)"

    @staticmethod
    def is_installed() -> bool:
        """Whether this machine has the server's programs."""
        return bool(shutil.which("mariadbd") and shutil.which("mariadb-install-db"))

    def _install(self) -> None:
        """Make the data folder."""
        subprocess.run(
            [
                "mariadb-install-db",
                "--no-defaults",
                f"--datadir={self.data}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                *self._user,
            ],
            check=True,
            capture_output=True,
        )

    def _command(self) -> list[str]:
        """Give the program with its options."""
        return [
            shutil.which("mariadbd") or "mariadbd",
            "--no-defaults",
            *(self.options or ["--skip-networking"]),
            f"--socket={self.socket}",
            f"--datadir={self.data}",
            f"--pid-file={self.folder / 'pid'}",
            f"--log-error={self.folder / 'log'}",
            # Processes are killed, never the machine, so nothing need reach the disk.
            "--debug-no-sync",
            "--innodb-flush-method=nosync",
            *self._user,
        ]
