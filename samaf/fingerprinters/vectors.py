"""The U-Net fingerprinter: an ONNX encoder that makes a vector of 4 s of audio."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from samaf.features.melspectrogram import mel_spectrogram, segment_chunks
from samaf.fingerprinters.card import VectorCard
from samaf.fingerprinters.card_properties import CardProperties
from samaf.fingerprinters.session import open_session
from samaf.records import Codes

BATCH_SEGMENTS = 16  # 12 MB of samples
QUERY_HOP = 0.5  # s; of a clip of 6 s some segment lies within 0.25 s of a stored one
LEAST_LEVEL = 1e-3  # root of the mean square against full scale, 1: -60 dB; below it is silence
SAME = 1e-3  # relative distance of vectors that differ only by the machine's rounding


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """The vectors of one piece of audio.

    Attributes
    ----------
    values
        float32 (m, values); row i starts at ``i x hop`` seconds. Silence has rows of nan.
    hop
        Seconds from one to the next.
    padded
        Whether the audio was shorter than a segment and padded with zeros.
    """

    values: np.ndarray
    hop: float
    padded: bool

    @property
    def informative(self) -> np.ndarray:
        """bool (m,): False for silence."""
        return ~np.isnan(self.values).any(axis=1)


class VectorFingerprinter(CardProperties[VectorCard]):
    """Turns audio into vectors, one of 4 s every 2.5 s.

    A store keeps the vectors' bytes, as `Codes` of 8 x 4 bits a value, so stores, backups and
    exports hold both families alike. `unpacked` reads them.

    Parameters
    ----------
    card
        Its name, parameters and figures.
    model
        The ONNX file of the encoder.
    """

    hashes_sides = False  # all channels are mixed

    def __init__(self, card: VectorCard, model: Path) -> None:
        self.card, self.path = card, model
        self._session = open_session(model, card.onnx_sha256, ["spectrogram"], card.values)

    @property
    def block(self) -> float:
        """Seconds that a vector covers."""
        return self.card.features.segment_seconds

    def hashes(self, chunks: Iterable[np.ndarray], salt: str) -> Codes:
        """Encode a recording that comes in chunks; none when it is shorter than a segment.

        Parameters
        ----------
        chunks
            float32 arrays (n,), 48 kHz, peak-normalised, in order.
        salt
            Unused; models of hashes draw from it.
        """
        vectors = self.vectors(chunks, self.hop)
        values = vectors.values[:0] if vectors.padded else vectors.values
        packed = np.ascontiguousarray(values, "<f4").view(np.uint8)
        return Codes(packed.reshape(-1, 4 * self.card.values), ~np.isnan(values).any(axis=1))

    def vectors(self, chunks: Iterable[np.ndarray], hop: float = QUERY_HOP) -> Vectors:
        """Encode audio that comes in chunks, one vector every ``hop`` seconds.

        Audio shorter than a segment is padded with zeros (paper section 3.2). Of longer audio,
        samples after the last full segment are left out (its Figure 8).
        """
        parameters = replace(self.card.features, hop_seconds=hop)
        counter = _SampleCounter()
        values = [self.encode(cut) for cut in segment_chunks(counter(chunks), parameters)]
        joined = np.concatenate([np.empty((0, self.card.values), np.float32), *values])
        return Vectors(joined, hop, 0 < counter.samples < parameters.segment_samples)

    def encode(self, cut: np.ndarray) -> np.ndarray:
        """Encode segments float32 (m, 192000) to float32 (m, values); silence gives nan."""
        vectors = np.full((len(cut), self.card.values), np.nan, np.float32)
        sound = np.flatnonzero(np.sqrt(np.mean(np.square(cut), axis=1)) >= LEAST_LEVEL)
        for a in range(0, len(sound), BATCH_SEGMENTS):
            batch = sound[a : a + BATCH_SEGMENTS]
            spectrograms = mel_spectrogram(cut[batch], self.card.features)
            vectors[batch] = self._session.run(["vectors"], {"spectrogram": spectrograms})[0]
        return vectors

    def difference(self, one: Codes, other: Codes) -> str:
        """Describe how two results for the same audio differ; empty where rounding explains it."""
        first, second = (unpacked(hashes.packed) for hashes in (one, other))
        sound = one.informative & other.informative
        apart = np.linalg.norm(first[sound] - second[sound], axis=1)
        far = int((apart > SAME * np.linalg.norm(second[sound], axis=1)).sum())
        far += int((one.informative != other.informative).sum())
        return f"differs in {far} of {len(first)} vectors" if far else ""


class _SampleCounter:
    """Counts the samples of the chunks that it passes on."""

    def __init__(self) -> None:
        self.samples = 0

    def __call__(self, chunks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        for chunk in chunks:
            self.samples += len(chunk)
            yield chunk


def unpacked(packed: np.ndarray) -> np.ndarray:
    """Read vectors from their bytes: float32 (m, values) from uint8 (m, 4 x values)."""
    return packed.view("<f4")
