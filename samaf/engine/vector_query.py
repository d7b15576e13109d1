"""From a clip to its candidates, by a model of vectors: decode, encode, search, vote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from samaf.audio import Source, read
from samaf.engine.blas import one_blas_thread
from samaf.engine.options import QueryOptions
from samaf.engine.stopwatch import Stopwatch
from samaf.errors import AudioError, QueryError
from samaf.fingerprinters import VectorFingerprinter, Vectors
from samaf.index import VectorIndex
from samaf.matching.voting import rank
from samaf.records import QueryResult, RankedRecording
from samaf.store import Store

CHUNK_SECONDS = 10.0  # decoded at once: 20 segments, 15 MB


@dataclass(frozen=True, slots=True, eq=False)
class PreparedVectors:
    """A clip before any search; ``answer.reason`` tells when there is nothing to search for."""

    answer: QueryResult
    vectors: Vectors


def prepare_many(
    sources: Sequence[Source], options: QueryOptions, fingerprinter: VectorFingerprinter
) -> Iterator[tuple[PreparedVectors | AudioError, Stopwatch]]:
    """Decode and encode clips in their order.

    Raises
    ------
    QueryError
        An option is set that only models of hashes support.
    """
    if options != QueryOptions(k=options.k):
        raise QueryError(
            f"{fingerprinter.name}: ranks recordings by vectors of {fingerprinter.block:g} s; "
            "granularity, maximum false matches and deep searches take a model of hashes; "
            "leave them out"
        )
    for source in sources:
        watch = Stopwatch()
        try:
            yield _heard(source, fingerprinter, watch), watch
        except AudioError as error:
            yield error, watch


def _heard(source: Source, fingerprinter: VectorFingerprinter, watch: Stopwatch) -> PreparedVectors:
    with one_blas_thread(), ExitStack() as stack:
        with watch("decode"):
            audio = stack.enter_context(read(source, fingerprinter.sample_rate))
        with watch("hash"):
            vectors = fingerprinter.vectors(audio.chunks(CHUNK_SECONDS))
        name = audio.path or audio.name
        answer = QueryResult(name, audio.sha256, audio.duration, padded=vectors.padded)
    if not vectors.informative.any():
        answer = replace(answer, reason="nothing in it to recognise: silence")
    return PreparedVectors(answer, vectors)


def search(
    clip: PreparedVectors,
    options: QueryOptions,
    fingerprinter: VectorFingerprinter,
    index: VectorIndex,
    store: Store,
    watch: Stopwatch,
) -> QueryResult:
    """Rank the recordings of the store by the neighbors that they have among their segments."""
    if not index.size:
        return replace(clip.answer, reason="the store is empty")
    vectors = clip.vectors
    sound = vectors.informative
    rows = sound.nonzero()[0]
    with watch("search"):
        ranked = rank(index.search(vectors.values[sound], options.k), options.k)
    with watch("database"):
        recordings = store.get_many(each.recording_id for each in ranked)
    block = fingerprinter.block
    ranking = []
    for each in ranked:
        start, place = rows[each.row] * vectors.hop, each.segment * fingerprinter.hop
        # A recording deleted since the index was read is left out.
        if each.recording_id in recordings:
            ranking.append(
                RankedRecording(
                    recordings[each.recording_id],
                    each.segment,
                    float(start),
                    float(min(start + block, clip.answer.duration)),
                    place,
                    place + block,
                    each.distances,
                )
            )
    return replace(clip.answer, ranking=tuple(ranking))
