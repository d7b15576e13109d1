"""Fixtures that several rooms share: databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.stores.mariadb import MariadbServer


@pytest.fixture
def public_path(tmp_path: Path) -> Path:
    """The test's own folder, which other users may enter too."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.name.startswith(("test_", "popen-", "pytest-")):
            folder.chmod(0o755)
    return tmp_path


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariadbServer]:
    """One MariaDB server for the whole run."""
    if not MariadbServer.is_installed():
        pytest.skip("no MariaDB server is installed (Debian: mariadb-server)")
    # What is not given a file of its own finds little room, for the test of a full disk.
    little = "--innodb-data-file-path=ibdata1:12M:autoextend:max:76M"
    server = MariadbServer("--skip-networking", little)
    yield server
    server.remove()


@pytest.fixture(params=["sqlite", "mariadb"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, on each engine in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'store.db'}"
    else:
        with request.getfixturevalue("mariadb_server").database() as url:
            yield url
