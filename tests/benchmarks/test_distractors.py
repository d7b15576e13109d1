"""The distractors that fill a store."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.accuracy.distractors import RUN, distractors
from benchmarks.errors import BenchmarkError
from samaf.index import table_of

WIDTH = 16  # bytes of a hash


def drawn(count: int, seed: int = 3, queried: tuple[int, ...] = (1, 2)) -> np.ndarray:
    # Recording 0 is all ones; the others, all zeros, are queried or too short.
    parts = [
        (0, np.full((20, WIDTH), 255, np.uint8)),
        (1, np.zeros((20, WIDTH), np.uint8)),
        (2, np.zeros((20, WIDTH), np.uint8)),
        (3, np.zeros((RUN - 1, WIDTH), np.uint8)),
    ]
    return distractors(
        table_of(parts, WIDTH), np.array(queried), count, np.random.default_rng(seed)
    )


def test_distractors_are_noisy_copies_of_what_is_not_queried() -> None:
    made = drawn(3_003)
    assert made.shape == (3_003, WIDTH)
    flipped = 1 - np.unpackbits(made).mean()
    assert flipped == pytest.approx(1 / 8, abs=0.005)
    assert len(np.unique(made, axis=0)) > 3_000


def test_distractors_depend_on_the_generator_alone() -> None:
    assert np.array_equal(drawn(50), drawn(50))
    assert not np.array_equal(drawn(50), drawn(50, seed=4))


def test_no_recording_to_draw_from() -> None:
    with pytest.raises(BenchmarkError, match=r"scale: no recording of 2\.75 s"):
        drawn(8, queried=(0, 1, 2))
