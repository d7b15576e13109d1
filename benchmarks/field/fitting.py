"""Fits what a model's card says of the decision: weights of the evidence, scores, ratios.

The weights are those of a logistic regression. The score is a straight line in its log odds, such
that a stated share of the queries whose recording is not stored passes; the likelihood ratio is a
straight line in the score.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.calibration.fitting import bounds, rising
from benchmarks.calibration.validation import cllr
from benchmarks.errors import BenchmarkError
from benchmarks.field.answers import Answer
from benchmarks.field.conditions import CONDITIONS
from benchmarks.field.draws import Draws
from benchmarks.field.logistic import fit
from benchmarks.field.report import for_fits
from samaf.fingerprinters import LikelihoodRatio, ScoreCalibration
from samaf.fingerprinters.card import Decision, Weights
from samaf.matching.calibration import log10_likelihood_ratio
from samaf.matching.evidence import EVIDENCE, score

FOLDS = 5
RATES = (0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)  # that the score's line is fitted to
TELLING = ("ber", "weighted", "margin", "rival", "activity")  # what the regression weighs
EVEN = ("length", "size", "few")
EVEN_RATES = (0.1, 0.03, 0.01)  # at which clips of all lengths are to pass alike
EVEN_WEIGHTS = np.round(np.arange(-6, 4.01, 0.1), 1)  # tried
LEAST_GROUP = 100  # queries of one length in stores of one size
ROUNDS = 3
LEAST_PASSED = 5  # queries at a rate, below which it is not used
KNEE, SLOPE = 3.0, 0.5  # beyond what so many queries can show, half is believed
DIGITS = 4

_BABBLE = {condition.name: condition.babble for condition in CONDITIONS}


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """The candidates of answers as arrays; babble is left out.

    Attributes
    ----------
    evidence
        float (n, k), see ``samaf.matching.evidence``.
    query
        int (n,): position of the answer.
    right
        bool (n,): whether it is the recording that the clip was cut from.
    first
        bool (n,): whether it is the first candidate of its query.
    stored, speakers, seconds, part
        Of the answers, (m,) each.
    """

    evidence: np.ndarray
    query: np.ndarray
    right: np.ndarray
    first: np.ndarray
    stored: np.ndarray
    speakers: np.ndarray
    seconds: np.ndarray
    part: np.ndarray

    def chosen(self, answers: np.ndarray) -> Examples:
        """Keep some answers, bool (m,), with their candidates."""
        place = np.cumsum(answers) - 1
        kept = answers[self.query]
        return Examples(
            *(part[kept] for part in (self.evidence, place[self.query], self.right, self.first)),
            *(part[answers] for part in (self.stored, self.speakers, self.seconds, self.part)),
        )

    def best(self, scores: np.ndarray, candidates: np.ndarray) -> np.ndarray:
        """Give the best score among some candidates of each answer, -inf without any, (m,)."""
        best = np.full(len(self.stored), -np.inf)
        np.maximum.at(best, self.query[candidates], scores[candidates])
        return best


def examples(answers: Sequence[Answer]) -> Examples:
    """Collect the candidates of answers, see `for_fits`.

    Raises
    ------
    BenchmarkError
        There are no queries of either kind.
    """
    made = collected(answers)
    if made.stored.all() or not made.right.any():
        raise BenchmarkError("the answers hold no queries of both kinds; ask some first")
    return made


def collected(answers: Sequence[Answer]) -> Examples:
    """Collect the candidates of answers, of whatever kind.

    Raises
    ------
    BenchmarkError
        There are none.
    """
    used = [a for a in for_fits(answers) if not _BABBLE[a.condition]]
    rows = [
        (n, answer.stored and answer.is_right(c), place == 0, [c[name] for name in EVIDENCE])
        for n, answer in enumerate(used)
        for place, c in enumerate(answer.candidates)
    ]
    stored = np.array([a.stored for a in used], bool)
    if not rows:
        raise BenchmarkError("the answers hold no candidates; ask some first")
    query, right, first, evidence = zip(*rows, strict=True)
    return Examples(
        np.array(evidence, float),
        np.array(query),
        np.array(right, bool),
        np.array(first, bool),
        stored,
        np.array([a.speaker for a in used]),
        np.array([a.seconds for a in used]),
        np.array([a.part for a in used]),
    )


def fitted(data: Examples, calibration: ScoreCalibration) -> ScoreCalibration:
    """Give a calibration with decision and likelihood ratio fitted to examples."""
    stored = data.stored[data.query]
    used = (data.right | (data.first & ~stored)) & (data.part == 0)[data.query]
    telling = [EVIDENCE.index(name) for name in TELLING]
    model = fit(data.evidence[np.ix_(used, telling)], data.right[used])
    decades = model.log_odds(data.evidence[:, telling]) / np.log(10)
    even = _even_weights(data, decades)
    total = decades + data.evidence[:, [EVIDENCE.index(name) for name in even]] @ [*even.values()]
    offset, slope = _line(data.best(total, ~stored)[~data.stored])
    weights = dict(zip(TELLING, model.weights / np.log(10), strict=True)) | even
    decision = Decision(
        round(float(offset + slope * model.intercept / np.log(10)), DIGITS),
        Weights(**{n: round(float(slope * weights.get(n, 0.0)), DIGITS) for n in EVIDENCE}),
        KNEE,
        SLOPE,
        calibration.decision.deep,
        f"{len(set(data.speakers.tolist()))} speakers, {data.stored.sum():,} queries of the field "
        f"benchmark with their recording stored and {(~data.stored).sum():,} without their "
        "collection",
    )
    return with_ratio(data, replace(calibration, decision=decision))


def with_ratio(data: Examples, calibration: ScoreCalibration) -> ScoreCalibration:
    """Give a calibration with the likelihood ratio alone fitted to examples."""
    return replace(calibration, likelihood=_ratio(data, score(data.evidence, calibration)))


def _even_weights(data: Examples, decades: np.ndarray) -> dict[str, float]:
    """Find the weights under which clips of all lengths in stores of all sizes pass alike.

    Decades of the odds for one of `EVEN`, which tell nothing about who is right; 0 for what is the
    same in all groups.
    """
    columns = {name: data.evidence[:, EVIDENCE.index(name)] for name in EVEN}
    candidates = ~data.stored[data.query]
    kinds = set(zip(data.seconds.tolist(), data.part.tolist(), strict=True))
    groups = [(data.seconds == s) & (data.part == p) & ~data.stored for s, p in sorted(kinds)]
    groups = [g for g in groups if g.sum() >= LEAST_GROUP]

    def unevenness(weights: dict[str, float]) -> float:
        total = decades + sum(w * columns[name] for name, w in weights.items())
        best = data.best(total, candidates)
        met = np.array([np.quantile(best[g], 1 - np.array(EVEN_RATES)) for g in groups])
        return float(met.var(axis=0).mean()) if groups else 0.0

    weights = dict.fromkeys(EVEN, 0.0)
    for _ in range(ROUNDS):
        for name in EVEN:
            tries = [{**weights, name: w} for w in EVEN_WEIGHTS.tolist()]
            weights = min(tries, key=lambda each: (round(unevenness(each), 6), abs(each[name])))
    return weights


def _line(best: np.ndarray) -> tuple[float, float]:
    """Find the line in log odds, decades, at which stated rates are met."""
    rates = np.array([r for r in RATES if r * len(best) >= LEAST_PASSED])
    if len(rates) < 2:
        raise BenchmarkError(f"{len(best)} queries that are not stored are too few; ask more")
    met = np.quantile(best, 1 - rates)
    slope, offset = np.polyfit(met, -np.log10(rates), 1)
    return float(offset), float(slope)


def _ratio(data: Examples, scores: np.ndarray) -> LikelihoodRatio:
    """Fit the likelihood ratio; a recording that is missed leaves the best false match."""
    best = data.best(scores, np.ones(len(scores), bool))
    least = best[np.isfinite(best)].min()
    best = np.maximum(best, least)
    whole = data.part == 0
    true, false = best[data.stored & whole], best[~data.stored & whole]
    offset, slope, floor = rising(true, false)
    one, two = (np.maximum(floor, offset + slope * s) for s in (true, false))
    sides = data.stored & whole, ~data.stored & whole
    voices = [len(set(data.speakers[side].tolist())) for side in sides]
    lowest, highest = bounds(one, two, *voices)
    return LikelihoodRatio(
        round(offset, DIGITS),
        round(slope, DIGITS),
        round(max(lowest, floor), 2),
        round(highest, 2),
        f"{voices[0]} speakers; true: {len(true):,} queries of the field benchmark whose recording "
        f"is stored; false: {len(false):,} without it",
    )


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Answers with scores of calibrations that were fitted to other speakers, float (m,) each.

    Attributes
    ----------
    said
        Of the right candidate; -inf where there is none, or the recording is not stored.
    wrong
        Of the best other candidate.
    ratio
        log10 likelihood ratio of the best candidate.
    """

    said: np.ndarray
    wrong: np.ndarray
    ratio: np.ndarray


