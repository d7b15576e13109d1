"""Pairs of stretches that agree become pieces with all their places."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samaf.matching.pieces import Pair, pieces


def shown(pairs: list[Pair]) -> list[list[tuple[float, float]]]:
    return [[(round(a, 1), round(b, 1)) for a, b in places] for places in pieces(pairs)]


def test_nothing_gives_nothing() -> None:
    assert pieces([]) == []


def test_three_places_that_only_neighbors_connect() -> None:
    pairs = [Pair((10, 14), (50, 54)), Pair((50.1, 54), (90, 93.9))]
    (places,) = pieces(pairs)
    assert len(places) == 3
    for (start, stop), begin in zip(places, (10, 50, 90), strict=True):
        assert (start, stop) == (pytest.approx(begin, abs=0.15), pytest.approx(begin + 4, abs=0.15))


def test_two_pieces_in_a_row_are_told_apart_by_a_third_place() -> None:
    # A spot and a jingle twice in a row; the jingle comes alone at 80 and 95 too.
    pairs = [
        Pair((10, 20), (50, 60)),
        Pair((15, 20), (80, 85)),
        Pair((80, 85), (95, 100)),
    ]
    assert shown(pairs) == [
        [(10.0, 15.0), (50.0, 55.0)],
        [(15.0, 20.0), (55.0, 60.0), (80.0, 85.0), (95.0, 100.0)],
    ]


def test_a_border_that_one_pair_alone_lacks_splits_nothing() -> None:
    # At 90 somebody speaks over the end.
    pairs = [
        Pair((10, 18), (50, 58)),
        Pair((50, 58), (70, 78)),
        Pair((10, 15), (90, 95)),
    ]
    (places,) = shown(pairs)
    assert places[:3] == [(10.0, 18.0), (50.0, 58.0), (70.0, 78.0)]
    assert places[3] == (90.0, 95.0)


@pytest.mark.slow
def test_a_sound_of_loops_is_one_piece() -> None:
    # Three places of 8 s that agree with themselves and each other every 2 s, too.
    starts = (10, 50, 90)
    pairs = [Pair((a, a + 8), (b, b + 8)) for a, b in combinations(starts, 2)]
    for shift in (2, 4, 5):
        pairs += [Pair((a + shift, a + 8), (b, b + 8 - shift)) for a, b in combinations(starts, 2)]
        pairs += [Pair((a, a + 8 - shift), (a + shift, a + 8)) for a in starts]
    assert shown(pairs) == [[(start, start + 8) for start in starts]]


def test_a_pair_that_goes_on_too_far_joins_no_two_pieces() -> None:
    # The second piece follows the first one at 15, the third one at 120.
    first, second, third = (10, 100, 200), (15, 120, 220), (115, 300, 400)
    pairs = [
        Pair((a, a + 5), (b, b + 5))
        for starts in (first, second, third)
        for a, b in combinations(starts, 2)
        if (a, b) != (15, 120)
    ]
    pairs.append(Pair((10, 20), (115, 125)))
    assert [[start for start, _ in places] for places in pieces(pairs)] == [
        list(first),
        list(second),
        list(third),
    ]


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 30), min_size=2, max_size=8, unique=True),
    st.floats(2, 9),
    st.randoms(use_true_random=False),
)
def test_places_of_one_piece_are_found_from_any_tree_of_pairs(starts, length, random) -> None:  # type: ignore[no-untyped-def]
    begins = sorted(10.0 * start for start in starts)
    pairs = []
    for i in range(1, len(begins)):
        j = random.randrange(i)
        pair = Pair((begins[j], begins[j] + length), (begins[i], begins[i] + length))
        pairs.append(random.choice([pair, pair.turned()]))
    (places,) = pieces(pairs)
    assert [start for start, _ in places] == pytest.approx(begins)
    assert [stop - start for start, stop in places] == pytest.approx([length] * len(begins))
