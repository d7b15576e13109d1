"""The index of a store: made at its first use, kept current."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from samaf.fingerprinters import AnyFingerprinter
from samaf.index import HashTable, cache
from samaf.status import IndexStatus, StoreStats
from samaf.store import Store


class KeptIndex(Protocol):
    """An index that is kept at the store's newest revision."""

    def get(self) -> Any:
        """Give the index at the store's newest revision."""

    def check(self) -> None:
        """Refuse an index in a database that cannot be used, before anything is added."""

    def follow(self) -> None:
        """Bring an index in a database up to date with what was added."""

    def status(self) -> IndexStatus:
        """Tell where the index lies, and whether it is current and undamaged."""

    def rebuild(self) -> IndexStatus:
        """Delete the index and rebuild it from the store."""

    def close(self) -> None:
        """Let go of it."""


def kept_index(
    store: Store,
    fingerprinter: AnyFingerprinter,
    open_index: Callable[[str, HashTable], Any],
    index_type: str,
    root: Path | None,
) -> KeptIndex:
    """Give the index of a store, on this machine or, where the type is a URL, in a database."""
    if "://" in index_type:
        from samaf.engine.database_index import DatabaseIndex
        from samaf.index.cluster import resolve

        return DatabaseIndex(store, fingerprinter, resolve(index_type))
    return CurrentIndex(store, fingerprinter, partial(open_index, index_type), root)


class CurrentIndex:
    """The index of one store and model, kept at the store's newest revision.

    Parameters
    ----------
    open_index
        Makes an index over a table.
    root
        The folder of all cached indexes; None is the one in the user's cache folder.
    """

    def __init__(
        self,
        store: Store,
        fingerprinter: AnyFingerprinter,
        open_index: Callable[[HashTable], Any],
        root: Path | None,
    ) -> None:
        self._store, self._open = store, open_index
        self._key = fingerprinter.digest, fingerprinter.card.bits // 8, root
        self._index: Any = None

    def get(self) -> Any:
        """Give the index at the store's newest revision."""
        if self._index is None or not self._store.is_at(self._index.table.version):
            table = cache.open_cached(self._store, *self._key)
            if self._index is not None and self._store.continues(self._index.table.version):
                self._index = self._index.follow(table)
            else:  # none yet, or the store was replaced by another
                self._index = self._open(table)
        return self._index

    def check(self) -> None:
        """Do nothing: the index is made when it is needed."""

    def follow(self) -> None:
        """Do nothing: the next search reads what is newer."""

    def status(self) -> IndexStatus:
        """Tell where the cached index lies, and whether it is current and undamaged."""
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
        """Delete the cached index and rebuild it from the store."""
        self._index = None
        cache.rebuild(self._store, *self._key)
        return self.status()

    def close(self) -> None:
        """Nothing is open that Python does not close."""


def with_index_state(stats: StoreStats, store: Store, root: Path | None) -> StoreStats:
    """Add to a store's statistics whether its index is current, without loading index or model."""
    header = cache.read_header(cache.cache_folder(store, stats.digest, root))
    if header is None:
        return replace(stats, index="absent")
    return replace(stats, index="current" if store.is_at(header.version) else "behind")
