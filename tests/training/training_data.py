"""Small made data: speech-like sounds, corpora on disk, prepared frames."""

from __future__ import annotations

import csv
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np

from samaf.features import FeatureParameters
from samaf.training import spectral
from samaf.training.dataset import Dataset
from samaf.training.unet.spectrograms import Spectrograms

RATE = 16_000
UNET_RATE = 48_000
# Blocks of 8 frames in 4 steps: a model over them is traced in a second.
TINY = FeatureParameters(block_frames=8, hop_frames=2, stack=2, subtract_mean=True)


def made_dataset(seed: int = 0, clips: int = 6, versions: int = 3, frames: int = 60) -> Dataset:
    """Fill a dataset with smooth random frames; copies are the original with noise."""
    rng = np.random.default_rng(seed)
    walks = rng.standard_normal((clips, 1, frames, 13)).cumsum(axis=2)
    noisy = walks + 0.3 * rng.standard_normal((clips, versions, frames, 13))
    noisy[:, 0] = walks[:, 0]
    starts = np.arange(clips * versions).reshape(clips, versions) * frames
    counts = np.full((clips, versions), frames)
    tau = np.ones((clips, versions), np.float32)
    flat = noisy.reshape(-1, 13).astype(np.float16)
    return Dataset(flat, starts, counts, tau, np.full(clips, 1 / clips))


def babbling(seconds: float, seed: int) -> np.ndarray:
    """Make noise in syllables, float32 (n,), peak 1."""
    rng = np.random.default_rng(seed)
    count = int(seconds * RATE)
    syllables = np.repeat(rng.random(count // 1600 + 1), 1600)[:count]
    colour = np.convolve(rng.standard_normal(count), rng.standard_normal(24), "same")
    samples = syllables**2 * colour
    return (samples / np.abs(samples).max()).astype(np.float32)


def write_wav(path: Path, samples: np.ndarray, rate: int = RATE) -> Path:
    """Write 16-bit mono; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


def write_manifest(root: Path, rows: list[tuple[str, str, str, str]]) -> None:
    """Write path, kind, split and speaker of each row; all under one licence."""
    with (root / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["path", "kind", "split", "speaker", "licence"])
        table.writerows([*row, "CC0"] for row in rows)


def write_corpus(root: Path, train: int, validation: int, seconds: float = 3.3) -> Path:
    """Write a corpus of made speech, each clip of its own speaker."""
    rows = []
    for number in range(train + validation):
        split = "train" if number < train else "validation"
        path = write_wav(root / f"speech/{number:02}.wav", babbling(seconds, number))
        rows.append((str(path.relative_to(root)), "speech", split, f"speaker-{number}"))
    write_manifest(root, rows)
    return root


def tones(seconds: float, seed: int) -> np.ndarray:
    """Make a melody of its own for each seed, float32 (n,), peak below 1."""
    rng = np.random.default_rng(seed)
    count = int(seconds * UNET_RATE)
    pitch = np.repeat(rng.uniform(100, 4000, count // 9600 + 1), 9600)[:count]
    return (0.8 * np.sin(2 * np.pi * np.cumsum(pitch) / UNET_RATE)).astype(np.float32)


def write_wav48(path: Path, samples: np.ndarray) -> Path:
    """Write 16-bit mono at 48 kHz; folders are made."""
    return write_wav(path, samples, UNET_RATE)


def made_spectrograms(seed: int = 0, clips: int = 6, frames: int = 500) -> Spectrograms:
    """Fill data with smooth random frames; copies are the original with noise."""
    rng = np.random.default_rng(seed)
    # Within the 80 dB of the features, 18.4 natural units.
    clean = 5 * np.tanh(np.cumsum(rng.standard_normal((clips, 1, frames, 64)), axis=2) / 20)
    versions = clean + np.array([0, 0.5, 1.0])[:, None, None] * rng.standard_normal(
        (clips, 3, frames, 64)
    )
    starts = np.arange(clips * 3).reshape(clips, 3) * frames
    flat = versions.reshape(-1, 64).astype(np.float16)
    return Spectrograms(flat, starts, np.full((clips, 3), frames))


def nothing(count: int, **changes: np.ndarray) -> spectral.Draw:
    """Draw no distortion for any pair, but what is given."""
    zeros = np.zeros(count, np.float32)
    draw = spectral.Draw(
        pace=np.ones(count),
        voice=np.full(count, spectral.VOICES // 2),
        tau=np.full(count, np.nan),
        shift=np.zeros(count, int),
        background=zeros,
        sounds=np.zeros(count, int),
        echo=zeros,
        delay=np.full(count, 3),
        room=zeros,
        decay=zeros + 0.5,
        spliced=np.zeros(0, int),
        cut=50,
    )
    return replace(draw, **changes)
