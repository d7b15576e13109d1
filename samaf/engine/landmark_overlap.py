"""What two collections share that is too short for hashes: landmarks propose, signals decide."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log10

import numpy as np

from samaf.audio import Audio
from samaf.engine.engine import Engine
from samaf.engine.hash_query import HashFamily
from samaf.engine.options import QueryOptions
from samaf.engine.references import References
from samaf.engine.stopwatch import Stopwatch
from samaf.engine.verification import with_verification
from samaf.errors import AudioError
from samaf.fingerprinters import hashing
from samaf.matching import PLAIN, PreparedQuery, hash_under
from samaf.matching.sections import later
from samaf.records import Match, QueryResult, Recording
from samaf.verification.landmarks import FRAME_SECONDS, LandmarkIndex, landmarks, on_one_axis
from samaf.verification.signals import SAMPLE_RATE, cut

EDGE = 0.1  # s beyond the landmarks at both ends
LEAST = 0.5  # s that are compared
MOST = 6.0  # s
PLACES = 50  # of the first collection for one recording of the second
ENOUGH = 8  # matches of a place: more tell nothing new
NEAR = 1.0  # s


def short_overlaps(
    engine: Engine,
    second: Sequence[Recording],
    known: Mapping[int, Sequence[Match]],
    options: QueryOptions,
    on_recording: Callable[[], None],
) -> Iterator[tuple[Recording, Match]]:
    """Yield recordings of the second collection with what the signals prove in the first.

    Only recordings whose audio is at hand are looked at. A place that is in `ENOUGH` matches is
    not compared further.

    Parameters
    ----------
    engine
        Of the first collection.
    known
        Matches that are there already, by the id of the second collection's recording.
    options
        The maximum of false matches, of all pairs, is divided among all that is proposed.
    on_recording
        Called for each recording of the first collection.
    """
    with References() as references:
        proposed = proposals(engine.store.recordings(), second, references, on_recording)
        count = max(PLACES, sum(map(len, proposed.values())))
        least = log10(count / options.max_false_matches)
        comparison = _Comparison(engine, references, replace(options, verify=True))
        for recording in second:
            given = list(known[recording.recording_id])
            for proposal in proposed.get(recording.recording_id, ()):
                if not _is_known(proposal, given):
                    for match in comparison.matches(proposal):
                        if match.verification and match.verification.score >= least:
                            given.append(match)
                            yield recording, match


@dataclass(frozen=True, slots=True)
class Proposal:
    """A stretch of a recording that may lie in one of the first collection, ``lag`` s later."""

    recording: Recording
    first: Recording
    start: float
    stop: float
    lag: float
    votes: int


def proposals(
    first: Iterable[Recording],
    second: Sequence[Recording],
    references: References,
    on_recording: Callable[[], None],
) -> dict[int, list[Proposal]]:
    """Look for recordings of the second collection in the first, where the audio is at hand.

    Landmarks of the second one are held in memory; the first one is decoded recording by recording.

    Returns
    -------
    By the id of the second collection's recording, the likeliest first, at most `PLACES`.
    """
    marks, there = [], []
    for recording in second:
        if audio := _at_hand(recording, references):
            marks.append(landmarks(audio))
            there.append(recording)
    if not there:
        return {}
    together, origins = on_one_axis(marks, [recording.duration for recording in there])
    index = LandmarkIndex(together)
    found: dict[int, list[Proposal]] = defaultdict(list)
    for recording in first:
        on_recording()
        audio = _at_hand(recording, references)
        for same in index.agreements(landmarks(audio)) if audio else ():
            middle = (same.start + same.stop) / 2 + same.lag
            number = int(np.searchsorted(origins, middle, "right")) - 1
            lag = (origins[number] - same.lag) * FRAME_SECONDS
            start, stop = same.start * FRAME_SECONDS - lag, same.stop * FRAME_SECONDS - lag
            own = there[number]
            found[own.recording_id].append(
                Proposal(own, recording, start, stop, float(lag), same.votes)
            )
    return {number: sorted(some, key=lambda p: -p.votes)[:PLACES] for number, some in found.items()}


def _at_hand(recording: Recording, references: References) -> Audio | None:
    try:
        return references.audio(recording)
    except AudioError:
        return None


class _Comparison:
    """Compares what landmarks propose by hashes and signals, as a short file is compared."""

    def __init__(self, engine: Engine, references: References, options: QueryOptions) -> None:
        self._engine, self._references, self._options = engine, references, options
        self._fingerprinter = hashing(engine.fingerprinter)

    def matches(self, proposal: Proposal) -> Iterator[Match]:
        """Yield the matches at the place that is proposed."""
        audio = _at_hand(proposal.recording, self._references)
        if audio is None:  # it was a moment ago
            return
        start, clip = self._excerpt(proposal, audio)
        family, engine = HashFamily(self._fingerprinter), self._engine
        result = family.search(clip, self._options, engine.index, engine.store, Stopwatch())
        there = tuple(match for match in result.matches if _covers(later(match, start), proposal))
        result = replace(result, matches=there)
        for match in with_verification(result, clip, self._references, self._options).matches:
            yield later(match, start)

    def _excerpt(self, proposal: Proposal, audio: Audio) -> tuple[float, PreparedQuery]:
        """Cut out what may be shared, as a clip; also give where it begins."""
        start, stop = max(0.0, proposal.start - EDGE), proposal.stop + EDGE
        middle = (start + stop) / 2
        start = max(0.0, min(start, middle - LEAST / 2), middle - MOST / 2)
        stop = min(max(stop, middle + LEAST / 2), middle + MOST / 2)
        samples = cut(audio, round(start * SAMPLE_RATE), round((stop - start) * SAMPLE_RATE))
        samples = samples / max(float(np.abs(samples).max(initial=0)), 1e-9)
        salt = f"{proposal.recording.sha256} {start}"
        grids = hash_under(samples, salt, self._fingerprinter, [PLAIN])
        result = QueryResult(
            proposal.recording.name, proposal.recording.sha256, len(samples) / SAMPLE_RATE
        )
        return start, PreparedQuery(result, tuple(grids), samples)


def _is_known(proposal: Proposal, given: Sequence[Match]) -> bool:
    if any(_covers(match, proposal) for match in given):
        return True
    middle = (proposal.start + proposal.stop) / 2
    return sum(match.query_start <= middle <= match.query_stop for match in given) >= ENOUGH


def _covers(match: Match, proposal: Proposal) -> bool:
    """Whether a match lies about where a proposal does, in both recordings."""
    if match.recording.recording_id != proposal.first.recording_id:
        return False
    middle = (proposal.start + proposal.stop) / 2
    if not match.query_start - NEAR <= middle <= match.query_stop + NEAR:
        return False
    lag = match.reference_start - match.query_start
    end = match.reference_stop - match.query_stop
    return min(lag, end) - NEAR <= proposal.lag <= max(lag, end) + NEAR
