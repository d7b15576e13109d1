"""What a report prints of the decision's validation, for the card of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.calibration.validation import cllr, least_cllr
from benchmarks.field.answers import Answer
from benchmarks.field.conditions import CONDITIONS
from benchmarks.field.plan import NO_SOURCE, STORED
from benchmarks.field.report import best_score
from samaf.report.record import ValidatedLength, Validation

SCORES, RATIOS = 41, 81  # quantiles kept
SAID = {"test": "speakers that nothing was fitted on", "validation": "the speakers of the fit"}


def validation(answers: Sequence[Answer], settings: dict[str, Any]) -> Validation:
    """Sum up the queries of the whole store and of one that lacks the clip's collection.

    Parameters
    ----------
    settings
        Of the run, as ``settings.json`` has them.
    """
    some = [a for a in answers if a.without in (STORED, NO_SOURCE) and a.candidates]
    true, false = _split(some)
    voices = len({a.speaker for a in some})
    ratios = _ratios(true), _ratios(false)
    present = {a.condition for a in some}
    return Validation(
        f"clips of {voices} {SAID.get(settings['split'], 'speakers of the training')}, "
        f"{settings['search']} search",
        simulated=True,
        conditions=tuple(c.title for c in CONDITIONS if c.name in present),
        voices=voices,
        true=len(true),
        false=len(false),
        cllr=_rounded(cllr(*ratios)),
        cllr_min=_rounded(least_cllr(*ratios)),
        lengths=tuple(
            _length(seconds, [a for a in some if a.seconds == seconds])
            for seconds in sorted({a.seconds for a in some})
        ),
        true_lrs=_quantiles(ratios[0], RATIOS),
        false_lrs=_quantiles(ratios[1], RATIOS),
    )


def _length(seconds: float, answers: Sequence[Answer]) -> ValidatedLength:
    true, false = _split(answers)
    return ValidatedLength(
        seconds,
        len(true),
        len(false),
        _rounded(float(np.mean([a.right for a in true]))),
        _rounded(cllr(_ratios(true), _ratios(false))),
        _quantiles(np.array([best_score(a) for a in true]), SCORES),
        _quantiles(np.array([best_score(a) for a in false]), SCORES),
    )


def _split(answers: Sequence[Answer]) -> tuple[list[Answer], list[Answer]]:
    return [a for a in answers if a.stored], [a for a in answers if not a.stored]


def _ratios(answers: Sequence[Answer]) -> np.ndarray:
    return np.array([best_score(a, "log10_lr") for a in answers])


def _quantiles(values: np.ndarray, count: int) -> tuple[float, ...]:
    at = np.linspace(0, 1, min(count, len(values)))
    return tuple(map(_rounded, np.quantile(values, at).tolist()))


def _rounded(value: float) -> float:
    return round(value, 3)
