"""Logistic regression, and what a decision makes of answers that are counted by hand."""

import numpy as np
import pytest

from benchmarks.field import decision
from benchmarks.field.answers import Answer
from benchmarks.field.logistic import fit
from benchmarks.field.plan import NO_OTHERS, NO_SOURCE


def test_one_weight_by_hand() -> None:
    # Of 100 right examples 90 have the mark, of 100 wrong ones 10: log odds of +-log 9.
    mark = np.repeat([1.0, 0.0, 1.0, 0.0], [90, 10, 10, 90])[:, None]
    right = np.repeat([True, False], 100)
    odds = fit(mark, right).log_odds(np.array([[1.0], [0.0]]))
    np.testing.assert_allclose(odds, [np.log(9), -np.log(9)], atol=0.01)


def test_classes_count_alike_however_many_there_are() -> None:
    mark = np.repeat([1.0, 0.0, 1.0, 0.0], [90, 10, 100, 900])[:, None]
    right = np.repeat([True, False], [100, 1000])
    odds = fit(mark, right).log_odds(np.array([[1.0]]))
    assert odds[0] == pytest.approx(np.log(9), abs=0.01)


def test_classes_that_part_wholly_keep_finite_weights() -> None:
    values = np.array([[0.0], [1.0], [2.0], [3.0]])
    odds = fit(values, np.array([False, False, True, True])).log_odds(values)
    assert np.isfinite(odds).all()
    assert (np.diff(odds) > 0).all()


def _answer(speaker: str, stored: bool, evalue: float, right: bool) -> Answer:
    clip = f"{speaker}/a"
    candidate = {
        "recording": clip if right else "other",
        "score": -evalue,
        "ber": -evalue,
        "weighted": -evalue,
    }
    without = NO_OTHERS if stored else NO_SOURCE
    return Answer(clip, speaker, "Clean", 1.0, without, 0.0, 1.0, {}, [], [candidate])


def _answers() -> list[Answer]:
    """Two hundred speakers: impostors at 0.00 to 1.99, right answers at 1.00 to 2.99."""
    inside = [_answer(f"s{n}", True, -1 - n / 100, True) for n in range(200)]
    return inside + [_answer(f"s{n}", False, -n / 100, False) for n in range(200)]


def test_right_answers_above_what_impostors_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decision, "PASSING", (0.1,))
    # A tenth of the impostors, 20, are above 1.79; of the right ones those from 1.80 on are.
    shipped = decision.as_shipped(_answers())
    assert shipped.said[0.1][1.0] == pytest.approx(0.6)
    assert shipped.wrong[0.1] == 0
    fitted = decision.judge(_answers(), ["E-value against other speech"])
    # Cross-validated, each fold on a scale of its own: nearly the same.
    assert fitted.said[0.1][1.0] == pytest.approx(0.6, abs=0.05)
    assert fitted.cost < 0.9


def test_the_table_names_each_part() -> None:
    answers = [
        Answer(
            *(a.clip, a.speaker, a.condition, a.seconds, a.without, a.start, a.pace, {}, []),
            [{**a.candidates[0], **_REST}],
        )
        for a in _answers()
    ]
    text = decision.ablation(answers)
    assert "400 queries, 200 of them of recordings that are not stored; 200 speakers" in text
    assert "| right first at any score | 100.0 | 100.0 | - |" in text
    assert "| + rival |" in text
    assert "| all without rival |" in text
    assert "| all with straightness |" in text


_REST = {
    "cohort_mean": 0.5,
    "cohort_deviation": 0.03,
    "cohort_best": 0.4,
    "bit_error_rate": 0.3,
    "margin": 0.05,
    "length": 1.0,
    "rival": 0.0,
    "activity": 0.8,
    "lag_ms": None,
    "hashes": 5.0,
    "spread": 0.05,
    "worst": 0.4,
    "drift": 0.0,
    "reliability": 0.3,
    "reference_cohort_best": 0.4,
    "query_activity": None,
    "reference_activity": None,
}
