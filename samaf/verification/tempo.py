"""The tempo of a clip against a recording, from the signals alone.

Where a search for the clip as it is finds the recording and not the tempo, the windows of the
second statistic show it: those of a clip of another tempo recur along a line of another slope.
"""

from __future__ import annotations

from math import log

import numpy as np

from samaf.records import Manipulation, Match
from samaf.verification.correlation import SampleAlignment
from samaf.verification.signals import SAMPLE_RATE, Signal
from samaf.verification.verify import Placement, PreparedClip
from samaf.verification.windows import (
    LEAST_WINDOWS,
    ClipWindows,
    compare_windows,
    likeness_around,
    offsets_along,
)

CORE = 3.0  # s of the clip that are looked at, around the middle of a place
LARGEST = 2.2  # times as fast or as slow: what players offer, and a little more
STEP = 0.015  # of the log tempo
HOP = 0.05  # s between places of the recording, and between lines
SLACK = 1.0  # s beyond what the clip can reach from its place
# z of the half of the windows that are least alike: at least 6 in right candidates, at most 4.9 in
# wrong ones that share a tick or music (validation split).
LEAST_REST = 6.0
ROUNDS = 2  # of fitting a line through the places of the windows
# Neighboring lines see much of the same, so they count for fewer than they are: by the wrong
# candidates of `python -m benchmarks verification --tempo` 10 would do.
TRIES = 20


def tempo_of(clip: PreparedClip, recording: Signal, place: Match | Placement) -> Placement | None:
    """Find the line along which a clip's windows are most like the recording.

    Parameters
    ----------
    recording
        Prepared, mono, 16 kHz.
    place
        Where some of the clip may lie; its manipulation is not used.

    Returns
    -------
    Up to 3 s of the clip around there, at the best tempo, to be verified with `TRIES`; None where
    the clip holds too little, or only some of it agrees: a tick under both falls in line at some
    tempo.
    """
    middle = (place.query_start + place.query_stop) / 2
    start = max(0.0, middle - CORE / 2)
    stop = min(len(clip.samples) / SAMPLE_RATE, middle + CORE / 2)
    segment = clip.segment(start, middle, stop, 1.0, False)
    windows = segment.windows
    if len(windows.middles) < LEAST_WINDOWS:
        return None
    times = (windows.middles - (segment.anchor - segment.begin)) / SAMPLE_RATE
    there = (place.reference_start + place.reference_stop) / 2
    begin = max(0.0, there - (middle - start) * LARGEST - SLACK)
    end = min(recording.count / SAMPLE_RATE, there + (stop - middle) * LARGEST + SLACK)
    bins = np.arange(begin, end, HOP)
    likeness = likeness_around(windows, recording, bins * SAMPLE_RATE)
    count = round(log(LARGEST) / STEP)
    best, found = -1.0, (1.0, there)
    for tau in np.exp(STEP * np.arange(-count, count + 1)).tolist():
        along = np.rint(times / tau / HOP).astype(int)
        # All windows lie among the bins; the middle need not where half of the clip is a pause.
        centres = np.arange(-int(along.min()), len(bins) - int(along.max()))
        if not len(centres):
            continue
        lines = likeness[np.arange(len(times))[:, None], along[:, None] + centres].mean(axis=0)
        if (highest := float(lines.max())) > best:
            best, found = highest, (tau, begin + HOP * float(centres[lines.argmax()]))
    tau, centre = _fitted(windows, recording, times, *found)
    line = SampleAlignment(segment.anchor - segment.begin, centre * SAMPLE_RATE, 1 / tau)
    if not _rest_agrees(windows, recording, line):
        return None
    reference = [centre + (second - middle) / tau for second in (start, stop)]
    return Placement(start, stop, reference[0], reference[1], Manipulation(tau, 1.0))


def _fitted(
    windows: ClipWindows, recording: Signal, times: np.ndarray, tau: float, centre: float
) -> tuple[float, float]:
    """Lay the line through the places where the windows fit best: time factor and middle, in s."""
    for _ in range(ROUNDS):
        places = centre + times / tau
        offsets, likeness = offsets_along(windows, recording, places * SAMPLE_RATE)
        fits = likeness >= np.median(likeness)
        slope, centre = np.polyfit(times[fits], (places + offsets)[fits], 1).tolist()
        tau = 1 / slope if abs(slope * tau - 1) < 2 * STEP else tau
    return tau, centre


def _rest_agrees(windows: ClipWindows, recording: Signal, line: SampleAlignment) -> bool:
    """Whether the windows agree without the half of them that are most alike."""
    places = line.place + (windows.middles - line.middle) * line.step
    _, likeness = offsets_along(windows, recording, places)
    rest = np.sort(np.argsort(likeness)[: max(LEAST_WINDOWS, len(likeness) // 2)])
    return compare_windows(windows.some(rest), recording, line).z >= LEAST_REST
