"""Leave-one-out: a part of a table answers as if it were alone, or ranked in the whole."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from samaf.index import NOTHING, ExactIndex, HashTable, RankedAmong, table_of

WIDTH = 8  # bytes of a hash


def drawn(seed: int) -> tuple[HashTable, np.ndarray]:
    """Draw a table of three recordings of 12 hashes, and a query of 6."""
    rng = np.random.default_rng(seed)
    # Few different bytes, so that ties are common.
    parts = [(10 + n, rng.integers(0, 3, (12, WIDTH), np.uint8)) for n in range(3)]
    return table_of(parts, WIDTH), rng.integers(0, 3, (6, WIDTH), np.uint8)


def test_what_is_left_keeps_its_rows() -> None:
    table, _ = drawn(1)
    left = table.only(np.array([True, False, True]))
    assert left.recording_ids.tolist() == [10, 12]
    assert left.starts.tolist() == [0, 24]
    assert (left.total, left.recordings) == (24, 2)
    assert left.window_starts(12).nonzero()[0].tolist() == [0, 24]
    positions, blocks = left.locate(np.array([3, 25]))
    assert (positions.tolist(), blocks.tolist()) == ([0, 1], [3, 1])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([1, 3]))
def test_a_recording_left_out_is_as_if_it_had_never_been_stored(seed: int, window: int) -> None:
    table, query = drawn(seed)
    without = table_of([(10, table.rows(0)), (12, table.rows(2))], WIDTH)
    left = ExactIndex(table.only(np.array([True, False, True]))).search(query, window, 8)
    alone = ExactIndex(without).search(query, window, 8)
    assert np.array_equal(left.distances, alone.distances)
    assert np.array_equal(np.where(left.rows > 23, left.rows - 12, left.rows), alone.rows)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([1, 3]))
def test_neighbors_keep_the_ranks_that_a_search_of_everything_gives(seed: int, window: int) -> None:
    table, query = drawn(seed)
    last = np.array([False, False, True])
    others = ExactIndex(table.only(~last))
    ranked = RankedAmong(ExactIndex(table.only(last)), others)
    assert ranked.table.total == 12
    found = ranked.search(query, window, 8)
    whole = ExactIndex(table).search(query, window, 8)
    # Others come first where distances are equal, and the last recording's rows are the last.
    mine = whole.rows >= 24
    assert np.array_equal(found.rows != NOTHING, mine)
    assert np.array_equal(found.rows[mine], whole.rows[mine])
    assert np.array_equal(found.distances, whole.distances)
