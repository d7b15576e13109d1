"""Which stored recordings share audio: each searched for in those that come after it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from samaf.index import ExactIndex, Index, sweeps, table_of
from samaf.matching.candidates import Candidate
from samaf.matching.hypotheses import PLAIN
from samaf.matching.matcher import Matcher
from samaf.matching.merging import candidate_place, keep_best
from samaf.matching.search import NEIGHBORS, SLOPES_TRIED
from samaf.records import Hashes

EVERY_RECORDING = 1 << 40  # candidates for one segment: no limit
# A true place takes two or three neighbors of a window: of more recordings that share one stretch,
# some are not seen there.
SEEN = NEIGHBORS // 3
WHOLE = 0.9  # of the shorter recording: there is nothing more to find


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
        new: dict[int, list[Candidate]] = defaultdict(list)
        # The last part holds one recording, and is still a part of all.
        part = replace(matcher, index=others, places_rival=False)
        for candidate in _searched(part, query, comparisons):
            other = others.table
            position = table.find(
                other.recording_id(candidate.recording_index), other.side(candidate.recording_index)
            )
            assert position is not None  # the part was cut from this table
            new[position].append(replace(candidate, recording_index=position))
        some_hidden = len(new) > SEEN
        for position, candidates in new.items():
            least = min(len(rows), table.count(position))
            if some_hidden and _hashes(candidates) < WHOLE * least:
                there = np.ascontiguousarray(table.rows(position))
                alone = ExactIndex(table_of([(0, there)], there.shape[1]))
                # Without other recordings, other places tell what likeness is worth.
                single = replace(matcher, index=alone, places_rival=True)
                candidates += [
                    replace(c, recording_index=position, recording_id=candidates[0].recording_id)
                    for c in _searched(single, query, comparisons)
                ]
            found[position] = without_overlaps(candidates)
    return {other: sorted(found[other], key=lambda c: c.span) for other in sorted(found)}


def _searched(part: Matcher, query: Hashes, comparisons: float) -> list[Candidate]:
    """Search for a recording in a part of all."""
    aligned = [
        segment
        for sweep in sweeps(part.index, min(part.window_hashes, len(query)))
        for segment in part.aligned(
            (PLAIN, query), sweep.search(query.packed, NEIGHBORS), comparisons
        )
    ]
    return without_overlaps(part.candidates(aligned))


def without_overlaps(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Keep the least likely by chance of those that overlap, best first.

    A long stretch in noise is as far away as a reading of the same text, so what ranks the answers
    to a query would put any short one before it.
    """
    ordered = sorted(candidates, key=lambda c: (c.log10_evalue, c.recording_index, c.span))
    return keep_best(ordered, EVERY_RECORDING, candidate_place)


def _hashes(candidates: Sequence[Candidate]) -> float:
    """Count the hashes of the query that candidates cover."""
    return sum(c.segment.end - c.segment.begin for c in candidates)


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
