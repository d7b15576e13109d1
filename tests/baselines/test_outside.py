"""Programs of others: skipped with a word when missing, compared by hand when there."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from baselines import outside
from baselines.recognizer import RecognizerError, UnavailableError, create

needs_fpcalc = pytest.mark.skipif(not shutil.which("fpcalc"), reason="fpcalc is not installed")


def test_missing_program_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="needs fpcalc.*libchromaprint-tools"):
        create("chromaprint")


def test_failing_program_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "fpcalc"
    program.write_text("#!/bin/sh\necho out of luck >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(RecognizerError, match=r"fpcalc failed with code 1 \(out of luck\)"):
        create("chromaprint").query(np.zeros(16_000, np.float32))


@needs_fpcalc
@pytest.mark.parametrize(
    ("settings", "lengths"), [("paper", (0, 0, 3, 27)), ("best", (0, 1, 12, 44))]
)
def test_items_per_second(
    settings: str, lengths: tuple[int, ...], voices: list[np.ndarray]
) -> None:
    algorithm = outside.SETTINGS[settings].algorithm
    found = [len(outside.fpcalc(voices[0][: s * 16_000], algorithm)) for s in (1, 2, 3, 6)]
    assert found == list(lengths)


def test_distances_by_hand() -> None:
    stored = np.array([0, 1, 3, 7, 15], np.uint32)
    asked = np.array([3, 5], np.uint32)
    assert outside._nearest(stored, asked) == (0.5, 2)
    assert outside._different(stored, asked, 2) == 0.5
    assert outside._different(stored, asked, 1) == 1.5
    assert outside._different(stored, asked, -1) == 2.0  # 5 against 0
    assert outside._different(stored, asked, 4) == 2.0  # 3 against 15
    assert outside._different(stored, np.array([1, 1, 3], np.uint32), 4) == 32.0
    assert outside._nearest(stored[:1], asked) == (2.0, 0)
    assert outside._nearest(stored[:0], asked) == (32.0, 0)


@needs_fpcalc
def test_release_finds_three_seconds_but_not_two(voices: list[np.ndarray]) -> None:
    system = create("chromaprint:paper")
    for number, samples in enumerate(voices):
        system.add(str(number), samples)
    assert system.query(voices[1][:32_000]) == []
    assert system.query(voices[1][32_000 : 32_000 + 6 * 16_000])[0].key == "1"
