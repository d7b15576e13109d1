"""Pairs of stretches that agree inside one table: what occurs again, without any reference.

Every window of the table is searched for in the whole of it. What lies nearer than two seconds
is the window itself. Hashes alone decide, so places that lie half a hop off the grid are mostly
left out: they differ about as much as one text of two voices.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from samaf.fingerprinters import ScoreCalibration
from samaf.index import NOTHING, ExactIndex, Neighbors
from samaf.matching.candidates import Candidate
from samaf.matching.hypotheses import PLAIN
from samaf.matching.matcher import Matcher
from samaf.matching.merging import MAX_OVERLAP, covered
from samaf.matching.pieces import Pair
from samaf.matching.search import SLOPES_TRIED
from samaf.matching.self_matches import distinct
from samaf.records import Hashes

WINDOW_HASHES = 6  # 2.25 s: a repeat of 3 s holds three such windows
NEIGHBORS = 24  # of a window: up to seven are itself, and each other place brings two or three
LEAST_LAG = 8  # hops between a stretch and its repeat
LIKELY = 0.33  # bit error rate of a window up to which it is looked into
SURE = 0.3  # bit error rate of a pair beyond which hashes alone decide nothing
LOOSE = 30.0  # false pairs among those that the match search gives
SLICE = 8_192  # hashes searched for at once
SAME_LAG = 3.0  # hops: pairs that are nearer are one


@dataclass(frozen=True, slots=True)
class RepeatPair:
    """Two stretches that agree, of one recording or two.

    Attributes
    ----------
    first_recording, second_recording
        Positions in the table.
    pair
        Seconds of either recording.
    """

    first_recording: int
    second_recording: int
    pair: Pair


def repeat_pairs(
    index: ExactIndex,
    calibration: ScoreCalibration,
    hop: float,
    max_false: float,
    on_progress: Callable[[int, int], None],
) -> list[RepeatPair]:
    """Find all pairs of stretches of an index that surely agree, each once.

    Parameters
    ----------
    hop
        Seconds between two hashes.
    max_false
        Maximum expected false pairs, in all.
    """
    table = index.table
    comparisons = max(1.0, float(table.total) ** 2 / 2 * SLOPES_TRIED)
    # Against other speech alone: readings of the same text are separated afterwards.
    loose = Matcher(index, calibration, WINDOW_HASHES, LOOSE, 1)
    best: dict[tuple[int, int, int], list[tuple[float, RepeatPair]]] = defaultdict(list)
    done = 0
    for number in range(len(table.counts)):
        rows = np.ascontiguousarray(table.rows(number))
        query = Hashes(rows, distinct(rows))
        neighbors = _neighbors(index, number, query)
        if neighbors is not None:
            aligned = list(loose.aligned((PLAIN, query), neighbors, comparisons))
            for candidate in loose.candidates(aligned):
                sure = candidate.evalues.same_text <= np.log10(max_false)
                sure &= candidate.segment.ber <= SURE
                if sure and (pair := _pair(candidate, number, hop)):
                    _keep(best, pair, candidate.log10_evalue, hop)
        done += len(rows)
        on_progress(done, table.total)
    found = [pair for pairs in best.values() for _, pair in pairs]
    return sorted(found, key=lambda p: (p.first_recording, p.pair.first, p.second_recording))


def _neighbors(index: ExactIndex, number: int, query: Hashes) -> Neighbors | None:
    """Search for all windows of a recording; leave out the windows themselves and what is unlike.

    None where the recording is shorter than a window.
    """
    windows = len(query) - WINDOW_HASHES + 1
    if windows < 1:
        return None
    table = index.table
    first = int(table.starts[number])
    limit = LIKELY * WINDOW_HASHES * table.bits
    parts = []
    for a in range(0, windows, SLICE):
        b = min(a + SLICE, windows)
        found = index.search(query.packed[a : b + WINDOW_HASHES - 1], WINDOW_HASHES, NEIGHBORS)
        lag = found.rows - (first + np.arange(a, b))[:, None]
        alike = (found.distances <= limit) & (np.abs(lag) >= LEAST_LAG)
        parts.append(np.where(alike, found.rows, NOTHING))
        # Those left out must not stand before the others: the nearest one counts alone.
        order = np.argsort(~alike, axis=1, kind="stable")[:, : NEIGHBORS // 2]
        parts[-1] = np.take_along_axis(parts[-1], order, 1)
        parts.append(np.take_along_axis(found.distances, order, 1))
    return Neighbors(np.concatenate(parts[::2]), np.concatenate(parts[1::2]))


def _pair(candidate: Candidate, number: int, hop: float) -> RepeatPair | None:
    """Turn a candidate into a pair, the earlier stretch first; none where both are one."""
    segment = candidate.segment
    begin, end = segment.begin, segment.end
    # Places are those of a block's start, whatever the slope.
    middle = segment.reference((begin + end) / 2)
    half = (end - begin) / 2 * segment.alignment.slope
    one, other = (begin, end), (middle - half, middle + half)
    there = candidate.recording_index
    if there == number:
        lag = abs(other[0] - one[0])
        if lag < LEAST_LAG:
            return None
        # A sound that recurs faster than the stretch is long overlaps itself: one period counts.
        one, other = ((a, min(b, a + lag)) for a, b in (one, other))
    first, second = (number, one), (there, other)
    if second < first:
        first, second = second, first
    stretches = [(max(0.0, a * hop), b * hop) for _, (a, b) in (first, second)]
    return RepeatPair(first[0], second[0], Pair(*stretches))


def _keep(
    best: dict[tuple[int, int, int], list[tuple[float, RepeatPair]]],
    new: RepeatPair,
    evalue: float,
    hop: float,
) -> None:
    """Keep a pair, or the better one where the same was found from the other side."""
    lag = (new.pair.second[0] - new.pair.first[0]) / hop
    name = new.first_recording, new.second_recording
    bucket = round(lag / SAME_LAG)
    for near in (bucket - 1, bucket, bucket + 1):
        for at, (known, pair) in enumerate(best.get((*name, near), [])):
            one, other = pair.pair.first, new.pair.first
            if max(covered(one, other), covered(other, one)) > MAX_OVERLAP:
                if evalue < known:
                    best[(*name, near)][at] = evalue, new
                return
    best[(*name, bucket)].append((evalue, new))
