"""A tiny corpus of synthetic voices, and a model that needs no training."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from scipy.io import wavfile

from benchmarks.__main__ import main
from samaf.features import FeatureParameters
from samaf.fingerprinters.card import ModelCard, write_model
from samaf.training.corpora import Corpus, open_corpus

RATE = 16_000
SECONDS = 3.5
FEATURES = FeatureParameters(subtract_mean=True, floor=1e-7)


def call(*words: object) -> Result:
    """Run ``python -m benchmarks`` with some words."""
    return CliRunner(catch_exceptions=False).invoke(main, [str(word) for word in words])


def refusal(*words: object) -> str:
    """Run what must be refused; give the one line of its reason."""
    done = call(*words)
    assert done.exit_code == 1, done.output
    (line,) = done.output.splitlines()
    assert line.startswith("Error: ")
    return line.removeprefix("Error: ")


def make_voice(seed: int, seconds: float = SECONDS) -> np.ndarray:
    """Harmonics of a wandering pitch with wandering loudness; float32 (n,), peak 1."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * RATE)) / RATE
    knots = np.linspace(0.0, seconds, int(seconds * 10))
    pitch = rng.uniform(110, 190) * np.interp(time, knots, rng.uniform(0.8, 1.25, len(knots)))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    samples = 0.01 * rng.standard_normal(len(time))
    for harmonic in range(1, 20):
        loudness = np.interp(time, knots, rng.random(len(knots)) ** 2)
        samples += loudness * np.sin(harmonic * phase) / harmonic**0.7
    return (samples / np.abs(samples).max()).astype(np.float32)


def write_wav(path: Path, samples: np.ndarray) -> None:
    """Write samples of peak 1."""
    wavfile.write(path, RATE, (samples * 32_767).astype(np.int16))


def write_manifest(root: Path, rows: Iterable[tuple[str, ...]]) -> None:
    """Write the manifest of a corpus: path, kind, split, speaker, recording."""
    with (root / "manifest.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "kind", "split", "speaker", "recording"])
        writer.writerows(rows)


@pytest.fixture(scope="session")
def voice() -> np.ndarray:
    """3.5 s of a synthetic voice."""
    return make_voice(1)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Two train, two validation and three test voices, with sounds of the test split."""
    root = tmp_path_factory.mktemp("corpus")
    clips = [("train", 2), ("validation", 2), ("test", 3)]
    names = [(split, f"{split}-{n}.wav") for split, count in clips for n in range(count)]
    rows = []
    for seed, (split, name) in enumerate(names):
        write_wav(root / name, make_voice(seed))
        rows.append((name, "speech", split, f"speaker {seed // 2}", f"source {seed}"))
    rng = np.random.default_rng(0)
    decay = np.exp(-np.arange(4_000) / 800).astype(np.float32)
    sounds = {
        "music": make_voice(90, 2.0),
        "noise": rng.uniform(-0.5, 0.5, 20_000).astype(np.float32),
        "rir": decay * rng.uniform(-1, 1, 4_000).astype(np.float32),
    }
    for kind, samples in sounds.items():
        wavfile.write(root / f"{kind}.wav", RATE, samples)
        rows.append((f"{kind}.wav", kind, "test", "", ""))
    write_manifest(root, rows)
    return open_corpus(root)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fingerprinter of 128 random projections of a block: no training, yet it works."""
    onnx = pytest.importorskip("onnx")
    steps, values = FEATURES.steps
    matrix = np.random.default_rng(5).standard_normal((steps * values, 128)).astype(np.float32)
    make = onnx.helper
    graph = make.make_graph(
        [
            make.make_node("Flatten", ["blocks"], ["flat"]),
            make.make_node("MatMul", ["flat", "matrix"], ["h"]),
        ],
        "projections",
        [make.make_tensor_value_info("blocks", onnx.TensorProto.FLOAT, ["n", steps, values])],
        [make.make_tensor_value_info("h", onnx.TensorProto.FLOAT, ["n", 128])],
        [onnx.numpy_helper.from_array(matrix, "matrix")],
    )
    proto = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=8)
    card = ModelCard("projections", "test", 128, FEATURES, (1.0,) * FEATURES.coefficients)
    return write_model(proto.SerializeToString(), card, tmp_path_factory.mktemp("model"))
