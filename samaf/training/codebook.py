"""The codebook of a model: hashes of the speech that it was trained with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from samaf.audio import read
from samaf.errors import TrainingError
from samaf.fingerprinters import Fingerprinter, ModelCard
from samaf.fingerprinters.codebook import draw_centres, write_codebook
from samaf.training.corpora import Corpus


def add_codebook(
    fingerprinter: Fingerprinter, corpus: Corpus, progress: Callable[[int, int], None]
) -> ModelCard:
    """Draw a codebook from the train split of a corpus; write it, and its digest into the card.

    Raises
    ------
    TrainingError
        The corpus has no speech in its train split.
    """
    clips = corpus.select("speech", "train")
    parts = []
    for number, clip in enumerate(clips):
        parts.append(_informative(clip.path, fingerprinter))
        progress(number + 1, len(clips))
    hashes = np.concatenate([np.empty((0, fingerprinter.card.bits // 8), np.uint8), *parts])
    if not len(hashes):
        raise TrainingError(
            f"{corpus.root}: no speech of the train split to draw a codebook from; name another "
            "corpus"
        )
    return write_codebook(draw_centres(hashes), fingerprinter.card, fingerprinter.path)


def _informative(path: Path, fingerprinter: Fingerprinter) -> np.ndarray:
    with read(path, fingerprinter.sample_rate) as audio:
        hashes = fingerprinter.hashes(audio.chunks(), audio.sha256)
    return np.asarray(hashes.packed[hashes.informative])
