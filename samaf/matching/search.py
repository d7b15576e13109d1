"""From the hashes of a clip to findings: search, vote, align, judge."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from samaf.fingerprinters import Confidence
from samaf.index import HashTable, Index, Nearest
from samaf.matching.alignment import Stretch, follow, lines
from samaf.matching.confidence import log10_false
from samaf.matching.hypotheses import Hypothesis
from samaf.records import Hashes, Manipulation

NEIGHBOURS = 8  # of each window; true places bring their neighbours along
SLOPES_TRIED = 3  # lines offered for each group of hits, as a factor on what was compared
LEAST_COVERED = 0.5  # share of a window that must hold something to recognise
SAME_CLAIM = 0.5  # share of a stretch that a better one of the same reference may cover


@dataclass(frozen=True, slots=True)
class Finding:
    """A stretch of the query found in a recording.

    Attributes
    ----------
    recording
        Position of the reference in the index' table.
    stretch
        Hashes of the query as it was hashed under ``manipulation``.
    span
        The same stretch in hops of the clip as it is: start and stop.
    log10_false
        log10 of the expected number of false findings at least this good in the query.
    """

    recording: int
    stretch: Stretch
    span: tuple[float, float]
    log10_false: float
    manipulation: Manipulation


def find(
    tried: Sequence[tuple[Hypothesis, Hashes]],
    index: Index,
    granularity: int,
    confidence: Confidence,
    rate: float,
    k: int,
) -> list[Finding]:
    """Find all stretches of a clip that the store holds.

    Parameters
    ----------
    tried
        The clip's hashes under each hypothesis; for a plain query one.
    granularity
        Hashes that are searched for at once; fewer when the clip is shorter.
    rate
        Expected number of false findings to put up with in this query, e.g. 1e-3.
    k
        Findings to give at most for one stretch of the query.

    Returns
    -------
    Best first; empty for a clip that is unknown or holds nothing to recognise.
    """
    table = index.table
    tried = [(h, q) for h, q in tried if len(q) and q.informative.any()] if table.total else []
    found = []
    for (hypothesis, query), nearest in zip(tried, _search(tried, index, granularity), strict=True):
        hashes = len(query) - len(nearest.rows) + 1
        covered = np.lib.stride_tricks.sliding_window_view(query.informative, hashes).mean(axis=1)
        compared = places(query, table) / hypothesis.prior
        for line in lines(nearest, hashes, covered >= LEAST_COVERED, table):
            stretch = follow(line, query.packed, table)
            if stretch is None:
                continue
            chance = _chance(stretch, compared, confidence)
            if chance <= np.log10(rate):
                undone = hypothesis.manipulation
                span = _span(stretch, len(query), undone)
                found.append(Finding(line.recording, stretch, span, chance, undone))
    return resolve(found, k)


def _search(
    tried: Sequence[tuple[Hypothesis, Hashes]], index: Index, granularity: int
) -> list[Nearest]:
    """Search for all hypotheses, those with equally long windows in one sweep."""
    by_window: dict[int, list[int]] = defaultdict(list)
    for number, (_, query) in enumerate(tried):
        by_window[min(granularity, len(query))].append(number)
    answers: dict[int, Nearest] = {}
    for hashes, numbers in by_window.items():
        joined = np.concatenate([tried[n][1].packed for n in numbers])
        nearest = index.search(joined, hashes, NEIGHBOURS)
        at = 0
        for n in numbers:
            count = len(tried[n][1])
            # Windows that run over into the next hypothesis are dropped.
            own = slice(at, at + count - hashes + 1)
            answers[n] = Nearest(nearest.rows[own], nearest.distances[own])
            at += count
    return [answers[n] for n in range(len(tried))]


def places(query: Hashes, table: HashTable) -> float:
    """Count the places that a query is compared at."""
    return float(table.total) * int(query.informative.sum()) * SLOPES_TRIED


def _chance(stretch: Stretch, compared: float, confidence: Confidence) -> float:
    ber, hashes = np.array(stretch.ber), np.array(stretch.hashes)
    return float(log10_false(ber, hashes, compared, confidence))


def resolve(found: list[Finding], k: int) -> list[Finding]:
    """Keep the best of overlapping findings: one a place, ``k`` a stretch of the query."""
    kept: list[Finding] = []
    for finding in sorted(found, key=_order):
        covering = [f for f in kept if _overlap(f, finding) > SAME_CLAIM]
        again = any(f.recording == finding.recording for f in covering)
        if not again and len(covering) < k:
            kept.append(finding)
    return kept


def _order(finding: Finding) -> tuple[float, float, int, tuple[float, float]]:
    """Put the least likely chance first; of equal ones the tempo nearest to the clip's own."""
    drift = abs(finding.stretch.line.slope - 1)
    return finding.log10_false, drift, finding.recording, finding.span


def _span(stretch: Stretch, hashes: int, undone: Manipulation) -> tuple[float, float]:
    """Bring hash positions under a hypothesis back to the clip's own time, in hops."""
    first, stop = stretch.first, stretch.stop
    if undone.reversed:
        first, stop = hashes - stop, hashes - first
    return first * undone.tau, stop * undone.tau


def _overlap(better: Finding, worse: Finding) -> float:
    """Give the share of the worse stretch that the better one covers, in the clip's time."""
    first = max(better.span[0], worse.span[0])
    stop = min(better.span[1], worse.span[1])
    return max(0.0, stop - first) / (worse.span[1] - worse.span[0])
