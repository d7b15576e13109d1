"""Where two places of one sound begin and end to agree, to a tenth of a second."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samaf.verification.agreement import WINDOW as AGREEMENT_WINDOW
from samaf.verification.agreement import along
from samaf.verification.correlation import SampleAlignment
from samaf.verification.signals import SAMPLE_RATE, Samples, Signal, cut
from samaf.verification.tracking import SILENT

AROUND = 2.0  # s on either side of a border that are looked at
MOST_OFF = 0.9  # s that a border may be off; where more agrees, it goes on as something else
# A window of 0.25 s agrees as soon as a third of it does.
EARLY = (0.5 - 1 / 3) * AGREEMENT_WINDOW / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Boundaries:
    """Start and stop in the first of two signals, in seconds; nan where it cannot be said."""

    start: float
    stop: float


def boundaries(first: Signal, second: Signal, start: float, stop: float, lag: float) -> Boundaries:
    """Find where a stretch begins and ends to agree with the one ``lag`` seconds behind it.

    Parameters
    ----------
    start, stop
        Of the stretch in the first signal, seconds, about.
    lag
        Right to 2 ms.
    """
    return Boundaries(
        _edge(first, second, start, lag, True), _edge(first, second, stop, lag, False)
    )


def _edge(first: Signal, second: Signal, edge: float, lag: float, rising: bool) -> float:
    """Find where agreement begins, or ends, around an edge."""
    begin = max(0, round((edge - AROUND) * SAMPLE_RATE))
    count = min(round(2 * AROUND * SAMPLE_RATE), first.count - begin)
    shift = round(lag * SAMPLE_RATE)
    clip, other = cut(first, begin, count), cut(second, begin + shift, count)
    loud, loud_there = np.abs(clip).max(initial=0), np.abs(other).max(initial=0)
    if min(loud, loud_there) < SILENT:
        return float("nan")
    line = SampleAlignment(0.0, lag * SAMPLE_RATE - shift, 1.0)
    found = along(clip / loud, Samples(other / loud_there), line)
    moments = (begin + found.middles) / SAMPLE_RATE
    inside = moments >= edge if rising else moments < edge
    sign = 1 if rising else -1
    # The border that most windows fit: those on its inner side agree, the others do not.
    gains = np.where(found.agree, 1.0, -1.0)
    sums = np.concatenate([[0.0], np.cumsum(gains)])
    scores = sums[-1] - 2 * sums if rising else 2 * sums - sums[-1]
    best = int(scores.argmax())
    if not inside.any() or scores[best] <= 0:
        return float("nan")
    at = min(best, len(moments) - 1) if rising else max(best - 1, 0)
    border = float(moments[at]) + sign * EARLY
    return border if abs(border - edge) <= MOST_OFF else float("nan")
