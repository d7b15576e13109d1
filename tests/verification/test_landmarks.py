"""Landmarks: what recurs under other sounds, at which lag."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from verification.sounds import RATE, noise, voice

from samaf.verification import landmarks as module
from samaf.verification.landmarks import (
    FRAME_SECONDS,
    MOST_APART,
    LandmarkIndex,
    Landmarks,
    agreements,
    landmarks,
    on_one_axis,
)
from samaf.verification.signals import Samples

PIECE = voice(5, 1)


def under_voices(starts: tuple[float, ...], seconds: float, level: float = 0.5) -> np.ndarray:
    """Other voices; where the piece is they go on, at a lower level."""
    out = voice(seconds, 2)
    for start in starts:
        first = round(start * RATE)
        out[first : first + len(PIECE)] *= level
        out[first : first + len(PIECE)] += PIECE
    return out


def seconds(samples: np.ndarray) -> list[tuple[float, float, float]]:
    """Give start, stop and lag of what recurs."""
    found = agreements(landmarks(Samples(samples)))
    return [tuple(FRAME_SECONDS * v for v in (g.start, g.stop, g.lag)) for g in found]


def test_a_piece_under_voices_recurs_at_its_lag() -> None:
    ((start, stop, lag),) = seconds(under_voices((7.0, 31.123), 45))
    assert lag == pytest.approx(24.123, abs=FRAME_SECONDS)
    assert (start, stop) == pytest.approx((7, 12), abs=0.6)


def test_three_places_recur_at_three_lags() -> None:
    found = seconds(under_voices((7.0, 31.123, 52.5), 60))
    lags = sorted(lag for *_, lag in found)
    assert lags == pytest.approx([52.5 - 31.123, 24.123, 45.5], abs=FRAME_SECONDS)


def test_what_is_searched_in_parts_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = np.concatenate([voice(30, 3), voice(20, 4), voice(30, 3)])
    whole = seconds(samples)
    monkeypatch.setattr(module, "FRAMES_AT_ONCE", 500)
    ((start, stop, lag),) = seconds(samples)
    assert lag == pytest.approx(50, abs=FRAME_SECONDS)
    assert [(start, stop, lag)] == [pytest.approx(each, abs=FRAME_SECONDS) for each in whole]
    assert (start, stop) == pytest.approx((0, 30), abs=0.6)


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(0, np.float32),
        np.zeros(20 * RATE, np.float32),
        np.sin(2 * np.pi * 440 * np.arange(20 * RATE) / RATE).astype(np.float32),
        noise(20 * RATE, 1),
        voice(20, 5),
    ],
    ids=["nothing", "silence", "tone", "noise", "voice"],
)
def test_nothing_recurs(samples: np.ndarray) -> None:
    assert seconds(samples) == []


def test_a_loop_overlaps_its_repeat() -> None:
    found = agreements(landmarks(Samples(np.tile(voice(3, 1), 6))))
    loops = [round(FRAME_SECONDS * each.lag) for each in found if each.loops]
    assert 3 in loops and 15 not in loops


def test_levels_do_not_matter() -> None:
    samples = under_voices((4.0, 20.0), 30)
    loud, quiet = (landmarks(Samples(samples * np.float32(gain))) for gain in (1.0, 0.03125))
    np.testing.assert_array_equal(loud.keys, quiet.keys)
    np.testing.assert_array_equal(loud.frames, quiet.frames)


def test_a_key_holds_the_bin_and_the_way_to_the_second_peak() -> None:
    found = module._paired(np.array([0, 5, 10, 60]), np.array([100, 90, 160, 100]))
    # 0 to 10 is too far in frequency, 10 to 60 in time.
    assert found.frames.tolist() == [0]
    assert found.keys.tolist() == [(100 << 11) | ((MOST_APART - 10) << 5) | 5]


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6), st.integers(130, 10**5))
def test_equal_landmarks_are_found_wherever_they_are(first: int, lag: int) -> None:
    rng = np.random.default_rng(lag)
    keys, frames = rng.integers(0, 2**20, 40, np.uint32), first + np.arange(0, 400, 10)
    both = Landmarks(np.concatenate([keys, keys]), np.concatenate([frames, frames + lag]))
    (found,) = agreements(both)
    assert (found.start, found.lag, found.votes) == (first, lag, 40)


@pytest.mark.parametrize("at_once", [4_000_000, 500])
def test_a_segment_of_another_sound_is_found(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it is looked for in parts."""
    monkeypatch.setattr(module, "PAIRS_AT_ONCE", at_once)
    stored = [voice(20, 5), under_voices((4.0,), 20, level=0.0), voice(10, 6)]
    marks = [landmarks(Samples(samples)) for samples in stored]
    index = LandmarkIndex(on_one_axis(marks, [20, 20, 10])[0])
    # From 1.5 s to 3 s of the piece, behind other sound.
    query = np.concatenate([voice(9, 7), 0.3 * PIECE[3 * RATE // 2 : 3 * RATE], voice(9, 8)])
    (found,) = index.agreements(landmarks(Samples(query)))
    origin = on_one_axis(marks, [20, 20, 10])[1][1]
    lag = (found.lag - origin) * FRAME_SECONDS
    assert lag == pytest.approx(4 + 1.5 - 9, abs=FRAME_SECONDS)
    assert found.start * FRAME_SECONDS == pytest.approx(9, abs=0.5)
    assert found.stop * FRAME_SECONDS == pytest.approx(10.5, abs=0.6)
    assert index.agreements(landmarks(Samples(voice(20, 9)))) == []
    assert index.agreements(landmarks(Samples(np.zeros(RATE, np.float32)))) == []


def test_nothing_is_found_among_nothing() -> None:
    together, origins = on_one_axis([], [])
    assert len(origins) == 0
    assert LandmarkIndex(together).agreements(landmarks(Samples(PIECE))) == []
