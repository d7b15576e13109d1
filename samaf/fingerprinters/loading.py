"""Models by name or file; the card decides between hashes and vectors."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from samaf.errors import FingerprinterError
from samaf.fingerprinters.card import MODELS, ModelCard, read_card, shipped
from samaf.fingerprinters.encoder import Fingerprinter
from samaf.fingerprinters.vectors import VectorFingerprinter

DEFAULT_MODEL = "2LST256C"

AnyFingerprinter = Fingerprinter | VectorFingerprinter


@lru_cache(maxsize=8)
def load_fingerprinter(name: str = DEFAULT_MODEL) -> AnyFingerprinter:
    """Load a shipped model by name, or any model by the path of its card or ONNX file.

    Raises
    ------
    FingerprinterError
        There is no such model, or its files are damaged.
    """
    path = Path(name)
    if path.suffix not in {".json", ".onnx"}:
        path = MODELS / f"{name}.json"
        if not path.is_file():
            known = ", ".join(card.name for card in shipped())
            raise FingerprinterError(f"{name!r}: no such model; shipped are {known}")
    card, model = read_card(path.with_suffix(".json")), path.with_suffix(".onnx")
    if isinstance(card, ModelCard):
        return Fingerprinter(card, model)
    return VectorFingerprinter(card, model)


def load_hash_model(name: str = DEFAULT_MODEL) -> Fingerprinter:
    """Load a model of hashes; see `load_fingerprinter`.

    Raises
    ------
    FingerprinterError
        There is no such model, its files are damaged, or it makes vectors.
    """
    return hashing(load_fingerprinter(name))


def hashing(fingerprinter: AnyFingerprinter) -> Fingerprinter:
    """Give back a model of hashes; `FingerprinterError` for any other."""
    if isinstance(fingerprinter, VectorFingerprinter):
        raise FingerprinterError(
            f"{fingerprinter.name}: makes vectors of {fingerprinter.block:g} s, and this is done "
            f"with hashes; take a model of hashes such as {DEFAULT_MODEL}, or `samaf query`"
        )
    return fingerprinter
