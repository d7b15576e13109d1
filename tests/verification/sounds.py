"""Sounds that are made on the spot."""

from __future__ import annotations

import numpy as np

RATE = 16_000


def voice(seconds: float, seed: int) -> np.ndarray:
    """Noise whose level and colour change ten times a second, as speech does: float32 (n,)."""
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(int(np.ceil(10 * seconds)) + 1):
        spectrum = np.fft.rfft(rng.standard_normal(3_200))
        frequencies = np.fft.rfftfreq(3_200, 1 / RATE)
        formant = rng.uniform(300, 3_000)
        spectrum *= np.exp(-np.abs(np.log((frequencies + 50) / formant))) * rng.uniform(0.1, 1)
        parts.append(np.fft.irfft(spectrum) * np.hanning(3_200))
    out = np.zeros(1_600 * (len(parts) + 1))
    for i, part in enumerate(parts):
        out[1_600 * i : 1_600 * i + 3_200] += part
    out = out[1_600 : 1_600 + round(seconds * RATE)]
    return (out / np.abs(out).max()).astype(np.float32)


def noise(count: int, seed: int, level: float = 0.2) -> np.ndarray:
    return (level * np.random.default_rng(seed).standard_normal(count)).astype(np.float32)


def read_at(samples: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Read samples between samples, by a windowed sinc of 32 points: float32 (n,)."""
    whole = np.floor(places).astype(int)[:, None] + np.arange(-15, 17)
    distance = places[:, None] - whole
    weight = np.sinc(distance) * np.cos(np.pi * distance / 34) ** 2
    inside = (whole >= 0) & (whole < len(samples))
    return (np.where(inside, samples[whole * inside], 0) * weight).sum(axis=1).astype(np.float32)


def faster(samples: np.ndarray, tempo: float) -> np.ndarray:
    """Change the tempo and keep the pitch: pieces of 60 ms, laid closer together."""
    hop, length = 480, 960
    count = int((len(samples) - length) / (hop * tempo))
    out = np.zeros(hop * count + length)
    for i in range(count):
        begin = round(i * hop * tempo)
        out[hop * i : hop * i + length] += samples[begin : begin + length] * np.hanning(length)
    return out.astype(np.float32)
