"""What supports a match beside its bit error rate, and what it is worth together.

All of it comes from what a search has in hand: the hashes of the query, and the other segments
that it looked at. A handful of weights in the model's card makes one score of it, in decades.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from math import inf

import numpy as np

from samaf.fingerprinters import ScoreCalibration
from samaf.fingerprinters.card import Weights
from samaf.index import Table
from samaf.matching.alignment import Segment, error_rates
from samaf.matching.boundaries import BLOCK_HOPS
from samaf.matching.calibration import bent, chance_ber, log10_chance, log10_same_text
from samaf.matching.following import Course
from samaf.matching.query_hashes import Grid
from samaf.matching.search import count_comparisons
from samaf.records import Manipulation, Population

EVIDENCE = tuple(field.name for field in fields(Weights))
# Between two recordings of the same audio: half a hop apart they differ in 0.15 of the bits, two
# readings of one text in 0.3.
COPY_BER = 0.22
# A rival with so good a score may be right for a part of the query that only reaches into the
# segment's own: it counts where it covers more than half of that.
FOUND, COVERED = 6.0, 0.5
# Share of a segment that is no pause, below which it tells nothing; the log10 E-value that it gets.
LEAST_ACTIVE, WORTHLESS = 0.1, 6.0
LONGEST_HASHES = 24  # 6 s and its edges: weights are fitted to clips up to that


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """A segment that a query may share with a recording, before any decision.

    ``comparisons`` are those that its E-values count, see `log10_chance`; ``course`` holds the
    bit error rates along it.
    """

    grid: Grid
    segment: Segment
    comparisons: float
    course: Course


@dataclass(frozen=True, slots=True)
class Evalues:
    """log10 of the expected number of false matches at least this good in the query (E-values).

    Attributes
    ----------
    other_speech
        Against speech that shares no text with the query.
    same_text
        Against that and other voices that say the same text at the same pace.
    """

    other_speech: float
    same_text: float

    def of(self, population: Population) -> float:
        """Give the one that decides in a population."""
        return self.same_text if population == "prompts" else self.other_speech

    def more(self, log10_times: float) -> Evalues:
        """Give those of a search so many times as large."""
        return Evalues(self.other_speech + log10_times, self.same_text + log10_times)


def evidence_of(
    aligned: Sequence[Aligned],
    table: Table,
    calibration: ScoreCalibration,
    *,
    places_rival: bool = False,
    most: float = inf,
) -> np.ndarray:
    """Collect the evidence for all segments that a search of one query looked at.

    Parameters
    ----------
    most
        Rivals only raise the log10 of an E-value: 0 stands for those of a segment that exceeds
        this without them.

    Returns
    -------
    float (n, k), columns as in `EVIDENCE`:

    - ``ber``, ``weighted``: -log10 of the E-value against other speech, by the bit error rate,
      plain and by bit reliability;
    - ``margin``: how far the bit error rate lies below the one that chance reaches once in such a
      query;
    - ``rival``: the best ``weighted`` of another recording, or place, see `rivals`: what likeness
      is worth for this clip;
    - ``activity``: share of the clip's compared blocks that is no pause and no steady noise;
    - ``length``: log10 of the clip's informative hashes, at most `LONGEST_HASHES`;
    - ``size``: log10 of the comparisons that the search made;
    - ``few``: 1 / recordings in the table, at most 1/2, where other places of the only recording
      stand for a second one: the best of few tells little of what likeness is worth.
    """
    hashes = np.array([a.segment.hashes for a in aligned], np.float64)
    comparisons = np.array([a.comparisons for a in aligned])
    grids = {id(a.grid): a.grid for a in aligned}
    counted = {key: count_comparisons(grid, table) for key, grid in grids.items()}
    searched = np.array([counted[id(a.grid)] for a in aligned])
    rates = np.array([a.segment.ber for a in aligned])
    weighted = -log10_chance(
        np.array([a.segment.weighted_ber for a in aligned]), hashes, 1.0, calibration
    )
    sounding = {key: int(query.informative.sum()) for key, (_, query) in grids.items()}
    informative = np.array([sounding[id(a.grid)] for a in aligned])
    evidence = np.column_stack(
        [
            -log10_chance(rates, hashes, comparisons, calibration),
            weighted - np.log10(np.maximum(comparisons, 1.0)),
            chance_ber(hashes, comparisons, calibration) - rates,
            np.zeros(len(aligned)),
            _activities(aligned, grids.values()),
            np.log10(np.clip(informative, 1, LONGEST_HASHES)),
            np.log10(np.maximum(searched, 1.0)),
            np.full(len(aligned), 1 / max(table.recordings, 2)),
        ]
    )
    scores = weighted - np.log10(np.maximum(searched, 1.0))
    passing = np.flatnonzero(-score(evidence, calibration) <= most)
    evidence[passing, EVIDENCE.index("rival")] = rivals(
        aligned, scores, table, passing.tolist(), calibration, searched, places_rival=places_rival
    )
    return evidence


def _activities(aligned: Sequence[Aligned], grids: Iterable[Grid]) -> np.ndarray:
    """Give the mean activity of each segment's part of the query, 1 where nobody measured it."""
    sums = {
        id(grid): np.concatenate([[0], np.cumsum(grid[1].activity, dtype=np.int64)]).tolist()
        for grid in grids
        if grid[1].activity is not None
    }
    means = []
    for a in aligned:
        own = sums.get(id(a.grid))
        first, stop = a.segment.first, a.segment.stop
        means.append((own[stop] - own[first]) / (255 * (stop - first)) if own else 1.0)
    return np.array(means)


