"""Two files compared, without any store."""

from __future__ import annotations

from pathlib import Path

from samaf.audio import Source
from samaf.engine.blas import one_blas_thread
from samaf.engine.hash_query import prepare
from samaf.engine.options import QueryOptions
from samaf.engine.stopwatch import Stopwatch
from samaf.fingerprinters import DEFAULT_MODEL, load_hash_model
from samaf.index import ExactIndex, table_of
from samaf.matching import calibration_of, to_match
from samaf.matching.deep import find_deep
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
    options = QueryOptions(search="deep")
    other = prepare(second, QueryOptions(), fingerprinter, Stopwatch())
    clip = prepare(first, options, fingerprinter, Stopwatch())
    one, two = clip.answer, other.answer
    reasons = dict.fromkeys(f"{Path(a.query).name}: {a.reason}" for a in (one, two) if a.reason)
    if reasons:
        return Comparison(one.query, two.query, (), "; ".join(reasons))
    assert clip.samples is not None
    reference = Recording(two.sha256, Path(two.query).name, two.query, two.duration)
    index = ExactIndex(table_of([(0, other.hashes.packed)], other.hashes.packed.shape[1]))
    hop, block = fingerprinter.hop, fingerprinter.block
    with one_blas_thread():
        found = find_deep(
            clip.samples,
            one.sha256,
            fingerprinter,
            index,
            options.window_hashes(hop),
            options.max_false_matches,
            1,
        )
    calibration = calibration_of(fingerprinter)
    matches = (to_match(f, reference, hop, block, one.duration, calibration) for f in found)
    return Comparison(one.query, two.query, tuple(matches))
