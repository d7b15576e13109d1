from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from samaf.errors import TrainingError
from samaf.fingerprinters import VectorCard
from samaf.fingerprinters.card import write_card, write_model
from samaf.fingerprinters.decoder import SpectrogramDecoder
from samaf.training import losses
from samaf.training.unet.export import decoder_bytes, encoder_bytes
from samaf.training.unet.model import CHANNELS, UNet, instance_norm, variant, vectors

pytestmark = pytest.mark.training

TINY = (4, 6, 8, 8, 8, 64)
MEGABYTE = 1_000_000


def spectrograms(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, 64, 376)).astype(np.float32)


@pytest.fixture(scope="module")
def paper() -> UNet:
    """The model as the paper has it, untrained."""
    return UNet(variant("UNET320"), seed=1)


def stirred(name: str) -> UNet:
    """A small model whose biases are not 0."""
    model = UNet(variant(name), channels=TINY, seed=1)
    rng = np.random.default_rng(2)
    for variable in model.trainable_variables:
        variable.assign(variable + 0.1 * rng.standard_normal(variable.shape))
    return model


def test_the_model_has_the_papers_number_of_parameters(paper: UNet) -> None:
    assert paper.count_params() == 6_001_601
    assert sum(v.shape.num_elements() for v in paper.trainable_variables) == 6_001_601


def test_the_latent_values_are_64_x_1_x_5(paper: UNet) -> None:
    given = paper(spectrograms(2))
    channels_first = np.asarray(keras.ops.transpose(given[-1], (0, 3, 1, 2)))
    assert channels_first.shape == (2, 64, 1, 5)
    flat = np.asarray(vectors(given))
    assert flat.shape == (2, 320)
    assert np.array_equal(flat, channels_first.reshape(2, 320))
    # The last layer normalises each channel's five values, so all vectors are equally long.
    assert np.linalg.norm(flat, axis=1) == pytest.approx(np.sqrt(320), rel=0.01)


def test_the_output_has_the_shape_of_the_input(paper: UNet) -> None:
    x = spectrograms(2)
    assert paper.decode(paper(x)).shape == x.shape


def test_layers_have_the_papers_sizes(paper: UNet) -> None:
    assert [tuple(each.shape[1:]) for each in paper(spectrograms(1))] == [
        (32, 188, 64),
        (16, 94, 128),
        (8, 47, 256),
        (4, 23, 256),
        (2, 11, 256),
        (1, 5, 64),
    ]
    assert tuple(layer.filters for layer in paper.encoder) == CHANNELS
    assert [layer.filters for layer in paper.decoder] == [256, 256, 256, 128, 64]


def test_a_decoder_without_skips_takes_the_latent_values_alone() -> None:
    model = UNet(variant("UNET320L"), channels=TINY, seed=1)
    given = model(spectrograms(1))
    outer = [np.zeros_like(each) for each in given[:-1]]
    assert np.array_equal(model.decode(given), model.decode([*outer, given[-1]]))
    skipping = UNet(variant("UNET320"), channels=TINY, seed=1)
    given = skipping(spectrograms(1))
    assert not np.allclose(skipping.decode(given), skipping.decode([*outer, given[-1]]))


def test_instance_norm_by_hand() -> None:
    x = np.array([[1.0, 10.0], [3.0, 30.0]], np.float32).reshape(1, 2, 1, 2)
    found = np.asarray(instance_norm(x)).reshape(2, 2)
    assert np.allclose(found, [[-1, -1], [1, 1]], atol=1e-4)


def test_dropout_acts_in_training_only(paper: UNet) -> None:
    x = spectrograms(1)
    quiet = [np.asarray(paper(x)[-1]) for _ in range(2)]
    assert np.array_equal(*quiet)
    dropped = np.asarray(paper(x, training=True)[-1])
    assert 0.15 < (dropped == 0).mean() < 0.45


def test_the_loss_is_the_mean_square_error_of_clean_and_rebuilt() -> None:
    model = UNet(variant("UNET320"), channels=TINY, seed=1)
    model.compile("adam")
    x, clean = spectrograms(3), spectrograms(3, seed=1)
    total = float(model.test_on_batch(x, (clean, np.zeros((3, 2), np.float32)))[0])
    expected = np.mean((clean - np.asarray(model.decode(model(x)))) ** 2)
    assert model.means() == pytest.approx({"M": expected}, rel=1e-4)
    assert total == pytest.approx(expected, rel=1e-4)


