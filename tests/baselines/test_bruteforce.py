"""The ceiling: sliding correlation against plain loops, and what it does not mind."""

from __future__ import annotations

import numpy as np
import pytest

from baselines.bruteforce import BruteForce, log_bands, sliding_correlation


def test_correlation_against_loops() -> None:
    rng = np.random.default_rng(0)
    stored = rng.standard_normal((60, 5)).astype(np.float32) + np.arange(5, dtype=np.float32)
    query = rng.standard_normal((12, 5)).astype(np.float32)
    query[:] = 0.5 * query + stored[20:32]
    expected = []
    asked = query - query.mean(axis=0)
    for start in range(49):
        window = stored[start : start + 12] - stored[start : start + 12].mean(axis=0)
        expected.append((asked * window).sum() / np.linalg.norm(asked) / np.linalg.norm(window))
    found = sliding_correlation(stored, query)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert found.argmax() == 20


def test_level_and_filter_do_not_matter(voices: list[np.ndarray]) -> None:
    system = BruteForce("spectrogram")
    for number, samples in enumerate(voices):
        system.add(str(number), samples)
    clip = voices[1][3 * 16_000 : 6 * 16_000]
    filtered = np.diff(clip, prepend=clip[:1]) * np.float32(0.01)  # +6 dB per octave, quiet
    answer = system.query(filtered)[0]
    assert answer.key == "1"
    assert answer.offset_s == pytest.approx(3.0)
    assert answer.score > 0.95
    assert all(other.score < 0.6 for other in system.query(clip)[1:])


def test_a_clip_longer_than_all_recordings_finds_none(voices: list[np.ndarray]) -> None:
    system = BruteForce("spectrogram")
    system.add("short", voices[0][:32_000])
    assert system.query(voices[0][:40_000]) == []
    assert system.query(voices[0][:32_000])[0].score == pytest.approx(1.0, abs=1e-4)


def test_bits_are_those_of_the_cells(voices: list[np.ndarray]) -> None:
    system = BruteForce("spectrogram")
    system.add("a", voices[0])
    assert log_bands(voices[0]).shape[1] == 24
    assert system.stored_bits() == 32 * log_bands(voices[0]).size
