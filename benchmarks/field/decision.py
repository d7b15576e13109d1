"""What each kind of evidence gives to the decision: an ablation, cross-validated by speaker.

Every query offers its best candidates, see `for_fits`. A logistic regression of their evidence
says how far each is to be believed; the best is the answer. One threshold for all lengths and
conditions is set where a stated share of the queries whose recording is not stored passes. Both
the ratio and the threshold's impostors come from folds whose speakers the regression never saw.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.calibration.validation import cllr
from benchmarks.field.answers import Answer
from benchmarks.field.conditions import CONDITIONS
from benchmarks.field.draws import Draws
from benchmarks.field.logistic import fit
from benchmarks.field.report import for_fits

FOLDS = 5
PASSING = (0.002, 0.001)  # shares of impostors that set thresholds
ENOUGH_HASHES = 13  # 4 s: a longer clip need not be covered by one match
UNKNOWN_LAG_MS = 40.0  # what a lag counts as that too few hashes tell: between right and wrong

Candidate = Mapping[str, Any]
Feature = Callable[[Candidate], float]


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


# Groups of features in the order in which they join.
GROUPS: dict[str, tuple[Feature, ...]] = {
    "E-value against other speech": (lambda c: c["ber"],),
    "weighted BER": (lambda c: c["weighted"],),
    "margin": (lambda c: c["margin"],),
    "rival": (lambda c: c["rival"],),
    "activity": (lambda c: c["activity"],),
}
# Tried with all of these, and not taken.
MORE: dict[str, tuple[Feature, ...]] = {
    "coverage": (lambda c: min(1.0, c["hashes"] / min(10 ** c["length"], ENOUGH_HASHES)),),
    "cohort of stored windows": (
        lambda c: (c["cohort_mean"] - c["bit_error_rate"]) / max(c["cohort_deviation"], 1e-3),
        lambda c: c["cohort_best"] - c["bit_error_rate"],
    ),
    "cohort of the reference": (lambda c: c["reference_cohort_best"] - c["bit_error_rate"],),
    "straightness": (
        lambda c: -float(np.log(_or(c["lag_ms"], UNKNOWN_LAG_MS) + 5)),
        lambda c: float(c["lag_ms"] is None),
    ),
    "spread, drift": (
        lambda c: c["spread"],
        lambda c: c["worst"],
        lambda c: min(c["drift"], 0.2),
    ),
    "change from hash to hash, reliability": (
        lambda c: c["reliability"],
        lambda c: _or(c["query_activity"], 0.4),
        lambda c: _or(c["reference_activity"], 0.4),
    ),
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a decision makes of the answers.

    Attributes
    ----------
    said
        By passing share, then by length: share of right answers said, mean over conditions.
    cost
        Cllr of the cross-validated ratios.
    wrong
        By passing share: share of stored queries that a wrong recording is said of.
    """

    said: dict[float, dict[float, float]]
    cost: float
    wrong: dict[float, float]


def ablation(answers: Sequence[Answer]) -> str:
    """Give the table as Markdown."""
    whole = (a for a in for_fits(answers) if not a.part)
    queried = [a for a in whole if a.candidates and not _BABBLE[a.condition]]
    lengths = sorted({a.seconds for a in queried})
    impostors = sum(not a.stored for a in queried)
    lines = [
        f"{len(queried):,} queries, {impostors:,} of them of recordings that are not stored; "
        f"{len({a.speaker for a in queried})} speakers in {FOLDS} folds. Right answers said, %, "
        "over conditions without babble.",
        "",
    ]
    head = ["evidence", *(f"{x:g} s at {100 * p:g} %" for p in PASSING for x in lengths), "Cllr"]
    lines += ["| " + " | ".join([*head, "wrong said, %"]) + " |", "| --- |" + " ---: |" * len(head)]
    lines.append(_line("right first at any score", first(queried), lengths))
    lines.append(_line("as the program decides", as_shipped(queried), lengths))
    names = list(GROUPS)
    for count in range(1, len(names) + 1):
        label = names[0] if count == 1 else f"+ {names[count - 1]}"
        lines.append(_line(label, judge(queried, names[:count]), lengths))
    for name in names[1:]:
        rest = [n for n in names if n != name]
        lines.append(_line(f"all without {name}", judge(queried, rest), lengths))
    for name in MORE:
        if not _recorded(name, queried[0].candidates[0]):
            continue
        lines.append(_line(f"all with {name}", judge(queried, [*names, name]), lengths))
    return "\n".join(lines) + "\n"


