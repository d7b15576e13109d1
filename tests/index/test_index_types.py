"""The engines agree with each other and with hand-computed cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samaf.index import NOTHING, ExactIndex, FlatIndex, HashTable, table_of
from samaf.index.exact import diagonal_sums, pairwise


def random_table(rng: np.random.Generator, lengths: list[int], width: int) -> HashTable:
    # Few distinct bytes, so that equal distances are frequent.
    parts = [(7 * i + 3, rng.integers(0, 4, (n, width), np.uint8)) for i, n in enumerate(lengths)]
    return table_of(parts, width)


def test_pairwise_counts_differing_bits() -> None:
    query = np.array([[0xFF] * 16, [0x0F] * 16], np.uint8)
    rows = np.array([[0xFF] * 16, [0] * 16, [1] + [0] * 15], np.uint8)
    assert pairwise(query, rows).tolist() == [[0, 128, 127], [64, 64, 63]]


def test_diagonal_sums_of_a_small_matrix() -> None:
    distances = np.arange(12, dtype=np.uint16).reshape(3, 4)
    assert diagonal_sums(distances, 2).tolist() == [[0 + 5, 1 + 6, 2 + 7], [4 + 9, 5 + 10, 6 + 11]]


def test_windows_never_cross_recordings() -> None:
    width = 16
    one, two = np.zeros((2, width), np.uint8), np.full((2, width), 255, np.uint8)
    table = table_of([(1, one), (2, two)], width)
    query = np.array([[0] * width, [255] * width], np.uint8)  # as if one ran into two
    found = ExactIndex(table).search(query, 2, 4)
    assert found.distances[0, :2].tolist() == [128, 128]
    assert found.rows[0].tolist() == [0, 2, NOTHING, NOTHING]


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    lengths=st.lists(st.integers(0, 12), min_size=1, max_size=12),
    hashes=st.sampled_from([1, 2, 5]),
    k=st.integers(1, 6),
    width=st.sampled_from([16, 32]),
)
def test_exact_equals_faiss(seed: int, lengths: list[int], hashes: int, k: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    table = random_table(rng, lengths, width)
    query = rng.integers(0, 4, (hashes + int(rng.integers(0, 60)), width), np.uint8)
    exact = ExactIndex(table).search(query, hashes, k)
    flat = FlatIndex(table).search(query, hashes, k)
    np.testing.assert_array_equal(exact.distances, flat.distances)


@pytest.mark.parametrize("rows", [20_000])
def test_exact_finds_planted_windows_across_blocks(rows: int) -> None:
    rng = np.random.default_rng(0)
    table = table_of([(1, rng.integers(0, 256, (rows, 32), np.uint8))], 32)
    for at in (0, 16_380, 16_384, rows - 5):
        found = ExactIndex(table).search(table.hashes[at : at + 5], 5, 3)
        assert (found.rows[0, 0], found.distances[0, 0]) == (at, 0)
        assert (np.diff(found.distances[0]) >= 0).all()
