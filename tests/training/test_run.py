from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from training_data import write_corpus

from samaf.cli import cli
from samaf.errors import TrainingError
from samaf.fingerprinters import load_fingerprinter
from samaf.fingerprinters.card import read_card
from samaf.training.corpora import open_corpus
from samaf.training.lstm_family import OURS, PAPER, preset
from samaf.training.models import architecture
from samaf.training.request import Listener, Request
from samaf.training.run import train_model
from samaf.training.trainer import Progress

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("made") / "corpus", 3, 2)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("out")


def test_presets_are_the_papers_and_ours() -> None:
    ours, paper = preset(architecture("2LST256C")), preset(architecture("1LST128MHE"))
    assert ours is OURS
    assert (ours.learning_rate, ours.pairs, ours.steps, ours.copies) == (2e-3, 384, 50_000, 6)
    assert ours.select == "off_grid"
    assert paper is PAPER
    assert (paper.learning_rate, 2 * paper.pairs) == (0.01, 32)
    assert preset(architecture("2LST256Random")).steps == 0


def test_a_model_is_trained_exported_and_described(corpus: Path, out: Path) -> None:
    told: list[Progress] = []
    listener = Listener(trained=told.append)
    request = Request("1LST128M", (corpus,), out, steps=2, copies=1)
    path = train_model(request, listener)
    assert [p.step for p in told] == [2]
    fingerprinter = load_fingerprinter(str(path))
    card = fingerprinter.card
    assert (card.name, card.bits, card.features.steps) == ("1LST128M", 128, (100, 13))
    made = card.training
    assert made["corpus_digest"] == open_corpus(corpus).digest
    assert made["licences"] == {"CC0": 3}
    assert (made["speech_clips"], made["steps"], made["blocks_per_step"]) == (3, 2, 32)
    assert (made["backend"], made["optimizer"], made["seed"]) == ("tensorflow", "Adagrad", 1)
    assert (made["selected"], made["plan"]["learning_rate"]) == ("accuracy", 0.01)
    validation = card.figures["validation"]
    assert validation["references"] == 5
    rows = validation["conditions"].values()
    assert validation["on_grid"] == pytest.approx(
        np.mean([row["accuracy"] for row in rows]), abs=1e-4
    )
    assert (out / "1LST128M-curves.png").is_file()

    told.clear()
    again = train_model(replace(request, select="last"), listener)
    assert told == []
    assert read_card(again.with_suffix(".json")).training["selected"] == "last"
    with pytest.raises(TrainingError, match="has done 2 steps of 2"):
        train_model(replace(request, steps=3))


def test_the_command_makes_an_untrained_model(corpus: Path, out: Path) -> None:
    arguments = ["train", "1LST128Random", "--corpus", str(corpus), "--out", str(out)]
    done = CliRunner().invoke(cli, [*arguments, "--copies", "1"])
    assert done.exit_code == 0, done.output
    assert str(out / "1LST128Random.onnx") in done.output
    card = json.loads((out / "1LST128Random.json").read_text(encoding="utf-8"))
    assert card["training"]["steps"] == 0


def test_no_step_leaves_no_best_weights(corpus: Path, out: Path) -> None:
    with pytest.raises(TrainingError, match="1LST128H: took no step, .* give --steps 1 or more"):
        train_model(Request("1LST128H", (corpus,), out, steps=0, copies=1))


def test_the_command_names_a_folder_that_cannot_be_written(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    arguments = ["--corpus", str(corpus), "--out", str(tmp_path / "file/models")]
    done = CliRunner().invoke(cli, ["train", "2LST256C", *arguments])
    assert done.exit_code == 1
    assert "models/data" in done.output
    assert "cannot be read or written (Not a directory)" in done.output


@pytest.mark.parametrize("seed", ["-1", str(2**32)])
def test_the_command_refuses_a_seed_that_no_generator_takes(tmp_path: Path, seed: str) -> None:
    done = CliRunner().invoke(cli, ["train", "2LST256C", "--out", str(tmp_path), "--seed", seed])
    assert done.exit_code == 2
    assert "0<=x<=4294967295" in done.output


def test_the_command_names_a_missing_corpus(out: Path) -> None:
    done = CliRunner().invoke(cli, ["train", "2LST256C", "--corpus", "nowhere", "--out", str(out)])
    assert done.exit_code == 1
    assert "nowhere: no such folder" in done.output


def test_two_corpora_are_learnt_together(corpus: Path, tmp_path: Path) -> None:
    further = write_corpus(tmp_path / "further", 2, 1)
    arguments = ["train", "1LST128C", "--corpus", str(corpus), "--corpus", str(further)]
    options = ["--steps", "1", "--pairs", "4", "--copies", "1"]
    done = CliRunner().invoke(cli, [*arguments, "--out", str(tmp_path / "out"), *options])
    assert done.exit_code == 0, done.output
    assert "on the hop grid" in done.output
    card = read_card(tmp_path / "out/1LST128C.json")
    assert card.training["corpus"] == "corpus + further"
    assert (card.training["speech_clips"], card.training["licences"]) == (5, {"CC0": 5})
    assert card.features.stack == 5
    figures = card.figures["validation"]
    assert figures["references"] == 5 + 3
    assert 0 <= figures["off_grid"] <= 1


def second_corpus(tmp_path: Path, kind: str) -> tuple[Path, str]:
    """Make a corpus that cannot be used, and tell what is said of it."""
    root = tmp_path / "further"
    if kind == "missing":
        return root, "further: no such folder"
    write_corpus(root, 3, 1)
    if kind == "columns":
        (root / "manifest.csv").write_text("file,what\nx.wav,speech\n", encoding="utf-8")
        return root, "lacks the columns ['kind', 'path', 'split']"
    for path in sorted((root / "speech").iterdir())[:2]:
        path.unlink()
    return root, "2 of 4 files that belong to it are missing (speech/00.wav first)"


@pytest.mark.parametrize("kind", ["missing", "columns", "files"])
def test_a_second_corpus_that_cannot_be_used_is_named_in_a_line(
    corpus: Path, tmp_path: Path, kind: str
) -> None:
    root, reason = second_corpus(tmp_path, kind)
    arguments = ["train", "2LST256C", "--corpus", str(corpus), "--corpus", str(root)]
    done = CliRunner().invoke(cli, [*arguments, "--out", str(tmp_path / "out")])
    assert done.exit_code == 1
    (line,) = done.output.splitlines()
    assert reason in line


def test_a_corpus_is_named_once(corpus: Path, tmp_path: Path) -> None:
    arguments = ["train", "2LST256C", "--corpus", str(corpus), "--corpus", str(corpus)]
    done = CliRunner().invoke(cli, [*arguments, "--out", str(tmp_path)])
    assert done.exit_code == 1
    assert "is given twice" in done.output
