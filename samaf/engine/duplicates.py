"""The pairs of stored recordings that share audio."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from samaf.engine.blas import one_blas_thread
from samaf.engine.hash_query import matcher_of
from samaf.engine.options import QueryOptions
from samaf.fingerprinters import Fingerprinter
from samaf.index import ExactIndex, Index
from samaf.index.exact import PAIRS_TO_COMPILED, Backend
from samaf.matching import to_match
from samaf.matching.duplicates import shared
from samaf.records import Duplicate
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
    total = len(table.recording_ids)
    # Each recording has an index of its own, too small to make the change itself.
    backend: Backend | None = "compiled" if table.total**2 / 2 > PAIRS_TO_COMPILED else None
    open_index = partial(ExactIndex, backend=backend)
    for number in range(total):
        with one_blas_thread():
            found = shared(matcher, number, open_index)
        ids = [int(table.recording_ids[position]) for position in (number, *found)]
        recordings = store.get_many(ids) if found else {}
        # A recording deleted in the meantime gives no pair.
        if first := recordings.get(ids[0]):
            for candidates, other in zip(found.values(), ids[1:], strict=True):
                if second := recordings.get(other):
                    matches = (
                        to_match(c, second, fingerprinter, first.duration) for c in candidates
                    )
                    yield Duplicate(first, second, tuple(matches))
        on_progress(number + 1, total)
