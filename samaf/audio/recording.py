"""A decoded recording: peak-normalised samples, in chunks or all at once."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

import numpy as np

from samaf.audio.decode import SAMPLE_RATE, decode
from samaf.audio.source import Source, opened, room_for, sha256

MEMORY_BYTES = 64 << 20  # 17 minutes of float32 at 16 kHz; longer audio waits on disk
CHUNK_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Audio:
    """Decoded audio, valid inside the ``with`` of :func:`read`.

    Attributes
    ----------
    name, path, sha256
        File name, where it was, and the identity of its bytes.
    sample_rate
        Hz.
    count
        Number of samples.
    peak
        Largest magnitude before normalisation; 0 for digital silence.
    """

    name: str
    path: str
    sha256: str
    sample_rate: int
    count: int
    peak: float
    _file: IO[bytes]

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.count / self.sample_rate

    def chunks(self, seconds: float = CHUNK_SECONDS) -> Iterator[np.ndarray]:
        """Yield peak-normalised samples, float32 (n,), in order (SAMAF eq. 1)."""
        self._file.seek(0)
        gain = np.float32(1 / self.peak if self.peak else 1)
        while block := self._file.read(4 * int(seconds * self.sample_rate)):
            yield np.frombuffer(block, np.float32) * gain

    def part(self, first: int, count: int) -> np.ndarray:
        """Give up to ``count`` peak-normalised samples from ``first`` on, float32 (n,)."""
        self._file.seek(4 * first)
        gain = np.float32(1 / self.peak if self.peak else 1)
        return np.frombuffer(self._file.read(4 * count), np.float32) * gain

    def samples(self) -> np.ndarray:
        """Give all of them at once, float32 (count,)."""
        return np.concatenate([np.empty(0, np.float32), *self.chunks()])


@contextmanager
def read(source: Source, sample_rate: int = SAMPLE_RATE) -> Iterator[Audio]:
    """Decode a source once and keep the samples: in memory, or on disk when long.

    Raises
    ------
    AudioError
        The source gives no usable audio, or the temporary folder is full.
    """
    with opened(source) as file, tempfile.SpooledTemporaryFile(MEMORY_BYTES) as spool:
        name = file.path or file.name
        digest = sha256(file.file)
        count, peak = 0, 0.0
        for samples in decode(file, sample_rate):
            with room_for(f"{name}: decoded audio"):
                spool.write(samples.tobytes())
                spool.flush()
            count += len(samples)
            peak = max(peak, float(np.abs(samples).max(initial=0)))
        yield Audio(file.name, file.path, digest, sample_rate, count, peak, spool)


def load(source: Source, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """Decode a whole source into memory: float32 (n,), mono, peak 1."""
    with read(source, sample_rate) as audio:
        return audio.samples()
