"""The verbs: add, query and what goes with them, as plain Python.

>>> import samaf
>>> with samaf.open("evidence.db") as engine:  # doctest: +SKIP
...     for result in engine.add("recordings/"):
...         print(result.path, result.status)
...     print(engine.query("clip.wav").matches)
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any

from samaf.audio import Audio, Source, audio_files, printable, read
from samaf.audio.source import opened, sha256
from samaf.errors import AudioError, FingerprinterError, QueryError
from samaf.fingerprinters import (
    DEFAULT_MODEL,
    Fingerprinter,
    ModelCard,
    load_fingerprinter,
    shipped,
)
from samaf.index import ExactIndex, FlatIndex, HashTable, Index, cache, table_of
from samaf.matching import PLAIN, Finding, find, match_of
from samaf.matching.deep import find_deep
from samaf.records import (
    NO_LABELS,
    AddResult,
    Comparison,
    Fingerprint,
    Hashes,
    IndexStatus,
    Match,
    QueryResult,
    Recording,
    StoreStats,
)
from samaf.store import SchemaStatus, Store, StoredFingerprinter
from samaf.store import status as db_status
from samaf.store import upgrade as db_upgrade

__all__ = [
    "Comparison",
    "Engine",
    "Fingerprint",
    "IndexStatus",
    "ModelCard",
    "SchemaStatus",
    "audio_files",
    "compare",
    "db_status",
    "db_upgrade",
    "fingerprint",
    "models",
    "open",
]

ENGINES: Mapping[str, Callable[[HashTable], Index]] = {"exact": ExactIndex, "flat": FlatIndex}
DEPTHS = (None, "usual", "full")
GRANULARITY = 3  # seconds searched for at once
FALSE_POSITIVE_RATE = 1e-3  # expected false answers a query
COMMIT_HASHES = 100_000  # a transaction holds about this many: 3.2 MB
COMMIT_FILES = 64
COMMIT_SECONDS = 2.0  # work that Ctrl-C may lose


def open(  # noqa: A001  # samaf.open reads as intended
    url: str | None = None,
    *,
    model: str | None = None,
    engine: str = "exact",
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
    engine
        ``exact`` or ``flat``, see ``samaf.index``.
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
    if engine not in ENGINES:
        raise QueryError(f"{engine!r}: no such engine; there are {', '.join(ENGINES)}")
    return Engine(Store.open(url, create=create), model, engine, cache_folder)


def compare(first: Source, second: Source, *, model: str | None = None) -> Comparison:
    """Tell whether two files share a stretch of audio, without any store.

    Raises
    ------
    AudioError, FingerprinterError
        A file cannot be decoded, or there is no such model.
    """
    fingerprinter = load_fingerprinter(model or DEFAULT_MODEL)
    one, two = fingerprint(first, model=model), fingerprint(second, model=model)
    reference = Recording(two.sha256, Path(two.path).name, two.path, two.duration)
    index = ExactIndex(table_of([(0, two.hashes.packed)], two.hashes.packed.shape[1]))
    granularity = (GRANULARITY - 1) * round(1 / one.hop) + 1
    confidence = fingerprinter.card.confidence
    tried = [(PLAIN[0], one.hashes)]
    found = find(tried, index, granularity, confidence, FALSE_POSITIVE_RATE, 1)
    match = _match(found[0], reference, fingerprinter, one.duration) if found else None
    return Comparison(one.path, two.path, match)


def fingerprint(source: Source, *, model: str | None = None) -> Fingerprint:
    """Hash a file, without any store.

    Raises
    ------
    AudioError, FingerprinterError
        The file cannot be decoded, or there is no such model.
    """
    loaded = load_fingerprinter(model or DEFAULT_MODEL)
    with read(source) as audio:
        hashes = loaded.hashes(audio.chunks(), audio.sha256)
        path = audio.path or audio.name
        return Fingerprint(
            path, audio.sha256, audio.duration, loaded.name, loaded.digest, loaded.hop, hashes
        )


def models() -> list[ModelCard]:
    """Give the cards of the models that come with this program, in name order."""
    return shipped()


def _fingerprinter(store: Store, model: str | None) -> Fingerprinter:
    """Load the model that the store belongs to, or the wanted one for a store without."""
    owner = store.fingerprinter()
    try:
        loaded = load_fingerprinter(model or (owner.name if owner else DEFAULT_MODEL))
    except FingerprinterError as error:
        if model or not owner:
            raise
        raise FingerprinterError(
            f"{store.url}: belongs to the model {owner.name} {owner.digest[:12]}, which cannot be "
            f"loaded ({error}); name its file as the model or use another store"
        ) from None
    if owner and owner.digest != loaded.digest:
        raise FingerprinterError(
            f"{store.url}: belongs to the model {owner.name} {owner.digest[:12]}, not to "
            f"{loaded.name} {loaded.digest[:12]}; leave the model away or use another store"
        )
    return loaded


class Engine:
    """A store with its model and its index; made by `open`. Use it in a ``with``."""

    def __init__(
        self,
        store: Store,
        model: str | None = None,
        engine: str = "exact",
        cache_folder: Path | None = None,
    ) -> None:
        self.store = store
        self._model = model
        self._engine = engine
        self._cache_folder = cache_folder
        self._index: Index | None = None
        self._decoding = Lock()

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    @cached_property
    def fingerprinter(self) -> Fingerprinter:
        """The model, loaded when first asked for; `FingerprinterError` where it does not fit."""
        return _fingerprinter(self.store, self._model)

    # Adding -------------------------------------------------------------------------

    def add(
        self,
        paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        labels: Mapping[str, Mapping[str, str]] = NO_LABELS,  # type: ignore[assignment]
        jobs: int | None = None,
    ) -> Iterator[AddResult]:
        """Store the recordings of files and folders; yield what became of each file.

        A result is given only after its recording is safe in the store. A file that
        cannot be used gives a result with status "failed"; the others go on.

        Parameters
        ----------
        labels
            By file name or path, the labels of a recording.
        jobs
            Files at once; by default one more than there are processors.

        Raises
        ------
        AudioError, StoreError, FingerprinterError
            A path does not exist (then nothing is added), the store cannot be written, or
            it belongs to another model.
        """
        given = [paths] if isinstance(paths, str | os.PathLike) else paths
        files = list(audio_files(given))
        self._bind()
        # One more than processors: decoding takes turns.
        workers = jobs or (os.cpu_count() or 1) + 1
        pool = ThreadPoolExecutor(workers)
        calm = _one_blas_thread()
        try:
            running: deque[Future[_Made]] = deque()
            made: list[_Made] = []
            committed = time.monotonic()
            for number, path in enumerate(files, 1):
                running.append(pool.submit(self._make, path, labels))
                while len(running) >= (4 * workers if number < len(files) else 1):
                    made.append(running.popleft().result())
                    if _is_batch(made) or time.monotonic() - committed > COMMIT_SECONDS:
                        yield from self._commit(made)
                        made, committed = [], time.monotonic()
            yield from self._commit(made)
        finally:
            # Not waiting: whoever interrupts should not sit through a file of ten hours.
            pool.shutdown(wait=False, cancel_futures=True)
            calm.restore_original_limits()

    def _make(self, path: Path, labels: Mapping[str, Mapping[str, str]]) -> _Made:
        """Decode and hash one file, unless its bytes are stored already."""
        name = printable(path)
        try:
            with opened(path) as file:
                known = self.store.find(sha256(file.file))
            if known:
                return _Made(name, known, None, "")
            with ExitStack() as stack:
                # FFmpeg is called once a packet: two decoders would fight for Python's lock.
                with self._decoding:
                    audio = stack.enter_context(read(path))
                keys = (name, audio.path, audio.name)
                own = next((labels[key] for key in keys if key in labels), NO_LABELS)
                recording = Recording(audio.sha256, audio.name, audio.path, audio.duration, own)
                hashes = self._hashes(audio)
            if not len(hashes):
                least = self.fingerprinter.block
                reason = f"{name}: shorter than {least:g} s; nothing to recognise it by"
                return _Made(name, None, None, reason)
            return _Made(name, recording, hashes, "")
        except AudioError as error:
            return _Made(name, None, None, str(error))

    def _hashes(self, audio: Audio) -> Hashes:
        """Hash decoded audio."""
        return self.fingerprinter.hashes(audio.chunks(), audio.sha256)

    def _commit(self, made: Sequence[_Made]) -> Iterator[AddResult]:
        """Store a batch in one transaction, then tell what became of it."""
        new = [(m.recording, m.hashes) for m in made if m.recording and m.hashes is not None]
        stored = iter(self.store.add_many(new))
        for m in made:
            if m.recording is None:
                yield AddResult(m.path, "failed", message=m.message)
            elif m.hashes is None:
                yield AddResult(m.path, "present", m.recording)
            else:
                recording, fresh = next(stored)
                status = "added" if fresh else "present"
                yield AddResult(m.path, status, recording, len(m.hashes) if fresh else 0)

    def _bind(self) -> None:
        card = self.fingerprinter.card
        self.store.bind(
            StoredFingerprinter(
                self.fingerprinter.digest,
                card.name,
                card.bits,
                card.family,
                card.features.as_dict(),
            )
        )

    # Asking -------------------------------------------------------------------------

    @property
    def index(self) -> Index:
        """The index at the store's newest revision."""
        if self._index is None or self._index.table.revision != self.store.revision:
            table = cache.open_cached(self.store, *self._index_key)
            self._index = ENGINES[self._engine](table)
        return self._index

    @property
    def _index_key(self) -> tuple[str, int, Path | None]:
        """Digest, bytes of a hash, and the folder of all indexes."""
        return self.fingerprinter.digest, self.fingerprinter.card.bits // 8, self._cache_folder

    def index_status(self) -> IndexStatus:
        """Tell where the cached index lies and whether it is current and whole."""
        digest, _, root = self._index_key
        folder, revision = cache.cache_folder(self.store, digest, root), self.store.revision
        header = cache.read_header(folder)
        if header is None:
            return IndexStatus(str(folder), "absent", 0, revision, 0, 0)
        if not cache.verify(folder, header):
            state = "damaged"
        else:
            state = "current" if header.revision == revision else "behind"
        size = header.rows * header.width
        return IndexStatus(str(folder), state, header.revision, revision, header.rows, size)

    def index_rebuild(self) -> IndexStatus:
        """Throw the cached index away and make it anew from the store."""
        self._index = None
        cache.rebuild(self.store, *self._index_key)
        return self.index_status()

    def query(
        self,
        source: Source,
        *,
        granularity: int = GRANULARITY,
        k: int = 5,
        rate: float = FALSE_POSITIVE_RATE,
        deep: str | None = None,
    ) -> QueryResult:
        """Tell which stored recordings a clip comes from, and where in them.

        Parameters
        ----------
        source
            A path, bytes, a file object, or "-" for standard input.
        granularity
            Seconds searched for at once, 1 to 6.
        k
            Matches to give at most for one stretch of the clip.
        rate
            Expected number of false matches to put up with, e.g. 1e-3.
        deep
            "usual" also undoes changes of speed, tempo, pitch and direction; "full" also
            reversed speed, and tempo with pitch. The whole clip is held in memory.

        Raises
        ------
        AudioError, QueryError
            The clip cannot be decoded, or an argument is out of its range.
        """
        if not 1 <= granularity <= 6:
            raise QueryError(f"granularity {granularity} s is out of range; choose 1 to 6")
        if k < 1:
            raise QueryError(f"{k} matches cannot be given; choose 1 or more")
        if not 0 < rate <= 1:
            raise QueryError(f"false-positive rate {rate} is out of range; choose above 0, up to 1")
        if deep not in DEPTHS:
            raise QueryError(f"{deep!r}: no such depth; choose usual or full")
        with _one_blas_thread(), read(source) as audio:
            answer = QueryResult(audio.path or audio.name, audio.sha256, audio.duration)
            hashes = self._hashes(audio)
            samples = audio.samples() if deep else None
        if not len(hashes):
            return replace(answer, reason=f"shorter than {self.fingerprinter.block:g} s")
        if not hashes.informative.any():
            return replace(answer, reason="nothing in it to recognise: silence or a steady tone")
        index = self.index
        if not index.table.total:
            return replace(answer, reason="the store is empty")
        window = (granularity - 1) * round(1 / self.fingerprinter.hop) + 1
        if samples is None:
            confidence = self.fingerprinter.card.confidence
            found = find([(PLAIN[0], hashes)], index, window, confidence, rate, k)
        else:
            found = find_deep(
                samples,
                answer.sha256,
                self.fingerprinter,
                index,
                window,
                rate,
                k,
                full=deep == "full",
            )
        return replace(answer, matches=self._matches(found, index, answer.duration))

    def _matches(
        self, found: Sequence[Finding], index: Index, duration: float
    ) -> tuple[Match, ...]:
        ids = [int(index.table.recording_ids[f.recording]) for f in found]
        recordings = self.store.get_many(ids)
        # A recording deleted since the index was read has nothing to be named by.
        return tuple(
            _match(f, recordings[i], self.fingerprinter, duration)
            for f, i in zip(found, ids, strict=True)
            if i in recordings
        )

    # Looking after the store ----------------------------------------------------------

    def list(self) -> Iterator[Recording]:
        """Yield all recordings in the order of their ids."""
        return self.store.recordings()

    def show(self, recording: int | str) -> Recording:
        """Give one recording.

        Parameters
        ----------
        recording
            Its id, the first 6 or more digits of its SHA-256, or its exact name.

        Raises
        ------
        StoreError
            There is none, or there are several.
        """
        return self.store.resolve(str(recording))

    def delete(self, recording: int | str) -> Recording:
        """Remove one recording with its hashes and labels; give what it was. See `show`."""
        found = self.show(recording)
        self.store.delete(found.recording_id)
        return found

    def stats(self) -> StoreStats:
        """Sum the store up."""
        return self.store.stats()


def _one_blas_thread() -> Any:
    """Keep matrix products on one thread: they are small, and waiting threads cost more."""
    return _blas().limit(limits=1)


@lru_cache(maxsize=1)
def _blas() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """One file between hashing and storing; no hashes when its bytes were stored before."""

    path: str
    recording: Recording | None
    hashes: Hashes | None
    message: str


def _is_batch(made: list[_Made]) -> bool:
    total = sum(len(m.hashes) for m in made if m.hashes is not None)
    return len(made) >= COMMIT_FILES or total >= COMMIT_HASHES


def _match(
    finding: Finding, recording: Recording, fingerprinter: Fingerprinter, duration: float
) -> Match:
    return match_of(finding, recording, fingerprinter.hop, fingerprinter.block, duration)
