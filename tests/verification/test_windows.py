"""Short windows follow a change of tempo and of pitch, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from verification.sounds import RATE, faster, voice

from samaf.verification.correlation import SampleAlignment
from samaf.verification.signals import Samples
from samaf.verification.windows import ClipWindows, compare_windows

RECORDING = voice(10, 21)


def score(clip: np.ndarray, recording: np.ndarray, start: float, tempo: float = 1.0) -> float:
    line = SampleAlignment(len(clip) / 2, start + len(clip) / 2 * tempo, tempo)
    return compare_windows(ClipWindows(clip), Samples(recording), line).z


@pytest.mark.parametrize("tempo", [0.75, 1.0, 1.5, 2.0])
def test_tempo_is_followed(tempo: float) -> None:
    clip = faster(RECORDING[50_000:98_000], tempo)
    assert score(clip, RECORDING, 50_000, tempo) > 10


def test_windows_lie_where_the_clip_is_late() -> None:
    clip = RECORDING[50_000:82_000]
    line = SampleAlignment(16_000, 66_000 - 320, 1.0)  # 20 ms too early
    windows = compare_windows(ClipWindows(clip), Samples(RECORDING), line)
    assert np.median(windows.offsets) == pytest.approx(0.02, abs=1e-3)
    assert np.median(windows.likeness) > 0.99


@pytest.mark.parametrize("seed", range(4))
def test_other_speech_and_other_places_stay_low(seed: int) -> None:
    assert score(voice(2, 200 + seed), RECORDING, 60_000) < 5
    assert score(RECORDING[10_000:42_000], RECORDING, 90_000 + 5_000 * seed) < 5


def words(count: int, seed: int) -> np.ndarray:
    """Speak one vowel for 0.25 s, each time at another pitch, after pauses of 0.75 s."""
    rng = np.random.default_rng(seed)
    t = np.arange(RATE // 4) / RATE
    parts = []
    for pitch in rng.uniform(110, 130, count):
        waves = (np.sin(2 * np.pi * k * pitch * t + rng.uniform(0, 6)) / k for k in range(1, 25))
        parts += [np.zeros(3 * RATE // 4), sum(waves) * np.hanning(len(t)) / 3]
    return np.concatenate(parts).astype(np.float32)


def test_a_word_after_a_pause_is_compared_with_words_and_not_with_pauses() -> None:
    recording = words(12, 1)
    for seed in range(2, 8):
        assert score(words(1, seed), recording, 5 * RATE) < 5
    assert score(recording[5 * RATE : 6 * RATE], recording, 5 * RATE) > 10


@pytest.mark.parametrize(
    ("clip", "recording"),
    [
        (np.zeros(RATE, np.float32), RECORDING),
        (RECORDING[:RATE], np.zeros(5 * RATE, np.float32)),
        (RECORDING[: RATE // 10], RECORDING),
    ],
    ids=["silent clip", "silent recording", "one window"],
)
def test_nothing_to_compare_is_zero(clip: np.ndarray, recording: np.ndarray) -> None:
    assert score(clip, recording, 0) == 0


@pytest.mark.slow
def test_long_recordings_are_compared_as_short_ones_are() -> None:
    long = np.concatenate([voice(125, 22), RECORDING])
    clip = RECORDING[50_000:82_000]
    assert score(clip, long, len(long) - len(RECORDING) + 50_000) > 10
