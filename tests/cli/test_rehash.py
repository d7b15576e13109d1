"""A store is rebuilt with another model from the files of its recordings."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from shell import BRUNO, STRANGER, Run

from samaf.demo import CLIPS
from samaf.fingerprinters import load_fingerprinter
from samaf.fingerprinters.card import write_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model with another digest: the shipped one that hears more of what is faint."""
    shipped = load_fingerprinter()
    features = replace(shipped.card.features, floor=1e-8)
    card = replace(shipped.card, name="other", features=features)
    return write_model(shipped.path.read_bytes(), card, tmp_path / "models")


@pytest.fixture
def recordings(run: Run, tmp_path: Path) -> Path:
    folder = tmp_path / "recordings"
    folder.mkdir()
    for clip in sorted(CLIPS.iterdir())[:4]:
        shutil.copy(clip, folder)
    assert run("add", folder).exit_code == 0
    return folder


@pytest.mark.slow
def test_rehash_hands_the_store_over(run: Run, recordings: Path, model: Path) -> None:
    refused = run("query", BRUNO, "--model", model)
    assert refused.exit_code == 1
    assert "belongs to the model 2LST256C" in refused.stderr
    told = json.loads(run("rehash", "--model", model, "--json").stdout)
    assert (told["done"], told["recordings"], told["missing"]) == (True, 4, [])
    assert told["name"] == "other"
    assert "belongs to the model other" in run("query", BRUNO).stderr
    (answer,) = map(json.loads, run("query", BRUNO, "--model", model, "--json").stdout.splitlines())
    assert answer["matches"][0]["reference"] == BRUNO.name
    again = run("rehash", "--model", model)
    assert again.exit_code == 1
    assert "belongs to other already" in again.stderr


@pytest.mark.slow
def test_a_killed_process_forgets_no_recording(
    run: Run, recordings: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = "import os, sys; sys.stdin.readline(); os.kill(os.getpid(), 9)"
    with monkeypatch.context() as patch:
        patch.setattr("os.sched_getaffinity", lambda _: {0, 1})
        patch.setattr("samaf.engine.workers.WORTH_A_PROCESS", 1.0)
        patch.setattr("samaf.engine.workers.START", killed)
        stopped = run("rehash", "--model", model, "--forget-missing")
    assert stopped.exit_code == 1
    assert "the process that hashed it ended (Killed)" in stopped.stderr
    assert len(run("list", "--csv").stdout.splitlines()) == 5
    assert json.loads(run("rehash", "--model", model, "--json").stdout)["missing"] == []


@pytest.mark.slow
def test_missing_files_keep_the_old_model_until_they_are_found(
    run: Run, recordings: Path, model: Path, tmp_path: Path
) -> None:
    first, second, *_ = sorted(recordings.iterdir())
    moved = tmp_path / "attic"
    moved.mkdir()
    shutil.move(first, moved / "renamed.ogg")
    second.write_bytes(STRANGER.read_bytes())
    left = run("rehash", "--model", model)
    assert left.exit_code == 1
    assert "2 of 4 recordings" in left.stdout
    assert first.name in left.stdout
    assert run("query", BRUNO).exit_code == 0
    found = run("rehash", "--model", model, "--audio", moved, "--json")
    assert found.exit_code == 1
    (missing,) = json.loads(found.stdout)["missing"]
    assert missing["path"].endswith(second.name)
    last = run("rehash", "--model", model, "--forget-missing")
    assert last.exit_code == 0
    assert "deleted" in last.stdout
    assert json.loads(run("stats", "--json").stdout)["recordings"] == 3


def test_nothing_to_rehash_is_said_in_one_line(run: Run, recordings: Path) -> None:
    told = run("rehash")
    assert told.exit_code == 1
    assert "belongs to 2LST256C already; there is nothing to rehash" in told.stderr
