"""Small made data for U-Nets: prepared frames, a plan that takes a second, a corpus at 48 kHz."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from training_data import write_wav

from samaf.training.unet.model import UNet
from samaf.training.unet.plan import UNetPlan
from samaf.training.unet.spectrograms import Spectrograms

TINY = (4, 6, 8, 8, 8, 64)
RATE = 48_000


class TinyUNetPlan(UNetPlan):
    """A plan whose model has few channels."""

    def model(self) -> UNet:
        """Make it, in float32."""
        return UNet(self.kind, self.term_weights, channels=TINY, seed=self.seed)


def tiny_plan(name: str = "UNET320", steps: int = 6) -> TinyUNetPlan:
    """Plan a run over made data."""
    return TinyUNetPlan(name, "made", steps, pairs=4, learning_rate=1e-3)


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


def tones(seconds: float, seed: int) -> np.ndarray:
    """Make a melody of its own for each seed, float32 (n,), peak below 1."""
    rng = np.random.default_rng(seed)
    count = int(seconds * RATE)
    pitch = np.repeat(rng.uniform(100, 4000, count // 9600 + 1), 9600)[:count]
    return (0.8 * np.sin(2 * np.pi * np.cumsum(pitch) / RATE)).astype(np.float32)


def write_wav48(path: Path, samples: np.ndarray) -> Path:
    """Write 16-bit mono at 48 kHz; folders are made."""
    return write_wav(path, samples, RATE)
