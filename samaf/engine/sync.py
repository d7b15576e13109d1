"""Recordings of one event by several devices, put on one time line.

Hashes say which recordings share sound, and where about. The whitened correlation, tracked along
the recordings, measures offset, drift and jumps of some pairs of each group, and all of them
together give the time line.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from samaf.audio import Audio, Source, read
from samaf.engine.blas import one_blas_thread
from samaf.engine.cutting import write_synced
from samaf.engine.prepare import reason_for
from samaf.errors import QueryError
from samaf.fingerprinters import DEFAULT_MODEL, Fingerprinter, load_hash_model
from samaf.index import ExactIndex
from samaf.index.table import table_of
from samaf.matching import Candidate, Matcher, calibration_of
from samaf.matching.duplicates import shared
from samaf.records import Codes, Jump, SyncedRecording
from samaf.verification.timeline import Placed, timeline
from samaf.verification.tracking import FEWEST, WIDE, Guess, Track, track

WINDOW_HASHES = 21  # 6 s: two noisy rooms differ more than a clip and its source
MAX_FALSE_GUESSES = 1.0  # of hashes alone; the signals decide
SAME_LAG = 0.4  # s: two shared stretches in a row whose lags are nearer are one
LEAST_SHARE = 0.1  # of the moments that both recordings cover, that must agree
PARTNERS = 3  # that each recording is measured against at least, if as many overlap
LEAST_OVERLAP = 5.0  # s that a pair is worth measuring
ALONE = "no moment in common with the others"


@dataclass(frozen=True, slots=True, eq=False)
class _Recording:
    audio: Audio
    hashes: Codes

    @property
    def informative(self) -> bool:
        return bool(len(self.hashes) and self.hashes.informative.any())


def sync(
    files: Sequence[Source],
    *,
    model: str | None = None,
    cut: str | os.PathLike[str] | None = None,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[SyncedRecording, ...]:
    """Put recordings of the same event on one time line.

    Parameters
    ----------
    files
        Two or more. The first one of each group keeps its clock.
    cut
        A folder to write the recordings to as well, padded and resampled to the time line; see
        `write_synced`.
    on_progress
        Called with the recordings decoded, and those in all.

    Returns
    -------
    One result per file, in their order.

    Raises
    ------
    AudioError, FingerprinterError, QueryError
        A file cannot be decoded or written, there is no such model, or fewer than two files
        are given.
    """
    if len(files) < 2:
        raise QueryError("one recording has nothing to be synchronised with; give two or more")
    fingerprinter = load_hash_model(model or DEFAULT_MODEL)
    with one_blas_thread(), ExitStack() as stack:
        recordings = _opened(files, fingerprinter, stack, on_progress)
        groups = _Groups(recordings, fingerprinter)
        groups.connect()
        placed = [groups.placed(members) for members in groups.members()]
    results = [
        SyncedRecording(
            r.audio.path or r.audio.name,
            r.audio.sha256,
            r.audio.duration,
            reason=reason_for(r.audio.duration, r.informative, fingerprinter) or ALONE,
        )
        for r in recordings
    ]
    for number, group in enumerate(placed, 1):
        origin = min(one.place(0.0) for one in group.values())
        for member, one in group.items():
            results[member] = _result(results[member], number, one, origin)
    if cut is not None:
        write_synced(files, results, Path(cut))
    return tuple(results)


def _opened(
    files: Sequence[Source],
    fingerprinter: Fingerprinter,
    stack: ExitStack,
    on_progress: Callable[[int, int], None],
) -> list[_Recording]:
    """Decode and hash files, several at once."""

    def open_one(place: tuple[Source, ExitStack]) -> _Recording:
        source, own = place
        audio = own.enter_context(read(source))
        return _Recording(audio, fingerprinter.hashes(audio.chunks(), audio.sha256))

    places = [(source, stack.enter_context(ExitStack())) for source in files]
    recordings = []
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for recording in pool.map(open_one, places):
            recordings.append(recording)
            on_progress(len(recordings), len(files))
    return recordings


class _Groups:
    """Which recordings belong together, and what was measured between them."""

    def __init__(self, recordings: Sequence[_Recording], fingerprinter: Fingerprinter) -> None:
        self._recordings, self._fingerprinter = recordings, fingerprinter
        self._group = list(range(len(recordings)))
        self._tracks: dict[tuple[int, int], Track] = {}

    def connect(self) -> None:
        """Measure pairs until every recording is connected to all that it shares sound with."""
        usable = [n for n, r in enumerate(self._recordings) if r.informative]
        order = sorted(usable, key=lambda n: -self._recordings[n].audio.duration)
        for place, number in enumerate(order):
            others = [n for n in order[place + 1 :] if self._group[n] != self._group[number]]
            if others:
                for other, guesses in self._guesses(number, others):
                    self._measure(number, other, guesses)
        for members in self.members():
            placed = self.placed(members)
            for one in members:
                further = self._further(one, placed)
                # Which recording of a pair jumps is not known yet: the hashes show it again.
                searched = dict(self._guesses(one, further) if further else ())
                for other in further:
                    guesses = searched.get(other) or predicted(placed[one], placed[other])
                    self._measure(one, other, guesses)

    def members(self) -> list[list[int]]:
        """List the groups of two and more."""
        groups = [
            [n for n, group in enumerate(self._group) if group == name]
            for name in dict.fromkeys(self._group)
        ]
        return [members for members in groups if len(members) > 1]

    def placed(self, members: Sequence[int]) -> dict[int, Placed]:
        """Fit the time line of a group."""
        durations = {n: self._recordings[n].audio.duration for n in members}
        tracks = {pair: t for pair, t in self._tracks.items() if pair[0] in durations}
        return timeline(durations, tracks)

    def _guesses(self, number: int, others: Sequence[int]) -> Iterator[tuple[int, list[Guess]]]:
        """Search the hashes of one recording in those of others."""
        rows = [self._recordings[n].hashes.packed for n in (number, *others)]
        table = table_of(enumerate(rows), rows[0].shape[1])
        # Rooms and noise on both sides: nearly as far apart as two readings of one text.
        # The hashes propose only, so chance is counted against other speech alone.
        calibration = calibration_of(self._fingerprinter)
        matcher = Matcher(
            ExactIndex(table), calibration, WINDOW_HASHES, MAX_FALSE_GUESSES, len(others)
        )
        for position, candidates in shared(matcher, 0).items():
            hop = self._fingerprinter.hop
            yield others[position - 1], in_order([_guess(c, hop) for c in candidates])

    def _measure(self, one: int, other: int, guesses: Sequence[Guess]) -> None:
        """Track a pair along guesses; keep what agrees."""
        if not guesses or (one, other) in self._tracks or (other, one) in self._tracks:
            return
        found = track(self._recordings[one].audio, self._recordings[other].audio, guesses)
        if len(found) >= max(FEWEST, LEAST_SHARE * found.tried):
            self._tracks[one, other] = found
            old, new = self._group[other], self._group[one]
            self._group = [new if group == old else group for group in self._group]

    def _further(self, one: int, placed: dict[int, Placed]) -> list[int]:
        """List members worth measuring a recording against besides, longest overlap first."""
        partners = {n for pair in self._tracks if one in pair for n in pair} - {one}
        overlaps = {
            other: sum(guess.length for guess in predicted(placed[one], placed[other]))
            for other in placed
            if other != one and other not in partners
        }
        kept = [n for n, seconds in overlaps.items() if seconds >= LEAST_OVERLAP]
        kept.sort(key=lambda n: -overlaps[n])
        return kept[: max(0, PARTNERS - len(partners))]


def _guess(candidate: Candidate, hop: float) -> Guess:
    segment = candidate.segment
    slope = segment.alignment.slope
    # Clocks differ by less than the slope of hits is good to.
    slope = 1.0 if abs(slope - 1) < WIDE else slope
    middle = (segment.begin + segment.end) / 2
    first, centre = segment.begin * hop, segment.reference(middle) * hop
    length = (segment.end - segment.begin) * hop
    return Guess(first, centre - slope * length / 2, length, slope)


def in_order(guesses: Sequence[Guess]) -> list[Guess]:
    """Choose guesses that follow on each other in both recordings: the most seconds.

    A jingle that comes twice lies at a second place, which an event cannot run through.
    """
    ordered = sorted(guesses, key=lambda guess: guess.first)
    best: list[tuple[float, list[Guess]]] = []
    for guess in ordered:
        before = [
            (seconds, chain)
            for seconds, chain in best
            if chain[-1].first + chain[-1].length / 2 <= guess.first
            and chain[-1].place(chain[-1].first + chain[-1].length / 2) <= guess.second
        ]
        seconds, chain = max(before, key=lambda each: each[0], default=(0.0, []))
        best.append((seconds + guess.length, [*chain, guess]))
    chain = max(best, key=lambda each: each[0])[1] if best else []
    joined: list[Guess] = []
    for guess in chain:
        last = joined[-1] if joined else None
        if last and abs(last.place(guess.first) - guess.second) < SAME_LAG:
            joined[-1] = replace(last, length=guess.first + guess.length - last.first)
        else:
            joined.append(guess)
    return joined


def predicted(one: Placed, other: Placed) -> list[Guess]:
    """Tell which stretches two recordings of one time line share."""
    guesses = []
    slope = (1 + one.drift) / (1 + other.drift)
    for a in one.pieces:
        for b in other.pieces:
            # Where b's piece begins and ends, in the time of the first recording.
            begin, end = (
                (b.start - a.start + (1 + other.drift) * t) / (1 + one.drift)
                for t in (b.begin, b.end)
            )
            first, stop = max(a.begin, begin), min(a.end, end)
            if stop - first >= LEAST_OVERLAP:
                second = (a.start - b.start + (1 + one.drift) * first) / (1 + other.drift)
                guesses.append(Guess(first, second, stop - first, slope))
    return guesses


def _result(plain: SyncedRecording, number: int, placed: Placed, origin: float) -> SyncedRecording:
    pieces = placed.pieces
    jumps = tuple(
        Jump(after.begin, after.start - before.start)
        for before, after in zip(pieces[:-1], pieces[1:], strict=True)
    )
    return replace(
        plain,
        group=number,
        offset=pieces[0].start - origin,
        drift_ppm=(1 / (1 + placed.drift) - 1) * 1e6,
        offset_error=placed.start_error,
        drift_error_ppm=placed.drift_error * 1e6,
        residual=placed.residual,
        moments=placed.anchors,
        jumps=jumps,
        reason="",
    )
