"""Panako NFFT: points, pairs and hashes by hand and against plain loops."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from baselines.panako_nfft import (
    PanakoNfft,
    Points,
    cents_of,
    hash_of,
    magnitudes,
    merged,
    raw_maxima,
    strongest_pairs,
    thinned,
)
from baselines.table import Prints


def points(*rows: tuple[int, int, float]) -> Points:
    frames, bins, energies = zip(*rows, strict=True)
    return Points(np.array(frames), np.array(bins), np.array(energies, np.float32))


def rows_of(found: Points) -> list[tuple[int, int]]:
    return list(zip(found.frames.tolist(), found.bins.tolist(), strict=True))


def test_magnitudes(tone: Callable[..., np.ndarray]) -> None:
    spectrum = magnitudes(tone(1000.0, 0.1))
    assert spectrum.shape == ((1600 - 256) // 64 + 1, 128)  # the first buffer is not padded
    assert (spectrum.argmax(axis=1) == 16).all()
    assert spectrum[0, 16] == pytest.approx(np.hamming(256).sum() / 2, rel=1e-3)
    offset = magnitudes(np.full(256, 0.5, np.float32))
    assert offset[0, 0] == pytest.approx(-0.5 * np.hamming(256).sum(), rel=1e-5)


def test_raw_maxima_against_loops() -> None:
    spectrum = np.random.default_rng(0).integers(0, 60, (40, 30)).astype(np.float32)
    expected = []
    for t in range(7, 40 - 7):
        for f in range(30):
            most = spectrum[t - 7 : t + 7, max(f - 7, 0) : f + 8].max()
            least = spectrum[t - 3 : t + 3, max(f - 3, 0) : f + 4].min()
            if spectrum[t, f] == most and most != 0 and least != 0:
                expected.append((t, f))
    assert len(expected) > 1
    assert rows_of(raw_maxima(spectrum)) == expected


@pytest.mark.parametrize("frames", [0, 1, 14])
def test_fewer_frames_than_the_filter_give_no_points(frames: int) -> None:
    assert len(raw_maxima(np.ones((frames, 128), np.float32)).frames) == 0


def test_weaker_of_two_near_points_goes() -> None:
    # Bin 20 to 21 is 84 cents, 100 frames are 400 ms, 150 frames are 600 ms.
    assert cents_of(np.array([21]))[0] - cents_of(np.array([20]))[0] == pytest.approx(84.5, abs=0.1)
    assert rows_of(thinned(points((0, 20, 1.0), (100, 21, 2.0)))) == [(100, 21)]
    assert rows_of(thinned(points((0, 20, 2.0), (100, 21, 1.0)))) == [(0, 20)]
    assert len(rows_of(thinned(points((0, 20, 2.0), (150, 20, 1.0))))) == 2
    assert len(rows_of(thinned(points((0, 20, 2.0), (0, 40, 1.0))))) == 2  # an octave apart


def test_three_points_per_frame_and_the_weakest_goes() -> None:
    crowd = points((0, 4, 4.0), (0, 8, 1.0), (0, 16, 3.0), (0, 32, 2.0), (0, 64, 5.0))
    assert rows_of(thinned(crowd)) == [(0, 4), (0, 16), (0, 64)]


def test_only_the_last_25_points_are_looked_at() -> None:
    # Octave steps within 5 bins a frame would break the limit of 3, so use 13 frames of 2.
    far = [(frame, b, 9.0) for frame in range(1, 13) for b in (4, 120)]
    spread = points((0, 11, 1.0), (1, 11, 2.0))
    assert rows_of(thinned(spread)) == [(1, 11)]
    assert len(rows_of(thinned(points((0, 11, 1.0), *far)))) < 25


def naive_pairs(found: Points) -> set[tuple[int, int]]:
    cents = cents_of(found.bins)
    by_sum = {}
    for i in range(len(found.frames)):
        for j in range(len(found.frames)):
            millis = (found.frames[j] - found.frames[i]) * 4
            apart = abs(cents[i] - cents[j])
            if 60 < millis < 2000 and apart < 1800 and found.bins[i] != found.bins[j]:
                by_sum[found.magnitudes[i] + found.magnitudes[j]] = (i, j)
    served, chosen = [0] * len(found.frames), set()
    for _, (i, j) in sorted(by_sum.items(), reverse=True):
        if served[i] < 2 and served[j] < 2:
            served[i] += 1
            served[j] += 1
            chosen.add((i, j))
    return chosen


@pytest.mark.parametrize("levels", [4, 1000])
def test_greedy_pairs_against_loops(levels: int) -> None:
    rng = np.random.default_rng(levels)
    found = Points(
        np.sort(rng.integers(0, 2500, 40)),
        rng.integers(1, 128, 40),
        rng.integers(1, levels, 40).astype(np.float32),
    )
    i, j = strongest_pairs(found)
    assert set(zip(i.tolist(), j.tolist(), strict=True)) == naive_pairs(found)
    assert (np.diff(i) >= 0).all()


def test_limits_of_a_pair_are_exclusive() -> None:
    for step, pairs in ((15, 0), (16, 1), (499, 1), (500, 0)):  # 60, 64, 1996, 2000 ms
        assert len(strongest_pairs(points((0, 20, 1.0), (step, 30, 2.0)))[0]) == pairs
    assert len(strongest_pairs(points((0, 20, 1.0), (50, 20, 2.0)))[0]) == 0
    assert len(strongest_pairs(points((0, 20, 1.0), (50, 57, 2.0)))[0]) == 0  # 1,813 cents


def test_hash_by_hand() -> None:
    up = hash_of(np.array([10]), np.array([13]), np.array([20]))
    assert up.tolist() == [10 * 2**15 + 3 * 2**7 + 20]
    down = hash_of(np.array([13]), np.array([10]), np.array([20]))
    assert down.tolist() == [-(13 * 2**15 + 3 * 2**7 + 20)]
    # 512 ms later the step wraps round.
    assert hash_of(np.array([10]), np.array([13]), np.array([148])).tolist() == up.tolist()


def test_equal_hashes_within_100_frames_are_stored_once() -> None:
    prints = Prints(np.array([5, 6, 5, 5, 6]), np.array([0, 0, 99, 199, 100], np.int32)[:, None])
    kept = merged(prints)
    assert sorted(zip(kept.hashes.tolist(), kept.frames.tolist(), strict=True)) == [
        (5, 0),
        (5, 199),
        (6, 0),
        (6, 100),
    ]
    assert len(merged(Prints(np.empty(0, np.int64), np.empty((0, 1), np.int32)))) == 0


def fed(hashes: list[int], frames: list[int]) -> Prints:
    return Prints(np.array(hashes), np.array(frames, np.int32)[:, None])


def test_five_aligned_hits_at_five_times() -> None:
    system = PanakoNfft("paper")
    system.table.add("a", fed([1, 2, 3, 4, 5, 6], [100, 110, 120, 130, 140, 140]))
    answer = system.answers(fed([1, 2, 3, 4, 5], [0, 10, 20, 30, 40]))[0]
    assert (answer.key, answer.score) == ("a", 5.0)
    assert answer.offset_s == pytest.approx(0.4)
    assert system.answers(fed([1, 2, 3, 4], [0, 10, 20, 30])) == []
    assert system.answers(fed([1, 2, 3, 4, 5], [0, 10, 20, 30, 41])) == []
    assert system.answers(fed([2, 3, 4, 5, 6], [10, 20, 30, 40, 40])) == []  # four times


def test_an_excerpt_gets_other_prints_and_one_second_no_answer(voices: list[np.ndarray]) -> None:
    system = PanakoNfft("paper")
    system.add("a", voices[0])
    whole, part = system.prints(voices[0]), system.prints(voices[0][48_000:96_000])
    inside = {
        (h, f - 750)
        for h, f in zip(whole.hashes.tolist(), whole.frames.tolist(), strict=True)
        if 750 <= f < 1500
    }
    excerpt = set(zip(part.hashes.tolist(), part.frames.tolist(), strict=True))
    assert 0 < len(inside & excerpt) < min(len(inside), len(excerpt))
    assert all(system.query(voices[0][s : s + 16_000]) == [] for s in range(0, 140_000, 8000))
