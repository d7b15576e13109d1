"""Systems under test: which rule ranks, deep queries on the bundled clips, vectors of voices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import RATE, make_voice
from vectormodel import NAME, write_vector_model

from benchmarks.accuracy.protocol import HOP
from benchmarks.accuracy.systems import (
    DeepSystem,
    HashSystem,
    VectorSystem,
    known_systems,
    load_vector_model,
    open_system,
    system_name,
)
from samaf.audio import load
from samaf.demo import CLIPS as FOLDER
from samaf.errors import FingerprinterError

CLIPS = sorted(FOLDER.iterdir())[:5]
SPEC = "samaf:2LST256C+deep"


def test_the_papers_models_rank_by_distance_and_ours_by_reliability() -> None:
    ranked = {
        name: open_system(f"samaf:{name}").parameters()["by_reliability"]
        for name in ("2LST256C", "1LST128C", "1LST128M", "2LST256MH", "2LST256MHE")
    }
    assert ranked == {
        "2LST256C": True,
        "1LST128C": True,
        "1LST128M": False,
        "2LST256MH": False,
        "2LST256MHE": False,
    }


@pytest.fixture(scope="module")
def deep_system() -> DeepSystem:
    opened = open_system(SPEC)
    assert isinstance(opened, DeepSystem)
    for number, path in enumerate(CLIPS):
        opened.add(number, load(path))
    return opened


def test_spec_is_listed_under_its_own_name() -> None:
    assert SPEC in known_systems()
    assert system_name(SPEC) == SPEC
    assert isinstance(open_system("samaf:2LST256C"), HashSystem)


@pytest.mark.slow
def test_every_window_of_a_fast_clip_is_answered_with_its_place(deep_system: DeepSystem) -> None:
    samples = load(CLIPS[1])
    fast = np.interp(np.arange(0, len(samples) - 1, 1.5), np.arange(len(samples)), samples)
    windows = np.array([2, 9])
    answers = deep_system.query(fast.astype(np.float32), {2: windows})[2]
    assert answers.window.tolist() == [0, 1]
    assert answers.reference.tolist() == [1, 1]
    assert answers.offset == pytest.approx(windows * HOP * 1.5, abs=0.2)
    # A clip that is not there scores less than one that is.
    impostor = deep_system.best(np.random.default_rng(1).normal(0, 0.1, 32_000).astype(np.float32))
    assert impostor is None or -impostor.log10_evalue < answers.score.min()


@pytest.mark.slow
def test_reversed_window_is_placed_where_it_ends(deep_system: DeepSystem) -> None:
    backwards = load(CLIPS[3])[: 7 * 16_000][::-1]
    answers = deep_system.query(backwards, {2: np.array([4])})[2]  # 1 to 3 s: 6 to 4 s of the clip
    assert answers.reference.tolist() == [3]
    assert answers.offset == pytest.approx([4], abs=0.1)


@pytest.mark.slow
def test_deleted_reference_is_no_answer() -> None:
    small = open_system(SPEC)
    samples = load(CLIPS[0])
    small.add(0, samples)
    small.add(1, load(CLIPS[1]))
    bits = small.stored_bits()
    small.delete(0)
    assert 0 < small.stored_bits() < bits
    assert small.query(samples, {1: np.array([3])})[1].reference.tolist() in ([], [1])


@pytest.fixture(scope="module")
def vector_system(tmp_path_factory: pytest.TempPathFactory) -> VectorSystem:
    model = write_vector_model(tmp_path_factory.mktemp("vectormodel"))
    opened = open_system(f"unet:{model}")
    assert isinstance(opened, VectorSystem)
    for reference in range(3):
        opened.add(reference, make_voice(reference, 10.5))
    return opened


@pytest.mark.slow
def test_it_names_itself_and_what_it_stores(vector_system: VectorSystem) -> None:
    assert vector_system.name == f"unet:{NAME}"
    assert vector_system.stored_bits() == 3 * 3 * 320 * 32
    assert vector_system.shortest == 4


def test_windows_come_from_where_they_were_cut(vector_system: VectorSystem) -> None:
    # Window 10 starts at 2.5 s, as the second stored segment does.
    answers = vector_system.query(make_voice(1, 10.5), {4: np.array([0, 10]), 6: np.array([10])})
    assert answers[4].window.tolist() == [0, 1]
    assert answers[4].reference.tolist() == [1, 1]
    assert answers[4].offset.tolist() == [0, 2.5]
    assert answers[4].score == pytest.approx(0, abs=1e-2)
    assert answers[6].reference.tolist() == [1]
    assert answers[6].offset.tolist() == [2.5]


def test_silence_has_no_answer(vector_system: VectorSystem) -> None:
    answers = vector_system.query(np.zeros(5 * RATE, np.float32), {4: np.array([0])})
    assert len(answers[4].window) == 0


def test_what_is_deleted_is_not_found(tmp_path: Path) -> None:
    system = open_system(f"unet:{write_vector_model(tmp_path)}")
    voice = make_voice(5, 6.0)
    for reference in (5, 6):
        system.add(reference, make_voice(reference, 6.0))
    assert system.query(voice, {4: np.array([0])})[4].reference.tolist() == [5]
    system.delete(5)
    assert system.query(voice, {4: np.array([0])})[4].reference.tolist() == [6]


def test_a_model_of_hashes_is_no_model_of_vectors() -> None:
    with pytest.raises(FingerprinterError, match="samaf:2LST256C"):
        load_vector_model("2LST256C")
