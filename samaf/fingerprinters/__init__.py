"""Audio to hashes or vectors: model cards and the ONNX encoders that they describe."""

from samaf.fingerprinters.card import (
    Card,
    LikelihoodRatio,
    ModelCard,
    ScoreCalibration,
    VectorCard,
    shipped,
)
from samaf.fingerprinters.encoder import Fingerprinter
from samaf.fingerprinters.loading import (
    DEFAULT_MODEL,
    AnyFingerprinter,
    hashing,
    load_fingerprinter,
    load_hash_model,
)
from samaf.fingerprinters.vectors import VectorFingerprinter, Vectors

__all__ = [
    "DEFAULT_MODEL",
    "AnyFingerprinter",
    "Card",
    "ScoreCalibration",
    "Fingerprinter",
    "LikelihoodRatio",
    "ModelCard",
    "VectorCard",
    "VectorFingerprinter",
    "Vectors",
    "hashing",
    "load_fingerprinter",
    "load_hash_model",
    "shipped",
]
