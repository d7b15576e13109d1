"""What supports a match beside its bit error rate, and what it is worth together.

All of it comes from what a search has in hand: the hashes of the query, and the other segments
that it looked at. A handful of weights in the model's card makes one score of it, in decades.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from samaf.fingerprinters import ScoreCalibration
from samaf.fingerprinters.card import Weights
from samaf.index import HashTable
from samaf.matching.alignment import Segment
from samaf.matching.calibration import bent, log10_chance, log10_same_text
from samaf.matching.query_hashes import Grid
from samaf.matching.search import count_comparisons
from samaf.records import Population

EVIDENCE = tuple(field.name for field in fields(Weights))
# A recording with a better score may hold the clip itself, as a second copy does: no rival.
BEST_RIVAL = 2.0
ENOUGH_HASHES = 13  # 4 s: a longer clip need not be covered by one match


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """A segment that a query may share with a recording, before any decision.

    ``comparisons`` are those that its E-values count, see `log10_chance`.
    """

    grid: Grid
    segment: Segment
    comparisons: float


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
    aligned: Sequence[Aligned], table: HashTable, calibration: ScoreCalibration
) -> np.ndarray:
    """Collect the evidence for all segments that a search of one query looked at.

    Returns
    -------
    float (n, k), columns as in `EVIDENCE`:

    - ``ber``, ``weighted``: -log10 of the E-value against other speech, by the bit error rate,
      plain and by bit reliability;
    - ``rate``: the bit error rate itself, whatever the length;
    - ``rival``: the best ``weighted`` of another recording, see `rivals`: what likeness is worth
      for this clip;
    - ``length``: log10 of the hashes compared;
    - ``coverage``: share of the clip's informative hashes, or of `ENOUGH_HASHES`, that the segment
      holds, at most 1;
    - ``activity``: share of the clip's compared blocks that is no pause.
    """
    hashes = np.array([a.segment.hashes for a in aligned], np.float64)
    comparisons = np.array([a.comparisons for a in aligned])
    searched = np.array([count_comparisons(a.grid, table) for a in aligned])
    rates = np.array([a.segment.ber for a in aligned])
    weighted = -log10_chance(
        np.array([a.segment.weighted_ber for a in aligned]), hashes, 1.0, calibration
    )
    recordings = np.array([a.segment.alignment.recording_index for a in aligned])
    informative = np.array([int(a.grid[1].informative.sum()) for a in aligned])
    return np.column_stack(
        [
            -log10_chance(rates, hashes, comparisons, calibration),
            weighted - np.log10(np.maximum(comparisons, 1.0)),
            rates,
            rivals(weighted - np.log10(np.maximum(searched, 1.0)), recordings),
            np.log10(hashes),
            np.minimum(hashes / np.clip(informative, 1, ENOUGH_HASHES), 1.0),
            np.array([_activity(a) for a in aligned]),
        ]
    )


def _activity(aligned: Aligned) -> float:
    segment, activity = aligned.segment, aligned.grid[1].activity
    return 1.0 if activity is None else float(activity[segment.first : segment.stop].mean() / 255)


def rivals(scores: np.ndarray, recordings: np.ndarray) -> np.ndarray:
    """Give for each segment the best score of another recording, at least 0.

    Recordings with a score above `BEST_RIVAL` are no rivals: they may hold the clip, too.

    >>> rivals(np.array([9.0, 9.5, 1.5, 0.5]), np.array([4, 5, 6, 7])).tolist()
    [1.5, 1.5, 0.5, 1.5]
    """
    names, which = np.unique(recordings, return_inverse=True)
    best = np.full(len(names), -np.inf)
    np.maximum.at(best, which, scores)
    best[best > BEST_RIVAL] = 0.0
    first, second = np.sort(np.append(np.maximum(best, 0.0), [0.0, 0.0]))[::-1][:2]
    of_own = np.maximum(best, 0.0)[which]
    return np.where(of_own == first, second, first)


def judged(
    aligned: Sequence[Aligned], table: HashTable, calibration: ScoreCalibration
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give the E-values of all segments of one query.

    Returns
    -------
    log10 of the E-values against other speech and against the same text, and of the latter by
    reliability without further evidence, which ranks; float (n,) each.
    """
    if not aligned:
        return np.empty(0), np.empty(0), np.empty(0)
    table_of_evidence = evidence_of(aligned, table, calibration)
    other_speech = -score(table_of_evidence, calibration)
    hashes = np.array([a.segment.hashes for a in aligned])
    comparisons = np.array([a.comparisons for a in aligned])
    rates = np.array([(a.segment.ber, a.segment.weighted_ber) for a in aligned]).T
    alike, alike_weighted = (
        log10_same_text(rate, hashes, comparisons, calibration) for rate in rates
    )
    by_weights = log10_chance(rates[1], hashes, comparisons, calibration)
    return (
        other_speech,
        log10_sum(other_speech, alike),
        log10_sum(by_weights, alike_weighted),
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
