"""Servers with chDB behind them: shards of an index, each a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from samaf.index.cluster import connections, resolve

SERVER = Path(__file__).with_name("chdb_server.py")
SHARDS = 3


@pytest.fixture(scope="session")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[int]]:
    """Ports of three servers."""
    pytest.importorskip("chdb", reason="chDB is not installed (pip install 'samaf[chdb]')")
    pytest.importorskip("clickhouse_connect", reason="pip install 'samaf[cluster]'")
    folder = tmp_path_factory.mktemp("chdb")
    servers = [
        subprocess.Popen(
            [sys.executable, str(SERVER), str(folder / str(number))],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(SHARDS)
    ]
    try:
        yield [int(server.stdout.readline()) for server in servers if server.stdout]
    finally:
        for server in servers:
            server.kill()
            server.wait()


_databases = count()


@pytest.fixture
def new_url(ports: list[int]) -> Callable[[int], str]:
    """Return the maker of URLs of empty databases of so many shards."""

    def make(shards: int = 1) -> str:
        database = f"d{next(_databases)}"
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports[:shards])
        for connection in connections(resolve(f"clickhouse://default@{hosts}/{database}")):
            connection.execute("CREATE DATABASE {db}")
            connection.close()
        return f"clickhouse://default@{hosts}/{database}"

    return make
