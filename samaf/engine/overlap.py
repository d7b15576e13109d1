"""What two collections share: training and test sets, archives, folders."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import count
from math import log10
from os import PathLike
from pathlib import Path

import numpy as np

from samaf.audio import audio_files
from samaf.engine.blas import one_blas_thread
from samaf.engine.compare import turned
from samaf.engine.engine import Engine, open
from samaf.engine.groups import distinct_pairs
from samaf.engine.hash_query import matcher_of, to_matches
from samaf.engine.options import COMMON, GRANULARITY_S, LEAST_SHARED, MAX_FALSE_PAIRS, QueryOptions
from samaf.engine.overlap_signals import with_signals
from samaf.errors import AudioError, FingerprinterError, StoreError
from samaf.fingerprinters import hashing
from samaf.matching import PLAIN
from samaf.records import (
    Duplicate,
    Hashes,
    Match,
    Overlap,
    QueryResult,
    RankingResult,
    Recording,
)

SQLITE = b"SQLite format 3\x00"
RECORDINGS = 50  # found for one segment of a recording of the second collection
VERIFIED_SECONDS = 3.0  # files below are too short for hashes alone
OWN_ID = 1 << 40  # added to the ids of the second collection: both count from 1 on

Progress = Callable[[int, int], None]


def overlap(
    first: str | PathLike[str],
    second: str | PathLike[str],
    *,
    granularity_s: int = GRANULARITY_S,
    max_false_matches: float = MAX_FALSE_PAIRS,
    least_shared: float = LEAST_SHARED,
    common: int = COMMON,
    index: str = "exact",
    model: str | None = None,
    on_progress: Progress = lambda _done, _total: None,
) -> Overlap:
    """Find the audio that two collections share.

    Hashes find it, and where the audio of both is at hand, signals find more, and refuse readings
    of the same text. The audio of a store is read from where its files were added.

    Parameters
    ----------
    first, second
        A store (file or URL), a folder, or an audio file each. The recordings of the second one
        are searched for in the first.
    granularity_s
        Seconds searched for at once, 1 to 6.
    max_false_matches
        Expected number of false pairs to accept, in all.
    least_shared
        Seconds that a pair must share besides common pieces.
    common
        Recordings that must hold a piece, as a part of them, to make it a common one.
    index
        As in `samaf.open`, for the first collection.
    on_progress
        Called with the recordings searched for, and those in all.

    Raises
    ------
    AudioError, StoreError, FingerprinterError, QueryError
        There is no such file or store, both belong to different models, or a number is out of
        its range.
    """
    with ExitStack() as stack:
        engine, passed_over = _opened(Path(first), str(first), index, model, stack)
        options = QueryOptions(granularity_s, RECORDINGS, max_false_matches)
        searched: Iterator[tuple[Recording, tuple[Match, ...]]]
        if _is_store(str(second)):
            other = stack.enter_context(open(str(second), model=model, create=False))
            if other.fingerprinter.digest != engine.fingerprinter.digest:
                raise FingerprinterError(
                    f"{second}: belongs to another model than {first}; rehash one of them"
                )
            total = other.stats().recordings
            searched = _stored(engine, other, options, max(1, total))
        else:
            files = list(audio_files([second]))
            total = len(files)
            searched = _files(engine, files, options, least_shared, passed_over)
        stored = engine.stats().recordings
        everything = total + stored
        others: list[Recording] = []
        matches: dict[int, tuple[Match, ...]] = {}  # by the id of the second collection's recording
        for recording, found in searched:
            others.append(replace(recording, recording_id=OWN_ID + len(others)))
            matches[others[-1].recording_id] = found
            on_progress(len(others), everything)
        looked = count(total + 1)
        kept = with_signals(
            engine, others, matches, options, lambda: on_progress(next(looked), everything)
        )
        pairs = [pair for own in others for pair in _pairs(own, kept[own.recording_id])]
        distinct, pieces = distinct_pairs(pairs, least_shared, common)
        compared = (stored, len(others))
    return Overlap(tuple(pair for pair, _ in distinct), pieces, compared, tuple(passed_over))


def _pairs(own: Recording, matches: Sequence[Match]) -> Iterator[Duplicate]:
    """Yield the recordings of the first collection that share audio with one of the second."""
    by_reference: dict[int, list[Match]] = defaultdict(list)
    for match in matches:
        by_reference[match.recording.recording_id].append(match)
    for found in by_reference.values():
        yield Duplicate(found[0].recording, own, tuple(turned(m, own) for m in found))


def _is_store(place: str) -> bool:
    """Tell a store from a folder or a sound."""
    if "://" in place:
        return True
    path = Path(place)
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(SQLITE)) == SQLITE


def _opened(
    path: Path, place: str, index: str, model: str | None, stack: ExitStack
) -> tuple[Engine, list[tuple[str, str]]]:
    """Open a store, or fill one for the time being; give the files that could not be used."""
    if _is_store(place):
        engine = stack.enter_context(open(place, model=model, index=index, create=False))
        if not engine.index.table.total:
            raise StoreError(f"{engine.store.url}: the store is empty; add recordings first")
        return engine, []
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="samaf-overlap-")))
    url, cache = str(folder / "store.db"), folder / "index"
    engine = stack.enter_context(open(url, model=model, index=index, cache_folder=cache))
    failed = [
        (result.path, result.message.removeprefix(f"{result.path}: "))
        for result in engine.add([path])
        if result.status == "failed"
    ]
    return engine, failed


def _files(
    engine: Engine,
    files: list[Path],
    options: QueryOptions,
    least_shared: float,
    passed_over: list[tuple[str, str]],
) -> Iterator[tuple[Recording, tuple[Match, ...]]]:
    """Search for files; of short ones the signals are compared as well, where they are at hand."""
    ask = partial(
        engine.query_many,
        granularity_s=options.granularity_s,
        k=options.k,
        max_false_matches=options.max_false_matches / max(1, len(files)),
    )
    short = []
    for file, result in zip(files, ask(files), strict=True):
        if isinstance(result, QueryResult) and result.duration < VERIFIED_SECONDS:
            short.append(file)
        else:
            yield from _found(file, result, least_shared, passed_over)
    for file, result in zip(short, ask(short, verify=True), strict=True):
        if isinstance(result, QueryResult):
            kept = tuple(m for m in result.matches if _counts(m, options, len(files)))
            result = replace(result, matches=kept)
        yield from _found(file, result, least_shared, passed_over)


def _found(
    file: Path,
    result: QueryResult | RankingResult | AudioError,
    least_shared: float,
    passed_over: list[tuple[str, str]],
) -> Iterator[tuple[Recording, tuple[Match, ...]]]:
    """Yield what was found for a file, or note why it was not compared."""
    if isinstance(result, AudioError):
        passed_over.append((str(file), str(result).removeprefix(f"{file}: ")))
        return
    assert isinstance(result, QueryResult)
    reason = result.reason
    if not reason and result.duration < least_shared:
        reason = f"shorter than the {least_shared:g} s that must be shared"
    if reason:
        passed_over.append((str(file), reason))
        return
    recording = Recording(result.sha256, file.name, result.query, result.duration)
    yield recording, result.matches


def _counts(match: Match, options: QueryOptions, files: int) -> bool:
    """Whether hashes or signals support a match as well as all candidates of all files ask for."""
    most = options.max_false_matches / files
    proof = match.verification.score if match.verification else 0.0
    return match.score >= -log10(most) or proof >= log10(options.k / most)


def _stored(
    engine: Engine, other: Engine, options: QueryOptions, total: int
) -> Iterator[tuple[Recording, tuple[Match, ...]]]:
    """Search for the recordings of a store by their hashes."""
    fingerprinter = hashing(engine.fingerprinter)
    options = replace(options, max_false_matches=options.max_false_matches / total)
    matcher = matcher_of(fingerprinter, engine.index, options)
    table = other.index.table
    for position, number in enumerate(table.recording_ids.tolist()):
        if table.side(position):
            continue  # a side is part of the mix
        rows = np.ascontiguousarray(table.rows(position))
        recording = other.store.get(number)
        with one_blas_thread():
            candidates = matcher.find([(PLAIN, Hashes(rows, np.ones(len(rows), bool)))])
        yield (
            recording,
            to_matches(candidates, engine.index, fingerprinter, engine.store, recording.duration),
        )
