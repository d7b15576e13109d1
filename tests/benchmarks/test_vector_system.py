"""A model of vectors in the harness: windows of 4 s and more, the nearest segment answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import RATE, make_voice
from vectormodel import NAME, write_vector_model

from benchmarks.recognizers import open_system
from benchmarks.vectors import VectorSystem, load_vector_model
from samaf.errors import FingerprinterError


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> VectorSystem:
    model = write_vector_model(tmp_path_factory.mktemp("vectormodel"))
    opened = open_system(f"unet:{model}")
    assert isinstance(opened, VectorSystem)
    for reference in range(3):
        opened.add(reference, make_voice(reference, 10.5))
    return opened


def test_it_names_itself_and_what_it_stores(system: VectorSystem) -> None:
    assert system.name == f"unet:{NAME}"
    assert system.stored_bits() == 3 * 3 * 320 * 32
    assert system.least == 4


def test_windows_come_from_where_they_were_cut(system: VectorSystem) -> None:
    # Window 10 starts at 2.5 s, as the second stored segment does.
    answers = system.ask(make_voice(1, 10.5), {4: np.array([0, 10]), 6: np.array([10])})
    assert answers[4].window.tolist() == [0, 1]
    assert answers[4].reference.tolist() == [1, 1]
    assert answers[4].offset.tolist() == [0, 2.5]
    assert answers[4].score == pytest.approx(0, abs=1e-2)
    assert answers[6].reference.tolist() == [1]
    assert answers[6].offset.tolist() == [2.5]


def test_silence_has_no_answer(system: VectorSystem) -> None:
    answers = system.ask(np.zeros(5 * RATE, np.float32), {4: np.array([0])})
    assert len(answers[4].window) == 0


def test_what_is_deleted_is_not_found(tmp_path: Path) -> None:
    system = open_system(f"unet:{write_vector_model(tmp_path)}")
    voice = make_voice(5, 6.0)
    for reference in (5, 6):
        system.add(reference, make_voice(reference, 6.0))
    assert system.ask(voice, {4: np.array([0])})[4].reference.tolist() == [5]
    system.delete(5)
    assert system.ask(voice, {4: np.array([0])})[4].reference.tolist() == [6]


def test_a_model_of_hashes_is_no_model_of_vectors() -> None:
    with pytest.raises(FingerprinterError, match="samaf:2LST256C"):
        load_vector_model("2LST256C")
