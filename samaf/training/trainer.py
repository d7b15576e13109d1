"""The training loop: seeded, checkpointed, resumable."""

from __future__ import annotations

import json
import math
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np

from samaf.errors import TrainingError
from samaf.files import save_arrays
from samaf.training.curves import Point, read_points, write_points
from samaf.training.schedule import decay_begins
from samaf.training.terms import TermModel

CHECKPOINT_SECONDS = 180
EVALUATIONS = 40  # on held-out data, in a whole run
CHECKPOINT, CURVES = "checkpoint.npz", "curves.csv"
BEST = {
    "loss": "smallest-loss.npz",
    "accuracy": "largest-accuracy.npz",
    "off_grid": "largest-off-grid.npz",
}
GROWING = ("steps", "copies")  # what a plan may have more of than the checkpoint's


class Run(Protocol):
    """Everything that a run depends on; a checkpoint belongs to one such plan.

    Batches depend on the plan and the step alone, so that a resumed run sees the same.
    """

    @property
    def name(self) -> str:
        """Name of the model."""

    @property
    def steps(self) -> int:
        """Steps in all."""

    @property
    def examples(self) -> tuple[int, str]:
        """How many a step takes, and what they are called."""

    def as_dict(self) -> dict[str, Any]:
        """Give all that the weights depend on."""

    def build(self, dataset: Any, start: Path | None = None) -> Any:
        """Make a ``TermModel`` with its optimizer."""

    def draw(self, dataset: Any, step: int) -> tuple[Any, Any]:
        """Draw x and y of a step."""

    def evaluate(self, model: Any, held_out: Any, step: int) -> Point:
        """Measure a model on held-out data."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the weights of a checkpoint were made, and how long that took."""

    seconds: float = 0.0
    backend: str = ""
    machine: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A model with averaged weights, after ``step`` steps."""

    model: TermModel
    step: int
    made: Provenance


@dataclass(frozen=True, slots=True)
class Progress:
    """One progress report: examples a second, of what kind; means of terms since the last."""

    step: int
    steps: int
    per_second: float
    unit: str
    terms: Mapping[str, float]
    seconds_left: float


def train(
    plan: Run,
    dataset: Any,
    folder: Path,
    report: Callable[[Progress], None],
    held_out: Any = None,
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
        Data of the validation split: averaged weights are measured 40 times a run, the best
        of them by each measure kept beside the checkpoint.
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
    model = plan.build(dataset, start)
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
        terms = model.means()
        if not math.isfinite(sum(terms.values())):
            raise _diverged(plan, step, folder)
        points.append(Point(step, "train", model.weighted(terms), terms))
        now = time.monotonic()
        pace = (now - began) / (step - since)
        left = (plan.steps - step) * pace
        count, unit = plan.examples
        report(Progress(step, plan.steps, count / pace, unit, terms, left))
        stopped = now - started > seconds
        last = stopped or step == plan.steps
        if held_out and (last or step % evaluate_every == 0):
            with averaged_weights(model):
                points.append(plan.evaluate(model, held_out, step))
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


def _batches(plan: Run, dataset: Any, first: int) -> Iterator[tuple[Any, Any]]:
    """Give the batches from a step on, each drawn while the one before it is learnt from."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(plan.draw, dataset, first)
        for step in range(first + 1, plan.steps + 1):
            batch = coming.result()
            coming = pool.submit(plan.draw, dataset, step)
            yield batch


def _diverged(plan: Run, step: int, folder: Path) -> TrainingError:
    return TrainingError(
        f"{plan.name}: the loss is no number at step {step}; the last good checkpoint stays in "
        f"{folder}, lower the learning rate"
    )


def _keep_best(model: TermModel, points: list[Point], folder: Path) -> None:
    *before, now = (p for p in points if p.split == "validation")
    weights = {
        f"w{i}": keras.ops.convert_to_numpy(v) for i, v in enumerate(model.trainable_variables)
    }
    if all(now.loss < p.loss for p in before):
        save_arrays(folder / BEST["loss"], step=now.step, **weights)
    for by in ("accuracy", "off_grid"):
        value, best = getattr(now, by), [getattr(p, by) for p in before]
        if not math.isnan(value) and all(value > b for b in best if not math.isnan(b)):
            save_arrays(folder / BEST[by], step=now.step, **weights)


