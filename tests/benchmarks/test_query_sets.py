"""Transformed clips are made once, in full or not at all."""

from __future__ import annotations

from pathlib import Path
from shutil import which

import numpy as np
import pytest

from benchmarks.accuracy.query_sets import prepare, read_samples, write_samples
from benchmarks.accuracy.transformations import select_transformations
from benchmarks.errors import BenchmarkError
from samaf.audio import load
from samaf.training.corpora import Clip, Corpus

pytestmark = pytest.mark.skipif(which("sox") is None, reason="SoX is not installed")
TRANSFORMATIONS = select_transformations("Original,Echo,Babble5dB")


def test_made_once(corpus: Corpus, tmp_path: Path) -> None:
    clips = corpus.select("speech", "test")
    seen = []
    first = prepare(corpus, clips, TRANSFORMATIONS, tmp_path, progress=lambda *at: seen.append(at))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert len(first.files) == 9
    assert len(set(first.files.values())) == 9
    assert not first.failures
    assert np.abs(first.samples(0, "Original") - load(clips[0].path)).max() < 1e-4

    times = {path: path.stat().st_mtime_ns for path in first.files.values()}
    lost = first.files[1, "Echo"]
    kept = lost.read_bytes()
    lost.unlink()
    again = prepare(corpus, clips, TRANSFORMATIONS, tmp_path, jobs=1)
    assert again.files == first.files
    assert lost.read_bytes() == kept
    assert all(p.stat().st_mtime_ns == t for p, t in times.items() if p != lost)


def test_bad_clip_is_named_and_the_others_go_on(corpus: Corpus, tmp_path: Path) -> None:
    text = tmp_path / "text.wav"
    text.write_text("no audio")
    gone = tmp_path / "gone.wav"
    bad = [Clip(path, "speech", "test", "", "") for path in (text, gone)]
    clips = (*bad, corpus.select("speech", "test")[0])
    made = prepare(corpus, clips, TRANSFORMATIONS[:2], tmp_path / "work", jobs=1)
    assert set(made.files) == {(2, "Original"), (2, "Echo")}
    assert "text.wav" in made.failures[0, "Echo"]
    assert "No such file" in made.failures[1, "Original"]


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BenchmarkError, match="cannot be written"):
        write_samples(tmp_path / "file" / "clip.npy", np.zeros(3, np.float32))


def test_round_trip(tmp_path: Path, voice: np.ndarray) -> None:
    write_samples(tmp_path / "a" / "clip.npy", voice)
    assert np.abs(read_samples(tmp_path / "a" / "clip.npy") - voice).max() <= 0.51 / 32_767
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["clip.npy"]
