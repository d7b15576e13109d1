from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.unet.reconstruction import draw, table, trial
from samaf.audio import load
from samaf.features.melspectrogram import MelParameters
from samaf.fingerprinters.card import VectorCard
from samaf.fingerprinters.decoder import Encoded, SpectrogramDecoder
from samaf.training.corpora import Corpus

CLIP = Path(__file__).parents[2] / "samaf" / "clips" / "bruno-garden.ogg"


class Copier(SpectrogramDecoder):
    """Gives back what it gets."""

    def __init__(self) -> None:
        self.card = VectorCard("COPIER", "unet", 320, MelParameters())

    def encode(self, spectrograms: np.ndarray) -> Encoded:
        return Encoded(spectrograms, {})

    def rebuild(self, encoded: Encoded) -> np.ndarray:
        return encoded.vectors


def test_a_trial_compares_with_the_clean_segment_and_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for steps in ("BAND_STEPS", "PHASE_STEPS"):  # how good the sound is, tests/features tells
        monkeypatch.setattr(f"samaf.features.inversion.{steps}", 3)
    samples = load(CLIP, 48_000)
    noise = np.random.default_rng(0).standard_normal(len(samples)).astype(np.float32)
    made = trial(samples, noise, Copier())
    assert made.clean_error == 0
    assert made.noisy_error > 0.1
    assert made.foreign_error > made.noisy_error  # it got the noise alone
    assert np.allclose(made.from_clean, made.clean, atol=1e-3)
    # The level of each band is that of what the model got.
    assert np.allclose(made.from_noisy, made.noisy, atol=1e-3)
    assert made.peak == pytest.approx(
        np.abs((made.clean - made.clean.mean(1, keepdims=True)) / made.clean.std(1, keepdims=True))[
            made.clean.std(1) > 0.5
        ].max(),
        rel=1e-3,
    )
    paths = draw(made, MelParameters(), tmp_path)
    assert all(1_000 < path.stat().st_size < 150_000 for path in paths)


@pytest.mark.parametrize("kind", ["noise", "speech", "music"])
def test_a_corpus_without_a_kind_is_refused(kind: str, corpus: Corpus) -> None:
    without = replace(corpus, clips=tuple(c for c in corpus.clips if c.kind != kind))
    with pytest.raises(BenchmarkError, match=f"holds no {kind} of the test split"):
        table(without, [Copier()], 1)
