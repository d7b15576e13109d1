from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from training_data import TINY, babbling, made_dataset, nothing

from samaf.features import FeatureParameters, mfcc
from samaf.training import spectral
from samaf.training.dataset import JITTER_FRAMES, Dataset
from samaf.training.sampling import HardNegatives, Sampling

FRAMES = FeatureParameters()
TAU = (1.0, 0.75, 1.5)
WHOLE = FeatureParameters(coefficients=26, floor=1e-7)
BLOCK = replace(FRAMES, coefficients=2)  # 100 steps, no mean subtraction
AUGMENTED = Sampling(augmented=True)


def timed_dataset(count: int = 400) -> Dataset:
    """Frames that say which clip they are of and which frame of the original they were."""
    rows, starts, counts = [], [], []
    for clip in range(4):
        for tau in TAU:
            length = int(count * tau)
            starts.append(sum(len(r) for r in rows))
            counts.append(length)
            rows.append(np.stack([np.full(length, clip), np.arange(length) / tau], axis=1))
    shape = (4, len(TAU))
    return Dataset(
        np.concatenate(rows).astype(np.float16),
        np.array(starts).reshape(shape),
        np.array(counts).reshape(shape),
        np.tile(np.float32(TAU), (4, 1)),
        np.full(4, 0.25),
    )


def test_pairs_show_one_moment_of_one_clip() -> None:
    blocks, moments = timed_dataset().pairs(1, 0, 500, BLOCK)
    originals, copies = blocks[:500], blocks[500:]
    assert np.array_equal(originals[:, 0, 0], moments[:, 0])
    assert np.array_equal(copies[:, :, 0].min(1), copies[:, :, 0].max(1))
    assert np.array_equal(originals[:, 50, 0], copies[:, 50, 0])
    assert np.allclose(originals[:, 0, 1], np.floor(moments[:, 1]))
    # The middles agree within the jitter, which is in frames of the copy.
    apart = originals[:, 50, 1] - copies[:, 50, 1]
    assert np.abs(apart).max() <= (JITTER_FRAMES + 2) / min(TAU)
    assert abs(apart.mean()) < 1
    assert np.unique(np.diff(copies[:, :, 1], axis=1).mean(1).round(1)).size >= 2  # both copies


def test_pairs_reach_both_ends_of_clips() -> None:
    data = timed_dataset()
    at = np.concatenate([data.pairs(1, step, 200, BLOCK)[1][:, 1] for step in range(5)])
    assert at.min() < 10
    assert at.max() > 285


def test_several_moments_of_a_clip_are_drawn_together() -> None:
    _, moments = timed_dataset().pairs(1, 0, 40, BLOCK)
    clips = moments[:, 0].reshape(-1, 4)
    assert (clips == clips[:, :1]).all()


@pytest.mark.parametrize("draw", ["pairs", "blocks"])
def test_batches_depend_on_seed_and_step_alone(draw: str) -> None:
    def batch(seed: int, step: int) -> np.ndarray:
        return np.asarray(getattr(made_dataset(), draw)(seed, step, 8, TINY)[0])

    first = batch(1, 5)
    assert first.shape == (16, 4, 26)
    assert np.array_equal(first, batch(1, 5))
    assert not np.array_equal(first, batch(1, 6))
    assert not np.array_equal(first, batch(2, 5))


def voiced_dataset() -> Dataset:
    """Hold real frames of as many coefficients as bands; copies are like the original."""
    noise = np.random.default_rng(5).normal(0, 0.02, (3, 80_000)).astype(np.float32)
    clips = [mfcc(babbling(5, seed) + noise[seed], WHOLE) for seed in range(3)]
    count = len(clips[0])
    starts = np.arange(9).reshape(3, 3) * count
    frames = np.concatenate([np.tile(c, (3, 1)) for c in clips]).astype(np.float16)
    tau, weights = np.ones((3, 3), np.float32), np.full(3, 1 / 3)
    return Dataset(frames, starts, np.full((3, 3), count), tau, weights)


def test_without_any_draw_redrawn_pairs_are_what_was_prepared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for share in ("SHARE", "BACKWARDS", "SPLICED", "MOVED"):
        monkeypatch.setattr(spectral, share, 0.0)
    data, model = voiced_dataset(), replace(WHOLE, coefficients=13)
    blocks, moments = data.pairs(1, 0, 40, model, AUGMENTED)
    for block, (clip, at) in zip(blocks[:40], moments, strict=True):
        rows = int(data.starts[int(clip), 0]) + np.arange(int(at), int(at) + 101)
        frames = data.frames[rows, :13].astype(np.float32)
        part = at - int(at)
        assert np.abs(block - (frames[:100] * (1 - part) + frames[1:] * part)).max() < 0.2


def test_pairs_that_run_backwards_are_the_same_blocks_the_other_way_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for share in ("SHARE", "BACKWARDS", "SPLICED", "MOVED"):
        monkeypatch.setattr(spectral, share, 0.0)
    data, model = voiced_dataset(), replace(WHOLE, coefficients=13)
    forwards, moments = data.pairs(1, 0, 40, model, AUGMENTED)
    monkeypatch.setattr(spectral, "BACKWARDS", 1.0)
    backwards, same = data.pairs(1, 0, 40, model, AUGMENTED)
    assert np.array_equal(moments, same)
    assert np.abs(backwards[:, ::-1] - forwards).max() < 1e-3


