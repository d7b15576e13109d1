"""The commands, as they are typed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from conftest import call, refusal

from benchmarks.__main__ import GROUPS
from samaf.training.corpora import Corpus


def words(corpus: Path, folder: Path) -> list[object]:
    where = ["--corpus", corpus, "--work", folder / "work", "--out", folder / "out", "--jobs", 1]
    return ["accuracy", "run", "--systems", "random", "--transformations", "Original", *where]


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("--transformations", "Ecko", "not known; choose all, paper, real"),
        ("--granularity", "9", "whole seconds from 1 to 6"),
        ("--corpus", "nowhere", "nowhere: no such folder"),
        ("--systems", "samaf:3LST", "no such model"),
        ("--systems", "shazam", "shazam: no such system; python -m benchmarks accuracy list"),
        ("--split", "dev", "--split dev: choose some of train,validation,test"),
        ("--parts", "half", "--parts half: choose some of closed,bits,open,scale"),
    ],
)
def test_what_the_user_can_fix_is_one_line(
    option: str, value: str, reason: str, corpus: Corpus, tmp_path: Path
) -> None:
    assert reason in refusal(*words(corpus.root, tmp_path), option, value)


def test_no_processes_are_refused(corpus: Corpus, tmp_path: Path) -> None:
    done = call(*words(corpus.root, tmp_path), "--jobs", 0)
    assert done.exit_code == 2
    assert "--jobs" in done.output.splitlines()[-1]


def test_a_split_without_speech_is_refused(corpus: Corpus, tmp_path: Path) -> None:
    lines = (corpus.root / "manifest.csv").read_text().splitlines()
    shutil.copytree(corpus.root, tmp_path / "corpus")
    kept = [line for line in lines if ",validation," not in line]
    (tmp_path / "corpus" / "manifest.csv").write_text("\n".join(kept))
    done = call(*words(tmp_path / "corpus", tmp_path), "--split", "validation")
    assert done.exit_code == 1
    assert "the validation split holds no usable speech" in done.output.splitlines()[-1]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("group", [[], *([name] for name in GROUPS), ["accuracy", "run"]])
def test_help(group: list[str]) -> None:
    assert call(*group, "-h").exit_code == 0


def test_list_names_systems_and_transformations() -> None:
    done = call("accuracy", "list")
    assert done.exit_code == 0
    for name in ("samaf:2LST256C", "panako-nfft:paper", "TruncateSilence", "Babble5dB"):
        assert f"| {name} |" in done.output


def test_report_without_results(tmp_path: Path) -> None:
    assert "holds no benchmark results" in refusal("accuracy", "report", tmp_path)
