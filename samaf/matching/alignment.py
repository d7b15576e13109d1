"""Hits that agree become segments: which query hashes lie on which reference hashes.

A clip that runs at the reference's tempo gives hits on one diagonal of (query block,
reference block). A clip with another tempo gives a line of another slope; differences
of a few per cent are followed here, larger ones are left to the hypotheses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from samaf.index import NOTHING, Neighbors, Table
from samaf.matching.boundaries import BLOCK_HOPS, boundaries
from samaf.records import Hashes

NEAREST_FIRST = (0, -1, 1, -2, 2)  # diagonals apart that belong together: half a second of drift
GAP_HASHES = 24  # query hashes without a hit inside one segment: 6 s
REACH_HASHES = 24  # a segment is followed this far beyond its hits
SAME_SPEECH = 0.42  # bit error rate below which a hash supports the alignment
FEW_WINDOWS = 4  # of a clip, up to which single hits count
LEAST_SPAN = 8  # hashes between first and last hit that a slope can be fitted to
SLOPES = (0.6, 1.7)  # reference hops a query hop


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

    def reference(self, query_hash: float) -> float:
        """Give the reference hash, a fraction, that a query hash lies on."""
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
    diagonal = block - window
    distance = neighbors.distances[window, rank]
    order = np.lexsort((window, recording))
    recording, block, window, diagonal, rank, distance = (
        a[order] for a in (recording, block, window, diagonal, rank, distance)
    )
    result: list[Alignment] = []
    for group in _runs(recording[1:] != recording[:-1]):
        for members in _chains(window[group], diagonal[group]):
            is_single = len(members) == 1 and rank[group][members[0]] > 0
            if not is_single or len(usable) <= FEW_WINDOWS:
                i, j = window[group][members], block[group][members]
                weight = 1 / (1 + rank[group][members])
                apart = distance[group][members]
                result += _fit(int(recording[group.start]), i, j, weight, apart, hashes)
    return result


def _runs(breaks: np.ndarray) -> Iterator[slice]:
    edges = [0, *(np.flatnonzero(breaks) + 1).tolist(), len(breaks) + 1]
    for a, b in zip(edges[:-1], edges[1:], strict=True):
        yield slice(a, b)


def _chains(window: np.ndarray, diagonal: np.ndarray) -> Iterator[np.ndarray]:
    """Split the hits of one recording, in order of window, into groups that may be aligned."""
    latest: dict[int, list[int]] = {}  # the chain that was last on a diagonal
    seen: dict[int, int] = {}  # and in which window
    chains = []
    for hit, (i, d) in enumerate(zip(window.tolist(), diagonal.tolist(), strict=True)):
        for apart in NEAREST_FIRST:
            chain = latest.get(d + apart)
            # A stray hit beside a diagonal must not take its chain away.
            stays = apart == 0 or (chain and diagonal[chain[-1]] == d + apart)
            if chain and stays and i - seen[d + apart] <= GAP_HASHES:
                chain.append(hit)
                break
        else:
            chain = [hit]
            chains.append(chain)
        latest[d], seen[d] = chain, i
    for chain in chains:
        yield np.array(chain)


def _fit(
    recording_index: int,
    i: np.ndarray,
    j: np.ndarray,
    weight: np.ndarray,
    distance: np.ndarray,
    hashes: int,
) -> Iterator[Alignment]:
    """Yield the diagonal with most votes and, where hits allow it, the line of best slope.

    Hits around a true place come first in their lists, so hits of low rank weigh more. Of diagonals
    with as many votes the one with the nearest hit is offered: a short recording holds one window
    for all.
    """
    diagonals, which = np.unique(j - i, return_inverse=True)
    nearest = np.full(len(diagonals), np.inf)
    np.minimum.at(nearest, which, distance)
    best = diagonals[np.lexsort((nearest, -np.bincount(which, weight)))[0]]
    first, stop = int(i.min()), int(i.max()) + hashes
    yield Alignment(recording_index, float(best), 1.0, first, stop)
    if np.ptp(i) < LEAST_SPAN or len(diagonals) == 1:
        return
    slope, intercept = np.polyfit(i, j, 1, w=np.sqrt(weight))
    if SLOPES[0] <= slope <= SLOPES[1]:
        # A window is compared at slope 1: its middle, not its start, lies on the line.
        intercept += (1 - slope) * (hashes - 1) / 2
        yield Alignment(recording_index, float(intercept), float(slope), first, stop)


def follow(alignment: Alignment, query: Hashes, table: Table) -> Segment | None:
    """Compare along an alignment and beyond its ends; give the segment that supports it."""
    i = _compared(alignment, len(query), table)
    if not len(i):
        return None
    differing = [_differing(query, alignment, table, i, shift) for shift in (-1, 0, 1)]
    rates = [error_rates(d) for d in differing]
    a, b = heaviest(SAME_SPEECH - rates[1])
    if a == b:
        return None
    before, level, after = (float(r[a:b].mean()) for r in rates)
    reliability = None if query.reliability is None else query.reliability[i[a:b]]
    weighted_ber = float(error_rates(differing[1][a:b], reliability).mean())
    bend = before - 2 * level + after
    shift = float(np.clip((before - after) / (2 * bend), -0.5, 0.5)) if bend > 0 else 0.0
    first, stop = int(i[a]), int(i[b - 1]) + 1
    return Segment(alignment, first, stop, level, weighted_ber, shift, first, stop - 1 + BLOCK_HOPS)


def ber_along(alignment: Alignment, query: Hashes, table: Table, i: np.ndarray) -> float:
    """Give the bit error rate of query hashes ``i`` along a line that lies in the recording."""
    differing = _differing(query, alignment, table, i, 0)
    return float(error_rates(differing).mean())


def with_refined_boundaries(segment: Segment, query: Hashes, table: Table) -> Segment:
    """Give a segment with the boundaries of its sound, which lie between its hashes."""
    alignment = segment.alignment
    i = _compared(alignment, len(query), table)
    rates = error_rates(_differing(query, alignment, table, i, 0))
    start = int(i[0])
    begin, end = boundaries(rates, segment.first - start, segment.stop - start)
    return replace(segment, begin=start + begin, end=start + end)


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


def _compared(alignment: Alignment, hashes: int, table: Table) -> np.ndarray:
    """Give the query hashes that an alignment, extended at both ends, lays on stored ones."""
    i = np.arange(
        max(0, alignment.first - REACH_HASHES), min(hashes, alignment.stop + REACH_HASHES)
    )
    at = np.rint(alignment.intercept + alignment.slope * i).astype(np.int64)
    return i[(at >= 0) & (at < table.count(alignment.recording_index))]


def _differing(
    query: Hashes, alignment: Alignment, table: Table, i: np.ndarray, shift: int
) -> np.ndarray:
    """Mark the bits in which query hashes differ from the alignment moved by ``shift``."""
    at = np.rint(alignment.intercept + alignment.slope * i).astype(np.int64) + shift
    at = np.clip(at, 0, table.count(alignment.recording_index) - 1)
    first = int(at.min())
    rows = table.rows(alignment.recording_index, first, int(at.max()) + 1)
    return np.asarray(query.packed[i] ^ rows[at - first])


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


def heaviest(gain: np.ndarray) -> tuple[int, int]:
    """Find the slice with the largest sum (Kadane); (0, 0) when no value is positive."""
    sums = np.concatenate([[0.0], np.cumsum(gain)])
    least = np.minimum.accumulate(sums)
    rise = sums - least
    stop = int(rise.argmax())
    if rise[stop] <= 0:
        return 0, 0
    return int(np.flatnonzero(sums[: stop + 1] == least[stop])[-1]), stop
