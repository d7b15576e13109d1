from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from golden_input import golden_samples

from samaf.errors import FingerprinterError
from samaf.fingerprinters import DEFAULT_MODEL, load_fingerprinter
from samaf.fingerprinters.card import MODELS, read_card, write_card
from samaf.fingerprinters.encoder import activity, noise_bits, reliability, speech_share
from samaf.records import Manipulation

RATE = 16_000
ENCODER = load_fingerprinter()


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    for suffix in ("onnx", "json"):
        shutil.copy(MODELS / f"{DEFAULT_MODEL}.{suffix}", tmp_path)
    return tmp_path / f"{DEFAULT_MODEL}.onnx"


def test_a_model_is_loaded_by_name_or_by_either_file(copied: Path) -> None:
    digests = {
        load_fingerprinter(name).digest
        for name in (DEFAULT_MODEL, str(copied), str(copied.with_suffix(".json")))
    }
    assert digests == {ENCODER.digest}


def test_an_unknown_name_lists_what_is_shipped() -> None:
    with pytest.raises(FingerprinterError, match=rf"'9LST999X'.*{DEFAULT_MODEL}"):
        load_fingerprinter("9LST999X")


@pytest.mark.parametrize("damage", ["flipped", "cut", "missing"])
def test_a_damaged_model_is_refused(copied: Path, damage: str) -> None:
    content = bytearray(copied.read_bytes())
    content[len(content) // 2] ^= 1
    if damage == "missing":
        copied.unlink()
    else:
        copied.write_bytes(content if damage == "flipped" else content[:-100])
    with pytest.raises(FingerprinterError, match=rf"{DEFAULT_MODEL}\.onnx"):
        load_fingerprinter(str(copied))


def test_a_card_of_another_model_is_refused(copied: Path) -> None:
    card = read_card(copied.with_suffix(".json"))
    write_card(replace(card, onnx_sha256="0" * 64), copied.parent)
    with pytest.raises(FingerprinterError, match="not the file its card describes"):
        load_fingerprinter(str(copied))


@pytest.mark.parametrize(("seconds", "count"), [(0, 0), (0.5, 0), (1.0, 1), (2.2, 5), (3.2, 9)])
def test_hashes_come_every_quarter_second(seconds: float, count: int) -> None:
    samples = np.resize(golden_samples(1), int(seconds * RATE))
    found = ENCODER.hashes([samples], "x")
    assert len(found) == count
    assert found.packed.shape == (count, ENCODER.card.bits // 8)
    assert found.informative.all()


def test_silence_is_noise_of_its_seed_and_speech_is_not() -> None:
    samples = np.concatenate([np.zeros(2 * RATE, np.float32), golden_samples(1)])
    one, same, other = (ENCODER.hashes([samples], seed) for seed in ("a", "a", "b"))
    assert np.array_equal(one.packed, same.packed)
    assert not one.informative[:4].any()
    assert one.informative[-5:].all()
    assert np.array_equal(one.packed[-5:], other.packed[-5:])
    apart = np.unpackbits(one.packed[:4] ^ other.packed[:4]).mean()
    assert 0.4 < apart < 0.6


def test_undoing_speed_brings_bits_back() -> None:
    # Every second sample of a sound without high tones: twice as fast and high.
    slow = np.repeat(golden_samples(1), 2)
    plain = ENCODER.hashes([slow], "x").packed
    fast = slow[::2]
    undone = ENCODER.hashes([fast], "x", Manipulation(tau=0.5, rho=2.0)).packed

    def rate(a: np.ndarray, b: np.ndarray) -> float:
        count = min(len(a), len(b))
        return float(np.unpackbits(a[:count] ^ b[:count]).mean())

    assert len(undone) == pytest.approx(len(plain), abs=1)
    assert rate(undone, plain) < rate(ENCODER.hashes([fast], "x").packed, plain) - 0.1


def test_activity_is_none_for_silence_and_one_for_the_deviation_itself() -> None:
    deviation = (2.0, 4.0)
    swing = np.tile([[1.0], [-1.0]], (50, 2))
    cut = np.stack([0 * swing, swing * deviation, swing]).astype(np.float32)
    assert activity(cut, deviation).tolist() == pytest.approx([0, 1, (1 / 2 + 1 / 4) / 2])


def test_the_share_of_speech_leaves_out_frames_25_db_below_the_loud_ones() -> None:
    cut = np.zeros((3, 100, 13), np.float32)
    cut[0, :, 0] = 2.0  # nothing but one level: no pause can be told from it
    cut[1, 40:, 0] = -5.7  # natural logarithm: 24.8 dB below
    cut[2, 40:, 0] = -5.8  # 25.2 dB
    assert speech_share(cut).tolist() == [255, 255, 102]


def test_noise_bits_are_pinned() -> None:
    assert noise_bits("samaf", (1, 8)).tobytes().hex() == PINNED
    assert noise_bits("\udcff", (2, 3)).shape == (2, 3)


PINNED = "1929c076c221142e"


@pytest.mark.slow
def test_loading_a_model_reports_nothing_and_leaves_no_file(tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    code = "from samaf.fingerprinters import load_fingerprinter; load_fingerprinter()"
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert list(tmp_path.rglob("*")) == []


def test_weights_are_shares_of_the_surest_bit() -> None:
    h = np.array([[0.1, -0.05, 0.0, 0.02], [0, 0, 0, 0]], np.float32)
    expected = np.tanh(3 * np.abs(h[0])) / np.tanh(0.3) * 255
    assert reliability(h).tolist() == [np.rint(expected).tolist(), [255] * 4]


def test_every_hash_has_a_surest_bit() -> None:
    samples = np.concatenate([np.zeros(2 * RATE, np.float32), golden_samples(1)])
    found = ENCODER.hashes([samples], "a")
    assert found.reliability is not None
    assert found.reliability.shape == (len(found), 256)
    assert (found.reliability[~found.informative] == 255).all()
    assert (found.reliability.max(axis=1) == 255).all()


def test_steady_noise_counts_as_a_pause() -> None:
    fingerprinter = load_fingerprinter(DEFAULT_MODEL)
    rng = np.random.default_rng(1)
    noise = (0.1 * rng.standard_normal(10 * 16_000)).astype(np.float32)
    shares = [
        fingerprinter.hashes([samples], "").activity.mean() / 255
        for samples in (noise, golden_samples(1))
    ]
    assert shares[0] < 0.1
    assert shares[1] > 0.5
