"""A picture of a verification: the peak among all lags, and the lag along the clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from samaf.verification.correlation import BIN, Correlation
from samaf.verification.signals import SAMPLE_RATE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from samaf.verification.verify import Trace, Verification

BLUE, RED, GREY = "#1f5fa8", "#c0392b", "#9a9a9a"


def picture(verification: Verification, title: str = "") -> Figure:
    """Draw correlation against lag with its peak, and below the lag along the clip.

    Raises
    ------
    ValueError
        Nothing was computed: the verification has a reason instead.
    """
    from matplotlib.figure import Figure

    trace = verification.trace
    if trace is None:
        raise ValueError(f"nothing to draw: {verification.reason}")
    figure = Figure(figsize=(9, 6), layout="constrained")
    upper, lower = figure.subplots(2, 1)
    word = "verified" if verification.verified else "not verified"
    figure.suptitle(f"{title}: {word}" if title else word)
    if trace.correlation is None:
        upper.text(0.5, 0.5, "tempo or pitch was changed: no common waveform", ha="center")
        upper.set_axis_off()
    else:
        _correlation(upper, trace.correlation)
    _along(lower, trace)
    return figure


def _correlation(axes: Axes, correlation: Correlation) -> None:
    curve = correlation.curve
    places = (correlation.first_lag + BIN * (np.arange(len(curve)) + 0.5)) / SAMPLE_RATE
    line = correlation.line
    at = (line.place - line.middle * line.step) / SAMPLE_RATE
    axes.plot(places, curve, color=BLUE, linewidth=0.8)
    axes.plot([at], [correlation.z], "o", color=RED, markersize=7, fillstyle="none")
    axes.annotate(
        f"z = {correlation.z:.1f}",
        (at, correlation.z),
        textcoords="offset points",
        xytext=(9, -4),
        color=RED,
    )
    axes.set_ylim(0, 1.1 * max(float(curve.max(initial=0)), correlation.z, 1))
    axes.set_xlabel("start of the stretch in the recording, s")
    axes.set_ylabel("correlation / rms of all lags")


def _along(axes: Axes, trace: Trace) -> None:
    milliseconds = 1e3 * trace.offsets
    axes.axhline(0, color=GREY, linewidth=0.8)
    for agree, colour, label in ((False, GREY, "does not agree alone"), (True, BLUE, "agrees")):
        chosen = trace.agree == agree
        if chosen.any():
            axes.plot(
                trace.times[chosen],
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
