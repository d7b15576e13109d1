"""What is made of a trained model of either family: its weights, its curves, its origin."""

from __future__ import annotations

from collections import Counter
from typing import Any

from samaf.errors import TrainingError
from samaf.training.corpora import Corpus
from samaf.training.curves import draw_curves, read_points
from samaf.training.request import Request
from samaf.training.trainer import CURVES, Trained, load_best


def conclude(trained: Trained, request: Request, distance: str) -> int:
    """Give the model the weights to export and draw its curves; tell the weights' step.

    Raises
    ------
    TrainingError
        The best weights are wanted, but no step was taken.
    """
    name, select, step = request.name, request.select or "last", trained.step
    if select != "last":
        if not step:
            raise TrainingError(
                f"{name}: took no step, so there are no best weights by {select}; give --steps 1 "
                "or more, or --select last"
            )
        step = load_best(trained.model, request.out / name, select)
    points = read_points(request.out / name / CURVES, trained.step)
    if points:
        draw_curves(points, name, request.out / f"{name}-curves.png", distance)
    return step


def origin(corpus: Corpus, trained: Trained, request: Request, step: int) -> dict[str, Any]:
    """Say for a card what a model learnt from, until which step, where, and how long."""
    clips = [c for c in corpus.clips if c.split == "train"]
    licences = Counter(c.licence or "not stated" for c in clips)
    made: dict[str, Any] = {
        "corpus": " + ".join(root.name for root in (corpus.root, *corpus.further)),
        "corpus_digest": corpus.digest,
        "split": "train",
        "copies": request.copies,
        "kinds": dict(sorted(Counter(c.kind for c in clips).items())),
        "licences": dict(sorted(licences.items())),
        "steps": step,
        "selected": request.select,
        "seed": request.seed,
    }
    if trained.made.backend:
        made["minutes"] = round(trained.made.seconds / 60, 1)
        made["backend"], made["machine"] = trained.made.backend, trained.made.machine
    return made
