"""Right places are verified whatever was done to the clip, and wrong ones are not."""

from __future__ import annotations

import numpy as np
import pytest
from verification.sounds import RATE, faster, noise, read_at, voice

from samaf.records import IDENTITY, Manipulation, Verification
from samaf.verification import Placement, verify

RECORDING = voice(10, 31)


def place(start: float, stop: float, at: float, undo: Manipulation = IDENTITY) -> Placement:
    return Placement(start, stop, at, at + (stop - start) / undo.tau, undo)


def cut(start: float, stop: float) -> np.ndarray:
    return RECORDING[int(start * RATE) : int(stop * RATE)]


def test_a_noisy_cut_is_verified_with_lag_and_drift() -> None:
    clip = cut(4, 7) + noise(3 * RATE, 1)
    told = verify(clip, RECORDING, place(0, 3, 4.1))
    assert told.verified
    assert told.lag_samples == pytest.approx(4 * RATE, abs=0.6)
    assert told.drift_ppm == pytest.approx(0, abs=10)
    assert (told.query_start, told.query_stop) == pytest.approx((0, 3), abs=0.01)
    assert (told.reference_start, told.reference_stop) == pytest.approx((4, 7), abs=0.01)
    assert all(band.coherent for band in told.bands)


def test_bands_that_were_filtered_out_do_not_agree() -> None:
    spectrum = np.fft.rfft(cut(4, 7))
    spectrum[3 * 2_000 :] = 0
    clip = np.fft.irfft(spectrum).astype(np.float32) + noise(3 * RATE, 2, 0.02)
    told = verify(clip, RECORDING, place(0, 3, 4))
    assert {band.low: band.coherent for band in told.bands} == {
        150: True,
        300: True,
        600: True,
        1_200: True,
        2_000: False,
        3_000: False,
        4_000: False,
    }


@pytest.mark.parametrize("backwards", [False, True])
def test_speed_is_undone_and_measured(backwards: bool) -> None:
    speed = 0.93
    clip = read_at(RECORDING, 2 * RATE + np.arange(int(3 * RATE / speed)) * speed)
    clip = clip[::-1] if backwards else clip
    guess = Manipulation(1.006 / speed, 0.996 * speed, backwards)
    told = verify(clip, RECORDING, place(0, len(clip) / RATE, 2.05, guess))
    assert told.verified
    assert told.manipulation.tau == pytest.approx(1 / speed, rel=2e-5)
    assert told.manipulation.rho == pytest.approx(speed, rel=2e-5)
    assert told.manipulation.reversed is backwards
    assert told.reference_start == pytest.approx(2, abs=0.01)
    assert told.lag_samples == pytest.approx(2 * RATE, abs=1)


def test_tempo_is_verified_without_a_common_waveform() -> None:
    clip = faster(cut(2, 8), 1.5)
    told = verify(clip, RECORDING, place(0, len(clip) / RATE, 2, Manipulation(1 / 1.5)))
    assert told.verified
    assert np.isnan(told.z_waveform)
    assert np.isnan(told.lag_samples)


def test_opposite_polarity_and_short_clips() -> None:
    told = verify(-cut(5, 5.6), RECORDING, place(0, 0.6, 5))
    assert told.verified
    assert told.inverted


@pytest.mark.parametrize("seed", range(3))
def test_wrong_recordings_and_wrong_places_are_not_verified(seed: int) -> None:
    for clip, at in ((voice(3, 300 + seed), 3.0), (cut(1, 3), 5.0 + seed)):
        told = verify(clip, RECORDING, place(0, len(clip) / RATE, at))
        assert not told.verified
        assert told.log10_lr < 2


@pytest.mark.slow
@pytest.mark.parametrize("loudness", [0.3, 3.0])
def test_hum_of_one_device_verifies_nothing(loudness: float) -> None:
    def hum(count: int, phase: float) -> np.ndarray:
        t = np.arange(count) / RATE + phase
        waves = (np.sin(2 * np.pi * f * t) / np.sqrt(f / 50) for f in range(50, 4_000, 50))
        return loudness * np.sum(list(waves), axis=0).astype(np.float32) / 8

    clip = voice(3, 41) + hum(3 * RATE, 0.0)
    recording = RECORDING + hum(len(RECORDING), 0.37)
    told = verify(clip, recording, place(0, 3, 4))
    assert not told.verified
    assert told.z_waveform < 10


