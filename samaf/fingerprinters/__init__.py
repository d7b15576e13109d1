"""Blocks to hashes: model cards and the ONNX encoders that they describe."""

from samaf.fingerprinters.card import Confidence, LikelihoodRatio, ModelCard, shipped
from samaf.fingerprinters.encoder import DEFAULT_MODEL, Fingerprinter, load_fingerprinter

__all__ = [
    "DEFAULT_MODEL",
    "Confidence",
    "Fingerprinter",
    "LikelihoodRatio",
    "ModelCard",
    "load_fingerprinter",
    "shipped",
]
