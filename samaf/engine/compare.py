"""Two files compared, without any store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from samaf.audio import Source
from samaf.engine.blas import one_blas_thread
from samaf.engine.hash_query import matcher_of
from samaf.engine.options import MATCHES, QueryOptions
from samaf.engine.prepare import prepare
from samaf.engine.stopwatch import Stopwatch
from samaf.fingerprinters import DEFAULT_MODEL, Fingerprinter, load_hash_model
from samaf.index import ExactIndex, table_of
from samaf.matching import DeepMatcher, PreparedQuery, to_match
from samaf.matching.merging import keep_best, match_place
from samaf.records import Codes, Comparison, Manipulation, Match, Population, Recording


def compare(
    first: Source,
    second: Source,
    *,
    model: str | None = None,
    population: Population = "speech",
) -> Comparison:
    """Tell which segments two files share, and how the first one was altered.

    Each file is searched for in the other as a deep query is in a store, so that the order of
    the two makes no difference. Both are held in memory.

    Parameters
    ----------
    population
        As for ``Engine.query``.

    Raises
    ------
    AudioError, FingerprinterError, QueryError
        A file cannot be decoded, or there is no such model or population.
    """
    options = QueryOptions(search="deep", population=population)
    fingerprinter = load_hash_model(model or DEFAULT_MODEL)
    one = _prepare(first, fingerprinter)
    other = _prepare(second, fingerprinter)
    results = one.clip.result, other.clip.result
    names = results[0].query, results[1].query
    reasons = dict.fromkeys(f"{Path(r.query).name}: {r.reason}" for r in results if r.reason)
    if reasons:
        return Comparison(*names, (), "; ".join(reasons))
    matches = [
        *_search(one, other, fingerprinter, options),
        *(turned(match, other.recording) for match in _search(other, one, fingerprinter, options)),
    ]
    matches.sort(key=lambda match: (-match.score, match.query_start))
    return Comparison(*names, tuple(keep_best(matches, MATCHES, match_place)))


@dataclass(frozen=True, slots=True, eq=False)
class _Compared:
    """A file as a clip that is searched for, and as a recording that is searched."""

    clip: PreparedQuery
    recording: Recording
    hashes: Codes


def _prepare(source: Source, fingerprinter: Fingerprinter) -> _Compared:
    clip = prepare(source, fingerprinter, Stopwatch(), deep=True)
    result = clip.result
    recording = Recording(result.sha256, Path(result.query).name, result.query, result.duration)
    chunks = [] if clip.samples is None else [clip.samples]
    with one_blas_thread():
        return _Compared(clip, recording, fingerprinter.hashes(chunks, result.sha256))


def _search(
    query: _Compared, reference: _Compared, fingerprinter: Fingerprinter, options: QueryOptions
) -> Iterator[Match]:
    """Search for one file in the other."""
    packed = reference.hashes.packed
    index = ExactIndex(table_of([(0, packed)], packed.shape[1]))
    deep = DeepMatcher(fingerprinter, matcher_of(fingerprinter, index, options))
    assert query.clip.samples is not None
    with one_blas_thread():
        candidates = deep.find(query.clip.samples, query.clip.result.sha256)
    for candidate in candidates:
        yield to_match(candidate, reference.recording, fingerprinter, query.recording.duration)


def turned(match: Match, recording: Recording) -> Match:
    """Give a match the other way round: ``recording`` was its query and becomes its reference."""
    tau, rho = 1 / match.manipulation.tau, 1 / match.manipulation.rho
    return replace(
        match,
        recording=recording,
        query_start=match.reference_start,
        query_stop=match.reference_stop,
        reference_start=match.query_start,
        reference_stop=match.query_stop,
        manipulation=Manipulation(tau, rho, match.manipulation.reversed),
    )
