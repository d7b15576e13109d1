"""The commands, as they are typed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from shutil import which

import pytest
from click.testing import CliRunner, Result

from benchmarks.__main__ import main
from samaf.training.corpora import Corpus


def call(*words: object) -> Result:
    return CliRunner(catch_exceptions=False).invoke(main, [str(word) for word in words])


@pytest.mark.skipif(which("sox") is None, reason="SoX is not installed")
def test_accuracy(corpus: Corpus, model: Path, tmp_path: Path) -> None:
    rows = "Original,Echo,Reverse,Music5dB"
    where = ["--corpus", corpus.root, "--work", tmp_path / "work", "--out", tmp_path / "out"]
    words = ["accuracy", "--model", model, "--rows", rows, "--granularity", "1,2,6", *where]
    done = call(*words, "--jobs", 1)
    assert done.exit_code == 0, done.output
    assert "samaf:projections, test split" in done.output
    text = (tmp_path / "out" / "accuracy-samaf+projections-test.md").read_text()
    assert "| Original | 100.0 (100.0-100.0) | 100.0 (100.0-100.0) | - | 0.000±0.00 |" in text
    assert "| mean, real life |" in text
    figures = json.loads((tmp_path / "out" / "accuracy-samaf+projections-test.json").read_text())
    assert figures["accuracy"]["1"]["Original"]["queries"] == 30
    assert figures["accuracy"]["1"]["mean"]["clips"] == 3
    assert figures["bit_error_rates"]["Echo"]["pairs"] > 0

    fewer = call(*words, "--clips", 1)
    assert fewer.exit_code == 1
    assert fewer.output.splitlines()[-1].startswith("Error: ")
    assert "clips" in fewer.output.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--rows", "Ecko"], "no such row"),
        (["--granularity", "9"], "whole seconds from 1 to 6"),
        (["--corpus", "nowhere"], "nowhere: no such folder"),
        (["--model", "3LST"], "no such model"),
    ],
)
def test_what_the_user_can_mend_is_one_line(
    words: list[str], reason: str, corpus: Corpus, tmp_path: Path
) -> None:
    where = ["--corpus", corpus.root, "--work", tmp_path, "--out", tmp_path / "out"]
    done = call("accuracy", *where, *words)
    assert done.exit_code == 1
    assert reason in done.output
    assert len(done.output.splitlines()) == 1


@pytest.mark.skipif(which("sox") is None, reason="SoX is not installed")
def test_a_table_that_cannot_be_written(corpus: Corpus, model: Path, tmp_path: Path) -> None:
    (tmp_path / "out" / "accuracy-samaf+projections-test.md").mkdir(parents=True)
    where = ["--corpus", corpus.root, "--work", tmp_path / "work", "--out", tmp_path / "out"]
    words = ["--model", model, "--rows", "Original", "--granularity", "1", "--clips", 1]
    done = call("accuracy", *words, *where, "--jobs", 1)
    assert done.exit_code == 1
    assert "accuracy-samaf+projections-test.md: cannot be written" in done.output.splitlines()[-1]
    assert not list((tmp_path / "out").glob(".*"))


@pytest.mark.parametrize("command", ["run", "accuracy"])
def test_no_processes_are_refused(command: str, corpus: Corpus, tmp_path: Path) -> None:
    done = call(command, "--corpus", corpus.root, "--out", tmp_path / "out", "--jobs", 0)
    assert done.exit_code == 2
    assert "--jobs" in done.output.splitlines()[-1]


@pytest.mark.parametrize("command", ["run", "accuracy"])
def test_a_split_without_speech_is_refused(command: str, corpus: Corpus, tmp_path: Path) -> None:
    lines = (corpus.root / "manifest.csv").read_text().splitlines()
    shutil.copytree(corpus.root, tmp_path / "corpus")
    kept = [line for line in lines if ",validation," not in line]
    (tmp_path / "corpus" / "manifest.csv").write_text("\n".join(kept))
    out = tmp_path / "out"
    where = ["--corpus", tmp_path / "corpus", "--work", tmp_path / "work", "--out", out]
    done = call(command, *where, "--rows", "Original", "--split", "validation", "--jobs", 1)
    assert done.exit_code == 1
    assert "the validation split holds no usable speech" in done.output.splitlines()[-1]
    assert not out.exists()


@pytest.mark.parametrize("words", [["-h"], ["run", "-h"], ["report", "-h"], ["accuracy", "-h"]])
def test_help(words: list[str]) -> None:
    assert call(*words).exit_code == 0


def test_list_names_recognizers_and_rows() -> None:
    done = call("list")
    assert done.exit_code == 0
    for name in ("samaf:2LST256C", "panako-nfft:paper", "TruncateSilence", "Babble5dB"):
        assert name in done.output
