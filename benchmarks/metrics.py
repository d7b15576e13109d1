"""Figures of merit, as pure functions of arrays.

Windows of one clip overlap and share its voice, so they are not independent: every
interval is a bootstrap over clips.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

DRAWS = 2_000
CONFIDENCE = 0.95
SEED = 20_260_101
OFFSET_TOLERANCE = 0.25  # s


@dataclass(frozen=True, slots=True)
class Estimate:
    """A proportion with its 95 % interval.

    Attributes
    ----------
    value, low, high
        In 0..1; nan without queries.
    queries, clips
        What it rests on.
    """

    value: float
    low: float
    high: float
    queries: int
    clips: int


UNMEASURED = Estimate(np.nan, np.nan, np.nan, 0, 0)


def proportion(right: np.ndarray, total: np.ndarray) -> Estimate:
    """Estimate the share of right answers.

    Parameters
    ----------
    right
        float (clips,): right answers of each clip; ties may count by parts.
    total
        int (clips,): queries of each clip. Clips without queries are left out.

    >>> proportion(np.array([3.0, 1.0]), np.array([4, 4])).value
    0.5
    """
    return mean_of_groups(np.atleast_2d(right), np.atleast_2d(total))


def mean_of_groups(right: np.ndarray, total: np.ndarray) -> Estimate:
    """Estimate the plain mean of the shares of several groups over the same clips.

    The bootstrap draws clips, each with all its groups (transformations), because what is hard
    in one tends to be hard in others.

    Parameters
    ----------
    right, total
        float and int (groups, clips); see ``proportion``. Groups without queries are left out.
    """
    queried = total.sum(axis=1) > 0
    right, total = right[queried], total[queried]
    used = total.sum(axis=0) > 0
    right, total = right[:, used].astype(float), total[:, used].astype(float)
    clips = int(used.sum())
    if not clips:
        return UNMEASURED
    value = float(np.mean(right.sum(axis=1) / total.sum(axis=1)))
    weights = np.random.default_rng(SEED).multinomial(clips, np.full(clips, 1 / clips), DRAWS)
    drawn_total = weights @ total.T
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = np.nanmean(weights @ right.T / drawn_total, axis=1)
    low, high = np.nanquantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Estimate(value, float(low), float(high), int(total.sum()), clips)


def offset_right(offset: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Tell which offsets lie within 0.25 s of the truth, bool (n,); nan never does."""
    with np.errstate(invalid="ignore"):
        # A hair of slack: offsets and truths are multiples of 0.25 s in float32.
        return np.abs(np.asarray(offset, float) - truth) <= OFFSET_TOLERANCE + 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """How well a threshold on the score keeps out what is not stored.

    Attributes
    ----------
    thresholds
        float (n,), descending.
    false_positive
        float (n,): share of the impostors (clips that are not stored) that get an answer
        at or above the threshold.
    missed
        float (n,): share of the genuine queries that do not get the right answer at or
        above it.
    """

    thresholds: np.ndarray
    false_positive: np.ndarray
    missed: np.ndarray

    @property
    def equal_error_rate(self) -> float:
        """The rate at which as many impostors pass as genuine queries are missed.

        nan when they never meet, as for a system that misses many at any threshold.
        """
        below = np.flatnonzero(self.false_positive >= self.missed)
        if not len(below):
            return float("nan")
        i = int(below[0])
        if i == 0:
            return float((self.false_positive[0] + self.missed[0]) / 2)
        gap = self.missed - self.false_positive
        part = gap[i - 1] / (gap[i - 1] - gap[i])
        return float(self.missed[i - 1] + part * (self.missed[i] - self.missed[i - 1]))


def detection(right: np.ndarray, score: np.ndarray, impostor: np.ndarray) -> Detection:
    """Sweep the threshold over all scores.

    Parameters
    ----------
    right
        float (g,), 0..1: how right the answer to each genuine query is.
    score
        float (g,): its score; -inf without answer.
    impostor
        float (i,): best score of each query whose recording is not stored; -inf without
        answer.
    """
    scores = np.concatenate([score, impostor])
    thresholds = np.unique(scores[np.isfinite(scores)])[::-1]
    thresholds = np.concatenate([[np.inf], thresholds])
    order = np.argsort(-score, kind="stable")
    gained = np.concatenate([[0.0], np.cumsum(right[order])])
    answered = np.searchsorted(-score[order], -thresholds, side="right")
    passed = np.searchsorted(np.sort(-impostor), -thresholds, side="right")
    return Detection(
        thresholds,
        passed / max(len(impostor), 1),
        1 - gained[answered] / max(len(score), 1),
    )


def threshold_at(curve: Detection, rate: float, impostors: int) -> float:
    """Give the lowest threshold that lets no more than a share of the impostors pass.

    nan when there are fewer than 1 / ``rate`` impostors: too few to estimate it.
    """
    if impostors * rate < 1:
        return float("nan")
    return float(curve.thresholds[np.flatnonzero(curve.false_positive <= rate)[-1]])


@dataclass(frozen=True, slots=True)
class Separation:
    """Bit error rates of true pairs and of impostors.

    ``overlap`` is the area that the two histograms share, 0 when a threshold separates
    them wholly and 1 when they are the same.
    """

    true_mean: float
    true_deviation: float
    impostor_mean: float
    impostor_deviation: float
    overlap: float
    pairs: int


def separation(true: np.ndarray, impostor: np.ndarray, bits: int) -> Separation:
    """Compare distances of hashes that belong together with those that do not.

    Parameters
    ----------
    true, impostor
        int (n,), Hamming distances in bits.
    bits
        Of a hash.
    """
    if not len(true) or not len(impostor):
        return Separation(np.nan, np.nan, np.nan, np.nan, np.nan, len(true))
    shares = [np.bincount(d, minlength=bits + 1) / len(d) for d in (true, impostor)]
    return Separation(
        float(true.mean() / bits),
        float(true.std() / bits),
        float(impostor.mean() / bits),
        float(impostor.std() / bits),
        float(np.minimum(*shares).sum()),
        len(true),
    )
