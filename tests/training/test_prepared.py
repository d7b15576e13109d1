from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from training_data import tones, write_corpus, write_manifest, write_wav48

from samaf.features import FeatureParameters
from samaf.features.melspectrogram import MelParameters
from samaf.training import preparation
from samaf.training.corpora import Corpus, open_corpus
from samaf.training.prepared import TABLE
from samaf.training.unet import spectrograms
from samaf.training.validation import prepare_validation

Told = Callable[[int, int], None]


def frames(corpus: Corpus, folder: Path, progress: Told) -> Any:
    return preparation.prepare(
        corpus, "train", FeatureParameters(), folder, copies=1, seed=1, progress=progress
    ).frames


def mel_frames(corpus: Corpus, folder: Path, progress: Told) -> Any:
    features = MelParameters(normalised=False)
    return spectrograms.prepare(
        corpus, "train", features, folder, copies=1, seed=1, progress=progress
    ).frames


def conditions(corpus: Corpus, folder: Path, progress: Told) -> Any:
    return prepare_validation(corpus, FeatureParameters(), folder, 1, progress).references[0]


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    rows = []
    for number, (kind, split) in enumerate(
        [*[("speech", "train")] * 3, ("noise", "train"), ("speech", "validation")]
    ):
        write_wav48(tmp_path / f"corpus/{number}.wav", tones(3.1, number))
        rows.append((f"{number}.wav", kind, split, f"s{number}"))
    write_manifest(tmp_path / "corpus", rows)
    return open_corpus(tmp_path / "corpus")


@pytest.mark.slow
@pytest.mark.parametrize("prepare", [frames, mel_frames, conditions])
def test_of_two_runs_one_makes_the_data_and_the_other_uses_them(
    prepare: Callable[[Corpus, Path, Told], Any], corpus: Corpus, tmp_path: Path
) -> None:
    made_again: list[int] = []
    second: list[Future[Any]] = []
    with ThreadPoolExecutor(1) as pool:

        def other(done: int, total: int) -> None:
            made_again.append(done)

        def first_of_two(done: int, total: int) -> None:
            if done == 1:
                second.append(pool.submit(prepare, corpus, tmp_path / "data", other))

        mine = prepare(corpus, tmp_path / "data", first_of_two)
        theirs = second[0].result()
    assert made_again == []
    assert mine.tobytes() == theirs.tobytes()


KILLED = """
import os, signal, sys
from pathlib import Path
from samaf.features import FeatureParameters
from samaf.training.corpora import open_corpus
from samaf.training.preparation import prepare

prepare(
    open_corpus(Path(sys.argv[1])), "train", FeatureParameters(), Path(sys.argv[2]), copies=1,
    seed=1, progress=lambda done, total: os.kill(os.getpid(), signal.SIGKILL),
)
"""


@pytest.mark.process
def test_a_killed_preparation_holds_nobody_up(tmp_path: Path) -> None:
    corpus = open_corpus(write_corpus(tmp_path / "corpus", 2, 0))
    data = tmp_path / "data"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(corpus.root), str(data)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    (home,) = data.iterdir()
    assert not (home / TABLE).exists()
    told: list[int] = []
    frames(corpus, data, lambda done, total: told.append(done))
    assert told == [1, 2, 3, 4]
    assert (home / TABLE).is_file()
