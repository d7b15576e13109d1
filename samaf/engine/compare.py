"""Two files compared, without any store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from samaf.audio import Source
from samaf.engine.blas import one_blas_thread
from samaf.engine.hash_query import matcher_of
from samaf.engine.options import MATCHES, QueryOptions
from samaf.engine.prepare import prepare
from samaf.engine.stopwatch import Stopwatch
from samaf.engine.verification import supported
from samaf.fingerprinters import DEFAULT_MODEL, Fingerprinter, load_hash_model
from samaf.index import ExactIndex, table_of
from samaf.matching import DeepMatcher, PreparedQuery, to_match
from samaf.matching.merging import keep_best, match_place
from samaf.records import Codes, Comparison, Manipulation, Match, Population, Recording
from samaf.verification import PreparedClip
from samaf.verification import verify as verify_signals


def compare(
    first: Source,
    second: Source,
    *,
    model: str | None = None,
    population: Population = "speech",
    verify: bool = False,
) -> Comparison:
    """Tell which segments two files share, and how the first one was altered.

    Each file is searched for in the other as a deep query is in a store, so that the order of
    the two makes no difference. Both are held in memory.

    Parameters
    ----------
    population
        As for ``Engine.query``.
    verify
        Compare the signals as well, as ``Engine.query`` does.

    Raises
    ------
    AudioError, FingerprinterError, QueryError
        A file cannot be decoded, or there is no such model or population.
    """
    options = QueryOptions(search="deep", population=population, verify=verify)
    fingerprinter = load_hash_model(model or DEFAULT_MODEL)
    one = prepare_compared(first, fingerprinter)
    other = prepare_compared(second, fingerprinter)
    names = one.path, other.path
    if reason := reason_of(one, other):
        return Comparison(*names, (), reason)
    matches = [
        *search_in(one, other, fingerprinter, options),
        *(
            turned(match, other.recording)
            for match in search_in(other, one, fingerprinter, options)
        ),
    ]
    if verify:
        return Comparison(*names, supported(verified_in(matches, one, other), options))
    matches.sort(key=lambda match: (-match.score, match.query_start))
    return Comparison(*names, tuple(keep_best(matches, MATCHES, match_place)))


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """A file as a clip that is searched for, and as a recording that is searched."""

    clip: PreparedQuery
    recording: Recording
    hashes: Codes

    @property
    def path(self) -> str:
        """The file's path, or its name where it has none."""
        return self.clip.result.query


def prepare_compared(source: Source, fingerprinter: Fingerprinter) -> Compared:
    """Decode and hash a file for both parts."""
    clip = prepare(source, fingerprinter, Stopwatch(), deep=True)
    result = clip.result
    recording = Recording(result.sha256, Path(result.query).name, result.query, result.duration)
    chunks = [] if clip.samples is None else [clip.samples]
    with one_blas_thread():
        return Compared(clip, recording, fingerprinter.hashes(chunks, result.sha256))


def reason_of(*files: Compared) -> str:
    """Say why files cannot be compared; empty where they can."""
    results = [file.clip.result for file in files]
    return "; ".join(
        dict.fromkeys(f"{Path(r.query).name}: {r.reason}" for r in results if r.reason)
    )


def search_in(
    query: Compared, reference: Compared, fingerprinter: Fingerprinter, options: QueryOptions
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


def verified_in(matches: Iterable[Match], query: Compared, reference: Compared) -> list[Match]:
    """Verify matches of one file in the other."""
    clip, recording = query.clip.samples, reference.clip.samples
    assert clip is not None
    assert recording is not None
    prepared = PreparedClip(clip)
    with one_blas_thread():
        return [replace(m, verification=verify_signals(prepared, recording, m)) for m in matches]


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
