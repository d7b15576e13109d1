"""Repeats in made-up hashes, and the correlation of samples."""

from __future__ import annotations

import numpy as np
import pytest

from samaf.audio import load
from samaf.demo import CLIPS
from samaf.matching.self_matches import (
    GRIDS,
    TONAL,
    SelfMatch,
    candidates,
    correlation,
    distinct,
    self_matches,
    tonal_share,
)

HOP = 8  # frames


def search(rng: np.random.Generator, at: np.ndarray) -> list[SelfMatch]:
    """Search a recording whose block at frame f has the bits of number ``at[f]``."""
    pool = rng.integers(0, 256, (at.max() + 1, 32), np.uint8)

    def hash_at(frames: np.ndarray) -> np.ndarray:
        return pool[at[frames]]

    grid = HOP * np.arange((len(at) - HOP) // HOP)
    grids = [hash_at(grid + by * HOP // GRIDS) for by in range(GRIDS)]
    return self_matches(grids, np.ones(len(grid), bool), hash_at, len(at), HOP)


def numbers(frames: int) -> np.ndarray:
    """Blocks that change every two frames, so that an eighth of a hop off is still alike."""
    return np.arange(frames) // 2


@pytest.mark.parametrize("shift", [0, 3, 6])
def test_a_copy_is_found_wherever_it_lies(shift: int) -> None:
    rng = np.random.default_rng(1)
    at = numbers(60 * HOP)
    first, second, length = 10 * HOP, 35 * HOP + shift, 8 * HOP
    at[second : second + length] = at[first : first + length]
    (found,) = search(rng, at)
    assert found.ber == 0
    assert found.second - found.first == pytest.approx((second - first) / HOP, abs=0.2)
    assert found.first == pytest.approx(10, abs=2)


def test_nothing_is_found_in_what_never_repeats() -> None:
    assert search(np.random.default_rng(2), numbers(60 * HOP)) == []


@pytest.mark.parametrize("count", range(1, 12))
def test_a_steady_tone_of_any_length_is_not_distinct(count: int) -> None:
    rows = np.random.default_rng(4).integers(0, 256, (count, 32), np.uint8)
    assert distinct(rows).all()
    # A hash with none a second before or after has nothing to be told from.
    alone = [h < 4 and h + 4 >= count for h in range(count)]
    assert distinct(rows[:1].repeat(count, 0)).tolist() == alone


def test_neighbors_and_noise_are_no_candidates() -> None:
    rows = np.zeros((30, 32), np.uint8)
    lags = {lag for _, lag, _ in candidates(rows, rows, np.ones(30, bool))}
    assert min(lags) == 6
    assert list(candidates(rows, rows, np.zeros(30, bool))) == []
    assert list(candidates(rows[:5], rows[:5], np.ones(5, bool))) == []


def test_correlation_finds_the_lag_and_knows_silence() -> None:
    rng = np.random.default_rng(3)
    one = rng.normal(size=4_000).astype(np.float32)
    other = np.concatenate([rng.normal(size=100), 0.1 * one, rng.normal(size=60)])
    likeness, place = correlation(one, other)
    assert (likeness, place) == (pytest.approx(1, abs=1e-6), 100)
    noisy = other + rng.normal(0, 0.1, len(other))
    assert correlation(one, noisy)[0] == pytest.approx(0.71, abs=0.05)
    assert correlation(one, rng.normal(size=4_200))[0] < 0.1
    assert correlation(one, np.zeros(4_200, np.float32))[0] == 0


def test_tones_are_told_from_speech() -> None:
    at = np.arange(32_000) / 16_000
    ringing = np.sin(2 * np.pi * 440 * at) + np.sin(2 * np.pi * 480 * at)
    ringing[16_000:] = 0
    noise = np.random.default_rng(1).normal(0, 0.05, 32_000)
    assert tonal_share(ringing + noise) > TONAL
    assert tonal_share(noise) < 0.1
    assert tonal_share(np.zeros(32_000)) == 0
    speech = load(CLIPS / "bruno-garden.ogg")
    assert max(tonal_share(speech[a : a + 19_200]) for a in range(0, 140_000, 8_000)) < 0.9
