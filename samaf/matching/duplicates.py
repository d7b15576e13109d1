"""Which stored recordings share audio: each searched for in those that come after it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from samaf.index import Index, sweeps
from samaf.matching.candidates import Candidate
from samaf.matching.hypotheses import PLAIN
from samaf.matching.matcher import Matcher
from samaf.matching.merging import resolve
from samaf.matching.search import NEIGHBORS, SLOPES_TRIED
from samaf.records import Hashes

EVERY_RECORDING = 1 << 40  # candidates for one segment: no limit


def shared(matcher: Matcher, recording_index: int) -> dict[int, list[Candidate]]:
    """Find what one recording shares with those that come after it.

    Parameters
    ----------
    matcher
        Its index holds the whole table; its maximum of false matches is over all pairs.
    recording_index
        Position in the table; the sides of a recording are searched for each by itself.

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
    for others in _peeled(matcher.index, recording_index, found):
        if not len(rows) or not others.table.total:
            break
        # The last part holds one recording, and is still a part of all.
        part = replace(matcher, index=others, places_rival=False)
        aligned = [
            segment
            for sweep in sweeps(others, min(matcher.window_hashes, len(rows)))
            for segment in part.aligned((PLAIN, query), sweep.search(rows, NEIGHBORS), comparisons)
        ]
        for candidate in resolve(part.candidates(aligned), EVERY_RECORDING):
            other = others.table
            position = table.find(
                other.recording_id(candidate.recording_index), other.side(candidate.recording_index)
            )
            assert position is not None  # the part was cut from this table
            found[position].append(replace(candidate, recording_index=position))
    return {other: sorted(found[other], key=lambda c: c.span) for other in sorted(found)}


def _peeled(
    index: Index, recording_index: int, found: dict[int, list[Candidate]]
) -> Iterator[Index]:
    """Give what comes after a recording, and again without what was found as long as more is found.

    A window has few neighbors: the nearest recordings would hide all others.
    """
    known = -1
    while len(found) > known:
        known = len(found)
        yield index.after(recording_index, found)
