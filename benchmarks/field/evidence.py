"""Evidence that was tried beside what the program uses (``samaf.matching.evidence``).

All of it comes from hashes that a search has in hand: the query's, and those of the store. The
cohort are windows of other recordings as long as the candidate's segment: how near they come
to the query tells what likeness is worth in this clip, as score normalisation does in speaker
recognition (S-norm).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samaf.index import HashTable
from samaf.matching.alignment import Segment, error_rates
from samaf.records import Hashes

COHORT_WINDOWS = 4_096  # at most: tells mean and deviation to 2 %, whatever the store's size
SHIFTS = (-2, -1, 0, 1, 2)  # diagonals beside the line, hops
LOCAL_HASHES = 4  # that a local lag is measured from: 1.75 s of audio
HOP_MS = 250.0
LAGS = (1, 2)  # hops between hashes of one recording that tell how much goes on in it


@dataclass(frozen=True, slots=True)
class Tried:
    """Evidence for one candidate that the program does not use.

    Attributes
    ----------
    cohort_mean, cohort_deviation, cohort_best
        Of the bit error rates of windows of other recordings against the same hashes of the
        query; windows lie evenly in the store.
    reference_cohort_best
        Least bit error rate of other recordings against the same hashes of the reference: low
        where it holds what many recordings hold.
    lag_ms
        rms of the local lags around their straight line, ms; nan where too few hashes tell.
    spread, worst
        Deviation and largest value of the bit error rates along the segment.
    drift
        |log| of the line's slope.
    query_activity, reference_activity
        Mean bit error rate between neighboring hashes: low where little happens.
    reliability
        Mean reliability of the query's bits, 0..1.
    """

    cohort_mean: float
    cohort_deviation: float
    cohort_best: float
    reference_cohort_best: float
    lag_ms: float
    spread: float
    worst: float
    drift: float
    query_activity: float
    reference_activity: float
    reliability: float


def tried(query: Hashes, table: HashTable, segment: Segment) -> Tried:
    """Collect what was tried for one candidate.

    Parameters
    ----------
    query
        The hashes that ``segment`` was found with: on its grid, under its hypothesis.
    segment
        The candidate's segment, in positions of ``query``.
    """
    recording = segment.alignment.recording_index
    rows = table.rows(recording)
    segment_hashes = query.cut(slice(segment.first, segment.stop))
    i = np.arange(segment.first, segment.stop)
    at = np.rint(segment.alignment.intercept + segment.alignment.slope * i).astype(np.int64)
    inside = np.clip(at, 0, len(rows) - 1)
    rates = [
        error_rates(segment_hashes.packed ^ rows[np.clip(at + shift, 0, len(rows) - 1)])
        for shift in SHIFTS
    ]
    along = rates[SHIFTS.index(0)]
    cohort = cohort_rates(segment_hashes.packed, table, recording)
    reliability = segment_hashes.reliability
    return Tried(
        float(cohort.mean()),
        float(cohort.std()),
        float(cohort.min()),
        float(cohort_rates(rows[inside], table, recording).min()),
        lag_residual(np.stack(rates)),
        float(along.std()),
        float(along.max()),
        float(abs(np.log(segment.alignment.slope))),
        activity(segment_hashes.packed),
        activity(rows[max(0, at.min() - 2) : at.max() + 3]),
        1.0 if reliability is None else float(reliability.mean() / 255),
    )


def cohort_rates(query: np.ndarray, table: HashTable, recording: int) -> np.ndarray:
    """Give the bit error rates of a query against windows of other recordings.

    Parameters
    ----------
    query
        uint8 (m, bytes).
    recording
        Position of the recording that is left out.

    Returns
    -------
    float (n,), n from 1 to `COHORT_WINDOWS`: 0.5 where there is no other recording that long.
    """
    count = len(query)
    starts = np.linspace(0, len(table.hashes) - count, COHORT_WINDOWS).astype(np.int64)
    own = int(table.starts[recording])
    elsewhere = (starts + count <= own) | (starts >= own + int(table.counts[recording]))
    starts = np.unique(starts[(starts >= 0) & elsewhere & table.window_starts(count)[starts]])
    if not len(starts):
        return np.array([0.5])
    total = np.zeros(len(starts), np.int64)
    words = table.words
    for number, word in enumerate(np.ascontiguousarray(query).view(np.uint64)):
        total += np.bitwise_count(words[starts + number] ^ word).sum(axis=1, dtype=np.int64)
    return np.asarray(total / (count * table.bits))


def lag_residual(rates: np.ndarray) -> float:
    """Tell how far from a straight line a segment lies, in ms.

    Parameters
    ----------
    rates
        float (5, m): bit error rates of each hash on the diagonals of `SHIFTS`.

    The lag at each place is the vertex of a parabola through the best diagonal and its
    neighbors, of rates that are averaged over `LOCAL_HASHES`.
    """
    count = rates.shape[1] - LOCAL_HASHES + 1
    if count < LOCAL_HASHES:
        return float("nan")
    kernel = np.ones(LOCAL_HASHES) / LOCAL_HASHES
    smooth = np.stack([np.convolve(row, kernel, "valid") for row in rates])
    best = np.clip(smooth.argmin(axis=0), 1, len(SHIFTS) - 2)
    place = np.arange(count)
    before, here, after = (smooth[best + shift, place] for shift in (-1, 0, 1))
    bend = np.maximum(before - 2 * here + after, 1e-6)
    lags = best - SHIFTS.index(0) + np.clip((before - after) / (2 * bend), -1, 1)
    line = np.polyval(np.polyfit(place, lags, 1), place)
    return float(np.sqrt(np.mean((lags - line) ** 2)) * HOP_MS)


def activity(hashes: np.ndarray) -> float:
    """Tell how much neighboring hashes, uint8 (m, bytes), differ; nan of fewer than three."""
    if len(hashes) <= max(LAGS):
        return float("nan")
    return float(np.mean([error_rates(hashes[lag:] ^ hashes[:-lag]).mean() for lag in LAGS]))
