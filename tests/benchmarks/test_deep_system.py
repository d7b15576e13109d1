"""Deep queries as a system under test, on the bundled clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import samaf
from benchmarks.deep import DeepSystem
from benchmarks.protocol import HOP
from benchmarks.recognizers import HashSystem, known_systems, open_system, system_name
from samaf.audio import load

CLIPS = sorted((Path(samaf.__file__).parent / "clips").glob("*.ogg"))[:5]
SPEC = "samaf:2LST256C+deep"


@pytest.fixture(scope="module")
def system() -> DeepSystem:
    opened = open_system(SPEC)
    assert isinstance(opened, DeepSystem)
    for number, path in enumerate(CLIPS):
        opened.add(number, load(path))
    return opened


def test_spec_is_listed_under_its_own_name() -> None:
    assert SPEC in known_systems()
    assert system_name(SPEC) == SPEC
    assert isinstance(open_system("samaf:2LST256C"), HashSystem)


def test_every_window_of_a_fast_clip_is_answered_with_its_place(system: DeepSystem) -> None:
    samples = load(CLIPS[1])
    fast = np.interp(np.arange(0, len(samples) - 1, 1.5), np.arange(len(samples)), samples)
    windows = np.array([2, 9])
    answers = system.ask(fast.astype(np.float32), {2: windows})[2]
    assert answers.window.tolist() == [0, 1]
    assert answers.reference.tolist() == [1, 1]
    assert answers.offset == pytest.approx(windows * HOP * 1.5, abs=0.2)
    # A clip that is not there scores less than one that is.
    stranger = system.best(np.random.default_rng(1).normal(0, 0.1, 32_000).astype(np.float32))
    assert stranger is None or -stranger.log10_evalue < answers.score.min()


def test_reversed_window_is_placed_where_it_ends(system: DeepSystem) -> None:
    backwards = load(CLIPS[3])[: 7 * 16_000][::-1]
    answers = system.ask(backwards, {2: np.array([4])})[2]  # 1 to 3 s: 6 to 4 s of the clip
    assert answers.reference.tolist() == [3]
    assert answers.offset == pytest.approx([4], abs=0.1)


def test_deleted_reference_is_no_answer() -> None:
    small = open_system(SPEC)
    samples = load(CLIPS[0])
    small.add(0, samples)
    small.add(1, load(CLIPS[1]))
    bits = small.stored_bits()
    small.delete(0)
    assert 0 < small.stored_bits() < bits
    assert small.ask(samples, {1: np.array([3])})[1].reference.tolist() in ([], [1])