@pytest.mark.parametrize("pace", [1.0, 0.8, -1.2])
def test_a_copy_gets_the_time_factor_that_is_drawn_around_the_same_moment(
    monkeypatch: pytest.MonkeyPatch, pace: float
) -> None:
    """Here a frame is the time of the original, so that slopes are factors of time."""
    wanted = np.tile([0.65, 0.9, 1.2, 1.6], 100)
    draw = nothing(400, pace=np.full(400, pace), tau=wanted)
    monkeypatch.setattr(spectral, "draw", lambda count, rng: draw)
    monkeypatch.setattr(spectral, "powers", lambda frames, parameters: frames)
    monkeypatch.setattr(spectral, "cepstra", lambda power, parameters: power)
    blocks, _ = timed_dataset().pairs(1, 0, 400, replace(BLOCK, mel_bands=2), AUGMENTED)
    originals, copies = blocks[:400, :, 1], blocks[400:, :, 1]
    inside = (originals.min(axis=1) > 0) & (copies.min(axis=1) > 0) & (copies.max(axis=1) < 396)
    assert inside.mean() > 0.8
    for block, factor in ((originals, np.ones(400)), (copies, wanted)):
        slopes = (block[:, -1] - block[:, 0]) / 99
        assert np.allclose(slopes[inside], (pace / factor)[inside], atol=0.02)
    # The middles agree within the jitter, which is in frames of the prepared copy.
    apart = (originals - copies).mean(axis=1)[inside]
    assert np.abs(apart).max() <= (JITTER_FRAMES + 2) / min(TAU)
    assert abs(apart.mean()) < 2


@pytest.mark.slow
def test_redrawn_pairs_still_show_one_moment() -> None:
    model = replace(WHOLE, coefficients=13, subtract_mean=True)
    blocks, moments = voiced_dataset().pairs(1, 0, 200, model, AUGMENTED)
    assert blocks.shape == (400, 100, 13)
    assert np.isfinite(blocks).all()
    again, _ = voiced_dataset().pairs(1, 0, 200, model, AUGMENTED)
    assert np.array_equal(blocks, again)
    flat = blocks.reshape(400, -1)
    alike = np.corrcoef(flat)[:200, 200:]
    other = ~(moments[:, None, 0] == moments[None, :, 0])
    # Echoes, rooms, backgrounds and half a hop of jitter leave the moment recognisable.
    assert np.median(np.diagonal(alike)) > 4 * np.abs(np.median(alike[other]))
    assert np.unique(blocks[:200, :, 0].std(axis=1)).size > 100


def test_blocks_come_from_originals_and_copies_alike() -> None:
    blocks, _ = timed_dataset().blocks(1, 0, 300, BLOCK)
    assert blocks.shape == (600, 100, 2)
    assert (blocks[:, :, 0] == blocks[:, :1, 0]).all()
    paces = np.diff(blocks[:, :, 1], axis=1).mean(axis=1)
    for tau in TAU:
        assert 0.2 < np.isclose(paces, 1 / tau, atol=0.02).mean() < 0.5


def test_scale_is_mean_over_all_and_deviation_within_blocks() -> None:
    frames = np.array([[0.0], [2.0], [10.0], [14.0]], np.float16)
    one = np.array([[0, 0]]), np.array([[4, 4]]), np.ones((1, 2), np.float32)
    mean, deviation = Dataset(frames, *one, np.ones(1)).scale(1, 2)
    assert mean.tolist() == [6.5]
    assert deviation[0] == pytest.approx(np.sqrt((1 + 4) / 2))


def test_one_pair_a_clip_takes_every_clip_once() -> None:
    _, moments = timed_dataset().pairs(1, 0, 4, BLOCK, Sampling(anchors_per_clip=1))
    assert sorted(moments[:, 0].tolist()) == [0, 1, 2, 3]


def test_hard_negatives_follow_the_pairs_that_they_resemble() -> None:
    # Every block of clip n resembles the block 20 frames later in clip n + 1.
    rows = 7  # blocks 50 frames apart in 400 frames
    clips = np.repeat((np.arange(4) + 1) % 4, rows)[:, None]
    frames = np.tile(np.arange(rows) * 50 + 20, 4)[:, None]
    data = replace(
        timed_dataset(), hard_negatives=HardNegatives(np.arange(5) * rows, clips, frames)
    )
    _, moments = data.pairs(1, 0, 200, BLOCK, Sampling(hard_negatives=0.5))
    pairs, alike = moments[:100], moments[100:]
    assert np.array_equal(alike[:, 0], (pairs[:, 0] + 1) % 4)
    apart = alike[:, 1] - pairs[:, 1]
    assert (apart <= 20 + 1e-3).all()  # less only where the other clip ends
    assert np.median(apart) == pytest.approx(20, abs=1e-3)


def test_moments_that_hold_nothing_are_not_drawn() -> None:
    # The first 200 of 400 frames are silent.
    frames = np.zeros((800, 2), np.float16)
    frames[200:400, 0] = frames[600:, 0] = 20
    shape = np.array([[0, 400]]), np.array([[400, 400]]), np.ones((1, 2), np.float32)
    data = Dataset(frames, *shape, np.ones(1))
    at = np.concatenate([data.pairs(1, step, 200, BLOCK)[1][:, 1] for step in range(5)])
    held = np.clip(at + 100 - 200, 0, 100) / 100
    assert (held < 0.1).mean() < 0.03  # only where all four candidates are silent
    assert 0.05 < ((held >= 0.1) & (held < 0.4)).mean() < 0.3
