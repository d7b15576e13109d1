"""A piece that recurs: its mean, its boundaries, and its places in a signal."""

from __future__ import annotations

import numpy as np
import pytest
from verification.sounds import RATE, voice

from samaf.verification.recurrence import (
    Occurrence,
    agreeing,
    extent,
    profile,
    search,
    template,
)
from samaf.verification.signals import Samples

PIECE = voice(6, 1)
STARTS = (5.0, 23.5, 40.25, 52.0)


@pytest.fixture(scope="module")
def stream() -> Samples:
    """A minute of other voices; they go on over the piece, as loud as it."""
    out = voice(62, 2)
    for n, start in enumerate(STARTS):
        first = round(start * RATE)
        under = out[first : first + len(PIECE)]
        under[:] = PIECE * (0.5 + 0.2 * n) + voice(6, 10 + n) * (0.5 + 0.2 * n)
    return Samples(out)


def occurrences(starts: tuple[float, ...]) -> list[Occurrence]:
    return [Occurrence(0, start) for start in starts]


@pytest.mark.parametrize("guess", [(0.0, 6.0), (2.0, 4.0), (-1.0, 5.0), (4.5, 5.5)])
def test_borders_are_where_voices_of_their_own_begin(
    stream: Samples, guess: tuple[float, float]
) -> None:
    assert extent([stream], occurrences(STARTS), *guess) == pytest.approx((0, 6), abs=0.12)


def test_a_long_piece_is_followed_from_its_middle() -> None:
    long = voice(20, 3)
    sounds = [Samples(np.concatenate([voice(8, n), long, voice(8, 10 + n)])) for n in range(2)]
    places = [Occurrence(0, 8.0), Occurrence(1, 8.0)]
    assert extent(sounds, places, 9.0, 11.0) == pytest.approx((0, 20), abs=0.12)


def test_silence_before_a_piece_is_none_of_it() -> None:
    sounds = [Samples(np.concatenate([np.zeros(n * RATE), PIECE, voice(4, n)])) for n in range(3)]
    places = [Occurrence(n, float(n)) for n in range(3)]
    assert extent(sounds, places, 1.0, 4.0) == pytest.approx((0, 6), abs=0.12)


def test_places_that_share_nothing_have_no_borders(stream: Samples) -> None:
    assert extent([stream], occurrences((12.0, 30.0)), 0.0, 6.0) is None
    assert extent([Samples(np.zeros(62 * RATE))], occurrences(STARTS), 0.0, 6.0) is None


def test_a_shorter_version_agrees_as_long_as_it_lasts(stream: Samples) -> None:
    samples = stream.part(0, stream.count).copy()
    samples[round(26.5 * RATE) : round(29.5 * RATE)] = voice(3, 30)
    found = profile([Samples(samples)], occurrences(STARTS), 0.0, 6.0)
    ends = [agreeing(found, np.where(own > 0.1, 1, -1)) for own in found.each]
    assert ends[1] == pytest.approx((0, 3), abs=0.2)
    for n in (0, 2, 3):
        assert ends[n] == pytest.approx((0, 6), abs=0.2)


def test_the_mean_of_some_places_finds_the_others_and_nothing_else(stream: Samples) -> None:
    begin, samples = template([stream], occurrences(STARTS[:2]), 0.0, 6.0)
    assert len(samples) == 6 * RATE
    found = [(moment - begin, height) for _, moment, height in search(stream, [samples], 0.2)]
    assert sorted({round(moment, 2) for moment, _ in found}) == pytest.approx(STARTS, abs=0.01)
    highest = [max(h for m, h in found if abs(m - start) < 0.1) for start in STARTS]
    assert min(highest[:2]) > max(highest[2:])  # those that the mean is of


def test_a_place_that_the_start_cuts_off_is_found() -> None:
    samples = template([Samples(PIECE)], [Occurrence(0, 0.0)], 0.0, 6.0)[1]
    cut_off = Samples(np.concatenate([PIECE[2 * RATE :], voice(5, 7)]))
    found = max(search(cut_off, [samples], 0.3), key=lambda peak: peak[2])
    assert found[1] == pytest.approx(-2, abs=0.001)


def test_a_place_is_found_wherever_it_lies_in_a_long_signal() -> None:
    out = np.zeros(70 * RATE, np.float32)
    starts = [0.0, 22.9, 24.6, 31.7, 66.0]  # around the edges of what is transformed at once
    for start in starts:
        first = round(start * RATE)
        out[first : first + RATE] = PIECE[:RATE]
    samples = template([Samples(PIECE)], [Occurrence(0, 0.0)], 0.0, 1.0)[1]
    found = [moment for _, moment, height in search(Samples(out), [samples], 0.5)]
    for start in starts:
        assert min(abs(moment - start) for moment in found) < 0.001
