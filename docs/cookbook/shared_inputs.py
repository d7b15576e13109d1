"""Make the files of the pages about audio that recordings share, of the bundled clips.

Run it in an empty folder: python docs/cookbook/shared_inputs.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from samaf.audio import SAMPLE_RATE, load
from samaf.demo import CLIPS, noisy, telephone, wav

RNG = np.random.default_rng(2)


def clip(number: int) -> np.ndarray:
    """Give a bundled clip by its place in the alphabet."""
    return load(sorted(CLIPS.iterdir())[number])


def save(path: str, *parts: np.ndarray) -> None:
    """Write parts one after the other."""
    Path(path).parent.mkdir(exist_ok=True)
    Path(path).write_bytes(wav(np.concatenate(parts)))


def main() -> None:
    """Make all files."""
    second = SAMPLE_RATE
    talk = np.concatenate([clip(n) for n in range(4)])
    save("interview/camera.wav", noisy(talk[: 36 * second], 15, RNG))
    save("interview/lapel.wav", talk[round(3.25 * second) :])
    phone = noisy(telephone(talk)[6 * second :], 20, RNG)
    save("interview/phone.wav", phone[: 14 * second], phone[17 * second :])

    jingle = clip(4)[: 4 * second]
    for number in range(5):
        save(f"podcast/{number + 1:03}.wav", jingle, clip(5 + number)[3_000 * number :])
    save("podcast/003-again.wav", clip(7)[6_000:], clip(10)[: 5 * second])

    for number in range(3):
        save(f"train/{number}.wav", clip(number))
    save("test/0.wav", clip(5))
    save("test/1.wav", clip(6)[: 4 * second], clip(1)[3 * second : 7 * second])

    save("quotation.wav", noisy(clip(6)[4 * second : 8 * second], 10, RNG))


if __name__ == "__main__":
    main()
