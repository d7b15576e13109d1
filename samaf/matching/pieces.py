"""From pairs of stretches that agree to pieces: what recurs, and all places of it.

A pair may cover two jingles in a row, and another pair one of them. So the time line is split
wherever any pair begins or ends, also where a border is known from another place of the same
piece. What lies between two borders is united over all pairs, and neighbors that nearly always
come together are joined again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SAME_BORDER = 0.6  # s: ends of pairs that are nearer are one border
LEAST_PIECE = 1.0  # s: nothing shorter is split off
COVERED = 0.6  # share of an interval that a pair must cover to count for it
TOGETHER = 0.5  # share of the places of two neighbors that must be common to join them
MOST_ROUNDS = 8  # in which borders are carried from place to place


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


def pieces(pairs: Sequence[Pair]) -> list[list[Place]]:
    """Give the places of each piece that is there at least twice, in the order of time.

    Pieces come in the order of their first places.
    """
    both = [*pairs, *(pair.turned() for pair in pairs)]
    if not both:
        return []
    borders = _borders(both)
    intervals = list(zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True))
    parent = list(range(len(intervals)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    used = np.zeros(len(intervals), bool)
    for pair in both:
        for i in _inside(borders, pair.first):
            start, stop = intervals[i]
            there = pair.carry(start), pair.carry(stop)
            j = int(np.searchsorted(borders, (there[0] + there[1]) / 2)) - 1
            if 0 <= j < len(intervals) and _share(intervals[j], there) >= COVERED:
                used[i] = used[j] = True
                parent[root(i)] = root(j)
    found: dict[int, list[int]] = defaultdict(list)
    for i in np.flatnonzero(used).tolist():
        found[root(i)].append(i)
    joined = _joined([sorted(members) for members in found.values()], intervals)
    return sorted(joined)


def _borders(pairs: Sequence[Pair]) -> np.ndarray:
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


def _inside(borders: np.ndarray, stretch: Place) -> list[int]:
    """List the intervals between borders that a stretch covers for the most part."""
    lower = max(0, int(np.searchsorted(borders, stretch[0])) - 1)
    upper = int(np.searchsorted(borders, stretch[1]))
    return [
        i
        for i in range(lower, min(upper, len(borders) - 1))
        if _share((float(borders[i]), float(borders[i + 1])), stretch) >= COVERED
    ]


def _share(place: Place, other: Place) -> float:
    """Give the share of a place that another covers."""
    both = min(place[1], other[1]) - max(place[0], other[0])
    return max(0.0, both) / max(place[1] - place[0], 1e-9)


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
