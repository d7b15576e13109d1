"""What all figures share: panels, colours, and files that are the same for the same data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.files import writing
from benchmarks.metrics import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D31")
STROKES = ("-", "--", ":")
MARKS = ("o", "s", "^", "D", "v", "P", "X")
LEGEND_FONT, LEGEND_LINE = 8, 15  # points: of a letter, of a line with its space


def panels(
    rows: int, columns: int, width: float, height: float, **options: Any
) -> tuple[Figure, np.ndarray]:
    """Make a figure of panels of one size in inches; Axes (rows, columns)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(columns * width, rows * height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def style(number: int) -> dict[str, Any]:
    """Give the look of one of several curves."""
    return {
        "color": COLOURS[number % len(COLOURS)],
        "linestyle": STROKES[number // len(COLOURS) % len(STROKES)],
        "marker": MARKS[number % len(MARKS)],
        "markersize": 4,
        "linewidth": 1.3,
    }


def legend(figure: Figure, panel: Axes) -> None:
    """Name the curves beside the panels, in as many columns as the figure's height asks for."""
    handles, labels = panel.get_legend_handles_labels()
    lines = max(1, int(72 * figure.get_figheight() / LEGEND_LINE))
    figure.legend(
        handles,
        labels,
        loc="outside right center",
        ncols=-(-len(labels) // lines) or 1,
        fontsize=LEGEND_FONT,
        frameon=False,
    )


def with_intervals(panel: Axes, points: Mapping[float, Estimate], number: int, name: str) -> None:
    """Draw estimates in percent with their 95 % intervals as a band."""
    estimates = {x: estimate for x, estimate in points.items() if estimate.queries}
    along = list(estimates)
    values, low, high = (
        [100 * getattr(e, part) for e in estimates.values()] for part in ("value", "low", "high")
    )
    look = style(number)
    panel.plot(along, values, label=name, **look)
    panel.fill_between(along, low, high, color=look["color"], alpha=0.12, linewidth=0)


def in_percent(panel: Axes, **labels: str) -> None:
    """Give a panel an axis of percent, a grid and labels."""
    panel.set(ylim=(-3, 103), **labels)
    panel.grid(alpha=0.25)


def save(figure: Figure, path: Path, dpi: int = 150) -> None:
    """Write a figure as PNG or SVG, the same bytes for the same data."""
    from matplotlib import rc_context

    kind = path.suffix.removeprefix(".")
    silent = {"Date": None} if kind == "svg" else {"Software": None}
    with (
        rc_context({"svg.hashsalt": path.stem, "svg.fonttype": "none"}),
        writing(path) as temporary,
    ):
        figure.savefig(temporary, format=kind, dpi=dpi, metadata=silent)
