"""Where? Stretches on whole recordings, and which clip lies in which recording."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from samaf.report.pictures.style import BLUE, GREY, ORANGE, PALE, drawing, name, svg

MOST_NAMES = 60  # clips or recordings whose names are written in a map
MOST_ROWS = 40  # stretches that get a row of their own
LEAST_SHARE = 0.004  # of the axis: narrower stretches are drawn so wide


def recording_with_stretches(
    duration: float, stretches: Sequence[tuple[float, float, str]], title: str = ""
) -> bytes:
    """Draw a whole recording as a bar, and stretches on it.

    Parameters
    ----------
    duration
        Of the recording, in seconds.
    stretches
        Start, stop and name of each; those that overlap get lines of their own.
    """
    rows = _rows(stretches)
    count = max(rows, default=0) + 1
    with drawing(0.75 + 0.22 * min(count, MOST_ROWS)) as figure:
        axes = figure.subplots()
        axes.barh([-1], [duration], color=PALE, edgecolor=GREY, linewidth=0.7, height=0.8)
        for (start, stop, text), row in zip(stretches, rows, strict=True):
            width = max(stop - start, LEAST_SHARE * duration)
            axes.barh([row], [width], left=[start], color=BLUE, height=0.7)
            axes.barh([-1], [width], left=[start], color=ORANGE, height=0.8)
            is_right = start > duration / 2
            axes.annotate(
                name(text),
                (start if is_right else start + width, row),
                (-3 if is_right else 3, 0),
                textcoords="offset points",
                ha="right" if is_right else "left",
                va="center",
                fontsize=7,
            )
        axes.set_xlim(0, duration)
        axes.set_ylim(count - 0.4, -1.6)
        axes.set_yticks([])
        axes.set_title(name(title), loc="left")
        axes.set_xlabel("time in the recording, s")
        return svg(figure)


def _rows(stretches: Sequence[tuple[float, float, str]]) -> list[int]:
    """Give each stretch a row: one of its own, or where they are many the first that is free."""
    rows = [0] * len(stretches)
    ends: list[float] = []
    for number in sorted(range(len(stretches)), key=lambda i: stretches[i]):
        start, stop, _ = stretches[number]
        free = (row for row, end in enumerate(ends) if end <= start)
        row = next(free, len(ends)) if len(stretches) > MOST_ROWS else len(ends)
        ends[row : row + 1] = [stop]
        rows[number] = row
    return rows


def clip_map(
    clips: Sequence[str], recordings: Sequence[str], found: Sequence[tuple[int, int]]
) -> bytes:
    """Draw which clip (row) was found in which recording (column)."""
    across, down = max(1, len(recordings)), max(1, len(clips))
    height = float(np.clip(1.4 + 0.13 * down, 2.0, 8.5))
    with drawing(height) as figure:
        axes = figure.subplots()
        axes.plot(
            [column for _, column in found],
            [row for row, _ in found],
            "s",
            color=BLUE,
            markersize=5 if down <= MOST_NAMES else 2,
        )
        axes.set_xlim(-0.5, across - 0.5)
        axes.set_ylim(down - 0.5, -0.5)
        axes.grid(color="#E5E5E5", linewidth=0.5)
        axes.set_axisbelow(True)
        axes.set_xlabel("recording")
        axes.set_ylabel("clip")
        if down <= MOST_NAMES:
            axes.set_yticks(range(len(clips)), [name(clip)[:30] for clip in clips], fontsize=6.5)
        if across <= MOST_NAMES // 2:
            labels = [name(recording)[:30] for recording in recordings]
            axes.set_xticks(range(len(recordings)), labels, rotation=60, ha="right", fontsize=6.5)
        return svg(figure)
