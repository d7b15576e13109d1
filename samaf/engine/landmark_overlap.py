"""What two collections share that is too short for hashes: landmarks propose, signals decide."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
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
NEAR = 1.0  # s


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
) -> list[Proposal]:
    """Look for recordings of the second collection in the first, where the audio is at hand.

    Landmarks of the second one are held in memory, 5 MB an hour; the first one is decoded
    recording by recording. Of one recording of the second the likeliest `PLACES` are given.
    """
    marks, there = [], []
    for recording in second:
        if audio := _at_hand(recording, references):
            marks.append(landmarks(audio))
            there.append(recording)
    if not there:
        return []
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
            found[number].append(
                Proposal(there[number], recording, start, stop, float(lag), same.votes)
            )
    return [
        proposal
        for some in found.values()
        for proposal in sorted(some, key=lambda p: -p.votes)[:PLACES]
    ]


def _at_hand(recording: Recording, references: References) -> Audio | None:
    try:
        return references.audio(recording)
    except AudioError:
        return None


class Decider:
    """Lets the signals decide on what landmarks propose.

    Parameters
    ----------
    engine
        Of the first collection.
    options
        Its maximum of false matches is that of all pairs.
    """

    def __init__(self, engine: Engine, references: References, options: QueryOptions) -> None:
        self._engine, self._references = engine, references
        self._options = replace(options, verify=True)
        self._fingerprinter = hashing(engine.fingerprinter)

    def matches(
        self, proposed: Sequence[Proposal], known: Mapping[tuple[int, int], Sequence[Match]]
    ) -> Iterator[tuple[Recording, Match]]:
        """Yield recordings of the second collection with what the signals prove in the first.

        The maximum of false matches is divided among all that is proposed.

        Parameters
        ----------
        known
            Matches that are there already, by the ids of both recordings, first collection first.
        """

        def ids(proposal: Proposal) -> tuple[int, int]:
            return proposal.first.recording_id, proposal.recording.recording_id

        least = log10(max(PLACES, len(proposed)) / self._options.max_false_matches)
        for both, group in groupby(sorted(proposed, key=ids), ids):
            given = list(known.get(both, ()))
            for proposal in sorted(group, key=lambda p: -p.votes):
                if any(covers(match, proposal) for match in given):
                    continue
                for match in self._compared(proposal):
                    if not match.verification or match.verification.score < least:
                        continue
                    given.append(match)
                    yield proposal.recording, match

    def _compared(self, proposal: Proposal) -> Iterator[Match]:
        start, clip = self._excerpt(proposal)
        family, engine = HashFamily(self._fingerprinter), self._engine
        result = family.search(clip, self._options, engine.index, engine.store, Stopwatch())
        there = tuple(
            match
            for match in result.matches
            if match.recording.recording_id == proposal.first.recording_id
            and covers(later(match, start), proposal)
        )
        result = replace(result, matches=there)
        for match in with_verification(result, clip, self._references, self._options).matches:
            yield later(match, start)

    def _excerpt(self, proposal: Proposal) -> tuple[float, PreparedQuery]:
        """Cut out what may be shared, as a clip; also give where it begins."""
        audio = self._references.audio(proposal.recording)
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


def covers(match: Match, proposal: Proposal) -> bool:
    """Whether a match lies about where a proposal does, in both recordings."""
    middle = (proposal.start + proposal.stop) / 2
    if not match.query_start - NEAR <= middle <= match.query_stop + NEAR:
        return False
    lag = match.reference_start - match.query_start
    end = match.reference_stop - match.query_stop
    return min(lag, end) - NEAR <= proposal.lag <= max(lag, end) + NEAR
