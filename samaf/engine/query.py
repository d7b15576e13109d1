"""Queries of either family of models, written into the audit log on demand."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from samaf.audio import Source
from samaf.engine.hash_query import HashFamily
from samaf.engine.indexes import KeptIndex
from samaf.engine.notices import notice
from samaf.engine.options import QueryOptions
from samaf.engine.references import References
from samaf.engine.stopwatch import Stopwatch
from samaf.engine.vector_query import VectorFamily
from samaf.engine.verification import with_verification
from samaf.errors import AudioError
from samaf.fingerprinters import AnyFingerprinter
from samaf.index import HashTable
from samaf.records import QueryResult, RankingResult
from samaf.store import Store


class QueryFamily(Protocol):
    """What differs between the families of models in a query.

    The types of prepared clips, indexes and results are each family's own.
    """

    def open_index(self, index_type: str, table: HashTable) -> Any:
        """Make an index of one of `samaf.engine.options.INDEX_TYPES`."""

    def prepare_many(
        self, sources: Sequence[Source], options: QueryOptions
    ) -> Iterator[tuple[Any | AudioError, Stopwatch]]:
        """Yield each clip as a search needs it, or its error, in the clips' order."""

    def search(
        self, prepared: Any, options: QueryOptions, index: Any, store: Store, watch: Stopwatch
    ) -> Any:
        """Search for a prepared clip; give the family's result."""

    def account(self, result: Any) -> dict[str, Any]:
        """Give a result as the audit log keeps it."""


FAMILIES: dict[str, Any] = {"lstm": HashFamily, "unet": VectorFamily}


def family_of(fingerprinter: AnyFingerprinter) -> QueryFamily:
    """Choose the family that a model's card names."""
    family: QueryFamily = FAMILIES[fingerprinter.card.family](fingerprinter)
    return family


def query_many(
    sources: Sequence[Source],
    options: QueryOptions,
    family: QueryFamily,
    index: KeptIndex,
    store: Store,
    *,
    audit: bool,
    audio: str | os.PathLike[str] | None = None,
) -> Iterator[QueryResult | RankingResult | AudioError]:
    """Yield the answers in the clips' order; see ``Engine.query_many``."""
    with References(audio) as references:
        for prepared, watch in family.prepare_many(sources, options):
            if isinstance(prepared, AudioError):
                yield prepared
                continue
            result = prepared.result
            if not result.reason:
                with watch("database"):
                    current = index.get()
                result = family.search(prepared, options, current, store, watch)
            if options.verify:
                with watch("verify"):
                    result = with_verification(result, prepared, references, options)
            if audit:
                content = {
                    "options": asdict(options),
                    "reason": result.reason,
                    **family.account(result),
                }
                # Before the answer is given: a query that cannot be logged gets none.
                with watch("database"):
                    store.log("query", result.sha256, result.query, content)
            watch.report(result)
            notice(result.query, result.media)
            yield result
