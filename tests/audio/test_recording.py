"""A decoded recording: level, chunks, clips of the package."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from media import RATE, encode, sweep, wav

import samaf
from samaf.audio import load, read
from samaf.audio import recording as recording_module

CLIPS = sorted(Path(samaf.__file__).parent.glob("clips/*.ogg"))


def test_peak_is_one() -> None:
    samples = np.array([0.0, 0.25, -0.5, 0.125] * 400, np.float32)
    assert np.array_equal(load(wav(samples)), samples * 2)


@pytest.mark.parametrize("gain", [1e-4, 0.5, 3.0])
def test_level_of_the_file_does_not_matter(gain: float) -> None:
    assert np.allclose(load(wav(sweep() * np.float32(gain))), load(wav(sweep())), atol=1e-6)


def test_silence_stays_silent() -> None:
    with read(wav(np.zeros(RATE, np.int16))) as audio:
        assert audio.peak == 0
        assert np.array_equal(audio.samples(), np.zeros(RATE, np.float32))


def test_facts() -> None:
    data = wav(sweep(2.5))
    with read(data) as audio:
        assert (audio.count, audio.duration, audio.sample_rate) == (40_000, 2.5, RATE)
        assert audio.peak == np.abs(sweep(2.5)).max()
        assert audio.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("seconds", [0.001, 0.3, 1.0, 60.0])
def test_chunks_make_the_whole(seconds: float) -> None:
    with read(encode(sweep(), "libmp3lame", "mp3")) as audio:
        chunks = list(audio.chunks(seconds))
        assert all(len(chunk) == int(seconds * RATE) for chunk in chunks[:-1])
        assert np.array_equal(np.concatenate(chunks), audio.samples())
        assert sum(map(len, chunks)) == audio.count


def test_chunks_from_disk_are_those_from_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = load(wav(sweep()))
    monkeypatch.setattr(recording_module, "MEMORY_BYTES", 1000)
    assert np.array_equal(load(wav(sweep())), expected)


def test_another_rate() -> None:
    with read(wav(sweep(2.0)), 48_000) as audio:
        assert (audio.count, audio.duration) == (96_000, 2.0)


def test_a_very_short_file() -> None:
    assert len(load(wav(np.array([0.5, -0.25], np.float32)))) == 2


def test_a_file_that_is_shorter_than_a_sample() -> None:
    samples = load(wav(sweep()[:2], 48_000))
    assert (samples.dtype, samples.shape) == (np.float32, (0,))


def test_the_bundled_clips() -> None:
    assert len(CLIPS) == 12
    assert sum(path.stat().st_size for path in CLIPS) < 400_000
    for path in CLIPS:
        samples = load(path)
        assert 10 <= len(samples) / RATE <= 12
        assert 0.01 < samples.std() < 0.5
