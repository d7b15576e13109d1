"""The plan of a run of the U-Net family (paper section 3.5)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from samaf.training.curves import Point
from samaf.training.plan import adamw, validation_point
from samaf.training.unet.model import UNet, Variant, variant, vectors
from samaf.training.unet.spectrograms import Spectrograms

EVALUATION_PAIRS = 128
REBUILT = 4  # of so many pairs one is rebuilt too: the decoder takes twice the encoder's time
SHIFT = 0.25  # s: of a clip of 6 s or more some segment lies as near to a stored one
CPU_FLAGS = Path("/proc/cpuinfo")
Batch = tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, slots=True)
class UNetPlan:
    """Everything that a run depends on; a checkpoint belongs to one plan.

    The paper's models learn with Adam; those with the contrastive term with AdamW, whose
    learning rate warms up and falls to 0.

    Attributes
    ----------
    data
        Name of the prepared data.
    pairs
        Segments to rebuild in a step.
    """

    name: str
    data: str
    steps: int
    pairs: int = 128
    learning_rate: float = 1e-4
    warm_up: int = 0
    weight_decay: float = 1e-4
    temperature: float = 0.08
    term_weights: dict[str, float] = field(default_factory=dict)
    seed: int = 1

    @property
    def kind(self) -> Variant:
        """What the name says."""
        return variant(self.name)

    @property
    def examples(self) -> tuple[int, str]:
        """How many a step takes, and what they are called."""
        return self.pairs, "segments"

    def as_dict(self) -> dict[str, Any]:
        """Give all fields, for checkpoints."""
        return asdict(self)

    def optimizer(self) -> keras.optimizers.Optimizer:
        """Build Adam (paper section 3.4.3), or AdamW for the contrastive term."""
        if not self.kind.contrastive:
            return keras.optimizers.Adam(self.learning_rate)
        return adamw(self.learning_rate, self.warm_up, self.steps, self.weight_decay, 0.0)

    def build(self, dataset: Spectrograms, start: Path | None = None) -> UNet:
        """Make a model with its optimizer."""
        keras.utils.set_random_seed(self.seed)
        model = self.model()
        model.compile(self.optimizer(), jit_compile=False)
        model.optimizer.build(model.trainable_variables)
        return model

    def model(self) -> UNet:
        """Make the model with its first weights."""
        return UNet(
            self.kind, self.term_weights, self.temperature, precision=precision(), seed=self.seed
        )

    def draw(self, dataset: Spectrograms, step: int) -> Batch:
        """Draw the batch of a step; with the contrastive term it has references."""
        features = self.kind.features
        if not self.kind.contrastive:
            return dataset.pairs(self.seed, step, self.pairs, features)
        x, (target, moments) = dataset.pairs(self.seed, step, self.pairs, features, shift=SHIFT)
        return x, (target[: -(-self.pairs // REBUILT)], moments)

    def evaluate(self, model: UNet, held_out: Spectrograms, step: int) -> Point:
        """Measure loss terms, accuracy and distance on always the same segments, 128 at most.

        A noisy segment counts as right when the nearest of the clean ones, up to 0.25 s
        away, is of its own clip.
        """
        count = min(EVALUATION_PAIRS, len(held_out))
        x, (target, moments) = held_out.pairs(self.seed, 0, count, self.kind.features, shift=SHIFT)
        for a in range(0, count, self.pairs):
            part = np.arange(a, min(a + self.pairs, count))
            rows = np.r_[part, part + count] if self.kind.contrastive else part
            model.test_on_batch(x[rows], (target[part], moments[part]))
        terms = model.means()
        found = np.concatenate([encoded(model, x[a : a + 32]) for a in range(0, len(x), 32)])
        apart = np.linalg.norm(found[:count, None] - found[None, count:], axis=2)
        return validation_point(step, model.weighted(terms), terms, apart, moments)


def precision() -> str:
    """Choose bfloat16, 1.9 times as fast, where the hardware has it: GPUs, some processors.

    Others take many times as long for it as for float32.
    """
    able = CPU_FLAGS.is_file() and "avx512_bf16" in CPU_FLAGS.read_text(encoding="utf-8")
    return "mixed_bfloat16" if able or _has_gpu() else "float32"


def _has_gpu() -> bool:
    if keras.backend.backend() != "torch":
        return bool(keras.distribution.list_devices("gpu"))
    import torch  # Keras lists no devices of this backend

    return torch.cuda.is_available()


def encoded(model: UNet, x: np.ndarray) -> np.ndarray:
    """Encode spectrograms without dropout, float32 (n, 320)."""
    return np.asarray(keras.ops.convert_to_numpy(vectors(model(x, training=False))))
