"""The best candidates of a clip at any score, with their evidence.

``Engine.query`` gives no match that chance explains. Here the same search is asked without that
bound, so that a table can tell what was found from what was said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from math import inf, isnan
from typing import Any

import numpy as np

from benchmarks.errors import BenchmarkError
from benchmarks.field.evidence import evidence, speech_share
from benchmarks.field.excerpts import recording_name
from samaf import Engine
from samaf.audio import load
from samaf.engine.hash_query import matcher_of
from samaf.engine.options import QueryOptions
from samaf.engine.prepare import prepare
from samaf.engine.stopwatch import Stopwatch
from samaf.fingerprinters import Fingerprinter, hashing
from samaf.index import HashTable
from samaf.matching import Candidate, DeepMatcher, Matcher, PreparedQuery, deep, hash_under
from samaf.matching.alignment import Segment, error_rates, moved
from samaf.matching.calibration import log10_likelihood_ratio
from samaf.matching.query_hashes import Grid
from samaf.records import Hashes

KEPT = 3  # candidates of a query
EVERYTHING = inf  # maximum expected false matches


def candidates(engine: Engine, audio: bytes, search: str) -> list[dict[str, Any]]:
    """Give the best candidates, best first, each recording once.

    Parameters
    ----------
    audio
        A file, as for ``Engine.query``.
    search
        "plain", "deep" or "exhaustive".
    """
    fingerprinter = hashing(engine.fingerprinter)
    options = QueryOptions(k=KEPT, search=search)
    query = prepare(audio, fingerprinter, Stopwatch(), deep=options.deep)
    if query.result.reason:
        return []
    matcher = matcher_of(fingerprinter, engine.index, options)
    matcher = replace(matcher, max_false_matches=EVERYTHING)
    found, grids = _found(query, fingerprinter, matcher, search)
    best: dict[int, Candidate] = {}
    for candidate in found:
        best.setdefault(candidate.recording_index, candidate)
    share = round(speech_share(load(audio)), 3)
    return _described(list(best.values())[:KEPT], grids, engine, matcher, share)


def _found(
    query: PreparedQuery,
    fingerprinter: Fingerprinter,
    matcher: Matcher,
    search: str,
) -> tuple[list[Candidate], Sequence[Grid]]:
    """Give all candidates and the grids that they may have been found on."""
    if query.samples is None:
        return matcher.find(query.grids), query.grids
    salt, exhaustive = query.result.sha256, search == "exhaustive"
    found = DeepMatcher(fingerprinter, matcher, exhaustive).find_on_grid(query.samples, salt)
    manipulations = {candidate.manipulation for candidate in found}
    tried = [h for h in deep(exhaustive) if h.manipulation in manipulations]
    return found, hash_under(query.samples, salt, fingerprinter, tried)


def _described(
    chosen: Sequence[Candidate],
    grids: Sequence[Grid],
    engine: Engine,
    matcher: Matcher,
    share: float,
) -> list[dict[str, Any]]:
    table, calibration = matcher.index.table, matcher.calibration
    ids = table.recording_ids[[c.recording_index for c in chosen]].tolist() if chosen else []
    recordings = engine.store.get_many(ids)
    told = []
    for candidate, recording_id in zip(chosen, ids, strict=True):
        others = [c.weighted_log10_evalue for c in chosen if c is not candidate]
        query, segment = _on_grid(candidate, grids, table)
        shown = evidence(
            *(query, table, segment, candidate.comparisons, calibration),
            min(others, default=0.0),
        )
        score = -candidate.log10_evalue
        told.append(
            {
                "recording": recording_name(recordings[recording_id].path),
                "score": round(score, 3),
                "log10_lr": round(float(log10_likelihood_ratio(score, calibration)), 3),
                "manipulation": str(candidate.manipulation),
                "speech_share": share,
                **{n: None if isnan(v) else round(v, 5) for n, v in asdict(shown).items()},
            }
        )
    return told


def _on_grid(
    candidate: Candidate, grids: Sequence[Grid], table: HashTable
) -> tuple[Hashes, Segment]:
    """Give the hashes that a candidate was found with, and its segment in them."""
    rows = table.rows(candidate.recording_index)
    for hypothesis, query in grids:
        segment = moved(candidate.segment, -hypothesis.origin)
        i = np.arange(segment.first, segment.stop)
        at = np.rint(segment.alignment.intercept + segment.alignment.slope * i).astype(np.int64)
        fits = segment.first >= 0 and segment.stop <= len(query)
        if hypothesis.manipulation == candidate.manipulation and fits:
            if at.min() < 0 or at.max() >= len(rows):
                continue
            if np.isclose(error_rates(query.packed[i] ^ rows[at]).mean(), segment.ber):
                return query, segment
    raise BenchmarkError("a candidate fits none of the grids that it may have been found on")
