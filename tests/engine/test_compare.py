"""Two files compared without a store."""

from __future__ import annotations

from pathlib import Path

import pytest

import samaf
from samaf.audio import SAMPLE_RATE, load
from samaf.demo import CLIPS, wav

BRUNO = CLIPS / "bruno-garden.ogg"


def test_compare(tmp_path: Path) -> None:
    part = tmp_path / "part.wav"
    part.write_bytes(wav(load(BRUNO)[3 * SAMPLE_RATE : 9 * SAMPLE_RATE]))
    match = samaf.compare(part, BRUNO).match
    assert match
    assert match.reference_start - match.query_start == pytest.approx(3, abs=0.3)
    short = tmp_path / "short.wav"
    short.write_bytes(wav(load(BRUNO)[:8000]))
    assert samaf.compare(short, BRUNO).match is None
    assert samaf.compare(BRUNO, short).match is None
