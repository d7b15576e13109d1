from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from training_data import babbling, write_corpus, write_manifest, write_wav

from samaf.errors import CorpusError
from samaf.features import FeatureParameters
from samaf.training.corpora import open_corpus
from samaf.training.validation import ValidationSet, measure, prepare_validation

FRAMES = FeatureParameters()
ONE = replace(FRAMES, coefficients=1)  # a frame is one number


def code(inputs: np.ndarray) -> np.ndarray:
    """Hash the number of a block's first frame to 32 bits, all others unlike."""
    first = inputs[:, 0, 0].astype(np.int64)
    return np.stack([np.random.default_rng(n).standard_normal(32) for n in first])


def ramp(start: int, count: int) -> np.ndarray:
    return np.arange(start, start + count, dtype=np.float32)[:, None]


def test_the_same_frames_are_found_without_an_error() -> None:
    clips = [ramp(0, 200), ramp(1000, 175)]
    data = ValidationSet(clips, {"same": [(0, clips[0], 1.0), (1, clips[1], 1.0)]})
    found = measure(code, data, ONE)["same"]
    assert found.queries == 5 + 4
    assert (found.accuracy, found.true_ber, found.true_deviation) == (1, 0, 0)
    assert 0.2 < found.wrong_ber < 0.5
    assert found.overlap == 0


def test_a_query_that_belongs_elsewhere_is_wrong() -> None:
    clips = [ramp(0, 200), ramp(1000, 200)]
    data = ValidationSet(clips, {"swapped": [(0, clips[1], 1.0)]})
    found = measure(code, data, ONE)["swapped"]
    assert (found.accuracy, found.wrong_ber, found.overlap) == (0, 0, 1)
    assert found.true_ber > 0.2


def test_the_same_moment_is_found_under_a_time_factor() -> None:
    # At tau = 2 the block from frame 50 has its middle at 100, frame 50 of the original:
    # the middle of the block that begins at 0.
    original = ramp(0, 400)
    clip = np.zeros((800, 1), np.float32)
    hops = np.arange(0, 301, 25)
    clip[50 + 2 * hops, 0] = hops
    data = ValidationSet([original, ramp(5000, 100)], {"slow": [(0, clip[:150], 2.0)]})
    found = measure(code, data, ONE)["slow"]
    assert found.queries == 3
    assert found.true_ber == 0


@pytest.mark.slow
def test_conditions_are_made_once_for_what_the_split_has(tmp_path: Path) -> None:
    corpus = open_corpus(write_corpus(tmp_path / "corpus", 2, 3))
    told: list[int] = []
    data, again = (
        prepare_validation(
            corpus, FRAMES, tmp_path / "data", progress=lambda done, total: told.append(done)
        )
        for _ in range(2)
    )
    assert told == [1, 2, 3, 4, 5]
    assert len(data.references) == 5
    assert {"music", "room"}.isdisjoint(data.queries)
    assert {"babble", "echo", "codec", "speed", "pitch", "tempo"} <= set(data.queries)
    for name, queries in data.queries.items():
        assert [number for number, _, _ in queries] == [0, 1, 2]  # the validation clips
        for number, frames, tau in queries:
            assert len(frames) == pytest.approx(len(data.references[number]) * tau, abs=2)
        for mine, other in zip(queries, again.queries[name], strict=True):
            assert np.array_equal(mine[1], other[1])


@pytest.mark.slow
def test_unreadable_clips_are_left_out(tmp_path: Path) -> None:
    root = write_corpus(tmp_path / "corpus", 1, 2)
    (root / "speech/01.wav").write_text("nothing", encoding="utf-8")
    data = prepare_validation(open_corpus(root), FRAMES, tmp_path / "data")
    assert len(data.references) == 2
    assert [number for number, _, _ in data.queries["echo"]] == [0]


@pytest.mark.slow
def test_short_clips_are_left_out_as_they_are_in_training(tmp_path: Path) -> None:
    root = write_corpus(tmp_path / "corpus", 2, 3)
    for number in (1, 2, 4):
        write_wav(root / f"speech/{number:02}.wav", babbling(1.1, number))
    data = prepare_validation(open_corpus(root), FRAMES, tmp_path / "data")
    assert len(data.references) == 2
    assert {number for queries in data.queries.values() for number, _, _ in queries} == {0}


def test_a_corpus_without_the_split_is_refused(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", babbling(3.1, 0))
    write_manifest(tmp_path, [("a.wav", "speech", "train", "anna")])
    with pytest.raises(CorpusError, match="no usable speech clip in the split 'validation'"):
        prepare_validation(open_corpus(tmp_path), FRAMES, tmp_path / "data")
