"""What the benchmark of the verification says of answers made by hand, and its conditions."""

from __future__ import annotations

from math import nan

import numpy as np
import pytest

from benchmarks.surroundings import Surroundings
from benchmarks.verification.conditions import CONDITIONS
from benchmarks.verification.report import Answer, fit, tables
from benchmarks.verification.shared_sounds import LEVELS, SHARED, shared_sounds

RATE = 16_000


def wrong_answers(count: int) -> list[Answer]:
    """Waveform statistics with P(Z > z) = exp(-(z - 3) / 2), evenly drawn."""
    share = (np.arange(count) + 0.5) / count
    return [Answer("clean", 1.0, "any", 3 - 2 * np.log(p), 0.0, 0.0) for p in share]


def test_the_tail_is_fitted_to_what_it_is() -> None:
    right = [Answer("clean", 1.0, "right", 60.0 + i, 20.0, 0.0) for i in range(20)]
    altered = [Answer("tempo 2", 1.0, "any", nan, float(z), 0.0) for z in range(40)]
    altered += [Answer("speed 0.93, AMR 12.2", 1.0, "any", float(z), 0.0, 0.0) for z in range(40)]
    lines = fit(right + wrong_answers(5_000) + altered).splitlines()
    name, _, numbers = lines[0].partition(": Tail(")
    assert name == "z_waveform, altered False"
    start, scale = (float(v) for v in numbers.partition(")")[0].split(", "))
    assert start == pytest.approx(3, abs=0.1)
    assert scale == pytest.approx(2, abs=0.05)
    assert lines[-1] == "20 right, 5,080 wrong candidates"


def test_medians_and_what_passes() -> None:
    right = [Answer("tempo 2", 1.0, "right", nan, z, 0.0) for z in (0.0, 30.0, 40.0, 50.0)]
    wrong = [Answer("tempo 2", 1.0, "nearest", nan, 0.0, 0.0) for _ in range(3)]
    lines = tables([*right, *wrong]).splitlines()
    assert "| tempo 2 | - / 35 / 75 % |" in lines
    assert "| **verified, mean** | 75.0 |" in lines
    assert lines[-2].startswith("| all | 3 | ")
    assert lines[-2].endswith("| 0 / 0 / 0 / 0 |")


def test_what_truly_shares_sound_is_not_wrong() -> None:
    shared = Answer("clean", 1.0, SHARED, 90.0, 30.0, 0.0)
    assert not shared.is_wrong
    assert not Answer("babble 0 dB", 1.0, "any", 90.0, 30.0, 0.0).is_wrong
    lines = tables([shared, Answer("clean", 1.0, "right", 90.0, 30.0, 0.0)]).splitlines()
    assert lines[-1].startswith(f"| {SHARED} (true) | 1 | 90.0 / ")


def test_shared_sounds_are_as_loud_as_they_say_and_lie_where_they_say() -> None:
    rng = np.random.default_rng(5)
    clip, recording, music = (rng.standard_normal(n * RATE).astype(np.float32) for n in (1, 4, 10))
    made = {kind: (a, b) for kind, a, b in shared_sounds(clip, recording, RATE, music, rng)}
    assert set(made) == {*LEVELS, SHARED, "music, elsewhere"}
    for kind, level in LEVELS.items():
        assert (made[kind][0] - clip).std() == pytest.approx(level * clip.std(), rel=0.2)
    for kind, same in ((SHARED, True), ("music, elsewhere", False)):
        here, there = made[kind][0] - clip, (made[kind][1] - recording)[RATE : 2 * RATE]
        correlation = abs(np.corrcoef(here, there)[0, 1])
        assert correlation > 0.99 if same else correlation < 0.05


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda c: c.name)
def test_conditions_change_the_duration_as_they_say(condition) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(3)
    samples = rng.uniform(-0.5, 0.5, 2 * RATE).astype(np.float32)
    sounds = [rng.uniform(-0.5, 0.5, RATE).astype(np.float32) for _ in range(6)]
    response = np.zeros(400, np.float32)
    response[0] = 1
    out = condition.change(samples, Surroundings(sounds, [response], sounds, sounds), rng)
    assert out.dtype == np.float32
    assert np.isfinite(out).all()
    assert len(out) / len(samples) == pytest.approx(condition.manipulation.tau, abs=0.03)
