"""Answers to many questions, by a model of hashes or of vectors, written into the audit log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from samaf.audio import Source
from samaf.engine import hash_query, vector_query
from samaf.engine.hash_query import Clip, account
from samaf.engine.indexes import Indexes
from samaf.engine.options import QueryOptions
from samaf.engine.stopwatch import Stopwatch
from samaf.engine.vector_query import PreparedVectors
from samaf.errors import AudioError
from samaf.fingerprinters import AnyFingerprinter, VectorFingerprinter, hashing
from samaf.records import QueryResult
from samaf.store import Store


def query_many(
    sources: Sequence[Source],
    options: QueryOptions,
    fingerprinter: AnyFingerprinter,
    indexes: Indexes,
    store: Store,
    *,
    audit: bool,
) -> Iterator[QueryResult | AudioError]:
    """Yield the answers in the clips' order; see ``Engine.query_many``."""
    for clip, watch in _heard(sources, options, fingerprinter):
        if isinstance(clip, AudioError):
            yield clip
            continue
        answer = clip.answer
        if not answer.reason:
            answer = _found(clip, options, fingerprinter, indexes, store, watch)
        if audit:
            # Before anybody sees the answer: what cannot be logged is not answered.
            with watch("database"):
                store.log("query", answer.sha256, answer.query, account(options, answer))
        watch.report(answer)
        yield answer


def _heard(
    sources: Sequence[Source], options: QueryOptions, fingerprinter: AnyFingerprinter
) -> Iterator[tuple[Clip | PreparedVectors | AudioError, Stopwatch]]:
    if isinstance(fingerprinter, VectorFingerprinter):
        return vector_query.prepare_many(sources, options, fingerprinter)
    return hash_query.prepare_many(sources, options, fingerprinter)


def _found(
    clip: Clip | PreparedVectors,
    options: QueryOptions,
    fingerprinter: AnyFingerprinter,
    indexes: Indexes,
    store: Store,
    watch: Stopwatch,
) -> QueryResult:
    if isinstance(clip, PreparedVectors):
        assert isinstance(fingerprinter, VectorFingerprinter)
        with watch("database"):
            vectors = indexes.vectors
        return vector_query.search(clip, options, fingerprinter, vectors, store, watch)
    with watch("database"):
        index = indexes.hashes
    return hash_query.search(clip, options, hashing(fingerprinter), index, store, watch)
