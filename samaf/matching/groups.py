"""Which recordings belong together, since they share more than what many share.

A jingle or a prompt that many recordings hold would chain them all into one group. So a piece
that several recordings hold, and that makes up less than half of each, joins none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from samaf.matching.pieces import Pair, Place, pieces

PART = 0.5  # share of a recording from which on a piece is no part of it but the recording
MARGIN = 0.5  # s beside a common piece that do not count: its boundaries are not exact
APART = 60.0  # s between two recordings on the common axis of time


@dataclass(frozen=True, slots=True)
class Shared:
    """A stretch that two recordings share: their numbers, and where in each, in seconds."""

    first: int
    second: int
    pair: Pair


@dataclass(frozen=True, slots=True)
class Common:
    """A piece that many recordings hold: the places in each, by number, in seconds."""

    seconds: float
    places: tuple[tuple[int, Place], ...]


def common_pieces(
    shared: Sequence[Shared], durations: Mapping[int, float], common: int
) -> list[Common]:
    """List the pieces that ``common`` recordings or more hold as a part of them."""
    numbers = sorted({n for each in shared for n in (each.first, each.second)})
    origins, origin = {}, 0.0
    for number in numbers:
        origins[number] = origin
        origin += durations[number] + APART

    def moved(place: Place, number: int) -> Place:
        return place[0] + origins[number], place[1] + origins[number]

    flat = [Pair(moved(s.pair.first, s.first), moved(s.pair.second, s.second)) for s in shared]
    found = []
    for piece in pieces(flat, join=False):
        places = []
        for start, stop in piece:
            number = max((n for n in numbers if origins[n] <= (start + stop) / 2), default=0)
            places.append((number, (start - origins[number], stop - origins[number])))
        parts = [n for n, (start, stop) in places if stop - start < PART * durations[n]]
        if len(set(parts)) >= common:
            seconds = median(stop - start for _, (start, stop) in places)
            found.append(Common(float(seconds), tuple(places)))
    return found


def own_seconds(
    shared: Sequence[Shared],
    common: Sequence[Common],
    agrees: Callable[[Shared, float, float], bool] = lambda *_: True,
) -> float:
    """Give the seconds of the first recording that a pair shares besides common pieces.

    Parameters
    ----------
    agrees
        Whether a stretch of the first recording, from start to stop, agrees with the second by
        itself: an alignment that a jingle supports may go on beyond it.
    """
    taken = _united(
        [
            (start - MARGIN, stop + MARGIN)
            for piece in common
            for number, (start, stop) in piece.places
            if shared and number == shared[0].first
        ]
    )
    rest = [
        (start, stop)
        for each in shared
        for start, stop in _without(each.pair.first, taken)
        if agrees(each, start, stop)
    ]
    return sum(stop - start for start, stop in _united(rest))


def _without(stretch: Place, taken: Sequence[Place]) -> list[Place]:
    """Give what is left of a stretch without places that are in order."""
    left = []
    start, stop = stretch
    for begin, end in taken:
        if end <= start or begin >= stop:
            continue
        if begin > start:
            left.append((start, begin))
        start = max(start, end)
    return [*left, (start, stop)] if start < stop else left


def connected(pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Give the groups of numbers that pairs connect, each in order."""
    parent: dict[int, int] = {}

    def root(n: int) -> int:
        parent.setdefault(n, n)
        while parent[n] != n:
            parent[n] = parent[parent[n]]
            n = parent[n]
        return n

    for one, other in pairs:
        a, b = sorted((root(one), root(other)))
        parent[b] = a
    groups: dict[int, list[int]] = {}
    for number in sorted(parent):
        groups.setdefault(root(number), []).append(number)
    return list(groups.values())


def _united(stretches: Sequence[Place]) -> list[Place]:
    """Unite stretches that overlap."""
    united: list[Place] = []
    for start, stop in sorted(stretches):
        if united and start <= united[-1][1]:
            united[-1] = united[-1][0], max(united[-1][1], stop)
        else:
            united.append((start, stop))
    return united
