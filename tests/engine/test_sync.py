"""Recordings of one event by several devices come onto one time line."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
import soxr

import samaf
from samaf.audio import SAMPLE_RATE, load
from samaf.demo import CLIPS, wav
from samaf.engine.sync import Guess, in_order, predicted
from samaf.errors import AudioError, QueryError
from samaf.verification.timeline import Piece, Placed


@pytest.fixture(scope="module")
def event() -> np.ndarray:
    """A minute of voices, one after the other."""
    return np.concatenate([load(clip) for clip in sorted(CLIPS.iterdir())[:7]])


def recorded(event: np.ndarray, start: float, ppm: float, seed: int) -> np.ndarray:
    """Record in a room with 0.5 s of reverberation and noise at 10 dB, by a clock that is off."""
    rng = np.random.default_rng(seed)
    tail = rng.standard_normal(SAMPLE_RATE // 2) * 10 ** (-3 * np.linspace(0, 1, SAMPLE_RATE // 2))
    room = 0.5 * tail / np.linalg.norm(tail)
    room[0] = 1
    size = len(event) + len(room)
    heard = np.fft.irfft(np.fft.rfft(event, size) * np.fft.rfft(room, size), size)[: len(event)]
    heard = heard[round(start * SAMPLE_RATE) :]
    heard = soxr.resample(heard, SAMPLE_RATE, SAMPLE_RATE * (1 + ppm * 1e-6))
    heard += heard.std() * 10 ** (-10 / 20) * rng.standard_normal(len(heard))
    return (0.9 * heard / np.abs(heard).max()).astype(np.float32)


@pytest.fixture
def files(event: np.ndarray, tmp_path: Path) -> list[Path]:
    cut = recorded(event, 4.0, -60, 3)
    cut = np.concatenate([cut[: 30 * SAMPLE_RATE], cut[round(32.5 * SAMPLE_RATE) :]])
    sounds = {
        "camera": recorded(event, 0, 0, 1)[: 55 * SAMPLE_RATE],
        "lapel": recorded(event, 10.123, 80, 2),
        "phone": cut,
        "elsewhere": load(sorted(CLIPS.iterdir())[-1]),
    }
    paths = [tmp_path / f"{name}.wav" for name in sounds]
    for path, samples in zip(paths, sounds.values(), strict=True):
        path.write_bytes(wav(samples))
    return paths


@pytest.mark.slow
def test_offsets_drifts_and_jumps(files: list[Path], tmp_path: Path) -> None:
    camera, lapel, phone, elsewhere = samaf.sync(files, cut=tmp_path / "synced")
    assert [r.group for r in (camera, lapel, phone, elsewhere)] == [1, 1, 1, 0]
    assert elsewhere.reason == "no moment in common with the others"
    assert (camera.offset, camera.drift_ppm) == (0, 0)
    assert lapel.offset == pytest.approx(10.123, abs=0.001)
    assert phone.offset == pytest.approx(4.0, abs=0.001)
    assert lapel.drift_ppm == pytest.approx(80, abs=5)
    assert phone.drift_ppm == pytest.approx(-60, abs=5)
    (jump,) = phone.jumps
    assert jump.seconds == pytest.approx(2.5, abs=0.002)
    assert jump.at == pytest.approx(30, abs=3)
    assert not camera.jumps + lapel.jumps

    written = sorted((tmp_path / "synced").iterdir())
    assert [path.name for path in written] == ["camera.wav", "lapel.wav", "phone.wav"]
    lengths = set()
    for path in written:
        with wave.open(str(path)) as file:
            assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (48_000, 1, 2)
            lengths.add(file.getnframes())
    assert len(lengths) == 1
    one, two, three = (load(path) for path in written)
    for other in (two, three):
        # Behind the jump, and near the end, where drifts would have added up to 4 ms.
        for moment in (20, 40, 50):
            here = slice(moment * SAMPLE_RATE, (moment + 4) * SAMPLE_RATE)
            lags = np.fft.irfft(np.fft.rfft(one[here]) * np.conj(np.fft.rfft(other[here])))
            lag = int(lags.argmax())
            assert min(lag, len(lags) - lag) <= 1
    with pytest.raises(AudioError, match="is there already"):
        samaf.sync(files, cut=tmp_path / "synced")


def test_files_without_sound_and_single_files(tmp_path: Path) -> None:
    bruno = CLIPS / "bruno-garden.ogg"
    with pytest.raises(QueryError, match="two or more"):
        samaf.sync([bruno])
    (tmp_path / "silent.wav").write_bytes(wav(np.zeros(5 * SAMPLE_RATE, np.float32)))
    (tmp_path / "short.wav").write_bytes(wav(load(bruno)[:8_000]))
    results = samaf.sync([bruno, tmp_path / "silent.wav", tmp_path / "short.wav"])
    assert [r.group for r in results] == [0, 0, 0]
    assert "silence" in results[1].reason
    assert "shorter" in results[2].reason


def test_the_same_recording_twice_is_one_event(tmp_path: Path) -> None:
    bruno = CLIPS / "bruno-garden.ogg"
    one, two = samaf.sync([bruno, bruno])
    assert one.group == two.group == 1
    assert one.offset == pytest.approx(0, abs=1e-4)
    assert two.offset == pytest.approx(0, abs=1e-4)


def test_guesses_follow_on_each_other_in_both_recordings() -> None:
    main, behind = Guess(0, 10, 30), Guess(35, 45.1, 20)
    jingle = Guess(40, 2, 5)  # earlier in the second recording, though later in the first
    assert in_order([jingle, behind, main]) == [Guess(0, 10, 55)]
    later = Guess(60, 75, 20)
    assert in_order([main, later, jingle]) == [main, later]
    assert in_order([]) == []


def test_stretches_of_two_placed_recordings() -> None:
    one = Placed((Piece(0, 100, 0),), 0.0, 0, 0, 0, 9)
    other = Placed((Piece(0, 20, 30), Piece(20, 60, 40)), 0.0, 0, 0, 0, 9)
    assert predicted(one, other) == [Guess(30, 0, 20), Guess(60, 20, 40)]
    assert predicted(other, one) == [Guess(0, 30, 20), Guess(20, 60, 40)]
