"""From pairs of recordings that share audio to groups, without what many share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from math import ceil

import numpy as np

from samaf.errors import QueryError
from samaf.index import HashTable
from samaf.matching.boundaries import BLOCK_HOPS
from samaf.matching.groups import Common, Shared, common_pieces, connected, own_seconds
from samaf.matching.pieces import Pair
from samaf.records import (
    Duplicate,
    Recording,
    RecordingGroup,
    RecordingGroups,
    RepeatCluster,
    RepeatPlace,
)

EXACT = 0.25  # s that the borders of what is shared are right to
AGREES = 0.3  # bit error rate up to which a stretch counts by itself


def grouped(
    pairs: Iterable[Duplicate], table: HashTable, hop: float, least_shared: float, common: int
) -> RecordingGroups:
    """Group recordings by their hashes in a table; see ``Engine.duplicate_groups``."""
    agrees = _agreement(table, hop)
    kept, pieces = distinct_pairs(list(pairs), least_shared, common, agrees)
    recordings = {r.recording_id: r for pair, _ in kept for r in (pair.first, pair.second)}
    most: dict[int, float] = defaultdict(float)
    for pair, seconds in kept:
        for recording in (pair.first, pair.second):
            most[recording.recording_id] = max(most[recording.recording_id], seconds)
    groups = connected([(p.first.recording_id, p.second.recording_id) for p, _ in kept])
    groups.sort(key=lambda members: -len(members))
    return RecordingGroups(
        tuple(
            RecordingGroup(
                number, tuple(recordings[n] for n in members), tuple(most[n] for n in members)
            )
            for number, members in enumerate(groups, 1)
        ),
        pieces,
    )


def _agreement(table: HashTable, hop: float) -> Callable[[Shared, float, float], bool]:
    """Make the function that tells whether hashes of two recordings agree over a stretch."""
    position = {
        int(number): at
        for at, number in reversed(list(enumerate(table.recording_ids)))
        if not table.side(at)
    }

    def agrees(shared: Shared, start: float, stop: float) -> bool:
        first, second = table.rows(position[shared.first]), table.rows(position[shared.second])
        last = stop - BLOCK_HOPS * hop + hop
        at = np.arange(ceil(start / hop), max(ceil(start / hop) + 1, ceil(last / hop)))
        there = np.array([round(shared.pair.carry(float(t)) / hop) for t in hop * at])
        rates = []
        for shift in (-1, 0, 1):  # an alignment may be a hop off
            inside = (at < len(first)) & (there + shift >= 0) & (there + shift < len(second))
            differing = first[at[inside]] ^ second[there[inside] + shift]
            if len(differing):
                rates.append(np.bitwise_count(differing).mean() / 8)
        return min(rates, default=1.0) <= AGREES

    return agrees


def distinct_pairs(
    pairs: Sequence[Duplicate],
    least_shared: float,
    common: int,
    agrees: Callable[[Shared, float, float], bool] = lambda *_: True,
) -> tuple[list[tuple[Duplicate, float]], tuple[RepeatCluster, ...]]:
    """Keep pairs that share ``least_shared`` seconds besides common pieces.

    ``agrees`` is that of `own_seconds`.

    Returns
    -------
    The pairs with their shared seconds, and the common pieces.

    Raises
    ------
    QueryError
        A number is out of its range.
    """
    if least_shared < 0:
        raise QueryError(f"{least_shared} s cannot be shared; choose 0 or more")
    if common < 3:
        raise QueryError(f"what {common} recordings hold is not common; choose 3 or more")
    recordings = {r.recording_id: r for pair in pairs for r in (pair.first, pair.second)}
    shared = {
        number: [
            Shared(
                pair.first.recording_id,
                pair.second.recording_id,
                Pair((m.query_start, m.query_stop), (m.reference_start, m.reference_stop)),
            )
            for m in pair.matches
            if m.query_stop > m.query_start and m.reference_stop > m.reference_start
        ]
        for number, pair in enumerate(pairs)
    }
    durations = {number: recording.duration for number, recording in recordings.items()}
    found = common_pieces([each for some in shared.values() for each in some], durations, common)
    kept = []
    for number, pair in enumerate(pairs):
        seconds = own_seconds(shared[number], found, agrees)
        if seconds + EXACT >= least_shared:
            kept.append((pair, seconds))
    return kept, _clusters(found, recordings)


def _clusters(
    found: Sequence[Common], recordings: dict[int, Recording]
) -> tuple[RepeatCluster, ...]:
    ordered = sorted(found, key=lambda piece: (-len(piece.places), -piece.seconds))
    return tuple(
        RepeatCluster(
            number,
            piece.seconds,
            tuple(RepeatPlace(recordings[n], start, stop) for n, (start, stop) in piece.places),
        )
        for number, piece in enumerate(ordered, 1)
    )
