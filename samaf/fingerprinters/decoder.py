"""Both halves of a U-Net: spectrograms to vectors and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from samaf.errors import FingerprinterError
from samaf.fingerprinters.card import MODELS, VectorCard, read_card, shipped
from samaf.fingerprinters.session import open_session

DECODER = "{}-decoder.onnx"  # beside the encoder's NAME.onnx


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """What the encoder gives for n spectrograms.

    Attributes
    ----------
    vectors
        The fingerprints, float32 (n, 320).
    skips
        Further inputs of the decoder, by name: the outer layers of a model with skip
        connections.
    """

    vectors: np.ndarray
    skips: Mapping[str, np.ndarray]


class SpectrogramDecoder:
    """An encoder with the decoder that it was trained with.

    Parameters
    ----------
    model
        The encoder's ONNX file; card and decoder lie beside it.

    Raises
    ------
    FingerprinterError
        A file is missing or damaged, or no decoder belongs to the model.
    """

    def __init__(self, model: Path) -> None:
        card = read_card(model.with_suffix(".json"))
        if not isinstance(card, VectorCard) or not card.decoder_sha256:
            raise FingerprinterError(
                f"{card.name}: has no decoder; take a U-Net that has one, such as UNET320"
            )
        self.card = card
        outer = DECODER.format(model.stem)
        self._encoder = open_session(model, card.onnx_sha256, ["spectrogram"], card.values)
        self._skips = [output.name for output in self._encoder.get_outputs()[1:]]
        self._decoder = open_session(
            model.with_name(outer),
            card.decoder_sha256,
            ["vectors", *self._skips],
            card.features.frames,
        )

    def encode(self, spectrograms: np.ndarray) -> Encoded:
        """Encode spectrograms, float32 (n, bands, frames)."""
        vectors, *skips = self._encoder.run(None, {"spectrogram": spectrograms})
        return Encoded(vectors, dict(zip(self._skips, skips, strict=True)))

    def rebuild(self, encoded: Encoded) -> np.ndarray:
        """Rebuild spectrograms, float32 (n, bands, frames)."""
        given = {"vectors": encoded.vectors, **encoded.skips}
        rebuilt: np.ndarray = self._decoder.run(None, given)[0]
        return rebuilt


def load_decoder(name: str) -> SpectrogramDecoder:
    """Load a shipped model by name, or any model by the path of its card or ONNX file.

    Raises
    ------
    FingerprinterError
        There is no such model, its files are damaged, or it has no decoder.
    """
    path = Path(name)
    if path.suffix not in {".json", ".onnx"}:
        path = MODELS / f"{name}.json"
        if not path.is_file():
            able = [c.name for c in shipped() if isinstance(c, VectorCard) and c.decoder_sha256]
            raise FingerprinterError(
                f"{name!r}: no such model; shipped with a decoder: {', '.join(able) or 'none'}"
            )
    return SpectrogramDecoder(path.with_suffix(".onnx"))
