"""Every bad input gives one clear line and a non-zero exit, and nothing is half stored."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from audio.media import encode, silent_video, sweep, wav
from click.testing import Result
from shell import BRUNO, STRANGER, Run

import samaf
from samaf.audio import SAMPLE_RATE, load
from samaf.records import Recording
from samaf.store import Store

SILENCE = np.zeros(5 * SAMPLE_RATE, np.int16)
BROKEN = np.array([0.1, np.nan] * SAMPLE_RATE, np.float32)
INFINITE = np.array([0.1, np.inf] * SAMPLE_RATE, np.float32)


def truncated_mp3() -> bytes:
    whole = encode(sweep(20.0), "libmp3lame", "mp3")
    return whole[: len(whole) // 2]


BAD_FILES = {
    "empty.wav": (lambda: b"", "the file is empty"),
    "text.wav": (lambda: b"Dear Ann,\nhow are you?\n" * 50, "cannot be decoded"),
    "film.mp4": (silent_video, "no sound track"),
    "cut.mp3": (truncated_mp3, "cut off"),
    "nan.wav": (lambda: wav(BROKEN), "not finite"),
    "infinite.wav": (lambda: wav(INFINITE), "not finite"),
}


def complaint(result: Result) -> str:
    """The one line on standard error, of a command that failed."""
    assert result.exit_code == 1
    (line,) = [x for x in result.stderr.splitlines() if x.startswith("samaf: ")]
    assert "Traceback" not in result.output
    return line


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files(run: Run, store: Path, tmp_path: Path, name: str) -> None:
    make, reason = BAD_FILES[name]
    (tmp_path / name).write_bytes(make())
    for command in ("add", "query", "fingerprint"):
        line = complaint(run(command, name))
        assert name in line
        assert reason in line
    assert json.loads(run("stats", "--json").stdout)["recordings"] == 11


@pytest.mark.usefixtures("store")
def test_no_such_file(run: Run) -> None:
    assert "gone.wav: no such file" in complaint(run("query", "gone.wav"))
    # The path that is there is not added either: the command is mistyped.
    assert "gone: no such file" in complaint(run("add", STRANGER, "gone"))
    assert json.loads(run("stats", "--json").stdout)["recordings"] == 11
    answered = run("query", "gone.wav", BRUNO, "--json")
    assert answered.exit_code == 1
    assert json.loads(answered.stdout)["matches"]


def test_a_folder_without_sound(run: Run, tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    assert "papers: no sound files" in complaint(run("add", "papers"))
    assert not (tmp_path / "samaf.db").exists()


@pytest.mark.usefixtures("store")
def test_shorter_than_a_second(run: Run, tmp_path: Path) -> None:
    (tmp_path / "short.wav").write_bytes(wav(load(BRUNO)[: SAMPLE_RATE // 2]))
    asked = run("query", "short.wav")
    assert asked.exit_code == 0
    assert "unknown: shorter than 1 s" in asked.stdout
    as_json = run("query", "short.wav", "--json")
    assert json.loads(as_json.stdout)["matches"] == []
    assert "shorter than 1 s" in as_json.stderr
    assert "short.wav: shorter than 1 s" in complaint(run("add", "short.wav"))


@pytest.mark.usefixtures("store")
def test_silence_matches_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "one.wav").write_bytes(wav(SILENCE))
    (tmp_path / "two.wav").write_bytes(wav(SILENCE[:-1000]))
    assert run("add", "one.wav").exit_code == 0
    for name in ("one.wav", "two.wav"):
        asked = run("query", name, "--max-false-matches", "1")
        assert asked.exit_code == 0
        assert "unknown: nothing in it to recognise" in asked.stdout


@pytest.mark.slow
def test_one_bad_file_among_many(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "talks"
    folder.mkdir()
    speech = load(BRUNO)
    for number in range(40):
        piece = speech[number * 2000 : number * 2000 + 2 * SAMPLE_RATE]
        (folder / f"{number:02}.wav").write_bytes(wav(piece))
    (folder / "17.wav").write_text("not sound")
    result = run("add", folder)
    assert "17.wav: cannot be decoded" in complaint(result)
    assert result.stderr.splitlines()[-1].startswith("samaf: ")
    assert "39 added" in result.stdout
    assert "1 failed" in result.stdout
    assert json.loads(run("stats", "--json").stdout)["recordings"] == 39


def test_hostile_names(run: Run, tmp_path: Path) -> None:
    speech, names = (
        load(BRUNO),
        [b"caf\xe9.wav", b"\x1b[2J\x07.wav", b"=cmd|'x'!A1.wav", b"a\nb.wav"],
    )
    for number, name in enumerate(names):
        path = os.fsencode(tmp_path) + b"/talks/" + name
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(wav(speech[number * SAMPLE_RATE :]))
    (tmp_path / "talks" / "[red]\x1b[31m.wav").write_text("not sound")
    added = run("add", "talks")
    assert "4 added" in added.stdout
    outputs = [added, run("list"), run("list", "--csv"), run("list", "--json"), run("show", "1")]
    outputs.append(run("query", tmp_path / "talks" / os.fsdecode(names[0])))
    for result in outputs:
        assert "\x1b" not in result.output
        assert "\x07" not in result.output
    assert "caf\\xe9.wav" in run("list").stdout
    assert "[red]\\x1b" in added.stderr
    assert "a\\nb.wav" in run("list").stdout
    assert "'=cmd" in run("list", "--csv").stdout
    assert run("show", "caf\\xe9.wav").exit_code == 0
    assert run("label", os.fsdecode(names[0]), "a=1").exit_code == 0
    assert "a   " in run("show", os.fsdecode(names[0])).stdout
    assert run("delete", os.fsdecode(names[0]), "a\nb.wav").exit_code == 0


def test_hostile_labels(run: Run, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(
        'file,speaker,=note\nbruno-garden.ogg,"\x1b]0;owned\x07","[bold]=1+1\nnext"\n'
    )
    assert run("add", BRUNO, "--labels", "labels.csv").exit_code == 0
    for result in (run("list"), run("show", "1"), run("stats"), run("list", "--csv")):
        assert "\x1b" not in result.output
        assert "\x07" not in result.output
    assert "[bold]=1+1\\nnext" in run("show", "1").stdout
    assert json.loads(run("show", "1", "--json").stdout)["labels"]["=note"] == "[bold]=1+1\nnext"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"name,speaker\na.wav,Ann\n", "no column 'file' (its columns: name, speaker)"),
        (b"file;speaker\na.wav;Ann\n", "no column 'file' (its columns: file;speaker)"),
        (b"", "no column 'file' (its columns: none)"),
        (b"file\na.wav\n", "no column besides 'file'"),
        (b"file,a,a\nx.wav,1,2\n", "has the column 'a' twice"),
        (b"file,a,\nx.wav,1,2\n", "a column without a name, number 3"),
        (b"file,a\nx.wav,1\ny.wav\n", "line 3 has 1 cells instead of 2"),
        (b"file,a\n,1\n", "line 2 names no file"),
        (b"file,a\nx.wav,1\nx.wav,2\n", "line 3 names x.wav again"),
        (b"file,a\nx.wav,\xff\n", "is not UTF-8"),
        (b'file,a\nx.wav,"1\n', "is no CSV"),
    ],
)
def test_bad_labels(run: Run, tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "labels.csv").write_bytes(content)
    line = complaint(run("add", BRUNO, "--labels", "labels.csv"))
    assert line.startswith("samaf: labels.csv: ")
    assert reason in line
    assert not (tmp_path / "samaf.db").exists()


def test_labels_of_no_file(run: Run, tmp_path: Path) -> None:
    lines = ["file,a", f"{BRUNO.name},1", "x.wav,2", "talks/y.wav,3", f"{STRANGER},4"]
    (tmp_path / "labels.csv").write_text("\n".join([*lines, "z.wav,5", "caf\\xe9.wav,6"]))
    with open(os.fsencode(tmp_path) + b"/caf\xe9.wav", "wb") as file:
        file.write(wav(load(BRUNO)[:SAMPLE_RATE]))
    added = run("add", BRUNO, tmp_path, STRANGER, "--labels", "labels.csv")
    assert added.exit_code == 0
    assert added.stderr.startswith(
        "samaf: labels.csv: 3 of 6 files are not among those given (x.wav, talks/y.wav, z.wav); "
    )
    labels = [json.loads(line)["labels"] for line in run("list", "--json").stdout.splitlines()]
    assert sorted(each["a"] for each in labels) == ["1", "4", "6"]
    (tmp_path / "labels.csv").write_text("\n".join(["file,a", *(f"{i}.wav,1" for i in range(9))]))
    assert "9 of 9 files" in run("add", BRUNO, "--labels", "labels.csv").stderr
    assert "(0.wav, 1.wav, 2.wav ...)" in run("add", BRUNO, "--labels", "labels.csv").stderr


def test_labels_that_are_not_there(run: Run) -> None:
    assert "gone.csv: cannot be read" in complaint(run("add", BRUNO, "--labels", "gone.csv"))


def test_no_store_and_an_empty_store(run: Run, tmp_path: Path) -> None:
    for command in (["query", BRUNO], ["list"], ["show", "1"], ["delete", "1"], ["stats"]):
        assert "no such store" in complaint(run(*command))
    assert "no such store" in complaint(run("db", "status"))
    assert not (tmp_path / "samaf.db").exists()
    samaf.open().close()
    asked = run("query", BRUNO)
    assert asked.exit_code == 0
    assert "unknown: the store is empty" in asked.stdout
    assert run("list").stdout == ""
    assert run("list", "--csv").stdout.startswith("recording_id,name")


def test_a_store_of_another_model(run: Run, store: Path) -> None:
    with sqlite3.connect(store) as connection:
        connection.execute("UPDATE fingerprinters SET digest = ?", ("ab" * 32,))
    for command in ("add", "query"):
        line = complaint(run(command, BRUNO))
        assert "belongs to the model 2LST256C abababababab, not to 2LST256C" in line
        assert f"rebuild it with: samaf --db sqlite:///{store} rehash" in line
        line = complaint(run(command, BRUNO, "--model", "2LST256C"))
        assert line.endswith("leave the model away or use another store")
    with sqlite3.connect(store) as connection:
        connection.execute("UPDATE fingerprinters SET name = '9LST512X'")
    line = complaint(run("query", BRUNO))
    assert "9LST512X abababababab" in line
    assert "2LST256C" in line
    assert "no such model" in complaint(run("add", BRUNO, "--model", "nothing", "--db", "new.db"))
    assert not store.with_name("new.db").exists()
    # What needs no model still works.
    assert run("list").exit_code == 0
    assert "no such model" in complaint(run("query", BRUNO, "--model", "nothing"))


def test_a_newer_schema(run: Run, store: Path) -> None:
    with sqlite3.connect(store) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    for command in (["add", BRUNO], ["query", BRUNO], ["list"], ["db", "upgrade"]):
        line = complaint(run(*command))
        assert "9999 is newer" in line
        assert "update samaf" in line
    assert json.loads(run("db", "status", "--json").stdout)["schema"] == "9999"


@pytest.mark.parametrize("command", [["add", BRUNO], ["query", BRUNO], ["db", "status"]])
def test_a_server_that_cannot_be_reached(run: Run, command: list[object]) -> None:
    result = run(*command, "--db", "mysql://ann:secret@127.0.0.1:1/hashes")
    assert result.exit_code == 1
    warning, line = (x for x in result.stderr.splitlines() if x.startswith("samaf: "))
    assert "others can see the password" in warning
    assert "the server cannot be reached" in line
    assert "secret" not in result.output


def test_not_a_store(run: Run, tmp_path: Path) -> None:
    shutil.copy(BRUNO, tmp_path / "sound.db")
    assert "not an SQLite database" in complaint(run("list", "--db", "sound.db"))
    assert "no database of samaf" in complaint(run("list", "--db", "oracle://x/y"))
    assert "bad\\udcff.db': is not UTF-8" in complaint(
        run("list", "--db", os.fsdecode(b"bad\xff.db"))
    )
    assert "cannot be opened (File name too long)" in complaint(run("list", "--db", 300 * "x"))


@pytest.mark.usefixtures("store")
def test_names_that_mean_nothing_or_too_much(run: Run) -> None:
    assert "no recording 'nobody'" in complaint(run("show", "nobody"))
    with Store.open() as store:
        twin, hashes = store.get(1), store.hashes(1)
        store.add(Recording("cd" * 32, twin.name, "/else/where", twin.duration), hashes)
    assert "refers to 2 recordings (1, 12)" in complaint(run("delete", "amelia-harbour.ogg"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["query"],
        ["query", BRUNO, "--granularity", "7"],
        ["query", BRUNO, "-k", "0"],
        ["query", BRUNO, "--max-false-matches", "0"],
        ["query", BRUNO, "--index", "magic"],
        ["add", BRUNO, "--jobs", "0"],
        ["bogus"],
    ],
)
def test_usage_errors(run: Run, arguments: list[object]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Usage: " in result.stderr


@pytest.mark.usefixtures("store")
def test_a_cache_that_is_a_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    assert "the index cannot be written" in complaint(run("query", BRUNO))
