"""The LSTM fingerprinter: an ONNX encoder with its feature parameters."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from samaf.features import encoder_input
from samaf.features.stream import block_chunks
from samaf.fingerprinters.card import ModelCard
from samaf.fingerprinters.card_properties import CardProperties
from samaf.fingerprinters.codebook import read_codebook
from samaf.fingerprinters.session import open_session
from samaf.records import IDENTITY, Codes, Hashes, Manipulation

BATCH_BLOCKS = 256  # more gains nothing and costs memory
# Of training speech's deviation: tones and hum stay below, speech in noise begins at 0.26; 0.4 % of
# the blocks of clean speech, its pauses, lie below too.
LEAST_ACTIVITY = 0.25
# White, pink and telephone noise stay below, 95 of 100 blocks of speech in as much noise lie above.
STEADY = 0.33
MOST_RELIABLE = 255
LOUD = 0.95  # quantile of a block's frames that its pauses are compared with
PAUSE = 2.5 * float(np.log(10))  # 25 dB


class Fingerprinter(CardProperties[ModelCard]):
    """Turns audio into hashes.

    Parameters
    ----------
    card
        Its name, parameters and figures.
    model
        The ONNX file that belongs to the card.
    """

    hashes_sides = True  # of a recording whose channels differ, each by itself besides

    def __init__(self, card: ModelCard, model: Path) -> None:
        self.card, self.path = card, model
        self._session = open_session(model, card.onnx_sha256, ["blocks"], card.bits)

    @property
    def block(self) -> float:
        """Seconds that a hash covers."""
        return self.card.features.block_seconds

    def codebook(self) -> np.ndarray:
        """Read the codebook, uint8 (cells, bits / 8); see `read_codebook`."""
        return read_codebook(self.card, self.path)

    def states(self, inputs: np.ndarray) -> np.ndarray:
        """Encode prepared blocks (m, steps, values) to h, float32 (m, bits)."""
        parts = [
            self._session.run(None, {"blocks": inputs[a : a + BATCH_BLOCKS]})[0]
            for a in range(0, len(inputs), BATCH_BLOCKS)
        ]
        return np.concatenate(parts) if parts else np.empty((0, self.card.bits), np.float32)

    def hashes(
        self, chunks: Iterable[np.ndarray], salt: str, manipulation: Manipulation = IDENTITY
    ) -> Hashes:
        """Hash audio that comes in chunks.

        Parameters
        ----------
        chunks
            float32 arrays (n,), 16 kHz, peak-normalised, in order.
        salt
            Text that belongs to this audio alone, such as its SHA-256: uninformative
            blocks get bits drawn from it.
        manipulation
            Hash as if this manipulation had not happened. Reversing is up to the caller.
        """
        parameters = replace(self.card.features, tau=manipulation.tau, rho=manipulation.rho)
        parts = [self._hashed(cut) for cut in block_chunks(chunks, parameters)]
        return self._masked(parts, salt)

    def informative(self, chunks: Iterable[np.ndarray]) -> np.ndarray:
        """Tell which blocks of audio that comes in chunks are informative, bool (m,)."""
        parts = [
            activity(cut, self.card.deviation) >= LEAST_ACTIVITY
            for cut in block_chunks(chunks, self.card.features)
        ]
        return np.concatenate([np.empty(0, bool), *parts])

    def difference(self, one: Codes, other: Codes) -> str:
        """Describe how two results for the same audio differ; empty where they do not."""
        # Uninformative blocks get noise, which is seeded by the file and so equal as well.
        bits = int(np.bitwise_count(one.packed ^ other.packed).sum())
        if bits or (one.informative != other.informative).any():
            return f"differs in {bits} of {8 * one.packed.size} bits"
        return ""

    def hash_blocks(self, cut: np.ndarray, salt: str) -> Hashes:
        """Hash given blocks, float32 (m, block_frames, coefficients)."""
        return self._masked([self._hashed(cut)], salt)

    def _hashed(self, cut: np.ndarray) -> Hashes:
        """Hash blocks, the uninformative ones too."""
        states = self.states(encoder_input(cut, self.card.features))
        change = activity(cut, self.card.deviation)
        return Hashes(
            np.packbits(states >= 0, axis=1),
            change >= LEAST_ACTIVITY,
            reliability(states),
            np.where(change >= STEADY, speech_share(cut), np.uint8(0)),
        )

    def _masked(self, parts: Sequence[Hashes], salt: str) -> Hashes:
        """Join parts and put noise in place of uninformative hashes."""
        none = np.empty((0, self.card.bits), np.uint8)
        rows = np.concatenate([none[:, ::8], *(p.packed for p in parts)])
        mask = np.concatenate([np.empty(0, bool), *(p.informative for p in parts)])
        reliability_parts = np.concatenate(
            [none, *(p.reliability for p in parts if p.reliability is not None)]
        )
        share_parts = [p.activity for p in parts if p.activity is not None]
        if not mask.all():
            rows[~mask] = noise_bits(salt, rows.shape)[~mask]
            reliability_parts[~mask] = MOST_RELIABLE
        return Hashes(
            rows, mask, reliability_parts, np.concatenate([np.empty(0, np.uint8), *share_parts])
        )


def activity(cut: np.ndarray, deviation: Iterable[float]) -> np.ndarray:
    """Measure how much blocks change in time against training speech, float (m,).

    0 for digital silence and about 1 for speech.
    """
    ratio = cut.std(axis=1) / np.asarray(deviation, np.float32)
    return np.asarray(ratio.mean(axis=1))


def speech_share(cut: np.ndarray) -> np.ndarray:
    """Give the share of each block's frames that are no pause, uint8 (m,), in parts of 255.

    A pause lies `PAUSE` below the block's loud frames. Coefficient 0 of a frame is the natural
    logarithm of its energy.
    """
    energy = cut[:, :, 0]
    rank = round(LOUD * (energy.shape[1] - 1))
    loud = np.partition(energy, rank, axis=1)[:, rank, None]
    return np.rint(255 * (energy > loud - PAUSE).mean(axis=1)).astype(np.uint8)


def reliability(states: np.ndarray) -> np.ndarray:
    """Give the reliability of each bit of h float32 (m, bits): uint8 (m, bits), 255 for the best.

    A state near 0 flips easily. Proportional to |tanh(3 h)|, as
    copies are compared in training (``samaf.training.losses.contrastive``).
    """
    size = np.abs(np.tanh(3 * states))
    most = size.max(axis=1, keepdims=True, initial=0)
    share = np.divide(size, most, out=np.ones_like(size), where=most > 0)
    return np.rint(MOST_RELIABLE * share).astype(np.uint8)


def noise_bits(salt: str, shape: tuple[int, ...]) -> np.ndarray:
    """Draw bytes from a salt, the same on every machine, uint8 of the shape."""
    count = int(np.prod(shape))
    drawn = hashlib.shake_256(salt.encode("utf-8", "backslashreplace")).digest(count)
    return np.frombuffer(drawn, np.uint8).reshape(shape)
