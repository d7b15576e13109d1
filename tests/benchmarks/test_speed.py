"""What ``benchmarks speed`` says when there is no corpus or it lacks what a part needs."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import refusal


@pytest.mark.parametrize("part", ["add", "hash", "query"])
def test_a_corpus_that_is_not_there_is_one_line(part: str, tmp_path: Path) -> None:
    assert said(part, tmp_path / "none").endswith("name a corpus folder or set SAMAF_CORPUS")


@pytest.mark.parametrize(
    ("part", "splits"),
    [("add", "validation"), ("hash", "validation"), ("query", "train or validation")],
)
def test_a_corpus_without_speech_is_one_line(part: str, splits: str, tmp_path: Path) -> None:
    (tmp_path / "noise.wav").touch()
    (tmp_path / "manifest.csv").write_text("path,kind,split\nnoise.wav,noise,train\n")
    assert f"holds no speech of the {splits} split" in said(part, tmp_path)


def said(part: str, corpus: Path) -> str:
    """Run a part that must be refused; give the one line."""
    reason = refusal("speed", "--corpus", corpus, "--only", part)
    assert reason.startswith(f"{corpus}: ")
    return reason
