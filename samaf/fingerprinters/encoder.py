"""The LSTM fingerprinter: an ONNX encoder with its feature parameters."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from samaf.errors import FingerprinterError
from samaf.features import encoder_input
from samaf.features.stream import block_chunks
from samaf.fingerprinters.card import MODELS, ModelCard, read_card, shipped
from samaf.records import IDENTITY, Hashes, Manipulation

DEFAULT_MODEL = "2LST256C"
BATCH_BLOCKS = 256  # more gains nothing and costs memory
# Of training speech's deviation: tones and hum stay below, speech in noise begins at 0.26; 0.4 % of
# the blocks of clean speech, its pauses, lie below too.
LEAST_ACTIVITY = 0.25


class Fingerprinter:
    """Turns audio into hashes.

    Parameters
    ----------
    card
        Its name, parameters and figures.
    model
        The ONNX file that belongs to the card.
    """

    def __init__(self, card: ModelCard, model: Path) -> None:
        self.card, self.path = card, model
        self._session = _session(model, card)

    @property
    def name(self) -> str:
        """Name of the model, e.g. ``2LST256C``."""
        return self.card.name

    @property
    def digest(self) -> str:
        """Identity of model file and parameters."""
        return self.card.digest

    @property
    def hop(self) -> float:
        """Seconds from one hash to the next."""
        return self.card.features.hop_seconds

    @property
    def block(self) -> float:
        """Seconds that a hash covers."""
        return self.card.features.block_seconds

    def states(self, inputs: np.ndarray) -> np.ndarray:
        """Encode prepared blocks (m, steps, values) to h, float32 (m, bits)."""
        parts = [
            self._session.run(None, {"blocks": inputs[a : a + BATCH_BLOCKS]})[0]
            for a in range(0, len(inputs), BATCH_BLOCKS)
        ]
        return np.concatenate(parts) if parts else np.empty((0, self.card.bits), np.float32)

    def hashes(
        self, chunks: Iterable[np.ndarray], seed: str, undo: Manipulation = IDENTITY
    ) -> Hashes:
        """Hash audio that comes in chunks.

        Parameters
        ----------
        chunks
            float32 arrays (n,), 16 kHz, peak-normalised, in order.
        seed
            Text that belongs to this audio alone, such as its SHA-256: blocks with
            nothing to recognise get bits drawn from it.
        undo
            Hash as if this manipulation had not happened. Reversing is up to the caller.
        """
        parameters = replace(self.card.features, tau=undo.tau, rho=undo.rho)
        packed, informative = [], []
        for cut in block_chunks(chunks, parameters):
            packed.append(np.packbits(self.states(encoder_input(cut, parameters)) >= 0, axis=1))
            informative.append(activity(cut, self.card.deviation) >= LEAST_ACTIVITY)
        return self._masked(packed, informative, seed)

    def hash_blocks(self, cut: np.ndarray, seed: str) -> Hashes:
        """Hash blocks that are there already, float32 (m, block_frames, coefficients)."""
        packed = np.packbits(self.states(encoder_input(cut, self.card.features)) >= 0, axis=1)
        informative = activity(cut, self.card.deviation) >= LEAST_ACTIVITY
        return self._masked([packed], [informative], seed)

    def _masked(
        self, packed: Sequence[np.ndarray], informative: Sequence[np.ndarray], seed: str
    ) -> Hashes:
        """Join parts and put noise in place of hashes that tell nothing."""
        rows = np.concatenate([np.empty((0, self.card.bits // 8), np.uint8), *packed])
        mask = np.concatenate([np.empty(0, bool), *informative])
        if not mask.all():
            rows[~mask] = noise_bits(seed, rows.shape)[~mask]
        return Hashes(rows, mask)


def activity(cut: np.ndarray, deviation: Iterable[float]) -> np.ndarray:
    """Measure how much blocks change in time against training speech, float (m,).

    0 for digital silence and about 1 for speech.
    """
    ratio = cut.std(axis=1) / np.asarray(deviation, np.float32)
    return np.asarray(ratio.mean(axis=1))


def noise_bits(seed: str, shape: tuple[int, ...]) -> np.ndarray:
    """Draw bytes from a seed, the same on every machine, uint8 of the shape."""
    count = int(np.prod(shape))
    drawn = hashlib.shake_256(seed.encode("utf-8", "backslashreplace")).digest(count)
    return np.frombuffer(drawn, np.uint8).reshape(shape)


def _session(model: Path, card: ModelCard) -> Any:
    """Load the model with one thread: several files at once do better than two threads."""
    # Evidence stays on this machine: the library reports its use to its maker unless told not to,
    # under one name or the other, before it is loaded.
    os.environ["ORT_DISABLE_TELEMETRY"] = os.environ["ORT_TELEMETRY_DISABLED"] = "1"
    import onnxruntime

    try:
        content = model.read_bytes()
    except OSError as error:
        raise FingerprinterError(
            f"{model}: cannot be read ({error.strerror}); install samaf again"
        ) from None
    if hashlib.sha256(content).hexdigest() != card.onnx_sha256:
        raise FingerprinterError(
            f"{model}: is not the file its card describes; install samaf again or export it again"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        inputs, outputs = session.get_inputs(), session.get_outputs()
        fits = [each.name for each in inputs] == ["blocks"] and outputs[0].shape[-1] == card.bits
    except Exception:  # its errors have no other class in common
        fits = False
    if not fits:
        raise FingerprinterError(f"{model}: is no encoder of samaf; export the model again")
    return session


@lru_cache(maxsize=8)
def load_fingerprinter(name: str = DEFAULT_MODEL) -> Fingerprinter:
    """Load a shipped model by name, or any model by the path of its card or ONNX file.

    Raises
    ------
    FingerprinterError
        There is no such model, or its files are damaged.
    """
    path = Path(name)
    if path.suffix in {".json", ".onnx"}:
        card = read_card(path.with_suffix(".json"))
        return Fingerprinter(card, path.with_suffix(".onnx"))
    if not (MODELS / f"{name}.json").is_file():
        known = ", ".join(card.name for card in shipped())
        raise FingerprinterError(f"{name!r}: no such model; shipped are {known}")
    return Fingerprinter(read_card(MODELS / f"{name}.json"), MODELS / f"{name}.onnx")