def load_best(model: TermModel, folder: Path, by: str) -> int:
    """Put the best weights ``by`` one of `BEST` in; give their step."""
    path = folder / BEST[by]
    if not path.is_file():
        raise TrainingError(f"{path}: does not exist; train with a validation split first")
    with np.load(path) as file:
        for i, variable in enumerate(model.trainable_variables):
            variable.assign(file[f"w{i}"])
        return int(file["step"])


@contextmanager
def averaged_weights(model: TermModel) -> Iterator[None]:
    """Give a model the running mean of its weights for a while."""
    variables = model.trainable_variables
    last = [keras.ops.copy(v.value) for v in variables]
    averaged(model)
    yield
    for variable, value in zip(variables, last, strict=True):
        variable.assign(value)


def averaged(model: TermModel) -> TermModel:
    """Put the running mean of the weights in place of the last ones."""
    optimizer = model.optimizer
    if optimizer.use_ema:
        optimizer.finalize_variable_values(model.trainable_variables)
    return model


def save(plan: Run, model: TermModel, step: int, made: Provenance, folder: Path) -> None:
    """Write a checkpoint in place of the last one, atomically.

    Raises
    ------
    TrainingError
        A weight is no number any more; the last checkpoint stays.
    """
    arrays = {f"w{i}": keras.ops.convert_to_numpy(v) for i, v in enumerate(_state(model))}
    if not all(np.isfinite(a).all() for a in arrays.values()):
        raise _diverged(plan, step, folder)
    texts = {"plan": json.dumps(plan.as_dict(), sort_keys=True), "made": json.dumps(asdict(made))}
    save_arrays(folder / CHECKPOINT, step=step, **texts, **arrays)


def restore(plan: Run, model: TermModel, folder: Path) -> tuple[int, Provenance]:
    """Load the checkpoint of a folder, if there is one; give the steps it has done."""
    path = folder / CHECKPOINT
    if not path.is_file():
        return 0, Provenance()
    with np.load(path) as file:
        theirs: dict[str, Any] = json.loads(str(file["plan"]))
        ours = json.loads(json.dumps(plan.as_dict()))
        step = int(file["step"])
        differing = sorted(
            k
            for k in {*ours, *theirs}
            if ours.get(k) != theirs.get(k) and not (k in GROWING and k in ours and k in theirs)
        )
        if differing:
            raise TrainingError(
                f"{path}: is a checkpoint of another configuration (different: "
                f"{', '.join(differing)}); give another folder or the same settings"
            )
        steady = min(decay_begins(plan["steps"]) for plan in (ours, theirs))
        if ours["steps"] != theirs["steps"] and step > steady:
            raise TrainingError(
                f"{path}: has done {step:,} steps of {theirs['steps']:,}; another number can take "
                f"over before step {steady:,} only, where the learning rate begins to fall"
            )
        if ours.get("copies", 0) < theirs.get("copies", 0):
            raise TrainingError(
                f"{path}: learnt from {theirs['copies']} copies a clip; give --copies "
                f"{theirs['copies']} or more"
            )
        for i, variable in enumerate(_state(model)):
            variable.assign(file[f"w{i}"])
        made = Provenance(**json.loads(str(file["made"]))) if "made" in file else Provenance()
        return step, made


def machine() -> str:
    """Name the processor and the number of cores."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            name = next((x.split(":")[1].strip() for x in file if x.startswith("model name")), name)
    except OSError:
        pass
    return f"{name}, {os.cpu_count()} cores"


def _state(model: TermModel) -> list[Any]:
    # What is not trained is the state of random numbers, those of dropout.
    return [
        *model.trainable_variables,
        *model.optimizer.variables,
        *model.non_trainable_variables,
    ]
