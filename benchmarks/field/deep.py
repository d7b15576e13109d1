"""What a deep query is charged, so that it passes as often as is stated.

A deep query tries many hypotheses, and its score counts their comparisons as those of a larger
store. Hypotheses of one clip are more alike than that: what passes beyond the stated rate is one
number of decades, taken from the intercept (``Decision.deep``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks.errors import BenchmarkError
from benchmarks.field.answers import Answer
from benchmarks.field.fitting import FOLDS, Examples, collected, folds
from benchmarks.field.plan import NO_SOURCE
from benchmarks.field.scoring import wilson
from samaf.fingerprinters import ScoreCalibration
from samaf.matching.calibration import for_deep
from samaf.matching.evidence import score

RATES = (0.2, 0.1, 0.05, 0.02, 0.01)  # that the charge is fitted to
LEAST_PASSED = 5  # queries at a rate, below which it is not used
STATED = (0.1, 0.01, 0.001)


def impostors(answers: Sequence[Answer]) -> Examples:
    """Collect the candidates of deep queries whose recording and collection are not stored."""
    return collected([a for a in answers if a.without == NO_SOURCE])


def charged(data: Examples, calibration: ScoreCalibration) -> ScoreCalibration:
    """Give a calibration whose deep queries pass as often as is stated.

    Raises
    ------
    BenchmarkError
        There are too few queries.
    """
    decision = replace(calibration.decision, deep=0.0)
    best = _best(data, replace(calibration, decision=decision))
    rates = np.array([rate for rate in RATES if rate * len(best) >= LEAST_PASSED])
    if not len(rates):
        raise BenchmarkError(f"{len(best)} deep queries are too few; ask more")
    met = np.quantile(best, 1 - rates)
    # Above the knee the score grows less than the evidence, which is what is charged.
    met = np.where(met > decision.knee, decision.knee + (met - decision.knee) / decision.slope, met)
    charge = max(0.0, float(np.mean(met + np.log10(rates))))
    return replace(calibration, decision=replace(decision, deep=round(charge, 2)))


def _best(data: Examples, calibration: ScoreCalibration) -> np.ndarray:
    """Give the best score of each query, float (m,)."""
    return data.best(score(data.evidence, for_deep(calibration)), np.ones(len(data.query), bool))


def checked(data: Examples, calibration: ScoreCalibration) -> str:
    """Show the charge and, cross-validated by speaker, what passes with it, as Markdown."""
    free = replace(calibration, decision=replace(calibration.decision, deep=0.0))
    fold, best = folds(data), np.empty(len(data.stored))
    for number in range(FOLDS):
        here = fold == number
        best[here] = _best(data.chosen(here), charged(data.chosen(~here), calibration))
    lines = [
        f"a deep query is charged {charged(data, calibration).decision.deep:g} decades",
        "",
        f"{len(set(data.speakers.tolist()))} speakers in {FOLDS} folds; shares in % (95 %, Wilson)",
        "",
        "| queries | n | pass at 0.1 | at 0.01 | at 0.001 |",
        "| --- |" + " ---: |" * 4,
        _row("all, without a charge", _best(data, free)),
        _row("all", best),
    ]
    for seconds in sorted(set(data.seconds.tolist())):
        lines.append(_row(f"{seconds:g} s", best[data.seconds == seconds]))
    return "\n".join(lines)


def _row(name: str, best: np.ndarray) -> str:
    cells = [name, f"{len(best):,}"]
    for rate in STATED:
        passed = int((best >= -np.log10(rate)).sum())
        low, high = wilson(passed, len(best))
        cells.append(f"{100 * passed / len(best):.2f} ({100 * low:.2f}-{100 * high:.2f})")
    return "| " + " | ".join(cells) + " |"
