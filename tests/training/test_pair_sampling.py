from __future__ import annotations

import numpy as np
import pytest

from samaf.features import FeatureParameters
from samaf.training.sampling import (
    NEAREST,
    active_before,
    choose_moments,
    clip_weights,
    mine_hard_negatives,
)

BLOCK = FeatureParameters(coefficients=1, stack=100)  # a block is one step of 100 numbers


def test_rare_speakers_sources_and_languages_weigh_more() -> None:
    weights = clip_weights(
        np.array(["a"] * 4 + ["b", "c", "d"]),
        np.array(["x"] * 6 + ["y"]),
        np.array(["en"] * 5 + ["fr", "en"]),
        np.zeros(7, bool),
    )
    assert weights.sum() == pytest.approx(1)
    assert weights[4] == pytest.approx(2 * weights[0])
    assert weights[5] == pytest.approx(weights[4] * 6**0.25)
    assert weights[6] == pytest.approx(weights[4] * 6**0.25)


def test_joined_clips_weigh_half() -> None:
    same = np.array(["a", "a"])
    one, joined = clip_weights(same, same, same, np.array([False, True]))
    assert one == pytest.approx(2 * joined)


def test_frames_30_db_below_the_loud_ones_are_pauses() -> None:
    energy = np.array([0.0] * 50 + [-6.8] * 3 + [-7.0] * 2)
    assert active_before(energy).tolist() == [*range(54), 53, 53]


def test_most_moments_hold_enough_and_some_the_least() -> None:
    activity = np.tile([0.05, 0.2, 0.7, 1.0], (2000, 1))
    chosen = choose_moments(activity, np.random.default_rng(1))
    assert set(chosen.tolist()) == {1, 2}
    assert (chosen == 1).mean() == pytest.approx(0.12, abs=0.03)


def test_moments_that_hold_too_little_give_the_fullest() -> None:
    activity = np.tile([0.02, 0.05, 0.0, 0.03], (50, 1))
    assert (choose_moments(activity, np.random.default_rng(1)) == 1).all()


def code(inputs: np.ndarray) -> np.ndarray:
    """Give 100 bits: the signs of a block's frames."""
    return inputs[:, 0, :]


def test_hard_negatives_are_the_nearest_blocks_of_other_speakers() -> None:
    rng = np.random.default_rng(3)
    words = np.sign(rng.standard_normal((3, 100)))
    near = words.copy()
    near[:, :20] *= -1  # BER 0.2
    same = words.copy()
    same[:, :5] *= -1  # nearer than any other voice comes
    clips = [words, near[[2, 0, 1]], same, words]
    frames = np.concatenate(clips).reshape(-1, 1).astype(np.float16)
    starts, counts = np.arange(4) * 300, np.full(4, 300)
    speakers = np.array(["a", "b", "c", "a"])
    found = mine_hard_negatives(frames, starts, counts, speakers, code, BLOCK)
    assert found.first.tolist() == [0, 5, 10, 15, 20]  # blocks lie 50 frames apart
    assert NEAREST > 0.05
    for word, place in enumerate((100, 200, 0)):
        row = 2 * word
        assert (found.clips[row, 0], found.frames[row, 0]) == (1, place)
    clip, frame = found.draw(np.array([0, 0]), np.array([3.0, 3.0]), rng)
    assert set(clip.tolist()) <= {1, 2}  # of other speakers
    assert frame.shape == (2,)


def test_one_speaker_has_no_hard_negatives() -> None:
    frames = np.ones((300, 1), np.float16)
    one = np.zeros(1, int), np.array([300]), np.array(["a"])
    assert mine_hard_negatives(frames, *one, code, BLOCK).clips.shape == (5, 0)
