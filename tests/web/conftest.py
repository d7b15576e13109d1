"""A real server over a store of bundled clips."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

import samaf
from samaf.audio import load
from samaf.demo import CLIPS

NAMES = ("amelia-harbour", "bruno-garden", "camille-market")
TOKEN = "a-token-of-tests-only"


@dataclass
class Server:
    """A running ``samaf serve``."""

    process: subprocess.Popen[str]
    url: str
    folder: Path

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def client(self, **headers: str) -> httpx.Client:
        """A program that knows the token."""
        return httpx.Client(
            base_url=self.url, headers={"authorization": f"Bearer {TOKEN}", **headers}, timeout=60
        )

    def browser(self) -> httpx.Client:
        """A browser that opened the link."""
        client = httpx.Client(base_url=self.url, follow_redirects=True, timeout=60)
        page = client.get("/", params={"token": TOKEN})
        (csrf,) = re.findall(r'name="csrf" content="(\w+)"', page.text)
        client.headers["x-csrf-token"] = csrf
        client.headers["origin"] = self.url
        return client

    def end(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of three clips whose model and index are ready."""
    path = tmp_path_factory.mktemp("web") / "evidence.db"
    with samaf.open(str(path), cache_folder=path.parent) as engine:
        results = list(engine.add([CLIPS / f"{name}.ogg" for name in NAMES]))
    assert [result.status for result in results] == ["added"] * 3
    return path


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of the first recording, at half its level."""
    path = tmp_path_factory.mktemp("clips") / "excerpt.wav"
    write_wav(path, load(CLIPS / f"{NAMES[0]}.ogg")[3 * 16_000 : 7 * 16_000])
    return path


def write_wav(path: Path, samples: np.ndarray) -> None:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(np.rint(samples * 16_000).astype("<i2").tobytes())


@contextmanager
def servers(store: Path) -> Iterator[Callable[..., Server]]:
    """Give a function that starts a server with arguments; all of them end with the ``with``."""
    running: list[Server] = []

    def started(folder: Path, *arguments: str, **variables: str) -> Server:
        environment = os.environ | {
            "SAMAF_TOKEN": TOKEN,
            "XDG_DATA_HOME": str(folder / "data"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            **variables,
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "samaf", "serve", "--db", str(store), "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=(folder / "log").open("w"),
            text=True,
            env=environment,
        )
        assert process.stdout
        line = process.stdout.readline()
        match = re.search(r"(http://\S+)/\?token=", line)
        assert match, (folder / "log").read_text()
        server = Server(process, match[1], folder)
        running.append(server)
        for _ in range(200):
            try:
                httpx.get(server.url)
                break
            except httpx.TransportError:
                time.sleep(0.05)
        return server

    try:
        yield started
    finally:
        for server in running:
            if server.process.poll() is None:
                server.process.kill()
                server.process.wait()


@pytest.fixture
def start(store: Path) -> Iterator[Callable[..., Server]]:
    """Start servers of a test's own."""
    with servers(store) as started:
        yield started


@pytest.fixture(scope="session")
def server(store: Path, tmp_path_factory: pytest.TempPathFactory, clip: Path) -> Iterator[Server]:
    """The server that most tests share; it may write."""
    with servers(store) as started:
        yield started(tmp_path_factory.mktemp("server"), "--write", "--root", str(clip.parent))


def finished(client: httpx.Client, job_id: str, seconds: float = 60) -> dict[str, Any]:
    """Wait until a query is done."""
    for _ in range(int(seconds / 0.05)):
        job = client.get(f"/api/queries/{job_id}").json()
        if job["state"] not in ("queued", "running"):
            return dict(job)
        time.sleep(0.05)
    raise AssertionError(job)
