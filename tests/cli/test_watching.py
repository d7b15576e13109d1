"""samaf add --watch and samaf relocate in a shell."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from shell import BRUNO, STRANGER, Run

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.mark.process
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_watched_folder(
    run: Run, start: Start, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    folder = tmp_path / "incoming"
    folder.mkdir()
    (tmp_path / "labels.csv").write_text("file,speaker\nb.ogg,Bruno\n")
    shutil.copy(STRANGER, folder / "a.ogg")
    process = start("add", "--watch", folder, "--labels", "labels.csv", "--json")
    assert process.stdout
    first = json.loads(process.stdout.readline())
    assert (first["status"], first["path"]) == ("added", str(folder / "a.ogg"))
    shutil.copy(BRUNO, folder / "b.ogg")
    (folder / "a.ogg").rename(folder / "moved.ogg")
    lines = [json.loads(process.stdout.readline()) for _ in range(2)]
    assert sorted((line["status"], line["path"]) for line in lines) == [
        ("added", str(folder / "b.ogg")),
        ("moved", str(folder / "moved.ogg")),
    ]
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (status, b"")
    assert err == (b"samaf: stopped\n" if status else b"")
    listed = [json.loads(line) for line in run("list", "--json").stdout.splitlines()]
    assert [each["path"] for each in listed] == [str(folder / n) for n in ("moved.ogg", "b.ogg")]
    assert listed[1]["labels"] == {"speaker": "Bruno"}
    log = run("db", "audit").stdout
    assert f"{folder}/a.ogg -> {folder}/moved.ogg" in log


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
