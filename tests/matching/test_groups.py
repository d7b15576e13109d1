"""Recordings are grouped by what they share besides jingles."""

from __future__ import annotations

import itertools

import pytest

from samaf.matching.groups import Shared, common_pieces, connected, own_seconds
from samaf.matching.pieces import Pair


def jingles(count: int, duration: float = 100.0) -> tuple[list[Shared], dict[int, float]]:
    """So many recordings that hold a jingle of 4 s, number n at second 10 + n."""
    shared = [
        Shared(a, b, Pair((10 + a, 14 + a), (10 + b, 14 + b)))
        for a, b in itertools.combinations(range(count), 2)
    ]
    return shared, dict.fromkeys(range(count), duration)


def test_a_jingle_that_many_hold_is_common() -> None:
    shared, durations = jingles(5)
    (piece,) = common_pieces(shared, durations, 5)
    assert piece.seconds == pytest.approx(4)
    assert [number for number, _ in piece.places] == [0, 1, 2, 3, 4]
    assert piece.places[3][1] == (pytest.approx(13), pytest.approx(17))
    assert common_pieces(shared, durations, 6) == []
    assert common_pieces([], {}, 5) == []


def test_copies_of_one_recording_are_no_common_piece() -> None:
    shared, durations = jingles(5, duration=7.0)
    assert common_pieces(shared, durations, 5) == []


def test_seconds_that_are_left_without_a_jingle() -> None:
    shared, durations = jingles(5)
    speech = Shared(0, 1, Pair((30, 42), (50, 62)))
    common = common_pieces([*shared, speech], durations, 5)
    assert own_seconds([shared[0]], common) == pytest.approx(0, abs=0.01)
    assert own_seconds([shared[0], speech], common) == pytest.approx(12, abs=0.01)
    assert own_seconds([speech, speech], []) == 12  # twice the same place counts once


def test_numbers_that_pairs_connect() -> None:
    assert connected([(1, 2), (5, 6), (2, 9)]) == [[1, 2, 9], [5, 6]]
    assert connected([(3, 4), (1, 2), (2, 3)]) == [[1, 2, 3, 4]]
    assert connected([]) == []
