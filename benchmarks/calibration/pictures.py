"""Calibration and Tippett plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.calibration.deep import DeepTrial
from benchmarks.calibration.validation import Judged, passing
from benchmarks.figures import COLOURS
from benchmarks.files import writing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RATES = 10.0 ** -np.linspace(0.5, 3.5, 13)
DPI = 80  # keeps a picture below 100 kB


def calibration(
    judged: Judged, groups: Mapping[str, np.ndarray], deep: Sequence[DeepTrial]
) -> Figure:
    """Draw met over stated rates: kinds of sound on the left, lengths on the right."""
    figure, panels = _figure(2)
    seconds = {name: g for name, g in groups.items() if name.endswith(" s")}
    kinds = {name: g for name, g in groups.items() if name not in seconds}
    for panel, chosen in zip(panels, (kinds, seconds), strict=True):
        for number, (name, group) in enumerate(chosen.items()):
            met = [judged.passing(rate, group) for rate in RATES]
            values, low, high = (
                np.array([getattr(e, part) for e in met]) for part in ("value", "low", "high")
            )
            _curve(panel, values, name, number)
            if name == "all":
                panel.fill_between(RATES, low, high, color=COLOURS[number], alpha=0.15, linewidth=0)
        _frame(panel)
    if deep:
        voices = [t.voice for t in deep]
        found = np.array([t.score for t in deep])
        values = np.array([passing(found, voices, rate).value for rate in RATES])
        _curve(panels[0], values, f"deep ({len(deep)})", len(kinds))
    for panel in panels:
        panel.legend(fontsize=7, frameon=False)
    return figure


def _curve(panel: Axes, values: np.ndarray, name: str, number: int) -> None:
    colour = COLOURS[number % len(COLOURS)]
    stroke = "-" if number < len(COLOURS) else "--"
    shown = np.where(values > 0, values, np.nan)
    panel.plot(RATES, shown, stroke, color=colour, label=name, linewidth=1.2)


def _frame(panel: Axes) -> None:
    ends = np.array([RATES[-1], RATES[0]])
    panel.plot(ends, ends, color="black", linewidth=0.8)
    for factor in (0.5, 2):
        panel.plot(ends, factor * ends, ":", color="black", linewidth=0.8)
    panel.set(
        xscale="log",
        yscale="log",
        xlim=ends,
        ylim=(1e-4, 1),
        xlabel="stated rate of false matches",
        ylabel="share of impostors that pass",
    )
    panel.grid(alpha=0.25)


def tippett(judged: Judged, chosen: np.ndarray) -> Figure:
    """Draw how many true and false matches have more than a likelihood ratio."""
    figure, panels = _figure(1)
    panel = panels[0]
    genuine = np.array([t.genuine for t in judged.trials])
    sides = {
        "from the recording": judged.own_ratios[chosen & genuine],
        "from none in the store": judged.ratios[chosen],
    }
    for number, (name, values) in enumerate(sides.items()):
        along = np.sort(values)
        above = 1 - np.arange(len(along)) / len(along)
        panel.step(along, 100 * above, where="pre", color=COLOURS[number], label=name)
    panel.axvline(0, color="black", linewidth=0.8)
    panel.set(xlabel="log10 likelihood ratio", ylabel="queries with at least that, %")
    panel.grid(alpha=0.25)
    panel.legend(fontsize=8, frameon=False)
    return figure


def _figure(columns: int) -> tuple[Figure, Sequence[Axes]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5 * columns, 4), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(1, columns, squeeze=False)[0]


def save(figure: Figure, path: Path) -> None:
    """Write a PNG, the same bytes for the same figures."""
    with writing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI, metadata={"Software": None})
