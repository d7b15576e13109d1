from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from shutil import which

import numpy as np
import pytest
from training_data import RATE, babbling

from samaf.features import FeatureParameters, mfcc
from samaf.training import distortions as d

CLIP = babbling(2.0, 1)
SOUNDS = d.DistortionSounds(
    speech=[babbling(1.5, s) for s in (2, 3)],
    music=[babbling(1.1, 4)],
    noise=[babbling(0.4, 5)],
    rooms=[np.array([1, 0, 0.5, 0.2], np.float32)],
)
NOTHING = d.DistortionSounds([], [], [], [])
SAME_LENGTH: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "background": lambda x, r: d.background(x, r, SOUNDS),
    "background of nothing": lambda x, r: d.background(x, r, NOTHING),
    "room": lambda x, r: d.room(x, r, SOUNDS.rooms),
    "drawn room": lambda x, r: d.room(x, r, []),
    "echo": d.echo,
    "equaliser": d.equaliser,
    "line": d.line,
}
CODECS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "G.711": d.g711,
    "AMR": lambda x: d.through_codec(x, "libopencore_amrnb", "amr", 8_000, 7_400),
    "Opus": lambda x: d.through_codec(x, "libopus", "ogg", RATE, 6_000),
    "MP3": lambda x: d.through_codec(x, "libmp3lame", "mp3", RATE, 16_000),
    "AAC": lambda x: d.through_codec(x, "aac", "adts", RATE, 16_000),
    "GSM": d.gsm,
}


def power(samples: np.ndarray) -> float:
    return float(np.mean(np.square(samples, dtype=np.float64)))


@pytest.mark.parametrize("name", SAME_LENGTH)
def test_length_is_kept_and_samples_are_numbers(name: str) -> None:
    for seed in range(8):
        out = SAME_LENGTH[name](CLIP, np.random.default_rng(seed))
        assert out.shape == CLIP.shape
        assert out.dtype == np.float32
        assert np.isfinite(out).all()
        assert not np.array_equal(out, CLIP)


def test_an_echo_after_the_end_of_a_clip_is_drawn_but_not_heard() -> None:
    for seed in range(40):
        whole, short = np.random.default_rng(seed), np.random.default_rng(seed)
        wanted = d.echo(CLIP, whole)[:RATE]
        assert np.array_equal(d.echo(CLIP[:RATE], short), wanted)
        assert whole.bit_generator.state == short.bit_generator.state


@pytest.mark.parametrize("samples", [CLIP, np.zeros(RATE * 2, np.float32)], ids=["clip", "silence"])
def test_chains_give_numbers_between_minus_one_and_one(samples: np.ndarray) -> None:
    for seed in range(8):
        copy = d.distort(samples, np.random.default_rng(seed), SOUNDS)
        assert copy.samples.dtype == np.float32
        assert np.isfinite(copy.samples).all()
        assert np.abs(copy.samples).max() < 1.6  # resampling may overshoot the peak
        assert len(copy.samples) * copy.step == pytest.approx(
            len(samples) * copy.tau * copy.step**2, abs=2 * copy.step
        )


def test_the_same_seed_gives_the_same_copy() -> None:
    first, second = (d.distort(CLIP, np.random.default_rng(9), SOUNDS) for _ in range(2))
    other = d.distort(CLIP, np.random.default_rng(10), SOUNDS)
    assert np.array_equal(first.samples, second.samples)
    assert (first.tau, first.step) == (second.tau, second.step)
    assert not np.array_equal(first.samples[:1000], other.samples[:1000])


def loudest_frame(samples: np.ndarray, step: float) -> int:
    """Find the loudest frame by the features' own energy."""
    return int(mfcc(samples, FeatureParameters(tau=step))[:, 0].argmax())


@pytest.mark.slow
def test_a_moment_goes_where_the_time_factor_says() -> None:
    click = 1e-3 * np.random.default_rng(0).standard_normal(3 * RATE).astype(np.float32)
    click[RATE : RATE + 400] += babbling(0.025, 1)
    errors, moved = [], 0
    for seed in range(30):
        copy = d.distort(click, np.random.default_rng(seed), NOTHING)
        errors.append(abs(loudest_frame(copy.samples, copy.step) - 100 * copy.tau))
        moved += copy.tau != 1
    # Packet loss and hard clipping can swallow a click, echoes can outshout it.
    assert moved > 8
    assert np.median(errors) <= 2
    assert np.mean(np.array(errors) <= 6) > 0.9


