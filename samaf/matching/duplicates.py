"""Which stored recordings share audio: each searched for in those that come after it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from samaf.index import HashTable, Index, sweeps
from samaf.matching.candidates import Candidate
from samaf.matching.hypotheses import PLAIN
from samaf.matching.matcher import Matcher
from samaf.matching.merging import resolve
from samaf.matching.search import NEIGHBORS, SLOPES_TRIED
from samaf.records import Hashes


def shared(
    matcher: Matcher, recording_index: int, open_index: Callable[[HashTable], Index]
) -> dict[int, list[Candidate]]:
    """Find what one recording shares with those that come after it.

    Parameters
    ----------
    matcher
        Its index holds the whole table; its maximum of false matches is over all pairs.
    recording_index
        Position in the table; the sides of a recording are searched for each by itself.
    open_index
        Makes an index over a part of the table.

    Returns
    -------
    Candidates by position of the other recording, in order of time.
    """
    table = matcher.index.table
    # Over the whole table: every pair of places.
    comparisons = float(table.total) ** 2 / 2 * SLOPES_TRIED
    rows = np.ascontiguousarray(table.rows(recording_index))
    query = Hashes(rows, np.ones(len(rows), bool))
    found: dict[int, list[Candidate]] = defaultdict(list)
    first = behind(table, recording_index)
    for others in _peeled(after(table, recording_index), found, first):
        if not len(rows) or not others.total:
            break
        part = replace(matcher, index=open_index(others))
        aligned = [
            segment
            for sweep in sweeps(part.index, min(matcher.window_hashes, len(rows)))
            for segment in part.aligned((PLAIN, query), sweep.search(rows, NEIGHBORS), comparisons)
        ]
        for candidate in resolve(part.candidates(aligned), len(others.counts)):
            position = candidate.recording_index + first
            found[position].append(replace(candidate, recording_index=position))
    return {other: sorted(found[other], key=lambda c: c.span) for other in sorted(found)}


def behind(table: HashTable, recording_index: int) -> int:
    """Give the position of the first recording behind one and its sides."""
    position = recording_index
    while position < len(table.counts) and (
        table.recording_ids[position] == table.recording_ids[recording_index]
    ):
        position += 1
    return position


def after(table: HashTable, recording_index: int) -> HashTable:
    """Give the part of a table behind one recording and its sides."""
    first = behind(table, recording_index)
    cut = int(table.starts[first - 1] + table.counts[first - 1])
    kept = slice(first, None)
    return replace(
        table,
        hashes=table.hashes[cut:],
        recording_ids=table.recording_ids[kept],
        starts=table.starts[kept] - cut,
        counts=table.counts[kept],
        sides=None if table.sides is None else table.sides[kept],
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
