"""Golden vectors: made input and the exact bits that a shipped model gives for it.

Run as a script after a model has been exported anew:

    python tests/fingerprinters/golden_input.py [NAME ...]
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

from samaf.features import blocks, encoder_input, mfcc
from samaf.fingerprinters import Fingerprinter, VectorFingerprinter, load_fingerprinter, shipped

GOLDEN = Path(__file__).parent / "golden"
SAMPLES = 35_200  # 2.2 s: five blocks
CLEAR = 1e-4  # states nearer to 0 than this may round either way


def golden_samples(seed: int) -> np.ndarray:
    """Make noise in syllables from integers alone, float32 (35200,), the same everywhere."""
    noise = np.frombuffer(hashlib.shake_256(b"%d" % seed).digest(2 * SAMPLES), "<i2").astype(int)
    time = np.arange(SAMPLES)
    loudness = (time // 1_600 * 37 + seed) % 16 + 1
    colour = (time // 4_000 * 11 + seed) % 7
    smooth = noise + colour * np.roll(noise, 1) // 4 + colour * np.roll(noise, 2) // 8
    return (smooth * loudness // 64).astype(np.float32) / np.float32(32_768)


def golden_hashes(fingerprinter: Fingerprinter, seed: int) -> list[str]:
    """Hash the made input; one hexadecimal string a block."""
    found = fingerprinter.hashes([golden_samples(seed)], "golden")
    assert found.informative.all()
    return [row.tobytes().hex() for row in found.packed]


def golden_vector(name: str) -> np.ndarray:
    """Encode 4 s of the made input with a model of vectors, float32 (values,)."""
    fingerprinter = load_fingerprinter(name)
    assert isinstance(fingerprinter, VectorFingerprinter)
    size = fingerprinter.card.features.segment_samples
    return fingerprinter.encode(np.resize(golden_samples(1), size)[None])[0]


def make(name: str) -> Path:
    """Write what a shipped model must give, of the first input without doubtful bits."""
    fingerprinter = load_fingerprinter(name)
    path = GOLDEN / f"{name}.json"
    if isinstance(fingerprinter, VectorFingerprinter):
        vector = [round(float(value), 3) for value in golden_vector(name)]
        content = {"onnx_sha256": fingerprinter.card.onnx_sha256, "vector": vector}
        path.write_text(json.dumps(content) + "\n", encoding="utf-8")
        return path
    features = fingerprinter.card.features
    seed = 0
    while True:
        cut = blocks(mfcc(golden_samples(seed), features), features)
        if np.abs(fingerprinter.states(encoder_input(cut, features))).min() > CLEAR:
            break
        seed += 1
    content = {
        "onnx_sha256": fingerprinter.card.onnx_sha256,
        "seed": seed,
        "hashes": golden_hashes(fingerprinter, seed),
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


if __name__ == "__main__":
    for model in sys.argv[1:] or [card.name for card in shipped()]:
        print(make(model))
