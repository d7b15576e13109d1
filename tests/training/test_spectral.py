from __future__ import annotations

import numpy as np
import pytest
from training_data import babbling, nothing

from samaf.features import FeatureParameters, mfcc
from samaf.training import spectral

WHOLE = FeatureParameters(coefficients=26, floor=1e-7)
CONTEXT, BANDS = spectral.CONTEXT_FRAMES, 26


def noisy() -> np.ndarray:
    """Make two seconds in which no band is ever below the floor."""
    return babbling(2, 1) + np.random.default_rng(2).normal(0, 0.02, 32_000).astype(np.float32)


def impulse() -> np.ndarray:
    power = np.zeros((1, CONTEXT + 100, BANDS), np.float32)
    power[0, CONTEXT] = 1
    return power


def test_frames_survive_the_way_to_powers_and_back() -> None:
    frames = mfcc(noisy(), WHOLE)
    back = spectral.cepstra(spectral.powers(frames, WHOLE), WHOLE)
    assert np.abs(back - frames).max() < 0.02


def test_powers_add_up_to_the_energy_of_the_frame() -> None:
    frames = mfcc(noisy(), WHOLE)
    assert np.allclose(np.log(spectral.powers(frames, WHOLE).sum(axis=1)), frames[:, 0], atol=1e-4)


def test_powers_are_those_of_the_mel_bands() -> None:
    samples = noisy()
    frames = mfcc(samples, WHOLE)
    louder = mfcc(10 * samples, WHOLE)
    ratio = spectral.powers(louder, WHOLE) / spectral.powers(frames, WHOLE)
    assert np.allclose(ratio, 100, rtol=0.02)


def test_the_middle_voice_changes_nothing_and_the_outer_ones_move_the_spectrum() -> None:
    power = np.full((3, 4, BANDS), 1e-3, np.float32)
    power[:, :, 14] = 1
    middle = spectral.VOICES // 2
    low, same, high = spectral.with_voice(power, middle + np.array([-8, 0, 8]), WHOLE)
    assert np.array_equal(same, power[0])
    # Band k of the new voice reads the spectrum at its frequency times the factor.
    assert low[0].argmax() == 15
    assert high[0].argmax() == 13


@pytest.mark.parametrize("level", [0.1, 2.0])
def test_a_background_has_the_power_that_was_drawn(level: float) -> None:
    power = np.full((1, CONTEXT + 100, BANDS), 4, np.float32)
    sounds = np.random.default_rng(1).random((1, 100, BANDS)).astype(np.float32)
    drawn = nothing(1, background=np.array([level], np.float32))
    added = spectral.distorted(power, sounds, drawn) - 4
    assert added.mean() == pytest.approx(4 * level, rel=1e-3)
    assert np.corrcoef(added.ravel(), sounds.ravel())[0, 1] > 0.999


def test_an_echo_repeats_after_its_delay() -> None:
    drawn = nothing(1, echo=np.array([0.25], np.float32), delay=np.array([7]))
    heard = spectral.distorted(impulse(), np.zeros((1, 100, BANDS), np.float32), drawn)
    assert np.flatnonzero(heard[0, :, 3]).tolist() == [0, 7]
    assert heard[0, 7, 3] == 0.25


def test_a_room_adds_a_decaying_tail_of_its_power() -> None:
    room, decay = np.array([0.5], np.float32), np.array([0.8], np.float32)
    drawn = nothing(1, room=room, decay=decay)
    heard = spectral.distorted(impulse(), np.zeros((1, 100, BANDS), np.float32), drawn)
    tail = heard[0, 1:, 0]
    assert tail[1] / tail[0] == pytest.approx(0.8)
    assert tail.sum() == pytest.approx(0.5, rel=1e-3)


def test_spliced_pairs_go_on_as_the_next_in_the_ring_at_their_own_level() -> None:
    originals = np.repeat(np.array([1, 2, 4, 8], np.float32), 100 * BANDS).reshape(4, 100, BANDS)
    copies = np.repeat(np.array([3, 5, 7, 9], np.float32), (CONTEXT + 100) * BANDS)
    copies = copies.reshape(4, CONTEXT + 100, BANDS)
    spectral.splice(originals, copies, nothing(4, spliced=np.array([0, 3, 1]), cut=30))
    assert np.all(originals == np.array([1, 2, 4, 8])[:, None, None])
    assert np.all(copies[:, : CONTEXT + 30] == np.array([3, 5, 7, 9])[:, None, None])
    after = copies[:, CONTEXT + 30 :]
    assert np.all(after[[0, 1, 3]] == np.array([9 / 8, 3 * 2, 5 * 4])[:, None, None])
    assert np.all(after[2] == 7)


def test_what_is_drawn_lies_in_its_ranges_and_about_half_gets_it() -> None:
    drawn = spectral.draw(4000, np.random.default_rng(3))
    assert 0.45 < (drawn.background > 0).mean() < 0.55
    assert np.array_equal(drawn.background > 0, drawn.sounds > 0)
    assert not np.any((drawn.echo > 0) & (drawn.room > 0))
    assert np.all((drawn.delay > 0) & (drawn.delay < CONTEXT))
    assert np.exp(-0.22) <= np.abs(drawn.pace).min() < 0.9
    assert 0.15 < (drawn.pace < 0).mean() < 0.25
    assert 0.3 < len(drawn.spliced) / 4000 < 0.4
    assert len(np.unique(drawn.spliced)) == len(drawn.spliced)
    assert np.all(drawn.decay < 1)


def test_tempo_pitch_or_speed_is_drawn_for_a_third_of_the_copies() -> None:
    drawn = spectral.draw(6000, np.random.default_rng(3))
    timed, shifted = ~np.isnan(drawn.tau), drawn.shift != 0
    for kind in (timed & ~shifted, ~timed & shifted, timed & shifted):
        assert 0.08 < kind.mean() < 0.15
    assert np.exp(-spectral.TIME) <= np.nanmin(drawn.tau) < 0.65
    assert 1.6 < np.nanmax(drawn.tau) <= np.exp(spectral.TIME)
    speed = timed & shifted
    assert np.allclose(np.log(drawn.tau[speed]), drawn.shift[speed] * spectral.STEP, atol=0.01)
    # No voice leaves the grid.
    numbers = drawn.voice + drawn.shift
    assert numbers.min() >= 0
    assert numbers.max() < spectral.VOICES
    assert np.ptp(drawn.voice) <= 16


def test_a_change_of_speed_moves_a_tone_as_resampling_does() -> None:
    """Played 1.2 times as fast: the time factor is 1 / 1.2 and 1000 Hz are read as 1200 Hz."""
    slow = mfcc(np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32), WHOLE)
    fast = mfcc(np.sin(2 * np.pi * 1200 * np.arange(16_000) / 16_000).astype(np.float32), WHOLE)
    voice = spectral.VOICES // 2 + round(np.log(1 / 1.2) / spectral.STEP)
    moved = spectral.with_voice(spectral.powers(slow[None, 10:20], WHOLE), np.array([voice]), WHOLE)
    wanted = spectral.powers(fast[10:20], WHOLE)
    assert np.array_equal(moved[0].argmax(axis=1), wanted.argmax(axis=1))
