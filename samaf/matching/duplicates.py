"""Which stored recordings share audio: each searched for in those that come after it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from samaf.fingerprinters import ScoreCalibration
from samaf.index import HashTable, Index
from samaf.matching.hypotheses import PLAIN
from samaf.matching.search import NEIGHBORS, SLOPES_TRIED, Candidate, candidates, resolve
from samaf.records import Hashes


def shared(
    table: HashTable,
    recording_index: int,
    search: Callable[[HashTable], Index],
    window_hashes: int,
    calibration: ScoreCalibration,
    max_false_matches: float,
) -> dict[int, list[Candidate]]:
    """Find what one recording shares with those that come after it.

    Parameters
    ----------
    recording_index
        Position in the table.
    search
        Makes an engine over a table.
    window_hashes
        Hashes that are searched for at once.
    max_false_matches
        Maximum expected false matches over all pairs of the table.

    Returns
    -------
    Candidates by position of the other recording, in order of time.
    """
    # Over the whole table: every pair of places.
    comparisons = float(table.total) ** 2 / 2 * SLOPES_TRIED
    rows = np.ascontiguousarray(table.rows(recording_index))
    query = Hashes(rows, np.ones(len(rows), bool))
    found: dict[int, list[Candidate]] = defaultdict(list)
    for others in _peeled(after(table, recording_index), found, recording_index + 1):
        if not len(rows) or not others.total:
            break
        neighbors = search(others).search(rows, min(window_hashes, len(rows)), NEIGHBORS)
        seen = candidates(
            PLAIN, query, neighbors, others, comparisons, calibration, max_false_matches
        )
        for candidate in resolve(list(seen), len(others.counts)):
            there = candidate.recording_index + recording_index + 1
            found[there].append(replace(candidate, recording_index=there))
    return {other: sorted(found[other], key=lambda f: f.span) for other in sorted(found)}


def after(table: HashTable, recording_index: int) -> HashTable:
    """Give the part of a table behind one recording."""
    cut = int(table.starts[recording_index] + table.counts[recording_index])
    kept = slice(recording_index + 1, None)
    return replace(
        table,
        hashes=table.hashes[cut:],
        recording_ids=table.recording_ids[kept],
        starts=table.starts[kept] - cut,
        counts=table.counts[kept],
    )


def _peeled(table: HashTable, found: dict[int, list[Candidate]], first: int) -> Iterator[HashTable]:
    """Give a table, and then again without what was found as long as more is found.

    A window has few neighbors: the nearest recordings would hide all others.
    """
    known = -1
    while len(found) > known:
        known = len(found)
        counts = table.counts.copy()
        counts[[other - first for other in found]] = 0
        yield replace(table, counts=counts)
