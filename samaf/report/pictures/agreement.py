"""Which parts agree? Sped up or cut? Bit error rate and lag along time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from samaf.report.examined import Course, Found
from samaf.report.pictures.style import BLACK, BLUE, GREY, ORANGE, PALE, drawing, svg

CHANCE = 0.5
SUPPORTS = 0.42  # a block with less supports the match: `samaf.matching.alignment.SAME_SPEECH`
SAME_TEXT = 0.25  # a stretch with more may be another voice with the same text
LINE_MARKERS = "os^Dv"


def ber_along(found: Found, height: float = 2.1) -> bytes:
    """Draw the bit error rate of each block along the clip, with the stretch and the limits.

    ``height`` is in inches.
    """
    course = found.course
    with drawing(height) as figure:
        axes = figure.subplots()
        axes.axvspan(found.query_start, found.query_stop, color=PALE, linewidth=0)
        axes.axhline(CHANCE, color=BLACK, linestyle=":", linewidth=0.9)
        axes.axhline(SUPPORTS, color=ORANGE, linestyle="--", linewidth=0.9)
        marker = "o-" if len(course.times) < 80 else "-"
        axes.plot(course.times, course.ber, marker, color=BLUE, markersize=3)
        right = _limits(axes, [found])
        for level, text in ((CHANCE, "chance"), (SUPPORTS, "a block supports the match below")):
            axes.annotate(
                text, (right, level), (-3, 2), textcoords="offset points", ha="right", fontsize=7
            )
        axes.set_ylim(0, 0.62)
        axes.set_xlabel("time in the clip, s (middle of each block of 1 s)")
        axes.set_ylabel("bit error rate")
        return svg(figure)


def time_line(matches: Sequence[Found], title: str = "") -> bytes:
    """Draw clip time against time in one recording, and how far the blocks lie off each line.

    Parameters
    ----------
    matches
        All stretches of the clip that lie in the same recording.
    """
    with drawing(3.6) as figure:
        above, below = figure.subplots(2, 1, height_ratios=[3, 2], sharex=True)
        for number, found in enumerate(matches):
            start, stop = found.reference_start, found.reference_stop
            ends = (stop, start) if found.alteration.reversed else (start, stop)
            marker = LINE_MARKERS[number % len(LINE_MARKERS)]
            above.plot(
                (found.query_start, found.query_stop),
                ends,
                f"{marker}-",
                color=BLUE,
                markersize=4,
                label=f"stretch {number + 1}",
            )
            times, lags = _known(found.course, found.query_start, found.query_stop)
            below.plot(times, lags, marker, color=BLUE, markersize=3)
        below.axhline(0, color=GREY, linewidth=0.8)
        reach = max(0.15, 1.2 * max((abs(y) for y in _all_lags(matches)), default=0.0))
        below.set_ylim(-reach, reach)
        _limits(below, matches)
        if len(matches) > 1:
            above.legend(loc="best")
        above.set_title(title, loc="left")
        above.set_ylabel("time in the recording, s")
        below.set_ylabel("off the line, s")
        below.set_xlabel("time in the clip, s")
        return svg(figure)


def _known(course: Course, start: float, stop: float) -> tuple[list[float], list[float]]:
    points = [
        (time, lag)
        for time, lag in zip(course.times, course.lags, strict=True)
        if lag is not None and start <= time <= stop
    ]
    return [time for time, _ in points], [lag for _, lag in points]


def _all_lags(matches: Sequence[Found]) -> list[float]:
    return [
        lag
        for found in matches
        for lag in _known(found.course, found.query_start, found.query_stop)[1]
    ]


def _limits(axes: Any, matches: Sequence[Found]) -> float:
    """Let the time axis hold all blocks and stretches; give its end."""
    ends = [x for f in matches for x in (f.query_start, f.query_stop, *f.course.times)]
    low, high = float(np.min(ends)), float(np.max(ends))
    margin = 0.01 * max(high - low, 0.1)
    axes.set_xlim(low - margin, high + margin)
    return high