def folds(data: Examples) -> np.ndarray:
    """Deal the speakers: the fold of each answer, int (m,)."""
    names = sorted(set(data.speakers.tolist()))
    Draws("folds").rng.shuffle(names)
    dealt = {name: n % FOLDS for n, name in enumerate(names)}
    return np.array([dealt[name] for name in data.speakers.tolist()])


Fit = Callable[[Examples, ScoreCalibration], ScoreCalibration]


def cross_validated(data: Examples, calibration: ScoreCalibration, fitted: Fit = fitted) -> Judged:
    """Judge each fold of speakers by what was fitted to the others."""
    fold = folds(data)
    scores = np.empty(len(data.query))
    ratio = np.empty(len(fold))
    for number in range(FOLDS):
        made = fitted(data.chosen(fold != number), calibration)
        here = fold[data.query] == number
        scores[here] = score(data.evidence[here], made)
        best = data.best(scores, here)[fold == number]
        ratio[fold == number] = log10_likelihood_ratio(best, made)
    return Judged(data.best(scores, data.right), data.best(scores, ~data.right), ratio)


def checked(data: Examples, calibration: ScoreCalibration, fitted: Fit = fitted) -> str:
    """Show a fit and, cross-validated by speaker, what it is worth, as Markdown."""
    seen = cross_validated(data, calibration, fitted)
    decision, ratio = calibration.decision, calibration.likelihood
    lines = [
        f"score = {decision.intercept:g}"
        + "".join(f" {getattr(decision.weights, n):+g} {n}" for n in EVIDENCE)
        + f"; above {decision.knee:g} it grows {decision.slope:g} times as much",
        f"log10 LR = {ratio.offset:g} {ratio.slope:+g} score, from {ratio.lowest:g} to "
        f"{ratio.highest:g}",
        "",
        f"{len(set(data.speakers.tolist()))} speakers in {FOLDS} folds; shares in %",
        "",
        "| queries | n | pass at 0.1 | at 0.01 | at 0.001 | right said at 0.001 | wrong said |",
        "| --- |" + " ---: |" * 6,
    ]
    groups = {"all": data.part == 0}
    for seconds in sorted(set(data.seconds.tolist())):
        groups[f"{seconds:g} s"] = groups["all"] & (data.seconds == seconds)
    for part in sorted(set(data.part.tolist()) - {0}):
        groups[f"of {part + 1} recordings"] = data.part == part
    for name, chosen in groups.items():
        absent, stored = chosen & ~data.stored, chosen & data.stored
        passed = [f"{100 * (seen.wrong[absent] >= t).mean():.3f}" for t in (1, 2, 3)]
        right = f"{100 * (seen.said[stored] >= 3).mean():.1f}"
        misled = (seen.wrong >= 3) & (seen.wrong > seen.said)
        wrong = f"{100 * misled[stored].mean():.3f}"
        cells = [name, f"{absent.sum():,}", *passed, right, wrong]
        lines.append("| " + " | ".join(cells) + " |")
    whole = data.part == 0
    cost = cllr(seen.ratio[data.stored & whole], seen.ratio[~data.stored & whole])
    return "\n".join([*lines, "", f"Cllr {cost:.3f} bits"])
