"""Queries of a model of hashes: from a clip to matches."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from samaf.audio import Source
from samaf.engine.options import QueryOptions
from samaf.engine.prepare import prepare
from samaf.engine.stopwatch import Stopwatch
from samaf.engine.worker_tasks import PREPARE
from samaf.engine.workers import in_order, processes
from samaf.errors import AudioError
from samaf.fingerprinters import Fingerprinter
from samaf.index import ExactIndex, FlatIndex, HashTable, Index, IvfIndex
from samaf.matching import Candidate, DeepMatcher, Matcher, PreparedQuery, calibration_of, to_match
from samaf.matching.merging import merge_matches
from samaf.matching.sections import later, of_many, sections
from samaf.records import Match, QueryResult, Verification
from samaf.store import Store

INDEXES: Mapping[str, Callable[[HashTable], Index]] = {
    "exact": ExactIndex,
    "flat": FlatIndex,
    "ivf": IvfIndex,
}


@dataclass(frozen=True, slots=True)
class HashFamily:
    """Queries with a model of hashes; see ``samaf.engine.query.QueryFamily``."""

    fingerprinter: Fingerprinter

    def open_index(self, index_type: str, table: HashTable) -> Index:
        """Make an index over a table of hashes."""
        return INDEXES[index_type](table)

    def prepare_many(
        self, sources: Sequence[Source], options: QueryOptions
    ) -> Iterator[tuple[PreparedQuery | AudioError, Stopwatch]]:
        """Prepare clips in their order; in several processes where there are many files."""
        paths = [Path(s) for s in sources if isinstance(s, str | os.PathLike) and s != "-"]
        in_memory = options.deep or options.verify
        if not in_memory and len(paths) == len(sources) and processes(paths):
            yield from in_order(_prepare_in_process, paths, self.fingerprinter, PREPARE)
            return
        for source in sources:
            watch = Stopwatch()
            try:
                yield (
                    prepare(
                        source,
                        self.fingerprinter,
                        watch,
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
        matcher = matcher_of(self.fingerprinter, index, options)
        if prepared.samples is None or not options.deep:
            with watch("search"):
                candidates = matcher.find(prepared.grids)
            with watch("database"):
                matches = to_matches(candidates, index, self.fingerprinter, store, result.duration)
            return replace(result, matches=matches)
        parts = sections(prepared.samples, self.fingerprinter.card.features.sample_rate)
        matcher = replace(matcher, max_false_matches=options.max_false_matches / len(parts))
        deep = DeepMatcher(self.fingerprinter, matcher, options.search == "exhaustive")
        matches_of_parts: list[Match] = []
        for start, seconds, samples in parts:
            with watch("search"):
                candidates = of_many(deep.find(samples, result.sha256), len(parts))
            with watch("database"):
                matches = to_matches(candidates, index, self.fingerprinter, store, seconds)
            matches_of_parts += [later(match, start) for match in matches]
        if len(parts) > 1:
            matches_of_parts = merge_matches(matches_of_parts, options.k)
        return replace(result, matches=tuple(matches_of_parts))

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
    path: Path, in_process: Callable[[Path], PreparedQuery]
) -> tuple[PreparedQuery | AudioError, Stopwatch]:
    watch = Stopwatch()
    try:
        with watch("hash"):
            return in_process(path), watch
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
    ids = [int(index.table.recording_ids[c.recording_index]) for c in candidates]
    recordings = store.get_many(ids)
    # A recording deleted since the index was read gives no match.
    return tuple(
        to_match(candidate, recordings[recording_id], fingerprinter, duration)
        for candidate, recording_id in zip(candidates, ids, strict=True)
        if recording_id in recordings
    )
