"""Every transformation does to a voice what its name says."""

from __future__ import annotations

from pathlib import Path
from shutil import which

import numpy as np
import pytest

from benchmarks.accuracy.transformations import (
    PAPER,
    REAL_LIFE,
    Transformation,
    require_sox,
    select_transformations,
    transform,
)
from benchmarks.errors import BenchmarkError, TransformationError
from benchmarks.surroundings import around_clip
from samaf.training.corpora import Corpus, open_corpus

SHA = "0123456789abcdef" * 4
needs_sox = pytest.mark.skipif(which("sox") is None, reason="SoX is not installed")
every_one = pytest.mark.parametrize("transformation", [*PAPER, *REAL_LIFE], ids=lambda t: t.name)


def named(name: str) -> Transformation:
    return select_transformations(name)[0]


def applied(name: str, samples: np.ndarray, corpus: Corpus, sha256: str = SHA) -> np.ndarray:
    around = around_clip(corpus, "test", corpus.select("speech", "test")[0])
    return transform(named(name), samples, sha256, around)


def test_transformations_are_the_papers() -> None:
    transformations = PAPER
    assert len(transformations) == 22
    assert transformations[0].name == "Original"
    assert [t.name for t in transformations if t.reversed] == ["Reverse"]
    assert [t.name for t in transformations if np.isnan(t.tau)] == ["TruncateSilence"]


@pytest.mark.parametrize("transformation", PAPER, ids=lambda t: t.name)
def test_factors_agree_with_names(transformation: Transformation) -> None:
    kind = transformation.name.rstrip("0123456789.")
    if kind in {"Speed", "Tempo"}:
        assert transformation.tau == pytest.approx(1 / float(transformation.name[5:]), abs=1e-6)
    if kind in {"Speed", "Pitch"}:
        assert transformation.rho == float(transformation.name[5:])


@needs_sox
@every_one
def test_length_follows_the_time_factor(
    transformation: Transformation, voice: np.ndarray, corpus: Corpus
) -> None:
    out = applied(transformation.name, voice, corpus)
    assert out.dtype == np.float32
    assert np.abs(out).max() == pytest.approx(1, abs=1e-6)
    extra = {"Echo": 16_000}.get(transformation.name, 0)
    if not np.isnan(transformation.tau):
        assert len(out) == pytest.approx(len(voice) * transformation.tau + extra, abs=400)
    if transformation.name not in {"Original", "TruncateSilence"}:
        assert len(out) != len(voice) or np.abs(out - voice).max() > 0.01


@needs_sox
@pytest.mark.parametrize("name", "Noise0.05 Pitch0.9 Babble5dB Room10dB AMRSpeed1.03".split())
def test_twice_the_same(name: str, voice: np.ndarray, corpus: Corpus) -> None:
    assert np.array_equal(applied(name, voice, corpus), applied(name, voice, corpus))


@pytest.mark.parametrize("name", ["Noise0.05", "Babble5dB", "Room10dB", "Music5dB"])
def test_no_two_clips_share_what_is_added(name: str, voice: np.ndarray, corpus: Corpus) -> None:
    first, second = (applied(name, voice, corpus, sha) for sha in (SHA, SHA[::-1]))
    assert np.abs(first - second).max() > 0.01


def test_noise_is_uniform(voice: np.ndarray, corpus: Corpus) -> None:
    silent = np.zeros(160_000, np.float32)
    silent[0] = 1
    out = applied("Noise0.05", silent, corpus)[1:]
    assert np.abs(out).max() == pytest.approx(0.05, rel=0.06)
    assert out.std() == pytest.approx(0.0289, rel=0.06)


@pytest.mark.parametrize(("name", "decibels"), [("Babble5dB", 5), ("Music5dB", 5)])
def test_levels(name: str, decibels: float, voice: np.ndarray, corpus: Corpus) -> None:
    mixed = applied(name, voice, corpus).astype(float)
    # Scaling to peak 1 hides the gain of the voice: take it from the best fit.
    gain = mixed @ voice / (voice @ voice)
    added = mixed - gain * voice
    ratio = 20 * np.log10(gain * np.std(voice) / np.std(added))
    assert ratio == pytest.approx(decibels, abs=1)


@needs_sox
def test_reverse_and_place(voice: np.ndarray, corpus: Corpus) -> None:
    out = applied("Reverse", voice, corpus)
    assert np.abs(out - voice[::-1]).max() < 1e-4
    assert named("Reverse").begin(1.0, 2.0, 10.0) == 7.0
    assert named("Reverse").place(1.0, 10.0) == 9.0
    assert named("Speed0.5").begin(4.0, 1.0, 21.0) == pytest.approx(2.0)
    assert np.isnan(named("TruncateSilence").begin(4.0, 1.0, 9.0))


@needs_sox
@pytest.mark.parametrize(("pause", "left"), [(20_000, 0), (6_400, 6_400)])
def test_long_pauses_are_cut_out(pause: int, left: int, voice: np.ndarray, corpus: Corpus) -> None:
    parts = [voice, np.zeros(pause, np.float32), voice]
    out = applied("TruncateSilence", np.concatenate(parts), corpus)
    assert len(out) == pytest.approx(2 * len(voice) + left, abs=800)


@needs_sox
@pytest.mark.parametrize(("name", "factor"), [("Pitch0.5", 0.5), ("Speed1.1", 1.1)])
def test_tones_move_by_the_pitch_factor(name: str, factor: float, corpus: Corpus) -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(32_000) / 16_000).astype(np.float32)
    out = applied(name, tone, corpus)[4_000:-4_000]
    peak = np.abs(np.fft.rfft(out * np.hanning(len(out)))).argmax() * 16_000 / len(out)
    assert peak == pytest.approx(1000 * factor, rel=0.02)


def test_sound_that_the_split_lacks(voice: np.ndarray, tmp_path: Path, corpus: Corpus) -> None:
    (tmp_path / "one.wav").write_bytes(corpus.clips[0].path.read_bytes())
    alone = open_corpus(tmp_path)
    around = around_clip(alone, "test", alone.clips[0])
    with pytest.raises(TransformationError, match="holds no music"):
        transform(named("Music5dB"), voice, SHA, around)


@needs_sox
def test_sox_refusal_is_a_line(corpus: Corpus, voice: np.ndarray) -> None:
    transformation = Transformation("Wrong", "sox", "nosucheffect 1", 1.0, 1.0, "")
    around = around_clip(corpus, "test", corpus.clips[0])
    with pytest.raises(TransformationError, match="Wrong: SoX refuses the clip"):
        transform(transformation, voice, SHA, around)


@needs_sox
def test_nothing_left_of_silence(corpus: Corpus) -> None:
    with pytest.raises(TransformationError, match="leaves nothing"):
        applied("TruncateSilence", np.zeros(48_000, np.float32), corpus)


def test_without_sox(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BenchmarkError, match=r"Echo needs SoX.*Debian: sox"):
        require_sox(select_transformations("Original,Echo"))
    require_sox(select_transformations("Original,Noise0.05,Babble5dB"))


def test_selection() -> None:
    assert len(select_transformations("paper")) == 22
    assert len(select_transformations("real")) == 8
    assert len(select_transformations("all")) == 30
    assert [t.name for t in select_transformations("Echo, Original")] == [
        "Original",
        "Echo",
    ]
    with pytest.raises(BenchmarkError, match=r"--transformations Ecko.*choose all, paper, real"):
        select_transformations("Ecko")
