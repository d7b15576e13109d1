"""Hits that agree become segments: which query hashes lie on which reference hashes.

A clip that runs at the reference's tempo gives hits on one diagonal of (query block,
reference block). A clip with another tempo gives a line of another slope; differences
of a few per cent are followed here, larger ones are left to the hypotheses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import NamedTuple, TypeVar

import numpy as np

from samaf.index import NOTHING, Neighbors, Table

NEAREST_FIRST = (0, -1, 1, -2, 2)  # diagonals apart that belong together: half a second of drift
GAP_HASHES = 24  # query hashes without a hit inside one segment: 6 s
SAME_SPEECH = 0.42  # bit error rate below which a hash supports the alignment
FEW_WINDOWS = 4  # of a clip, up to which single hits count
LEAST_SPAN = 8  # hashes between first and last hit that a slope can be fitted to
SLOPES = (0.6, 1.7)  # reference hops a query hop

Place = TypeVar("Place", float, np.ndarray)


class Hit(NamedTuple):
    """A neighbor of a window, ``diagonal`` hashes later in the reference than in the query."""

    window: int
    diagonal: int
    weight: float
    distance: float


@dataclass(frozen=True, slots=True)
class Alignment:
    """Query hash i lies on reference hash ``intercept + slope x i``, first <= i < stop.

    ``recording_index`` is a position in the table.
    """

    recording_index: int
    intercept: float
    slope: float
    first: int
    stop: int


@dataclass(frozen=True, slots=True)
class Segment:
    """An alignment with its evidence: hashes from ``first`` to ``stop``, their mean error rate.

    ``ber`` counts all bits alike; ``weighted_ber``, which ranks, by reliability (`error_rates`).
    ``shift`` is the refinement of the intercept in hops, from the neighboring diagonals;
    ``begin`` and ``end`` are where its sound begins and ends, in hops of the query.
    """

    alignment: Alignment
    first: int
    stop: int
    ber: float
    weighted_ber: float
    shift: float
    begin: float
    end: float

    @property
    def hashes(self) -> int:
        """Number of hashes compared."""
        return self.stop - self.first

    def reference(self, query_hash: Place) -> Place:
        """Give the reference hash, a fraction, that a query hash lies on; or those of several."""
        return self.alignment.intercept + self.alignment.slope * query_hash + self.shift


def alignments(
    neighbors: Neighbors, hashes: int, usable: np.ndarray, table: Table
) -> list[Alignment]:
    """Gather the neighbors of all windows of ``hashes`` hashes into candidate alignments.

    Of many windows, a hit alone counts only where it is its window's nearest. A short clip
    has few, so all their neighbors are looked at.

    Parameters
    ----------
    usable
        bool (windows,): informative windows.
    """
    window, rank = np.nonzero((neighbors.rows != NOTHING) & usable[:, None])
    rows = neighbors.rows[window, rank]
    if not len(rows):
        return []
    recording, block = table.locate(rows)
    order = np.lexsort((window, recording))
    recording, window, diagonal, rank = (
        a[order] for a in (recording, window, block - window, rank)
    )
    distance = neighbors.distances[window, rank]
    # A group has few hits: numbers are faster than arrays.
    hits = list(
        map(Hit, window.tolist(), diagonal.tolist(), (1 / (1 + rank)).tolist(), distance.tolist())
    )
    result: list[Alignment] = []
    for group in _runs(recording[1:] != recording[:-1]):
        for chain in _chains(hits[group]):
            is_single = len(chain) == 1 and chain[0].weight < 1
            if not is_single or len(usable) <= FEW_WINDOWS:
                result += _fit(int(recording[group.start]), chain, hashes)
    return result


def _runs(breaks: np.ndarray) -> Iterator[slice]:
    edges = [0, *(np.flatnonzero(breaks) + 1).tolist(), len(breaks) + 1]
    for a, b in zip(edges[:-1], edges[1:], strict=True):
        yield slice(a, b)


def _chains(hits: Sequence[Hit]) -> list[list[Hit]]:
    """Split the hits of one recording, in order of window, into groups that may be aligned."""
    latest: dict[int, list[Hit]] = {}  # the chain that was last on a diagonal
    seen: dict[int, int] = {}  # and in which window
    chains: list[list[Hit]] = []
    for hit in hits:
        for apart in NEAREST_FIRST:
            place = hit.diagonal + apart
            chain = latest.get(place)
            # A stray hit beside a diagonal must not take its chain away.
            stays = apart == 0 or (chain and chain[-1].diagonal == place)
            if chain and stays and hit.window - seen[place] <= GAP_HASHES:
                chain.append(hit)
                break
        else:
            chain = [hit]
            chains.append(chain)
        latest[hit.diagonal], seen[hit.diagonal] = chain, hit.window
    return chains


def _fit(recording_index: int, chain: Sequence[Hit], hashes: int) -> Iterator[Alignment]:
    """Yield the diagonal with most votes and, where hits allow it, the line of best slope.

    Hits around a true place come first in their lists, so hits of low rank weigh more. Of diagonals
    with as many votes the one with the nearest hit is offered: a short recording holds one window
    for all.
    """
    votes: dict[int, float] = {}
    nearest: dict[int, float] = {}
    for hit in chain:
        votes[hit.diagonal] = votes.get(hit.diagonal, 0.0) + hit.weight
        nearest[hit.diagonal] = min(nearest.get(hit.diagonal, inf), hit.distance)
    best = min(votes, key=lambda diagonal: (-votes[diagonal], nearest[diagonal], diagonal))
    first, last = chain[0].window, chain[-1].window
    yield Alignment(recording_index, float(best), 1.0, first, last + hashes)
    if len(votes) == 1 or last - first < LEAST_SPAN:
        return
    slope, intercept = _line(chain)
    if SLOPES[0] <= slope <= SLOPES[1]:
        # A window is compared at slope 1: its middle, not its start, lies on the line.
        intercept += (1 - slope) * (hashes - 1) / 2
        yield Alignment(recording_index, intercept, slope, first, last + hashes)


def _line(chain: Sequence[Hit]) -> tuple[float, float]:
    """Give slope and intercept of the line that fits weighted hits in at least two windows best."""
    total = sum(hit.weight for hit in chain)
    window = sum(hit.weight * hit.window for hit in chain) / total
    diagonal = sum(hit.weight * hit.diagonal for hit in chain) / total
    rise = sum(hit.weight * (hit.window - window) * (hit.diagonal - diagonal) for hit in chain)
    slope = rise / sum(hit.weight * (hit.window - window) ** 2 for hit in chain)
    return 1 + slope, diagonal - slope * window


def moved(segment: Segment, hops: float) -> Segment:
    """Give the same segment in a query that began so many hops earlier."""
    hashes = round(hops)
    alignment = segment.alignment
    alignment = replace(
        alignment,
        intercept=alignment.intercept - alignment.slope * hops,
        first=alignment.first + hashes,
        stop=alignment.stop + hashes,
    )
    return replace(
        segment,
        alignment=alignment,
        first=segment.first + hashes,
        stop=segment.stop + hashes,
        begin=segment.begin + hops,
        end=segment.end + hops,
    )


def error_rates(differing: np.ndarray, reliability: np.ndarray | None = None) -> np.ndarray:
    """Give the error rate of each hash.

    Parameters
    ----------
    differing
        uint8 (..., bits / 8): 1 where bits differ.
    reliability
        uint8 (..., bits), see ``Hashes``; without it all bits count alike.

    Returns
    -------
    float (...). With reliability (1 - c) / 2, where c is the cosine between the +-1 of one hash and
    the weighted +-1 of the other. So the rates of unrelated hashes have the same spread as
    without it, however few bits of a hash are reliable.
    """
    count = 8 * differing.shape[-1]
    if reliability is None:
        return np.asarray(np.bitwise_count(differing).sum(axis=-1) / count)
    weights = reliability.astype(np.float32)
    against = (weights * np.unpackbits(differing, axis=-1)).sum(axis=-1)
    length = np.sqrt(count * np.square(weights).sum(axis=-1))
    return np.asarray((1 - (weights.sum(axis=-1) - 2 * against) / length) / 2)


def heaviest(gain: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find in each row the slice with the largest sum (Kadane).

    Parameters
    ----------
    gain
        float (..., n).

    Returns
    -------
    Where it starts and where it stops, int (...) each; 0 and 0 where no value is positive.
    """
    sums = np.zeros((*gain.shape[:-1], gain.shape[-1] + 1))
    np.cumsum(gain, axis=-1, out=sums[..., 1:])
    least = np.minimum.accumulate(sums, axis=-1)
    rise = sums - least
    stop = rise.argmax(axis=-1, keepdims=True)
    lowest = np.take_along_axis(least, stop, axis=-1)
    at_lowest = (sums == lowest) & (np.arange(sums.shape[-1]) <= stop)
    start = gain.shape[-1] - at_lowest[..., ::-1].argmax(axis=-1)
    found = np.take_along_axis(rise, stop, axis=-1)[..., 0] > 0
    return np.where(found, start, 0), np.where(found, stop[..., 0], 0)