def test_the_contrastive_term_compares_references_with_what_is_rebuilt() -> None:
    model = UNet(variant("UNET320C"), {"C": 0.5}, channels=TINY, seed=1)
    model.compile("adam")
    x, clean = spectrograms(6), spectrograms(2, seed=1)
    moments = np.array([[0, 0], [1, 0], [2, 0]], np.float32)
    total = float(model.test_on_batch(x, (clean, moments))[0])
    terms = model.means()
    flat = np.asarray(vectors(model(x)))
    assert terms["C"] == pytest.approx(
        float(losses.pair_entropy(losses.unit(flat), moments)), rel=1e-3
    )
    assert terms["M"] == pytest.approx(
        np.mean((clean - np.asarray(model.decode(model(x[:2])))) ** 2), rel=1e-4
    )
    assert total == pytest.approx(terms["M"] + 0.5 * terms["C"], rel=1e-4)


@pytest.mark.parametrize("name", ["UNET", "UNET320X", "UNET320LC", "UNET320CC", "unet320"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(TrainingError, match="names no U-Net"):
        variant(name)


def test_what_names_say() -> None:
    kinds = {n: variant(n) for n in ("UNET320", "UNET320C", "UNET320L", "UNET320CLR")}
    assert [k.contrastive for k in kinds.values()] == [False, True, False, True]
    assert [k.skips for k in kinds.values()] == [True, True, False, False]
    assert [k.features.normalised for k in kinds.values()] == [True, True, True, False]


def exported(model: UNet, folder: Path) -> SpectrogramDecoder:
    from hashlib import sha256

    decoder = decoder_bytes(model)
    (folder / f"{model.name}-decoder.onnx").write_bytes(decoder)
    sha = sha256(decoder).hexdigest()
    card = VectorCard(model.name, "unet", 320, model.kind.features, decoder_sha256=sha)
    return SpectrogramDecoder(write_model(encoder_bytes(model), card, folder))


@pytest.mark.parametrize("name", ["UNET320", "UNET320L"])
def test_keras_and_onnx_agree(name: str, tmp_path: Path) -> None:
    model, x = stirred(name), spectrograms(3)
    both = exported(model, tmp_path)
    given, encoded = model(x), both.encode(x)
    assert encoded.vectors.dtype == np.float32
    # Weights are kept as float16, eleven bits.
    ours = np.asarray(vectors(given))
    assert np.abs(encoded.vectors - ours).max() < 0.03
    assert np.sqrt(np.mean((encoded.vectors - ours) ** 2)) < 0.004
    rebuilt = both.rebuild(encoded)
    assert rebuilt.shape == x.shape
    assert np.sqrt(np.mean((rebuilt - np.asarray(model.decode(given))) ** 2)) < 0.004
    assert list(encoded.skips) == [f"skip{n}" for n in range(1, 6)] * (name == "UNET320")


def test_batch_size_does_not_matter(tmp_path: Path) -> None:
    both, x = exported(stirred("UNET320"), tmp_path), spectrograms(5)
    each = np.concatenate([both.encode(one[None]).vectors for one in x])
    assert np.abs(each - both.encode(x).vectors).max() < 1e-4


def test_the_files_of_the_papers_model_stay_below_seven_megabytes(paper: UNet) -> None:
    assert len(encoder_bytes(paper)) < 7 * MEGABYTE
    assert len(decoder_bytes(paper)) < 7 * MEGABYTE
    assert encoder_bytes(paper) == encoder_bytes(paper)


def test_a_card_with_another_decoder_is_refused(tmp_path: Path) -> None:
    from dataclasses import replace

    from samaf.errors import FingerprinterError

    both = exported(stirred("UNET320L"), tmp_path)
    write_card(replace(both.card, decoder_sha256="0" * 64), tmp_path)
    with pytest.raises(FingerprinterError, match="UNET320L-decoder.onnx: is not the file"):
        SpectrogramDecoder(tmp_path / "UNET320L.onnx")
    write_card(replace(both.card, decoder_sha256=""), tmp_path)
    with pytest.raises(FingerprinterError, match="UNET320L: has no decoder"):
        SpectrogramDecoder(tmp_path / "UNET320L.onnx")
