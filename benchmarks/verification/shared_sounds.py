"""Two recordings of different speech under which the same sound lies."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from samaf.audio import SAMPLE_RATE

SHARED = "music, shared"  # truly the same sound at the same time
LEVELS = {"hum": 1.0, "tone": 1.0, "buzz": 0.5, "clock": 0.5}  # against the speech's rms
FRAME_HZ = 216.7  # at which a telephone nearby sends
TICK_HZ = 900.0


def shared_sounds(
    excerpt: np.ndarray,
    recording: np.ndarray,
    place: int,
    music: np.ndarray,
    rng: np.random.Generator,
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield kind, clip and recording, different speech with one sound under both.

    The sounds of a device run through: mains hum, a tone, the buzz of a telephone, a clock. Music
    lies under both at the same time (`SHARED`: it is shared audio), and at another.

    Parameters
    ----------
    excerpt, recording, music
        float32 (n,), 16 kHz.
    place
        Sample of the recording that the excerpt is compared with.
    """
    for kind, level in LEVELS.items():
        starts = rng.uniform(0, 1, 2)
        clip, mixed = (
            _under(samples, _device(kind, len(samples), float(start)), level)
            for samples, start in zip((excerpt, recording), starts, strict=True)
        )
        yield kind, clip, mixed
    bed = _under(recording, _cut(music, 0, len(recording)), 1.0)
    yield SHARED, _under(excerpt, _cut(music, place, len(excerpt)), 1.0), bed
    later = len(recording) + SAMPLE_RATE
    yield "music, elsewhere", _under(excerpt, _cut(music, later, len(excerpt)), 1.0), bed


def _device(kind: str, count: int, start: float) -> np.ndarray:
    """Give a device's sound from a second on."""
    t = np.arange(count) / SAMPLE_RATE + start
    if kind == "tone":
        return np.sin(2 * np.pi * 1_000 * t)
    if kind == "hum":
        harmonics = np.arange(50, 4_000, 50.0)[:, None]
        period = t[: SAMPLE_RATE // 50]
        waves = np.sin(2 * np.pi * harmonics * period) / np.sqrt(harmonics)
        return np.resize(waves.sum(axis=0), count)
    if kind == "buzz":
        return np.asarray((t * FRAME_HZ % 1 < 1 / 8).astype(float)) - 1 / 8
    since = t % 1.0
    return np.asarray(np.exp(-since * 60) * np.sin(2 * np.pi * TICK_HZ * since))


def _under(samples: np.ndarray, sound: np.ndarray, level: float) -> np.ndarray:
    """Lay a sound under speech, ``level`` times as loud as it."""
    loud = level * float(np.std(samples)) / max(float(np.std(sound)), 1e-6)
    return np.asarray(samples + loud * sound, np.float32)


def _cut(music: np.ndarray, first: int, count: int) -> np.ndarray:
    """Cut some music; it begins again where it ends."""
    return np.take(music, np.arange(first, first + count), mode="wrap")
