"""Two files compared, without any store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from samaf.audio import Source
from samaf.engine.blas import one_blas_thread
from samaf.engine.fingerprint import joined_codes
from samaf.engine.hash_query import matcher_of
from samaf.engine.notices import notice
from samaf.engine.options import MATCHES, QueryOptions
from samaf.engine.prepare import prepare
from samaf.engine.stopwatch import Stopwatch
from samaf.engine.verification import prepared_clips, supported, verification_of
from samaf.fingerprinters import DEFAULT_MODEL, Fingerprinter, load_hash_model
from samaf.index import ExactIndex, table_of_codes
from samaf.matching import Candidate, DeepMatcher, PreparedQuery, to_match
from samaf.matching.merging import Place, keep_best, match_place
from samaf.matching.sections import of_many
from samaf.media import DEFAULT, Selection
from samaf.records import Codes, Comparison, Manipulation, Match, Population, Recording
from samaf.verification import PreparedRecording, Samples


def compare(
    first: Source,
    second: Source,
    *,
    model: str | None = None,
    population: Population = "speech",
    verify: bool = False,
    track: int | None = None,
    channel: int | None = None,
) -> Comparison:
    """Tell which segments two files share, and how the first one was altered.

    Each file is searched for in the other as a deep query is in a store, so that the order of
    the two makes no difference. So is each side of a file whose channels differ. Both files are
    held in memory.

    Parameters
    ----------
    population
        As for ``Engine.query``.
    verify
        Compare the signals as well, as ``Engine.query`` does.
    track, channel
        Number of the sound track of both files, and of its only channel, from 1.

    Raises
    ------
    AudioError, FingerprinterError, QueryError
        A file cannot be decoded, has no such track or channel, or there is no such model or
        population.
    """
    options = QueryOptions(search="deep", population=population, verify=verify)
    fingerprinter = load_hash_model(model or DEFAULT_MODEL)
    selection = Selection(track, channel)
    one = prepare_compared(first, fingerprinter, selection)
    other = prepare_compared(second, fingerprinter, selection)
    names = one.path, other.path
    media = one.recording.media, other.recording.media
    if reason := reason_of(one, other):
        return Comparison(*names, (), reason, *media)
    matches = search_both(one, other, fingerprinter, options)
    if verify:
        verified = supported(verified_in(matches, one, other), options)
        return Comparison(*names, verified, "", *media)
    # The same of equal ones, whichever file is the first.
    matches.sort(key=lambda match: (-match.score, match.query_start + match.reference_start))
    return Comparison(*names, tuple(kept_either_way(matches)), "", *media)


def kept_either_way(matches: Sequence[Match]) -> list[Match]:
    """Drop what better matches cover, best first, whichever file counts as the query."""

    def turned_place(match: Match) -> Place:
        place = match_place(match)
        channels = place.channels[1], place.channels[0]
        return place._replace(query=place.reference, reference=place.query, channels=channels)

    kept: list[Match] = []
    for match in matches:
        if all(keep_best([match], MATCHES, place, kept) for place in (match_place, turned_place)):
            kept.append(match)
    return kept


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """A file as a clip that is searched for, and as a recording that is searched."""

    clip: PreparedQuery
    recording: Recording
    hashes: Codes

    @property
    def path(self) -> str:
        """The file's path, or its name where it has none."""
        return self.clip.result.query


def prepare_compared(
    source: Source, fingerprinter: Fingerprinter, selection: Selection = DEFAULT
) -> Compared:
    """Decode and hash a file for both parts."""
    clip = prepare(source, fingerprinter, Stopwatch(), selection, deep=True)
    notice(clip.result.query, clip.result.media)
    result = clip.result
    about = result.sha256, Path(result.query).name, result.query, result.duration
    with one_blas_thread():
        streams = [
            fingerprinter.hashes([] if each.samples is None else [each.samples], each.salt)
            for each in clip.streams
        ]
    return Compared(clip, Recording(*about, media=result.media), joined_codes(streams))


