"""A store with its model and its index, and the verbs on it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from threading import Event
from types import TracebackType

from samaf.audio import Source, audio_files
from samaf.engine import adding, duplicates, monitoring, ranking
from samaf.engine.asking import (
    FALSE_POSITIVE_RATE,
    GRANULARITY,
    Clip,
    Question,
    account,
    hear_many,
    search,
)
from samaf.engine.monitoring import HOURLY_RATE
from samaf.engine.ranking import HeardVectors
from samaf.engine.watch import Stopwatch
from samaf.errors import AudioError, FingerprinterError, QueryError, StoreError
from samaf.fingerprinters import (
    DEFAULT_MODEL,
    AnyFingerprinter,
    Fingerprinter,
    VectorFingerprinter,
    hashing,
    load_fingerprinter,
)
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
from samaf.records import (
    NO_LABELS,
    AddResult,
    Duplicate,
    IndexStatus,
    Match,
    QueryResult,
    Recording,
    StoreStats,
)
from samaf.store import Store, StoredFingerprinter

ENGINES: Mapping[str, Callable[[HashTable], Index]] = {
    "exact": ExactIndex,
    "flat": FlatIndex,
    "ivf": IvfIndex,
}
VECTOR_ENGINES: Mapping[str, Callable[[HashTable], VectorIndex]] = {
    "exact": VectorIndex,
    "flat": VectorIndex,
    "ivf": CellsIndex,
}


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
    if engine not in ENGINES:
        raise QueryError(f"{engine!r}: no such engine; there are {', '.join(ENGINES)}")
    return Engine(Store.open(url, create=create), model, engine, cache_folder)


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
        self._vectors: VectorIndex | None = None

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
    def fingerprinter(self) -> AnyFingerprinter:
        """The model, loaded when first asked for; `FingerprinterError` where it does not fit."""
        return _fingerprinter(self.store, self._model)

    @property
    def _hashing(self) -> Fingerprinter:
        """The model, for what only hashes can do."""
        return hashing(self.fingerprinter)

    @property
    def ranks(self) -> bool:
        """Whether the model makes vectors: queries give candidates and no matches."""
        return isinstance(self.fingerprinter, VectorFingerprinter)

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
            Files at once; by default as many as there are processors.

        Raises
        ------
        AudioError, StoreError, FingerprinterError
            A path does not exist (then nothing is added), the store cannot be written, or
            it belongs to another model.
        """
        given = [paths] if isinstance(paths, str | os.PathLike) else paths
        files = list(audio_files(given))
        self._bind()
        yield from adding.add(self.store, self.fingerprinter, files, labels, jobs)

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
        """The index of hashes at the store's newest revision."""
        if self._index is None or self._index.table.revision != self.store.revision:
            hashing(self.fingerprinter)
            table = cache.open_cached(self.store, *self._index_key)
            self._index = ENGINES[self._engine](table)
        return self._index

    @property
    def vectors(self) -> VectorIndex:
        """The index of vectors at the store's newest revision."""
        if self._vectors is None or self._vectors.table.revision != self.store.revision:
            table = cache.open_cached(self.store, *self._index_key)
            if self._vectors and self._vectors.table.revision < table.revision:
                self._vectors.follow(table)
            else:  # none yet, or the store was restored to an earlier state
                self._vectors = VECTOR_ENGINES[self._engine](table)
        return self._vectors

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
        self._index = self._vectors = None
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
        audit: bool = False,
    ) -> QueryResult:
        """Tell which stored recordings a clip comes from, and where in them.

        A model of vectors gives its candidates, as the paper's section 4.4 does; it takes no
        ``granularity``, ``rate`` and ``deep``, and ``k`` is also the neighbours of a segment.

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
        audit
            Write the question and its answer into the store's audit log.

        Raises
        ------
        AudioError, QueryError
            The clip cannot be decoded, or an argument is out of its range.
        """
        (answer,) = self.query_many(
            [source], granularity=granularity, k=k, rate=rate, deep=deep, audit=audit
        )
        if isinstance(answer, AudioError):
            raise answer
        return answer

    def query_many(
        self,
        sources: Iterable[Source],
        *,
        granularity: int = GRANULARITY,
        k: int = 5,
        rate: float = FALSE_POSITIVE_RATE,
        deep: str | None = None,
        audit: bool = False,
    ) -> Iterator[QueryResult | AudioError]:
        """Ask about many clips; yield the answers in the clips' order.

        Files are hashed in several processes where that is quicker. For a clip that cannot be
        decoded its error stands in the place of the answer. Parameters are those of `query`.

        Raises
        ------
        QueryError
            An argument is out of its range.
        """
        question = Question(granularity, k, rate, deep)
        for clip, watch in self._heard(list(sources), question):
            if isinstance(clip, AudioError):
                yield clip
            else:
                yield self._answer(clip, question, audit, watch)

    def _heard(
        self, sources: Sequence[Source], question: Question
    ) -> Iterator[tuple[Clip | HeardVectors | AudioError, Stopwatch]]:
        if isinstance(self.fingerprinter, VectorFingerprinter):
            return ranking.hear_many(sources, question, self.fingerprinter)
        return hear_many(sources, question, self.fingerprinter)

    def _answer(
        self, clip: Clip | HeardVectors, question: Question, audit: bool, watch: Stopwatch
    ) -> QueryResult:
        answer = clip.answer
        if not answer.reason:
            answer = self._found(clip, question, watch)
        if audit:
            # Before anybody sees the answer: what cannot be logged is not answered.
            with watch("database"):
                self.store.log("query", answer.sha256, answer.query, account(question, answer))
        watch.report(answer)
        return answer

    def _found(
        self, clip: Clip | HeardVectors, question: Question, watch: Stopwatch
    ) -> QueryResult:
        fingerprinter, store = self.fingerprinter, self.store
        if isinstance(clip, HeardVectors):
            assert isinstance(fingerprinter, VectorFingerprinter)
            with watch("database"):
                vectors = self.vectors
            return ranking.search(clip, question, fingerprinter, vectors, store, watch)
        with watch("database"):
            index = self.index
        return search(clip, question, self._hashing, index, store, watch)

    def monitor(
        self,
        source: Source,
        *,
        granularity: int = GRANULARITY,
        k: int = 1,
        rate: float = HOURLY_RATE,
        deep: str | None = None,
        late: Callable[[float], None] = lambda _seconds: None,
        until: Event | None = None,
    ) -> Iterator[Match]:
        """Listen to a stream; yield each match when it has ended, in constant memory.

        Parameters
        ----------
        source
            A URL that FFmpeg opens, "-" for standard input, or a path.
        granularity
            Seconds searched for at once, 1 to 6.
        k
            Matches to give at most for one stretch of the stream.
        rate
            Expected number of false matches to put up with in an hour of the stream.
        deep
            As in `query`; the stream is then searched 12 s after 12 s.
        late
            Is told how many seconds the search is behind a network stream, when that is much.
        until
            When it is set, the stream counts as ended.

        Raises
        ------
        AudioError, QueryError, StoreError
            The stream cannot be opened or broke off (then all matches until there were
            given before), an argument is out of its range, or the store is empty.
        """
        question = Question(granularity, k, rate, deep)
        if not self.index.table.total:
            raise StoreError(f"{self.store.url}: the store is empty; add recordings first")
        yield from monitoring.monitor(
            source, question, self._hashing, lambda: self.index, self.store, late, until
        )

    def duplicates(
        self,
        *,
        granularity: int = GRANULARITY,
        rate: float = duplicates.PAIRS_RATE,
        told: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> Iterator[Duplicate]:
        """Yield the pairs of recordings in the store that share audio, each pair once.

        Parameters
        ----------
        granularity
            Seconds searched for at once, 1 to 6.
        rate
            Expected number of false pairs to put up with, in all.
        told
            Is told how many recordings are done, and of how many.

        Raises
        ------
        QueryError
            An argument is out of its range.
        """
        question = Question(granularity, rate=rate)
        window = (question.granularity - 1) * round(1 / self._hashing.hop) + 1
        yield from duplicates.duplicates(
            self.index.table,
            window,
            question.rate,
            self._hashing,
            self.store,
            told,
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

    def label(self, recording: int | str, labels: Mapping[str, str | None]) -> Recording:
        """Give one recording labels beside those it has; None takes one away. See `show`."""
        found = self.show(recording)
        self.store.label(found.recording_id, labels)
        return self.store.get(found.recording_id)

    def delete(self, recording: int | str) -> Recording:
        """Remove one recording with its hashes and labels; give what it was. See `show`."""
        return self.delete_many([recording])[0]

    def delete_many(self, recordings: Iterable[int | str]) -> Sequence[Recording]:
        """Remove several recordings: all of them, or none when one is not there. See `show`."""
        found = {each.recording_id: each for each in map(self.show, recordings)}
        self.store.delete_many(list(found))
        return list(found.values())

    def stats(self) -> StoreStats:
        """Sum the store up, and tell whether the index is current, without reading it."""
        found = self.store.stats()
        folder = cache.cache_folder(self.store, found.digest, self._cache_folder)
        header = cache.read_header(folder)
        if header is None:
            return replace(found, index="absent")
        is_current = header.revision == found.revision
        return replace(found, index="current" if is_current else "behind")


def _fingerprinter(store: Store, model: str | None) -> AnyFingerprinter:
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