def _recorded(name: str, candidate: Candidate) -> bool:
    """Whether answers hold what was tried: those of an earlier program may lack it."""
    try:
        return all(feature(candidate) is not None for feature in MORE[name])
    except KeyError:
        return False


def _line(label: str, found: Judgement, lengths: Sequence[float]) -> str:
    cells = [f"{100 * found.said[p][x]:.1f}" for p in PASSING for x in lengths]
    cost = "-" if np.isnan(found.cost) else f"{found.cost:.3f}"
    wrong = " / ".join(f"{100 * found.wrong[p]:.2f}" for p in PASSING)
    return "| " + " | ".join([label, *cells, cost, wrong]) + " |"


def first(answers: Sequence[Answer]) -> Judgement:
    """Judge as if every first candidate were said."""
    return _judgement(
        answers, [(0.0, a.right_first) for a in answers], dict.fromkeys(PASSING, -1.0)
    )


def as_shipped(answers: Sequence[Answer]) -> Judgement:
    """Judge by the score that the program gives, at thresholds that as many impostors pass."""
    best = [(float(a.candidates[0]["score"]), a.right_first) for a in answers]
    return _judgement(answers, best, _thresholds(answers, best))


def judge(answers: Sequence[Answer], groups: Sequence[str]) -> Judgement:
    """Judge by a regression of some groups of evidence, cross-validated by speaker."""
    features = [feature for name in groups for feature in {**GROUPS, **MORE}[name]]
    tables = [np.array([[f(c) for f in features] for c in a.candidates]) for a in answers]
    folds = _folds(answers)
    fold = np.array([folds[a.speaker] for a in answers])
    best: list[tuple[float, bool]] = [(0.0, False)] * len(answers)
    for number in range(FOLDS):
        rows, right = _examples(answers, tables, fold != number)
        model = fit(rows, right)
        for n in np.flatnonzero(fold == number).tolist():
            odds = model.log_odds(tables[n])
            chosen = int(odds.argmax())
            answer = answers[n]
            is_right = answer.stored and answer.is_right(answer.candidates[chosen])
            best[n] = float(odds[chosen]), is_right
    return _judgement(answers, best, _thresholds(answers, best), ratios=True)


def _examples(
    answers: Sequence[Answer], tables: Sequence[np.ndarray], chosen: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Give the right candidates of stored recordings and the first ones of impostors."""
    rows, right = [], []
    for answer, table, use in zip(answers, tables, chosen, strict=True):
        if use and answer.stored:
            for candidate, row in zip(answer.candidates, table, strict=True):
                if answer.is_right(candidate):
                    rows.append(row)
                    right.append(True)
        elif use:
            rows.append(table[0])
            right.append(False)
    return np.array(rows), np.array(right)


def _folds(answers: Sequence[Answer]) -> dict[str, int]:
    speakers = sorted({a.speaker for a in answers})
    Draws("folds").rng.shuffle(speakers)
    return {speaker: n % FOLDS for n, speaker in enumerate(speakers)}


def _thresholds(
    answers: Sequence[Answer], best: Sequence[tuple[float, bool]]
) -> dict[float, float]:
    """Give the thresholds that shares of the impostors reach."""
    outside = np.sort([s for (s, _), a in zip(best, answers, strict=True) if not a.stored])[::-1]
    return {p: float(outside[min(int(p * len(outside)), len(outside) - 1)]) for p in PASSING}


def _judgement(
    answers: Sequence[Answer],
    best: Sequence[tuple[float, bool]],
    thresholds: Mapping[float, float],
    ratios: bool = False,
) -> Judgement:
    said: dict[float, dict[float, float]] = {}
    wrong: dict[float, float] = {}
    for p, threshold in thresholds.items():
        cells: dict[tuple[float, str], list[bool]] = defaultdict(list)
        misled = []
        for (score, right), answer in zip(best, answers, strict=True):
            if answer.stored:
                cells[answer.seconds, answer.condition].append(right and score > threshold)
                misled.append(not right and score > threshold)
        by_length: dict[float, list[float]] = defaultdict(list)
        for (seconds, _), hits in cells.items():
            by_length[seconds].append(float(np.mean(hits)))
        said[p] = {seconds: float(np.mean(shares)) for seconds, shares in by_length.items()}
        wrong[p] = float(np.mean(misled))
    cost = float("nan")
    if ratios:
        log10 = np.array([score for score, _ in best]) / np.log(10)
        stored = np.array([a.stored for a in answers])
        cost = cllr(log10[stored], log10[~stored])
    return Judgement(said, cost, wrong)


_BABBLE = {condition.name: condition.babble for condition in CONDITIONS}
