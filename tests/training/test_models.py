from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

import keras
import numpy as np
import pytest
from training_data import TINY, made_dataset

from samaf.errors import TrainingError
from samaf.features import FeatureParameters
from samaf.training import losses
from samaf.training.lstm import LSTM
from samaf.training.models import Architecture, HashModel, architecture

pytestmark = pytest.mark.training

PLAIN = replace(TINY, stack=1, subtract_mean=False)


def model(layers: int = 2, terms: str = "MHE", features: FeatureParameters = PLAIN) -> HashModel:
    mean, deviation = made_dataset().scale(13, 8)
    return HashModel(Architecture("tiny", layers, 16, terms), features, mean, deviation, seed=3)


def batch(features: FeatureParameters = PLAIN) -> tuple[np.ndarray, np.ndarray]:
    return made_dataset().pairs(1, 0, 8, features)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("1LST128M", (1, 128, "M")),
        ("2LST256MHE", (2, 256, "MHE")),
        ("2LST256C", (2, 256, "C")),
        ("1LST256MHEC", (1, 256, "MHEC")),
        ("2LST128CBQ", (2, 128, "CBQ")),
        ("2LST128Random", (2, 128, "")),
    ],
)
def test_names_say_layers_bits_and_terms(name: str, expected: tuple[int, int, str]) -> None:
    kind = architecture(name)
    assert (kind.layers, kind.bits, kind.terms) == expected


@pytest.mark.parametrize("name", ["", "2LST256", "3LST256C", "2LST512C", "2LST256CM", "2lst256c"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(TrainingError, match="2LST256C or 1LST128MHE"):
        architecture(name)


def test_the_papers_features_are_100_steps_of_13_as_they_come() -> None:
    for name in ("1LST128MHE", "2LST256Random"):
        features = architecture(name).features
        assert features.steps == (100, 13)
        assert not features.subtract_mean
    assert architecture("2LST256C").features.steps == (20, 65)


def test_the_papers_weights_start_uniform() -> None:
    for weights in model().get_weights():
        if weights.ndim == 2:
            assert np.abs(weights).max() <= 0.08
            assert weights.std() == pytest.approx(0.08 / np.sqrt(3), rel=0.1)
        else:
            assert not weights.any()


def test_the_same_seed_gives_the_same_weights() -> None:
    one, same = model().get_weights(), model().get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))


def lstm_step(
    x: np.ndarray, state: list[np.ndarray], weights: list[np.ndarray]
) -> list[np.ndarray]:
    """Follow the paper's figure 1."""
    gates = x @ weights[0] + state[0] @ weights[1] + weights[2]
    i, f, c, o = np.split(gates, 4, axis=1)
    sigmoid = lambda v: 1 / (1 + np.exp(-v))  # noqa: E731
    memory = sigmoid(f) * state[1] + sigmoid(i) * np.tanh(c)
    return [sigmoid(o) * np.tanh(memory), memory]


@pytest.mark.parametrize("layers", [1, 2])
def test_the_decoder_shares_weights_and_feeds_on_its_own_output(layers: int) -> None:
    net = model(layers)
    rng = np.random.default_rng(0)
    for variable in net.trainable_variables:  # larger than at the start, biases too
        variable.assign(0.4 * rng.standard_normal(variable.shape))
    x = np.asarray(net.standardised(batch()[0]))
    cells = [[np.asarray(v) for v in layer.cell.trainable_variables] for layer in net.lstms]
    kernel, bias = (np.asarray(v) for v in net.projection.trainable_variables)
    states = [[np.zeros((16, 16))] * 2 for _ in range(layers)]

    def advance(values: np.ndarray) -> np.ndarray:
        for number, weights in enumerate(cells):
            states[number] = lstm_step(values, states[number], weights)
            values = states[number][0]
        return values

    for step in range(8):
        h = advance(x[:, step])
    encoded, last = net.encode(x)
    assert np.allclose(encoded, h, atol=1e-5)
    rebuilt, value = [], x[:, 0]
    for _ in range(8):
        value = advance(value) @ kernel + bias
        rebuilt.append(value)
    got = np.asarray(net.decode(x[:, 0], last, 8))
    assert got.shape == x.shape
    assert np.allclose(got, np.stack(rebuilt, axis=1), atol=1e-4)


def test_the_autoencoder_learns_one_batch() -> None:
    net = model(layers=1, terms="M")
    net.compile(keras.optimizers.Adagrad(0.1), jit_compile=False)
    x, y = batch()
    errors = []
    for _ in range(40):
        net.train_on_batch(x, y)
        errors.append(float(net.trackers["M"].result()))
        net.reset_metrics()
    assert errors[-1] < 0.5 * errors[0]


def test_encoder_and_decoder_have_no_weights_of_their_own() -> None:
    # Two cells of kernel, recurrent kernel and bias, and the output's kernel and bias.
    assert len(model().trainable_variables) == 8
    assert len(model(terms="").trainable_variables) == 6


def test_the_loss_is_the_weighted_sum_of_its_terms() -> None:
    net = model(terms="MHEC", features=TINY)
    net.term_weights = {"M": 2.0, "H": 0.5}
    x, y = batch(TINY)
    total = float(net.compute_loss(x, y, net(x)))
    terms = {name: float(mean.result()) for name, mean in net.trackers.items()}
    inputs = net.standardised(x)
    h, states = net.encode(inputs)
    assert terms["M"] == pytest.approx(
        float(losses.mean_square_error(inputs, net.decode(inputs[:, 0], states, 4))), rel=1e-4
    )
    assert terms["C"] == pytest.approx(float(losses.contrastive(h, y)), rel=1e-4)
    assert terms["H"] > 0
    weighted = 2 * terms["M"] + 0.5 * terms["H"] + terms["E"] + terms["C"]
    assert total == pytest.approx(weighted, rel=1e-5)


@pytest.mark.parametrize("steps", [6, 40])
def test_the_layer_is_keras_own_on_tensorflow(steps: int) -> None:
    x = np.random.default_rng(0).standard_normal((5, steps, 7)).astype(np.float32)
    ours, theirs = (
        kind(9, return_sequences=True, return_state=True) for kind in (LSTM, keras.layers.LSTM)
    )
    ours.build(x.shape)
    theirs.build(x.shape)
    theirs.set_weights(ours.get_weights())
    for a, b in zip(ours(x), theirs(x), strict=True):
        assert np.allclose(a, b, atol=1e-6)


TORCH = """
import keras, numpy as np
from samaf.training.lstm import LSTM
x = np.random.default_rng(0).standard_normal((5, 12, 7)).astype(np.float32)
layers = [k(9, return_sequences=True, return_state=True) for k in (LSTM, keras.layers.LSTM)]
for layer in layers:
    layer.build(x.shape)
layers[1].set_weights(layers[0].get_weights())
initial = [np.full((5, 9), 0.3, np.float32), np.full((5, 9), -0.2, np.float32)]
initial = [keras.ops.convert_to_tensor(s) for s in initial]
for state in (None, initial):
    outputs = [layer(keras.ops.convert_to_tensor(x), initial_state=state) for layer in layers]
    for ours, theirs in zip(*outputs):
        ours, theirs = (keras.ops.convert_to_numpy(v) for v in (ours, theirs))
        assert ours.dtype == np.float32 and np.abs(ours - theirs).max() < 0.02
"""


@pytest.mark.skipif(not find_spec("torch"), reason="PyTorch is not installed")
def test_the_layer_agrees_with_keras_on_torch_within_bfloat16() -> None:
    import os
    import subprocess
    import sys

    environment = {**os.environ, "KERAS_BACKEND": "torch", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", TORCH], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
