"""A store of its own for each test, and excerpts enough for several processes."""

from __future__ import annotations

from pathlib import Path

import pytest

import samaf
from samaf.audio import SAMPLE_RATE, load
from samaf.demo import CLIPS, wav

BRUNO = CLIPS / "bruno-garden.ogg"


@pytest.fixture
def engine(tmp_path: Path) -> samaf.Engine:
    return samaf.open(str(tmp_path / "samaf.db"), cache_folder=tmp_path / "index")


@pytest.fixture
def excerpts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Nine files, which are enough to start processes for."""
    monkeypatch.setattr("samaf.engine.workers.WORTH_A_PROCESS", 1)
    speech = load(BRUNO)
    paths = [tmp_path / f"{number}.wav" for number in range(9)]
    for number, path in enumerate(paths):
        path.write_bytes(wav(speech[number * 800 :][: (2 + number % 3) * SAMPLE_RATE]))
    paths[3].write_bytes(b"not sound")
    paths[5].write_bytes(wav(speech[:8000]))
    return paths
