"""The paper's figures 5 to 8 with our results, and what it lacks: open set and scale."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import published
from benchmarks.files import writing
from benchmarks.findings import Findings
from benchmarks.metrics import Estimate
from benchmarks.scale import FACTORS
from benchmarks.transformations import paper_rows
from samaf.training.curves import Point

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEGEND_FONT, LEGEND_LINE = 8, 15  # points: of a letter, of a line with its space
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D31")
STROKES = ("-", "--", ":")
MARKS = ("o", "s", "^", "D", "v", "P", "X")
POINTS = 400  # of a DET curve, evenly spread over the logarithm of the false positives
FLOOR = 1e-5  # false positives drawn
CHANGES = ("Pitch", "Speed", "Tempo")
TERMS = {"M": "mean square error", "H": "hash loss", "E": "bitwise entropy", "C": "contrast"}


def every_figure(
    found: Findings, curves: Mapping[str, Sequence[Point]]
) -> Iterator[tuple[str, Figure]]:
    """Draw all figures that there are data for, as (name, figure).

    Parameters
    ----------
    curves
        Learning curves by model.
    """
    if curves:
        yield "figure5", figure5(curves)
        yield "figure6", figure6(curves)
    if found.recognizers:
        yield "figure7", figure7(found)
        if any(row.startswith(CHANGES) for row in found.rows(found.unknown)):
            yield "figure8", figure8(found)
    if any(split == found.unknown for _, split, _ in found.opened):
        yield "det", det(found)
    if any(
        found.growth(name, found.unknown, s) for name in found.recognizers for s in found.seconds
    ):
        yield "scale", scale(found)


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG and SVG, the same bytes for the same figures."""
    from matplotlib import rc_context

    with rc_context({"svg.hashsalt": path.name, "svg.fonttype": "none"}):
        for suffix, options in {
            "png": {"dpi": 150},
            "svg": {"metadata": {"Date": None}},
        }.items():
            with writing(path.with_suffix(f".{suffix}")) as temporary:
                figure.savefig(temporary, format=suffix, **options)  # type: ignore[arg-type]


def _figure(rows: int, columns: int, width: float, height: float) -> tuple[Figure, np.ndarray]:
    """Make panels of one size, in inches; Axes (rows, columns)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(columns * width, rows * height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False)


def _style(number: int) -> dict[str, Any]:
    return {
        "color": COLOURS[number % len(COLOURS)],
        "linestyle": STROKES[number // len(COLOURS) % len(STROKES)],
        "marker": MARKS[number % len(MARKS)],
        "markersize": 4,
        "linewidth": 1.3,
    }


def _legend(figure: Figure, panel: Axes) -> None:
    """Name the lines beside the panels, in as many columns as the figure's height asks for."""
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


def _with_intervals(panel: Axes, points: Mapping[float, Estimate], number: int, name: str) -> None:
    """Draw estimates in percent with their 95 % intervals as a band."""
    there = {x: e for x, e in points.items() if e.queries}
    along = list(there)
    values, low, high = (
        [100 * getattr(e, part) for e in there.values()] for part in ("value", "low", "high")
    )
    style = _style(number)
    panel.plot(along, values, label=name, **style)
    panel.fill_between(along, low, high, color=style["color"], alpha=0.12, linewidth=0)


def _percent(panel: Axes, **labels: str) -> None:
    panel.set(ylim=(-3, 103), **labels)
    panel.grid(alpha=0.25)


def figure5(curves: Mapping[str, Sequence[Point]]) -> Figure:
    """Draw accuracy over mean Hamming distance, one point a validation."""
    figure, panels = _figure(1, 1, 7, 4)
    panel = panels[0, 0]
    for number, (name, points) in enumerate(curves.items()):
        held_out = [p for p in points if p.split == "validation"]
        panel.plot(
            [p.distance for p in held_out],
            [100 * p.accuracy for p in held_out],
            label=name,
            **_style(number),
        )
    _percent(
        panel,
        title="Figure 5: structure of the hash space and accuracy, during training",
        xlabel="mean Hamming distance of a block and its distorted copy, bits",
        ylabel="right clip, %",
    )
    _legend(figure, panel)
    return figure


def figure6(curves: Mapping[str, Sequence[Point]]) -> Figure:
    """Draw each term of the loss over the steps, one row a model."""
    terms = [t for t in TERMS if any(t in p.terms for points in curves.values() for p in points)]
    figure, panels = _figure(len(curves), len(terms), 3.4, 2.6)
    for line, (name, points) in zip(panels, curves.items(), strict=True):
        for panel, term in zip(line, terms, strict=True):
            if not any(term in p.terms for p in points):
                panel.set_axis_off()
                continue
            for number, split in enumerate(("train", "validation")):
                own = [p for p in points if p.split == split and term in p.terms]
                style = {**_style(number), "marker": ""}
                panel.plot(
                    [p.step for p in own], [p.terms[term] for p in own], label=split, **style
                )
            panel.set(title=f"{name}: {TERMS[term]}", xlabel="step")
            panel.grid(alpha=0.25)
    drawn = next(panel for panel in panels.flat if panel.lines)
    drawn.legend(fontsize=8, frameon=False)
    figure.suptitle("Figure 6: learning curves")
    return figure


