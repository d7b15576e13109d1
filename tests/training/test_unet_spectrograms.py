from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from training_data import UNET_RATE, made_spectrograms, tones, write_manifest, write_wav48

from samaf.errors import CorpusError
from samaf.features.melspectrogram import MelParameters, mel_spectrogram, segments
from samaf.training.corpora import Corpus, open_corpus
from samaf.training.unet.spectrograms import prepare

PAPER = MelParameters()
RAW = replace(PAPER, normalised=False)


def test_pairs_are_the_same_moment_noisy_and_clean() -> None:
    data = made_spectrograms()
    x, (clean, moments) = data.pairs(1, 0, 6, RAW)
    assert x.shape == clean.shape == (6, 64, 376)
    assert x.dtype == clean.dtype == np.float32
    clip, at = moments.astype(int).T
    for row in range(6):
        start = data.starts[clip[row], 0] + at[row]
        assert np.array_equal(clean[row], data.frames[start : start + 376].T.astype(np.float32))
    apart = np.abs(x - clean).mean(axis=(1, 2))
    assert ((apart > 0.2) & (apart < 1)).all()  # noise of deviation 0.5 or 1
    again = data.pairs(1, 0, 6, RAW)
    assert np.array_equal(x, again[0])
    assert not np.array_equal(x, data.pairs(1, 1, 6, RAW)[0])


def test_every_clip_comes_once_before_any_comes_again() -> None:
    data = made_spectrograms(clips=6)
    dealt = [data.pairs(1, step, 4, PAPER)[1][1][:, 0] for step in range(3)]
    places = np.concatenate(dealt).astype(int)
    assert sorted(places[:6]) == sorted(places[6:]) == list(range(6))
    assert list(places[:6]) != list(places[6:])


def test_references_lie_within_the_shift() -> None:
    data = made_spectrograms(frames=2000)
    x, (_, moments) = data.pairs(1, 0, 6, RAW, shift=1.25)
    assert len(x) == 12
    for row, (clip, at) in enumerate(moments.astype(int)):
        first = x[6 + row, :, 0]
        whole = data.frames[data.starts[clip, 0] :][:2000].astype(np.float32)
        there = np.flatnonzero((whole == first).all(axis=1))[0]
        assert abs(there - at) <= np.ceil(1.25 * UNET_RATE / 512)


def test_a_clip_shorter_than_a_segment_is_followed_by_silence() -> None:
    data = made_spectrograms(frames=200)
    x, _ = data.pairs(1, 0, 2, RAW)
    assert (x[:, :, 200:] == x.min(axis=(1, 2))[:, None, None]).all()
    clip, at = data.stored(PAPER)
    assert (clip.tolist(), at.tolist()) == (list(range(6)), [0] * 6)


def test_stored_segments_lie_a_hop_apart() -> None:
    clip, at = made_spectrograms(clips=2, frames=376 + 500).stored(PAPER)
    assert clip.tolist() == [0, 0, 0, 1, 1, 1]
    assert at.tolist() == [0, 234, 469] * 2  # 2.5 s are 234.4 frames


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    root = tmp_path_factory.mktemp("corpus")
    rows = []
    for number, (kind, split) in enumerate(
        [("speech", "train"), ("music", "train"), ("noise", "train"), ("speech", "validation")]
    ):
        write_wav48(root / f"{number}.wav", tones(5, number))
        rows.append((f"{number}.wav", kind, split, f"s{number}"))
    write_manifest(root, rows)
    return open_corpus(root)


def test_prepared_frames_are_those_of_the_features(corpus: Corpus, tmp_path: Path) -> None:
    data = prepare(corpus, "train", RAW, tmp_path, copies=2, seed=1)
    assert data.starts.shape == (2, 3)  # speech and music, clean and two copies
    cut, _ = segments(tones(5, 0) / np.abs(tones(5, 0)).max(), PAPER)
    ours = data.cut(np.array([0]), 0, np.array([0]), RAW)
    wanted = mel_spectrogram(cut, RAW)
    # The last frame sees what a query has to reflect.
    assert np.abs(ours - wanted)[..., :-1].mean() < 0.05
    again = prepare(corpus, "train", RAW, tmp_path, copies=2, seed=1)
    assert np.array_equal(again.frames, data.frames)
    noisy = data.cut(np.array([0, 0]), np.array([1, 2]), np.array([0, 0]), RAW)
    assert (np.abs(noisy - ours).mean(axis=(1, 2)) > 0.2).all()


def test_a_split_without_sounds_to_add_is_refused(corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no noise or music in the split 'validation'"):
        prepare(corpus, "validation", RAW, tmp_path, copies=2, seed=1)
    with pytest.raises(CorpusError, match="no speech or music clip in the split 'test'"):
        prepare(corpus, "test", RAW, tmp_path, copies=2, seed=1)


@pytest.mark.slow
def test_the_noisy_speech_database_gives_its_own_pairs(tmp_path: Path) -> None:
    names = [f"p{226 + n // 10}_{n:03}.wav" for n in range(40)]
    for name in names:
        seed = int(name[5:8])
        write_wav48(tmp_path / "data/clean_trainset_28spk_wav" / name, tones(0.5, seed))
        noise = 0.1 * np.random.default_rng(seed).uniform(-1, 1, UNET_RATE // 2).astype(np.float32)
        write_wav48(tmp_path / "data/noisy_trainset_28spk_wav" / name, tones(0.5, seed) + noise)
    write_wav48(tmp_path / "data/clean_testset_wav/p232_001.wav", tones(0.5, 99))
    corpus = open_corpus(tmp_path / "data")
    assert corpus.missing == ("noisy_testset_wav/p232_001.wav",)
    shares = [len(corpus.select("speech", s)) for s in ("train", "validation", "test")]
    assert sum(shares) == 40
    assert shares[0] > shares[1] > 0 < shares[2] < shares[0]
    assert {c.speaker for c in corpus.clips} == {"p226", "p227", "p228", "p229"}
    data = prepare(corpus, "validation", RAW, tmp_path / "out", copies=4, seed=1)
    assert data.starts.shape == (shares[1], 2)  # the recorded noise, no made copies
    everywhere = np.arange(shares[1])
    clean, noisy = (data.cut(everywhere, v, everywhere * 0, RAW) for v in (0, 1))
    assert noisy[:, 20:, :40].mean() > clean[:, 20:, :40].mean() + 1
