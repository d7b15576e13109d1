"""Queries of a model of vectors: from a clip to a ranking."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from samaf.audio import Source, read
from samaf.engine.blas import one_blas_thread
from samaf.engine.fingerprint import with_share
from samaf.engine.options import QueryOptions
from samaf.engine.stopwatch import Stopwatch
from samaf.errors import AudioError, QueryError
from samaf.fingerprinters import VectorFingerprinter, Vectors
from samaf.index import CellsIndex, HashTable, VectorIndex
from samaf.matching.voting import rank
from samaf.media import Selection
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
    """Queries with a model of vectors; see ``samaf.engine.query.QueryFamily``."""

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
        if options != QueryOptions(k=options.k, track=options.track, channel=options.channel):
            raise QueryError(
                f"{self.fingerprinter.name}: ranks recordings by vectors of "
                f"{self.fingerprinter.block:g} s; granularity, maximum false matches and deep "
                "searches take a model of hashes; leave them out"
            )
        for source in sources:
            watch = Stopwatch()
            try:
                yield self._prepare(source, options.selection, watch), watch
            except AudioError as error:
                yield error, watch

    def _prepare(self, source: Source, selection: Selection, watch: Stopwatch) -> PreparedVectors:
        with one_blas_thread(), ExitStack() as stack:
            with watch("decode"):
                opened = read(
                    source,
                    self.fingerprinter.sample_rate,
                    track=selection.track,
                    channel=selection.channel,
                )
                audio = stack.enter_context(opened)
            with watch("hash"):
                vectors = self.fingerprinter.vectors(audio.chunks(CHUNK_SECONDS))
            name = audio.path or audio.name
            media = with_share(audio.media, vectors.informative[None])
            about = name, audio.sha256, audio.duration
            result = RankingResult(*about, padded=vectors.padded, media=media)
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
            query_start = rows[entry.row] * vectors.hop
            reference_start = entry.segment * self.fingerprinter.hop
            # A recording deleted since the index was read is left out.
            if entry.recording_id in recordings:
                ranking.append(
                    RankedRecording(
                        recordings[entry.recording_id],
                        entry.segment,
                        float(query_start),
                        float(min(query_start + block, result.duration)),
                        reference_start,
                        reference_start + block,
                        entry.distances,
                    )
                )
        return replace(result, ranking=tuple(ranking))

    def account(self, result: RankingResult) -> dict[str, Any]:
        """Give a result as the audit log keeps it, as JSON values."""
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
