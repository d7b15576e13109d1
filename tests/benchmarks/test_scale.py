"""The crowd that fills a store."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.scale import STRETCH, crowd
from samaf.index import table_of

WIDTH = 16  # bytes of a hash


def drawn(count: int, seed: int = 3, asked: tuple[int, ...] = (1, 2)) -> np.ndarray:
    # Recording 0 is all ones; the others, all zeros, are asked about or too short.
    parts = [
        (0, np.full((20, WIDTH), 255, np.uint8)),
        (1, np.zeros((20, WIDTH), np.uint8)),
        (2, np.zeros((20, WIDTH), np.uint8)),
        (3, np.zeros((STRETCH - 1, WIDTH), np.uint8)),
    ]
    return crowd(table_of(parts, WIDTH), np.array(asked), count, np.random.default_rng(seed))


def test_crowd_is_noisy_copies_of_what_is_not_asked() -> None:
    made = drawn(3_003)
    assert made.shape == (3_003, WIDTH)
    turned = 1 - np.unpackbits(made).mean()
    assert turned == pytest.approx(1 / 8, abs=0.005)
    assert len(np.unique(made, axis=0)) > 3_000


def test_crowd_depends_on_the_generator_alone() -> None:
    assert np.array_equal(drawn(50), drawn(50))
    assert not np.array_equal(drawn(50), drawn(50, seed=4))


def test_nobody_to_draw_from() -> None:
    with pytest.raises(BenchmarkError, match=r"scale: no recording of 2\.75 s"):
        drawn(8, asked=(0, 1, 2))
