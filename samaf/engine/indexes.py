"""The indexes that a store is searched by: made when they are asked for, kept current."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from samaf.fingerprinters import AnyFingerprinter, hashing
from samaf.index import (
    CellsIndex,
    ExactIndex,
    FlatIndex,
    HashTable,
    Index,
    IvfIndex,
    VectorIndex,
    cache,
)
from samaf.status import IndexStatus, StoreStats
from samaf.store import Store

INDEXES: Mapping[str, Callable[[HashTable], Index]] = {
    "exact": ExactIndex,
    "flat": FlatIndex,
    "ivf": IvfIndex,
}
VECTOR_INDEXES: Mapping[str, Callable[[HashTable], VectorIndex]] = {
    "exact": VectorIndex,
    "flat": VectorIndex,
    "ivf": CellsIndex,
}


class Indexes:
    """The indexes of one store and model, of hashes and of vectors.

    Parameters
    ----------
    index_type
        One of `samaf.engine.options.INDEX_TYPES`.
    root
        The folder of all cached indexes; None is the one in the user's cache folder.
    """

    def __init__(
        self, store: Store, fingerprinter: AnyFingerprinter, index_type: str, root: Path | None
    ) -> None:
        self._store, self._fingerprinter, self._index_type = store, fingerprinter, index_type
        self._key = fingerprinter.digest, fingerprinter.card.bits // 8, root
        self._hashes: Index | None = None
        self._vectors: VectorIndex | None = None

    @property
    def hashes(self) -> Index:
        """The index of hashes at the store's newest revision."""
        if self._hashes is None or not self._is_current(self._hashes.table):
            hashing(self._fingerprinter)
            table = cache.open_cached(self._store, *self._key)
            self._hashes = INDEXES[self._index_type](table)
        return self._hashes

    @property
    def vectors(self) -> VectorIndex:
        """The index of vectors at the store's newest revision."""
        if self._vectors is None or not self._is_current(self._vectors.table):
            table = cache.open_cached(self._store, *self._key)
            if self._vectors and self._continues(self._vectors.table):
                self._vectors.follow(table)
            else:  # none yet, or the store became another one
                self._vectors = VECTOR_INDEXES[self._index_type](table)
        return self._vectors

    def _is_current(self, table: HashTable) -> bool:
        return self._store.is_at(table.version)

    def _continues(self, table: HashTable) -> bool:
        return self._store.continues(table.version)

    def status(self) -> IndexStatus:
        """Tell where the cached index lies and whether it is current and whole."""
        digest, _, root = self._key
        folder, revision = cache.cache_folder(self._store, digest, root), self._store.revision
        header = cache.read_header(folder)
        if header is None:
            return IndexStatus(str(folder), "absent", 0, revision, 0, 0)
        if not cache.verify(folder, header):
            state = "damaged"
        else:
            state = "current" if self._store.is_at(header.version) else "behind"
        size = header.rows * header.width
        return IndexStatus(str(folder), state, header.revision, revision, header.rows, size)

    def rebuild(self) -> IndexStatus:
        """Throw the cached index away and rebuilds it from the store."""
        self._hashes = self._vectors = None
        cache.rebuild(self._store, *self._key)
        return self.status()


def with_index_state(found: StoreStats, store: Store, root: Path | None) -> StoreStats:
    """Add to a store's sums whether its index is current; neither index nor model is loaded."""
    header = cache.read_header(cache.cache_folder(store, found.digest, root))
    if header is None:
        return replace(found, index="absent")
    return replace(found, index="current" if store.is_at(header.version) else "behind")
