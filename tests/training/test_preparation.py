from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from training_data import babbling, write_corpus, write_manifest, write_wav

from samaf.audio import load
from samaf.errors import CorpusError
from samaf.features import FeatureParameters, mfcc
from samaf.training.corpora import open_corpora, open_corpus
from samaf.training.preparation import open_dataset, prepare

FRAMES = FeatureParameters()


@pytest.mark.slow
def test_prepared_originals_are_the_features_and_copies_differ(tmp_path: Path) -> None:
    corpus = open_corpus(write_corpus(tmp_path / "corpus", 2, 0))
    told: list[tuple[int, int]] = []
    made = [
        prepare(
            corpus,
            "train",
            FRAMES,
            tmp_path / name,
            copies=2,
            seed=seed,
            progress=lambda done, total: told.append((done, total)),
        )
        for name, seed in (("a", 1), ("a", 1), ("b", 1), ("a", 2))
    ]
    first, reopened, again, other = made
    assert told == [(n, 6) for n in range(1, 7)] * 3  # the second is only opened
    assert np.array_equal(first.frames, reopened.frames)
    assert np.array_equal(first.frames, again.frames)
    assert first.frames.shape != other.frames.shape or (first.frames != other.frames).any()
    assert first.starts.shape == (2, 3)
    assert first.tau[:, 0].tolist() == [1, 1]
    original = first.frames[: first.counts[0, 0]]
    wanted = mfcc(load(corpus.clips[0].path), FRAMES)
    assert np.array_equal(original, wanted.astype(np.float16))


def corpus_with(tmp_path: Path, good: int, bad: int, seconds: float = 3.1) -> Path:
    rows = []
    for number in range(good + bad):
        path = tmp_path / f"{number:02}.wav"
        write_wav(path, babbling(seconds, number))
        if number >= good:
            path.write_text("no sound at all", encoding="utf-8")
        rows.append((path.name, "speech", "train", str(number)))
    write_manifest(tmp_path, rows)
    return tmp_path


@pytest.mark.slow
def test_few_unreadable_clips_are_named_and_left_out(tmp_path: Path) -> None:
    corpus = open_corpus(corpus_with(tmp_path, 20, 1))
    data = prepare(corpus, "train", FRAMES, tmp_path / "data", copies=1, seed=1)
    assert len(data.counts) == 20
    (reason,) = data.skipped
    assert "20.wav" in reason


def test_more_than_five_percent_unreadable_is_an_error(tmp_path: Path) -> None:
    corpus = open_corpus(corpus_with(tmp_path, 4, 1))
    with pytest.raises(CorpusError, match=r"1 of 5 clips cannot be read .*04\.wav"):
        prepare(corpus, "train", FRAMES, tmp_path / "data", copies=1, seed=1)


def test_short_clips_are_left_out_however_many(tmp_path: Path) -> None:
    corpus = open_corpus(corpus_with(tmp_path, 3, 0))
    write_wav(tmp_path / "01.wav", babbling(2.0, 1))
    data = prepare(corpus, "train", FRAMES, tmp_path / "data", copies=1, seed=1)
    assert len(data.counts) == 2
    assert data.skipped == (f"{tmp_path / '01.wav'}: shorter than 3 s",)


@pytest.mark.parametrize("seconds", [1.0])
def test_no_usable_clip_is_an_error(tmp_path: Path, seconds: float) -> None:
    corpus = open_corpus(corpus_with(tmp_path, 2, 0, seconds))
    with pytest.raises(CorpusError, match="no usable clip in the split 'train'"):
        prepare(corpus, "train", FRAMES, tmp_path / "data", copies=1, seed=1)


def test_a_missing_split_is_an_error(tmp_path: Path) -> None:
    corpus = open_corpus(corpus_with(tmp_path, 1, 0))
    with pytest.raises(CorpusError, match="no speech clip in the split 'validation'"):
        prepare(corpus, "validation", FRAMES, tmp_path / "data", copies=1, seed=1)


@pytest.mark.slow
def test_a_preparation_that_was_cut_off_starts_over(tmp_path: Path) -> None:
    corpus = open_corpus(corpus_with(tmp_path, 2, 0))
    whole = prepare(corpus, "train", FRAMES, tmp_path / "data", copies=1, seed=1)
    (home,) = (tmp_path / "data").iterdir()
    os.truncate(home / "frames.f16", 1000)
    (home / "table.npz").unlink()
    again = prepare(corpus, "train", FRAMES, tmp_path / "data", copies=1, seed=1)
    assert again.frames.shape == whole.frames.shape


@pytest.mark.slow
def test_more_copies_are_added_to_those_that_are_there(tmp_path: Path) -> None:
    corpus = open_corpus(write_corpus(tmp_path / "corpus", 2, 0))
    prepare(corpus, "train", FRAMES, tmp_path / "a", copies=1, seed=1)
    told: list[int] = []
    extended = prepare(
        corpus,
        "train",
        FRAMES,
        tmp_path / "a",
        copies=3,
        seed=1,
        progress=lambda done, total: told.append(total),
    )
    assert told == [4] * 4  # two further copies of two clips
    whole = prepare(corpus, "train", FRAMES, tmp_path / "b", copies=3, seed=1)
    assert np.array_equal(extended.frames, whole.frames)
    assert np.array_equal(extended.starts, whole.starts)
    (home,) = (tmp_path / "a").iterdir()
    assert open_dataset(home, 1).starts.tolist() == whole.starts[:, :2].tolist()


@pytest.mark.slow
def test_a_copy_that_was_cut_off_is_made_again(tmp_path: Path) -> None:
    corpus = open_corpus(write_corpus(tmp_path / "corpus", 2, 0))
    prepare(corpus, "train", FRAMES, tmp_path / "a", copies=1, seed=1)
    (home,) = (tmp_path / "a").iterdir()
    with (home / "frames.f16").open("ab") as file:
        file.write(bytes(1001))
    again = prepare(corpus, "train", FRAMES, tmp_path / "a", copies=2, seed=1)
    whole = prepare(corpus, "train", FRAMES, tmp_path / "b", copies=2, seed=1)
    assert np.array_equal(again.frames, whole.frames)


@pytest.mark.slow
def test_two_corpora_are_learnt_together(tmp_path: Path) -> None:
    roots = [write_corpus(tmp_path / name, 2, 0) for name in ("one", "two")]
    corpus = open_corpora(roots)
    data = prepare(corpus, "train", FRAMES, tmp_path / "data", copies=1, seed=1)
    assert data.speakers.tolist() == [f"{n}/speaker-{k}" for n in (0, 1) for k in (0, 1)]
    assert data.weights.tolist() == pytest.approx([0.25] * 4)