def figure7(found: Findings) -> Figure:
    """Draw accuracy by granularity: recording, and source and speaker where known."""
    attributes = {"identified": "recording"}
    if found.labelled:
        attributes |= {"source": "source", "speaker": "speaker"}
    figure, panels = _figure(1, len(attributes), 3.6, 4)
    split, rows = found.unknown, found.rows(found.unknown)
    for panel, (attribute, title) in zip(panels[0], attributes.items(), strict=True):
        for number, name in enumerate(found.recognizers):
            points = {float(s): found.mean(name, split, s, rows, attribute) for s in found.seconds}
            _with_intervals(panel, points, number, name)
        _percent(panel, title=title, xlabel="length of the query, s")
        panel.set_xticks(found.seconds)
    if len(rows) == len(paper_rows()):
        theirs = published.table5()
        for mark, system in zip(MARKS, published.SYSTEMS, strict=False):
            panels[0, 0].plot(
                [1, 2, 3],
                [theirs[published.AVERAGE, s, system] for s in (1, 2, 3)],
                color="0.6",
                linewidth=0.8,
                marker=mark,
                markersize=3,
                label=f"{system}, published",
            )
    panels[0, 0].set_ylabel(f"right, mean of {len(rows)} rows, %")
    figure.suptitle(f"Figure 7: systems by length of the query, {split} split")
    _legend(figure, panels[0, 0])
    return figure


def figure8(found: Findings) -> Figure:
    """Draw accuracy over the factor of pitch, speed and tempo, one column a granularity."""
    split = found.unknown
    figure, panels = _figure(len(CHANGES), len(found.seconds), 2.8, 2.4)
    asked = found.rows(split)
    for line, change in zip(panels, CHANGES, strict=True):
        factors = {float(row.removeprefix(change)): row for row in asked if row.startswith(change)}
        if "Original" in asked:
            factors[1.0] = "Original"
        for panel, seconds in zip(line, found.seconds, strict=True):
            for number, name in enumerate(found.recognizers):
                points = {
                    factor: found.cell(name, split, factors[factor], seconds)
                    for factor in sorted(factors)
                }
                _with_intervals(panel, points, number, name)
            _percent(panel, title=f"{change}, {seconds} s", xlabel="factor")
        line[0].set_ylabel("right file, %")
    figure.suptitle(f"Figure 8: changes of time and frequency, {split} split")
    _legend(figure, panels[0, 0])
    return figure


def det(found: Findings) -> Figure:
    """Draw what is missed over the strangers that pass, one panel a granularity."""
    split = found.unknown
    lengths = sorted({seconds for _, s, seconds in found.opened if s == split})
    figure, panels = _figure(1, len(lengths), 3.4, 3.6)
    for panel, seconds in zip(panels[0], lengths, strict=True):
        for number, name in enumerate(found.recognizers):
            opened = found.opened.get((name, split, seconds))
            if opened is None or not opened.impostors:
                continue
            passed, missed = opened.curve.false_positive, opened.curve.missed
            wanted = np.logspace(math.log10(FLOOR), 0, POINTS)
            places = np.unique(np.searchsorted(passed, wanted, "right") - 1)
            style = {**_style(number), "marker": ""}
            # Fewer than one stranger cannot pass; a dot ends the curve, also one of a point.
            along = np.maximum(passed[places], 1 / opened.impostors)
            panel.step(along, 100 * missed[places], where="post", label=name, **style)
            panel.plot(along[-1], 100 * missed[places[-1]], marker=".", color=style["color"])
        panel.set_xscale("log")
        panel.set_xlim(FLOOR, 1)
        _percent(panel, title=f"{seconds} s", xlabel="strangers that pass")
    panels[0, 0].set_ylabel("not rightly identified, %")
    figure.suptitle(f"Open set: half of the originals left out, {split} split")
    _legend(figure, panels[0, 0])
    return figure


def scale(found: Findings) -> Figure:
    """Draw accuracy over the size of the store, one panel a granularity."""
    split = found.unknown
    figure, panels = _figure(1, len(found.seconds), 3, 3.2)
    names = [n for n in found.recognizers if any(found.growth(n, split, s) for s in found.seconds)]
    for panel, seconds in zip(panels[0], found.seconds, strict=True):
        for number, name in enumerate(names):
            points = {float(f): e for f, e in found.growth(name, split, seconds).items()}
            _with_intervals(panel, points, number, name)
        panel.set_xscale("log")
        panel.set_xticks(FACTORS, [f"x {factor}" for factor in FACTORS])
        panel.minorticks_off()
        _percent(panel, title=f"{seconds} s", xlabel="hashes stored, times the corpus")
    panels[0, 0].set_ylabel("right file, %")
    figure.suptitle(f"Scale, {split} split")
    _legend(figure, panels[0, 0])
    return figure
