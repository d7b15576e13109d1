"""From pairs of segments that agree to pieces: what recurs, and all places of it.

A pair may cover two jingles in a row, and another pair one of them. So the time line is split
wherever any pair begins or ends, also where a boundary is known from another place of the same
piece. What lies between two boundaries is united over all pairs, and neighbors that nearly always
come together are joined again.
"""

from __future__ import annotations

from bisect import bisect
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from samaf.matching.merging import covered

SAME_BORDER = 0.6  # s: ends of pairs that are nearer are one boundary
SUPPORT = 0.25  # least share of the pairs at a place that end at a boundary, the others go on
LEAST_PIECE = 1.0  # s: nothing shorter is split off
ECHO = 0.8  # share of a segment that lies in a longer one
COVERED = 0.6  # share of an interval, or of what lies in it, that a pair must cover to count
PART = 0.3  # share of the longer one of two that are the same piece
TOGETHER = 0.5  # share of the places of two neighbors that must be common to join them
MOST_ROUNDS = 8  # in which boundaries are carried from place to place


@dataclass(frozen=True, slots=True)
class Pair:
    """Two segments of one time line that agree, in seconds; the first may be the later one."""

    first: tuple[float, float]
    second: tuple[float, float]

    def turned(self) -> Pair:
        """Give the same pair the other way round."""
        return Pair(self.second, self.first)

    def carry(self, moment: float) -> float:
        """Give where a moment of the first segment is in the second."""
        (a, b), (c, d) = self.first, self.second
        return c + (moment - a) * (d - c) / (b - a)


Place = tuple[float, float]  # start and stop, s


def pieces(pairs: Sequence[Pair], *, join: bool = True) -> list[list[Place]]:
    """Give the places of each piece that is there at least twice, in the order of time.

    Pieces come in the order of their first places. Without ``join`` they stay as short as any
    pair makes them.
    """
    pairs = _without_echoes(pairs)
    both = [*pairs, *(pair.turned() for pair in pairs)]
    if not both:
        return []
    boundaries = _boundaries(both)
    intervals = list(zip(boundaries[:-1].tolist(), boundaries[1:].tolist(), strict=True))
    alike: dict[int, set[int]] = defaultdict(set)
    for pair in both:
        for i in _inside(boundaries, pair.first):
            start, stop = intervals[i]
            there = pair.carry(start), pair.carry(stop)
            j = int(np.searchsorted(boundaries, (there[0] + there[1]) / 2)) - 1
            if 0 <= j < len(intervals) and _agree(there, intervals[j]):
                alike[i].add(j)
                alike[j].add(i)
    members = _connected(alike)
    together = _joined(members, intervals) if join else [[intervals[i] for i in m] for m in members]
    return sorted(places for piece in together if len(places := _whole(piece)) > 1)


def _connected(alike: Mapping[int, set[int]]) -> list[list[int]]:
    """Give the connected groups of intervals, each in order, without bridges.

    Three places of a piece mostly agree with each other. Where two intervals do so with others, but
    share none of these, a pair went on too far.
    """
    others = {i: near - {i} for i, near in alike.items()}
    in_triangle = {i: any(others[j] & near for j in near) for i, near in others.items()}
    left, groups = set(others), []
    while left:
        waiting = [min(left)]
        left.remove(waiting[0])
        group = []
        while waiting:
            i = waiting.pop()
            group.append(i)
            for j in others[i] & left:
                if others[i] & others[j] or not (in_triangle[i] and in_triangle[j]):
                    left.remove(j)
                    waiting.append(j)
        groups.append(sorted(group))
    return groups


def _without_echoes(pairs: Sequence[Pair]) -> list[Pair]:
    """Leave out pairs that a longer one explains: a sound of loops agrees at many lags.

    Both segments of an echo lie in the segments of a longer pair, or both in one of them.
    """
    ordered = sorted(pairs, key=lambda pair: pair.first[0] - pair.first[1])
    longer = np.empty((2 * len(pairs), 4))
    kept: list[Pair] = []
    for pair in ordered:
        known = longer[: 2 * len(kept)]
        first, second = (_covering(known[:, :2], segment) for segment in (pair.first, pair.second))
        both = first & (second | _covering(known[:, 2:], pair.second))
        if not both.any():
            longer[2 * len(kept)] = *pair.first, *pair.second
            longer[2 * len(kept) + 1] = *pair.second, *pair.first
            kept.append(pair)
    return kept


def _covering(segments: np.ndarray, segment: Place) -> np.ndarray:
    """Tell which of float (n, 2) segments cover most of one, bool (n,)."""
    start, stop = segment
    both = np.minimum(segments[:, 1], stop) - np.maximum(segments[:, 0], start)
    return both >= ECHO * (stop - start)


