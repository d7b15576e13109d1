from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from vectormodel import NAME, write_vector_model

from samaf.errors import FingerprinterError
from samaf.features.melspectrogram import MelParameters, mel_spectrogram
from samaf.fingerprinters import (
    DEFAULT_MODEL,
    VectorCard,
    VectorFingerprinter,
    load_fingerprinter,
    load_hash_model,
)
from samaf.fingerprinters.card import read_card, write_card
from samaf.fingerprinters.vectors import unpacked
from samaf.records import Hashes

RATE = 48_000
CARD = VectorCard(
    "U8",
    "unet",
    8,
    MelParameters(normalised=False),
    {"minutes": 2.5},
    {"mse": 0.4},
    "ab" * 32,
    "cd" * 32,
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_vector_model(tmp_path_factory.mktemp("vectors"))


@pytest.fixture(scope="module")
def model(path: Path) -> VectorFingerprinter:
    loaded = load_fingerprinter(str(path))
    assert isinstance(loaded, VectorFingerprinter)
    return loaded


def sound(seconds: float) -> np.ndarray:
    rng = np.random.default_rng(1)
    loudness = np.interp(np.arange(seconds * RATE), np.arange(0, 200) * 4800, rng.random(200))
    return (loudness * rng.uniform(-1, 1, len(loudness))).astype(np.float32)


@pytest.mark.parametrize(
    ("seconds", "hop", "count", "padded"),
    [
        (0, 2.5, 0, False),
        (1, 2.5, 1, True),
        (4, 2.5, 1, False),
        (10, 2.5, 3, False),
        (6, 0.5, 5, False),
    ],
)
def test_vectors_come_every_hop(
    model: VectorFingerprinter, seconds: float, hop: float, count: int, padded: bool
) -> None:
    found = model.vectors([sound(seconds)], hop)
    assert found.values.shape == (count, 320)
    assert (found.padded, found.hop) == (padded, hop)
    assert found.informative.all()


def test_a_vector_is_that_of_its_stretch_however_the_samples_come(
    model: VectorFingerprinter,
) -> None:
    samples = sound(9)
    whole = model.vectors([samples], 2.5).values
    pieces = model.vectors(np.array_split(samples, 7), 2.5).values
    assert np.array_equal(whole, pieces)
    levels = mel_spectrogram(samples[None, 120_000:312_000], MelParameters())
    fifths = levels[0, :, :375].reshape(64, 5, 75).mean(axis=2)
    np.testing.assert_allclose(whole[1].reshape(64, 5), fifths, atol=1e-4)


def test_what_a_store_keeps_are_the_bytes(model: VectorFingerprinter) -> None:
    samples = sound(10)
    kept = model.hashes([samples], "seed")
    assert kept.bits == model.card.bits == 10_240
    assert np.array_equal(unpacked(kept.packed), model.vectors([samples], 2.5).values)
    assert len(model.hashes([samples[: 3 * RATE]], "seed")) == 0


def test_silence_has_no_vector(model: VectorFingerprinter) -> None:
    samples = np.concatenate([np.zeros(7 * RATE, np.float32), sound(6)])
    found = model.vectors([samples], 2.5)
    assert found.informative.tolist() == [False, False, True, True]
    assert np.isnan(found.values[:2]).all()
    assert model.hashes([samples], "").informative.tolist() == [False, False, True, True]


def test_difference_tells_vectors_that_are_others(model: VectorFingerprinter) -> None:
    one = model.hashes([sound(10)], "")
    hardly = Hashes((unpacked(one.packed) * np.float32(1.00001)).view(np.uint8), one.informative)
    assert model.difference(one, hardly) == ""
    values = unpacked(one.packed).copy()
    values[1] += 1
    other = Hashes(values.view(np.uint8), one.informative)
    assert model.difference(one, other) == "differs in 1 of 3 vectors"
    silent = Hashes(one.packed, np.array([True, True, False]))
    assert model.difference(one, silent) == "differs in 1 of 3 vectors"


def test_a_model_of_vectors_does_not_pass_for_one_of_hashes(path: Path) -> None:
    with pytest.raises(FingerprinterError, match=rf"{NAME}: makes vectors.*{DEFAULT_MODEL}"):
        load_hash_model(str(path))
    assert load_hash_model().name == DEFAULT_MODEL


def test_a_card_comes_back_as_it_was(tmp_path: Path) -> None:
    assert read_card(write_card(CARD, tmp_path)) == CARD


@pytest.mark.parametrize(
    "change", [{"onnx_sha256": "ef" * 32}, {"values": 16}, {"features": MelParameters()}], ids=str
)
def test_what_changes_vectors_changes_the_digest(change: dict[str, object]) -> None:
    assert replace(CARD, **change).digest != CARD.digest
    assert replace(CARD, figures={}, training={}, decoder_sha256="").digest == CARD.digest


@pytest.mark.parametrize(
    ("field", "value"),
    [("values", 0), ("values", "8"), ("name", None), ("features", {"fft": "1024"}), ("bits", 8)],
)
def test_a_field_of_another_kind(tmp_path: Path, field: str, value: object) -> None:
    data = json.loads(CARD.as_json()) | {field: value}
    (tmp_path / "bad.json").write_text(json.dumps(data))
    with pytest.raises(FingerprinterError, match=r"bad\.json: is no readable model card"):
        read_card(tmp_path / "bad.json")


def test_a_damaged_encoder_is_refused(path: Path, tmp_path: Path) -> None:
    write_card(read_card(path.with_suffix(".json")), tmp_path)
    (tmp_path / path.name).write_bytes(path.read_bytes()[:-10])
    with pytest.raises(FingerprinterError, match="not the file its card describes"):
        load_fingerprinter(str(tmp_path / path.name))
