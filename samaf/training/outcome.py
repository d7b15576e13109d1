"""What is made of a trained model of either family: its weights, its curves, its origin."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from samaf.errors import TrainingError
from samaf.training.corpora import Corpus
from samaf.training.curves import BITS, draw_curves, read_points
from samaf.training.trainer import CURVES, Trained, load_best


def conclude(trained: Trained, name: str, out: Path, select: str, distance: str = BITS) -> int:
    """Give the model the weights to export and draw its curves; return the weights' step.

    Parameters
    ----------
    select
        "last", or by which measure the best weights are chosen.
    distance
        What the curves call the distance of a pair.

    Raises
    ------
    TrainingError
        The best weights are selected, but no step was taken.
    """
    step = trained.step
    if select != "last":
        if not step:
            raise TrainingError(
                f"{name}: took no step, so there are no best weights by {select}; give --steps 1 "
                "or more, or --select last"
            )
        step = load_best(trained.model, out / name, select)
    points = read_points(out / name / CURVES, trained.step)
    if points:
        draw_curves(points, name, out / f"{name}-curves.png", distance)
    return step


def origin(
    corpus: Corpus, trained: Trained, *, copies: int, select: str, step: int, seed: int
) -> dict[str, Any]:
    """Say for a card what a model learnt from, until which step, where, and how long."""
    licences = Counter(c.licence or "not stated" for c in corpus.clips if c.split == "train")
    made: dict[str, Any] = {
        "corpus": corpus.root.name,
        "corpus_digest": corpus.digest,
        "split": "train",
        "copies": copies,
        "licences": dict(sorted(licences.items())),
        "steps": step,
        "selected": select,
        "seed": seed,
    }
    if trained.made.backend:
        made["minutes"] = round(trained.made.seconds / 60, 1)
        made["backend"], made["machine"] = trained.made.backend, trained.made.machine
    return made
