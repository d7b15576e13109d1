"""Blocks to hashes: model cards and the ONNX encoders that they describe."""

from samaf.fingerprinters.card import Confidence, ModelCard, shipped
from samaf.fingerprinters.encoder import DEFAULT_MODEL, Fingerprinter, load_fingerprinter

__all__ = [
    "DEFAULT_MODEL",
    "Confidence",
    "Fingerprinter",
    "ModelCard",
    "load_fingerprinter",
    "shipped",
]
