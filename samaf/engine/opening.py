"""Opening a store for its verbs."""

from __future__ import annotations

from pathlib import Path

from samaf.engine.engine import Engine
from samaf.engine.indexes import check_index_type
from samaf.store import Store


def open(  # noqa: A001  # samaf.open reads as intended
    url: str | None = None,
    *,
    model: str | None = None,
    index: str = "exact",
    create: bool = True,
    cache_folder: Path | None = None,
) -> Engine:
    """Open a store, or make a new one.

    Parameters
    ----------
    url
        A file name (SQLite) or a URL such as ``mysql://user@host/base``; by default
        ``SAMAF_DB``, else a file in the user's data folder.
    model
        Name of a shipped model or path of a model file; by default the store's own.
    index
        ``exact``, ``flat`` or, for stores beyond 10 million hashes, ``ivf``: see
        ``samaf.index``.
    create
        Whether to make a store where there is none.
    cache_folder
        Where indexes are kept; by default in the user's cache folder.

    Raises
    ------
    StoreError
        The store cannot be opened.

    The model is loaded by the first verb that needs it, which raises `FingerprinterError`
    when there is no such model or the store belongs to another one.
    """
    check_index_type(index)
    return Engine(Store.open(url, create=create), model, index, cache_folder)
