"""A programme of known excerpts: the truth of it, and what a deep monitor finds."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import call, write_manifest

from benchmarks.accuracy.longrun import KINDS, SECONDS, Excerpt, judged, programme
from samaf.audio import SAMPLE_RATE
from samaf.demo import CLIPS
from samaf.records import Manipulation, Match, Recording
from samaf.training.corpora import Clip

FILES = sorted(CLIPS.iterdir())


def match(name: str, start: float, stop: float, undone: Manipulation) -> Match:
    return Match(Recording("0" * 64, name, name, 60.0), start, stop, 1, 2, 0.1, 9, undone)


def test_the_truth_says_where_excerpts_lie() -> None:
    clips = [Clip(path, "speech", "validation", path.stem, path.stem) for path in FILES[:4]]
    now, kinds = 0.0, []
    for samples, excerpt in programme(clips[:2], clips[2:], 60, np.random.default_rng(0)):
        end = now + len(samples) / SAMPLE_RATE
        if excerpt:
            assert (excerpt.start, excerpt.stop) == pytest.approx((now, end))
            assert excerpt.name in {FILES[0].name, FILES[1].name}
            length = (end - now) / excerpt.manipulation.tau
            assert length <= SECONDS[1] + 0.1
            kinds.append(excerpt.kind)
        now = end
    assert kinds[: len(KINDS)] == list(KINDS)


def test_matches_are_compared_with_the_truth() -> None:
    fast = Manipulation(1 / 1.1, 1.1)
    truth = [Excerpt("speed", "a", 10, 16, fast), Excerpt("reversed", "b", 20, 26)]
    found = [
        match("a", 10.2, 15.7, fast),
        match("b", 20.1, 25.0, Manipulation()),
        match("b", 10, 16, Manipulation()),
    ]
    tallies, wrong = judged(truth, found)
    speed, backwards = tallies["speed"], tallies["reversed"]
    assert (speed.excerpts, speed.found, speed.near) == (1, 1, 1)
    assert (backwards.excerpts, backwards.found, backwards.near) == (1, 1, 0)
    assert speed.boundaries == pytest.approx([0.3])
    assert backwards.boundaries == pytest.approx([1.0])
    assert wrong == [found[2]]


def test_the_command_finds_what_it_hid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.accuracy.longrun.BETWEEN", (2.0, 3.0))
    monkeypatch.setattr("benchmarks.accuracy.longrun.SECONDS", (5.0, 6.0))
    for clip in FILES[:4]:
        shutil.copy(clip, tmp_path)
    rows = [(clip.name, "speech", "validation", clip.stem, clip.stem) for clip in FILES[:4]]
    write_manifest(tmp_path, rows)
    # With this seed two excerpts take 14 s.
    words = ["--corpus", tmp_path, "--minutes", 0.15, "--seed", 2]
    done = call("accuracy", "longrun", *words)
    assert done.exit_code == 0, done.output
    assert "| as it is | 1 | 1 | 1 |" in done.output
    assert "| speed | 1 | 1 | 1 |" in done.output
    assert ", 0 false matches" in done.output