def reason_of(*files: Compared) -> str:
    """Say why files cannot be compared; empty where they can."""
    results = [file.clip.result for file in files]
    return "; ".join(
        dict.fromkeys(f"{Path(r.query).name}: {r.reason}" for r in results if r.reason)
    )


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """The mix of one file, or a side of it, that is searched for in the other."""

    query: Compared
    reference: Compared
    stream: PreparedQuery
    deep: DeepMatcher

    @property
    def samples(self) -> np.ndarray:
        """What is searched for."""
        assert self.stream.samples is not None
        return self.stream.samples

    def as_it_is(self) -> tuple[list[Candidate], bool]:
        """Search for it unaltered; also tell whether that explains all of it."""
        return self.deep.overlapping_as_it_is(self.samples, self.stream.salt)

    def altered(self) -> list[Candidate]:
        """Search for it under manipulations."""
        return self.deep.overlapping_altered(self.samples, self.stream.salt)

    def matches(self, overlapping: Sequence[Candidate]) -> Iterator[Match]:
        """Yield the matches of candidates."""
        recording, table = self.reference.recording, self.deep.matcher.index.table
        candidates = self.deep.settled(overlapping, self.samples)
        duration = self.query.recording.duration
        for candidate in of_many(candidates, len(self.query.clip.streams)):
            match = to_match(candidate, recording, self.deep.fingerprinter, duration)
            side = recording.channel(table.side(candidate.recording_index))
            yield replace(match, channel=self.stream.channel, reference_channel=side)


def search_both(
    one: Compared, other: Compared, fingerprinter: Fingerprinter, options: QueryOptions
) -> list[Match]:
    """Search for each file in the other; ``one`` is the query of all matches."""
    there, back = (
        list(searches_in(*files, fingerprinter, options)) for files in ((one, other), (other, one))
    )
    return [
        turned(match, other.recording) if search in back else match
        for search, match in searched([*there, *back])
    ]


def search_in(
    query: Compared, reference: Compared, fingerprinter: Fingerprinter, options: QueryOptions
) -> Iterator[Match]:
    """Search for one file in the other."""
    for _, match in searched(list(searches_in(query, reference, fingerprinter, options))):
        yield match


def searched(searches: Sequence[Search]) -> Iterator[tuple[Search, Match]]:
    """Search; where one of them lies in the other file as it is, no manipulation is looked for."""
    with one_blas_thread():
        found = [search.as_it_is() for search in searches]
        explained = any(is_decided for _, is_decided in found)
        candidates = [
            overlapping if explained else overlapping + search.altered()
            for search, (overlapping, _) in zip(searches, found, strict=True)
        ]
        matches = [
            (search, match)
            for search, each in zip(searches, candidates, strict=True)
            for match in search.matches(each)
        ]
    yield from matches


def searches_in(
    query: Compared, reference: Compared, fingerprinter: Fingerprinter, options: QueryOptions
) -> Iterator[Search]:
    """Prepare the searches for one file in the other."""
    hashes, recording = reference.hashes, reference.recording
    index = ExactIndex(table_of_codes([(0, hashes)], hashes.packed.shape[1]))
    streams = query.clip.streams
    share = options.max_false_matches / len(streams)
    matcher = replace(matcher_of(fingerprinter, index, options), max_false_matches=share)

    def samples_of(place: int) -> np.ndarray:
        return reference.clip.samples_of(recording.channel(index.table.side(place)))

    deep = DeepMatcher(fingerprinter, matcher, samples_of=samples_of)
    for stream in streams:
        yield Search(query, reference, stream, deep)


def verified_in(matches: Iterable[Match], query: Compared, reference: Compared) -> list[Match]:
    """Verify matches of one file in the other."""
    clips = prepared_clips(query.clip)
    recordings = {
        stream.channel: PreparedRecording(Samples(reference.clip.samples_of(stream.channel)))
        for stream in reference.clip.streams
    }
    with one_blas_thread():
        return [
            replace(
                match,
                verification=verification_of(
                    match, clips[match.channel], recordings[match.reference_channel]
                ),
            )
            for match in matches
        ]


def turned(match: Match, recording: Recording) -> Match:
    """Give a match the other way round: ``recording`` was its query and becomes its reference."""
    tau, rho = 1 / match.manipulation.tau, 1 / match.manipulation.rho
    return replace(
        match,
        recording=recording,
        query_start=match.reference_start,
        query_stop=match.reference_stop,
        reference_start=match.query_start,
        reference_stop=match.query_stop,
        manipulation=Manipulation(tau, rho, match.manipulation.reversed),
        channel=match.reference_channel,
        reference_channel=match.channel,
    )
