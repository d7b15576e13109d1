"""Panako 2: points, triplets, hashes and alignment by hand and against plain loops."""

from __future__ import annotations

import numpy as np
import pytest

from baselines.panako2 import (
    Panako2,
    Points,
    ends_of_lines,
    event_points,
    hash_of,
    triplet_indices,
)
from baselines.table import Prints


def rows(times: np.ndarray, bands: np.ndarray | int = 100) -> np.ndarray:
    return np.stack([times, np.broadcast_to(bands, times.shape)], axis=1).astype(np.int32)


def test_event_points_against_loops() -> None:
    magnitudes = np.random.default_rng(0).random((70, 260)).astype(np.float32)
    expected = [
        (t, f)
        for t in range(70)
        for f in range(260)
        if magnitudes[t, f] == magnitudes[max(t - 12, 0) : t + 12, max(f - 51, 0) : f + 52].max()
    ]
    found = event_points(magnitudes)
    assert list(zip(found.frames.tolist(), found.bands.tolist(), strict=True)) == expected
    t, f = next((t, f) for t, f in expected if 0 < t < 69 and 0 < f < 259)
    row = expected.index((t, f))
    assert found.magnitudes[row] == pytest.approx(magnitudes[t - 1 : t + 2, f - 1 : f + 2].sum())


def test_silence_and_rounding_noise_give_no_points() -> None:
    assert len(event_points(np.zeros((100, 511), np.float32)).frames) == 0
    magnitudes = np.zeros((100, 511), np.float32)
    magnitudes[50, 100], magnitudes[10, 400] = 1.0, 0.9e-5
    found = event_points(magnitudes)
    assert (found.frames.tolist(), found.bands.tolist()) == ([50], [100])


def test_triplets_against_loops() -> None:
    rng = np.random.default_rng(3)
    points = Points(np.sort(rng.integers(0, 150, 40)), rng.integers(0, 511, 40), rng.random(40))

    def follows(a: int, b: int) -> bool:
        apart = abs(points.bands[b] - points.bands[a])
        return bool(2 <= points.frames[b] - points.frames[a] <= 33 and 1 <= apart <= 128)

    span = range(40)
    expected = [
        (i, j, k) for i in span for j in span if follows(i, j) for k in span if follows(j, k)
    ]
    found = zip(*(index.tolist() for index in triplet_indices(points)), strict=True)
    assert len(expected) > 20
    assert list(found) == expected


def test_hash_by_hand() -> None:
    def one(*values: float) -> tuple[np.ndarray, ...]:
        return tuple(np.array([value]) for value in values)

    # 64 x 10 / 30 = 21; f1 < f2, f2 > f3, f3 < f1; m1 > m2, m2 < m3, m3 < m1; 10 < 20; 40 < 60
    flags = 0 | 1 << 1 | 0 << 2 | 1 << 3 | 0 << 4 | 0 << 5 | 0 << 6 | 0 << 7
    by_hand = 21 | flags << 6 | (100 >> 5) << 14 | (40 >> 2) << 22 | (60 >> 2) << 28
    assert hash_of(one(5, 15, 35), one(100, 140, 80), one(3.0, 1.0, 2.0)).tolist() == [by_hand]
    # 64 x 20 / 30 = 42; f1 > f2, f2 < f3, f3 > f1; m1 < m2, m2 > m3, m3 > m1; 20 > 10; 128 < 129
    flags = 1 | 0 << 1 | 1 << 2 | 0 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 0 << 7
    by_hand = 42 | flags << 6 | (200 >> 5) << 14 | (128 >> 2) << 22 | (129 >> 2) << 28
    assert hash_of(one(0, 20, 30), one(200, 72, 201), one(1.0, 3.0, 2.0)).tolist() == [by_hand]


def test_ratio_of_times_may_differ_by_two_sixty_fourths() -> None:
    system = Panako2("best")
    times = np.arange(0, 300, 30)
    system.table.add("a", Prints(np.arange(10) * 1000 + 30, rows(times + 50)))
    assert system.answers(Prints(np.arange(10) * 1000 + 32, rows(times)))[0].score == 10
    assert system.answers(Prints(np.arange(10) * 1000 + 33, rows(times))) == []


