"""RAFS: bands and bits by hand, and each published bug alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from baselines.rafs import SETTINGS, Rafs
from baselines.subfingerprints import (
    band_levels,
    differences,
    flipped_bits,
    packed,
    panako_bands,
    speech_bands,
    toggled,
)

PAPER = SETTINGS["paper"]


def test_panako_bands_by_hand() -> None:
    bands = panako_bands()
    used = np.flatnonzero(bands >= 0)
    assert (used[0], used[-1]) == (110, 825)
    assert len(used) == 825 - 110 + 1
    sizes = np.bincount(bands[used])
    assert len(sizes) == 33
    assert sizes[:5].tolist() == [3, 8, 8, 8, 9]
    assert sizes[-2:].tolist() == [49, 25]
    # At 16 kHz the bins of the map for 5,500 Hz lie elsewhere.
    assert (round(110 * 16_000 / 2048), round(825 * 16_000 / 2048)) == (859, 6445)
    assert not np.array_equal(bands, panako_bands(16_000))


def test_speech_bands_are_logarithmic() -> None:
    bands = speech_bands()
    used = np.flatnonzero(bands >= 0) * 16_000 / 2048
    assert 300 <= used[0] < 308 and 3392 < used[-1] < 3400
    assert set(bands[bands >= 0].tolist()) == set(range(33))
    assert (np.diff(bands[bands >= 0]) >= 0).all()


def test_bits_by_hand() -> None:
    levels = np.zeros((3, 33), np.float32)
    levels[0, 0] = 1.0  # frame 0 against silence: bit 0 on
    levels[1, 0] = 2.0  # rises: bit 0 on
    levels[1, 32] = -1.0  # bit 31 on
    levels[2] = levels[1]  # no change: all bits off
    values = packed(differences(levels))
    assert values.dtype == np.uint32
    assert values.tolist() == [1, 1 | 1 << 31, 0]


def test_frame_n_ends_at_sample_64_n_plus_1_in_panako(tone: Callable[..., np.ndarray]) -> None:
    levels = band_levels(tone(2000.0, 1.0), 5500)
    assert len(levels) == 250
    assert len(band_levels(tone(2000.0, 1.0), 0)) == 219
    late = np.zeros(6400, np.float32)
    late[640:] = tone(2000.0, 0.36)
    assert np.flatnonzero(band_levels(late, 5500).sum(axis=1) > 1e-3)[0] == 10


def test_tone_is_loudest_in_its_band(tone: Callable[..., np.ndarray]) -> None:
    levels = band_levels(tone(2000.0, 0.5), 5500)
    assert (levels[40:].argmax(axis=1) == panako_bands()[2000 * 2048 // 16_000]).all()


def test_true_and_inverse_weak_bits() -> None:
    steps = np.arange(32.0, 0.0, -1.0)[None]  # bit 31 is the weakest
    steps[0, 5] = 0.5  # then bit 5
    assert flipped_bits(steps, 3, "true").tolist() == [[5, 30, 31]]
    # The list by reliability is 5, 31, 30, ..., 6, 4, ..., 0: places of the numbers 0, 1, 2.
    assert flipped_bits(steps, 3, "inverse").tolist() == [[29, 30, 31]]
    listed = np.argsort(np.abs(steps[0]))
    assert sorted(listed[flipped_bits(steps, 3, "inverse")[0]].tolist()) == [0, 1, 2]


def test_toggles_and_the_clearing_bug() -> None:
    value = np.array([1 << 31 | 0b100], np.uint32)
    bits = np.array([[2, 4]])
    top = 1 << 31
    assert toggled(value, bits, False).tolist() == [[top | 4, top, top | 20, top | 16]]
    # Clearing bit 2 clears bit 31 too; setting bit 4 does not.
    assert toggled(value, bits, True).tolist() == [[top | 4, 0, top | 20, 16]]
    # Bit 31 itself is set but never cleared.
    assert toggled(value, np.array([[31]]), True).tolist() == [[top | 4, top | 4]]
    assert toggled(np.array([4], np.uint32), np.array([[31]]), True).tolist() == [[4, top | 4]]


@pytest.mark.parametrize("weak_bits", ["true", "inverse"])
def test_512_keys_with_the_value_first(weak_bits: str) -> None:
    steps = np.random.default_rng(1).standard_normal((5, 32))
    values = packed(steps)
    keys = toggled(values, flipped_bits(steps, 9, weak_bits), False)
    assert keys.shape == (5, 512)
    assert keys[:, 0].tolist() == values.tolist()
    assert all(len(set(row)) == 512 for row in keys.tolist())


def test_shift_spends_a_part_of_the_threshold() -> None:
    noise = 0.1 * np.random.default_rng(6).standard_normal(80_000).astype(np.float32)
    values = packed(differences(band_levels(noise, 5500)))
    neighbors = np.bitwise_count(values[1:] ^ values[:-1]).mean() / 32
    assert 0.1 < neighbors < 0.25
    rates = {}
    for shift in (0, 1):
        system = Rafs("paper", replace(PAPER, shift=shift))
        system.add("noise", noise)
        rates[shift] = 1.0 - system.query(noise[24_000:56_000])[0].score
    # A little is lost to the frames before the first full one either way.
    assert rates[0] < 0.06
    assert rates[1] == pytest.approx(neighbors + rates[0], abs=0.03)


def test_panako_needs_257_frames_on_either_side(
    voices: list[np.ndarray],
) -> None:
    system = Rafs("paper")
    system.add("1", voices[1])
    assert system.query(voices[1][48_000:64_000]) == []  # 250 frames
    assert system.query(voices[1][48_000 : 48_000 + 64 * 257]) == []  # frames 0 .. 256
    assert system.query(voices[1][48_000:80_000])[0].key == "1"
    # The first 1.03 s of a recording never end a match.
    lead = np.random.default_rng(3).standard_normal(16_000).astype(np.float32) * 0.1
    assert system.query(np.concatenate([lead, voices[1][:16_000]])) == []


def test_first_hit_is_not_the_best(voices: list[np.ndarray]) -> None:
    noise = 0.003 * np.random.default_rng(2).standard_normal(32_000)
    clip = np.concatenate([voices[0][48_000:80_000] + noise, voices[1][48_000:80_000]])
    for settings, found in (("paper", ["0"]), ("best", ["1", "0"])):
        system = Rafs(settings)
        for number, samples in enumerate(voices):
            system.add(str(number), samples)
        assert [answer.key for answer in system.query(clip.astype(np.float32))] == found


def test_best_answers_one_second(voices: list[np.ndarray]) -> None:
    system = Rafs("best")
    for number, samples in enumerate(voices):
        system.add(str(number), samples)
    noise = 0.01 * np.random.default_rng(4).standard_normal(16_000)
    answer = system.query((voices[3][72_000:88_000] + noise).astype(np.float32))[0]
    assert answer.key == "3"
    assert answer.offset_s == pytest.approx(4.5, abs=0.02)


def test_table_finds_what_the_full_search_finds(voices: list[np.ndarray]) -> None:
    system = Rafs("best")
    for number, samples in enumerate(voices):
        system.add(str(number), samples)
    noise = 0.005 * np.random.default_rng(5).standard_normal(16_000)
    clip = (voices[2][40_000:56_000] + noise).astype(np.float32)
    asked = packed(differences(band_levels(clip, 0)))
    rates = []
    for number, samples in enumerate(voices):
        values = packed(differences(band_levels(samples, 0)))
        for start in range(len(values) - len(asked) + 1):
            distance = np.bitwise_count(values[start : start + len(asked)] ^ asked).sum()
            rates.append((distance / (32 * len(asked)), str(number), start * 64 / 16_000))
    answer = system.query(clip)[0]
    assert (1.0 - answer.score, answer.key, answer.offset_s) == pytest.approx(min(rates))


def test_recordings_shorter_than_the_clip_are_passed_over(voices: list[np.ndarray]) -> None:
    system = Rafs("best")
    system.add("short", voices[0][:4000])
    assert system.query(voices[0][:16_000]) == []
