"""Keras models: stacked-LSTM encoders, with the paper's decoder where a term needs it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from samaf.errors import TrainingError
from samaf.features import FeatureParameters
from samaf.training import losses
from samaf.training.lstm import LSTM, UNROLL_STEPS
from samaf.training.terms import TermModel

NAME = re.compile(r"(?P<layers>[12])LST(?P<bits>128|256)(?P<terms>Random|(?=.)M?H?E?C?B?Q?)")
# The paper's, with bands no weaker than dither: what all models' data is prepared with.
PAPER_FEATURES = FeatureParameters(floor=1e-7)
# Ours: five frames a step, block mean taken away.
CONTRASTIVE_FEATURES = FeatureParameters(floor=1e-7, subtract_mean=True, stack=5)
Tensor = Any


@dataclass(frozen=True, slots=True)
class Architecture:
    """What a name like ``2LST256MHE`` says: layers, bits and loss terms.

    M, H and E are the paper's terms (SAMAF eq. 3-7), C is the contrastive one, B balances
    bits and Q draws states towards +-1. A name that
    ends in ``Random`` has no term: the paper's network as initialised, never trained.
    """

    name: str
    layers: int
    bits: int
    terms: str

    @property
    def paired(self) -> bool:
        """Whether it learns from pairs of original and copy; the paper's do from blocks."""
        return "C" in self.terms

    @property
    def features(self) -> FeatureParameters:
        """Features of the family: the paper's own, or ours with C."""
        return CONTRASTIVE_FEATURES if self.paired else PAPER_FEATURES


def architecture(name: str) -> Architecture:
    """Read a model name.

    Raises
    ------
    TrainingError
        The name is not of the form [12]LST(128|256) followed by letters of MHECBQ in order or
        by Random.
    """
    found = NAME.fullmatch(name)
    if not found:
        raise TrainingError(
            f"{name!r} names no model; write e.g. 2LST256C or 1LST128MHE: layers 1 or 2, bits 128 "
            "or 256, then terms out of M, H, E, C, B, Q in this order, or Random"
        )
    terms = found["terms"].replace("Random", "")
    return Architecture(name, int(found["layers"]), int(found["bits"]), terms)


class HashModel(TermModel):
    """Encoder, and decoder if the terms hold M, with the loss that the terms add up to.

    ``call`` maps (n, steps, values) to h (n, bits); the hash is h >= 0 (SAMAF eq. 2).
    Training data are blocks as x and moments as y, see ``dataset.Dataset``.

    Parameters
    ----------
    mean, deviation
        float32 (coefficients,): inputs are standardised with these.
    weights
        Weight of each term by its letter, SAMAF eq. (8); 1 where none is given.
    seed
        Of the initial weights: uniform within +-0.08 for the paper's models (the paper
        names no range), Keras' own for ours.
    """

    def __init__(
        self,
        kind: Architecture,
        features: FeatureParameters,
        mean: np.ndarray,
        deviation: np.ndarray,
        weights: dict[str, float] | None = None,
        temperature: float = losses.TEMPERATURE,
        seed: int = 0,
    ) -> None:
        super().__init__(kind.name, kind.terms, weights)
        self.kind, self.temperature, self.stack = kind, temperature, features.stack
        steps, values = features.steps
        offset = np.zeros_like(mean) if features.subtract_mean else mean
        self.offset = np.tile(offset, features.stack).astype(np.float32)
        self.inverse = np.tile(1 / deviation, features.stack).astype(np.float32)
        self.lstms = [
            LSTM(
                kind.bits,
                return_sequences=True,
                return_state=True,
                unroll=steps <= UNROLL_STEPS,
                **_initializers(kind, seed + layer),
            )
            for layer in range(kind.layers)
        ]
        self.projection: Any = (
            keras.layers.Dense(values, kernel_initializer=_uniform(seed + 9))
            if "M" in kind.terms
            else None
        )
        self.build((None, steps, values))

    def build(self, input_shape: Any) -> None:
        """Create all weights."""
        for layer in self.lstms:
            layer.build(input_shape)
            input_shape = (*input_shape[:2], self.kind.bits)
        if self.projection is not None:
            self.projection.build((None, self.kind.bits))
        self.built = True

    def standardised(self, x: Tensor) -> Tensor:
        """Scale every coefficient: mean 0, and deviation 1 within a block."""
        # On PyTorch Keras hands losses the batch as it came, an array.
        return (ops.convert_to_tensor(x) - self.offset) * self.inverse

    def encode(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Run the encoder over standardised input: last hidden state, all last states."""
        states = []
        for layer in self.lstms:
            x, hidden, memory = layer(x)
            states += [hidden, memory]
        return hidden, states

    def decode(self, first: Tensor, states: list[Tensor], steps: int) -> Tensor:
        """Rebuild ``steps`` inputs from the encoder's last states (SAMAF section 3.2).

        Weights are the encoder's; the first input is x_1, each further one the step's
        own output (feed previous).
        """

        def step(before: tuple[Tensor, list[Tensor]], _: Tensor) -> tuple[Any, Any]:
            x, states = before
            after = []
            for number, layer in enumerate(self.lstms):
                x, state = layer.cell(x, states[2 * number : 2 * number + 2])
                after += state
            carried = (self.projection(x), after)
            return carried, carried  # TensorFlow wants outputs shaped like what is carried

        _, (outputs, _) = ops.scan(step, (first, states), length=steps)
        return ops.transpose(outputs, (1, 0, 2))

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        """Give the last hidden state of the upper layer, (n, bits)."""
        return self.encode(self.standardised(x))[0]

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, *_: Any, **__: Any
    ) -> Tensor:
        """Add up the weighted terms (SAMAF eq. 8)."""
        terms = {}
        h = y_pred
        if self.projection is not None:
            inputs = self.standardised(x)
            h, states = self.encode(inputs)
            rebuilt = self.decode(inputs[:, 0], states, inputs.shape[1])
            terms["M"] = losses.mean_square_error(inputs, rebuilt)
        if "H" in self.kind.terms:
            terms["H"] = losses.hash_loss(h)
        if "E" in self.kind.terms:
            terms["E"] = losses.bitwise_entropy(h)
        if "C" in self.kind.terms:
            terms["C"] = losses.contrastive(h, y, self.temperature)
        if "B" in self.kind.terms:
            terms["B"] = losses.bit_balance(h)
        if "Q" in self.kind.terms:
            terms["Q"] = losses.quantisation(h)
        return self.followed(terms)


def _uniform(seed: int) -> keras.initializers.Initializer:
    return keras.initializers.RandomUniform(-0.08, 0.08, seed=seed)


def _initializers(kind: Architecture, seed: int) -> dict[str, Any]:
    """Choose uniform weights for the paper's models, Keras' own for ours."""
    if kind.paired:
        return {
            "kernel_initializer": keras.initializers.GlorotUniform(seed=seed),
            "recurrent_initializer": keras.initializers.OrthogonalInitializer(seed=seed),
        }
    return {
        "kernel_initializer": _uniform(seed),
        "recurrent_initializer": _uniform(seed + 50),
        "unit_forget_bias": False,
    }
