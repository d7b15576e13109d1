"""What occurs again and again, in files or in a store, without any reference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from statistics import median

import numpy as np

from samaf.audio import Source, read
from samaf.engine.blas import one_blas_thread
from samaf.engine.landmark_pairs import landmark_pairs
from samaf.engine.options import LEAST_SECONDS
from samaf.engine.recurring import recurring
from samaf.errors import QueryError
from samaf.fingerprinters import Fingerprinter
from samaf.index import ExactIndex, HashTable, Index
from samaf.matching import calibration_of
from samaf.matching.pieces import Pair, Place, pieces
from samaf.matching.repeats import RepeatPair, repeat_pairs
from samaf.records import Recording, RepeatCluster, RepeatPlace
from samaf.store import Store

MAX_FALSE_REPEATS = 1e-3  # expected pairs in all, where hashes alone decide
APART = 60.0  # s between two recordings on the common axis of time

Progress = Callable[[int, int], None]


def repeats(
    sources: Sequence[Source],
    *,
    least_seconds: float = LEAST_SECONDS,
    on_progress: Progress = lambda _done, _total: None,
) -> tuple[RepeatCluster, ...]:
    """Find stretches that recur in files, or from file to file, without any reference.

    Landmarks propose, and the waveform decides. Memory grows by about 30 MB with each hour.

    Parameters
    ----------
    least_seconds
        Length of the shortest pieces to give, 1 or more.
    on_progress
        Called with the files whose landmarks were found, and those in all.

    Returns
    -------
    Those with most places first.

    Raises
    ------
    AudioError, QueryError
        A file cannot be decoded, or a length is out of range.
    """
    _check(least_seconds)
    with one_blas_thread(), ExitStack() as stack:
        audios = [stack.enter_context(read(source)) for source in sources]
        pairs = landmark_pairs(audios, on_progress)
        recordings = [
            Recording(audio.sha256, audio.name, audio.path or audio.name, audio.duration)
            for audio in audios
        ]
        found = recurring(clusters(pairs, recordings, 1.0), pairs, recordings, audios)
    return _numbered([c for c in found if c.seconds >= least_seconds])


def stored_repeats(
    index: Index,
    fingerprinter: Fingerprinter,
    store: Store,
    least_seconds: float,
    on_progress: Progress,
) -> tuple[RepeatCluster, ...]:
    """Find stretches that recur in a store; see ``Engine.repeats``."""
    _check(least_seconds)
    table = index.table
    if not isinstance(table, HashTable):
        raise QueryError(
            "an index on other machines is not searched for repeats; use --index exact"
        )
    if table.sides is not None:  # a side repeats what its mix holds
        table = table.only(table.sides == 0)
    index = ExactIndex(table)
    with one_blas_thread():
        pairs = _pairs(index, fingerprinter, on_progress)
    ids = [int(number) for number in index.table.recording_ids]
    stored = store.get_many(ids)
    # A recording deleted in the meantime has no places.
    there = [number in stored for number in ids]
    pairs = [p for p in pairs if there[p.first_recording] and there[p.second_recording]]
    nothing = Recording("", "", "", 0.0)
    return clusters(pairs, [stored.get(number, nothing) for number in ids], least_seconds)


def _check(least_seconds: float) -> None:
    if not least_seconds >= 1:
        raise QueryError(f"{least_seconds} s are shorter than a hash; choose 1 or more")


def _pairs(
    index: ExactIndex, fingerprinter: Fingerprinter, on_progress: Progress
) -> list[RepeatPair]:
    calibration = calibration_of(fingerprinter)
    return repeat_pairs(index, calibration, fingerprinter.hop, MAX_FALSE_REPEATS, on_progress)


def clusters(
    pairs: Sequence[RepeatPair], recordings: Sequence[Recording], least_seconds: float
) -> tuple[RepeatCluster, ...]:
    """Make clusters of pairs, those with most places first.

    Parameters
    ----------
    recordings
        By their positions in the pairs.
    """
    durations = np.array([recording.duration for recording in recordings])
    origins = np.cumsum(durations + APART) - durations - APART

    def moved(stretch: Place, recording: int) -> Place:
        return stretch[0] + origins[recording], stretch[1] + origins[recording]

    flat = [
        Pair(moved(p.pair.first, p.first_recording), moved(p.pair.second, p.second_recording))
        for p in pairs
    ]
    found = []
    for places in pieces(flat):
        length = float(median(stop - start for start, stop in places))
        if length >= least_seconds:
            found.append((length, [_place(place, origins, recordings) for place in places]))
    return _numbered([RepeatCluster(0, length, tuple(places)) for length, places in found])


def _numbered(found: Sequence[RepeatCluster]) -> tuple[RepeatCluster, ...]:
    """Put clusters in order and number them from 1 on."""
    ordered = sorted(found, key=lambda cluster: (-len(cluster.places), -cluster.seconds))
    return tuple(replace(cluster, number=number) for number, cluster in enumerate(ordered, 1))


def _place(place: Place, origins: np.ndarray, recordings: Sequence[Recording]) -> RepeatPlace:
    at = int(np.searchsorted(origins, (place[0] + place[1]) / 2, "right")) - 1
    recording = recordings[at]
    start, stop = (float(np.clip(t - origins[at], 0, recording.duration)) for t in place)
    return RepeatPlace(recording, start, stop)
