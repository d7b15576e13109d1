from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from golden_input import GOLDEN, golden_hashes, golden_samples, golden_vector

from samaf.fingerprinters import ModelCard, load_hash_model, shipped

NAMES = [card.name for card in shipped() if isinstance(card, ModelCard)]
VECTORS = [card.name for card in shipped() if not isinstance(card, ModelCard)]
AGAIN = "run python tests/fingerprinters/golden_input.py"


def golden(name: str) -> dict[str, Any]:
    path = GOLDEN / f"{name}.json"
    assert path.is_file(), f"{name} has no golden vector; {AGAIN}"
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_model_gives_its_golden_bits(name: str) -> None:
    wanted, fingerprinter = golden(name), load_hash_model(name)
    assert fingerprinter.card.onnx_sha256 == wanted["onnx_sha256"], f"{name} is another; {AGAIN}"
    assert golden_hashes(fingerprinter, wanted["seed"]) == wanted["hashes"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [997, 16_000])
def test_no_bit_depends_on_how_the_audio_comes(name: str, size: int) -> None:
    wanted, fingerprinter = golden(name), load_hash_model(name)
    samples = golden_samples(wanted["seed"])
    chunks = [samples[a : a + size] for a in range(0, len(samples), size)]
    rows = fingerprinter.hashes(chunks, "golden").packed
    assert [row.tobytes().hex() for row in rows] == wanted["hashes"]


@pytest.mark.parametrize("name", NAMES)
def test_states_are_the_same_in_any_batch(name: str) -> None:
    fingerprinter = load_hash_model(name)
    steps = fingerprinter.card.features.steps
    inputs = 10 * np.random.default_rng(0).standard_normal((40, *steps)).astype(np.float32)
    alone = np.concatenate([fingerprinter.states(x[None]) for x in inputs])
    assert np.array_equal(alone, fingerprinter.states(inputs))


@pytest.mark.parametrize("name", VECTORS)
def test_a_shipped_model_gives_its_golden_vector(name: str) -> None:
    wanted = golden(name)
    vector = golden_vector(name)
    assert np.linalg.norm(vector - wanted["vector"]) < 1e-2 * np.linalg.norm(vector), AGAIN


def test_golden_vectors_are_of_shipped_models_only() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} <= {*NAMES, *VECTORS}
