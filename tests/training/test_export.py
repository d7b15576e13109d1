from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from training_data import TINY, made_dataset

from samaf.errors import TrainingError
from samaf.features import FeatureParameters
from samaf.fingerprinters import Fingerprinter, ModelCard, load_fingerprinter
from samaf.fingerprinters.card import write_model
from samaf.training.export import onnx_bytes, put_weights, restacked
from samaf.training.models import Architecture, HashModel, architecture

pytestmark = pytest.mark.training

MEGABYTE = 1_000_000
FAMILIES = {
    "C": (Architecture("tinyC", 2, 16, "C"), TINY),
    "M": (Architecture("tinyM", 1, 16, "M"), replace(TINY, stack=1, subtract_mean=False)),
}


def exported(
    kind: Architecture, features: FeatureParameters, folder: Path
) -> tuple[HashModel, Fingerprinter]:
    mean, deviation = made_dataset().scale(13, 8)
    net = HashModel(kind, features, mean + 2, deviation * np.linspace(0.5, 2, 13), seed=5)
    rng = np.random.default_rng(1)
    for variable in net.trainable_variables:
        variable.assign(variable + 0.1 * rng.standard_normal(variable.shape))
    card = ModelCard(kind.name, "lstm", kind.bits, features, tuple(map(float, deviation)))
    path = write_model(onnx_bytes(net), card, folder)
    return net, load_fingerprinter(str(path))


@pytest.mark.parametrize("family", FAMILIES)
def test_keras_and_onnx_give_the_same_bits(family: str, tmp_path: Path) -> None:
    kind, features = FAMILIES[family]
    net, fingerprinter = exported(kind, features, tmp_path)
    blocks, _ = made_dataset().pairs(1, 0, 500, features)
    ours, theirs = np.asarray(net(blocks)), fingerprinter.states(blocks)
    assert theirs.dtype == np.float32
    assert np.abs(ours - theirs).max() < 1e-4
    clear = np.abs(ours) >= 1e-4
    assert clear.mean() > 0.99
    assert np.array_equal(ours[clear] >= 0, theirs[clear] >= 0)
    assert 0.05 < (theirs >= 0).mean() < 0.95


@pytest.mark.parametrize("size", [1, 7, 256])
def test_batch_size_changes_no_bit_of_the_output(size: int, tmp_path: Path) -> None:
    kind, features = FAMILIES["C"]
    _, fingerprinter = exported(kind, features, tmp_path)
    blocks, _ = made_dataset().pairs(1, 0, 150, features)
    parts = [fingerprinter.states(blocks[a : a + size]) for a in range(0, 300, size)]
    assert np.array_equal(np.concatenate(parts), fingerprinter.states(blocks))


def test_the_same_weights_give_the_same_file(tmp_path: Path) -> None:
    net, _ = exported(*FAMILIES["C"], tmp_path)
    assert onnx_bytes(net) == onnx_bytes(net)


@pytest.mark.parametrize("name", ["2LST256C", "2LST256MHE"])
def test_the_largest_models_stay_below_five_megabytes(name: str) -> None:
    kind = architecture(name)
    net = HashModel(kind, kind.features, np.zeros(13), np.ones(13))
    assert len(onnx_bytes(net)) < 5 * MEGABYTE


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_starts_from_the_weights_of_a_file(family: str, tmp_path: Path) -> None:
    kind, features = FAMILIES[family]
    net, fingerprinter = exported(kind, features, tmp_path)
    mean, deviation = made_dataset(seed=4).scale(13, 8)
    other = HashModel(kind, features, mean, deviation, seed=9)
    put_weights(other, fingerprinter.path)
    blocks, _ = made_dataset().pairs(1, 0, 50, features)
    assert np.abs(np.asarray(net(blocks)) - np.asarray(other(blocks))).max() < 1e-3


def test_a_model_of_another_size_is_no_start(tmp_path: Path) -> None:
    _, fingerprinter = exported(*FAMILIES["C"], tmp_path)
    other = HashModel(Architecture("tinyC", 1, 32, "C"), TINY, np.zeros(13), np.ones(13))
    with pytest.raises(TrainingError, match="no model that tinyC can start from"):
        put_weights(other, fingerprinter.path)


def test_a_kernel_for_other_steps_is_driven_as_before() -> None:
    kernel = np.arange(8, dtype=np.float32)[None]  # one cell, 4 frames of 2 coefficients
    shares = restacked(kernel, 2, 5)[0].reshape(5, 2)
    assert shares[:, 0] == pytest.approx([0, 1.2, 2.4, 3.6, 4.8])
    assert np.array_equal(restacked(kernel, 2, 4), kernel)


@given(frames=st.integers(1, 8), stack=st.integers(1, 8), seed=st.integers(0, 99))
def test_a_constant_input_drives_a_restacked_cell_alike(frames: int, stack: int, seed: int) -> None:
    kernel = np.random.default_rng(seed).standard_normal((3, frames * 13)).astype(np.float32)
    new = restacked(kernel, 13, stack)
    assert new.shape == (3, stack * 13)
    assert np.allclose(
        new.reshape(3, stack, 13).sum(axis=1), kernel.reshape(3, frames, 13).sum(axis=1), atol=1e-4
    )


def test_a_model_of_longer_steps_starts_from_the_shipped_ones_weights(tmp_path: Path) -> None:
    kind, features = FAMILIES["C"]
    _, fingerprinter = exported(kind, features, tmp_path)
    longer = replace(features, stack=2 * features.stack)
    other = HashModel(kind, longer, *made_dataset(seed=4).scale(13, 8), seed=9)
    put_weights(other, fingerprinter.path)
    blocks, _ = made_dataset().pairs(1, 0, 50, longer)
    assert np.isfinite(np.asarray(other(blocks))).all()
