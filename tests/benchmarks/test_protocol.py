"""Windows: how many there are, what they hold, which are chosen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.accuracy.protocol import (
    choose_windows,
    hashes_of,
    parse_granularities,
    window_count,
    window_samples,
)
from benchmarks.errors import BenchmarkError


def test_counts_of_the_paper() -> None:
    samples = round(10.015 * 16_000)
    assert [window_count(samples, n) for n in (1, 2, 3)] == [37, 33, 29]
    assert [hashes_of(n) for n in range(1, 7)] == [1, 5, 9, 13, 17, 21]


def test_table_3_for_4613_originals() -> None:
    """The paper's reference counts fall by four hashes an original and second."""
    references = [176_717, 158_265, 139_813, 121_361, 102_909, 84_457]
    assert {a - b for a, b in zip(references, references[1:], strict=False)} == {4 * 4_613}
    assert 2_799 + 1_814 == 4_613
    queries = [41_561, 37_513, 33_465, 29_417, 25_369, 21_321]
    assert {a - b for a, b in zip(queries, queries[1:], strict=False)} == {4 * 46 * 22}


def test_short_clips_have_no_windows() -> None:
    assert window_count(16_239, 1) == 0
    assert window_count(16_240, 1) == 1
    assert window_count(0, 6) == 0


def test_window_samples_span_the_last_frame() -> None:
    samples = np.arange(60_000)
    cut = window_samples(samples, 3, 2)
    assert (cut[0], len(cut)) == (12_000, 32_240)


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=10),
    st.integers(1, 100),
)
def test_chosen_windows_are_spread(counts: list[int], limit: int) -> None:
    chosen = choose_windows(counts, limit, "seed")
    taken = [len(windows) for windows in chosen]
    assert sum(taken) == min(limit, sum(counts))
    for windows, count in zip(chosen, counts, strict=True):
        assert len(set(windows)) == len(windows)
        assert all(0 <= w < count for w in windows)
    spare = [t for t, count in zip(taken, counts, strict=True) if t < count]
    if spare:
        assert max(taken) - min(spare) <= 1


def test_choice_depends_on_the_seed_alone() -> None:
    first = [w.tolist() for w in choose_windows([20] * 5, 10, "a")]
    assert first == [w.tolist() for w in choose_windows([20] * 5, 10, "a")]
    assert first != [w.tolist() for w in choose_windows([20] * 5, 10, "b")]


def test_no_limit_asks_everything() -> None:
    assert [len(w) for w in choose_windows([3, 0, 2], None, "")] == [3, 0, 2]


@pytest.mark.parametrize(
    ("text", "expected"), [("1,2,3,6", [1, 2, 3, 6]), ("1-6", [1, 2, 3, 4, 5, 6]), ("6", [6])]
)
def test_granularities(text: str, expected: list[int]) -> None:
    assert parse_granularities(text) == expected


@pytest.mark.parametrize("text", ["", "0", "7", "1-9", "two", "1.5", "3-2"])
def test_granularities_refused(text: str) -> None:
    with pytest.raises(BenchmarkError, match="whole seconds from 1 to 6"):
        parse_granularities(text)
