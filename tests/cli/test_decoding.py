from __future__ import annotations

import json
import resource
import subprocess
import sys
import wave
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import samaf
from samaf.cli import cli
from samaf.engine.decode import psnr
from samaf.features.melspectrogram import MelParameters
from samaf.fingerprinters import VectorCard
from samaf.fingerprinters.card import write_model

CLIP = Path(__file__).parents[2] / "samaf" / "clips" / "bruno-garden.ogg"


def write_copier(folder: Path, features: MelParameters = MelParameters()) -> str:  # noqa: B008
    """Write a model whose decoder gives back the spectrogram, a half too large."""
    onnx = pytest.importorskip("onnx")
    make, kind = onnx.helper, onnx.TensorProto
    bands, frames = features.shape

    def built(nodes: list, takes: dict, gives: dict, weights: list) -> bytes:
        values = [
            [make.make_tensor_value_info(n, kind.FLOAT, ["n", *s]) for n, s in each.items()]
            for each in (takes, gives)
        ]
        graph = make.make_graph(nodes, "copier", *values, weights)
        proto = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=8)
        return bytes(proto.SerializeToString())

    spectrogram, vectors = {"spectrogram": (bands, frames)}, {"vectors": (bands * frames,)}
    shape = onnx.numpy_helper.from_array(np.array([-1, bands, frames], np.int64), "shape")
    half = onnx.numpy_helper.from_array(np.float32(0.5), "half")
    encoder = built(
        [make.make_node("Flatten", ["spectrogram"], ["vectors"])], spectrogram, vectors, []
    )
    decoder = built(
        [
            make.make_node("Reshape", ["vectors", "shape"], ["same"]),
            make.make_node("Add", ["same", "half"], ["rebuilt"]),
        ],
        vectors,
        {"rebuilt": (bands, frames)},
        [shape, half],
    )
    (folder / "COPIER-decoder.onnx").write_bytes(decoder)
    sha = sha256(decoder).hexdigest()
    card = VectorCard("COPIER", "unet", bands * frames, features, decoder_sha256=sha)
    return str(write_model(encoder, card, folder))


@pytest.fixture(scope="module")
def copier(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_copier(tmp_path_factory.mktemp("copier"))


def heard(path: Path) -> np.ndarray:
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getframerate()) == (1, 48_000)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767


@pytest.mark.parametrize("normalised", [True, False])
def test_a_clip_goes_through_the_network_and_back(normalised: bool, tmp_path: Path) -> None:
    model = write_copier(tmp_path, MelParameters(normalised=normalised))
    made = samaf.decode(CLIP, tmp_path / "out.wav", model=model)
    assert made.error == pytest.approx(0.25, rel=1e-3)  # half a unit everywhere
    assert made.psnr_255 == pytest.approx(20 * np.log10(255) - 10 * np.log10(0.25), abs=0.01)
    assert made.psnr == pytest.approx(20 * np.log10(made.peak) + 10 * np.log10(4), abs=0.01)
    assert (made.duration, made.padded) == (4.0, False)
    assert asdict(made)["model"] == "COPIER"
    samples = heard(tmp_path / "out.wav")
    assert len(samples) == 192_000
    assert samples.std() > 0.02


def test_the_papers_decibels_follow_from_a_peak_of_255() -> None:
    assert psnr(0.49761, 255.0) == pytest.approx(51.16195, abs=1e-4)


def test_the_command_compares_with_the_clean_clip(copier: str, tmp_path: Path) -> None:
    other = CLIP.with_name("lena-stranger.ogg")
    arguments = ["decode", str(CLIP), "--out", str(tmp_path / "o.wav"), "--model", copier]
    plain = CliRunner().invoke(cli, [*arguments, "--json"])
    assert plain.exit_code == 0, plain.output
    compared = CliRunner().invoke(cli, [*arguments, "--clean", str(other), "--json"])
    assert json.loads(compared.output)["mse"] > 4 * json.loads(plain.output)["mse"]


def test_a_clip_is_not_overwritten(copier: str, tmp_path: Path) -> None:
    clip, clean, link = (tmp_path / f"{name}.ogg" for name in ("clip", "clean", "link"))
    clip.write_bytes(CLIP.read_bytes())
    clean.write_bytes(CLIP.read_bytes())
    link.symlink_to(clip)
    arguments = ["decode", str(clip), "--clean", str(clean), "--model", copier, "--out"]
    for out in (clip, clean, link):
        done = CliRunner().invoke(cli, [*arguments, str(out)])
        assert done.exit_code == 1
        assert f"{out}: is the clip itself" in done.output
    assert clip.read_bytes() == clean.read_bytes() == CLIP.read_bytes()


def test_what_was_written_before_stays_where_there_is_no_room(copier: str, tmp_path: Path) -> None:
    out = tmp_path / "out.wav"
    out.write_bytes(b"earlier")
    done = subprocess.run(
        [sys.executable, "-m", "samaf", "decode", CLIP, "--out", out, "--model", copier],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "out.wav: cannot be written (File too large)" in done.stderr
    assert out.read_bytes() == b"earlier"
    assert [path.name for path in tmp_path.iterdir()] == ["out.wav"]


def test_a_short_clip_is_padded_and_marked(copier: str, tmp_path: Path) -> None:
    short = tmp_path / "short.wav"
    with wave.open(str(short), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        noise = np.random.default_rng(0).integers(-9000, 9000, 16_000).astype("<i2")
        file.writeframes(noise.tobytes())
    arguments = ["decode", str(short), "--out", str(tmp_path / "o.wav"), "--model", copier]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, done.output
    assert "short.wav (padded with silence)" in done.output
    assert "dB for a peak of 255" in done.output


def test_what_cannot_be_decoded_is_said_in_one_line(copier: str, tmp_path: Path) -> None:
    silent = tmp_path / "silent.wav"
    with wave.open(str(silent), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(200_000))
    model, out = copier, str(tmp_path / "o.wav")
    for arguments, named in (
        ([str(silent), "--out", out, "--model", model], "silent.wav: its first 4 s are silent"),
        ([str(CLIP), "--out", str(tmp_path / "no/o.wav"), "--model", model], "cannot be written"),
        ([str(CLIP), "--out", out, "--model", "2LST256C"], "2LST256C: has no decoder"),
        ([str(CLIP), "--out", out, "--model", "NONE"], "'NONE': no such model"),
        ([str(tmp_path / "none.wav"), "--out", out, "--model", model], "no such file"),
    ):
        done = CliRunner().invoke(cli, ["decode", *arguments])
        assert done.exit_code == 1
        assert named in done.output
        assert len(done.output.strip().splitlines()) == 1
