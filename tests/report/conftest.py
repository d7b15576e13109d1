"""Clips cut from the bundled ones, and the records of their examination."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import samaf
from samaf.audio import SAMPLE_RATE, load
from samaf.demo import CLIPS, faster, noisy, telephone, wav
from samaf.engine.options import QueryOptions
from samaf.report import Examination, ReportOptions, examine
from samaf.report.provenance import EPOCH

Examine = Callable[..., Examination]
EPOCH_SECONDS = "1790000000"


def excerpt(name: str, start: float, stop: float) -> np.ndarray:
    """Cut a bundled clip, float32 (n,)."""
    return load(CLIPS / name)[round(start * SAMPLE_RATE) : round(stop * SAMPLE_RATE)]


@pytest.fixture(scope="session")
def made_clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with clips: phone.wav, fast.wav, five.wav, short.wav, unknown.wav, text.wav."""
    folder = tmp_path_factory.mktemp("made")
    greta = excerpt("greta-weather.ogg", 2, 8)
    rng, other = (np.random.default_rng(seed) for seed in (1, 2))
    names = ["amelia-harbour", "bruno-garden", "camille-market", "diego-train", "elena-letters"]
    five = np.concatenate([excerpt(f"{name}.ogg", 1, 5) for name in names])
    for name, samples in {
        "phone.wav": telephone(noisy(greta, 10, rng)),
        "fast.wav": faster(greta, 1.2),
        "five.wav": five,
        "short.wav": greta[:8000],
        "unknown.wav": telephone(noisy(greta[: 2 * SAMPLE_RATE], -4, other)),
    }.items():
        (folder / name).write_bytes(wav(samples))
    (folder / "text.wav").write_bytes(b"no sound")
    return folder


@pytest.fixture(scope="session")
def report_engine(clips_store: Path, tmp_path_factory: pytest.TempPathFactory) -> samaf.Engine:
    """The store of the bundled clips, to look at only."""
    folder = tmp_path_factory.mktemp("report")
    store = shutil.copy(clips_store, folder / "samaf.db")
    return samaf.open(str(store), cache_folder=folder / "index")


@pytest.fixture
def own_engine(clips_store: Path, tmp_path: Path) -> samaf.Engine:
    """The same for one test, to write to."""
    store = shutil.copy(clips_store, tmp_path / "samaf.db")
    return samaf.open(str(store), cache_folder=tmp_path / "index")


@pytest.fixture(autouse=True)
def fixed_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(EPOCH, EPOCH_SECONDS)


def _recorded(engine: samaf.Engine, clips: list[Path], search: str, pictures: bool) -> tuple:
    drawn: dict[str, bytes] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(EPOCH, EPOCH_SECONDS)
        options = ReportOptions(QueryOptions(search=search), pictures=pictures)
        record = examine(engine, clips, options, pictures=drawn.__setitem__)
    return record, drawn


@pytest.fixture(scope="session")
def phone(made_clips: Path, report_engine: samaf.Engine) -> tuple[Examination, dict[str, bytes]]:
    """A noisy clip of telephone quality: the record and the pictures of its sound."""
    return _recorded(report_engine, [made_clips / "phone.wav"], "plain", True)


@pytest.fixture(scope="session")
def unknown(made_clips: Path, report_engine: samaf.Engine) -> Examination:
    """A clip deep in noise that comes near to its recording, but not within the limit."""
    return _recorded(report_engine, [made_clips / "unknown.wav"], "plain", False)[0]


@pytest.fixture(scope="session")
def batch(made_clips: Path, report_engine: samaf.Engine) -> Examination:
    """Five clips: two found, one unknown, one too short, one that is no audio."""
    names = ["phone.wav", "five.wav", "short.wav", "text.wav", "unknown.wav"]
    return _recorded(report_engine, [made_clips / name for name in names], "plain", False)[0]
