"""What two collections share, by their signals: landmarks propose what is too short for hashes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log10

import numpy as np

from samaf.audio import Audio
from samaf.engine.engine import Engine
from samaf.engine.hash_query import HashFamily
from samaf.engine.options import QueryOptions
from samaf.engine.references import References
from samaf.engine.stopwatch import Stopwatch
from samaf.engine.verification import is_verified, with_verification
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
READING = 0.25  # bit error rate from which on one may read what another does
ENOUGH = 8  # matches of a place: more tell nothing new
NEAR = 1.0  # s

Place = tuple[float, float]  # start and stop, in s


def with_signals(
    engine: Engine,
    second: Sequence[Recording],
    found: Mapping[int, Sequence[Match]],
    options: QueryOptions,
    on_recording: Callable[[], None],
) -> dict[int, list[Match]]:
    """Give what hashes found that signals do not refuse, and what signals prove beside.

    Where audio is not at hand, hashes alone decide. Of a match that a reading of the same text
    would explain, see `READING`, the signals must prove that it is the same sound. A place that is
    in `ENOUGH` matches is not compared further.

    Parameters
    ----------
    engine
        Of the first collection.
    found
        By the id of the second collection's recording, as is what is given.
    options
        The maximum of false matches, of all pairs, is divided among all that is proposed.
    on_recording
        Called for each recording of the first collection.
    """
    kept = {number: list(matches) for number, matches in found.items()}
    with References() as references:
        proposed = proposals(engine.store.recordings(), second, references, on_recording)
        count = max(PLACES, sum(map(len, proposed.values())))
        least = log10(count / options.max_false_matches)
        comparison = _Comparison(engine, references, replace(options, verify=True))
        for recording in second:
            own = kept[recording.recording_id]
            doubtful = sorted(
                filter(_is_doubtful, own), key=lambda match: match.recording.recording_id
            )
            likely = proposed.get(recording.recording_id, [])
            places = [(match.query_start, match.query_stop) for match in doubtful]
            places += [proposal.stretch for proposal in likely]
            # All at once: a long recording is decoded each time that others were needed.
            excerpts = _excerpts(recording, places, references)
            for match, excerpt in zip(doubtful, excerpts, strict=False):
                if comparison.refuses(match, excerpt):
                    own.remove(match)
            for proposal, excerpt in zip(likely, excerpts[len(doubtful) :], strict=False):
                if not _is_known(proposal, own):
                    own += comparison.proven(proposal, excerpt, least)
    return kept


@dataclass(frozen=True, slots=True)
class Proposal:
    """A stretch of a recording that may lie in one of the first collection, ``lag`` s later."""

    recording: Recording
    first: Recording
    start: float
    stop: float
    lag: float
    votes: int

    @property
    def stretch(self) -> Place:
        """What is to be compared of the recording."""
        middle = (self.start + self.stop) / 2
        half = min(max((self.stop - self.start) / 2 + EDGE, LEAST / 2), MOST / 2)
        return max(0.0, middle - half), middle + half


@dataclass(frozen=True, slots=True, eq=False)
class Excerpt:
    """Samples, float32 (n,), cut out of a recording from ``start`` on, in s."""

    recording: Recording
    start: float
    samples: np.ndarray


def _excerpts(
    recording: Recording, places: Sequence[Place], references: References
) -> list[Excerpt]:
    """Cut places out of a recording; none where its audio is not at hand."""
    audio = _at_hand(recording, references) if places else None
    if audio is None:
        return []
    return [
        Excerpt(
            recording,
            start,
            cut(audio, round(start * SAMPLE_RATE), round((stop - start) * SAMPLE_RATE)),
        )
        for start, stop in places
    ]


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
    """Compares stretches with the first collection by hashes and signals, as short files are."""

    def __init__(self, engine: Engine, references: References, options: QueryOptions) -> None:
        self._engine, self._references, self._options = engine, references, options
        self._fingerprinter = hashing(engine.fingerprinter)

    def refuses(self, match: Match, excerpt: Excerpt) -> bool:
        """Whether the signals do not prove a match, although the audio is at hand."""
        if not _at_hand(match.recording, self._references):
            return False
        return not any(map(is_verified, self._compared(self._clip(excerpt), excerpt, [match])))

    def proven(self, proposal: Proposal, excerpt: Excerpt, least: float) -> list[Match]:
        """Give the matches at the place that is proposed whose proof reaches ``least``."""
        clip, family, engine = self._clip(excerpt), HashFamily(self._fingerprinter), self._engine
        result = family.search(clip, self._options, engine.index, engine.store, Stopwatch())
        found = (later(match, excerpt.start) for match in result.matches)
        there = [match for match in found if _covers(match, proposal)]
        return [m for m in self._compared(clip, excerpt, there) if _proof(m) >= least]

    def _compared(
        self, clip: PreparedQuery, excerpt: Excerpt, matches: Sequence[Match]
    ) -> list[Match]:
        """Give matches of the recording with their verification, those that anything supports."""
        there = tuple(later(match, -excerpt.start) for match in matches)
        result = replace(clip.result, matches=there)
        compared = with_verification(result, clip, self._references, self._options).matches
        return [later(match, excerpt.start) for match in compared]

    def _clip(self, excerpt: Excerpt) -> PreparedQuery:
        samples = excerpt.samples / max(float(np.abs(excerpt.samples).max(initial=0)), 1e-9)
        name, sha256 = excerpt.recording.name, excerpt.recording.sha256
        grids = hash_under(samples, f"{sha256} {excerpt.start}", self._fingerprinter, [PLAIN])
        result = QueryResult(name, sha256, len(samples) / SAMPLE_RATE)
        return PreparedQuery(result, tuple(grids), samples)


def _is_doubtful(match: Match) -> bool:
    return (match.same_text_warning or match.ber >= READING) and not is_verified(match)


def _proof(match: Match) -> float:
    return match.verification.score if match.verification else 0.0


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
