"""How sure? Is it valid here? Scores and likelihood ratios of the validation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from samaf.report.pictures.style import BLACK, BLUE, GREY, ORANGE, drawing, svg
from samaf.report.record import ValidatedLength, Validation

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def score_densities(length: ValidatedLength, score: float) -> bytes:
    """Draw how scores of true and of false queries of one length are spread, and this score."""
    ends = [*length.true_scores, *length.false_scores, score]
    edges = np.linspace(min(0.0, *ends), max(ends) + 0.5, 41)
    with drawing(2.2) as figure:
        axes = figure.subplots()
        for scores, colour, hatch, text in (
            (length.false_scores, ORANGE, "////", "recording not stored"),
            (length.true_scores, BLUE, None, "recording stored"),
        ):
            if scores:
                axes.hist(
                    scores,
                    edges,
                    density=True,
                    histtype="stepfilled" if hatch is None else "step",
                    color=colour,
                    alpha=0.55 if hatch is None else 1,
                    hatch=hatch,
                    linewidth=1.2,
                    label=f"{text} ({length.true if hatch is None else length.false} queries)",
                )
        axes.axvline(score, color=BLACK, linewidth=1.6)
        _label(axes, "this score", score, (1, -9))
        axes.set_xlabel(f"score of validation queries of {length.seconds:g} s")
        axes.set_ylabel("density")
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.22), ncols=2)
        return svg(figure)


def tippett(validation: Validation, log10_lr: float | None = None) -> bytes:
    """Draw the share of validation queries whose likelihood ratio is at least as large."""
    with drawing(2.5) as figure:
        axes = figure.subplots()
        for ratios, colour, style, text in (
            (validation.true_lrs, BLUE, "-", "recording stored"),
            (validation.false_lrs, ORANGE, "--", "recording not stored"),
        ):
            ordered = np.sort(np.asarray(ratios, float))
            if len(ordered):
                share = 1 - np.arange(len(ordered)) / len(ordered)
                axes.step(ordered, share, where="post", color=colour, linestyle=style, label=text)
        axes.axvline(0, color=GREY, linewidth=0.8)
        if log10_lr is not None:
            axes.axvline(log10_lr, color=BLACK, linewidth=1.6)
            _label(axes, "here", log10_lr, (1, -8))
        axes.set_ylim(0, 1.02)
        axes.set_xlabel("log10 likelihood ratio")
        axes.set_ylabel("share of queries at or above")
        axes.legend(loc="center", bbox_to_anchor=(0.5, 0.5))
        return svg(figure)


def hit_rates(lengths: Sequence[ValidatedLength], seconds: float | None = None) -> bytes:
    """Draw the share of validation queries that were found, by length; mark this length."""
    with drawing(2.1) as figure:
        axes = figure.subplots()
        known = [(x.seconds, 100 * x.hit_rate) for x in lengths if x.hit_rate is not None]
        axes.plot(*zip(*known, strict=True), "o-", color=BLUE, markersize=4)
        if seconds is not None:
            axes.axvline(seconds, color=BLACK, linewidth=1.4)
            _label(axes, "this clip", seconds, (0, 6))
        axes.set_ylim(0, 102)
        axes.set_xlabel("length of the clip, s")
        axes.set_ylabel("found, %")
        axes.grid(color="#E5E5E5", linewidth=0.5)
        return svg(figure)


def _label(axes: Axes, text: str, x: float, y: tuple[float, float]) -> None:
    """Write beside a vertical line, on the side that has more room.

    ``y`` is a share of the axis, and points above it.
    """
    left, right = axes.get_xlim()
    is_right = x > (left + right) / 2
    at, apart = (x, y[0]), (-3 if is_right else 3, y[1])
    side = "right" if is_right else "left"
    axes.annotate(text, at, apart, ("data", "axes fraction"), "offset points", ha=side)
