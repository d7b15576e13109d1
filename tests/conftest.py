"""What several rooms share: the marks of slow tests, and databases."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import samaf
from benchmarks.cluster.servers import ShardServer, new_url, shard_servers
from benchmarks.stores.mariadb import MariadbServer
from benchmarks.stores.mysql import MysqlServer
from benchmarks.stores.server import DatabaseServer
from samaf.demo import CLIPS

SLOW_KINDS = {"fuzz", "process", "server", "training"}
FILE_MARK = re.compile(r"^pytestmark = \[?\s*pytest\.mark\.(\w+)", re.MULTILINE)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the server, and as slow what is of a slow kind."""
    for item in items:
        if "database_server" in getattr(item, "fixturenames", ()):
            item.add_marker("server")
        if any(item.get_closest_marker(kind) for kind in SLOW_KINDS):
            item.add_marker("slow")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out slow files before they are imported: TensorFlow alone takes seconds."""
    if config.option.markexpr != "not slow" or collection_path.suffix != ".py":
        return None
    mark = FILE_MARK.search(collection_path.read_text())
    return True if mark and mark[1] in {"slow", *SLOW_KINDS} else None


@pytest.fixture
def public_path(tmp_path: Path) -> Path:
    """The test's own folder, which other users may enter too."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.name.startswith(("test_", "popen-", "pytest-")):
            folder.chmod(0o755)
    return tmp_path


@pytest.fixture(scope="session")
def clips_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of all bundled clips but the last, as a file to copy."""
    path = tmp_path_factory.mktemp("clips") / "samaf.db"
    with samaf.open(str(path)) as engine:
        labels = {"bruno-garden.ogg": {"speaker": "Bruno", "case": "7/26"}}
        results = engine.add(sorted(CLIPS.iterdir())[:-1], labels)
        assert [result.status for result in results] == ["added"] * 11
    return path


# What is not given a file of its own finds little room, for the test of a full disk.
LITTLE = "--innodb-data-file-path=ibdata1:12M:autoextend:max:76M"


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[DatabaseServer]:
    """One MariaDB server for the whole run."""
    yield from running(MariadbServer)


@pytest.fixture(scope="session")
def mysql_server() -> Iterator[DatabaseServer]:
    """One MySQL server for the whole run."""
    yield from running(MysqlServer)


def running(kind: type[DatabaseServer]) -> Iterator[DatabaseServer]:
    if not kind.is_installed():
        pytest.skip(kind.ABSENT)
    server = kind("--skip-networking", LITTLE)
    yield server
    server.remove()


SERVERS = [pytest.param(name, marks=pytest.mark.server) for name in ("mariadb", "mysql")]


@pytest.fixture(params=SERVERS)
def database_server(request: pytest.FixtureRequest) -> DatabaseServer:
    """Each server in turn."""
    server: DatabaseServer = request.getfixturevalue(f"{request.param}_server")
    return server


def database_of(request: pytest.FixtureRequest, file: Path) -> Iterator[str]:
    """Give the URL of an empty database of the fixture's engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{file}"
    else:
        with request.getfixturevalue(f"{request.param}_server").database() as url:
            yield url


@pytest.fixture(params=["sqlite", *SERVERS])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, on each engine in turn."""
    yield from database_of(request, tmp_path / "store.db")


@pytest.fixture(params=["sqlite", *SERVERS])
def other_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a second, empty database, on each engine in turn."""
    yield from database_of(request, tmp_path / "other.db")


SHARDS = 3


@pytest.fixture(scope="session")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ShardServer]]:
    """Three servers of an index, each a process with chDB behind it."""
    pytest.importorskip("chdb", reason="chDB is not installed (pip install 'samaf[chdb]')")
    pytest.importorskip("clickhouse_connect", reason="pip install 'samaf[cluster]'")
    with shard_servers(tmp_path_factory.mktemp("chdb"), SHARDS) as servers:
        yield servers


@pytest.fixture
def new_index(shards: list[ShardServer]) -> Callable[..., str]:
    """Return the maker of URLs of empty indexes of so many shards, 1 by default."""
    return lambda number=1: new_url(*shards[:number])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(mounted, check=False, capture_output=True).returncode:
        pytest.skip("only root can mount a small file system")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