@pytest.mark.parametrize("speed", [0.77, 1.0, 1.3])
@pytest.mark.parametrize("step", [0.7, 1.0, 1.45])
def test_speed_and_step_move_a_click_exactly(speed: float, step: float) -> None:
    click = np.zeros(4 * RATE, np.float32)
    click[2 * RATE] = 1
    found = loudest_frame(d.change_speed(click, speed), step)
    assert found == pytest.approx(200 / (speed * step), abs=1 + 2.5 / step)


@pytest.mark.parametrize("speed", [0.8, 1.25])
def test_speed_multiplies_frequencies(speed: float) -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE).astype(np.float32)
    fast = d.change_speed(tone, speed)
    spectrum = np.abs(np.fft.rfft(fast * np.hanning(len(fast))))
    assert spectrum.argmax() * RATE / len(fast) == pytest.approx(1000 * speed, abs=3)


@pytest.mark.parametrize("decibels", [-3.0, 0.0, 12.0])
def test_mix_has_the_ratio_asked_for(decibels: float) -> None:
    added = babbling(2.0, 7)
    mixed = d.mix(CLIP, added, decibels)
    ratio = 10 * np.log10(power(CLIP) / power(mixed - CLIP))
    assert ratio == pytest.approx(decibels, abs=0.01)


def test_voices_of_babble_are_equally_loud() -> None:
    quiet = [SOUNDS.speech[0], 0.01 * SOUNDS.speech[1]]
    for seed in range(5):
        alone = d.babble(quiet, 1, 24_000, np.random.default_rng(seed))
        assert power(alone) == pytest.approx(1, rel=1e-3)


def test_normalised_peaks_at_one_and_leaves_silence() -> None:
    assert np.abs(d.normalised(0.2 * CLIP)).max() == 1
    assert not d.normalised(np.zeros(5, np.float32)).any()


@pytest.mark.parametrize("name", CODECS)
def test_codecs_keep_length_and_most_of_the_sound(name: str) -> None:
    if name == "GSM" and not which("sox"):
        pytest.skip("SoX is not installed")
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE).astype(np.float32)
    out = CODECS[name](tone)
    assert out.shape == tone.shape
    assert out.dtype == np.float32
    middle = out[RATE // 2 : -RATE // 2]
    spectrum = np.abs(np.fft.rfft(middle))
    assert abs(spectrum.argmax() - 440) <= 1
    assert 0.3 < power(middle) / power(tone) < 1.5


@pytest.mark.parametrize("name", CODECS)
def test_codecs_delay_by_less_than_the_pairs_jitter(name: str) -> None:
    if name == "GSM" and not which("sox"):
        pytest.skip("SoX is not installed")
    click = 1e-3 * np.random.default_rng(0).standard_normal(3 * RATE).astype(np.float32)
    click[RATE : RATE + 800] += babbling(0.05, 1)
    frames = mfcc(CODECS[name](click), FeatureParameters())
    assert abs(int(frames[:, 0].argmax()) - loudest_frame(click, 1.0)) < 12


def test_factors_cover_slower_and_faster() -> None:
    drawn = [d.time_and_pitch(np.random.default_rng(s)) for s in range(300)]
    speeds, taus = np.array([s for s, _ in drawn]), np.array([1 / (s * f) for s, f in drawn])
    assert speeds.min() < 0.75 and speeds.max() > 1.33
    assert taus.min() < 0.7 and taus.max() > 1.45
    pitched = (speeds != 1) & np.isclose(taus, 1)
    assert 0.15 < pitched.mean() < 0.35


def test_distorted_frames_need_only_the_step() -> None:
    features = FeatureParameters()
    copy = d.Distorted(CLIP, 1 / 1.25, 1.25)
    frames = mfcc(copy.samples, replace(features, tau=copy.step))
    assert len(frames) == pytest.approx(len(mfcc(CLIP, features)) * copy.tau, abs=1.5)
