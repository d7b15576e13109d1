"""The plan of a run of the LSTM family: what it depends on, its batches and its yardstick."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from samaf.features import FeatureParameters
from samaf.training.curves import Point
from samaf.training.dataset import Dataset
from samaf.training.export import put_weights
from samaf.training.models import Architecture, HashModel, architecture
from samaf.training.sampling import Sampling
from samaf.training.schedule import Trapezoid
from samaf.training.validation import ValidationSet, measure, summary

EVALUATION_PAIRS = 768
ENCODED = 512  # blocks encoded at once


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """What a run is measured on: pairs of the validation split, and clips of the field."""

    pairs: Dataset
    field: ValidationSet | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a run depends on; a checkpoint belongs to one plan.

    Attributes
    ----------
    data
        Name of the prepared data.
    pairs
        Pairs of original and copy a step; the paper's models take twice as many blocks.
    steps
        Steps in all; the learning rate reaches 0 there.
    averaging
        Momentum of the running mean of the weights; 0 keeps the last weights.
    sampling
        How pairs are drawn.
    copies
        Distorted copies of each clip that are drawn from.
    start
        Digest of the model file whose weights training starts from; empty for new weights.
    """

    name: str
    data: str
    features: FeatureParameters
    steps: int
    pairs: int = 256
    learning_rate: float = 2e-3
    warm_up: int = 200
    weight_decay: float = 1e-4
    averaging: float = 0.998
    temperature: float = 0.08
    term_weights: dict[str, float] = field(default_factory=dict)
    sampling: Sampling = Sampling()  # noqa: RUF009  # frozen
    copies: int = 0
    start: str = ""
    seed: int = 1

    @property
    def architecture(self) -> Architecture:
        """The architecture of that name."""
        return architecture(self.name)

    @property
    def examples(self) -> tuple[int, str]:
        """How many a step takes, and what they are called."""
        return 2 * self.pairs, "blocks"

    def as_dict(self) -> dict[str, Any]:
        """Give all fields, for checkpoints."""
        return asdict(self)

    def optimizer(self) -> keras.optimizers.Optimizer:
        """Build AdamW with a trapezoid for ours, Adagrad for the paper's."""
        if not self.architecture.paired:
            return keras.optimizers.Adagrad(self.learning_rate, initial_accumulator_value=0.1)
        return adamw(
            self.learning_rate, self.warm_up, self.steps, self.weight_decay, self.averaging
        )

    def build(self, dataset: Dataset, start: Path | None = None) -> HashModel:
        """Make a model with its optimizer, untrained or with the weights of a model file."""
        keras.utils.set_random_seed(self.seed)
        mean, deviation = dataset.scale(self.features.coefficients, self.features.block_frames)
        model = HashModel(
            self.architecture,
            self.features,
            mean,
            deviation,
            self.term_weights,
            self.temperature,
            self.seed,
        )
        model.compile(self.optimizer(), jit_compile=False)
        model.optimizer.build(model.trainable_variables)
        if start:
            put_weights(model, start)
        return model

    def draw(self, dataset: Dataset, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw the batch of a step: blocks and moments."""
        if not self.architecture.paired:
            return dataset.blocks(self.seed, step, self.pairs, self.features)
        return dataset.pairs(self.seed, step, self.pairs, self.features, self.sampling)

    def evaluate(self, model: HashModel, held_out: HeldOut, step: int) -> Point:
        """Measure loss terms, accuracy and Hamming distance on always the same 768 pairs.

        Loss terms are means over batches of the plan's size. A copy's block counts as right
        when the nearest of all originals' blocks is of its own clip. Clips of the field are
        measured as ``validation.measure`` says.
        """
        blocks, moments = held_out.pairs.pairs(self.seed, 0, EVALUATION_PAIRS, self.features)
        for a in range(0, EVALUATION_PAIRS, self.pairs):
            part = np.arange(a, min(a + self.pairs, EVALUATION_PAIRS))
            model.test_on_batch(blocks[np.r_[part, part + EVALUATION_PAIRS]], moments[part])
        terms = model.means()
        h = np.concatenate([model.predict_on_batch(b) for b in np.split(blocks, 6)])
        bits = np.where(h >= 0, 1, -1).astype(np.float32)
        distance = (h.shape[1] - bits[EVALUATION_PAIRS:] @ bits[:EVALUATION_PAIRS].T) / 2
        point = validation_point(step, model.weighted(terms), terms, distance, moments)
        if held_out.field is None:
            return point
        figures = measure(partial(encoded, model), held_out.field, self.features)
        return replace(point, **asdict(summary(figures)))


def encoded(model: HashModel, blocks: np.ndarray) -> np.ndarray:
    """Encode blocks to states, float32 (n, bits)."""
    parts = [blocks[a : a + ENCODED] for a in range(0, len(blocks), ENCODED)]
    return np.concatenate([model.predict_on_batch(part) for part in parts])


def validation_point(
    step: int,
    loss: float,
    terms: dict[str, float],
    distance: np.ndarray,
    moments: np.ndarray,
) -> Point:
    """Measure pairs: how many are nearest to their own clip, and how far apart pairs lie.

    Parameters
    ----------
    distance
        Of each copy to each original, (n, n).
    moments
        Clip number and first frame of each pair, (n, 2).
    """
    right = moments[distance.argmin(axis=1), 0] == moments[:, 0]
    mean = float(np.diagonal(distance).mean())
    return Point(step, "validation", loss, terms, float(right.mean()), mean)


def adamw(
    learning_rate: float, warm_up: int, steps: int, weight_decay: float, averaging: float
) -> keras.optimizers.Optimizer:
    """Build AdamW with the learning rate of `Trapezoid`."""
    return keras.optimizers.AdamW(
        Trapezoid(learning_rate, warm_up, steps),
        weight_decay=weight_decay,
        global_clipnorm=1.0,
        use_ema=averaging > 0,
        ema_momentum=averaging or None,
    )
