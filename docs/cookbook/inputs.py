"""Make the files that the pages of the cookbook work on, of the bundled clips.

Run it in an empty folder: python docs/cookbook/inputs.py
"""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from samaf.audio import SAMPLE_RATE, load
from samaf.demo import CLIPS, noisy, telephone, wav

RNG = np.random.default_rng(1)
PROMPTS = {
    "not-available.wav": ("greta-weather.ogg", 0, 6),
    "mailbox-full.wav": ("amelia-harbour.ogg", 1, 6),
    "number-changed.wav": ("bruno-garden.ogg", 2, 7),
}


def excerpt(name: str, start: float, stop: float) -> np.ndarray:
    """Give seconds of a bundled clip."""
    return load(CLIPS / name)[round(start * SAMPLE_RATE) : round(stop * SAMPLE_RATE)]


def ringing(seconds: float) -> np.ndarray:
    """Give the ringing tone of a telephone: 425 Hz, one second of five."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (0.3 * np.sin(2 * np.pi * 425 * time) * (time % 5 < 1)).astype(np.float32)


def save_call(path: Path, samples: np.ndarray) -> None:
    """Write a call: 300 to 3400 Hz in 8-bit mu-law steps, with noise, at 8 kHz."""
    line = telephone(noisy(samples, 25, RNG))[::2]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE // 2)
        file.writeframes((line / np.abs(line).max() * 30_000).astype("<i2").tobytes())


def main() -> None:
    """Make all files."""
    for folder in ("prompts", "calls", "station", "spots"):
        Path(folder).mkdir(exist_ok=True)
    for name, place in PROMPTS.items():
        (Path("prompts") / name).write_bytes(wav(excerpt(*place)))
    talk = excerpt("lena-stranger.ogg", 0, 9)
    pause = np.zeros(SAMPLE_RATE, np.float32)
    calls = {
        "0001.wav": [ringing(11), excerpt(*PROMPTS["not-available.wav"]), pause],
        "0002.wav": [ringing(6), talk],
        "0003.wav": [excerpt(*PROMPTS["number-changed.wav"]), pause, talk],
        "0004.wav": [ringing(11), excerpt(*PROMPTS["mailbox-full.wav"])[: 4 * SAMPLE_RATE]],
    }
    for name, parts in calls.items():
        save_call(Path("calls") / name, np.concatenate(parts))
    spots = {
        "harbour.wav": excerpt("amelia-harbour.ogg", 0, 8),
        "garden.wav": excerpt("bruno-garden.ogg", 0, 8),
    }
    for name, samples in spots.items():
        (Path("spots") / name).write_bytes(wav(samples))
    programme = [talk, spots["garden.wav"], talk[::-1], spots["harbour.wav"], talk]
    (Path("station") / "live.wav").write_bytes(wav(np.concatenate(programme)))


if __name__ == "__main__":
    main()
