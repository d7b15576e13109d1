"""``samaf verify``, and ``--verify`` of other commands."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from shell import BRUNO, STRANGER, Run

from samaf.audio import SAMPLE_RATE, load
from samaf.demo import wav
from samaf.records import Band


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Two seconds from sample 48,077 on, in noise."""
    samples = load(BRUNO)[48_077 : 48_077 + 2 * SAMPLE_RATE]
    noise = np.random.default_rng(0).standard_normal(len(samples)) * samples.std() / 2
    path = tmp_path / "clip.wav"
    path.write_bytes(wav(((samples + noise) / 1.6).astype(np.float32)))
    return path


@pytest.mark.slow
def test_verify_says_where_and_draws(run: Run, clip: Path) -> None:
    result = run("verify", clip, BRUNO, "--picture", "lag.png")
    assert result.exit_code == 0
    lines = dict(line.strip().split("  ", 1) for line in result.stdout.splitlines())
    lines = {name: value.strip() for name, value in lines.items()}
    assert lines["answer"] == "verified"
    assert lines["lag"] == "48077.0 samples at 16 kHz"
    assert lines["bands that agree"] == "150-5000 Hz"
    assert Path("lag.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_what_is_not_verified_ends_with_status_1(run: Run, clip: Path) -> None:
    result = run("verify", clip, STRANGER, "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["verified"] is False
    (match,) = told["matches"]
    assert match["verification"]["lag_samples"] is None
    Path("silence.wav").write_bytes(wav(np.zeros(32_000, np.float32)))
    silent = run("verify", "silence.wav", STRANGER, "--csv", "--picture", "none.png")
    assert silent.exit_code == 1
    assert "not compared: silence.wav: nothing in it to recognise" in silent.stderr
    assert not Path("none.png").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("store")
def test_query_verifies(run: Run, clip: Path) -> None:
    (row,) = csv.DictReader(io.StringIO(run("query", clip, "--verify", "--csv").stdout))
    told = json.loads(row["verification"])
    assert (row["reference"], told["verified"]) == (BRUNO.name, True)
    assert told["lag_samples"] == pytest.approx(48_077, abs=0.5)
    assert "  verified " in run("query", clip, "--verify").stdout
    unknown = run("query", STRANGER, clip, "--verify").stdout.splitlines()[2]
    assert "unknown" in unknown
    assert run("query", clip, "--audio", ".").exit_code == 2


@pytest.mark.slow
def test_compare_verifies(run: Run, clip: Path) -> None:
    told = json.loads(run("compare", clip, BRUNO, "--verify", "--json").stdout)
    (match,) = told["matches"]
    bands = (Band(**band) for band in match["verification"]["bands"])
    assert all(band.coherent for band in bands)
    assert "  verified " in run("compare", clip, BRUNO, "--verify").stdout


def test_audio_that_is_gone_is_one_line(run: Run, clip: Path, tmp_path: Path) -> None:
    moved, folder = tmp_path / "moved.ogg", tmp_path / "kept"
    folder.mkdir()
    moved.write_bytes(BRUNO.read_bytes())
    assert run("add", moved).exit_code == 0
    moved.rename(folder / "renamed.ogg")
    table = run("query", clip, "--verify")
    assert table.exit_code == 0
    (line,) = (line for line in table.stdout.splitlines() if "moved.ogg" in line)
    assert "not compared: moved.ogg: its audio is not at " in line
    told = json.loads(run("query", clip, "--verify", "--audio", folder, "--json").stdout)
    assert told["matches"][0]["verification"]["verified"]
