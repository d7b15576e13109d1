"""How fast models learn: blocks a second of the training step, on made data."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.searching import Row
from samaf.features import FeatureParameters
from samaf.training.dataset import Dataset

MODELS = {"2LST256C": 256, "1LST128C": 256, "1LST128M": 16, "2LST256M": 16}  # pairs a step
CLIPS, FRAMES = 64, 1000
STEPS = 5
STANDARD = 1608  # blocks/s that PyTorch's own LSTM reached on two quiet cores in trials


def training(_: Path, __: Path) -> list[Row]:
    """Time training steps; the drawing of batches, which runs beside them, apart.

    KERAS_BACKEND names what computes.
    """
    import keras

    from samaf.training.lstm_family import preset
    from samaf.training.models import architecture
    from samaf.training.plan import Plan
    from samaf.training.sampling import Sampling

    data = _made()
    rows = []
    for name, pairs in MODELS.items():
        kind = architecture(name)
        chosen = preset(kind)
        plan = Plan(name, "made", kind.features, 100, pairs, chosen.learning_rate, 0)
        model = plan.build(data)
        batch = data.pairs(1, 0, pairs, kind.features)
        model.train_on_batch(*batch)  # compiles
        best = min(_seconds(partial(model.train_on_batch, *batch)) for _ in range(STEPS))
        rows.append(
            (
                f"{name}, {2 * pairs} blocks a step, {keras.backend.backend()}",
                f"{2 * pairs / best:,.0f} blocks/s",
            )
        )
    kind = architecture("2LST256C")
    drawing = min(
        _seconds(lambda: data.pairs(1, 1, 256, kind.features, Sampling(augmented=True)))
        for _ in range(STEPS)
    )
    rows.append(("drawing 512 blocks anew, beside the step", f"{512 / drawing:,.0f} blocks/s"))
    rows.append(("PyTorch's own LSTM, 2 x 256, in trials on two quiet cores", f"{STANDARD:,}"))
    return rows


def _seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def _made() -> Dataset:
    """Fill a dataset with random frames of as many coefficients as bands."""
    rng = np.random.default_rng(0)
    coefficients = FeatureParameters().mel_bands
    frames = rng.standard_normal((CLIPS * 2 * FRAMES, coefficients)).astype(np.float16)
    starts = (np.arange(CLIPS * 2) * FRAMES).reshape(CLIPS, 2)
    counts = np.full((CLIPS, 2), FRAMES)
    tau = np.ones((CLIPS, 2), np.float32)
    return Dataset(frames, starts, counts, tau, np.full(CLIPS, 1 / CLIPS))
