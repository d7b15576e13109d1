"""Alignments are followed along the hashes that they lay on each other: where do they agree?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from samaf.index import Table
from samaf.matching.alignment import SAME_SPEECH, Alignment, Segment, error_rates, heaviest
from samaf.matching.boundaries import BLOCK_HOPS, boundaries
from samaf.records import Hashes

REACH_HASHES = 24  # a segment is followed this far beyond its hits
TOGETHER = 8_192  # query hashes, of several alignments, that are compared at once
SHIFTS = (-1, 0, 1)  # hashes by which an alignment is moved


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """Bit error rates of consecutive query hashes along an alignment, some beyond its ends.

    Attributes
    ----------
    first
        The query hash of the first rate.
    rates
        float64 (n,); all bits count alike.
    """

    first: int
    rates: np.ndarray

    def of(self, hashes: np.ndarray) -> np.ndarray:
        """Give the rates of some query hashes."""
        return self.rates[hashes - self.first]


def follow(
    alignments: Sequence[Alignment], query: Hashes, table: Table
) -> Iterator[tuple[Segment, Course]]:
    """Compare along alignments and beyond their ends; yield the segments that support them."""
    lengths = np.array([a.stop - a.first + 2 * REACH_HASHES for a in alignments], np.int64)
    batch = np.cumsum(lengths) // TOGETHER
    edges = [0, *(np.flatnonzero(np.diff(batch)) + 1).tolist(), len(alignments)]
    for start, stop in zip(edges[:-1], edges[1:], strict=True):
        yield from _follow_batch(alignments[start:stop], query, table)


def _follow_batch(
    alignments: Sequence[Alignment], query: Hashes, table: Table
) -> Iterator[tuple[Segment, Course]]:
    line, i, differing = _compared(alignments, query, table)
    rates = np.array([error_rates(d) for d in differing])
    level = rates[SHIFTS.index(0)]
    edges = np.searchsorted(line, np.arange(len(alignments) + 1))
    found, starts, stops = _supported(level, edges)
    weighted = level
    if len(found) and query.reliability is not None:
        used = np.repeat(stops - np.cumsum(stops - starts), stops - starts)
        used += np.arange(len(used))
        weighted = np.zeros(len(i))
        reliability = query.reliability[i[used]]
        weighted[used] = error_rates(differing[SHIFTS.index(0)][used], reliability)
    means = _means(np.array([*rates, weighted]), starts, stops)
    first, last = i[starts].tolist(), i[stops - 1].tolist()
    for n, (number, (before, middle, after, by_weight)) in enumerate(
        zip(found.tolist(), means.T.tolist(), strict=True)
    ):
        bend = before - 2 * middle + after
        shift = (before - after) / (2 * bend) if bend > 0 else 0.0
        segment = Segment(
            alignments[number],
            first[n],
            last[n] + 1,
            ber=middle,
            weighted_ber=by_weight,
            shift=min(max(shift, -0.5), 0.5),
            begin=first[n],
            end=last[n] + BLOCK_HOPS,
        )
        whole = slice(edges[number], edges[number + 1])
        yield segment, Course(int(i[whole.start]), level[whole])


def _supported(rates: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find what supports each alignment; its rates lie between two of the ``edges``.

    Returns
    -------
    The numbers of the alignments that anything supports, and for each where that starts and
    stops among all rates.
    """
    lengths = np.diff(edges)
    at = np.arange(lengths.max(initial=0))
    inside = at < lengths[:, None]
    gain = np.zeros(inside.shape)
    gain[inside] = SAME_SPEECH - rates
    starts, stops = heaviest(gain)
    found = np.flatnonzero(starts < stops)
    return found, (edges[:-1] + starts)[found], (edges[:-1] + stops)[found]


def _means(rates: np.ndarray, starts: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """Give the means of rates, float (m, n), from each start to its stop: float (m, k)."""
    if not len(starts):
        return np.empty((len(rates), 0))
    rates = np.concatenate([rates, np.zeros((len(rates), 1))], axis=1)  # a stop may lie at the end
    sums = np.add.reduceat(rates, np.column_stack([starts, stops]).ravel(), axis=1)[:, ::2]
    return np.asarray(sums / (stops - starts))


def _compared(
    alignments: Sequence[Alignment], query: Hashes, table: Table
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Lay query hashes on stored ones along alignments, extended at both ends.

    Returns
    -------
    For each pair of hashes the number of its alignment, ascending, and that of the query hash,
    int64 (n,) each; and uint8 (n, bits / 8), 1 where bits differ, for each of `SHIFTS`.
    """
    first = np.array([max(0, a.first - REACH_HASHES) for a in alignments], np.int64)
    stop = np.array([min(len(query), a.stop + REACH_HASHES) for a in alignments], np.int64)
    lengths = np.maximum(stop - first, 0)
    line = np.repeat(np.arange(len(alignments)), lengths)
    i = np.arange(len(line)) + (first - (np.cumsum(lengths) - lengths))[line]
    intercepts = np.array([a.intercept for a in alignments])
    slopes = np.array([a.slope for a in alignments])
    counts = np.array([table.count(a.recording_index) for a in alignments], np.int64)
    at = np.rint(intercepts[line] + slopes[line] * i).astype(np.int64)
    stored = (at >= 0) & (at < counts[line])
    line, i, at = line[stored], i[stored], at[stored]
    places = [np.clip(at + shift, 0, counts[line] - 1) for shift in SHIFTS]
    edges = np.searchsorted(line, np.arange(len(alignments) + 1))
    parts, offsets, total = [], np.zeros(len(alignments), np.int64), 0
    for number in np.flatnonzero(np.diff(edges)).tolist():
        low, high = int(places[0][edges[number]]), int(places[-1][edges[number + 1] - 1])
        parts.append(table.rows(alignments[number].recording_index, low, high + 1))
        offsets[number] = total - low
        total += len(parts[-1])
    rows = np.concatenate(parts) if parts else query.packed[:0]
    queried = query.packed[i]
    return line, i, [queried ^ rows[place + offsets[line]] for place in places]


def with_refined_boundaries(segment: Segment, course: Course) -> Segment:
    """Give a segment with the boundaries of its sound, which lie between its hashes."""
    begin, end = boundaries(course.rates, segment.first - course.first, segment.stop - course.first)
    return replace(segment, begin=course.first + begin, end=course.first + end)
