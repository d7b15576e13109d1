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
    rates = [error_rates(d) for d in differing]
    level = rates[SHIFTS.index(0)]
    edges = np.searchsorted(line, np.arange(len(alignments) + 1)).tolist()
    found = []
    for alignment, start, stop in zip(alignments, edges[:-1], edges[1:], strict=True):
        a, b = heaviest(SAME_SPEECH - level[start:stop])
        if a < b:
            found.append((alignment, slice(start + a, start + b), slice(start, stop)))
    weighted = level
    if found and query.reliability is not None:
        used = np.concatenate([np.arange(own.start, own.stop) for _, own, _ in found])
        weighted = np.empty(len(i), np.float32)
        weighted[used] = error_rates(differing[SHIFTS.index(0)][used], query.reliability[i[used]])
    for alignment, own, whole in found:
        before, middle, after = (float(r[own].mean()) for r in rates)
        bend = before - 2 * middle + after
        shift = (before - after) / (2 * bend) if bend > 0 else 0.0
        first, stop = int(i[own.start]), int(i[own.stop - 1]) + 1
        segment = Segment(
            alignment,
            first,
            stop,
            ber=middle,
            weighted_ber=float(weighted[own].mean()),
            shift=min(max(shift, -0.5), 0.5),
            begin=first,
            end=stop - 1 + BLOCK_HOPS,
        )
        yield segment, Course(int(i[whole.start]), level[whole])


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
