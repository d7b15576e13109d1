"""The engines that stores are tried on."""

from __future__ import annotations

import click

from benchmarks.errors import BenchmarkError
from benchmarks.options import some
from tests.mariadb import MariadbServer

SQLITE, MARIADB = "sqlite", "mariadb"
ENGINES = (SQLITE, MARIADB)


def parse_engines(text: str) -> tuple[str, ...]:
    """Read ``sqlite,mariadb``; where no MariaDB is installed, leave it out and say so.

    Raises
    ------
    BenchmarkError
        An engine is not known, or the only one is not installed.
    """
    chosen = some("--engines", text, ENGINES)
    if MARIADB not in chosen or MariadbServer.is_installed():
        return chosen
    if chosen == (MARIADB,):
        raise BenchmarkError(
            f"--engines {text}: no MariaDB server is installed; install one or name {SQLITE}"
        )
    click.echo("no MariaDB server is installed: its half is left out", err=True)
    return (SQLITE,)
