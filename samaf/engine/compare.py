"""Two files compared, without any store."""

from __future__ import annotations

from pathlib import Path

from samaf.audio import Source
from samaf.engine.blas import one_blas_thread
from samaf.engine.fingerprint import hash_file
from samaf.engine.hash_query import matcher_of
from samaf.engine.options import QueryOptions
from samaf.engine.prepare import prepare, reason_for
from samaf.engine.stopwatch import Stopwatch
from samaf.fingerprinters import DEFAULT_MODEL, load_hash_model
from samaf.index import ExactIndex, table_of
from samaf.matching import DeepMatcher, to_match
from samaf.records import Comparison, Recording


def compare(first: Source, second: Source, *, model: str | None = None) -> Comparison:
    """Tell which segments two files share, and how the first one was altered.

    The first file is searched for in the second as a deep query is in a store, so its
    samples are held in memory.

    Raises
    ------
    AudioError, FingerprinterError
        A file cannot be decoded, or there is no such model.
    """
    fingerprinter = load_hash_model(model or DEFAULT_MODEL)
    stored = hash_file(second, fingerprinter)
    clip = prepare(first, fingerprinter, Stopwatch(), deep=True)
    one = clip.result
    reasons = {
        Path(one.query).name: one.reason,
        Path(stored.path).name: reason_for(
            stored.duration, bool(stored.hashes.informative.any()), fingerprinter
        ),
    }
    if any(reasons.values()):
        text = "; ".join(f"{name}: {reason}" for name, reason in reasons.items() if reason)
        return Comparison(one.query, stored.path, (), text)
    assert clip.samples is not None
    reference = Recording(stored.sha256, Path(stored.path).name, stored.path, stored.duration)
    packed = stored.hashes.packed
    index = ExactIndex(table_of([(0, packed)], packed.shape[1]))
    options = QueryOptions(search="deep", k=1)
    deep = DeepMatcher(fingerprinter, matcher_of(fingerprinter, index, options))
    with one_blas_thread():
        candidates = deep.find(clip.samples, one.sha256)
    matches = (to_match(c, reference, fingerprinter, one.duration) for c in candidates)
    return Comparison(one.query, stored.path, tuple(matches))
