"""The waveform's line is found to the sample, and its peak compared with all other lags."""

from __future__ import annotations

import numpy as np
import pytest
from verification.sounds import RATE, noise, read_at, voice

from samaf.verification.correlation import SampleAlignment, WhiteClip, correlate
from samaf.verification.signals import PreparedRecording, Samples

RECORDING = voice(10, 1)


def line_of(start: int, count: int, step: float = 1.0) -> SampleAlignment:
    """The line of a clip of so many samples that starts at a sample of the recording."""
    return SampleAlignment(count / 2, start + count / 2 * step, step)


def start_of(line: SampleAlignment) -> float:
    return line.place - line.middle * line.step


@pytest.mark.parametrize(("start", "seconds"), [(50_123, 1.0), (0, 3.0), (160_000 - 9_600, 0.6)])
def test_a_cut_is_placed_to_the_sample(start: int, seconds: float) -> None:
    count = int(seconds * RATE)
    clip = RECORDING[start : start + count]
    found = correlate(WhiteClip(clip), Samples(RECORDING), line_of(start + 3_000, count), 0.0045)
    assert start_of(found.line) == pytest.approx(start, abs=0.6)
    assert found.line.step == pytest.approx(1, abs=2e-5)
    assert found.z > 30
    assert not found.inverted


def test_clock_drift_is_measured() -> None:
    places = 40_000 + np.arange(48_000) * (1 + 3.1e-3)
    clip = read_at(RECORDING, places) + noise(48_000, 5, 0.05)
    found = correlate(WhiteClip(clip), Samples(RECORDING), line_of(39_000, 48_000), 0.0045)
    assert found.line.step - 1 == pytest.approx(3.1e-3, abs=5e-6)
    assert start_of(found.line) == pytest.approx(40_000, abs=0.6)


def test_opposite_polarity_is_told() -> None:
    clip = -RECORDING[20_000:52_000]
    found = correlate(WhiteClip(clip), Samples(RECORDING), line_of(20_000, 32_000), 0.0045)
    assert found.inverted
    assert found.z > 50


@pytest.mark.parametrize("seed", range(4))
def test_another_recording_stays_low(seed: int) -> None:
    clip = voice(2, 100 + seed)
    assert correlate(WhiteClip(clip), Samples(RECORDING), line_of(70_000, 32_000), 0.0045).z < 10


def test_the_curve_has_its_peak_where_the_line_is() -> None:
    clip = RECORDING[64_000:96_000]
    found = correlate(WhiteClip(clip), Samples(RECORDING), line_of(64_000, 32_000), 0.0045)
    peak = found.first_lag + 160 * int(found.curve.argmax())
    assert peak <= 64_000 < peak + 160
    assert found.curve.max() == pytest.approx(found.z, rel=0.01)


def test_repeats_do_not_spoil_the_null() -> None:
    once, loop = voice(20, 7), np.tile(voice(2, 8), 10)
    high, looped = (
        correlate(WhiteClip(r[65_000:81_000]), Samples(r), line_of(65_000, 16_000), 0.0045).z
        for r in (once, loop)
    )
    assert looped > high / 2


class Long:
    """Ten minutes of the same ten seconds, which notes the most that was read at once."""

    count = 60 * len(RECORDING)
    most = 0

    def part(self, first: int, count: int) -> np.ndarray:
        self.most = max(self.most, count)
        return np.resize(np.roll(RECORDING, -first), min(count, self.count - first))


def test_a_long_recording_is_read_in_parts() -> None:
    long = Long()
    start = 37 * len(RECORDING) + 5_000
    found = correlate(WhiteClip(RECORDING[5_000:21_000]), long, line_of(start, 16_000), 0.0045)
    assert start_of(found.line) == pytest.approx(start, abs=0.6)
    assert found.z > 30
    assert long.most <= 1 << 18
    assert len(found.curve) == pytest.approx(long.count / 160, rel=0.01)


def vowel(formant: float, seed: int) -> np.ndarray:
    """A second of harmonics of 120 Hz with a jitter of 0.4 %, strongest at a formant."""
    rng = np.random.default_rng(seed)
    pitch = 120 * (1 + 0.004 * np.repeat(rng.standard_normal(RATE // 800), 800))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    k = np.arange(1, 40)[:, None]
    waves = (np.exp(-np.abs(np.log(120 * k / formant))) * np.cos(k * phase)).sum(axis=0)
    samples = waves / np.abs(waves).max() + 0.05 * rng.standard_normal(RATE)
    return np.asarray(samples, np.float32)


def test_two_vowels_of_one_pitch_are_clutter() -> None:
    recording = RECORDING.copy()
    recording[3 * RATE : 4 * RATE] = vowel(700, 1)
    wrong = correlate(
        WhiteClip(vowel(1_500, 2)), Samples(recording), line_of(3 * RATE, RATE), 0.0012
    )
    assert wrong.z > 9
    assert wrong.contrast < 6
    right = correlate(
        WhiteClip(recording[5 * RATE : 6 * RATE]),
        Samples(recording),
        line_of(5 * RATE, RATE),
        0.0012,
    )
    assert right.contrast > 40


def test_candidates_of_one_recording_share_what_it_is_turned_into() -> None:
    shared = PreparedRecording(Samples(RECORDING))
    clip = WhiteClip(RECORDING[64_000:96_000])
    for place in (64_000, 20_000, 64_000):
        alone = correlate(clip, Samples(RECORDING), line_of(place, 32_000), 0.0012)
        assert correlate(clip, shared, line_of(place, 32_000), 0.0012).z == alone.z
