"""From the hashes of a clip to candidates: search, vote, align, accept or reject."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from samaf.fingerprinters import ScoreCalibration
from samaf.index import NOTHING, HashTable, Index, Neighbors
from samaf.matching.alignment import (
    FEW_WINDOWS,
    Segment,
    alignments,
    follow,
    moved,
    with_refined_boundaries,
)
from samaf.matching.calibration import log10_evalue, log10_likelihood_ratio
from samaf.matching.hypotheses import Hypothesis
from samaf.records import Hashes, Manipulation, Match, Recording

NEIGHBORS = 8  # of each window; true places bring their neighbors along
MORE_NEIGHBORS = 32  # where there are few windows: ranked by bit reliability another may be first
PADDED_HASHES = 2  # hashes of a clip that may lie beyond the ends of a recording
SLOPES_TRIED = 3  # lines offered for each group of hits, as a factor on what was compared
LEAST_COVERED = 0.5  # share of a window that must hold something to recognise
MAX_OVERLAP = 0.5  # share of a segment that a better one of the same reference may cover


@dataclass(frozen=True, slots=True)
class Candidate:
    """A segment of the query aligned with a segment of a recording.

    Attributes
    ----------
    recording_index
        Position of the reference in the index' table.
    segment
        Hashes of the query as it was hashed under ``manipulation``.
    span
        The same segment in hops of the clip as it is: start and stop.
    log10_evalue
        log10 of the expected number of false matches at least this good in the query (E-value).
    weighted_log10_evalue
        The same with bits counted by their reliability: ranks candidates for one place.
    comparisons
        Places that the search compared for it; see ``samaf.matching.calibration``.
    """

    recording_index: int
    segment: Segment
    span: tuple[float, float]
    log10_evalue: float
    weighted_log10_evalue: float
    manipulation: Manipulation
    comparisons: float


def find(
    tried: Sequence[tuple[Hypothesis, Hashes]],
    index: Index,
    window_hashes: int,
    calibration: ScoreCalibration,
    max_false_matches: float,
    k: int,
) -> list[Candidate]:
    """Find all segments of a clip that the store holds.

    Parameters
    ----------
    tried
        The clip's hashes under each hypothesis; for a plain query as it is, on one
        grid, or three where it is short.
    window_hashes
        Hashes that are searched for at once; fewer when the clip is shorter.
    max_false_matches
        Maximum expected false matches in this query, e.g. 1e-3.
    k
        Candidates to give at most for one segment of the query.

    Returns
    -------
    Best first; empty for a clip that is unknown or holds nothing to recognise.
    """
    table = index.table
    tried = [(h, q) for h, q in tried if len(q) and q.informative.any()] if table.total else []
    found: list[Candidate] = []
    near = search_all(tried, index, window_hashes)
    for (hypothesis, query), neighbors in zip(tried, near, strict=True):
        comparisons = count_comparisons(query, table) / hypothesis.prior
        found += candidates(
            hypothesis, query, neighbors, table, comparisons, calibration, max_false_matches
        )
    return resolve(found, k)


def candidates(
    hypothesis: Hypothesis,
    query: Hashes,
    neighbors: Neighbors,
    table: HashTable,
    comparisons: float,
    calibration: ScoreCalibration,
    max_false_matches: float,
) -> Iterator[Candidate]:
    """Yield the candidates that the neighbors of a query's windows support, overlapping or not.

    ``comparisons`` is the number of places that the search compared; see `log10_evalue`.
    """
    hashes = len(query) - len(neighbors.rows) + 1
    covered = np.lib.stride_tricks.sliding_window_view(query.informative, hashes).mean(axis=1)
    for alignment in alignments(neighbors, hashes, covered >= LEAST_COVERED, table):
        segment = follow(alignment, query, table)
        if segment is None:
            continue
        chance, weighted_log10_evalue = log10_evalues(segment, comparisons, calibration)
        if chance <= np.log10(max_false_matches):
            manipulation = hypothesis.manipulation
            first, stop = _span(segment, len(query), manipulation)
            early = hypothesis.origin * manipulation.tau
            span = first + early, stop + early
            whole = moved(with_refined_boundaries(segment, query, table), hypothesis.origin)
            yield Candidate(
                alignment.recording_index,
                whole,
                span,
                chance,
                weighted_log10_evalue,
                manipulation,
                comparisons,
            )


def search_all(
    tried: Sequence[tuple[Hypothesis, Hashes]], index: Index, window_hashes: int
) -> list[Neighbors]:
    """Search for all hypotheses, those with equally long windows in one sweep.

    Hashes that hang over a short clip's ends may be left out of its windows, down to windows
    of two: at the ends of a recording they lie beyond it.
    """
    by_window: dict[int, list[int]] = defaultdict(list)
    for number, (hypothesis, query) in enumerate(tried):
        spare = PADDED_HASHES if hypothesis.origin < 0 else 0
        most = max(len(query) - spare, min(2, len(query)))
        by_window[min(window_hashes, most)].append(number)
    answers: dict[int, Neighbors] = {}
    for hashes, numbers in by_window.items():
        joined = np.concatenate([tried[n][1].packed for n in numbers])
        most = max(len(tried[n][1]) for n in numbers) - hashes + 1
        k = MORE_NEIGHBORS if most <= FEW_WINDOWS else NEIGHBORS
        neighbors = index.search(joined, hashes, k)
        at = 0
        for n in numbers:
            count = len(tried[n][1])
            # Windows that run over into the next hypothesis are dropped.
            own = slice(at, at + count - hashes + 1)
            answers[n] = Neighbors(neighbors.rows[own], neighbors.distances[own])
            at += count
    return [answers[n] for n in range(len(tried))]


def shortlist(
    tried: Sequence[tuple[Hypothesis, Hashes]],
    near: Sequence[Neighbors],
    comparisons: Sequence[float],
    table: HashTable,
    calibration: ScoreCalibration,
    most: int,
) -> list[Neighbors]:
    """Keep the most promising neighbors of all hypotheses, with all of the same recording.

    Parameters
    ----------
    comparisons
        Places tried, by hypothesis.
    most
        Neighbors to keep by their own E-value.
    """
    chances, keys = [], []
    for number, ((_, query), neighbors) in enumerate(zip(tried, near, strict=True)):
        hashes = len(query) - len(neighbors.rows) + 1
        rates = np.minimum(neighbors.distances / (hashes * table.bits), 1.0)
        chance = log10_evalue(rates, np.array(hashes), comparisons[number], calibration)
        chances.append(np.where(neighbors.rows == NOTHING, np.inf, chance).ravel())
        recording = table.locate(np.maximum(neighbors.rows, 0).ravel())[0]
        keys.append(number * len(table.counts) + recording)
    weighted_log10_evalue, key = np.concatenate(chances), np.concatenate(keys)
    best = np.argsort(weighted_log10_evalue, kind="stable")[:most]
    kept = np.isin(key, key[best])
    ends = np.cumsum([c.size for c in chances])[:-1]
    return [
        Neighbors(np.where(keep.reshape(n.rows.shape), n.rows, NOTHING), n.distances)
        for n, keep in zip(near, np.split(kept, ends), strict=True)
    ]


def count_comparisons(query: Hashes, table: HashTable) -> float:
    """Count the places of the store that a query is compared with."""
    return float(table.total) * int(query.informative.sum()) * SLOPES_TRIED


def log10_evalues(
    segment: Segment, comparisons: float, calibration: ScoreCalibration
) -> tuple[float, float]:
    """Give log10 of the E-value of a segment: by BER, and by weighted BER."""
    rates = np.array([segment.ber, segment.weighted_ber])
    by_bits, by_weights = log10_evalue(rates, np.array(segment.hashes), comparisons, calibration)
    return float(by_bits), float(by_weights)


def resolve(found: list[Candidate], k: int) -> list[Candidate]:
    """Keep the best of overlapping candidates: one a place, ``k`` a segment of the query."""
    kept: list[Candidate] = []
    for candidate in sorted(found, key=_order):
        covering = [f for f in kept if overlap(f, candidate) > MAX_OVERLAP]
        again = any(f.recording_index == candidate.recording_index for f in covering)
        if not again and len(covering) < k:
            kept.append(candidate)
    return kept


def _order(candidate: Candidate) -> tuple[float, float, int, tuple[float, float]]:
    """Put what chance explains least first; of equal ones the tempo nearest to the clip's own."""
    drift = abs(candidate.segment.alignment.slope - 1)
    return candidate.weighted_log10_evalue, drift, candidate.recording_index, candidate.span


