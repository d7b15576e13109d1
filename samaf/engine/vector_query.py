"""Queries of a model of vectors: from a clip to a ranking."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from samaf.audio import Source, read
from samaf.engine.blas import one_blas_thread
from samaf.engine.options import QueryOptions
from samaf.engine.stopwatch import Stopwatch
from samaf.errors import AudioError, QueryError
from samaf.fingerprinters import VectorFingerprinter, Vectors
from samaf.index import CellsIndex, HashTable, VectorIndex
from samaf.matching.voting import rank
from samaf.records import RankedRecording, RankingResult
from samaf.store import Store

CHUNK_SECONDS = 10.0  # decoded at once: 20 segments, 15 MB
INDEXES: Mapping[str, Callable[[HashTable], VectorIndex]] = {
    "exact": VectorIndex,
    "flat": VectorIndex,
    "ivf": CellsIndex,
}


@dataclass(frozen=True, slots=True, eq=False)
class PreparedVectors:
    """A clip before any search; ``result.reason`` says why there is nothing to search for."""

    result: RankingResult
    vectors: Vectors


@dataclass(frozen=True, slots=True)
class VectorFamily:
    """What a query takes with a model of vectors; see ``samaf.engine.query.QueryFamily``."""

    fingerprinter: VectorFingerprinter

    def open_index(self, index_type: str, table: HashTable) -> VectorIndex:
        """Make an index over a table of vectors."""
        return INDEXES[index_type](table)

    def prepare_many(
        self, sources: Sequence[Source], options: QueryOptions
    ) -> Iterator[tuple[PreparedVectors | AudioError, Stopwatch]]:
        """Decode and encode clips in their order.

        Raises
        ------
        QueryError
            An option is set that only models of hashes support.
        """
        if options != QueryOptions(k=options.k):
            raise QueryError(
                f"{self.fingerprinter.name}: ranks recordings by vectors of "
                f"{self.fingerprinter.block:g} s; granularity, maximum false matches and deep "
                "searches take a model of hashes; leave them out"
            )
        for source in sources:
            watch = Stopwatch()
            try:
                yield self._prepare(source, watch), watch
            except AudioError as error:
                yield error, watch

    def _prepare(self, source: Source, watch: Stopwatch) -> PreparedVectors:
        with one_blas_thread(), ExitStack() as stack:
            with watch("decode"):
                audio = stack.enter_context(read(source, self.fingerprinter.sample_rate))
            with watch("hash"):
                vectors = self.fingerprinter.vectors(audio.chunks(CHUNK_SECONDS))
            name = audio.path or audio.name
            result = RankingResult(name, audio.sha256, audio.duration, padded=vectors.padded)
        if not vectors.informative.any():
            result = replace(result, reason="nothing in it to recognise: silence")
        return PreparedVectors(result, vectors)

    def search(
        self,
        prepared: PreparedVectors,
        options: QueryOptions,
        index: VectorIndex,
        store: Store,
        watch: Stopwatch,
    ) -> RankingResult:
        """Rank the recordings of the store by the neighbors among their segments."""
        result, vectors = prepared.result, prepared.vectors
        if not index.size:
            return replace(result, reason="the store is empty")
        rows = vectors.informative.nonzero()[0]
        with watch("search"):
            ranked = rank(index.search(vectors.values[rows], options.k), options.k)
        with watch("database"):
            recordings = store.get_many(entry.recording_id for entry in ranked)
        block = self.fingerprinter.block
        ranking = []
        for entry in ranked:
            start, place = rows[entry.row] * vectors.hop, entry.segment * self.fingerprinter.hop
            # A recording deleted since the index was read is left out.
            if entry.recording_id in recordings:
                ranking.append(
                    RankedRecording(
                        recordings[entry.recording_id],
                        entry.segment,
                        float(start),
                        float(min(start + block, result.duration)),
                        place,
                        place + block,
                        entry.distances,
                    )
                )
        return replace(result, ranking=tuple(ranking))

    def account(self, result: RankingResult) -> dict[str, Any]:
        """Give an answer as the audit log keeps it; JSON can hold it."""
        return {
            "ranking": [
                {
                    "sha256": ranked.recording.sha256,
                    "name": ranked.recording.name,
                    "segment": ranked.segment,
                    "votes": ranked.votes,
                    "distance": round(ranked.distance, 4),
                }
                for ranked in result.ranking
            ]
        }
