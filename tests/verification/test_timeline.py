"""Pairs that were measured give one time line."""

from __future__ import annotations

import numpy as np
import pytest

from samaf.verification.timeline import timeline
from samaf.verification.tracking import Track

STARTS = {0: 0.0, 1: 12.5, 2: -3.25}
DRIFTS = {0: 0.0, 1: 40e-6, 2: -90e-6}


def measured(one: int, other: int, noise: float = 0.0, seed: int = 0) -> Track:
    """Anchors between two recordings that follow STARTS and DRIFTS."""
    rng = np.random.default_rng(seed)
    moments = np.linspace(20, 90, 15)  # of the time line
    first, second = (
        (moments - STARTS[n]) / (1 + DRIFTS[n]) + noise * rng.standard_normal(15)
        for n in (one, other)
    )
    return Track(first, second, np.full(15, 50.0), np.zeros(15, np.int64), 15)


def test_starts_and_drifts_are_found() -> None:
    placed = timeline(
        {0: 100.0, 1: 90.0, 2: 110.0}, {(0, 1): measured(0, 1), (1, 2): measured(1, 2)}
    )
    for number, start in STARTS.items():
        assert placed[number].place(0) == pytest.approx(start, abs=1e-6)
        assert placed[number].drift == pytest.approx(DRIFTS[number], abs=1e-8)
        assert placed[number].residual < 1e-6
    assert placed[1].anchors == 30


def test_errors_cover_what_noise_does() -> None:
    inside = []
    for seed in range(40):
        tracks = {(0, 1): measured(0, 1, 0.002, seed), (0, 2): measured(0, 2, 0.002, seed + 50)}
        one = timeline(dict.fromkeys(STARTS, 100.0), tracks)[1]
        inside.append(abs(one.place(0) - STARTS[1]) < one.start_error)
    assert 0.8 <= np.mean(inside) <= 1.0


def test_wrong_anchors_count_for_nothing() -> None:
    track = measured(0, 1)
    track.second[[3, 8]] += 0.2
    placed = timeline({0: 100.0, 1: 90.0}, {(0, 1): track})
    assert placed[1].place(0) == pytest.approx(STARTS[1], abs=1e-5)
    assert placed[1].anchors == 13


def cut_at(track: Track, side: int, moment: float, missing: float) -> Track:
    """The same anchors where one side lacks some seconds from a moment of it on."""
    times = [track.first.copy(), track.second.copy()]
    behind = times[side] > moment
    times[side][behind] -= missing
    return Track(times[0], times[1], track.z, behind.astype(np.int64), track.tried)


def test_a_jump_belongs_to_the_recording_that_most_pairs_show_it_in() -> None:
    tracks = {
        (0, 1): cut_at(measured(0, 1), 0, 50.0, 7.0),
        (0, 2): cut_at(measured(0, 2), 0, 50.0, 7.0),
        (1, 2): measured(1, 2),
    }
    placed = timeline(dict.fromkeys(STARTS, 100.0), tracks)
    assert [len(placed[n].pieces) for n in STARTS] == [2, 1, 1]
    before, after = placed[0].pieces
    assert after.start - before.start == pytest.approx(7.0, abs=1e-5)
    assert before.end == after.begin == pytest.approx(50, abs=5)


def test_a_jump_that_one_pair_shows_belongs_to_the_later_recording() -> None:
    tracks = {(0, 1): cut_at(measured(0, 1), 0, 50.0, 7.0)}
    placed = timeline({0: 100.0, 1: 90.0}, tracks)
    assert [len(placed[n].pieces) for n in (0, 1)] == [1, 2]
    before, after = placed[1].pieces
    assert after.start - before.start == pytest.approx(-7.0, abs=1e-5)


def test_a_line_that_goes_on_where_it_was_is_no_jump() -> None:
    tracks = {(0, 1): cut_at(measured(0, 1), 0, 50.0, 0.0)}
    (piece,) = timeline({0: 100.0, 1: 90.0}, tracks)[1].pieces
    assert (piece.begin, piece.end) == (0.0, 90.0)


def test_two_wrong_anchors_at_an_end_are_no_jump() -> None:
    wrong = measured(1, 2)
    wrong.second[-2:] += 0.5
    wrong.piece[-2:] = 1
    placed = timeline(dict.fromkeys(STARTS, 100.0), {(0, 1): measured(0, 1), (1, 2): wrong})
    assert [len(one.pieces) for one in placed.values()] == [1, 1, 1]
    assert placed[2].place(0) == pytest.approx(STARTS[2], abs=1e-5)