def _boundaries(pairs: Sequence[Pair]) -> np.ndarray:
    """List where pieces begin or end, ascending: where pairs end, carried to all places.

    A sound of loops agrees with itself at many lags, and pairs may end early: where most pairs go
    on is no boundary.
    """
    starts, stops = np.array([pair.first for pair in pairs]).T
    before, behind = np.sort(starts), np.sort(stops)

    def going_on(moments: np.ndarray) -> np.ndarray:
        begun = np.searchsorted(before, moments - SAME_BORDER)
        return np.maximum(begun - np.searchsorted(behind, moments + SAME_BORDER), 0)

    known, ends = _densest(np.concatenate([starts, stops]))
    known = known[ends >= SUPPORT * (ends + going_on(known))]
    for _ in range(MOST_ROUNDS):
        carried = []
        for pair in pairs:
            a, b = pair.first
            lower, upper = np.searchsorted(known, (a + LEAST_PIECE, b - LEAST_PIECE))
            carried += [pair.carry(moment) for moment in known[lower:upper].tolist()]
        moments, votes = _densest(
            np.array([moment for moment in carried if _distance(known, moment) >= LEAST_PIECE])
        )
        new = moments[votes >= SUPPORT * going_on(moments)]
        if not len(new):
            break
        known = np.sort(np.concatenate([known, new]))
    return known


def _densest(moments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Put moments that are near each other into one, from where most of them are.

    Returns
    -------
    Ascending, float64 (n,), and how many each stands for, int64 (n,).
    """
    moments = np.sort(moments)
    first = np.searchsorted(moments, moments - SAME_BORDER / 2)
    last = np.searchsorted(moments, moments + SAME_BORDER / 2, "right")
    chosen: list[float] = []
    counts: dict[float, int] = {}
    for at in np.argsort(first - last, kind="stable").tolist():
        moment = float(np.median(moments[first[at] : last[at]]))
        place = bisect(chosen, moment)
        if all(abs(moment - near) >= LEAST_PIECE for near in chosen[max(0, place - 1) : place + 1]):
            chosen.insert(place, moment)
            counts[moment] = int(last[at] - first[at])
    return np.array(chosen), np.array([counts[moment] for moment in chosen], np.int64)


def _distance(known: np.ndarray, moment: float) -> float:
    at = int(np.searchsorted(known, moment))
    near = known[max(0, at - 1) : at + 1]
    return float(np.abs(near - moment).min(initial=np.inf))


def _inside(boundaries: np.ndarray, segment: Place) -> list[int]:
    """List the intervals between boundaries that a segment covers for the most part."""
    lower = max(0, int(np.searchsorted(boundaries, segment[0])) - 1)
    upper = int(np.searchsorted(boundaries, segment[1]))
    return [
        i
        for i in range(lower, min(upper, len(boundaries) - 1))
        if _agree(segment, (float(boundaries[i]), float(boundaries[i + 1])))
    ]


def _agree(one: Place, other: Place) -> bool:
    """Tell whether two segments are about the same, or one a good part of the other."""
    shares = covered(one, other), covered(other, one)
    return max(shares) >= COVERED and min(shares) >= PART


def _joined(found: list[list[int]], intervals: Sequence[Place]) -> list[list[Place]]:
    """Join neighbors that nearly always come together, and give the places of all pieces."""
    places = [[(i, i) for i in members] for members in found]
    while True:
        owner = {first: n for n, piece in enumerate(places) for first, _ in piece}
        followed: dict[tuple[int, int], int] = defaultdict(int)
        for n, piece in enumerate(places):
            for _, last in piece:
                behind = owner.get(last + 1)
                if behind is not None and behind != n:
                    followed[n, behind] += 1
        best = max(
            (
                (count / max(len(places[n]), len(places[m])), n, m)
                for (n, m), count in followed.items()
            ),
            default=(0.0, 0, 0),
        )
        share, n, m = best
        if share <= TOGETHER:
            break
        places[n] = _united(places[n], places[m])
        del places[m]
    return [
        [(intervals[first][0], intervals[last][1]) for first, last in sorted(piece)]
        for piece in places
        if len(piece) > 1
    ]


def _united(before: list[tuple[int, int]], behind: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Unite the places of two pieces; one that lacks its other half stays as it is."""
    starts = dict(behind)
    united = [(first, starts.pop(last + 1, last)) for first, last in before]
    return united + list(starts.items())


def _whole(places: list[Place]) -> list[Place]:
    """Leave out slivers, which boundaries that differ from place to place leave behind."""
    usual = float(np.median([stop - start for start, stop in places]))
    return [(start, stop) for start, stop in places if stop - start >= COVERED / 2 * usual]
