"""Hits that agree become segments: which query hashes lie on which reference hashes.

A clip that runs at the reference's tempo gives hits on one diagonal of (query block,
reference block). A clip with another tempo gives a line of another slope; a few per cent
of it are followed here, the rest is left to the hypotheses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from samaf.index import NOTHING, HashTable, Neighbors
from samaf.matching.boundaries import BLOCK_HOPS, boundaries
from samaf.records import Hashes

NEAREST_FIRST = (0, -1, 1, -2, 2)  # diagonals apart that belong together: half a second of drift
GAP_HASHES = 24  # query hashes without a hit inside one segment: 6 s
REACH_HASHES = 24  # a segment is followed this far beyond its hits
SAME_SPEECH = 0.42  # bit error rate below which a hash supports the alignment
FEW_WINDOWS = 4  # of a clip, up to which single hits count
LEAST_SPAN = 8  # hashes between first and last hit from which a slope can be told
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
    """A line with its evidence: hashes from ``first`` to ``stop``, their mean error rate.

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
    neighbors: Neighbors, hashes: int, usable: np.ndarray, table: HashTable
) -> list[Alignment]:
    """Gather the neighbors of all windows of ``hashes`` hashes into candidate lines.

    Of many windows, a hit alone counts only where it is its window's nearest. A short clip
    has few, so all their neighbors are looked at.

    Parameters
    ----------
    usable
        bool (windows,): windows that hold something to recognise.
    """
    window, rank = np.nonzero((neighbors.rows != NOTHING) & usable[:, None])
    rows = neighbors.rows[window, rank]
    if not len(rows):
        return []
    recording, block = table.locate(rows)
    diagonal = block - window
    order = np.lexsort((window, recording))
    recording, block, window, diagonal, rank = (
        a[order] for a in (recording, block, window, diagonal, rank)
    )
    found: list[Alignment] = []
    for group in _runs(recording[1:] != recording[:-1]):
        for members in _chains(window[group], diagonal[group]):
            alone = len(members) == 1 and rank[group][members[0]] > 0
            if not alone or len(usable) <= FEW_WINDOWS:
                i, j = window[group][members], block[group][members]
                weight = 1 / (1 + rank[group][members])
                found += _fit(int(recording[group.start]), i, j, weight, hashes)
    return found


def _runs(breaks: np.ndarray) -> Iterator[slice]:
    edges = [0, *(np.flatnonzero(breaks) + 1).tolist(), len(breaks) + 1]
    for a, b in zip(edges[:-1], edges[1:], strict=True):
        yield slice(a, b)


def _chains(window: np.ndarray, diagonal: np.ndarray) -> Iterator[np.ndarray]:
    """Split the hits of one recording, in order of window, into groups that may be lines."""
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
    recording_index: int, i: np.ndarray, j: np.ndarray, weight: np.ndarray, hashes: int
) -> Iterator[Alignment]:
    """Offer the diagonal with most votes and, where hits allow it, a line of best slope.

    A true place brings its neighbors along, so nearer hits weigh more.
    """
    diagonals, which = np.unique(j - i, return_inverse=True)
    best = diagonals[np.bincount(which, weight).argmax()]
    first, stop = int(i.min()), int(i.max()) + hashes
    yield Alignment(recording_index, float(best), 1.0, first, stop)
    if np.ptp(i) < LEAST_SPAN or len(diagonals) == 1:
        return
    slope, intercept = np.polyfit(i, j, 1, w=np.sqrt(weight))
    if SLOPES[0] <= slope <= SLOPES[1]:
        # A window is compared at slope 1: its middle, not its start, lies on the line.
        intercept += (1 - slope) * (hashes - 1) / 2
        yield Alignment(recording_index, float(intercept), float(slope), first, stop)


def follow(alignment: Alignment, query: Hashes, table: HashTable) -> Segment | None:
    """Compare along a line and beyond its ends; give the segment that supports it."""
    rows = table.rows(alignment.recording_index)
    i = _compared(alignment, len(query), len(rows))
    if not len(i):
        return None
    differing = [_differing(query, rows, alignment, i, shift) for shift in (-1, 0, 1)]
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


def with_refined_boundaries(segment: Segment, query: Hashes, table: HashTable) -> Segment:
    """Give a segment with the boundaries of its sound, which lie between its hashes."""
    rows, alignment = table.rows(segment.alignment.recording_index), segment.alignment
    i = _compared(alignment, len(query), len(rows))
    rates = error_rates(_differing(query, rows, alignment, i, 0))
    start = int(i[0])
    begin, end = boundaries(rates, segment.first - start, segment.stop - start)
    return replace(segment, begin=start + begin, end=start + end)


def moved(segment: Segment, hops: float) -> Segment:
    """Give the same segment in a query that began so many hops earlier."""
    whole = round(hops)
    alignment = segment.alignment
    alignment = replace(
        alignment,
        intercept=alignment.intercept - alignment.slope * hops,
        first=alignment.first + whole,
        stop=alignment.stop + whole,
    )
    return replace(
        segment,
        alignment=alignment,
        first=segment.first + whole,
        stop=segment.stop + whole,
        begin=segment.begin + hops,
        end=segment.end + hops,
    )


def _compared(alignment: Alignment, hashes: int, rows: int) -> np.ndarray:
    """Give the query hashes that a line, or what it may go on to, lays on stored ones."""
    i = np.arange(
        max(0, alignment.first - REACH_HASHES), min(hashes, alignment.stop + REACH_HASHES)
    )
    at = np.rint(alignment.intercept + alignment.slope * i).astype(np.int64)
    return i[(at >= 0) & (at < rows)]


def _differing(
    query: Hashes, rows: np.ndarray, alignment: Alignment, i: np.ndarray, shift: int
) -> np.ndarray:
    """Mark the bits in which query hashes differ from the line moved by ``shift``."""
    at = np.rint(alignment.intercept + alignment.slope * i).astype(np.int64) + shift
    return np.asarray(query.packed[i] ^ rows[np.clip(at, 0, len(rows) - 1)])


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
    the weighted +-1 of the other. So rates of unrelated hashes scatter as they do without
    it, however few bits of a hash are reliable.
    """
    count = 8 * differing.shape[-1]
    if reliability is None:
        return np.asarray(np.bitwise_count(differing).sum(axis=-1) / count)
    sure = reliability.astype(np.float32)
    against = (sure * np.unpackbits(differing, axis=-1)).sum(axis=-1)
    length = np.sqrt(count * np.square(sure).sum(axis=-1))
    return np.asarray((1 - (sure.sum(axis=-1) - 2 * against) / length) / 2)


def heaviest(gain: np.ndarray) -> tuple[int, int]:
    """Find the slice with the largest sum (Kadane); (0, 0) when no value is positive."""
    sums = np.concatenate([[0.0], np.cumsum(gain)])
    least = np.minimum.accumulate(sums)
    rise = sums - least
    stop = int(rise.argmax())
    if rise[stop] <= 0:
        return 0, 0
    return int(np.flatnonzero(sums[: stop + 1] == least[stop])[-1]), stop
