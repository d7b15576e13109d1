"""The experiment of section 4.4 on made-up voices of 12 s."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import RATE, make_voice, write_manifest, write_wav
from scipy.io import wavfile
from vectormodel import NAME, write_vector_model

from benchmarks.accuracy.systems import load_vector_model, open_system
from benchmarks.errors import BenchmarkError
from benchmarks.metrics import Estimate
from benchmarks.unet.searching import searched
from benchmarks.unet.songs import prepared, song
from samaf.training.corpora import Corpus, open_corpus


def voices(root: Path) -> Corpus:
    names = [f"{number}.wav" for number in range(3)]
    for number, name in enumerate(names):
        write_wav(root / name, make_voice(number, 12.0))
    noise = np.random.default_rng(0).integers(-9999, 9999, RATE).astype(np.int16)
    wavfile.write(root / "noise.wav", RATE, noise)
    speech = [(name, "speech", "test", "", "") for name in names]
    write_manifest(root, [*speech, ("noise.wav", "noise", "test", "", "")])
    return open_corpus(root)


def test_the_search_of_the_paper(tmp_path: Path, model: Path) -> None:
    systems = [open_system(f"unet:{write_vector_model(tmp_path)}"), open_system(f"samaf:{model}")]
    steps: list[tuple[int, int]] = []
    table = searched(
        voices(tmp_path), "speech", systems, 2, lambda done, total: steps.append((done, total))
    )
    assert len(table.body) == 2 * 2 * 4
    assert steps[-1] == (3 + 8 * 2,) * 2
    lines = {line[0]: line[1:] for line in table.body}
    ours = lines[f"unet:{NAME}, 8 s, clean"]
    assert all(isinstance(each, Estimate) and each.queries == 2 for each in ours)
    theirs = lines["samaf:projections, 8 s, clean"]
    assert isinstance(theirs[0], Estimate)
    assert theirs[0].value == 1
    assert all(isinstance(each, Estimate) and each.queries == 0 for each in theirs[1:])


def test_songs_are_joined_once_and_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.unet.songs.SECONDS", 20)
    corpus = voices(tmp_path)
    fingerprinter = load_vector_model(str(write_vector_model(tmp_path)))
    told: list[int] = []
    made, again = (
        prepared(corpus, fingerprinter, 2, 3, tmp_path / "work", lambda done, _: told.append(done))
        for _ in range(2)
    )
    assert told == [1, 2]
    assert made.stored.shape == (2, 7, 320)
    assert made.clean.shape == made.noisy.shape == (3, 320)
    assert np.array_equal(made.stored, again.stored)
    samples = song(list(corpus.select("speech", "test")), 1, 48_000)
    assert len(samples) == 20 * 48_000
    own = fingerprinter.encode(samples[None, 120_000:312_000])
    np.testing.assert_allclose(made.stored[1, 1:2], own, atol=1e-3)
    assert (np.linalg.norm(made.clean - made.noisy, axis=1) > 1).all()


def test_a_corpus_without_a_kind_is_refused(corpus: Corpus, tmp_path: Path) -> None:
    def search(kind: str, *kinds: str) -> None:
        clips = tuple(clip for clip in corpus.clips if clip.kind in kinds)
        searched(replace(corpus, clips=clips), kind, [], 1, lambda done, total: None)

    with pytest.raises(BenchmarkError, match="holds no music of the test split"):
        search("music", "speech", "noise")
    with pytest.raises(BenchmarkError, match="holds no noise of the test split"):
        search("speech", "speech")
    with pytest.raises(BenchmarkError, match="no speech of the test split is longer than 4 s"):
        search("speech", "speech", "noise")

    fingerprinter = load_vector_model(str(write_vector_model(tmp_path)))
    for kinds, lacking in [(["speech"], "noise of the test split"), (["noise"], "speech or music")]:
        few = replace(corpus, clips=tuple(clip for clip in corpus.clips if clip.kind in kinds))
        with pytest.raises(BenchmarkError, match=f"holds no {lacking}"):
            prepared(few, fingerprinter, 1, 1, tmp_path / "work", lambda done, total: None)
