"""Fitting the decision to answers of a known law."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.field import fitting
from benchmarks.field.answers import Answer
from benchmarks.field.plan import NO_OTHERS, NO_SOURCE, NO_SPEAKER, STORED
from samaf.fingerprinters import LikelihoodRatio, ScoreCalibration
from samaf.matching.evidence import EVIDENCE, score

SPEAKERS, QUERIES = 40, 4_000


def _candidate(name: str, ber: float, rival: float) -> dict[str, object]:
    return {"recording": name, **dict.fromkeys(EVIDENCE, 0.0), "ber": ber, "rival": rival}


def _answers() -> list[Answer]:
    """The best of chance is exponential in decades above the rival, right answers 5 above it."""
    rng = np.random.default_rng(5)
    made = []
    for n in range(QUERIES):
        clip, speaker, rival = f"s{n}/a", f"s{n % SPEAKERS}", float(rng.uniform(0, 2))
        asked = (clip, speaker, "Clean", 2.0)
        chance = _candidate("other", rival + rng.exponential(1 / np.log(10)), rival)
        right = _candidate(clip, rival + 5 + rng.normal(), rival)
        made.append(Answer(*asked, NO_OTHERS, 0.0, 1.0, {}, [], [right, chance]))
        made.append(Answer(*asked, NO_SOURCE, 0.0, 1.0, {}, [], [chance]))
    return made


DATA = fitting.examples(_answers())


@pytest.mark.slow
def test_stated_rates_are_met_for_speakers_that_were_not_fitted_to() -> None:
    seen = fitting.cross_validated(DATA, ScoreCalibration())
    for rate in (0.1, 0.01):
        passed = (seen.wrong[~DATA.stored] >= -np.log10(rate)).mean()
        assert passed == pytest.approx(rate, rel=0.5)
    assert (seen.said[DATA.stored] >= 3).mean() > 0.9
    assert (seen.wrong[DATA.stored] >= 3).mean() < 0.005


@pytest.mark.slow
def test_the_weights_are_those_of_the_law() -> None:
    decision = fitting.fitted(DATA, ScoreCalibration()).decision
    # One decade of evidence above the rival is one decade of the rate. Rivals vary by 0.6 decades,
    # so their weight is less certain.
    assert decision.weights.ber == pytest.approx(1, abs=0.1)
    assert decision.weights.rival == pytest.approx(-1, abs=0.3)
    assert decision.weights.activity == pytest.approx(0, abs=0.01)


@pytest.mark.slow
def test_the_score_of_the_card_is_the_one_that_was_fitted() -> None:
    made = fitting.fitted(DATA, ScoreCalibration())
    found = score(DATA.evidence, made)
    weights = made.decision.weights
    by_hand = made.decision.intercept + weights.ber * 2 + weights.rival * 1
    row = np.array([[2.0 if n == "ber" else 1.0 if n == "rival" else 0.0 for n in EVIDENCE]])
    assert float(score(row, made)[0]) == pytest.approx(by_hand)
    assert found.shape == DATA.query.shape
    assert made.likelihood.slope > 0
    assert made.likelihood.lowest < 0 < made.likelihood.highest


@pytest.mark.slow
def test_small_stores_pass_as_often_as_large_ones() -> None:
    whole = [replace(a, speaker=f"w{a.speaker}") for a in _answers()]
    small = []
    for a in _answers():
        # A decade more by chance in stores of three.
        chance = {**a.candidates[-1], "few": 1 / 3, "ber": a.candidates[-1]["ber"] + 1}
        small.append(replace(a, part=2, candidates=[*a.candidates[:-1], chance]))
    data = fitting.examples([*whole, *small])
    weights = fitting.fitted(data, ScoreCalibration()).decision.weights
    assert weights.few * (1 / 3) == pytest.approx(-1, abs=0.15)


def test_what_is_the_same_in_all_stores_gets_no_weight() -> None:
    same = replace(DATA, evidence=DATA.evidence + (np.array(EVIDENCE) == "few"))
    weights = fitting.fitted(same, ScoreCalibration()).decision.weights
    assert (weights.few, weights.size, weights.length) == (0, 0, 0)


@pytest.mark.slow
def test_the_check_shows_what_passes() -> None:
    text = fitting.checked(DATA, fitting.fitted(DATA, ScoreCalibration()))
    assert "40 speakers in 5 folds" in text
    assert "| all | 4,000 |" in text
    assert "| 2 s | 4,000 |" in text


def test_a_ratio_is_fitted_to_scores_as_the_card_has_them() -> None:
    made = fitting.fitted(DATA, ScoreCalibration())
    other = replace(made, likelihood=LikelihoodRatio())
    again = fitting.with_ratio(DATA, other)
    assert again == made
    assert "40 speakers; true: 4,000 queries" in again.likelihood.population
    seen = fitting.cross_validated(DATA, other, fitting.with_ratio)
    best = DATA.best(score(DATA.evidence, made), ~DATA.right)
    np.testing.assert_allclose(seen.wrong, best)


def test_both_sides_are_of_stores_that_differ_in_the_recording_alone() -> None:
    first = _answers()[:2]
    other = [
        Answer("s/a", "s", "Clean", 2.0, NO_SPEAKER, 0, 1, {}, [], first[1].candidates),
        Answer("s/a", "s", "Clean", 2.0, STORED, 0, 1, {}, [], first[0].candidates),
        Answer("s/a", "s", "Babble", 2.0, NO_SOURCE, 0, 1, {}, [], first[1].candidates),
    ]
    assert len(fitting.examples([*first, *other]).stored) == 2


def test_answers_of_one_kind_are_refused() -> None:
    with pytest.raises(BenchmarkError, match="no queries of both kinds"):
        fitting.examples([a for a in _answers()[:10] if a.stored])
