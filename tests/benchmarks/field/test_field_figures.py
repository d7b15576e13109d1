"""The figures of a run that reports print."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from benchmarks.field.answers import Answer
from benchmarks.field.conditions import CONDITIONS
from benchmarks.field.figures import validation
from samaf.report.validation import validation_of

TEST = {"split": "test", "search": "plain"}


def answer(seconds: float, without: str, score: float, ratio: float) -> Answer:
    """Give the answer to a clip of "a": its recording where it is stored, else another."""
    name = "other" if without else "a"
    candidate: dict[str, Any] = {"recording": name, "score": score, "log10_lr": ratio}
    matches = [candidate] if score >= 3 else []
    name = CONDITIONS[0].name
    return Answer("a", "voice", name, seconds, without, 0.0, 1.0, {}, matches, [candidate])


def test_queries_are_counted_by_length() -> None:
    answers = [
        answer(1, "", 4, 1.5),
        answer(1, "", 2, 0.5),
        answer(1, "source", -2, -1),
        answer(3, "", 9, 1.5),
        answer(3, "source", 0, -0.5),
        answer(3, "speaker", 8, 1.5),  # may be the same text: another population
    ]
    found = validation(answers, TEST)
    assert (found.true, found.false, found.voices) == (3, 2, 1)
    assert found.conditions == (CONDITIONS[0].title,)
    short, long = found.lengths
    assert (short.seconds, short.true, short.false, short.hit_rate) == (1, 2, 1, 0.5)
    assert (long.seconds, long.true, long.false, long.hit_rate) == (3, 1, 1, 1)
    assert short.true_scores == (2, 4)
    assert found.true_lrs == (0.5, 1.5, 1.5)
    # Hand-computed: mean of log2(1 + 1 / LR) and of log2(1 + LR), halved.
    assert long.cllr == pytest.approx((0.04492 + 0.39641) / 2, abs=1e-3)


def test_reports_read_what_is_written() -> None:
    found = validation([answer(1, "", 4, 1.5), answer(1, "source", -2, -1)], TEST)
    assert validation_of({"decision": json.loads(json.dumps(asdict(found)))}, "a model") == found
