"""Blocks of frames, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from samaf.errors import FingerprinterError
from samaf.features import FeatureParameters, blocks, encoder_input

PLAIN = FeatureParameters()
SMALL = replace(PLAIN, block_frames=4, hop_frames=2, mel_bands=2, coefficients=2)


def counted(frames: int, coefficients: int = 2) -> np.ndarray:
    return np.arange(frames * coefficients, dtype=np.float32).reshape(frames, coefficients)


def test_blocks_by_hand() -> None:
    cut = blocks(counted(7), SMALL)
    assert cut.shape == (2, 4, 2)
    assert cut[0].tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert cut[1].tolist() == [[4, 5], [6, 7], [8, 9], [10, 11]]


@pytest.mark.parametrize(
    ("frames", "expected"), [(0, 0), (99, 0), (100, 1), (124, 1), (125, 2), (200, 5)]
)
def test_number_of_blocks(frames: int, expected: int) -> None:
    assert blocks(counted(frames, 13), PLAIN).shape == (expected, 100, 13)


def test_stacking_joins_neighboring_frames() -> None:
    stacked = encoder_input(blocks(counted(4), SMALL), replace(SMALL, stack=2))
    assert stacked.tolist() == [[[0, 1, 2, 3], [4, 5, 6, 7]]]
    assert stacked.dtype == np.float32
    assert stacked.flags.c_contiguous


def test_mean_subtraction_takes_the_blocks_own_mean() -> None:
    cut = blocks(counted(4), SMALL)
    centred = encoder_input(cut, replace(SMALL, subtract_mean=True))
    assert centred.tolist() == [[[-3, -3], [-1, -1], [1, 1], [3, 3]]]
    assert cut[0, 0].tolist() == [0, 1]


def test_a_constant_in_the_cepstrum_vanishes() -> None:
    frames = np.random.default_rng(0).normal(size=(150, 13)).astype(np.float32)
    colour = np.arange(13, dtype=np.float32)
    centred = replace(PLAIN, subtract_mean=True, stack=4)
    plain = encoder_input(blocks(frames, centred), centred)
    coloured = encoder_input(blocks(frames + colour, centred), centred)
    assert plain.shape == (3, 25, 52)
    assert np.allclose(plain, coloured, atol=1e-5)


def test_no_blocks() -> None:
    assert encoder_input(blocks(counted(3), SMALL), SMALL).shape == (0, 4, 2)


def test_times() -> None:
    assert (PLAIN.hop_seconds, PLAIN.block_seconds) == (0.25, 1.0)
    assert replace(PLAIN, stack=4).steps == (25, 52)


@pytest.mark.parametrize(
    ("change", "value"), [({"stack": 3}, "3"), ({"coefficients": 27}, "27"), ({"fft": 256}, "400")]
)
def test_parameters_that_cannot_be(change: dict[str, int], value: str) -> None:
    with pytest.raises(FingerprinterError, match=value):
        replace(PLAIN, **change)


def test_parameters_survive_a_model_card() -> None:
    parameters = replace(PLAIN, stack=4, low_hz=100.0, tau=0.9)
    assert FeatureParameters(**parameters.as_dict()) == parameters
