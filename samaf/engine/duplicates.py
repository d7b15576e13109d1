"""The pairs of stored recordings that share audio."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from samaf.engine.blas import one_blas_thread
from samaf.engine.hash_query import matcher_of
from samaf.engine.options import QueryOptions
from samaf.fingerprinters import Fingerprinter
from samaf.index import Index, Table
from samaf.matching import Candidate, to_match
from samaf.matching.duplicates import shared
from samaf.matching.merging import merge_streams
from samaf.records import Duplicate, Match, Recording
from samaf.store import Store


def duplicates(
    index: Index,
    options: QueryOptions,
    fingerprinter: Fingerprinter,
    store: Store,
    on_progress: Callable[[int, int], None],
) -> Iterator[Duplicate]:
    """Yield each pair once; see ``Engine.duplicates``."""
    table = index.table
    matcher = matcher_of(fingerprinter, index, options)
    positions = table.indices
    found: dict[int, list[tuple[int, Candidate]]] = defaultdict(list)  # by id of the other one
    for done, number in enumerate(positions, 1):
        with one_blas_thread():
            of_side = shared(matcher, number)
        for candidate in chain.from_iterable(of_side.values()):
            found[candidate.recording_id].append((table.side(number), candidate))
        own = table.recording_id(number)
        # The recording's last side, mostly the only one.
        if done == len(positions) or table.recording_id(positions[done]) != own:
            recordings = store.get_many([own, *found]) if found else {}
            # A recording deleted in the meantime gives no pair.
            if first := recordings.get(own):
                for other, candidates in found.items():
                    if second := recordings.get(other):
                        matches = _matches(first, second, candidates, table, fingerprinter)
                        yield Duplicate(first, second, matches)
            found.clear()
        on_progress(done, len(positions))


def _matches(
    first: Recording,
    second: Recording,
    candidates: Sequence[tuple[int, Candidate]],
    table: Table,
    fingerprinter: Fingerprinter,
) -> tuple[Match, ...]:
    """Give what two recordings share, in order of time; what several sides hold, once."""
    matches = [
        replace(
            to_match(candidate, second, fingerprinter, first.duration),
            channel=first.channel(side),
            reference_channel=second.channel(table.side(candidate.recording_index)),
        )
        for side, candidate in candidates
    ]
    if any(match.channel or match.reference_channel for match in matches):
        matches = merge_streams(matches, len(matches))
    return tuple(sorted(matches, key=lambda match: (match.query_start, match.query_stop)))
