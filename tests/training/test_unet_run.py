from __future__ import annotations

import os
import signal
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from training_data import made_spectrograms, tones, write_manifest, write_wav48
from unet_data import tiny_plan

from samaf.cli import cli
from samaf.errors import TrainingError
from samaf.fingerprinters.card import VectorCard, read_card
from samaf.fingerprinters.decoder import SpectrogramDecoder
from samaf.training.curves import read_points
from samaf.training.request import Request
from samaf.training.run import train_model
from samaf.training.trainer import CURVES, Progress, Trained, train
from samaf.training.unet import plan as planning
from samaf.training.unet.family import nearest, preset
from samaf.training.unet.model import variant
from samaf.training.unet.plan import UNetPlan

pytestmark = pytest.mark.training


def run(plan: UNetPlan, folder: Path) -> tuple[Trained, list[Progress]]:
    told: list[Progress] = []
    done = train(plan, made_spectrograms(), folder, told.append, every=2)
    return done, told


def losses(told: list[Progress]) -> list[tuple[int, dict[str, float]]]:
    return [(p.step, dict(p.terms)) for p in told]


@pytest.mark.parametrize(
    ("flags", "chosen"), [("fma avx512_bf16", "mixed_bfloat16"), ("fma avx2", "float32")]
)
def test_bfloat16_is_for_processors_that_have_it(
    flags: str, chosen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "cpuinfo"
    told.write_text(f"flags\t\t: {flags}\n", encoding="utf-8")
    monkeypatch.setattr(planning, "CPU_FLAGS", told)
    monkeypatch.setattr(planning, "_has_gpu", lambda: False)
    assert planning.precision() == chosen


KILLED = """
import os, signal, sys
from pathlib import Path
from training_data import made_spectrograms
from unet_data import tiny_plan
from samaf.training.trainer import train

def report(progress):
    if progress.step == 4:
        os.kill(os.getpid(), signal.SIGKILL)

train(
    tiny_plan("UNET320C"), made_spectrograms(), Path(sys.argv[1]), report, every=2,
    checkpoint_seconds=0,
)
"""


def test_after_kill_9_a_run_goes_on_with_the_same_losses(tmp_path: Path) -> None:
    whole, told = run(tiny_plan("UNET320C"), tmp_path / "whole")
    assert [p.step for p in told] == [2, 4, 6]
    assert told[0].unit == "segments"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "cut")], env=environment, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    done, rest = run(tiny_plan("UNET320C"), tmp_path / "cut")
    assert losses(rest) == losses(told)[1:]  # from the checkpoint of step 2 on
    pairs = zip(whole.model.get_weights(), done.model.get_weights(), strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)


def test_presets_are_the_papers() -> None:
    paper, raw = preset(variant("UNET320")), preset(variant("UNET320R"))
    assert (paper.epochs, paper.pairs, paper.learning_rate) == (20, 128, 1e-4)
    assert (raw.epochs, raw.pairs, raw.learning_rate) == (60, 128, 1e-4)
    assert type(UNetPlan("UNET320", "made", 1).optimizer()).__name__ == "Adam"
    assert type(UNetPlan("UNET320C", "made", 1).optimizer()).__name__ == "AdamW"


def test_the_command_trains_exports_and_describes(tmp_path: Path) -> None:
    rows = []
    for number in range(8):
        kind = ("speech", "music", "noise", "speech")[number % 4]
        write_wav48(tmp_path / f"corpus/{number}.wav", tones(5, number))
        split = "train" if number < 4 else "validation"
        rows.append((f"{number}.wav", kind, split, f"s{number}"))
    write_manifest(tmp_path / "corpus", rows)
    out = tmp_path / "out"
    arguments = ["train", "UNET320", "--corpus", str(tmp_path / "corpus"), "--out", str(out)]
    options = ["--steps", "1", "--pairs", "2", "--copies", "1"]
    done = CliRunner().invoke(cli, [*arguments, *options])
    assert done.exit_code == 0, done.output
    assert "step 1 of 1" in done.output
    card = read_card(out / "UNET320.json")
    assert isinstance(card, VectorCard)
    assert (card.family, card.values) == ("unet", 320)
    made = card.training
    assert (made["clips"], made["kinds"]) == (3, {"music": 1, "noise": 1, "speech": 2})
    assert (made["steps"], made["segments_per_step"], made["optimizer"]) == (1, 2, "Adam")
    assert made["licences"] == {"CC0": 4}
    figures = card.figures["validation"]
    assert (figures["queries"], figures["references"]) == (3, 6)
    assert 0 <= figures["accuracy"] <= 1
    assert figures["mean_square_error_noisy"] > 0
    rebuilt = SpectrogramDecoder(out / "UNET320.onnx")
    x = np.zeros((1, 64, 376), np.float32)
    assert rebuilt.rebuild(rebuilt.encode(x)).shape == x.shape
    assert (out / "UNET320-curves.png").is_file()
    (held_out,) = (p for p in read_points(out / "UNET320" / CURVES, 1) if p.split == "validation")
    assert 0 <= held_out.accuracy <= 1
    assert 0 < held_out.distance < 2 * np.sqrt(320)


def test_the_nearest_reference_is_found_in_little_memory() -> None:
    rng = np.random.default_rng(1)
    references = rng.standard_normal((4000, 320)).astype(np.float32)
    vectors = references[[7, 3999, 0, 7] * 8] + np.float32(0.01)
    tracemalloc.start()
    found = nearest(vectors, references)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.tolist() == [7, 3999, 0, 7] * 8
    assert peak < 4 * references.nbytes


def test_a_u_net_starts_from_new_weights_only(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="UNET320: starts from new weights only"):
        train_model(Request("UNET320", (tmp_path,), tmp_path, start="2LST256C"))
