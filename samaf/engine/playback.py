"""Sound as a file that any player takes: mono, 16 bits, at the rate that is hashed."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from samaf.audio import SAMPLE_RATE, Audio
from samaf.errors import AudioError
from samaf.files import atomic

LONGEST_S = 36 * 3600.0  # a WAV file holds 4 GiB: 37 hours
PEAKS_STEP = 2560  # samples, 160 ms
LARGEST = 32_000  # of 16-bit samples: 0.2 dB below full scale


def write_playable(audio: Audio, out: Path, *, backwards: bool = False) -> None:
    """Write decoded audio as WAV, and its peaks beside it.

    The peaks, ``.peaks``, are int8 (n, 2): the least and the largest sample of each 160 ms, in
    parts of 127.

    Parameters
    ----------
    backwards
        Write it from its end to its start; it is then held in memory.

    Raises
    ------
    AudioError
        It is longer than a WAV file holds, or cannot be written.
    """
    if audio.duration > LONGEST_S:
        raise AudioError(f"{audio.name}: longer than {LONGEST_S / 3600:g} h; it cannot be played")
    try:
        with (
            atomic(out.with_suffix(".peaks")) as peaks_path,
            peaks_path.open("wb") as peaks_file,
            atomic(out) as wav_path,
            wav_path.open("wb") as wav_file,
            wave.open(wav_file, "wb") as wav,
        ):
            wav.setnchannels(1)
            wav.setsampwidth(2)
            wav.setframerate(SAMPLE_RATE)
            rest = np.empty(0, np.int16)
            for chunk in [audio.samples()[::-1]] if backwards else audio.chunks():
                pcm = np.rint(chunk * LARGEST).astype("<i2")
                wav.writeframes(pcm.tobytes())
                rest = np.concatenate([rest, pcm])
                whole = len(rest) // PEAKS_STEP * PEAKS_STEP
                peaks_file.write(peaks(rest[:whole], PEAKS_STEP).tobytes())
                rest = rest[whole:]
            peaks_file.write(peaks(rest, PEAKS_STEP).tobytes())
    except OSError as error:
        raise AudioError(
            f"{audio.name}: the decoded sound cannot be kept ({error.strerror}); make room in the "
            "cache folder"
        ) from None


def peaks(pcm: np.ndarray, step: int) -> np.ndarray:
    """Give least and largest of each ``step`` samples: int8 (n, 2), in parts of 127.

    Parameters
    ----------
    pcm
        int16 (m,); the last step may be shorter.
    """
    if not len(pcm):
        return np.empty((0, 2), np.int8)
    starts = np.arange(0, len(pcm), step)
    low, high = np.minimum.reduceat(pcm, starts), np.maximum.reduceat(pcm, starts)
    return (np.stack([low, high], axis=1) / 258).round().astype(np.int8)
