"""The tempo of a clip is found from the signals."""

from __future__ import annotations

import numpy as np
import pytest
from verification.sounds import RATE, faster, voice

from samaf.verification import Placement, PreparedClip, PreparedRecording, Samples, verify
from samaf.verification.tempo import TRIES, tempo_of

RECORDING = voice(20, 31)


@pytest.mark.parametrize("tempo", [0.6, 1.5, 2.0])
def test_a_tempo_is_found_from_about_the_place(tempo: float) -> None:
    clip = faster(RECORDING[6 * RATE : int((6 + 2 * tempo) * RATE)], tempo)
    duration = len(clip) / RATE
    middle = 6 + duration * tempo / 2
    guess = Placement(0, duration, middle - duration / 2 + 0.4, middle + duration / 2 + 0.4)
    found = tempo_of(PreparedClip(clip), PreparedRecording(Samples(RECORDING)), guess)
    assert found is not None
    assert 1 / found.manipulation.tau == pytest.approx(tempo, rel=0.01)
    assert (found.query_start, found.query_stop) == (0, duration)
    assert found.reference_start == pytest.approx(6, abs=0.1)
    assert found.reference_stop == pytest.approx(6 + duration * tempo, abs=0.1)
    assert verify(clip, RECORDING, found, tries=TRIES).verified


@pytest.mark.parametrize("half", [slice(0, RATE), slice(RATE, 2 * RATE)])
def test_half_a_clip_of_pause_does_not_matter(half: slice) -> None:
    clip = faster(RECORDING[15 * RATE :], 1.6)[: 2 * RATE].copy()
    clip[half] = 0
    guess = Placement(0, 2, 16, 18)
    found = tempo_of(PreparedClip(clip), PreparedRecording(Samples(RECORDING)), guess)
    assert found is not None
    assert 1 / found.manipulation.tau == pytest.approx(1.6, rel=0.02)
    assert found.reference_start == pytest.approx(15, abs=0.1)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_other_speech_is_not_verified_at_any_tempo(seed: int) -> None:
    clip = voice(2, seed)
    found = tempo_of(
        PreparedClip(clip), PreparedRecording(Samples(RECORDING)), Placement(0, 2, 9, 11)
    )
    assert found is None or not verify(clip, RECORDING, found, tries=TRIES).verified


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_tick_under_both_is_no_tempo(seed: int) -> None:
    ticks = np.zeros(20 * RATE, np.float32)
    ticks[:: RATE // 2] = 1
    ticks = np.convolve(ticks, np.hanning(80) * np.sin(np.arange(80)), "same").astype(np.float32)
    recording = PreparedRecording(Samples(RECORDING + 3 * ticks))
    clip = PreparedClip(voice(3, seed) + 3 * ticks[5_000 : 5_000 + 3 * RATE])
    assert tempo_of(clip, recording, Placement(0, 3, 9, 12)) is None


@pytest.mark.parametrize(
    ("clip", "recording"),
    [(np.zeros(2 * RATE, np.float32), RECORDING), (RECORDING[: RATE // 8], RECORDING)],
)
def test_too_little_has_no_tempo(clip: np.ndarray, recording: np.ndarray) -> None:
    sides = PreparedClip(clip), PreparedRecording(Samples(recording))
    assert tempo_of(*sides, Placement(0, len(clip) / RATE, 0, len(clip) / RATE)) is None


def test_a_recording_shorter_than_the_clip_has_an_answer() -> None:
    clip = RECORDING[: 6 * RATE]
    sides = PreparedClip(clip), PreparedRecording(Samples(RECORDING[2 * RATE : 4 * RATE]))
    found = tempo_of(*sides, Placement(0, 6, 0, 2))
    assert found is None or found.reference_stop > found.reference_start
