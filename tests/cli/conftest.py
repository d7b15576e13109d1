"""The command, run on a store and a cache of the test's own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from shell import Run

from samaf.cli import cli

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's own store and cache out of this."""
    monkeypatch.setenv("SAMAF_DB", str(tmp_path / "samaf.db"))
    # Matplotlib's list of fonts takes seconds to make.
    fonts = os.environ.get("MPLCONFIGDIR") or str(Path.home() / ".cache" / "matplotlib")
    monkeypatch.setenv("MPLCONFIGDIR", fonts)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run() -> Run:
    """Run a command in this process."""

    def run(*arguments: object, stdin: bytes = b"") -> Result:
        result = CliRunner().invoke(cli, [str(a) for a in arguments], input=stdin)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def start() -> Callable[..., subprocess.Popen[bytes]]:
    """Start the real command as a process of its own."""
    # Shells let background jobs ignore Ctrl-C, and what these start would ignore it, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def start(*arguments: object) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "samaf", *(os.fsencode(str(a)) for a in arguments)]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    return start


@pytest.fixture
def store(clips_store: Path, tmp_path: Path) -> Path:
    """The default store of the test, filled."""
    return Path(shutil.copy(clips_store, tmp_path / "samaf.db"))