def rivals(
    aligned: Sequence[Aligned],
    scores: np.ndarray,
    table: Table,
    of: Sequence[int],
    calibration: ScoreCalibration,
    searched: np.ndarray,
    *,
    places_rival: bool = False,
) -> np.ndarray:
    """Give for some segments the best score of another recording for the same part of the query.

    What is near to the clip at all, such as noise to noise, has rivals that are as near. A copy
    of the same audio is none, see `is_copy`. What may be right for a neighboring part of the query
    and goes on into this one is judged by what it shares with it, see `_shared_score`.
    With ``places_rival``, other places of a table's only recording are rivals, up to `FOUND`:
    beyond, they hold the clip as well.

    Parameters
    ----------
    scores
        float (n,), of all segments.
    of
        The numbers of those that it is given for, k.
    searched
        float (n,): comparisons of the search that found each.

    Returns
    -------
    float (k,), at least 0.
    """
    if not len(of):
        return np.empty(0)
    # The sides of one recording are no rivals of each other.
    recordings = np.array(
        [table.recording_id(a.segment.alignment.recording_index) for a in aligned]
    )
    spans = np.array([_span(a) for a in aligned])
    best_first = np.argsort(-scores, kind="stable")
    best_first = best_first[scores[best_first] > 0]
    alone = places_rival and table.recordings == 1
    if alone:
        best_first = best_first[scores[best_first] <= FOUND]
    result = np.zeros(len(of))
    for place, n in enumerate(of):
        # Recordings, or other places of the only one, that hold the same audio there.
        copies: dict[int, bool] = {}
        start, stop = spans[n].tolist()
        others = best_first if alone else best_first[recordings[best_first] != recordings[n]]
        shared = np.minimum(spans[others, 1], stop) - np.maximum(spans[others, 0], start)
        least = np.where(scores[others] > FOUND, COVERED * (stop - start), 0.0)
        others = others[shared > least]
        for m in others.tolist():
            if scores[m] <= result[place]:
                break
            rival = scores[m]
            if rival > FOUND:
                rival = min(rival, _shared_score(aligned[m], start, stop, searched[m], calibration))
            if rival <= result[place]:
                continue
            holder = m if alone else int(recordings[m])
            if holder not in copies:
                near = alone and _is_near(aligned[n], aligned[m])
                copies[holder] = near or is_copy(aligned[n], aligned[m], table)
            if not copies[holder]:
                result[place] = rival
    return result


def span_of(segment: Segment, hashes: int, manipulation: Manipulation) -> tuple[float, float]:
    """Convert hash positions under a hypothesis to the clip's own time, in hops."""
    first, stop = segment.first, segment.stop
    if manipulation.reversed:
        first, stop = hashes - stop, hashes - first
    return first * manipulation.tau, stop * manipulation.tau


def _span(aligned: Aligned) -> tuple[float, float]:
    """Give where a segment lies in the clip, in hops of the clip as it is."""
    hypothesis, query = aligned.grid
    first, stop = span_of(aligned.segment, len(query), hypothesis.manipulation)
    early = hypothesis.origin * hypothesis.manipulation.tau
    return first + early, stop + early


def _shared_score(
    aligned: Aligned, start: float, stop: float, searched: float, calibration: ScoreCalibration
) -> float:
    """Score a segment by its hashes from ``start`` to ``stop``, hops of the clip, alone.

    Where it reaches beyond, blocks at that end also hold sound of the part beside: they are left
    out if enough others remain.
    """
    hypothesis, query = aligned.grid
    ends = np.array([start, stop]) / hypothesis.manipulation.tau - hypothesis.origin
    if hypothesis.manipulation.reversed:
        ends = len(query) - ends[::-1]
    segment = aligned.segment
    first, last = np.clip(np.rint(ends), segment.first, segment.stop).astype(int).tolist()
    inner = (
        first + BLOCK_HOPS * (segment.first < first),
        last - BLOCK_HOPS * (segment.stop > last),
    )
    if inner[1] - inner[0] >= BLOCK_HOPS:
        first, last = inner
    if first >= last:
        return 0.0
    rate = aligned.course.of(np.arange(first, last)).mean()
    return -float(log10_chance(np.array(rate), np.array(last - first), searched, calibration))


