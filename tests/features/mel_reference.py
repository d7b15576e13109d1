"""The signal of the mel reference, and the script that made the reference with librosa 0.11.

pip install librosa
python tests/features/mel_reference.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

REFERENCE = Path(__file__).parent / "golden" / "mel-librosa.npz"
RATE = 48_000
FRAMES = np.r_[0:4, 40:372:40, 372:376]  # both ends, where frames are padded, and some between


def signal() -> np.ndarray:
    """Make 4 s of gliding tones in falling noise, the same everywhere; float32 (192000,)."""
    t = np.arange(4 * RATE) / RATE
    tones = sum(np.sin(2 * np.pi * f * t * (1 + 0.1 * t)) / k for k, f in ((1, 220), (2, 1870)))
    # A multiplicative generator by hand: no library's random numbers may change.
    noise = (np.cumsum(np.arange(len(t)) * 2654435761 % 4294967296) % 65536) / 32768 - 1
    return ((tones + 0.3 * noise * np.exp(-t)) / 2).astype(np.float32)


def main() -> None:
    """Compute the power of 64 bands with librosa and keep the frames ``FRAMES``."""
    import librosa

    power = librosa.feature.melspectrogram(
        y=signal(),
        sr=RATE,
        n_fft=1024,
        hop_length=512,
        n_mels=64,
        htk=True,
        norm=None,
        center=True,
        pad_mode="reflect",
    )
    decibels = librosa.power_to_db(power, ref=1.0, amin=1e-10, top_db=80.0)
    REFERENCE.parent.mkdir(exist_ok=True)
    np.savez_compressed(
        REFERENCE,
        shape=power.shape,
        power=power[:, FRAMES].astype(np.float32),
        decibels=decibels[:, FRAMES].astype(np.float32),
    )


if __name__ == "__main__":
    main()
