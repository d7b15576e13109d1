"""Sound as a file that any player takes: mono, 16 bits, at the rate that is hashed."""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from samaf.audio import SAMPLE_RATE, Audio
from samaf.errors import AudioError
from samaf.files import atomic

LONGEST_S = 36 * 3600.0  # a WAV file holds 4 GiB: 37 hours
PEAKS_STEP = 2560  # samples, 160 ms
HEADER_BYTES = 44  # of a WAV file
LARGEST = 32_000  # of 16-bit samples: 0.2 dB below full scale


class _Pcm:
    """Writes samples of 16 bits, and their peaks beside them."""

    def __init__(self, write: Callable[[memoryview], object], peaks_file: BinaryIO) -> None:
        self._write = write
        self._peaks = peaks_file
        self._rest = np.empty(0, np.int16)

    def add(self, samples: np.ndarray) -> None:
        """Write float32 (n,), full scale 1."""
        scaled = np.clip(samples, -1, 1)
        scaled *= LARGEST
        pcm = np.rint(scaled, out=scaled).astype("<i2")
        self._write(pcm.data)
        rest = np.concatenate([self._rest, pcm]) if len(self._rest) else pcm
        whole = len(rest) // PEAKS_STEP * PEAKS_STEP
        self._peaks.write(peaks(rest[:whole], PEAKS_STEP).tobytes())
        self._rest = rest[whole:]

    def end(self) -> None:
        """Write the peaks of the last step, which may be shorter."""
        self._peaks.write(peaks(self._rest, PEAKS_STEP).tobytes())


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
            pcm = _Pcm(wav.writeframesraw, peaks_file)
            for chunk in [audio.samples()[::-1]] if backwards else audio.chunks():
                pcm.add(chunk)
            pcm.end()
    except OSError as error:
        raise AudioError(
            f"{audio.name}: the decoded sound cannot be kept ({error.strerror}); make room in the "
            "cache folder"
        ) from None


def draft_path(out: Path) -> Path:
    """Give where `Draft` keeps what will be written to ``out``."""
    return out.with_name(f"{out.stem}.draft.wav")


class Draft:
    """What is decoded of a sound so far, to look at until `write_playable` has written it.

    Its layout is that of the file, but at the level of the file that is decoded, and its header is
    empty. Leaving the ``with`` removes it. A full disk ends it and nothing else.
    """

    def __init__(self, out: Path) -> None:
        self._path = draft_path(out)
        self._files: list[BinaryIO] = []
        self._pcm: _Pcm | None = None

    def __enter__(self) -> Draft:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def add(self, samples: np.ndarray | None) -> None:
        """Append float32 (n,); None begins once more."""
        try:
            if samples is None:
                self._begin()
            elif self._pcm is not None:
                self._pcm.add(samples)
        except OSError:
            self._close()

    def _begin(self) -> None:
        self._close()
        for path in (self._path, self._path.with_suffix(".peaks")):
            self._files.append(path.open("wb", buffering=0))
        wav, peaks_file = self._files
        wav.write(bytes(HEADER_BYTES))
        self._pcm = _Pcm(wav.write, peaks_file)

    def _close(self) -> None:
        self._pcm = None
        for file in self._files:
            file.close()
        self._files = []
        for path in (self._path, self._path.with_suffix(".peaks")):
            path.unlink(missing_ok=True)


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
