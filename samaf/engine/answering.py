"""Answers to many questions, by a model of hashes or of vectors, written into the audit log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from samaf.audio import Source
from samaf.engine import asking, ranking
from samaf.engine.asking import Clip, Question, account
from samaf.engine.indexes import Indexes
from samaf.engine.ranking import HeardVectors
from samaf.engine.watch import Stopwatch
from samaf.errors import AudioError
from samaf.fingerprinters import AnyFingerprinter, VectorFingerprinter, hashing
from samaf.records import QueryResult
from samaf.store import Store


def answer_many(
    sources: Sequence[Source],
    question: Question,
    fingerprinter: AnyFingerprinter,
    indexes: Indexes,
    store: Store,
    *,
    audit: bool,
) -> Iterator[QueryResult | AudioError]:
    """Yield the answers in the clips' order; see ``Engine.query_many``."""
    for clip, watch in _heard(sources, question, fingerprinter):
        if isinstance(clip, AudioError):
            yield clip
            continue
        answer = clip.answer
        if not answer.reason:
            answer = _found(clip, question, fingerprinter, indexes, store, watch)
        if audit:
            # Before anybody sees the answer: what cannot be logged is not answered.
            with watch("database"):
                store.log("query", answer.sha256, answer.query, account(question, answer))
        watch.report(answer)
        yield answer


def _heard(
    sources: Sequence[Source], question: Question, fingerprinter: AnyFingerprinter
) -> Iterator[tuple[Clip | HeardVectors | AudioError, Stopwatch]]:
    if isinstance(fingerprinter, VectorFingerprinter):
        return ranking.hear_many(sources, question, fingerprinter)
    return asking.hear_many(sources, question, fingerprinter)


def _found(
    clip: Clip | HeardVectors,
    question: Question,
    fingerprinter: AnyFingerprinter,
    indexes: Indexes,
    store: Store,
    watch: Stopwatch,
) -> QueryResult:
    if isinstance(clip, HeardVectors):
        assert isinstance(fingerprinter, VectorFingerprinter)
        with watch("database"):
            vectors = indexes.vectors
        return ranking.search(clip, question, fingerprinter, vectors, store, watch)
    with watch("database"):
        index = indexes.hashes
    return asking.search(clip, question, hashing(fingerprinter), index, store, watch)
