"""How a query is cut, how much is looked at for each piece, and which diagonals are chosen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samaf.index.candidates import (
    MANY,
    PIECE_HASHES,
    Effort,
    Piece,
    count_votes,
    effort,
    pieces_of,
)

CELLS = 16_384


@given(
    lengths=st.lists(st.integers(1, 300), min_size=1, max_size=4),
    hashes=st.integers(1, 40),
)
def test_each_window_lies_in_one_piece(lengths: list[int], hashes: int) -> None:
    pieces = pieces_of(lengths, hashes)
    windows = [w for piece in pieces for w in range(piece.first, piece.stop - hashes + 1)]
    ends = np.cumsum(lengths)
    wanted = [
        w
        for w in range(int(ends[-1]) - hashes + 1)
        if not ((ends > w) & (ends < w + hashes)).any()  # no seam within
    ]
    assert windows == wanted
    assert all(hashes <= piece.stop - piece.first <= PIECE_HASHES for piece in pieces)


def test_pieces_of_one_query_are_about_as_long_as_each_other() -> None:
    assert pieces_of([70], 8) == [Piece(0, 38), Piece(31, 70)]
    assert pieces_of([64], 8) == [Piece(0, 64)]
    assert pieces_of([7], 8) == []


def test_short_pieces_and_large_stores_get_more_cells_and_diagonals() -> None:
    long, middle, short = ([Piece(0, hashes)] for hashes in (37, 13, 5))
    assert [effort(10**6, p, CELLS).probes for p in (long, middle, short)] == [8, 32, 32]
    assert [effort(MANY, p, CELLS).probes for p in (long, middle, short)] == [16, 64, 64]
    assert effort(10**6, [*long, Piece(40, 45)], CELLS).probes == 32
    assert effort(MANY, long, CELLS).diagonals == 3 * effort(10**6, long, CELLS).diagonals


@pytest.mark.parametrize("total", [10**4, 10**6, 10**7, 10**8])
@pytest.mark.parametrize("hashes", [4, 12, 37, 64])
def test_as_many_diagonals_as_are_compared_have_enough_votes(total: int, hashes: int) -> None:
    looked = effort(total, [Piece(0, hashes)], CELLS)
    # Each hash gives each diagonal a vote with the probability that its row is in a probed cell.
    rng = np.random.default_rng(1)
    sample = 10**6
    votes = rng.binomial(hashes, 1.25 * looked.probes / CELLS, sample)
    expected = (votes >= looked.votes).mean() * total
    assert looked.votes == 1 or expected > 0.8 * looked.diagonals
    more = (votes > looked.votes).mean() * total
    assert more < 1.2 * looked.diagonals + 3 * total / sample


def test_diagonals_with_most_votes_are_kept() -> None:
    rows = np.array([10, 11, 12, 30, 31, 50, 52, 90])
    steps = np.array([5, 6, 7, 5, 6, 5, 7, 8])
    piece = Piece(5, 20)
    for most, votes, wanted in [(9, 1, [10, 30, 50, 87]), (2, 1, [10, 30]), (9, 3, [10])]:
        chosen = count_votes(rows, steps, piece, Effort(8, most, votes))
        assert chosen.tolist() == wanted
    assert len(count_votes(rows[:0], steps[:0], piece, Effort(8, 9))) == 0
