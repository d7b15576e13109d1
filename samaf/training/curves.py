"""Learning curves: what the loss terms did over the steps (SAMAF figures 5 and 6)."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from samaf.files import atomic

TERMS = "MHECBQ"
BITS = "mean Hamming distance, bits"
MEASURES = ("accuracy", "distance", "on_grid", "off_grid", "impostor_ber")  # of validation
COLUMNS = ("step", "split", "loss", *TERMS, *MEASURES)


@dataclass(frozen=True, slots=True)
class Point:
    """Losses around one step.

    Attributes
    ----------
    split
        ``train``: means since the point before; ``validation``: see ``trainer.evaluate``.
    accuracy
        Share of blocks of distorted copies whose nearest hash is of the right clip;
        nan in training.
    distance
        Mean Hamming distance in bits between a block and its copy; nan in training.
    on_grid, off_grid, impostor_ber
        See ``validation.Summary``; nan where it was not measured.
    """

    step: int
    split: str
    loss: float
    terms: Mapping[str, float]
    accuracy: float = math.nan
    distance: float = math.nan
    on_grid: float = math.nan
    off_grid: float = math.nan
    impostor_ber: float = math.nan


def write_points(points: Sequence[Point], path: Path) -> None:
    """Write a CSV file, one row a point, in place of the last one."""
    with atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for p in points:
            terms = [p.terms.get(t, "") for t in TERMS]
            values = [getattr(p, name) for name in MEASURES]
            measured = ["" if math.isnan(value) else value for value in values]
            rows.writerow([p.step, p.split, p.loss, *terms, *measured])


def read_points(path: Path, last_step: int) -> list[Point]:
    """Read the points up to a step; none if there is no file."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Point(
                int(row["step"]),
                row["split"],
                float(row["loss"]),
                {t: float(row[t]) for t in TERMS if row[t]},
                *(float(row.get(name) or "nan") for name in MEASURES),
            )
            for row in csv.DictReader(file)
            if int(row["step"]) <= last_step
        ]


def draw_curves(
    points: Sequence[Point],
    title: str,
    path: Path,
    distance: str = BITS,
) -> None:
    """Draw each term over the steps, and accuracy over ``distance``, as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    terms = [t for t in TERMS if any(t in p.terms for p in points)]
    figure = Figure(figsize=(3.6 * (len(terms) + 1), 3), layout="constrained")
    panels = figure.subplots(1, len(terms) + 1, squeeze=False)[0]
    for panel, term in zip(panels, terms, strict=False):
        for split in ("train", "validation"):
            own = [p for p in points if p.split == split and term in p.terms]
            panel.plot([p.step for p in own], [p.terms[term] for p in own], label=split)
        panel.set(title=f"term {term}", xlabel="step")
        panel.legend()
    held_out = [p for p in points if p.split == "validation"]
    dots = panels[-1].scatter(
        [p.distance for p in held_out],
        [100 * p.accuracy for p in held_out],
        c=[p.step for p in held_out],
        s=12,
    )
    panels[-1].set(title="validation", xlabel=distance, ylabel="right clip, %")
    figure.colorbar(dots, label="step")
    figure.suptitle(title)
    FigureCanvasAgg(figure).print_png(path)
