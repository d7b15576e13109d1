"""From the hashes of a clip to findings: search, vote, align, judge."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from samaf.fingerprinters import Confidence
from samaf.index import NOTHING, HashTable, Index, Nearest
from samaf.matching.alignment import FEW_WINDOWS, Stretch, follow, lines, moved, sharpened
from samaf.matching.confidence import log10_false
from samaf.matching.hypotheses import Hypothesis
from samaf.records import Hashes, Manipulation

NEIGHBOURS = 8  # of each window; true places bring their neighbours along
MORE_NEIGHBOURS = 32  # where there are few windows: by the sure bits another one may be nearest
OVERHANGING = 2  # hashes of a clip that may lie beyond the ends of a recording
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
    merit
        The same with bits counted by how sure they are: tells which of several is right.
    compared
        Places that the search compared for it; see ``samaf.matching.confidence``.
    """

    recording: int
    stretch: Stretch
    span: tuple[float, float]
    log10_false: float
    merit: float
    manipulation: Manipulation
    compared: float


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
        The clip's hashes under each hypothesis; for a plain query as it is, on one
        grid, or three where it is short.
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
    found: list[Finding] = []
    near = search_all(tried, index, granularity)
    for (hypothesis, query), nearest in zip(tried, near, strict=True):
        compared = places(query, table) / hypothesis.prior
        found += claims(hypothesis, query, nearest, table, compared, confidence, rate)
    return resolve(found, k)


def claims(
    hypothesis: Hypothesis,
    query: Hashes,
    nearest: Nearest,
    table: HashTable,
    compared: float,
    confidence: Confidence,
    rate: float,
) -> Iterator[Finding]:
    """Yield what the neighbours of a query's windows speak for, overlapping or not.

    ``compared`` is the number of places that the search compared; see `log10_false`.
    """
    hashes = len(query) - len(nearest.rows) + 1
    covered = np.lib.stride_tricks.sliding_window_view(query.informative, hashes).mean(axis=1)
    for line in lines(nearest, hashes, covered >= LEAST_COVERED, table):
        stretch = follow(line, query, table)
        if stretch is None:
            continue
        chance, merit = chances_of(stretch, compared, confidence)
        if chance <= np.log10(rate):
            undone = hypothesis.manipulation
            first, stop = _span(stretch, len(query), undone)
            early = hypothesis.origin * undone.tau
            span = first + early, stop + early
            whole = moved(sharpened(stretch, query, table), hypothesis.origin)
            yield Finding(line.recording, whole, span, chance, merit, undone, compared)


def search_all(
    tried: Sequence[tuple[Hypothesis, Hashes]], index: Index, granularity: int
) -> list[Nearest]:
    """Search for all hypotheses, those with equally long windows in one sweep.

    Hashes that hang over a short clip's ends may be left out of its windows, down to windows
    of two: at the ends of a recording they lie beyond it.
    """
    by_window: dict[int, list[int]] = defaultdict(list)
    for number, (hypothesis, query) in enumerate(tried):
        spare = OVERHANGING if hypothesis.origin < 0 else 0
        most = max(len(query) - spare, min(2, len(query)))
        by_window[min(granularity, most)].append(number)
    answers: dict[int, Nearest] = {}
    for hashes, numbers in by_window.items():
        joined = np.concatenate([tried[n][1].packed for n in numbers])
        most = max(len(tried[n][1]) for n in numbers) - hashes + 1
        k = MORE_NEIGHBOURS if most <= FEW_WINDOWS else NEIGHBOURS
        nearest = index.search(joined, hashes, k)
        at = 0
        for n in numbers:
            count = len(tried[n][1])
            # Windows that run over into the next hypothesis are dropped.
            own = slice(at, at + count - hashes + 1)
            answers[n] = Nearest(nearest.rows[own], nearest.distances[own])
            at += count
    return [answers[n] for n in range(len(tried))]


def shortlist(
    tried: Sequence[tuple[Hypothesis, Hashes]],
    near: Sequence[Nearest],
    compared: Sequence[float],
    table: HashTable,
    confidence: Confidence,
    most: int,
) -> list[Nearest]:
    """Keep the most promising neighbours of all hypotheses, with all of the same recording.

    Parameters
    ----------
    compared
        Places tried, by hypothesis.
    most
        Neighbours to keep by their own merit.
    """
    chances, keys = [], []
    for number, ((_, query), nearest) in enumerate(zip(tried, near, strict=True)):
        hashes = len(query) - len(nearest.rows) + 1
        rates = np.minimum(nearest.distances / (hashes * table.bits), 1.0)
        chance = log10_false(rates, np.array(hashes), compared[number], confidence)
        chances.append(np.where(nearest.rows == NOTHING, np.inf, chance).ravel())
        recording = table.locate(np.maximum(nearest.rows, 0).ravel())[0]
        keys.append(number * len(table.counts) + recording)
    merit, key = np.concatenate(chances), np.concatenate(keys)
    best = np.argsort(merit, kind="stable")[:most]
    kept = np.isin(key, key[best])
    ends = np.cumsum([c.size for c in chances])[:-1]
    return [
        Nearest(np.where(keep.reshape(n.rows.shape), n.rows, NOTHING), n.distances)
        for n, keep in zip(near, np.split(kept, ends), strict=True)
    ]


def places(query: Hashes, table: HashTable) -> float:
    """Count the places that a query is compared at."""
    return float(table.total) * int(query.informative.sum()) * SLOPES_TRIED


def chances_of(stretch: Stretch, compared: float, confidence: Confidence) -> tuple[float, float]:
    """Give log10 of the false findings to expect as good as a stretch: by BER, and by rate."""
    rates = np.array([stretch.ber, stretch.rate])
    by_bits, by_weights = log10_false(rates, np.array(stretch.hashes), compared, confidence)
    return float(by_bits), float(by_weights)


def resolve(found: list[Finding], k: int) -> list[Finding]:
    """Keep the best of overlapping findings: one a place, ``k`` a stretch of the query."""
    kept: list[Finding] = []
    for finding in sorted(found, key=_order):
        covering = [f for f in kept if overlap(f, finding) > SAME_CLAIM]
        again = any(f.recording == finding.recording for f in covering)
        if not again and len(covering) < k:
            kept.append(finding)
    return kept


def _order(finding: Finding) -> tuple[float, float, int, tuple[float, float]]:
    """Put what chance explains least first; of equal ones the tempo nearest to the clip's own."""
    drift = abs(finding.stretch.line.slope - 1)
    return finding.merit, drift, finding.recording, finding.span


def _span(stretch: Stretch, hashes: int, undone: Manipulation) -> tuple[float, float]:
    """Bring hash positions under a hypothesis back to the clip's own time, in hops."""
    first, stop = stretch.first, stretch.stop
    if undone.reversed:
        first, stop = hashes - stop, hashes - first
    return first * undone.tau, stop * undone.tau


def overlap(better: Finding, worse: Finding) -> float:
    """Give the share of the worse stretch that the better one covers, in the clip's time."""
    first = max(better.span[0], worse.span[0])
    stop = min(better.span[1], worse.span[1])
    return max(0.0, stop - first) / (worse.span[1] - worse.span[0])
