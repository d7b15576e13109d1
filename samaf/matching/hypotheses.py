"""What may have been done to a clip: the manipulations that a deep query tries.

A clip changed in tempo by tau and in frequency by rho is hashed as if it had not been
(see ``samaf.features``). Speed s means tau = 1/s and rho = s, tempo s means tau = 1/s,
pitch p means rho = p.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samaf.records import IDENTITY, Manipulation

STEP = 0.1  # of log factor; the encoder bridges half of it on either side
LARGEST = 2.0  # factors from 1/2 to 2
IDENTITY_PRIOR = 0.5  # share of the false-positive rate that the clip as it is may use
REVERSED_PRIOR = 0.05  # that the clip backwards, else as it is, may use


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A manipulation and the share of the false-positive rate that it may use.

    ``origin`` is where the first hash starts, in hops of the clip as it is hashed: below 0
    where it hangs over the clip's start.
    """

    manipulation: Manipulation
    prior: float
    origin: float = 0.0


PLAIN = Hypothesis(IDENTITY, 1.0)


def factors(step: float = STEP) -> np.ndarray:
    """Give the geometric grid between 1/2 and 2 without 1, ascending."""
    count = int(np.ceil(np.log(LARGEST) / step))
    grid = np.exp(np.linspace(-np.log(LARGEST), np.log(LARGEST), 2 * count + 1))
    return np.delete(grid, count)


def deep(exhaustive: bool = False) -> tuple[Hypothesis, ...]:
    """List identity, reverse, and the grid of speed, tempo and pitch.

    With ``exhaustive`` also reversed speed, and tempo and pitch at once.
    """
    tried = []
    for f in factors().tolist():
        tried += [Manipulation(1 / f, f), Manipulation(1 / f, 1.0), Manipulation(1.0, f)]
    if exhaustive:
        wide = factors(1.4 * STEP).tolist()
        tried += [Manipulation(1 / f, f, True) for f in factors().tolist()]
        tried += [Manipulation(1 / f, g) for f in wide for g in wide if abs(np.log(f / g)) > STEP]
    share = (1 - IDENTITY_PRIOR - REVERSED_PRIOR) / len(tried)
    return (
        Hypothesis(IDENTITY, IDENTITY_PRIOR),
        Hypothesis(Manipulation(reversed=True), REVERSED_PRIOR),
        *(Hypothesis(m, share) for m in tried),
    )
