"""The paper's figures 5 to 8 with our results, and what it lacks: open set and scale."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.accuracy import published
from benchmarks.accuracy.distractors import FACTORS
from benchmarks.accuracy.report import Report
from benchmarks.accuracy.transformations import PAPER
from benchmarks.plots import MARKS, in_percent, legend, panels, style, with_intervals
from samaf.training.curves import Point

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS = 400  # of a DET curve, evenly spread over the logarithm of the false positives
FLOOR = 1e-5  # false positives drawn
CHANGES = ("Pitch", "Speed", "Tempo")
TERMS = {"M": "mean square error", "H": "hash loss", "E": "bitwise entropy", "C": "contrast"}


def every_figure(
    report: Report, curves: Mapping[str, Sequence[Point]]
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
    if report.systems:
        yield "figure7", figure7(report)
        if any(name.startswith(CHANGES) for name in report.transformations(report.unknown)):
            yield "figure8", figure8(report)
    if any(split == report.unknown for _, split, _ in report.open_sets):
        yield "det", det(report)
    if any(
        report.growth(name, report.unknown, s) for name in report.systems for s in report.seconds
    ):
        yield "scale", scale(report)


def figure5(curves: Mapping[str, Sequence[Point]]) -> Figure:
    """Draw accuracy over mean Hamming distance, one point a validation."""
    figure, axes = panels(1, 1, 7, 4)
    panel = axes[0, 0]
    for number, (name, points) in enumerate(curves.items()):
        held_out = [p for p in points if p.split == "validation"]
        panel.plot(
            [p.distance for p in held_out],
            [100 * p.accuracy for p in held_out],
            label=name,
            **style(number),
        )
    in_percent(
        panel,
        title="Figure 5: structure of the hash space and accuracy, during training",
        xlabel="mean Hamming distance of a block and its distorted copy, bits",
        ylabel="right clip, %",
    )
    legend(figure, panel)
    return figure


def figure6(curves: Mapping[str, Sequence[Point]]) -> Figure:
    """Draw each term of the loss over the steps, one row a model."""
    terms = [t for t in TERMS if any(t in p.terms for points in curves.values() for p in points)]
    figure, axes = panels(len(curves), len(terms), 3.4, 2.6)
    for line, (name, points) in zip(axes, curves.items(), strict=True):
        for panel, term in zip(line, terms, strict=True):
            if not any(term in p.terms for p in points):
                panel.set_axis_off()
                continue
            for number, split in enumerate(("train", "validation")):
                shown = [p for p in points if p.split == split and term in p.terms]
                look = {**style(number), "marker": ""}
                panel.plot(
                    [p.step for p in shown], [p.terms[term] for p in shown], label=split, **look
                )
            panel.set(title=f"{name}: {TERMS[term]}", xlabel="step")
            panel.grid(alpha=0.25)
    drawn = next(panel for panel in axes.flat if panel.lines)
    drawn.legend(fontsize=8, frameon=False)
    figure.suptitle("Figure 6: learning curves")
    return figure


def figure7(report: Report) -> Figure:
    """Draw accuracy by granularity: recording, and source and speaker where known."""
    attributes = {"identified": "recording"}
    if report.labelled:
        attributes |= {"source": "source", "speaker": "speaker"}
    figure, axes = panels(1, len(attributes), 3.6, 4)
    split, names = report.unknown, report.transformations(report.unknown)
    for panel, (attribute, title) in zip(axes[0], attributes.items(), strict=True):
        for number, name in enumerate(report.systems):
            points = {
                float(s): report.mean(name, split, s, names, attribute) for s in report.seconds
            }
            with_intervals(panel, points, number, name)
        in_percent(panel, title=title, xlabel="length of the query, s")
        panel.set_xticks(report.seconds)
    if len(names) == len(PAPER):
        theirs = published.table5()
        for mark, system in zip(MARKS, published.SYSTEMS, strict=False):
            axes[0, 0].plot(
                [1, 2, 3],
                [theirs[published.AVERAGE, s, system] for s in (1, 2, 3)],
                color="0.6",
                linewidth=0.8,
                marker=mark,
                markersize=3,
                label=f"{system}, published",
            )
    axes[0, 0].set_ylabel(f"right, mean of {len(names)} transformations, %")
    figure.suptitle(f"Figure 7: systems by length of the query, {split} split")
    legend(figure, axes[0, 0])
    return figure


def figure8(report: Report) -> Figure:
    """Draw accuracy over the factor of pitch, speed and tempo, one column a granularity."""
    split = report.unknown
    figure, axes = panels(len(CHANGES), len(report.seconds), 2.8, 2.4)
    queried = report.transformations(split)
    for line, change in zip(axes, CHANGES, strict=True):
        factors = {
            float(name.removeprefix(change)): name for name in queried if name.startswith(change)
        }
        if "Original" in queried:
            factors[1.0] = "Original"
        for panel, seconds in zip(line, report.seconds, strict=True):
            for number, name in enumerate(report.systems):
                points = {
                    factor: report.cell(name, split, factors[factor], seconds)
                    for factor in sorted(factors)
                }
                with_intervals(panel, points, number, name)
            in_percent(panel, title=f"{change}, {seconds} s", xlabel="factor")
        line[0].set_ylabel("right file, %")
    figure.suptitle(f"Figure 8: changes of time and frequency, {split} split")
    legend(figure, axes[0, 0])
    return figure


def det(report: Report) -> Figure:
    """Draw what is missed over the impostors that pass, one panel a granularity."""
    split = report.unknown
    lengths = sorted({seconds for _, s, seconds in report.open_sets if s == split})
    figure, axes = panels(1, len(lengths), 3.4, 3.6)
    for panel, seconds in zip(axes[0], lengths, strict=True):
        for number, name in enumerate(report.systems):
            opened = report.open_sets.get((name, split, seconds))
            if opened is None or not opened.impostors:
                continue
            passed, missed = opened.curve.false_positive, opened.curve.missed
            wanted = np.logspace(math.log10(FLOOR), 0, POINTS)
            places = np.unique(np.searchsorted(passed, wanted, "right") - 1)
            look = {**style(number), "marker": ""}
            # Fewer than one impostor cannot pass; a dot ends the curve, also one of a point.
            along = np.maximum(passed[places], 1 / opened.impostors)
            panel.step(along, 100 * missed[places], where="post", label=name, **look)
            panel.plot(along[-1], 100 * missed[places[-1]], marker=".", color=look["color"])
        panel.set_xscale("log")
        panel.set_xlim(FLOOR, 1)
        in_percent(panel, title=f"{seconds} s", xlabel="impostors that pass")
    axes[0, 0].set_ylabel("not rightly identified, %")
    figure.suptitle(f"Open set: half of the originals left out, {split} split")
    legend(figure, axes[0, 0])
    return figure


def scale(report: Report) -> Figure:
    """Draw accuracy over the size of the store, one panel a granularity."""
    split = report.unknown
    figure, axes = panels(1, len(report.seconds), 3, 3.2)
    names = [n for n in report.systems if any(report.growth(n, split, s) for s in report.seconds)]
    for panel, seconds in zip(axes[0], report.seconds, strict=True):
        for number, name in enumerate(names):
            points = {float(f): e for f, e in report.growth(name, split, seconds).items()}
            with_intervals(panel, points, number, name)
        panel.set_xscale("log")
        panel.set_xticks(FACTORS, [f"x {factor}" for factor in FACTORS])
        panel.minorticks_off()
        in_percent(panel, title=f"{seconds} s", xlabel="hashes stored, times the corpus")
    axes[0, 0].set_ylabel("right file, %")
    figure.suptitle(f"Scale, {split} split")
    legend(figure, axes[0, 0])
    return figure
