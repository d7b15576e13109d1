"""Verdicts on answers, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.evaluation import by_clip, column, judge
from benchmarks.protocol import Answers
from benchmarks.results import Cell, Reference

# Two clips of one source, another of the same speaker, one of somebody else.
REFERENCES = [
    Reference("0", "test", "anna", "radio", 10),
    Reference("1", "test", "anna", "radio", 10),
    Reference("2", "test", "anna", "phone", 10),
    Reference("3", "test", "bert", "radio", 10),
]


def cell(clip: list[int], begin: list[float], answers: list[tuple[int, int, float]]) -> Cell:
    window, reference, offset = zip(*answers, strict=True) if answers else ((), (), ())
    return Cell(
        {},
        np.array(clip, np.int32),
        np.array(begin, np.float32),
        Answers(
            np.array(window, np.int32),
            np.array(reference, np.int32),
            np.full(len(window), 0.9, np.float32),
            np.array(offset, np.float32),
        ),
    )


def test_verdicts() -> None:
    found = judge(
        cell(
            clip=[0, 0, 0, 0, 0, 3],
            begin=[1, 1, 1, 1, 1, np.nan],
            answers=[
                (0, 0, 1.2),  # right
                (1, 0, 3.0),  # right recording, wrong place
                (2, 1, 1.0),  # another clip of the source
                (3, 2, 1.0),  # tie: the same speaker ...
                (3, 0, 1.0),  # ... and the right one
                (5, 3, 0.0),  # right, place unknown; query 4 has no answer
            ],
        ),
        REFERENCES,
    )
    assert found.identified.tolist() == [1, 1, 0, 0.5, 0, 1]
    assert found.placed[:5].tolist() == [1, 0, 0, 0.5, 0]
    assert np.isnan(found.placed[5])
    assert found.source.tolist() == [1, 1, 1, 0.5, 0, 1]
    assert found.speaker.tolist() == [1, 1, 1, 1, 0, 1]
    assert found.score[3] == np.float32(0.9)
    assert found.score[4] == -np.inf


def test_hashes_that_only_fill_the_store_are_never_right() -> None:
    found = judge(cell([0, 0], [0, 0], [(0, 4, 0), (1, 0, 0), (1, 4, 0)]), REFERENCES)
    for shares in (found.identified, found.placed, found.source, found.speaker):
        assert shares.tolist() == [0, 0.5]


def test_no_answers_at_all() -> None:
    found = judge(cell([0, 1], [0, 0], []), REFERENCES)
    assert found.identified.tolist() == [0, 0]


def test_sums_by_clip() -> None:
    right, asked = by_clip(np.array([2, 0, 2]), np.array([1, 0, 0.5]), 4)
    assert right.tolist() == [0, 0, 1.5, 0]
    assert asked.tolist() == [1, 0, 2, 0]


def test_column_parts_extreme_and_lifelike_rows() -> None:
    right = judge(cell([0, 1], [0, 0], [(0, 0, 0), (1, 1, 0)]), REFERENCES)
    half = judge(cell([0, 1], [0, 0], [(0, 0, 0)]), REFERENCES)
    none = judge(cell([0, 1], [0, 0], []), REFERENCES)
    verdicts = {"Original": right, "Echo": half, "Reverse": none, "Babble5dB": half}
    found = column(verdicts, frozenset({"Babble5dB"}), len(REFERENCES))
    assert found.rows["Echo"].value == 0.5
    assert found.mean.value == pytest.approx(0.5)
    assert found.mean.queries == 6
    assert found.gentle.value == pytest.approx(0.75)
    assert found.worst.value == 0.5
    assert found.lifelike.value == 0.5
