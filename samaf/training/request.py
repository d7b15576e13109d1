"""The request for a training run, and the callbacks that report on it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from samaf.training.trainer import Progress

SELECTIONS = ("last", "loss", "accuracy", "off_grid")


@dataclass(frozen=True, slots=True)
class Request:
    """One run; None takes the setting of the model's family.

    Attributes
    ----------
    name
        Name of the model, e.g. ``2LST256C``.
    corpora
        Corpora to learn from together, see ``corpora.open_corpora``.
    out
        Folder of model, card and curves. Prepared data lie in ``out/data``, checkpoint and
        curves of the run in ``out/NAME``.
    steps, pairs, copies
        Steps in all, pairs a step, distorted copies of each clip.
    minutes
        Stop training after this time, and export what is there.
    select
        Weights that are exported, one of `SELECTIONS`: the last ones, or those of the
        smallest loss or largest accuracy on the validation split, on pairs or on clips of
        the field that are cut anywhere.
    start
        Name of a shipped model, or a model file, whose weights training starts from.
    """

    name: str
    corpora: tuple[Path, ...]
    out: Path
    steps: int | None = None
    pairs: int | None = None
    minutes: float = math.inf
    select: str | None = None
    copies: int | None = None
    seed: int = 1
    start: str | None = None


@dataclass(frozen=True, slots=True)
class Listener:
    """Callbacks: preparation (what, done, total), training progress, notes."""

    prepared: Callable[[str, int, int], None] = lambda what, done, total: None
    trained: Callable[[Progress], None] = lambda progress: None
    noted: Callable[[str], None] = lambda line: None
