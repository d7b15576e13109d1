"""The best candidates of a clip at any score, with their evidence.

``Engine.query`` gives no match that chance explains. Here the same search is made without that
bound, so that a table can tell what was found from what was said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from math import isnan
from typing import Any

import numpy as np

from benchmarks.errors import BenchmarkError
from benchmarks.field.evidence import tried
from benchmarks.field.excerpts import recording_name
from samaf.engine.hash_query import matcher_of
from samaf.engine.options import QueryOptions
from samaf.fingerprinters import Fingerprinter, ScoreCalibration
from samaf.index import HashTable, Index
from samaf.matching import Candidate, DeepMatcher, PreparedQuery
from samaf.matching.alignment import Segment, error_rates, moved
from samaf.matching.calibration import log10_likelihood_ratio
from samaf.matching.evidence import EVIDENCE
from samaf.matching.query_hashes import Grid
from samaf.records import Hashes
from samaf.store import Store

KEPT = 3  # candidates of a query
ROUNDED = 0.01  # bit error rate: a line between two hashes may be rounded to either


def candidates(
    fingerprinter: Fingerprinter,
    index: Index,
    store: Store,
    query: PreparedQuery,
    options: QueryOptions,
) -> list[dict[str, Any]]:
    """Give the best candidates, best first, each recording once.

    ``query`` was prepared for ``options``. What was tried beside the evidence (`tried`) is given of
    plain queries alone: a deep one would have to be hashed again.
    """
    if query.result.reason:
        return []
    matcher = matcher_of(fingerprinter, index, replace(options, k=KEPT))
    matcher = replace(matcher, at_any_score=True)
    table = index.table
    assert isinstance(table, HashTable)  # the index is local
    if options.deep:
        assert query.samples is not None  # a deep query keeps them
        searching = DeepMatcher(fingerprinter, matcher, options.search == "exhaustive")
        found, grids = searching.find_on_grid(query.samples, query.salt), None
    else:
        found, grids = matcher.find(query.grids), query.grids
    chosen = first_of_each(found, KEPT)
    ids = [c.recording_id for c in chosen]
    recordings = store.get_many(ids)
    return [
        described(
            *(candidate, grids, table, matcher.calibration),
            recording_name(recordings[recording_id].path),
        )
        for candidate, recording_id in zip(chosen, ids, strict=True)
    ]


def first_of_each(candidates: Sequence[Candidate], most: int) -> list[Candidate]:
    """Keep the first candidate of each recording, at most so many."""
    first: dict[int, Candidate] = {}
    for candidate in candidates:
        first.setdefault(candidate.recording_index, candidate)
    return list(first.values())[:most]


def described(
    candidate: Candidate,
    grids: Sequence[Grid] | None,
    table: HashTable,
    calibration: ScoreCalibration,
    name: str,
) -> dict[str, Any]:
    """Give a candidate and its evidence as JSON values; ``name`` is its recording's.

    ``grids`` are those that it may have been found on, None where they are not kept.
    """
    score = -candidate.evalues.other_speech
    evidence = {
        "bit_error_rate": candidate.segment.ber,
        "hashes": float(candidate.segment.hashes),
        **dict(zip(EVIDENCE, candidate.evidence, strict=True)),
        **(asdict(tried(*_on_grid(candidate, grids, table))) if grids is not None else {}),
    }
    return {
        "recording": name,
        "score": round(score, 3),
        "score_same_text": round(-candidate.evalues.same_text, 3),
        "log10_lr": round(float(log10_likelihood_ratio(score, calibration)), 3),
        "manipulation": str(candidate.manipulation),
        **{n: None if isnan(v) else round(v, 5) for n, v in evidence.items()},
    }


def _on_grid(
    candidate: Candidate, grids: Sequence[Grid], table: HashTable
) -> tuple[Hashes, HashTable, Segment]:
    """Give the hashes that a candidate was found with, the table, and its segment in them."""
    rows = table.rows(candidate.recording_index)
    fitting: list[tuple[float, Hashes, Segment]] = []
    for hypothesis, query in grids:
        segment = moved(candidate.segment, -hypothesis.origin)
        i = np.arange(segment.first, segment.stop)
        at = np.rint(segment.alignment.intercept + segment.alignment.slope * i).astype(np.int64)
        fits = segment.first >= 0 and segment.stop <= len(query)
        if hypothesis.manipulation == candidate.manipulation and fits:
            if at.min() < 0 or at.max() >= len(rows):
                continue
            off = abs(float(error_rates(query.packed[i] ^ rows[at]).mean()) - segment.ber)
            if off <= ROUNDED:
                fitting.append((off, query, segment))
    if not fitting:
        raise BenchmarkError("a candidate fits none of the grids that it may have been found on")
    _, query, segment = min(fitting, key=lambda each: each[0])
    return query, table, segment
