"""The real command as a process: quick help, Ctrl-C, closed pipes, odd encodings."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from shell import BRUNO, STRANGER, Run

import samaf
from samaf.audio import SAMPLE_RATE, load
from samaf.demo import wav

Start = Callable[..., subprocess.Popen[bytes]]

COUNT = 120  # files to be added, about as many as two transactions hold
HEAVY = ("numpy", "rich", "sqlalchemy", "onnxruntime", "av", "faiss", "matplotlib", "tensorflow")


def test_help_and_version_import_nothing_heavy() -> None:
    program = (
        "import sys, samaf.cli\n"
        "try: samaf.cli.cli(['--help'])\n"
        f"except SystemExit: print('loaded', [m for m in {HEAVY} if m in sys.modules])\n"
    )
    command = [sys.executable, "-c", program]
    told = subprocess.run(command, check=True, capture_output=True, text=True)
    assert told.stdout.endswith("loaded []\n")


def test_version(start: Start) -> None:
    out, _ = start("--version").communicate()
    assert out.decode() == f"samaf, version {samaf.__version__}\n"


@pytest.mark.process
def test_ctrl_c_in_the_middle_of_add(start: Start, run: Run, tmp_path: Path) -> None:
    folder, speech = tmp_path / "talks", load(BRUNO)
    folder.mkdir()
    for number in range(COUNT):
        piece = speech[number * 500 :][: 5 * SAMPLE_RATE]
        (folder / f"{number:03}.wav").write_bytes(wav(piece))
    process = start("add", folder, "--jobs", "1", "--json")
    assert process.stdout
    assert json.loads(process.stdout.readline())["status"] == "added"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in err
    told_of = rb"samaf: stopped: (\d+) of %d files stored; the same command goes on" % COUNT
    told = re.search(told_of, err)
    assert told
    with samaf.open() as engine:
        stored = engine.stats().recordings
        hashes = [len(engine.store.hashes(each.recording_id)) for each in engine.list()]
    assert 1 <= int(told[1]) <= stored < COUNT
    assert len(hashes) == stored
    assert all(hashes)
    again = run("add", folder)
    assert again.exit_code == 0
    assert f"{COUNT - stored} added" in again.stdout
    assert f"{stored} stored before" in again.stdout


@pytest.mark.process
@pytest.mark.usefixtures("store")
def test_a_closed_pipe_is_quiet(start: Start) -> None:
    process = start("list", "--json")
    assert process.stdout
    process.stdout.close()
    assert process.stderr
    assert process.stderr.read() == b""
    process.wait(timeout=60)


@pytest.mark.process
@pytest.mark.usefixtures("store")
def test_standard_input_names_that_are_not_utf8_and_a_poor_encoding(
    start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "über.wav").write_bytes(wav(load(BRUNO)[:40_000]))
    path = os.fsencode(tmp_path) + b"/caf\xe9.ogg"
    with open(path, "wb") as file:
        file.write(BRUNO.read_bytes())
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    process = start("query", "-", os.fsdecode(path), "über.wav")
    out, err = process.communicate(BRUNO.read_bytes())
    assert (process.returncode, err) == (0, b"")
    asked = [line.split()[0] for line in out.splitlines() if b"bruno-garden.ogg" in line]
    assert asked == [b"stdin", b"caf\\xe9.ogg", b"\\xfcber.wav"]


@pytest.mark.process
@pytest.mark.usefixtures("store")
def test_a_full_disk(run: Run) -> None:
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))\n"
    program = limited + "from samaf.cli import main; main()"
    arguments = [sys.executable, "-c", program, "add", str(STRANGER)]
    done = subprocess.run(arguments, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("samaf: ")
    assert "samaf.db: the disk refused to write" in line
    assert json.loads(run("stats", "--json").stdout)["recordings"] == 11
    assert run("add", STRANGER).exit_code == 0


@pytest.mark.process
@pytest.mark.usefixtures("store")
def test_a_full_disk_behind_the_output(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, command in enumerate(("list", "list --csv", "delete 1", "--help")):
        # The error comes with what is printed, or when the buffer is emptied at the end.
        monkeypatch.setenv("PYTHONUNBUFFERED", "1" * (number % 2))
        with open("/dev/full", "w") as full:
            words = [sys.executable, "-m", "samaf", *command.split()]
            done = subprocess.run(
                words, check=False, stdout=full, stderr=subprocess.PIPE, text=True
            )
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert line.startswith("samaf: the output cannot be written (No space left on device)")
        assert "deleted before that stays so" in line
    assert json.loads(run("stats", "--json").stdout)["recordings"] == 10


@pytest.mark.process
@pytest.mark.usefixtures("store")
def test_closed_streams(run: Run) -> None:
    def shell(command: str) -> tuple[int, str]:
        words = ["sh", "-c", f'"$0" -m samaf {command}', sys.executable]
        done = subprocess.run(words, check=False, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    assert shell("delete 3 <&- >&- 2>&-") == (0, "")
    assert json.loads(run("stats", "--json").stdout)["recordings"] == 10
    code, said = shell("query - <&-")
    assert code == 1
    assert said == "samaf: stdin: the file is empty; nothing to decode\n"
