"""A picture of a verification: the peak among all lags, and the lag along the clip."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from samaf.files import atomic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from samaf.records import LagCurves, Verification

BLUE, RED, GREY = "#1f5fa8", "#c0392b", "#9a9a9a"


def picture(verification: Verification, title: str = "") -> Figure:
    """Draw correlation against lag with its peak, and below the lag along the clip.

    Raises
    ------
    ValueError
        Nothing was computed: the verification has a reason instead.
    """
    from matplotlib.figure import Figure

    curves = verification.curves
    if curves is None:
        raise ValueError(f"nothing to draw: {verification.reason}")
    figure = Figure(figsize=(9, 6), layout="constrained")
    upper, lower = figure.subplots(2, 1)
    word = "verified" if verification.verified else "not verified"
    figure.suptitle(f"{title}: {word}" if title else word)
    if len(curves.lags):
        _correlation(upper, curves)
    else:
        upper.text(0.5, 0.5, "tempo or pitch was changed: no common waveform", ha="center")
        upper.set_axis_off()
    _along(lower, curves)
    return figure


def save_picture(verification: Verification, title: str, path: Path) -> None:
    """Write `picture` into a file, the same bytes for the same verification.

    Raises
    ------
    OSError, ValueError
        The file cannot be written, or matplotlib has no format of its ending.
    """
    import matplotlib

    suffix = path.suffix.lower().removeprefix(".") or "png"
    # What would tell when and by which version it was drawn.
    undated = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
    figure = picture(verification, title)
    with matplotlib.rc_context({"svg.hashsalt": "samaf"}), atomic(path) as temporary:
        figure.savefig(temporary, format=suffix, dpi=120, metadata=undated.get(suffix))


def _correlation(axes: Axes, curves: LagCurves) -> None:
    axes.plot(curves.lags, curves.correlation, color=BLUE, linewidth=0.8)
    at = curves.peak_lag, curves.peak
    axes.plot([at[0]], [at[1]], "o", color=RED, markersize=7, fillstyle="none")
    axes.annotate(
        f"z = {curves.peak:.1f}", at, textcoords="offset points", xytext=(9, -4), color=RED
    )
    axes.set_ylim(0, 1.1 * max(float(curves.correlation.max(initial=0)), curves.peak, 1))
    axes.set_xlabel("start of the stretch in the recording, s")
    axes.set_ylabel("correlation / spread of all lags")


def _along(axes: Axes, curves: LagCurves) -> None:
    milliseconds = 1e3 * curves.offsets
    axes.axhline(0, color=GREY, linewidth=0.8)
    for agree, colour, label in ((False, GREY, "does not agree alone"), (True, BLUE, "agrees")):
        chosen = curves.agree == agree
        if chosen.any():
            axes.plot(
                curves.times[chosen],
                milliseconds[chosen],
                ".",
                color=colour,
                label=f"{label} ({int(chosen.sum())} windows)",
            )
    reach = max(1.0, 1.1 * float(np.abs(milliseconds).max(initial=0)))
    axes.set_ylim(-reach, reach)
    axes.set_xlabel("time in the clip, s")
    axes.set_ylabel("lag behind the line, ms")
    axes.legend(loc="upper right", fontsize="small")