def test_tempo_pitch_and_offset() -> None:
    system = Panako2("paper")
    times = np.arange(0, 900, 10)
    hashes = np.arange(90) * 1000
    system.table.add("b", Prints(hashes[:20], rows(times[:20] * 5)))
    system.table.add("a", Prints(hashes, rows(times + 400, 80)))
    answer = system.answers(Prints(hashes, rows(np.rint(times * 1.1).astype(int), 85)))[0]
    assert answer.key == "a"
    assert answer.score > 80
    assert answer.tau == pytest.approx(1.1, abs=0.01)
    assert answer.rho == pytest.approx(2 ** (5 / 85))
    assert answer.offset_s == pytest.approx(400 * 0.008, abs=0.05)


@pytest.mark.parametrize("tau", [0.7, 1.3])
def test_only_best_goes_beyond_20_per_cent(tau: float) -> None:
    times = np.arange(0, 900, 10)
    asked = Prints(np.arange(90) * 1000, rows(np.rint(times * tau).astype(int)))
    for settings, found in (("paper", 0), ("best", 1)):
        system = Panako2(settings)
        system.table.add("a", Prints(np.arange(90) * 1000, rows(times)))
        assert len(system.answers(asked)) == found


def test_release_needs_three_seconds_and_six_hits() -> None:
    system = Panako2("paper")
    hashes = np.arange(12) * 1000
    system.table.add("a", Prints(hashes, rows(np.arange(12) * 40)))
    assert len(system.answers(Prints(hashes, rows(np.arange(12) * 40)))) == 1
    assert system.answers(Prints(hashes[:9], rows(np.arange(9) * 40))) == []  # 9 hits
    short = Panako2("paper")
    short.table.add("a", Prints(hashes, rows(np.arange(12) * 30)))
    assert short.answers(Prints(hashes, rows(np.arange(12) * 30))) == []  # 2.6 s
    assert short.answers(Prints(hashes, rows(np.zeros(12, int)))) == []  # one query time


def test_release_keeps_one_time_per_hash() -> None:
    times = np.arange(0, 480, 20)
    stored, asked = Prints(np.arange(24) * 1000, rows(times)), np.arange(24) * 1000
    twice = Prints(np.tile(asked, 2), np.concatenate([rows(times), rows(times + 1)]))
    for settings, score in (("paper", 24), ("best", 48)):
        system = Panako2(settings)
        system.table.add("a", stored)
        assert system.answers(twice)[0].score == score


@pytest.mark.slow
def test_only_best_finds_a_speed_of_1_3(voices: list[np.ndarray]) -> None:
    for settings, found in (("paper", False), ("best", True)):
        system = Panako2(settings)
        for number, samples in enumerate(voices[:2]):
            system.add(str(number), samples)
        faster = np.interp(
            np.arange(0, 112_000, 1.3), np.arange(112_000), voices[1][32_000:144_000]
        )
        answers = system.query(faster.astype(np.float32))
        assert bool(answers and answers[0].key == "1") is found
        if found:
            assert answers[0].tau == pytest.approx(1 / 1.3, rel=0.02)
            assert answers[0].rho == pytest.approx(1.3, rel=0.02)
            assert answers[0].offset_s == pytest.approx(2.0, abs=0.15)


def test_ends_of_lines_by_hand() -> None:
    group = np.array([0] * 8 + [1] * 3)
    shift = np.array([9, 5, 5, 2, 7, 1, 7, 4, 6, 6, 8])
    # Quarters of recording 0 are (9, 5) and (7, 4): in a tie the smallest shift; its last hit.
    first, last = ends_of_lines(group, shift, 0.25, 1)
    assert (first.tolist(), last.tolist()) == ([1, 8], [7, 10])
    # Halves: (9, 5, 5, 2) and (7, 1, 7, 4).
    first, last = ends_of_lines(group, shift, 0.5, 1)
    assert (first.tolist(), last.tolist()) == ([1, 8], [6, 10])
    # At least 10 hits: all of them.
    first, last = ends_of_lines(group, shift, 0.2, 10)
    assert (first.tolist(), last.tolist()) == ([1, 8], [2, 9])
