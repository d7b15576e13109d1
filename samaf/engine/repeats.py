"""What occurs again and again, in files or in a store, without any reference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from statistics import median

import numpy as np

from samaf.audio import Audio, Source, read
from samaf.engine.blas import one_blas_thread
from samaf.engine.options import LEAST_SECONDS
from samaf.errors import QueryError
from samaf.fingerprinters import DEFAULT_MODEL, Fingerprinter, load_hash_model
from samaf.index import ExactIndex, HashTable, Index
from samaf.index.table import table_of
from samaf.matching import calibration_of
from samaf.matching.pieces import Pair, Place, pieces
from samaf.matching.repeats import RepeatPair, repeat_pairs
from samaf.records import Recording, RepeatCluster, RepeatPlace
from samaf.store import Store
from samaf.verification.boundaries import Boundaries, boundaries
from samaf.verification.tracking import lag_at

MAX_FALSE_REPEATS = 1e-3  # expected pairs in all, where hashes alone decide
AGREES_TOO = 20.0  # z of places that others have connected
WINDOW = 4.0  # s of a pair that the signals are compared in
LEAST_HALF, LONG_WINDOW = 2.0, 6.0  # s of windows of which two must agree at the same lag
AGREE_BOTH = 8.0  # z of both
SAME_LAG = 2e-4  # s between their lags; 32,000 lags are looked at
CLEAR = 0.15  # bit error rate of sure pairs whose signals need not be compared
AGREES = 30.0  # z of windows; what one voice says twice reaches 16, rarely 28
APART = 60.0  # s between two recordings on the common axis of time

Progress = Callable[[int, int], None]


def repeats(
    sources: Sequence[Source],
    *,
    least_seconds: float = LEAST_SECONDS,
    model: str | None = None,
    on_progress: Progress = lambda _done, _total: None,
) -> tuple[RepeatCluster, ...]:
    """Find stretches that recur in files, or from file to file, without any reference.

    Hashes propose, and where they do not suffice the waveform decides. Memory grows by about
    10 MB with each hour.

    Parameters
    ----------
    least_seconds
        Length of the shortest pieces to give, 1 or more.
    on_progress
        Called with the hashes searched for, and those in all.

    Returns
    -------
    Those with most places first.

    Raises
    ------
    AudioError, FingerprinterError, QueryError
        A file cannot be decoded, there is no such model, or a length is out of range.
    """
    _check(least_seconds)
    fingerprinter = load_hash_model(model or DEFAULT_MODEL)
    with one_blas_thread(), ExitStack() as stack:
        audios, rows = [], []
        for source in sources:
            audio = stack.enter_context(read(source))
            rows.append(fingerprinter.hashes(audio.chunks(), audio.sha256).packed)
            audios.append(audio)
        index = ExactIndex(table_of(enumerate(rows), fingerprinter.card.bits // 8))
        pairs = _pairs(index, fingerprinter, on_progress)
        pairs = [pair for each in pairs if (pair := _decided(each, audios))]
        recordings = [
            Recording(audio.sha256, audio.name, audio.path or audio.name, audio.duration)
            for audio in audios
        ]
        found = clusters(pairs, recordings, 1.0)
        compared = [_compared(cluster, audios) for cluster in found]
    return _numbered([c for c in compared if c.seconds >= least_seconds and len(c.places) > 1])


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
        pairs = [pair for pair in _pairs(index, fingerprinter, on_progress) if pair.sure]
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


def _decided(pair: RepeatPair, audios: Sequence[Audio]) -> RepeatPair | None:
    """Let the waveform decide on a pair that hashes do not make clear."""
    if pair.sure and pair.ber <= CLEAR:
        return pair
    a, b = pair.pair.first
    one, other = audios[pair.first_recording], audios[pair.second_recording]
    lag = _lag(one, other, (a, b), pair.pair.second[0] - a, AGREES)
    if lag is None:
        return None
    return replace(pair, pair=Pair((a, b), (a + lag, b + lag)), sure=True)


def _lag(one: Audio, other: Audio, place: Place, expected: float, least: float) -> float | None:
    """Measure how far behind a place of a sound another one is where it agrees, in seconds.

    Either a window agrees by itself, or two that share nothing agree at the same lag, as under two
    voices. ``expected`` is right to 0.3 s; ``least`` is the z of a single window.
    """
    start, stop = place
    half = (stop - start) / 2
    window = min(WINDOW, 2 * half)
    found = _agreement(one, other, start + half, expected, window)
    if found[1] >= least or half < LEAST_HALF:
        return found[0] if found[1] >= least else None
    window = min(half, LONG_WINDOW)
    middles = start + half - window / 2, start + half + window / 2
    before, behind = (_agreement(one, other, m, expected, window) for m in middles)
    if max(before[1], behind[1]) >= least:
        return max(before, behind, key=lambda each: each[1])[0]
    same = abs(before[0] - behind[0]) <= SAME_LAG and min(before[1], behind[1]) >= AGREE_BOTH
    return before[0] if same else None


def _agreement(
    one: Audio, other: Audio, moment: float, expected: float, window: float
) -> tuple[float, float]:
    """Give lag and z of a window, z 0 where either side is silent."""
    found = lag_at(one, other, moment, moment + expected, window)
    return (found[0] - moment, found[1]) if found else (0.0, 0.0)


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


def _compared(cluster: RepeatCluster, audios: Sequence[Audio]) -> RepeatCluster:
    """Compare the signals of places that follow on each other: where each begins and ends.

    Places that agree with neither neighbor are left out: their hashes went on too far.
    """
    by_sha256 = {audio.sha256: audio for audio in audios}
    seen: list[list[Boundaries]] = [[] for _ in cluster.places]
    for i, (one, other) in enumerate(zip(cluster.places[:-1], cluster.places[1:], strict=True)):
        here, there = by_sha256[one.recording.sha256], by_sha256[other.recording.sha256]
        middles = (other.start + other.stop - one.start - one.stop) / 2
        expected = middles, other.start - one.start, other.stop - one.stop
        lags = (_lag(here, there, (one.start, one.stop), e, AGREES_TOO) for e in expected)
        lag = next((lag for lag in lags if lag is not None), None)
        if lag is not None:
            edges = boundaries(here, there, one.start, one.stop, lag)
            seen[i].append(edges)
            seen[i + 1].append(Boundaries(edges.start + lag, edges.stop + lag))
    places = []
    for place, edges_of_place in zip(cluster.places, seen, strict=True):
        if edges_of_place:
            start = _usual([edges.start for edges in edges_of_place], place.start)
            stop = _usual([edges.stop for edges in edges_of_place], place.stop)
            places.append(replace(place, start=start, stop=stop) if start < stop else place)
    length = float(median(p.stop - p.start for p in places)) if places else 0.0
    return replace(cluster, seconds=length, places=tuple(places))


def _usual(moments: Sequence[float], otherwise: float) -> float:
    known = [moment for moment in moments if np.isfinite(moment)]
    return max(0.0, float(median(known))) if known else otherwise


def _place(place: Place, origins: np.ndarray, recordings: Sequence[Recording]) -> RepeatPlace:
    at = int(np.searchsorted(origins, (place[0] + place[1]) / 2, "right")) - 1
    recording = recordings[at]
    start, stop = (float(np.clip(t - origins[at], 0, recording.duration)) for t in place)
    return RepeatPlace(recording, start, stop)
