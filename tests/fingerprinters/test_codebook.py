"""Codebooks are drawn from hashes, belong to their card, and are refused where they do not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from samaf.errors import FingerprinterError
from samaf.fingerprinters import ModelCard, load_hash_model
from samaf.fingerprinters.card import read_card
from samaf.fingerprinters.codebook import (
    CENTRES,
    codebook_path,
    draw_centres,
    read_codebook,
    write_codebook,
)


@pytest.fixture
def card() -> ModelCard:
    return replace(load_hash_model().card, codebook_sha256="")


def random_hashes(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 32), np.uint8)


def test_centres_are_hashes_each_once() -> None:
    hashes = np.repeat(random_hashes(50), 3, axis=0)
    centres = draw_centres(hashes, 20)
    assert len({row.tobytes() for row in centres}) == 20
    assert {row.tobytes() for row in centres} <= {row.tobytes() for row in hashes}
    np.testing.assert_array_equal(centres, draw_centres(hashes[::-1], 20))
    assert len(draw_centres(hashes)) == 50


def test_a_codebook_comes_back_with_its_card(tmp_path: Path, card: ModelCard) -> None:
    model = tmp_path / f"{card.name}.onnx"
    written = write_codebook(random_hashes(9), card, model)
    assert written.digest == card.digest
    read = read_card(tmp_path / f"{card.name}.json")
    assert read == written
    np.testing.assert_array_equal(read_codebook(written, model), random_hashes(9))


def test_other_files_and_none_are_refused(tmp_path: Path, card: ModelCard) -> None:
    model = tmp_path / f"{card.name}.onnx"
    with pytest.raises(FingerprinterError, match="has no codebook"):
        read_codebook(card, model)
    written = write_codebook(random_hashes(9), card, model)
    codebook_path(model).write_bytes(random_hashes(10).tobytes())
    with pytest.raises(FingerprinterError, match="is not the codebook that the card"):
        read_codebook(written, model)
    codebook_path(model).unlink()
    with pytest.raises(FingerprinterError, match="cannot be read"):
        read_codebook(written, model)


def test_the_shipped_codebook_has_all_its_centres() -> None:
    fingerprinter = load_hash_model()
    assert fingerprinter.codebook().shape == (CENTRES, 32)
