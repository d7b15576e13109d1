"""Queries of a model of hashes: from a clip to matches."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from samaf.audio import Source
from samaf.engine.blas import one_blas_thread
from samaf.engine.options import QueryOptions
from samaf.engine.prepare import prepare
from samaf.engine.stopwatch import Stopwatch
from samaf.engine.worker_tasks import PREPARE, Request
from samaf.engine.workers import in_order, processes
from samaf.errors import AudioError
from samaf.fingerprinters import Fingerprinter
from samaf.index import ExactIndex, FlatIndex, HashTable, Index, IvfIndex
from samaf.matching import Candidate, DeepMatcher, Matcher, PreparedQuery, calibration_of, to_match
from samaf.matching.merging import keep_best, match_place, merge_matches, merge_streams
from samaf.matching.sections import later, of_many, sections
from samaf.media import Selection
from samaf.records import Match, QueryResult, Verification
from samaf.store import Store

INDEXES: Mapping[str, Callable[[HashTable, Fingerprinter], Index]] = {
    "exact": lambda table, _: ExactIndex(table),
    "flat": lambda table, _: FlatIndex(table),
    "ivf": lambda table, fingerprinter: IvfIndex(table, fingerprinter.codebook()),
}


@dataclass(frozen=True, slots=True)
class HashFamily:
    """Queries with a model of hashes; see ``samaf.engine.query.QueryFamily``."""

    fingerprinter: Fingerprinter

    def open_index(self, index_type: str, table: HashTable) -> Index:
        """Make an index over a table of hashes."""
        return INDEXES[index_type](table, self.fingerprinter)

    def prepare_many(
        self, sources: Sequence[Source], options: QueryOptions
    ) -> Iterator[tuple[PreparedQuery | AudioError, Stopwatch]]:
        """Prepare clips in their order; in several processes where there are many files."""
        paths = [Path(s) for s in sources if isinstance(s, str | os.PathLike) and s != "-"]
        in_memory = options.deep or options.verify
        if not in_memory and len(paths) == len(sources) and processes(paths):
            prepare_in_process = partial(_prepare_in_process, options.selection)
            yield from in_order(prepare_in_process, paths, self.fingerprinter, PREPARE)
            return
        for source in sources:
            watch = Stopwatch()
            try:
                yield (
                    prepare(
                        source,
                        self.fingerprinter,
                        watch,
                        options.selection,
                        deep=options.deep,
                        with_samples=options.verify,
                    ),
                    watch,
                )
            except AudioError as error:
                yield error, watch

    def search(
        self,
        prepared: PreparedQuery,
        options: QueryOptions,
        index: Index,
        store: Store,
        watch: Stopwatch,
    ) -> QueryResult:
        """Search for a clip; give the recordings as the store has them."""
        result = prepared.result
        if not index.table.total:
            return replace(result, reason="the store is empty")
        streams = prepared.streams
        share = options.max_false_matches / len(streams)
        matcher = replace(matcher_of(self.fingerprinter, index, options), max_false_matches=share)
        matches: list[Match] = []
        supported: set[int] = set()
        for stream in streams:
            found, recordings = self._matches(stream, len(streams), options, matcher, store, watch)
            matches += [replace(match, channel=stream.channel) for match in found]
            supported |= recordings
        if len(streams) > 1:
            matches = merge_streams(matches, options.k)
        more = len(supported - {match.recording.recording_id for match in matches})
        away = tuple(index.table.away)
        return replace(result, matches=tuple(matches), more=more, unsearched=away)

    def _matches(
        self,
        stream: PreparedQuery,
        streams: int,
        options: QueryOptions,
        matcher: Matcher,
        store: Store,
        watch: Stopwatch,
    ) -> tuple[Sequence[Match], set[int]]:
        """Search for one of so many streams of a clip.

        Besides the matches, the numbers of all recordings that could be given are returned.
        """
        index, seconds = matcher.index, stream.result.duration
        if stream.samples is None or not options.deep:
            with watch("search"):
                overlapping = matcher.overlapping(stream.grids)
                candidates = of_many(matcher.resolved(overlapping), streams)
            with watch("database"):
                found = to_matches(candidates, index, self.fingerprinter, store, seconds)
            return found, matcher.recordings(overlapping)
        parts = sections(stream.samples, self.fingerprinter.card.features.sample_rate)
        matcher = replace(matcher, max_false_matches=matcher.max_false_matches / len(parts))
        deep = DeepMatcher(self.fingerprinter, matcher, options.search == "exhaustive")
        matches: list[Match] = []
        supported: set[int] = set()
        for start, seconds, samples in parts:
            with watch("search"), one_blas_thread():
                overlapping = deep.overlapping(samples, stream.salt)
                supported |= matcher.recordings(overlapping)
                candidates = of_many(deep.settled(overlapping, samples), streams * len(parts))
            with watch("database"):
                found = to_matches(candidates, index, self.fingerprinter, store, seconds)
            matches += [later(match, start) for match in found]
        if len(parts) > 1:
            return merge_matches(matches, options.k), supported
        # Refined, candidates may lie where better ones do; a verification looks at all of them.
        kept = matches if options.verify else keep_best(matches, options.k, match_place)
        return kept, supported

    def account(self, result: QueryResult) -> dict[str, Any]:
        """Give a result as the audit log keeps it, as JSON values."""
        return {
            "matches": [
                {
                    "sha256": match.recording.sha256,
                    "name": match.recording.name,
                    "query": [round(match.query_start, 3), round(match.query_stop, 3)],
                    "reference": [round(match.reference_start, 3), round(match.reference_stop, 3)],
                    "score": round(match.score, 2),
                    "manipulation": str(match.manipulation),
                    **_verification_account(match.verification),
                    "channels": [match.channel, match.reference_channel],
                }
                for match in result.matches
            ]
        }


def _verification_account(verification: Verification | None) -> dict[str, Any]:
    if verification is None:
        return {}
    return {
        "verified": verification.verified,
        "verification": verification.reason or round(verification.score, 2),
    }


def _prepare_in_process(
    selection: Selection, path: Path, in_process: Callable[[Request], PreparedQuery]
) -> tuple[PreparedQuery | AudioError, Stopwatch]:
    watch = Stopwatch()
    try:
        with watch("hash"):
            return in_process(Request(path, selection)), watch
    except AudioError as error:
        return error, watch


def matcher_of(fingerprinter: Fingerprinter, index: Index, options: QueryOptions) -> Matcher:
    """Make the matcher for some options."""
    return Matcher(
        index,
        calibration_of(fingerprinter),
        options.window_hashes(fingerprinter.hop),
        options.max_false_matches,
        options.k,
        options.population,
        at_any_score=options.verify,
        places_rival=True,
    )


def to_matches(
    candidates: Sequence[Candidate],
    index: Index,
    fingerprinter: Fingerprinter,
    store: Store,
    duration: float,
) -> tuple[Match, ...]:
    """Turn candidates into matches, with the recordings as the store has them now.

    ``duration`` is that of the clip, in seconds.
    """
    recordings = store.get_many({candidate.recording_id for candidate in candidates})
    # A recording deleted since the index was read gives no match.
    matches = []
    for candidate in candidates:
        if recording := recordings.get(candidate.recording_id):
            match = to_match(candidate, recording, fingerprinter, duration)
            side = index.table.side(candidate.recording_index)
            matches.append(replace(match, reference_channel=recording.channel(side)))
    return tuple(matches)