def _is_near(one: Aligned, other: Aligned) -> bool:
    """Whether two segments lay what they share of a query on places that share audio."""
    (a, b), (c, d) = _span(one), _span(other)
    middle = (max(a, c) + min(b, d)) / 2
    places = []
    for aligned in (one, other):
        hypothesis, query = aligned.grid
        at = middle / hypothesis.manipulation.tau - hypothesis.origin
        if hypothesis.manipulation.reversed:
            at = len(query) - at
        places.append(aligned.segment.reference(at))
    return abs(places[0] - places[1]) < BLOCK_HOPS


def is_copy(one: Aligned, other: Aligned, table: Table) -> bool:
    """Whether two segments lay the same part of a query on the same audio, stored twice."""
    a, b = one.segment, other.segment
    manipulation, origin = one.grid[0].manipulation, one.grid[0].origin
    if manipulation.reversed != other.grid[0].manipulation.reversed:
        return False
    i = np.arange(a.first, a.stop)
    # The same moments of the clip, in hashes of the other grid.
    tempo = manipulation.tau / other.grid[0].manipulation.tau
    j = (i + origin) * tempo - other.grid[0].origin
    one_index, other_index = a.alignment.recording_index, b.alignment.recording_index
    at = np.rint(a.reference(i)).astype(np.int64)
    there = np.rint(b.reference(j)).astype(np.int64)
    last = table.count(other_index) - 1
    usable = (j >= b.first) & (j < b.stop) & (at >= 0) & (at < table.count(one_index))
    usable &= (there >= 0) & (there <= last)
    if not usable.any():
        return False
    at, there = at[usable], there[usable]
    left, right = at.min(), max(0, there.min() - 1)
    rows = table.rows(one_index, int(left), int(at.max()) + 1)[at - left]
    others = table.rows(other_index, int(right), int(min(there.max() + 1, last)) + 1)
    beside = (np.clip(there + shift, 0, last) - right for shift in (-1, 0, 1))
    rates = [error_rates(rows ^ others[places]).mean() for places in beside]
    return bool(min(rates) < COPY_BER)


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What the segments of one query are worth, float (n,) each.

    Attributes
    ----------
    evidence
        float (n, k), see `evidence_of`.
    other_speech, same_text
        log10 of the E-values, see `Evalues`.
    weighted
        That against the same text by bit reliability, without further evidence: ranks.
    """

    evidence: np.ndarray
    other_speech: np.ndarray
    same_text: np.ndarray
    weighted: np.ndarray

    def evalues(self, number: int) -> Evalues:
        """Give those of one segment."""
        return Evalues(float(self.other_speech[number]), float(self.same_text[number]))


def judged(
    aligned: Sequence[Aligned],
    table: Table,
    calibration: ScoreCalibration,
    *,
    places_rival: bool = False,
    most: float = inf,
) -> Judgement:
    """Judge all segments that a search of one query looked at, one or more; see `evidence_of`.

    With ``most``, what exceeds it still does, but may be less exact.
    """
    evidence = evidence_of(aligned, table, calibration, places_rival=places_rival, most=most)
    other_speech = -score(evidence, calibration)
    # Hours of steady noise are like each other, and like the noise that a recording ends with.
    steady = evidence[:, EVIDENCE.index("activity")] < LEAST_ACTIVE
    other_speech[steady] = np.maximum(other_speech[steady], WORTHLESS)
    hashes = np.array([a.segment.hashes for a in aligned])
    comparisons = np.array([a.comparisons for a in aligned])
    rates = np.array([(a.segment.ber, a.segment.weighted_ber) for a in aligned]).T
    by_bits, by_weights = (
        log10_same_text(rate, hashes, comparisons, calibration) for rate in rates
    )
    chance = log10_chance(rates[1], hashes, comparisons, calibration)
    return Judgement(
        evidence, other_speech, log10_sum(other_speech, by_bits), log10_sum(chance, by_weights)
    )


def score(evidence: np.ndarray, calibration: ScoreCalibration) -> np.ndarray:
    """Make a score of evidence, float (..., k) as `evidence_of` gives it: float (...)."""
    decision = calibration.decision
    weights = np.array([getattr(decision.weights, name) for name in EVIDENCE])
    total = decision.intercept + evidence @ weights
    return decision.knee - bent(decision.knee - total, decision.slope)


def log10_sum(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Add numbers that are given as their log10."""
    return np.asarray(np.logaddexp(one * np.log(10), other * np.log(10)) / np.log(10))
