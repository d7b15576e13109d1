"""The training loop: seeded, checkpointed, resumable."""

from __future__ import annotations

import json
import math
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from samaf.errors import TrainingError
from samaf.features import FeatureParameters
from samaf.training.curves import Point, read_points, write_points
from samaf.training.dataset import Dataset
from samaf.training.export import put_weights
from samaf.training.models import Architecture, HashModel, architecture

CHECKPOINT_SECONDS = 180
EVALUATIONS = 50  # on held-out data, in a whole run
EVALUATION_PAIRS = 768
CHECKPOINT, CURVES = "checkpoint.npz", "curves.csv"
BEST = {"loss": "smallest-loss.npz", "accuracy": "largest-accuracy.npz"}


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
    redrawn
        Whether pairs get further voices and distortions, see ``Dataset.pairs``.
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
    redrawn: bool = False
    start: str = ""
    seed: int = 1

    @property
    def architecture(self) -> Architecture:
        """The named architecture."""
        return architecture(self.name)

    def optimizer(self) -> keras.optimizers.Optimizer:
        """Build AdamW with warm-up and cosine for ours, Adagrad for the paper's."""
        if not self.architecture.paired:
            return keras.optimizers.Adagrad(self.learning_rate, initial_accumulator_value=0.1)
        schedule = keras.optimizers.schedules.CosineDecay(
            0.0,
            max(1, self.steps - self.warm_up),
            warmup_target=self.learning_rate,
            warmup_steps=self.warm_up,
        )
        return keras.optimizers.AdamW(
            schedule,
            weight_decay=self.weight_decay,
            global_clipnorm=1.0,
            use_ema=self.averaging > 0,
            ema_momentum=self.averaging or None,
        )


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the weights of a checkpoint were made, and how long that took."""

    seconds: float = 0.0
    backend: str = ""
    machine: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A model with averaged weights, after ``step`` steps."""

    model: HashModel
    step: int
    made: Provenance


@dataclass(frozen=True, slots=True)
class Progress:
    """One progress report; ``terms`` are means since the last report."""

    step: int
    steps: int
    blocks_per_second: float
    terms: Mapping[str, float]
    seconds_left: float


