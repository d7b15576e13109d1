"""A store with its model and its index, and the verbs on it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import Any

from samaf.audio import Source, audio_files, sandbox
from samaf.engine.add import add
from samaf.engine.duplicates import duplicates
from samaf.engine.groups import grouped
from samaf.engine.indexes import KeptIndex, kept_index, with_index_state
from samaf.engine.models import model_of, stored_fingerprinter
from samaf.engine.monitor import monitor
from samaf.engine.options import (
    COMMON,
    GRANULARITY_S,
    LEAST_SECONDS,
    LEAST_SHARED,
    MATCHES,
    MAX_FALSE_MATCHES,
    MAX_FALSE_MATCHES_PER_HOUR,
    MAX_FALSE_PAIRS,
    STREAM_MATCHES,
    QueryOptions,
    check_index_type,
)
from samaf.engine.query import QueryFamily, family_of, query_many
from samaf.engine.relocate import relocate
from samaf.engine.repeats import stored_repeats
from samaf.engine.seen_files import seen_files
from samaf.engine.stream_listeners import listener_of
from samaf.engine.watch import watch, watched_folders
from samaf.errors import AudioError, IndexDatabaseError, StoreError
from samaf.events import StreamGap, StreamMatch, StreamStatus
from samaf.fingerprinters import (
    AnyFingerprinter,
    Fingerprinter,
    hashing,
)
from samaf.media import Selection
from samaf.records import (
    NO_LABELS,
    AddResult,
    Duplicate,
    Population,
    QueryResult,
    RankingResult,
    Recording,
    RecordingGroups,
    Relocation,
    RepeatCluster,
)
from samaf.status import IndexStatus, StoreStats
from samaf.store import Store


class Engine:
    """A store with its model and its index; made by `open`. Use it in a ``with``."""

    def __init__(
        self,
        store: Store,
        model: str | None = None,
        index: str = "exact",
        cache_folder: Path | None = None,
    ) -> None:
        self.store = store
        self._model = model
        self.index_type = index
        self._cache_folder = cache_folder

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the store, and its index where that is a database."""
        if "_current_index" in self.__dict__:
            self._current_index.close()
        self.store.close()

    @cached_property
    def fingerprinter(self) -> AnyFingerprinter:
        """The model, loaded at its first use; `FingerprinterError` where it does not fit."""
        return model_of(self.store, self._model)

    @property
    def _hashing(self) -> Fingerprinter:
        """The model, for what only hashes can do."""
        return hashing(self.fingerprinter)

    @cached_property
    def _family(self) -> QueryFamily:
        return family_of(self.fingerprinter)

    # Adding -------------------------------------------------------------------------

    def add(
        self,
        paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        labels: Mapping[str, Mapping[str, str]] = NO_LABELS,  # type: ignore[assignment]
        jobs: int | None = None,
        *,
        track: int | None = None,
        channel: int | None = None,
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
        track
            Number of the sound track, from 1; by default the one that the file marks as
            default, or else the first, that holds sound.
        channel
            Number of the only channel to store, from 1; by default all are mixed, and each side
            is stored besides where the channels differ.

        Raises
        ------
        AudioError, StoreError, FingerprinterError
            A path does not exist (then nothing is added), the store cannot be written, or
            it belongs to another model.
        IndexDatabaseError
            No server of the index answers (then nothing is added), or it could not be brought up
            to date (then everything is stored).
        """
        given = [paths] if isinstance(paths, str | os.PathLike) else paths
        files = list(audio_files(given))
        self.store.bind(stored_fingerprinter(self.fingerprinter))
        self._current_index.check()
        selection = Selection(track, channel)
        yield from add(self.store, self.fingerprinter, files, labels, jobs, selection)
        self._current_index.follow()

    def watch(
        self,
        folders: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        labels: Mapping[str, Mapping[str, str]] = NO_LABELS,  # type: ignore[assignment]
        jobs: int | None = None,
        *,
        track: int | None = None,
        channel: int | None = None,
        until: Event | None = None,
    ) -> Iterator[AddResult]:
        """Add what is in folders and what comes into them; yield what became of each file.

        A file is added when it has not changed for 10 s. Files are identified by their SHA-256:
        where the file of a recording moved, the recording's path follows. Recordings whose files
        were replaced or removed stay in the store.

        Parameters
        ----------
        labels, jobs, track, channel
            As in `add`.
        until
            Ends it when it is set.

        Raises
        ------
        AudioError, StoreError, FingerprinterError, IndexDatabaseError
            As in `add`; a folder that vanishes later is waited for.
        """
        given = [folders] if isinstance(folders, str | os.PathLike) else folders
        tops = watched_folders(given)
        self.store.bind(stored_fingerprinter(self.fingerprinter))
        self._current_index.check()
        selection = Selection(track, channel)

        def add_files(files: Sequence[Path]) -> Iterator[AddResult]:
            yield from add(self.store, self.fingerprinter, files, labels, jobs, selection)
            if files:
                self._current_index.follow()

        with seen_files(self.store, self._cache_folder) as seen:
            yield from watch(tops, self.store, add_files, seen, until or Event())

    # Asking -------------------------------------------------------------------------

    @cached_property
    def _current_index(self) -> KeptIndex:
        return kept_index(
            self.store,
            self.fingerprinter,
            self._family.open_index,
            self.index_type,
            self._cache_folder,
        )

    @property
    def index_name(self) -> str:
        """The type of the index, or the URL of its database without the password."""
        if "://" not in self.index_type:
            return self.index_type
        from samaf.index.cluster.urls import resolve

        return str(resolve(self.index_type))

    @property
    def index(self) -> Any:
        """The index of the model's family, at the store's newest revision."""
        return self._current_index.get()

    def _whole_index(self) -> Any:
        """The same, where all of it can be searched."""
        index = self.index
        if index.table.away:
            raise IndexDatabaseError(
                f"{self.index_name}: {' and '.join(index.table.away)} cannot be searched; start "
                "what is away"
            )
        return index

    def index_status(self) -> IndexStatus:
        """Tell where the cached index lies and whether it is current and whole."""
        return self._current_index.status()

    def index_rebuild(self) -> IndexStatus:
        """Throw the cached index away and rebuild it from the store."""
        return self._current_index.rebuild()

    def query(
        self,
        source: Source,
        *,
        granularity_s: int = GRANULARITY_S,
        k: int = MATCHES,
        max_false_matches: float = MAX_FALSE_MATCHES,
        search: str = "plain",
        population: Population = "speech",
        verify: bool = False,
        audio: str | os.PathLike[str] | None = None,
        track: int | None = None,
        channel: int | None = None,
        audit: bool = False,
    ) -> QueryResult | RankingResult:
        """Tell which stored recordings a clip comes from, and where in them.

        A model of vectors gives its ranking, as the paper's section 4.4 does; it takes no
        ``granularity_s``, ``max_false_matches``, ``search`` and ``population``, and ``k`` is also
        the number of neighbors of a segment.

        Parameters
        ----------
        source
            A path, bytes, a file object, or "-" for standard input.
        granularity_s
            Seconds searched for at once, 1 to 6.
        k
            Most matches for one segment of the clip.
        max_false_matches
            Expected number of false matches to accept in a query, e.g. 1e-3.
        search
            "plain", "deep", which also undoes changes of speed, tempo, pitch and direction, or
            "exhaustive": also reversed speed, and tempo with pitch. The last two hold the whole
            clip in memory.
        population
            What a false match would be: "speech", other speech, for calls, interviews and
            broadcasts, or "prompts", also other voices that say the same text, for read texts,
            announcements and forms.
        verify
            Compare the signals of clip and recordings: of the matches, and of the best ``k``
            candidates beyond ``max_false_matches``. Those that are verified come first. The clip
            is held in memory. A match whose recording cannot be compared says why in its
            ``verification``.
        audio
            Folder of the recordings' audio, for ``verify``: found by name or SHA-256. By default,
            and where it lacks one, the path that the store has.
        track, channel
            Number of the sound track, and of its only channel to search for, from 1; see `add`.
            By default each side is searched for besides where the channels differ.
        audit
            Write the question and its answer into the store's audit log.

        Raises
        ------
        AudioError, QueryError
            The clip cannot be decoded, or an argument is out of its range.
        """
        (answer,) = self.query_many(
            [source],
            granularity_s=granularity_s,
            k=k,
            max_false_matches=max_false_matches,
            search=search,
            population=population,
            verify=verify,
            audio=audio,
            track=track,
            channel=channel,
            audit=audit,
        )
        if isinstance(answer, AudioError):
            raise answer
        return answer

    def query_many(
        self,
        sources: Iterable[Source],
        *,
        granularity_s: int = GRANULARITY_S,
        k: int = MATCHES,
        max_false_matches: float = MAX_FALSE_MATCHES,
        search: str = "plain",
        population: Population = "speech",
        verify: bool = False,
        audio: str | os.PathLike[str] | None = None,
        track: int | None = None,
        channel: int | None = None,
        audit: bool = False,
    ) -> Iterator[QueryResult | RankingResult | AudioError]:
        """Ask about many clips; yield the answers in the clips' order.

        Files are hashed in several processes where that is quicker. For a clip that cannot be
        decoded its error stands in the place of the answer. Parameters are those of `query`.

        Raises
        ------
        QueryError
            An argument is out of its range.
        """
        options = QueryOptions(
            granularity_s, k, max_false_matches, search, population, verify, track, channel
        )
        sandbox.start()  # it gets ready while the model is loaded
        if verify:
            hashing(self.fingerprinter)  # a ranking names places of 4 s, which no lag follows
        yield from query_many(
            list(sources),
            options,
            self._family,
            self._current_index,
            self.store,
            audit=audit,
            audio=audio,
        )

    def monitor(
        self,
        sources: Source | Mapping[str, Source],
        *,
        granularity_s: int = GRANULARITY_S,
        k: int = STREAM_MATCHES,
        max_false_matches: float = MAX_FALSE_MATCHES_PER_HOUR,
        search: str = "plain",
        population: Population = "speech",
        retries: int | None = None,
        follow: bool = False,
        on_status: Callable[[StreamStatus], None] = lambda _status: None,
        until: Event | None = None,
    ) -> Iterator[StreamMatch | StreamGap]:
        """Follow streams; yield each match when it has ended, in constant memory.

        A network stream that ends or breaks off is connected again, after 1 s, then after twice as
        long each time, up to a minute. The time without sound is yielded as a gap when it is over.

        Parameters
        ----------
        sources
            A URL that FFmpeg opens, "-" for standard input, or a path; or several by name.
        granularity_s
            Seconds searched for at once, 1 to 6.
        k
            Most matches for one segment of a stream.
        max_false_matches
            Expected number of false matches to accept in an hour of a stream.
        search
            As in `query`; the stream is then searched 12 s after 12 s.
        population
            As in `query`.
        retries
            After how many tries in a row without sound a network stream is given up; None is
            never, 0 at the first end.
        follow
            Go to other servers where a URL leads there: by a redirection, or by a playlist.
        on_status
            Called once a second for each stream.
        until
            When it is set, the streams count as ended.

        Raises
        ------
        AudioError, QueryError, StoreError
            A stream cannot be opened, broke off or was given up (then all that happened until
            there was given before, in the others too), an argument is out of its range, or the
            store is empty.
        """
        options = QueryOptions(granularity_s, k, max_false_matches, search, population)
        fingerprinter = self._hashing
        if not self._whole_index().table.total:
            raise StoreError(f"{self.store.url}: the store is empty; add recordings first")
        given = sources if isinstance(sources, Mapping) else {"": sources}
        yield from monitor(
            # An address may hold a password, so it does not name a stream.
            [("" if name == source else name, source) for name, source in given.items()],
            lambda name: listener_of(name, options, fingerprinter, self._whole_index(), self.store),
            self._whole_index,
            retries=retries,
            follow=follow,
            on_status=on_status,
            until=until,
        )

    def duplicates(
        self,
        *,
        granularity_s: int = GRANULARITY_S,
        max_false_matches: float = MAX_FALSE_PAIRS,
        population: Population = "speech",
        on_progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> Iterator[Duplicate]:
        """Yield the pairs of recordings in the store that share audio, each pair once.

        Parameters
        ----------
        granularity_s
            Seconds searched for at once, 1 to 6.
        max_false_matches
            Expected number of false pairs to accept, in all.
        population
            As in `query`.
        on_progress
            Called with the recordings done, and those in all.

        Raises
        ------
        QueryError
            An argument is out of its range.
        """
        options = QueryOptions(
            granularity_s, max_false_matches=max_false_matches, population=population
        )
        fingerprinter = self._hashing
        yield from duplicates(self._whole_index(), options, fingerprinter, self.store, on_progress)

    def duplicate_groups(
        self,
        *,
        granularity_s: int = GRANULARITY_S,
        max_false_matches: float = MAX_FALSE_PAIRS,
        least_shared: float = LEAST_SHARED,
        common: int = COMMON,
        population: Population = "speech",
        on_progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> RecordingGroups:
        """Group the recordings that share audio; a jingle or prompt that many hold joins none.

        Parameters
        ----------
        least_shared
            Seconds that two recordings must share besides common pieces.
        common
            Recordings that must hold a piece, as less than half of them, to make it a common one.

        Others are those of `duplicates`, which gives the pairs.
        """
        pairs = self.duplicates(
            granularity_s=granularity_s,
            max_false_matches=max_false_matches,
            population=population,
            on_progress=on_progress,
        )
        hop = self._hashing.hop
        return grouped(pairs, self._whole_index().table, hop, least_shared, common)

    def repeats(
        self,
        *,
        least_seconds: float = LEAST_SECONDS,
        on_progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> tuple[RepeatCluster, ...]:
        """Find stretches that recur in the recordings of the store; see `samaf.repeats`.

        The audio is not needed, so hashes alone decide: fewer repeats are found than in files.

        Raises
        ------
        QueryError
            ``least_seconds`` is below 1.
        """
        fingerprinter = self._hashing
        return stored_repeats(
            self._whole_index(), fingerprinter, self.store, least_seconds, on_progress
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
            Its id, the first 6 or more digits of its SHA-256, or its exact name; ``id:``,
            ``sha256:`` or ``name:`` in front says which.

        Raises
        ------
        StoreError
            There is none, or there are several.
        """
        text = f"id:{recording}" if isinstance(recording, int) else recording
        return self.store.resolve(text)

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

    def relocate(
        self,
        paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        *,
        on_progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> Iterator[Relocation]:
        """Look for recordings whose files have moved; let their paths follow.

        Yields the recordings that were not at their paths, those that were not found last. Each
        change is written into the audit log.

        Parameters
        ----------
        paths
            Files, and folders to look through. Files are identified by their SHA-256.
        on_progress
            Called with the files read, and those in all.

        Raises
        ------
        AudioError, StoreError
            A path does not exist (then nothing changes), or the store cannot be written.
        """
        given = [paths] if isinstance(paths, str | os.PathLike) else paths
        yield from relocate(self.store, given, on_progress)

    def stats(self) -> StoreStats:
        """Sum the store up, and tell whether the index is current, without reading it."""
        return with_index_state(self.store.stats(), self.store, self._cache_folder)


def open(  # noqa: A001  # samaf.open reads as intended
    url: str | os.PathLike[str] | None = None,
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
        ``samaf.index``. Or a database that `Engine.add` keeps current, ``chdb:///FOLDER`` or
        ``clickhouse://USER@HOST/DATABASE``: see ``docs/cluster.md``.
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
    path = None if url is None else os.fspath(url)
    return Engine(Store.open(path, create=create), model, index, cache_folder)
