"""Signals that the baselines' tests share; all of them are made from a seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

RATE = 16_000


def make_voice(seed: int, seconds: float = 9.0) -> np.ndarray:
    """Harmonics of a wandering pitch with wandering loudness, and a little noise."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * RATE)) / RATE
    knots = np.linspace(0.0, seconds, int(seconds * 12))
    pitch = rng.uniform(110.0, 190.0) * np.interp(time, knots, rng.uniform(0.8, 1.25, len(knots)))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    samples = 0.02 * rng.standard_normal(len(time))
    for harmonic in range(1, 25):
        loudness = np.interp(time, knots, rng.random(len(knots)) ** 2)
        samples += loudness * np.sin(harmonic * phase) / harmonic**0.7
    return (0.7 * samples / np.abs(samples).max()).astype(np.float32)


@pytest.fixture(scope="session")
def voices() -> list[np.ndarray]:
    """Four speech-like signals of 9 s at 16 kHz."""
    return [make_voice(seed) for seed in range(4)]


@pytest.fixture(scope="session")
def tone() -> Callable[..., np.ndarray]:
    """Maker of a sine at 16 kHz: tone(hertz, seconds, amplitude)."""

    def make(hertz: float, seconds: float = 1.0, amplitude: float = 1.0) -> np.ndarray:
        time = np.arange(int(seconds * RATE)) / RATE
        return (amplitude * np.sin(2 * np.pi * hertz * time)).astype(np.float32)

    return make