def _span(segment: Segment, hashes: int, manipulation: Manipulation) -> tuple[float, float]:
    """Bring hash positions under a hypothesis back to the clip's own time, in hops."""
    first, stop = segment.first, segment.stop
    if manipulation.reversed:
        first, stop = hashes - stop, hashes - first
    return first * manipulation.tau, stop * manipulation.tau


def overlap(better: Candidate, worse: Candidate) -> float:
    """Give the share of the worse segment that the better one covers, in the clip's time."""
    first = max(better.span[0], worse.span[0])
    stop = min(better.span[1], worse.span[1])
    return max(0.0, stop - first) / (worse.span[1] - worse.span[0])


def to_match(
    candidate: Candidate,
    recording: Recording,
    hop: float,
    block: float,
    duration: float,
    calibration: ScoreCalibration,
) -> Match:
    """Turn a candidate into a match.

    Parameters
    ----------
    hop, block
        Seconds between hashes and covered by one.
    duration
        Of the clip, in seconds.
    calibration
        Of the model: what a score is worth.
    """
    segment, manipulation = candidate.segment, candidate.manipulation
    slope = segment.alignment.slope
    # Times of the clip as it was hashed; the manipulation's time factor segments them.
    start, stop = segment.begin * hop, segment.end * hop
    # A block stands for its middle, whatever the tempo.
    middle = (start + stop) / 2
    there = segment.reference((middle - block / 2) / hop) * hop + block / 2
    half = (stop - start) / 2 * slope
    begin, end = start * manipulation.tau, min(stop * manipulation.tau, duration)
    if manipulation.reversed:
        begin, end = duration - end, duration - begin
    score = -candidate.log10_evalue
    return Match(
        recording,
        max(0.0, begin),
        end,
        min(max(0.0, there - half), recording.duration),
        min(max(0.0, there + half), recording.duration),
        segment.ber,
        score,
        Manipulation(manipulation.tau / slope, manipulation.rho, manipulation.reversed),
        float(log10_likelihood_ratio(score, calibration)),
    )
