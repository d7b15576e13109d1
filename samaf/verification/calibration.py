"""From the two statistics to a probability, a likelihood ratio and a decision.

The statistic of a wrong candidate is the largest of many noise values, so its upper tail
falls off as that of an extreme-value distribution: P(Z > z) = exp(-(z - start) / scale).
The better of the two statistics counts, and is charged a factor of 2 for the choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan, log10


@dataclass(frozen=True, slots=True)
class Tail:
    """Upper tail of a statistic over wrong candidates; both numbers in units of z."""

    start: float
    scale: float

    def score(self, z: float) -> float:
        """Give -log10 of the probability that a wrong candidate reaches z; 0 for nan.

        >>> round(Tail(2.0, 0.5).score(2 + 0.5 * 4 * 2.302585), 3)
        4.0
        """
        return 0.0 if isnan(z) else max(0.0, (z - self.start) / self.scale * LOG10_E)


LOG10_E = 0.4342944819
DECISION = 4.0  # verified: at most 1 in 10^4 wrong candidates

# `python -m benchmarks verification --fit` gives the numbers to put here, rounded up.
FITTED_ON = "10,544 wrong candidates of 1 to 6 s, cut from 24 clips of the validation split"
WAVEFORM = {False: Tail(3.9, 0.55), True: Tail(4.3, 0.55)}  # by whether the clip was altered
WINDOWS = {False: Tail(0.5, 0.95), True: Tail(0.9, 0.9)}
LR_OFFSET, LR_SLOPE = -2.51, 1.21
LR_LIMIT = 4.0  # log10 of the wrong candidates


def score_of(z_waveform: float, z_windows: float, altered: bool, tries: int = 1) -> float:
    """Give -log10 of the probability that a wrong candidate agrees at least so well.

    Parameters
    ----------
    z_waveform, z_windows
        The two statistics; nan where one does not apply.
    altered
        Whether the clip was sped up, slowed down or shifted in pitch: more is searched then.
    tries
        Alterations of which the best is taken.
    """
    best = max(WAVEFORM[altered].score(z_waveform), WINDOWS[altered].score(z_windows))
    return max(0.0, best - log10(2 * tries))


def log10_lr_of(score: float) -> float:
    """Give log10 of how many times as often true candidates get a score as wrong ones.

    0 at the least: what keeps no waveform, as a vocoder, is no evidence against. Never above
    what the wrong candidates that it was fitted on support.
    """
    return min(max(LR_OFFSET + LR_SLOPE * score, 0.0), LR_LIMIT)
