"""How far behind a stretch of one sound the same stretch of another lies, to a fraction of a ms."""

from __future__ import annotations

from samaf.verification.signals import Signal
from samaf.verification.tracking import lag_at

WINDOW = 4.0  # s that are compared
LEAST_HALF, LONG_WINDOW = 2.0, 6.0  # s of windows of which two must agree at the same lag
AGREE_BOTH = 8.0  # z of both
SAME_LAG = 2e-4  # s between their lags; 32,000 lags are looked at


def lag_between(
    one: Signal, other: Signal, place: tuple[float, float], expected: float, least: float
) -> float | None:
    """Measure how far behind a place of a sound another one is where it agrees, in seconds.

    Either a window agrees by itself, or two that share nothing agree at the same lag, as under two
    voices.

    Parameters
    ----------
    place
        Start and stop in the first sound, seconds.
    expected
        Right to 0.3 s.
    least
        The z of a single window; see `samaf.verification.tracking.lag_at`.
    """
    start, stop = place
    half = (stop - start) / 2
    window = min(WINDOW, 2 * half)
    found = _agreement(one, other, start + half, expected, window)
    if found[1] >= least or half < LEAST_HALF:
        return found[0] if found[1] >= least else None
    window = min(half, LONG_WINDOW)
    middles = start + half - window / 2, start + half + window / 2
    before, behind = (_agreement(one, other, m, expected, window) for m in middles)
    if max(before[1], behind[1]) >= least:
        return max(before, behind, key=lambda each: each[1])[0]
    same = abs(before[0] - behind[0]) <= SAME_LAG and min(before[1], behind[1]) >= AGREE_BOTH
    return before[0] if same else None


def _agreement(
    one: Signal, other: Signal, moment: float, expected: float, window: float
) -> tuple[float, float]:
    """Give lag and z of a window, z 0 where either side is silent."""
    found = lag_at(one, other, moment, moment + expected, window)
    return (found[0] - moment, found[1]) if found else (0.0, 0.0)
