from __future__ import annotations

import numpy as np
import pytest

from samaf.index import NOTHING, VectorNeighbors
from samaf.matching.voting import rank


def neighbors(*alignments: list[tuple[int, int, float]]) -> VectorNeighbors:
    ids, segments, distances = (
        np.array([[entry[n] for entry in line] for line in alignments]) for n in range(3)
    )
    return VectorNeighbors(ids, segments, distances)


def test_a_vote_weighs_as_much_as_it_is_nearer_than_the_farthest() -> None:
    found = neighbors(
        [(1, 4, 0.0), (2, 0, 0.6), (3, 7, 0.7)],
        [(2, 2, 0.1), (2, 1, 0.4), (3, 8, 0.5)],
    )
    ranked = rank(found, 5)
    assert [each.recording_id for each in ranked] == [1, 2, 3]
    assert [each.weight for each in ranked] == pytest.approx([0.7, 0.1 + 0.4 + 0.1, 0])
    second = ranked[1]
    assert (second.row, second.segment, second.distances) == (1, 2, (0.1, 0.4, 0.6))
    assert rank(found, 2) == ranked[:2]


def test_where_all_are_as_far_the_nearest_recording_goes_first() -> None:
    found = neighbors([(9, 0, 0.5), (9, 1, 0.5)], [(4, 2, 0.3), (4, 3, 0.3)])
    assert [each.recording_id for each in rank(found, 5)] == [4, 9]


def test_neighbors_that_do_not_exist_have_no_vote() -> None:
    found = neighbors([(7, 0, 1.0), (NOTHING, NOTHING, np.inf)])
    assert [each.recording_id for each in rank(found, 5)] == [7]
    assert rank(neighbors([(NOTHING, NOTHING, np.inf)]), 5) == []
