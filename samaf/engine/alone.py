"""What needs no store: comparing two files, the models."""

from __future__ import annotations

from pathlib import Path

from samaf.audio import Source, read
from samaf.engine.asking import Question
from samaf.engine.blas import one_blas_thread
from samaf.engine.hashing import hash_file
from samaf.engine.trust import law
from samaf.fingerprinters import DEFAULT_MODEL, Card, load_hash_model, shipped
from samaf.index import ExactIndex, table_of
from samaf.matching import match_of
from samaf.matching.deep import find_deep
from samaf.records import Comparison, Recording


def compare(first: Source, second: Source, *, model: str | None = None) -> Comparison:
    """Tell which stretches two files share, and how the first one was altered.

    The first file is searched for in the second as a deep query is in a store, so its
    samples are held in memory.

    Raises
    ------
    AudioError, FingerprinterError
        A file cannot be decoded, or there is no such model.
    """
    fingerprinter = load_hash_model(model or DEFAULT_MODEL)
    two = hash_file(second, fingerprinter)
    with one_blas_thread(), read(first) as audio:
        path, seed, duration = audio.path or audio.name, audio.sha256, audio.duration
        samples, hashes = audio.samples(), fingerprinter.hashes(audio.chunks(), seed)
    if not hashes.informative.any() or not two.hashes.informative.any():
        return Comparison(path, two.path, ())
    reference = Recording(two.sha256, Path(two.path).name, two.path, two.duration)
    index = ExactIndex(table_of([(0, two.hashes.packed)], two.hashes.packed.shape[1]))
    hop, block = fingerprinter.hop, fingerprinter.block
    question = Question()
    with one_blas_thread():
        found = find_deep(
            samples, seed, fingerprinter, index, question.window(hop), question.rate, 1
        )
    confidence = law(fingerprinter)
    matches = (match_of(f, reference, hop, block, duration, confidence) for f in found)
    return Comparison(path, two.path, tuple(matches))


def models() -> list[Card]:
    """Give the cards of the models that come with this program, in name order."""
    return shipped()
