"""samaf add --watch and samaf relocate in a shell."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from shell import BRUNO, STRANGER, Run

Start = Callable[..., subprocess.Popen[bytes]]


ENDS = {signal.SIGTERM: 0, signal.SIGINT: 130}  # exit status by signal


@pytest.mark.process
def test_watched_folders(run: Run, start: Start, tmp_path: Path) -> None:
    # Both at once: what takes the time is that files have to be left alone for a while.
    (tmp_path / "labels.csv").write_text("file,speaker\nb.ogg,Bruno\n")
    watched = {number: tmp_path / number.name for number in ENDS}
    watchers = {}
    for number, folder in watched.items():
        folder.mkdir()
        shutil.copy(STRANGER, folder / "a.ogg")
        watch = ("add", "--watch", folder, "--db", f"{folder}.db")
        watchers[number] = start(*watch, "--labels", "labels.csv", "--json")
    for number, folder in watched.items():
        first = next_line(watchers[number])
        assert (first["status"], first["path"]) == ("added", str(folder / "a.ogg"))
        shutil.copy(BRUNO, folder / "b.ogg")
        (folder / "a.ogg").rename(folder / "moved.ogg")
    for number, folder in watched.items():
        lines = [next_line(watchers[number]) for _ in range(2)]
        assert sorted((line["status"], line["path"]) for line in lines) == [
            ("added", str(folder / "b.ogg")),
            ("moved", str(folder / "moved.ogg")),
        ]
    for number, status in ENDS.items():
        watchers[number].send_signal(number)
        out, err = watchers[number].communicate(timeout=60)
        assert (watchers[number].returncode, out) == (status, b"")
        assert err == (b"samaf: stopped\n" if status else b"")
    for folder in watched.values():
        store = ("--db", f"{folder}.db")
        listed = [json.loads(line) for line in run("list", "--json", *store).stdout.splitlines()]
        paths = [str(folder / name) for name in ("moved.ogg", "b.ogg")]
        assert [each["path"] for each in listed] == paths
        assert listed[1]["labels"] == {"speaker": "Bruno"}
        log = run("db", "audit", *store).stdout
        assert f"{folder}/a.ogg -> {folder}/moved.ogg" in log


def next_line(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert process.stdout
    return dict(json.loads(process.stdout.readline()))


def test_what_cannot_be_watched_makes_no_store(run: Run, tmp_path: Path) -> None:
    result = run("add", "--watch", STRANGER)
    assert result.exit_code == 1
    assert "is no folder" in result.stderr
    assert run("add", "--watch", tmp_path, "--model", "none").exit_code == 1
    assert not (tmp_path / "samaf.db").exists()


@pytest.mark.usefixtures("store")
def test_relocate(run: Run, tmp_path: Path) -> None:
    assert run("relocate", tmp_path).stdout == "0 recordings moved\n"
    shutil.copy(STRANGER, tmp_path / "here.ogg")
    assert run("add", "here.ogg").exit_code == 0
    (tmp_path / "archive").mkdir()
    (tmp_path / "here.ogg").rename(tmp_path / "archive" / "there.ogg")
    result = run("relocate", "archive")
    assert result.exit_code == 0
    _, _, line, last = result.stdout.splitlines()
    assert line.split() == ["12", "here.ogg", "archive/there.ogg"]
    assert last == "1 recordings moved"
    (tmp_path / "archive" / "there.ogg").unlink()
    result = run("relocate", "archive", "--json")
    assert result.exit_code == 1
    lost = json.loads(result.stdout)
    assert (lost["recording_id"], lost["name"], lost["found"]) == (12, "there.ogg", False)
    result = run("relocate", "archive")
    assert result.stdout.splitlines()[-1] == "0 recordings moved, 1 not found below archive"
    assert run("relocate", "none").exit_code == 1
