"""Numbers for the model card, from trials: what chance gives, and what a score is worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from benchmarks.calibration.trials import Trial, candidates, expected, own_scores, scores
from samaf.fingerprinters import LikelihoodRatio, ScoreCalibration
from samaf.matching.calibration import bent, log10_tail, mean_deviation

LAGS = 8
PAIRS = 6_000  # of unrelated segments
STRETCH = 24  # hashes
RATES = np.geomspace(0.03, 0.4, 16)  # impostor rates that the line is fitted to
LINES = (  # tried for slope, knee and overlap
    np.arange(0.15, 1.01, 0.05),
    np.arange(-12.0, 0.1, 0.5),
    np.arange(0.0, 1.21, 0.1),
)
ROUNDS = 3
SUSPECT = 2.5  # score under the line from which the text is taken to be the same
LONG = 8  # hashes from which a suspect tells how alike hashes of the same text are
TELLING = 13  # hashes of clips from which the same text shows; in shorter ones chance hides them
SHARES = np.geomspace(1e-5, 0.1, 61)  # tried for the share of same-text impostors
LOW_RATES = 10 ** -np.linspace(1.5, 3, 7)  # impostor rates that the share is fitted to
DEEP_FACTORS = np.geomspace(1, 30, 35)  # tried for what deep queries find more of the same text
EVEN_SCORES = np.arange(-1.0, 4.0, 0.1)  # tried for the score that tells nothing
LR_SLOPES = np.arange(0.1, 2.0, 0.05)  # tried, decades of the ratio a decade of the rate
FLOORS = np.arange(-2.0, 0.01, 0.1)  # tried for the log10 ratio of low scores
FARTHEST = 9.0  # log10 ratio that a fit may give before it is bounded


def unrelated(references: Sequence[np.ndarray], rng: np.random.Generator) -> ScoreCalibration:
    """Measure error rates between hashes of different recordings, along diagonals."""
    long = [h for h in references if len(h) >= STRETCH]
    table = np.empty((PAIRS, STRETCH))
    for row in table:
        a, b = rng.choice(len(long), 2, replace=False)
        i = rng.integers(len(long[a]) - STRETCH + 1)
        j = rng.integers(len(long[b]) - STRETCH + 1)
        differing = np.bitwise_count(long[a][i : i + STRETCH] ^ long[b][j : j + STRETCH])
        row[:] = differing.mean(axis=1) / 8
    mean, deviation = float(table.mean()), float(table.std())
    centred = (table - mean) / deviation
    products = ((centred[:, lag:] * centred[:, :-lag]).mean() for lag in range(1, LAGS + 1))
    return ScoreCalibration(
        round(mean, 5), round(deviation, 5), tuple(round(float(p), 4) for p in products)
    )


def fit(trials: Sequence[Trial], plain: ScoreCalibration) -> ScoreCalibration:
    """Find the line and the share of same-text impostors under which stated rates are met.

    A query with E expected false candidates has one with probability 1 - exp(-E). The line
    is fitted where unrelated speech dominates, to queries of each length alike; what then
    stays far below it is taken for the same text in another voice. Their share is fitted to
    the long clips, which show them.
    """
    line = _line(trials, plain)
    trials = [t for t in trials if not t.small]
    rates, hashes, comparisons = candidates(trials)
    suspect = scores(trials, line) > SUSPECT
    alike = rates[:, 0][suspect & (hashes[:, 0] >= LONG)]
    if len(alike) < 2:
        return line
    around = replace(
        line,
        same_text_mean=round(float(alike.mean()), 4),
        same_text_deviation=round(float(alike.std()), 4),
        same_text_comparisons=float(round(np.mean([t.comparisons for t in trials]))),
    )
    chance = 10 ** expected(rates, hashes, comparisons, around)
    # An offset this low leaves nothing but the same text.
    only = replace(around, same_text=1.0, offset=-300.0)
    words = 10 ** expected(rates, hashes, comparisons, only)
    long = np.array([t.length >= TELLING for t in trials])
    best = min(SHARES, key=lambda share: _misfit((chance + share * words).min(axis=1)[long]))
    return replace(around, same_text=round(float(best), 6))


def deep_same_text(
    expected: Callable[[ScoreCalibration], np.ndarray], calibration: ScoreCalibration
) -> ScoreCalibration:
    """Find how much more of the same text deep queries meet.

    Deep queries are few, so they cannot tell a middle value: the least factor is taken under
    which at no low rate more pass than stated, but for one.

    Parameters
    ----------
    expected
        Gives the false matches to expect as good as each query's best one.
    """
    for factor in DEEP_FACTORS.tolist():
        tried = replace(calibration, deep_same_text=round(factor, 2))
        best = expected(tried)
        if all((best <= rate).sum() <= max(1.0, len(best) * rate) for rate in LOW_RATES):
            break
    return tried


def _line(trials: Sequence[Trial], plain: ScoreCalibration) -> ScoreCalibration:
    """Fit slope, knee, overlap and offset, one after the other until they stay."""
    rates, hashes, comparisons = candidates(trials)
    tail = log10_tail((plain.mean - rates) / mean_deviation(hashes, plain))
    shared = 1 - 1 / hashes
    tried = np.log10(comparisons)
    kinds = np.array([(t.length, t.small) for t in trials])
    groups = [np.flatnonzero((kinds == group).all(axis=1)) for group in np.unique(kinds, axis=0)]
    wanted = np.log10(-np.log1p(-RATES))

    def errors(slope: float, knee: float, overlap: float) -> np.ndarray:
        best = (bent(tail - knee, slope) - overlap * shared + tried).min(axis=1)
        return np.array([wanted - np.quantile(best[g], RATES) for g in groups])

    at = [float(np.median(grid)) for grid in LINES]
    for _ in range(ROUNDS):
        for n, grid in enumerate(LINES):
            tries = [[*at[:n], float(value), *at[n + 1 :]] for value in grid]
            at = min(tries, key=lambda values: float(errors(*values).var()))
    slope, knee, overlap = (round(value, 4) for value in at)
    offset = round(float(errors(slope, knee, overlap).mean()), 4)
    return replace(plain, offset=offset, slope=slope, knee=knee, overlap=overlap)


def _misfit(best: np.ndarray) -> float:
    """Compare low stated rates with those met, in squared decades, each query counting.

    ``best`` holds the false matches to expect as good as each query's best one.
    """
    passed = np.array([(best <= rate).sum() for rate in LOW_RATES])
    wanted = len(best) * LOW_RATES
    return float((wanted * np.log10(np.maximum(passed, 0.5) / wanted) ** 2).sum())


def likelihood(trials: Sequence[Trial], calibration: ScoreCalibration) -> LikelihoodRatio:
    """Fit likelihood ratios to scores, both sides weighing the same.

    The bounds are empirical ones (Vergeer et al. 2016): beyond them, one more query of
    either side with a ratio as misleading as can be would make deciding by the ratio cost
    more than deciding without any. Excerpts of one voice are not independent, so the one
    more query weighs as much as all of one voice.
    """
    true = own_scores([t for t in trials if t.genuine], calibration)
    false = scores(trials, calibration)
    offset, slope, floor = rising(true, false)
    voices = len({t.voice for t in trials})
    true_voices = len({t.voice for t in trials if t.genuine})
    one, two = (np.maximum(floor, offset + slope * s) for s in (true, false))
    lowest, highest = bounds(one, two, true_voices, voices)
    lowest = max(lowest, floor)
    return LikelihoodRatio(round(offset, 4), round(slope, 4), round(lowest, 2), round(highest, 2))


def rising(true: np.ndarray, false: np.ndarray) -> tuple[float, float, float]:
    """Fit log10 ratio = max(floor, offset + slope x score): what costs least (see ``cllr``).

    A recording that is missed leaves the best false match as the answer, so low scores are
    as frequent on either side, but for a factor: the floor.
    """
    edges = np.arange(-8.0, 20.0, 0.1)
    ends = edges[0], edges[-1]
    middles = (edges[1:] + edges[:-1]) / 2
    weights = [np.histogram(np.clip(s, *ends), edges)[0] / len(s) for s in (true, false)]
    at, slope = (a.ravel()[:, None] for a in np.meshgrid(EVEN_SCORES, LR_SLOPES))
    line = np.minimum(slope * (middles - at), FARTHEST)
    costs = [np.log2(1 + 10 ** (sign * line)) for sign in (-1, 1)]  # of true and of false ones
    best = (np.inf, 0.0, 0.0, 0.0)
    for floor in FLOORS.tolist():
        least = (np.log2(1 + 10 ** (sign * np.full(1, floor))) for sign in (-1, 1))
        floored = (np.where(line < floor, *pair) for pair in zip(least, costs, strict=True))
        cost = sum(c @ w for c, w in zip(floored, weights, strict=True))
        n = int(cost.argmin())
        best = min(
            best, (float(cost[n]), float(-slope[n, 0] * at[n, 0]), float(slope[n, 0]), floor)
        )
    return best[1:]


def bounds(
    true: np.ndarray, false: np.ndarray, true_voices: int, voices: int
) -> tuple[float, float]:
    """Give the least and the largest log10 likelihood ratio that the data support.

    Parameters
    ----------
    true, false
        log10 likelihood ratios of true and of false matches.
    true_voices, voices
        How many independent queries either rests on.
    """
    steps = np.arange(0, 6, 0.01)
    missed = np.array([(true < s).mean() for s in steps])
    passed = np.array([(false >= s).mean() for s in steps])
    high = missed + 10**steps * (passed + 1 / (voices + 1)) <= 1
    missed = np.array([(true < -s).mean() for s in steps])
    passed = np.array([(false >= -s).mean() for s in steps])
    low = passed + 10**steps * (missed + 1 / (true_voices + 1)) <= 1
    return -_reach(low, steps), _reach(high, steps)


def _reach(worth: np.ndarray, steps: np.ndarray) -> float:
    """Give the last step up to which all but the first, where nothing is decided, are worth it."""
    worse = np.flatnonzero(~worth[1:])
    return float(steps[worse[0]]) if len(worse) else float(steps[-1])
