"""Words for likelihood ratios: the steps of the scale, and never more than the ratio."""

from __future__ import annotations

from math import log10

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samaf.report.evaluation import (
    SCALE,
    bounded,
    ratio_words,
    scale_rows,
    step_of,
    support_sentence,
)


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (1, "no support for either"),
        (1.99, "no support for either"),
        (2, "weak support"),
        (9.9, "weak support"),
        (10, "moderate support"),
        (99.9, "moderate support"),
        (100, "moderately strong support"),
        (144.5, "moderately strong support"),
        (1_000, "strong support"),
        (10_000, "very strong support"),
        (999_000, "very strong support"),
        (1_000_000, "extremely strong support"),
        (1 / 5, "weak support"),
    ],
)
def test_steps_are_those_of_the_guideline(ratio: float, words: str) -> None:
    assert step_of(log10(ratio)).words.startswith(words)


@settings(deadline=None)
@given(st.floats(-8, 8))
def test_words_never_say_more_than_the_ratio(log10_lr: float) -> None:
    assert step_of(log10_lr).lowest <= 10 ** abs(log10_lr) * (1 + 1e-9)
    number = ratio_words(log10_lr).removeprefix("about ").removeprefix("1/").replace(",", "")
    assert int(number) <= 10 ** abs(log10_lr) * (1 + 1e-9)


@settings(deadline=None)
@given(st.floats(-20, 20), st.floats(-3, 0), st.floats(0, 3))
def test_a_ratio_never_exceeds_its_bounds(log10_lr: float, lowest: float, highest: float) -> None:
    held = bounded(log10_lr, lowest, highest)
    assert lowest <= held <= highest
    assert step_of(held).lowest <= 10 ** max(-lowest, highest) * (1 + 1e-9)


def test_a_small_ratio_supports_the_alternative() -> None:
    assert support_sentence(1.5, "H1", "H2a").endswith("moderate support for H1 relative to H2a.")
    assert support_sentence(-1.5, "H1", "H2a").endswith("moderate support for H2a relative to H1.")
    assert "either" in support_sentence(0.1, "H1", "H2a")


def test_the_whole_table_is_given() -> None:
    rows = scale_rows()
    assert len(rows) == len(SCALE) == 7
    assert rows[0][0] == "1 to 2"
    assert rows[-1][0] == "1,000,000 and more"
