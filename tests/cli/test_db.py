"""The commands of ``samaf db``: what they print, and what they refuse in one line."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from shell import BRUNO, STRANGER, Run

from samaf.demo import CLIPS
from samaf.records import Hashes, Recording
from samaf.store import Store, StoredFingerprinter

pytestmark = pytest.mark.usefixtures("store")


def complaint(result: Result) -> str:
    """The one line on standard error, of a command that failed."""
    assert result.exit_code == 1, result.output
    (line,) = [x for x in result.stderr.splitlines() if x.startswith("samaf: ")]
    assert "Traceback" not in result.output
    return line


def record(result: Result) -> dict[str, object]:
    assert result.exit_code == 0, result.output
    (line,) = result.stdout.splitlines()
    return json.loads(line)  # type: ignore[no-any-return]


def test_status_and_schemas(run: Run, store: Path) -> None:
    assert record(run("db", "status", "--json"))["schema"] == "0004"
    assert "Go on?" in run("db", "downgrade", "0001", stdin=b"n\n").output
    assert record(run("db", "status", "--json"))["schema"] == "0004"
    assert record(run("db", "downgrade", "0001", "--yes", "--json"))["schema"] == "0001"
    assert "samaf db upgrade" in complaint(run("list"))
    told = run("db", "check")
    assert told.exit_code == 1
    assert "run `samaf db upgrade`" in told.stdout
    assert "`samaf db upgrade` goes there" in run("db", "status").stdout
    assert record(run("db", "upgrade", "--json"))["schema"] == "0004"
    assert run("db", "check").exit_code == 0
    for revision in ("0005", "base", "x"):
        assert "cannot go back to" in complaint(run("db", "downgrade", revision, "--yes"))
    assert "see `samaf db status`" in complaint(run("db", "downgrade", "0", "--yes"))
    assert record(run("stats", "--json"))["recordings"] == 11


def test_backup_and_restore(run: Run, tmp_path: Path) -> None:
    made = record(run("db", "backup", "a.backup", "--json"))
    assert (made["recordings"], made["hashes"]) == (11, 440)
    assert "a.backup: exists already" in complaint(run("db", "backup", "a.backup"))
    restored = record(run("db", "restore", "a.backup", "--db", "b.db", "--json"))
    assert restored["sha256"] == made["sha256"]
    one, other = (run("list", "--csv", "--db", db).stdout for db in ("samaf.db", "b.db"))
    assert one == other
    assert "--replace" in complaint(run("db", "restore", "a.backup"))
    run("add", STRANGER)
    assert "11 with 440 hashes" in run("db", "restore", "a.backup", "--replace").stdout
    assert json.loads(run("query", BRUNO, "--json").stdout)["matches"]
    assert not json.loads(run("query", STRANGER, "--json").stdout)["matches"]


def test_export_and_import(run: Run, tmp_path: Path) -> None:
    assert record(run("db", "export", "a.csv", "--json"))["recordings"] == 11
    assert record(run("db", "import", "a.csv", "--db", "b.db", "--json"))["added"] == 11
    labels = [json.loads(line)["labels"] for line in run("list", "--json").stdout.splitlines()]
    there = run("list", "--json", "--db", "b.db").stdout.splitlines()
    assert [json.loads(line)["labels"] for line in there] == labels
    assert "neither .parquet nor .csv" in complaint(run("db", "export", "a.xls"))
    assert "gone.csv: cannot be read" in complaint(run("db", "import", "gone.csv"))
    assert not (tmp_path / "gone.csv").exists()


@pytest.mark.slow
def test_merge_and_copy(run: Run) -> None:
    assert run("add", STRANGER, "--db", "b.db").exit_code == 0
    taken = record(run("db", "merge", "samaf.db", "--db", "b.db", "--json"))
    assert (taken["added"], taken["present"]) == (11, 0)
    assert "is both stores" in complaint(run("db", "merge", "samaf.db"))
    assert "gone.db: no such store" in complaint(run("db", "merge", "gone.db"))
    copied = record(run("db", "copy", "samaf.db", "c.db", "--json"))
    assert copied["recordings"] == 11
    again = record(run("db", "copy", "samaf.db", "c.db", "--json"))
    assert (again["recordings"], again["present"]) == (0, 11)
    assert "is no copy" in complaint(run("db", "copy", "samaf.db", "b.db"))
    assert "is both stores" in complaint(run("db", "copy", "samaf.db", "./samaf.db"))
    assert run("db", "copy", "samaf.db", "d.db", "--blocks-per-row", 0).exit_code == 2
    for name in ("b.db", "c.db"):
        assert run("db", "verify", "--db", name).exit_code == 0


def test_verify(run: Run, store: Path) -> None:
    assert run("db", "verify").stdout == "no fault found\n"
    with sqlite3.connect(store) as connection:
        connection.execute("UPDATE hash_rows SET crc32 = 1 WHERE recording_id = 4")
    told = run("db", "verify")
    assert told.exit_code == 1
    assert "recording 4" in told.stdout
    assert "samaf delete 4" in told.stdout
    assert told.stdout.endswith("1 faults found\n")
    found = run("db", "verify", "--csv")
    (fault,) = csv.DictReader(io.StringIO(found.stdout))
    assert (fault["kind"], fault["where"]) == ("hashes", "recording 4")
    assert found.exit_code == 1


@pytest.mark.slow
def test_verify_audio(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "audio"
    folder.mkdir()
    for clip in sorted(CLIPS.iterdir())[:4]:
        shutil.copy(clip, folder)
    same, changed, gone, other = sorted(folder.iterdir())
    assert run("add", "audio", "--db", "a.db").exit_code == 0
    assert run("db", "verify", "--audio", "audio", "--db", "a.db").exit_code == 0
    # The other file moves: it is found by its bytes.
    other.rename(folder / "moved.ogg")
    shutil.copy(STRANGER, changed)
    (folder / "broken.wav").write_bytes(b"")
    gone.unlink()
    with Store.open(str(tmp_path / "a.db")) as store:
        first = next(store.recordings())
        assert first.path == str(same)
        hashes = store.hashes(first.recording_id)
        store.delete(first.recording_id)
        altered = hashes.packed.copy()
        altered[3] ^= 1
        store.add(first, Hashes(altered, hashes.informative))
    told = run("db", "verify", "--audio", "audio", "--db", "a.db", "--json")
    assert told.exit_code == 1
    faults = {Path(f["where"]).name: f["what"] for f in map(json.loads, told.stdout.splitlines())}
    assert set(faults) == {same.name, changed.name, gone.name}  # "broken.wav" is no one's
    assert faults[same.name].startswith("differs in 32 of 10240 bits")
    assert "is not what recording 2 was made of" in faults[changed.name]
    assert "is gone" in faults[gone.name]
    assert "gone: no such file or folder" in complaint(run("db", "verify", "--audio", "gone"))


@pytest.mark.slow
def test_verify_audio_finds_the_files_on_any_way_to_them(run: Run, tmp_path: Path) -> None:
    (tmp_path / "audio" / "sub").mkdir(parents=True)
    (tmp_path / "link").symlink_to("audio")
    for clip in sorted(CLIPS.iterdir())[:3]:
        shutil.copy(clip, tmp_path / "audio")
    assert run("add", "link", "--db", "a.db").exit_code == 0
    first, second, third = sorted((tmp_path / "audio").iterdir())[:3]
    for folder in ("link", "audio/sub/.."):
        told = run("db", "verify", "--audio", folder, "--db", "a.db")
        assert told.stdout == "no fault found; 3 recordings compared with their files\n"
    third.rename(tmp_path / "elsewhere.ogg")
    third.symlink_to("../elsewhere.ogg")
    second.unlink()
    shutil.copy(STRANGER, first)
    assert run("add", first, "--db", "a.db").exit_code == 0
    for folder in ("audio", "link/sub/../../audio"):
        told = run("db", "verify", "--audio", folder, "--db", "a.db", "--json")
        faults = [json.loads(line)["what"] for line in told.stdout.splitlines()]
        assert ["recording 1" in faults[0], "recording 2" in faults[1]] == [True, True]
        assert ("is not what" in faults[0], "is gone" in faults[1]) == (True, True)
        assert told.stderr == "2 faults found; 2 recordings compared with their files\n"
    (tmp_path / "elsewhere.ogg").unlink()
    assert "3 faults found; 1 rec" in run("db", "verify", "--audio", "link", "--db", "a.db").stdout


def test_verify_audio_tells_all_faults(run: Run, tmp_path: Path) -> None:
    (tmp_path / "audio").mkdir()
    for clip in sorted(CLIPS.iterdir())[:3]:
        shutil.copy(clip, tmp_path / "audio")
    assert run("add", "audio", "--db", "a.db").exit_code == 0
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("UPDATE hash_rows SET crc32 = 1 WHERE recording_id = 2")
    sorted((tmp_path / "audio").iterdir())[2].unlink()
    told = run("db", "verify", "--audio", "audio", "--db", "a.db", "--json")
    kinds = [(each["kind"], each["what"]) for each in map(json.loads, told.stdout.splitlines())]
    assert [kind for kind, _ in kinds] == ["hashes", "file", "file"]
    assert "cannot be compared" in kinds[1][1]
    assert "is gone" in kinds[2][1]


def test_prune_and_vacuum(run: Run, store: Path) -> None:
    run("delete", "1")
    before = store.read_bytes()
    for days, rows in ((90, 0), (0, 1)):
        dry = run("db", "prune", "--days", days, "--dry-run")
        assert f"{rows} rows would be removed; nothing was changed" in dry.stdout
    with sqlite3.connect(store) as connection:
        connection.execute("UPDATE deletions SET deleted_at = '2020-01-01 00:00:00.000000'")
    assert "1 rows would be removed" in run("db", "prune", "--dry-run").stdout
    assert "1 rows removed" in run("db", "prune").stdout
    assert len(before) == store.stat().st_size
    told = record(run("db", "vacuum", "--json"))
    assert told["before"] >= told["after"] > 0  # type: ignore[operator]


def test_grant_sql(run: Run) -> None:
    url = "mysql://root:secret@localhost/hashes"
    told = run("db", "grant-sql", "reader", "--user", "ann", "--db", url)
    assert told.stdout == "GRANT SELECT ON `hashes`.* TO 'ann'@'%';\n"
    writer = run("db", "grant-sql", "writer", "--user", "ann", "--host", "10.0.0.1", "--db", url)
    assert len(writer.stdout.splitlines()) == 8
    assert "a file has no users" in complaint(run("db", "grant-sql", "reader", "--user", "ann"))
    assert run("db", "grant-sql", "king", "--user", "ann").exit_code == 2


@pytest.mark.parametrize(
    "command",
    ["status", "upgrade", "check", "verify", "vacuum", "prune", "backup b", "export b.csv"],
)
def test_no_such_store(run: Run, tmp_path: Path, command: str) -> None:
    line = complaint(run("db", *command.split(), "--db", "gone.db"))
    assert "gone.db: no such store" in line
    assert not (tmp_path / "gone.db").exists()
    assert not (tmp_path / "b").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_may_not_be_written(run: Run, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o555)
    assert "cannot be written" in complaint(run("db", "backup", "locked/a"))


@pytest.mark.process
def test_a_stopped_copy_says_that_it_goes_on(
    start: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    with Store.open(str(tmp_path / "big.db")) as store:
        store.bind(StoredFingerprinter("ab" * 32, "2LST32C", 32, "LSTM", {}))
        hashes = Hashes(np.zeros((200_000, 4), np.uint8), np.ones(200_000, bool))
        for number in range(30):
            store.add(Recording(f"{number:064x}", f"{number}.wav", "", 1.0), hashes)
    process = start("db", "copy", "big.db", "copy.db", "--blocks-per-row", 7)
    end = time.monotonic() + 60
    while not (tmp_path / "copy.db").exists() and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate()
    assert process.returncode == 130, told
    assert b"the same command goes on" in told
    assert b"Traceback" not in told
