"""From distances to the expected number of false matches.

Unrelated hashes differ in half of their bits, give or take. The mean error rate of L
hashes on one diagonal is then about normal; its deviation shrinks with L, more slowly
than for independent hashes because neighbors share three quarters of their audio. The
probability of an error rate at least this low, times the number of comparisons, is the
expected number of false matches (the E-value of sequence search). Real tails are heavier
than normal ones, so the card of a model carries a straight line fitted to impostor
queries that corrects the logarithm.

A second kind of false match is a same-text impostor: another voice that says the same text.
Such segments agree far better than chance, however long they are, so the distribution of their
error rates bounds the score of any match. A long clip has more words that somebody else may say
than a short one, and a large store holds more of them: they grow with the comparisons.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from samaf.fingerprinters import Fingerprinter, ScoreCalibration

_LOG10_E = float(np.log10(np.e))
_BER_GRID = np.linspace(0.0, 0.5, 126)


def log10_tail(z: np.ndarray) -> np.ndarray:
    """Give log10 of the upper tail of the standard normal distribution.

    Good to 0.002 for all z, also where the tail itself underflows: Mills' ratio as the
    continued fraction of Laplace for z >= 1, a rational approximation of erfc below
    (Abramowitz and Stegun 7.1.26).
    """
    z = np.asarray(z, np.float64)
    high = np.maximum(z, 1.0)
    ratio = high
    for term in range(40, 0, -1):
        ratio = high + term / ratio
    far = -(high**2) / 2 - np.log(np.sqrt(2 * np.pi) * ratio)
    t = 1 / (1 + 0.3275911 * np.abs(z) / np.sqrt(2))
    poly = t * (
        0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))
    )
    small = 0.5 * poly * np.exp(-(z**2) / 2)
    near = np.log(np.where(z < 0, 1 - small, np.maximum(small, 1e-300)))
    return np.where(z >= 1, far, near) * _LOG10_E


def mean_deviation(hashes: np.ndarray, calibration: ScoreCalibration) -> np.ndarray:
    """Give the deviation of the mean error rate of ``hashes`` neighbors, as given."""
    count = np.maximum(np.asarray(hashes, np.float64), 1)
    inflation = np.ones_like(count)
    for lag, rho in enumerate(calibration.correlation, 1):
        inflation += 2 * rho * np.maximum(1 - lag / count, 0)
    return calibration.deviation * np.sqrt(inflation / count)


def log10_evalue(
    ber: np.ndarray,
    hashes: np.ndarray,
    comparisons: float | np.ndarray,
    calibration: ScoreCalibration,
) -> np.ndarray:
    """Give log10 of the expected number of false matches at least this good, of either kind.

    Parameters are those of `log10_chance`.
    """
    unrelated = log10_chance(ber, hashes, comparisons, calibration)
    alike = log10_same_text(ber, hashes, comparisons, calibration)
    return np.asarray(np.logaddexp(unrelated / _LOG10_E, alike / _LOG10_E) * _LOG10_E)


def log10_chance(
    ber: np.ndarray,
    hashes: np.ndarray,
    comparisons: float | np.ndarray,
    calibration: ScoreCalibration,
) -> np.ndarray:
    """Give log10 of the expected number of segments of other speech at least this good.

    Parameters
    ----------
    ber
        Mean bit error rate over the segment.
    hashes
        Hashes in the segment.
    comparisons
        Comparisons made: hashes of the store x hashes of the query x hypotheses.
    """
    spread = mean_deviation(hashes, calibration)
    ber = np.asarray(ber)
    # Longer segments share hashes with their neighbors: fewer of them are independent.
    shared = calibration.overlap * (1 - 1 / np.maximum(hashes, 1))
    tail = log10_tail((calibration.mean - ber) / spread)
    chance = calibration.offset - shared + bent(tail - calibration.knee, calibration.slope)
    return np.asarray(np.minimum(chance, 0.0) + np.log10(np.maximum(comparisons, 1.0)))


def chance_ber(
    hashes: np.ndarray, comparisons: np.ndarray, calibration: ScoreCalibration
) -> np.ndarray:
    """Give the bit error rate that chance is expected to reach once, float (n,).

    Parameters
    ----------
    hashes, comparisons
        As for `log10_chance`, (n,) each.
    """
    kinds, which = np.unique(np.stack([hashes, comparisons]), axis=1, return_inverse=True)
    lengths, compared = kinds[:, :, None]
    expected = log10_chance(_BER_GRID, lengths, compared, calibration)
    # It grows with the rate.
    rates = np.array([np.interp(0.0, each, _BER_GRID) for each in expected])
    return rates[which.ravel()]


def log10_same_text(
    ber: np.ndarray,
    hashes: np.ndarray,
    comparisons: float | np.ndarray,
    calibration: ScoreCalibration,
) -> np.ndarray:
    """Give log10 of the expected number of readings of the same text at least this good.

    Parameters are those of `log10_chance`. -inf where the card knows nothing of them.
    """
    if not calibration.same_text:
        return np.full(np.shape(ber), -np.inf)
    around = np.hypot(calibration.same_text_deviation, mean_deviation(hashes, calibration))
    tail = log10_tail((calibration.same_text_mean - np.asarray(ber)) / around)
    share = np.log10(calibration.same_text / calibration.same_text_comparisons)
    return np.asarray(share + tail + np.log10(np.maximum(comparisons, 1.0)))


def for_deep(calibration: ScoreCalibration) -> ScoreCalibration:
    """Give the calibration for deep queries.

    They meet same-text impostors at other tempos too, and more that is alike by chance.
    """
    decision = calibration.decision
    return replace(
        calibration,
        same_text=calibration.same_text * calibration.deep_same_text,
        decision=replace(decision, intercept=decision.intercept - decision.deep),
    )


def bent(beyond: np.ndarray, slope: float) -> np.ndarray:
    """Bend a line at 0: slope 1 above, ``slope``, at most 1, below."""
    return np.maximum(beyond, slope * beyond)


def log10_likelihood_ratio(score: float | np.ndarray, calibration: ScoreCalibration) -> np.ndarray:
    """Give log10 of how many times as often a true match gets a score as a false one.

    H1: the clip comes from this recording at this place. H2: the clip comes from no
    recording in the store, and this is the search's best match. Linear in the score
    between the bounds that the calibration supports.
    """
    ratio = calibration.likelihood
    return np.clip(ratio.offset + ratio.slope * np.asarray(score), ratio.lowest, ratio.highest)


def calibration_of(fingerprinter: Fingerprinter) -> ScoreCalibration:
    """Give a model's score calibration; log a warning, once per model, where it was not fitted."""
    calibration = fingerprinter.card.calibration
    if not calibration.calibrated:
        _warn(fingerprinter.path)
    return calibration


@cache
def _warn(model: Path) -> None:
    logging.getLogger("samaf").warning(
        "%s is not calibrated: its scores and numbers of false matches are guesses; "
        "fit them with `python -m benchmarks calibration %s --write`",
        model.stem,
        model,
    )