@pytest.mark.parametrize("speech", [0.0, 1e-3, 1.0])
def test_a_shared_tone_verifies_nothing(speech: float) -> None:
    t = np.arange(len(RECORDING)) / RATE
    tone = np.sin(2 * np.pi * 1_000 * t).astype(np.float32)
    told = verify(
        tone[: 2 * RATE] + speech * voice(2, 42), tone + speech * RECORDING, place(0, 2, 4)
    )
    assert not told.verified


def test_of_two_mixed_recordings_both_are_verified() -> None:
    other = voice(10, 32)
    clip = cut(3, 6) + other[: 3 * RATE]
    assert verify(clip, RECORDING, place(0, 3, 3)).verified
    assert verify(clip, other, place(0, 3, 0)).verified


def test_a_shared_jingle_is_said_to_lie_where_it_lies() -> None:
    jingle = voice(2, 33)
    clip = np.concatenate([voice(3, 34), jingle, voice(3, 35)])
    recording = np.concatenate([voice(5, 36), jingle, voice(5, 37)])
    told = verify(clip, recording, place(3.2, 4.8, 5.2))
    assert told.verified
    assert (told.query_start, told.query_stop) == pytest.approx((3, 5), abs=0.3)
    assert (told.reference_start, told.reference_stop) == pytest.approx((5, 7), abs=0.3)


def test_a_clip_may_be_longer_than_the_recording() -> None:
    short = cut(4, 6)
    told = verify(RECORDING, short, Placement(0, 10, -4, 6))
    assert told.verified
    assert (told.query_start, told.query_stop) == pytest.approx((4, 6), abs=0.3)


def test_all_places_of_a_loop_are_given() -> None:
    loop = np.tile(voice(3, 38), 4)
    told = verify(loop[3 * RATE : 5 * RATE], loop, place(0, 2, 3))
    assert told.verified
    assert told.repeats == pytest.approx((0, 6, 9), abs=0.02)


def test_a_clock_that_ticks_under_both_proves_nothing() -> None:
    t = np.arange(14 * RATE) / RATE % 1
    ticks = 6 * np.exp(-60 * t) * np.sin(2 * np.pi * 900 * t)
    for seed in range(3):
        clip = voice(2, 50 + seed) + ticks[: 2 * RATE]
        recording = voice(12, 60 + seed) + ticks[4_000 : 12 * RATE + 4_000]
        assert not verify(clip, recording, place(0, 2, 4.75)).verified


@pytest.mark.parametrize(
    ("clip", "recording", "reason"),
    [
        (np.zeros(3 * RATE, np.float32), RECORDING, "the clip is silent"),
        (np.full(3 * RATE, np.nan, np.float32), RECORDING, "the clip is silent"),
        (np.zeros(0, np.float32), RECORDING, "the segment is too short to verify"),
        (cut(0, 0.3), RECORDING, "the segment is too short to verify"),
        (cut(0, 3), RECORDING[:3_000], "the recording is too short to verify"),
        (cut(0, 3), RECORDING[:0], "the recording is too short to verify"),
    ],
)
def test_what_cannot_be_verified_says_why(
    clip: np.ndarray, recording: np.ndarray, reason: str
) -> None:
    told = verify(clip, recording, place(0, 3, 0))
    assert told.reason == reason
    assert not told.verified
    assert told.log10_lr == 0


def test_a_silent_recording_is_not_verified() -> None:
    told = verify(cut(0, 3), np.zeros(8 * RATE, np.float32), place(0, 3, 2))
    assert not told.verified
    assert (told.z_waveform, told.z_windows) == (0, 0)


def test_places_outside_of_the_recording_are_an_answer() -> None:
    told = verify(cut(0, 3), RECORDING, place(0, 3, 30))
    assert isinstance(told, Verification)
    assert not told.verified
