"""Dejavu: levels, peaks and hashes by hand, and what the release is known for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from baselines.dejavu import SETTINGS, Dejavu, decibels, pair_hashes, peaks_of
from baselines.table import Prints

PAPER = SETTINGS["paper"]


def sines(tone: Callable[..., np.ndarray], *parts: tuple[float, float]) -> np.ndarray:
    """Bursts of 0.3 s with gaps of 0.7 s: (hertz, start in s)."""
    samples = np.zeros(16_000 * 8, np.float32)
    for hertz, start in parts:
        first = int(16_000 * start)
        samples[first : first + 4800] += tone(hertz, 0.3, 0.3)
    return samples


def test_full_scale_sine_has_75_db() -> None:
    sine = 32_768 * np.sin(2 * np.pi * 100 / 4096 * np.arange(8192)).astype(np.float32)
    levels = decibels(sine, 44_100, 4096, 2048)
    # A^2 (sum w)^2 / 4 x 2 / (fs sum w^2) with sum w = N / 2 and sum w^2 = 3 N / 8
    by_hand = 10 * np.log10(32_768**2 * (4096 / 2) ** 2 / 2 / (44_100 * 3 * 4096 / 8))
    assert by_hand == pytest.approx(75.2, abs=0.1)
    assert levels[:, 100] == pytest.approx(by_hand, abs=0.01)
    quiet = decibels(sine * np.float32(10 ** (-65 / 20)), 44_100, 4096, 2048)
    assert quiet[0, 100] == pytest.approx(10.2, abs=0.1)


def test_edge_bins_are_not_doubled() -> None:
    constant = np.full(8, 3.0, np.float32)
    taper = np.hanning(8)
    levels = decibels(constant, 10, 8, 4)
    assert levels[0, 0] == pytest.approx(
        10 * np.log10(9 * taper.sum() ** 2 / 10 / (taper**2).sum())
    )


@pytest.mark.parametrize(
    ("samples", "frames"), [(100, 1), (4096, 1), (6143, 1), (6144, 2), (44_100, 20)]
)
def test_frames(samples: int, frames: int) -> None:
    assert decibels(np.ones(samples, np.float32), 44_100, 4096, 2048).shape == (frames, 2049)


def test_hashes_of_hand_made_peaks() -> None:
    peaks = np.array([[0, 5], [0, 9], [3, 2], [203, 7], [204, 7]])
    prints = pair_hashes(peaks, PAPER)
    assert sorted(zip(prints.hashes.tolist(), prints.frames.tolist(), strict=True)) == sorted(
        [
            ((5 << 20) + (9 << 8) + 0, 0),  # a pair within one frame
            ((5 << 20) + (2 << 8) + 3, 0),
            ((9 << 20) + (2 << 8) + 3, 0),
            ((2 << 20) + (7 << 8) + 200, 3),  # 200 frames are allowed, 201 are not
            ((7 << 20) + (7 << 8) + 1, 203),
        ]
    )


def test_fan_of_15_gives_14_successors() -> None:
    peaks = np.stack([np.arange(20), np.arange(20)], axis=1)
    prints = pair_hashes(peaks, PAPER)
    assert np.bincount(prints.frames)[:6].tolist() == [14] * 6
    assert len(prints) == 14 * 6 + 13 * 14 // 2


def test_tone_pair_gives_its_hash(tone: Callable[..., np.ndarray]) -> None:
    samples = sines(tone, (1076.66, 1.0), (2153.32, 3.0))  # bins 100 and 200
    peaks = peaks_of(samples, PAPER)
    assert {100, 200} <= set(peaks[:, 1].tolist())
    hashes = pair_hashes(peaks, PAPER).hashes
    pairs = {(h >> 20, h >> 8 & 4095) for h in hashes.tolist()}
    assert (100, 200) in pairs
    steps = [h & 255 for h in hashes.tolist() if (h >> 20, h >> 8 & 4095) == (100, 200)]
    assert any(abs(step - 2.0 * 44_100 / 2048) <= 2 for step in steps)


@pytest.mark.slow
def test_digital_silence_counts_as_0_db(tone: Callable[..., np.ndarray]) -> None:
    assert len(peaks_of(np.zeros(16_000, np.float32), PAPER)) == 0
    # A tone of -3 dB within silence: hidden as released, found where silence is nothing.
    samples = np.zeros(16_000 * 8, np.float32)
    samples[64_000:88_000] = tone(1000.0, 1.5, 2.4 / 32_768)
    released = replace(PAPER, sample_rate=16_000, threshold=-10.0)
    assert 256 not in [b for t, b in peaks_of(samples, released).tolist() if 31 < t < 42]
    honest = replace(released, released=False, relative=True)
    assert 256 in [b for t, b in peaks_of(samples, honest).tolist() if 31 < t < 42]


def test_relative_threshold_ignores_loudness(voices: list[np.ndarray]) -> None:
    best = SETTINGS["best"]
    loud = peaks_of(voices[0], best)
    assert len(loud) > 100
    assert peaks_of(voices[0] * np.float32(2**-6), best).tolist() == loud.tolist()
    assert len(peaks_of(voices[0] * np.float32(2**-6), PAPER)) < len(peaks_of(voices[0], PAPER))


def test_one_frame_pairs_survive_reversal(voices: list[np.ndarray]) -> None:
    system = Dejavu("paper")
    for number, samples in enumerate(voices):
        system.add(str(number), samples)
    clip = np.ascontiguousarray(voices[2][32_000:128_000][::-1])
    query = system.prints(clip)
    answer = system.answers(query)[0]
    assert answer.key == "2"
    same_frame = query.take(query.hashes & 255 == 0)
    assert system.answers(same_frame)[0].score >= 0.9 * answer.score


def test_each_hash_of_the_query_votes_once() -> None:
    system = Dejavu("paper")
    system.table.add("a", Prints(np.array([7, 7, 8]), np.array([[10], [20], [21]], np.int32)))
    twice = Prints(np.array([7, 7, 8]), np.array([[0], [10], [11]], np.int32))
    assert system.answers(twice)[0].score == 2  # frames 20 - 10 and 21 - 11
    system.constants = SETTINGS["best"]
    assert system.answers(twice)[0].score == 3


def test_always_answers_and_first_added_wins_a_tie() -> None:
    system = Dejavu("paper")
    for key in ("b", "a"):
        system.table.add(key, Prints(np.array([7]), np.array([[10]], np.int32)))
    query = Prints(np.array([7]), np.array([[4]], np.int32))
    answers = system.answers(query)
    assert [(answer.key, answer.score) for answer in answers] == [("b", 1.0)]
    assert answers[0].offset_s == pytest.approx(6 * 2048 / 44_100)
    assert system.answers(Prints(np.array([9]), np.array([[4]], np.int32))) == []


def test_best_scores_by_the_lead_over_the_next() -> None:
    system = Dejavu("best")
    system.table.add("a", Prints(np.array([1, 2]), np.array([[0], [1]], np.int32)))
    system.table.add("b", Prints(np.array([1, 2, 3, 4]), np.array([[5], [6], [8], [9]], np.int32)))
    answers = system.answers(
        Prints(np.array([1, 2, 3, 4]), np.array([[0], [1], [2], [3]], np.int32))
    )
    assert [(answer.key, answer.score) for answer in answers] == [("b", 2.0), ("a", 0.5)]
    assert answers[0].offset_s == pytest.approx(5 * 0.016)  # offsets 5 and 6 count together
