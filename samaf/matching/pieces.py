"""From pairs of stretches that agree to pieces: what recurs, and all places of it.

A pair may cover two jingles in a row, and another pair one of them. So the time line is split
wherever any pair begins or ends, also where a border is known from another place of the same
piece. What lies between two boundaries is united over all pairs, and neighbors that nearly always
come together are joined again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from samaf.matching.merging import covered

SAME_BORDER = 0.6  # s: ends of pairs that are nearer are one border
LEAST_PIECE = 1.0  # s: nothing shorter is split off
COVERED = 0.6  # share of an interval that a pair must cover to count for it
TOGETHER = 0.5  # share of the places of two neighbors that must be common to join them
MOST_ROUNDS = 8  # in which boundaries are carried from place to place


@dataclass(frozen=True, slots=True)
class Pair:
    """Two stretches of one time line that agree, in seconds; the first may be the later one."""

    first: tuple[float, float]
    second: tuple[float, float]

    def turned(self) -> Pair:
        """Give the same pair the other way round."""
        return Pair(self.second, self.first)

    def carry(self, moment: float) -> float:
        """Give where a moment of the first stretch is in the second."""
        (a, b), (c, d) = self.first, self.second
        return c + (moment - a) * (d - c) / (b - a)


Place = tuple[float, float]  # start and stop, s


def pieces(pairs: Sequence[Pair], *, join: bool = True) -> list[list[Place]]:
    """Give the places of each piece that is there at least twice, in the order of time.

    Pieces come in the order of their first places. Without ``join`` they stay as short as any
    pair makes them.
    """
    both = [*pairs, *(pair.turned() for pair in pairs)]
    if not both:
        return []
    boundaries = _boundaries(both)
    intervals = list(zip(boundaries[:-1].tolist(), boundaries[1:].tolist(), strict=True))
    parent = list(range(len(intervals)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    used = np.zeros(len(intervals), bool)
    for pair in both:
        for i in _inside(boundaries, pair.first):
            start, stop = intervals[i]
            there = pair.carry(start), pair.carry(stop)
            j = int(np.searchsorted(boundaries, (there[0] + there[1]) / 2)) - 1
            if 0 <= j < len(intervals) and covered(there, intervals[j]) >= COVERED:
                used[i] = used[j] = True
                parent[root(i)] = root(j)
    found: dict[int, list[int]] = defaultdict(list)
    for i in np.flatnonzero(used).tolist():
        found[root(i)].append(i)
    members = [sorted(group) for group in found.values()]
    together = _joined(members, intervals) if join else [[intervals[i] for i in m] for m in members]
    return sorted(places for piece in together if len(places := _whole(piece)) > 1)


def _boundaries(pairs: Sequence[Pair]) -> np.ndarray:
    """List where pieces begin or end, ascending: all ends of pairs, carried to all places."""
    known = _merged(np.array([end for pair in pairs for end in pair.first]))
    for _ in range(MOST_ROUNDS):
        carried = []
        for pair in pairs:
            a, b = pair.first
            lower, upper = np.searchsorted(known, (a + LEAST_PIECE, b - LEAST_PIECE))
            carried += [pair.carry(moment) for moment in known[lower:upper].tolist()]
        new = [moment for moment in carried if _distance(known, moment) > SAME_BORDER]
        if not new:
            break
        known = np.sort(np.concatenate([known, _merged(np.array(new))]))
    return known


def _merged(moments: np.ndarray) -> np.ndarray:
    """Put moments that are near each other into one, their median."""
    moments = np.sort(moments)
    groups = np.split(moments, np.flatnonzero(np.diff(moments) > SAME_BORDER / 2) + 1)
    return np.array([np.median(group) for group in groups])


def _distance(known: np.ndarray, moment: float) -> float:
    at = int(np.searchsorted(known, moment))
    near = known[max(0, at - 1) : at + 1]
    return float(np.abs(near - moment).min(initial=np.inf))


def _inside(boundaries: np.ndarray, stretch: Place) -> list[int]:
    """List the intervals between boundaries that a stretch covers for the most part."""
    lower = max(0, int(np.searchsorted(boundaries, stretch[0])) - 1)
    upper = int(np.searchsorted(boundaries, stretch[1]))
    return [
        i
        for i in range(lower, min(upper, len(boundaries) - 1))
        if covered(stretch, (float(boundaries[i]), float(boundaries[i + 1]))) >= COVERED
    ]


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
