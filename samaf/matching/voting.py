"""From nearest segments to the recordings that they support (paper section 4.4)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from math import inf

from samaf.index import VectorNeighbors


@dataclass(frozen=True, slots=True)
class Ranked:
    """A recording, and the neighbors that are of it.

    Attributes
    ----------
    row, segment
        The vector of the query and the stored segment that are nearest to each other.
    distances
        Of all its neighbors, least first.
    weight
        Of its votes together.
    """

    recording_id: int
    row: int
    segment: int
    distances: tuple[float, ...]
    weight: float


def rank(neighbors: VectorNeighbors, k: int) -> list[Ranked]:
    """Give the k recordings whose votes weigh most; the nearest goes first of those that tie.

    Each neighbor of a vector is a vote for its recording. It weighs as much as it is nearer
    than the farthest neighbor of the same vector: where all are about as far, none of them
    tells much. The paper calls the first recording the potential song, and leaves open how
    it comes about.
    """
    found: dict[int, list[tuple[float, int, int]]] = defaultdict(list)
    weights: dict[int, float] = defaultdict(float)
    for row, distances in enumerate(neighbors.distances.tolist()):
        there = [distance for distance in distances if distance < inf]
        ids, segments = neighbors.recording_ids[row].tolist(), neighbors.segments[row].tolist()
        for recording_id, segment, distance in zip(ids, segments, there, strict=False):
            found[recording_id].append((distance, row, segment))
            weights[recording_id] += there[-1] - distance
    ranked = []
    for recording_id, votes in found.items():
        _, row, segment = min(votes)
        distances = tuple(sorted(distance for distance, _, _ in votes))
        ranked.append(Ranked(recording_id, row, segment, distances, weights[recording_id]))
    ranked.sort(key=lambda r: (-r.weight, r.distances[0], r.recording_id))
    return ranked[:k]
