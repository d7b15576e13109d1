"""Panako NCTEQ: transform, points, triplets and hashes by hand and against plain loops."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from baselines.panako_ncteq import (
    PanakoNcteq,
    Points,
    best_triplets,
    event_points,
    hash_of,
)
from baselines.table import Prints


@pytest.mark.slow
def test_constant_q_of_a_tone(tone: Callable[..., np.ndarray]) -> None:
    system = PanakoNcteq("paper")
    hertz = 8.17579892 * 2 ** (3700 / 1200 + 100 / 36)
    levels = system.levels(tone(hertz, 1.0, 0.5))
    assert levels.shape == (8, 255)  # one second: fewer than the 15 frames of the filter
    assert (levels.argmax(axis=1) == 100).all()
    # Amplitude 0.5, half of it in the positive frequency, mean of the Hann window 0.5.
    assert np.expm1(levels[0, 100]) == pytest.approx(0.125, rel=0.02)
    assert len(event_points(levels).frames) == 0


def test_two_seconds_give_37_frames(tone: Callable[..., np.ndarray]) -> None:
    assert len(PanakoNcteq("paper").levels(tone(500.0, 2.0))) == 37


def test_event_points_against_loops() -> None:
    levels = np.random.default_rng(1).random((60, 50)).astype(np.float32) ** 0.3
    expected = []
    for t in range(7, 53):
        for f in range(50):
            value = levels[t, f]
            most = levels[t - 7 : t + 8, max(f - 7, 0) : f + 8].max()
            least = levels[t - 1 : t + 2, max(f - 1, 0) : f + 2].min()
            loud = value > 0.1 * levels[t, : f + 1].max()
            if value == most and loud and 0.2 < least / value < 0.9:
                expected.append((t, f, pytest.approx(least / value)))
    found = event_points(levels)
    assert len(expected) > 2
    rows = zip(found.frames.tolist(), found.bins.tolist(), found.contrasts.tolist(), strict=True)
    assert list(rows) == expected


def test_triplets_of_largest_contrast_against_loops() -> None:
    rng = np.random.default_rng(2)
    points = Points(np.sort(rng.integers(0, 200, 30)), rng.integers(0, 120, 30), rng.random(30))

    def follows(a: int, b: int) -> bool:
        step = points.frames[b] - points.frames[a]
        return bool(7 < step < 58 and abs(points.bins[b] - points.bins[a]) < 31)

    expected = {}
    for i in range(30):
        chains = [
            (points.contrasts[[i, j, k]].sum(), j, k)
            for j in range(30)
            for k in range(30)
            if follows(i, j) and follows(j, k)
        ]
        if chains:
            expected[i] = max(chains)[1:]
    found = zip(*(index.tolist() for index in best_triplets(points, (8, 57))), strict=True)
    assert len(expected) > 5
    assert {first: (second, third) for first, second, third in found} == expected


def test_hash_by_hand() -> None:
    f = tuple(np.array([value]) for value in (100, 110, 90))
    t = tuple(np.array([value]) for value in (5, 25, 45))
    # round(6.25) = 6; round(5.625) = 6; 10 + 31 = 41; -20 + 31 = 11; 8 x 0.5 = 4; 20 > 20 no; 2
    by_hand = 6 | 6 << 4 | 41 << 8 | 11 << 14 | 4 << 20 | 0 << 24 | 2 << 25
    assert hash_of(f, t).tolist() == [by_hand]
    later = tuple(np.array([value]) for value in (5, 35, 45))
    # round(8 x 0.75) = 6; 30 > 10 yes
    assert hash_of(f, later).tolist() == [
        6 | 6 << 4 | 41 << 8 | 11 << 14 | 6 << 20 | 1 << 24 | 2 << 25
    ]


def test_factors_and_offset_of_a_faster_and_higher_clip() -> None:
    system = PanakoNcteq("paper")
    times = np.arange(0, 200, 20)
    stored = np.stack([times + 100, np.full(10, 72), np.full(10, 50)], axis=1).astype(np.int32)
    asked = np.stack([times * 0.8, np.full(10, 75), np.full(10, 40)], axis=1).astype(np.int32)
    system.table.add("a", Prints(np.arange(10), stored))
    answer = system.answers(Prints(np.arange(10), asked))[0]
    assert (answer.key, answer.score) == ("a", 10.0)
    assert answer.tau == pytest.approx(0.8)
    assert answer.rho == pytest.approx(2 ** (3 / 36))
    assert answer.offset_s == pytest.approx(100 * 1536 / 44_100)


@pytest.mark.parametrize(("pitch", "span"), [(72 + 14, 50), (72, 38), (72, 72)])
def test_factors_beyond_30_per_cent_do_not_count(pitch: int, span: int) -> None:
    system = PanakoNcteq("paper")
    columns = [np.arange(0, 200, 20), np.full(10, 72), np.full(10, 50)]
    system.table.add("a", Prints(np.arange(10), np.stack(columns, axis=1).astype(np.int32)))
    columns[1:] = [np.full(10, pitch), np.full(10, span)]
    assert system.answers(Prints(np.arange(10), np.stack(columns, axis=1).astype(np.int32))) == []


def test_more_than_four_hits_and_three_aligned() -> None:
    system = PanakoNcteq("paper")

    def rows(*times: int) -> np.ndarray:
        return np.array([[time, 50, 30] for time in times], np.int32)

    system.table.add("a", Prints(np.arange(5), rows(0, 30, 60, 90, 300)))
    assert system.answers(Prints(np.arange(5), rows(0, 30, 60, 90, 120)))[0].score == 4
    assert system.answers(Prints(np.arange(4), rows(0, 30, 60, 90))) == []
    assert system.answers(Prints(np.arange(5), rows(0, 30, 60, 200, 120))) == []
