"""Shards of an index as processes of their own, for measurements and tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from samaf.index.cluster import connections, resolve

PROGRAM = Path(__file__).with_name("chdb_server.py")
_numbers = count()


@dataclass(slots=True)
class ShardServer:
    """ClickHouse's engine over a folder, reached as a server is."""

    folder: Path
    port: int = 0
    _process: subprocess.Popen[str] = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Start it; on the same port again after `kill`."""
        command = [sys.executable, str(PROGRAM), str(self.folder), str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.port = int(self._process.stdout.readline())

    def processor_seconds(self) -> float:
        """Give the processor time that it has taken."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()


@contextmanager
def shard_servers(folder: Path, number: int) -> Iterator[list[ShardServer]]:
    """Run so many, each over a folder of its own."""
    servers: list[ShardServer] = []
    try:
        for each in range(number):
            servers.append(ShardServer(folder / str(each)))
        yield servers
    finally:
        for server in servers:
            server.kill()


def new_url(*servers: ShardServer) -> str:
    """Make an empty database on some servers, and give the URL of an index there."""
    database = f"d{next(_numbers)}"
    hosts = ",".join(f"127.0.0.1:{server.port}" for server in servers)
    url = f"clickhouse://default@{hosts}/{database}"
    for connection in connections(resolve(url)):
        connection.execute("CREATE DATABASE {db}")
        connection.close()
    return url