def build(plan: Plan, dataset: Dataset, start: Path | None = None) -> HashModel:
    """Make a model with its optimizer, untrained or with the weights of a model file."""
    keras.utils.set_random_seed(plan.seed)
    mean, deviation = dataset.scale(plan.features.coefficients, plan.features.block_frames)
    model = HashModel(
        plan.architecture,
        plan.features,
        mean,
        deviation,
        plan.term_weights,
        plan.temperature,
        plan.seed,
    )
    model.compile(plan.optimizer(), jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    if start:
        put_weights(model, start)
    return model


def train(
    plan: Plan,
    dataset: Dataset,
    folder: Path,
    report: Callable[[Progress], None],
    held_out: Dataset | None = None,
    *,
    start: Path | None = None,
    every: int = 50,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    seconds: float = math.inf,
) -> Trained:
    """Run the plan, or what a checkpoint in ``folder`` left of it.

    Parameters
    ----------
    held_out
        Data of the validation split: measured 50 times a run, the best weights by loss
        and by accuracy kept beside the checkpoint.
    start
        Model file whose weights a new run begins with.
    every
        Steps between reports.
    seconds
        Stop with a checkpoint at the first report after this time; the next call goes on.

    Raises
    ------
    TrainingError
        The checkpoint belongs to another plan, or the loss is no number any more.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model = build(plan, dataset, start)
    step, made = restore(plan, model, folder)
    points = read_points(folder / CURVES, step)
    evaluate_every = every * max(1, round(plan.steps / EVALUATIONS / every))
    started = saved = began = time.monotonic()
    before, since, stopped = made.seconds, step, False
    for blocks, moments in _batches(plan, dataset, step):
        model.train_on_batch(blocks, moments)
        step += 1
        if step % every and step < plan.steps:
            continue
        terms = _means(model)
        if not math.isfinite(sum(terms.values())):
            raise _diverged(plan, step, folder)
        points.append(Point(step, "train", model.weighted(terms), terms))
        now = time.monotonic()
        pace = (now - began) / (step - since)
        left = (plan.steps - step) * pace
        report(Progress(step, plan.steps, 2 * plan.pairs / pace, terms, left))
        stopped = now - started > seconds
        last = stopped or step == plan.steps
        if held_out and (last or step % evaluate_every == 0):
            points.append(evaluate(model, plan, held_out, step))
            _keep_best(model, points, folder)
        if last or now - saved > checkpoint_seconds:
            so_far = before + time.monotonic() - started
            made = Provenance(so_far, keras.backend.backend(), machine())
            write_points(points, folder / CURVES)
            save(plan, model, step, made, folder)
            saved = now
        if stopped:
            break
        began, since = time.monotonic(), step
    return Trained(averaged(model), step, made)


def _batches(plan: Plan, dataset: Dataset, first: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give the batches from a step on, each drawn while the one before it is learnt from."""

    def draw(step: int) -> tuple[np.ndarray, np.ndarray]:
        if not plan.architecture.paired:
            return dataset.blocks(plan.seed, step, plan.pairs, plan.features)
        return dataset.pairs(plan.seed, step, plan.pairs, plan.features, redrawn=plan.redrawn)

    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(draw, first)
        for step in range(first + 1, plan.steps + 1):
            batch = coming.result()
            coming = pool.submit(draw, step)
            yield batch


def evaluate(model: HashModel, plan: Plan, held_out: Dataset, step: int) -> Point:
    """Measure loss terms, accuracy and Hamming distance on always the same 768 pairs.

    Loss terms are means over batches of the plan's size. A copy's block counts as right
    when the nearest of all originals' blocks is of its own clip.
    """
    blocks, moments = held_out.pairs(plan.seed, 0, EVALUATION_PAIRS, plan.features)
    for a in range(0, EVALUATION_PAIRS, plan.pairs):
        part = np.arange(a, min(a + plan.pairs, EVALUATION_PAIRS))
        model.test_on_batch(blocks[np.r_[part, part + EVALUATION_PAIRS]], moments[part])
    terms = _means(model)
    h = np.concatenate([model.predict_on_batch(b) for b in np.split(blocks, 6)])
    bits = np.where(h >= 0, 1, -1).astype(np.float32)
    distance = (h.shape[1] - bits[EVALUATION_PAIRS:] @ bits[:EVALUATION_PAIRS].T) / 2
    right = moments[distance.argmin(axis=1), 0] == moments[:, 0]
    return Point(
        step,
        "validation",
        model.weighted(terms),
        terms,
        float(right.mean()),
        float(np.diagonal(distance).mean()),
    )


def _means(model: HashModel) -> dict[str, float]:
    """Take the mean of each term since the last call."""
    terms = {name: float(mean.result()) for name, mean in model.trackers.items()}
    for mean in model.trackers.values():
        mean.reset_state()
    return terms


def _diverged(plan: Plan, step: int, folder: Path) -> TrainingError:
    return TrainingError(
        f"{plan.name}: the loss is no number at step {step}; the last good checkpoint stays in "
        f"{folder}, lower the learning rate"
    )


def _keep_best(model: HashModel, points: list[Point], folder: Path) -> None:
    *before, now = (p for p in points if p.split == "validation")
    weights = {
        f"w{i}": keras.ops.convert_to_numpy(v) for i, v in enumerate(model.trainable_variables)
    }
    if all(now.loss < p.loss for p in before):
        _write(folder / BEST["loss"], step=now.step, **weights)
    if all(now.accuracy > p.accuracy for p in before):
        _write(folder / BEST["accuracy"], step=now.step, **weights)


def load_best(model: HashModel, folder: Path, by: str) -> int:
    """Put the weights of the smallest ``loss`` or largest ``accuracy`` in; give their step."""
    path = folder / BEST[by]
    if not path.is_file():
        raise TrainingError(f"{path}: does not exist; train with a validation split first")
    with np.load(path) as file:
        for i, variable in enumerate(model.trainable_variables):
            variable.assign(file[f"w{i}"])
        return int(file["step"])


def averaged(model: HashModel) -> HashModel:
    """Put the running mean of the weights in place of the last ones."""
    optimizer = model.optimizer
    if optimizer.use_ema:
        optimizer.finalize_variable_values(model.trainable_variables)
    return model


def save(plan: Plan, model: HashModel, step: int, made: Provenance, folder: Path) -> None:
    """Write a checkpoint in place of the last one, atomically.

    Raises
    ------
    TrainingError
        A weight is no number any more; the last checkpoint stays.
    """
    arrays = {f"w{i}": keras.ops.convert_to_numpy(v) for i, v in enumerate(_state(model))}
    if not all(np.isfinite(a).all() for a in arrays.values()):
        raise _diverged(plan, step, folder)
    texts = {"plan": json.dumps(asdict(plan), sort_keys=True), "made": json.dumps(asdict(made))}
    _write(folder / CHECKPOINT, step=step, **texts, **arrays)


def restore(plan: Plan, model: HashModel, folder: Path) -> tuple[int, Provenance]:
    """Load the checkpoint of a folder, if there is one; give the steps it has done."""
    path = folder / CHECKPOINT
    if not path.is_file():
        return 0, Provenance()
    with np.load(path) as file:
        theirs: dict[str, Any] = json.loads(str(file["plan"]))
        ours = json.loads(json.dumps(asdict(plan)))
        differing = sorted(k for k in {*ours, *theirs} if ours.get(k) != theirs.get(k))
        if differing:
            raise TrainingError(
                f"{path}: is a checkpoint of another configuration (different: "
                f"{', '.join(differing)}); give another folder or the same settings"
            )
        for i, variable in enumerate(_state(model)):
            variable.assign(file[f"w{i}"])
        made = Provenance(**json.loads(str(file["made"]))) if "made" in file else Provenance()
        return int(file["step"]), made


def machine() -> str:
    """Name the processor and the number of cores."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            name = next((x.split(":")[1].strip() for x in file if x.startswith("model name")), name)
    except OSError:
        pass
    return f"{name}, {os.cpu_count()} cores"


def _write(path: Path, **arrays: Any) -> None:
    temporary = path.with_suffix(".tmp.npz")
    np.savez(temporary, **arrays)
    temporary.replace(path)


def _state(model: HashModel) -> list[Any]:
    return [*model.trainable_variables, *model.optimizer.variables]
