"""From nearest segments to the recordings that they support (paper section 4.4)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from math import inf

from samaf.index import VectorNeighbors


@dataclass(frozen=True, slots=True)
class Ranked:
    """A recording with its votes.

    Attributes
    ----------
    row, segment
        The vector of the query and the stored segment that are nearest to each other.
    distances
        Of all its neighbors, least first.
    weight
        Sum over its votes.
    """

    recording_id: int
    row: int
    segment: int
    distances: tuple[float, ...]
    weight: float


def rank(neighbors: VectorNeighbors, k: int) -> list[Ranked]:
    """Give the k recordings of the largest weight; in a tie the nearest goes first.

    Each neighbor of a vector is a vote for its recording. Its weight is how much nearer it is
    than the farthest neighbor of the same vector: where all are about as far, none is
    strong evidence. The paper calls the first recording the potential song, and leaves open how
    it comes about.
    """
    votes: dict[int, list[tuple[float, int, int]]] = defaultdict(list)
    weights: dict[int, float] = defaultdict(float)
    for row, distances in enumerate(neighbors.distances.tolist()):
        finite = [distance for distance in distances if distance < inf]
        ids, segments = neighbors.recording_ids[row].tolist(), neighbors.segments[row].tolist()
        for recording_id, segment, distance in zip(ids, segments, finite, strict=False):
            votes[recording_id].append((distance, row, segment))
            weights[recording_id] += finite[-1] - distance
    ranked = []
    for recording_id, neighbors_of in votes.items():
        _, row, segment = min(neighbors_of)
        distances = tuple(sorted(distance for distance, _, _ in neighbors_of))
        ranked.append(Ranked(recording_id, row, segment, distances, weights[recording_id]))
    ranked.sort(key=lambda r: (-r.weight, r.distances[0], r.recording_id))
    return ranked[:k]
